#include "control/query_criterion.h"

#include <algorithm>

#include "control/criteria_rules.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

bool equals_decoded(std::string_view text, std::string_view expected) {
  return text.find_first_of("%+") == std::string_view::npos ? text == expected
                                                            : decoded(text, Plus::IsBlank) == expected;
}

}  // namespace

QueryCriterion::QueryCriterion(std::string name, const Router* router) : name_(std::move(name)), router_(router) {
  if (router == nullptr) return;
  for (const Endpoint& endpoint : router->catalogue().endpoints) {
    for (const Parameter& parameter : endpoint.parameters) {
      if (parameter.alias.empty()) continue;
      if (parameter.name == name_) others_.emplace_back(&endpoint, parameter.alias);
      if (parameter.alias == name_) others_.emplace_back(&endpoint, parameter.name);
    }
  }
}

std::vector<std::string> QueryCriterion::values(const RequestView& request) const {
  const std::string_view other = other_name(request);
  std::vector<std::string> values;
  for (const QueryPair& pair : split_query(request.query)) {
    const bool is_meant = equals_decoded(pair.name, name_) || (!other.empty() && equals_decoded(pair.name, other));
    if (is_meant) values.push_back(decoded(pair.value, Plus::IsBlank));
  }
  return values;
}

// Of the endpoint that the request finds; empty if it has none.
std::string_view QueryCriterion::other_name(const RequestView& request) const {
  if (others_.empty()) return "";
  const auto route = router_->find(request.method, request.path);
  if (!route) return "";
  const auto other = std::ranges::find(others_, route->endpoint, [](const auto& one) { return one.first; });
  return other == others_.end() ? "" : other->second;
}

}  // namespace ocp_mock
