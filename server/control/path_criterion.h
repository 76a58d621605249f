// The paths that a criterion means: those of its text, and the other paths of the same endpoint.
// Input: a criterion's template and text; then requests. Output: whether a request's path is meant. Knows no other
// criterion. Immutable once made.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/router.h"
#include "ocp/path_template.h"

namespace ocp_mock {

class PathCriterion {
 public:
  // Every path.
  PathCriterion() : PathCriterion(PathTemplate()) {}

  explicit PathCriterion(PathTemplate path) : paths_{std::move(path)} {}

  // The text is that of a path, still encoded, or of a template. Where the router finds an endpoint by it, a request
  // that comes to this endpoint by another of its paths is meant too. The router must outlive this.
  PathCriterion(PathTemplate path, std::string_view text, const Router& router);

  bool fits(std::string_view method, std::string_view path) const;

  // A path that fits, fits one of them, each of which is there once, the criterion's own first. For another one it also
  // needs that the router finds the endpoint.
  const std::vector<PathTemplate>& templates() const { return paths_; }

  bool has_others() const { return paths_.size() > 1; }

 private:
  std::vector<PathTemplate> paths_;
  std::vector<const Endpoint*> endpoints_;  // that have the others
  const Router* router_ = nullptr;          // null: there are no others
};

}  // namespace ocp_mock
