// Requests of the log backup tasks' list, and of others, read from a query.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/request.h"
#include "log_backup_tasks.h"

namespace ocp_mock::test {

using Path = std::vector<std::string>;

// Of the list of log backup tasks.
inline Path path(std::string id = "1000005", std::string tenant = "1000012") {
  return {std::move(id), std::move(tenant)};
}

struct Parsed : Request {
  std::vector<Violation> violations;
};

inline Parsed parse(const Endpoint& endpoint, const Path& values, std::string_view query, const ListRules& rules = {}) {
  Parsed parsed;
  static_cast<Request&>(parsed) = read_parameters(endpoint, values, query, rules, parsed.violations);
  return parsed;
}

inline Parsed parse(std::string_view query, const Path& values = path(), const ListRules& rules = {}) {
  return parse(log_backup_tasks(), values, query, rules);
}

// The status and the English message of the refusal; "accepted" without one.
inline std::string refusal(const Endpoint& endpoint, const Path& values, std::string_view query) {
  try {
    parse(endpoint, values, query);
  } catch (const ApiError& error) {
    return fmt::format("{} {} {}", error.status(), error.code(), error.what());
  }
  return "accepted";
}

inline std::string refusal(const Path& values, std::string_view query) {
  return refusal(log_backup_tasks(), values, query);
}

inline std::vector<Message> rules(const Parsed& request) {
  std::vector<Message> found;
  for (const Violation& violation : request.violations) found.push_back(violation.message);
  return found;
}

inline std::string sort(const Request& request) {
  std::string text;
  for (const SortKey& key : request.sort) text += std::string(key.field->name) + (key.descending ? "- " : "+ ");
  return text;
}

}  // namespace ocp_mock::test
