// The values that requests have for a parameter of the query, under each of its names.
// Input: a name, decoded; then requests. Output: values, decoded. Knows no other criterion. Immutable once made.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/router.h"
#include "control/matcher.h"

namespace ocp_mock {

class QueryCriterion {
 public:
  // Where the router finds an endpoint with a parameter that has this name and another one, a request may call it by
  // the other. Null: each name is a parameter of its own. The router must outlive this.
  QueryCriterion(std::string name, const Router* router);

  // In the order of the query; none where the parameter is absent.
  std::vector<std::string> values(const RequestView& request) const;

 private:
  std::string_view other_name(const RequestView& request) const;

  std::string name_;
  std::vector<std::pair<const Endpoint*, std::string_view>> others_;  // the other name, by endpoint
  const Router* router_;
};

}  // namespace ocp_mock
