// How the mock reads and answers a list request.
// Enters: a request target, a dataset and the time of the answer. Leaves: JSON: path and parameters as they were read,
// of the status all words that are searched for, SQL with its values, SQLite's plan, and how many tasks each filter
// leaves.
#pragma once

#include <string>
#include <string_view>

#include "store/dataset.h"

namespace ocp_mock {

std::string explain_request(std::string_view target, const Dataset& dataset, Instant now, bool strict,
                            const ListRules& rules);

}  // namespace ocp_mock
