// How the mock reads and answers a list request.
// Input: a request target, a dataset and the time of the answer. Output: JSON: path and parameters as they were read,
// with all words that are searched for, SQL with its values, SQLite's plan, and how many rows each filter leaves.
#pragma once

#include <string_view>

#include "catalogue/router.h"
#include "json/writer.h"
#include "store/dataset.h"

namespace ocp_mock {

JsonObject explain_request(std::string_view target, const Router& router, const Dataset& dataset, Instant now,
                            bool strict, const ListRules& rules);

}  // namespace ocp_mock
