#include "control/path_criterion.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace ocp_mock {
namespace {

using Values = std::vector<std::string_view>;

// The template with its placeholders replaced.
std::string filled(std::string_view path, const Values& values) {
  std::string text;
  std::size_t used = 0;
  for (;;) {
    const auto end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    text += segment.starts_with('{') ? values.at(used++) : segment;
    if (end == std::string_view::npos) return text;
    text += '/';
    path.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> paths_of(const Endpoint& endpoint) {
  std::vector<std::string_view> paths{endpoint.path};
  paths.insert(paths.end(), endpoint.aliases.begin(), endpoint.aliases.end());
  return paths;
}

}  // namespace

PathCriterion::PathCriterion(PathTemplate path, std::string_view text, const Router& router)
    : PathCriterion(std::move(path)) {
  std::set<std::string> others;
  for (const Endpoint& endpoint : router.catalogue().endpoints) {
    if (endpoint.aliases.empty()) continue;
    const auto route = router.find(endpoint.method, text);
    if (!route || route->endpoint != &endpoint) continue;
    const std::vector<std::string_view> paths = paths_of(endpoint);
    std::optional<Values> values;
    std::size_t own = 0;
    while (own < paths.size() && !(values = PathTemplate::of_template(paths[own]).values(text))) ++own;
    if (!values) continue;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (i != own) others.insert(filled(paths[i], *values));
    }
    endpoints_.push_back(&endpoint);
    router_ = &router;
  }
  for (const std::string& other : others) paths_.push_back(PathTemplate::of_template(other));
}

bool PathCriterion::fits(std::string_view method, std::string_view path) const {
  if (paths_.front().fits(path)) return true;
  const bool may_fit = std::any_of(paths_.begin() + 1, paths_.end(), [&](const auto& one) { return one.fits(path); });
  if (!may_fit) return false;
  const auto route = router_->find(method, path);
  return route && std::ranges::find(endpoints_, route->endpoint) != endpoints_.end();
}

}  // namespace ocp_mock
