// What both sides of a diff are asked.
// Input: a dataset, or a file of paths. Output: targets of GET. Asks nobody.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "store/dataset.h"

namespace ocp_mock {

struct DiffRequests {
  std::vector<std::string> targets;
  std::vector<std::string> notes;  // what is not asked, and why
};

// Of each of an endpoint's lists and objects as many are asked as this.
inline constexpr std::size_t kMostOfEndpoint = 100;
inline constexpr std::int64_t kDiffPageSize = 100;

// The lists and objects that the rows of the dataset are in, of lists with pages the first and the last one, and the
// GETs among the exchanges.
DiffRequests requests_of(const Dataset& dataset);

// A target a line; blank lines and those that begin with # are passed over. Throws std::runtime_error, "FILE:LINE:
// ...".
DiffRequests read_targets(const std::filesystem::path& file);

}  // namespace ocp_mock
