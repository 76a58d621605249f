// Finds the endpoint of a method and a path: by segments, literals before placeholders.
// Input: a catalogue; then methods and paths as sent. Output: the endpoint and the values of its placeholders.
// Immutable once made, so safe for use by several threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/catalogue.h"
#include "ocp/error.h"
#include "ocp/path_template.h"
#include "ocp/path_tree.h"

namespace ocp_mock {

struct Route {
  const Endpoint* endpoint = nullptr;  // null: the path is known and the method is not
  std::vector<std::string> values;     // of its placeholders, in order, decoded once
};

class Router {
 public:
  // The catalogue must outlive it.
  explicit Router(const Catalogue& catalogue);

  // One trailing slash of the path is accepted. HEAD finds GET's endpoint. Where a literal and a placeholder fit, the
  // literal's endpoint counts, and the placeholder's only if no endpoint below the literal fits path and method.
  // Nothing for a path that is unknown or does not decode.
  std::optional<Route> find(std::string_view method, std::string_view path) const;

  // The methods of a known path, alphabetical, with HEAD beside GET: "GET, HEAD". Without those of endpoints that are
  // not listed: to other methods their paths are unknown.
  std::string allowed_methods(std::string_view path) const;

  // The templates nearest to a path as sent, at most 3, the best one first. Costs the product of the segments of all
  // templates and those of the path, of which the first 20 count.
  std::vector<std::string_view> nearest(std::string_view path) const;

  const Catalogue& catalogue() const { return catalogue_; }

 private:
  using Endpoints = std::vector<const Endpoint*>;  // of one template, a method each

  void add(const Endpoint& endpoint, std::string_view path);
  template <typename Visit>
  void visit_endpoints(std::string_view path, const Visit& visit, std::vector<std::string>* taken = nullptr) const;

  const Catalogue& catalogue_;
  PathTree<Endpoints> tree_;
  std::vector<std::pair<std::string_view, PathTemplate>> listed_;  // the paths that messages may name, each once
};

// Why a method and a path have no endpoint: 400 for a path that does not decode, 405 for another method, else 404.
// A 404 or 405 has the explanation.
ApiError refusal_of(const Router& router, std::string_view method, std::string_view path,
                    std::vector<Sentence> explanation = {});

// Whether an endpoint that is there since a version ("V4.3.1", empty: ever) is not there yet in another, of which the
// first three numbers count ("4.2.1-20240101"). A version that begins with no number has all.
bool is_newer(std::string_view since, std::string_view ocp_version);

}  // namespace ocp_mock
