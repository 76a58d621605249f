// How the mock reads and answers a request.
// Input: a request, a dataset and the time of the answer. Output: JSON: path and parameters as they were read, with all
// words that are searched for, and of what reads rows SQL with its values, SQLite's plan, and how many rows each filter
// leaves.
#pragma once

#include <string_view>

#include "catalogue/router.h"
#include "json/writer.h"
#include "store/dataset.h"

namespace ocp_mock {

struct ExplainedRequest {
  std::string_view method;
  std::string_view target;
  std::string_view body;  // as JSON
};

JsonObject explain_request(const ExplainedRequest& asked, const Router& router, const Dataset& dataset, Instant now,
                           bool strict, const ListRules& rules);

}  // namespace ocp_mock
