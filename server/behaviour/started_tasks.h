// The tasks that requests of an endpoint may start.
// Input: endpoints, whose effects the generator has checked. Output: the names of their tasks' subtasks. Knows no
// request and no data. Used by one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"
#include "json/reader.h"

namespace ocp_mock {

class StartedTasks {
 public:
  using Subtasks = std::vector<std::string>;  // names, in their order

  // The catalogue must outlive it.
  explicit StartedTasks(const Catalogue& catalogue) : catalogue_(catalogue) {}

  // Of each task that the endpoint's effects may start. What starts when a task ends is none of the request's.
  std::vector<Subtasks> of(const Endpoint& endpoint);

 private:
  void visit(const JsonValue& steps, std::vector<Subtasks>& tasks);
  Subtasks subtasks_of(const JsonValue& step, const JsonValue& file);
  const JsonValue& parsed(std::string_view text);

  const Catalogue& catalogue_;
  std::map<std::string_view, JsonValue> parsed_;  // steps and files, which several endpoints have
  std::set<std::string> seen_;                    // named steps of the endpoint
};

}  // namespace ocp_mock
