// What both sides of a diff are asked.
// Input: a dataset, or a file of paths. Output: targets of GET. Asks nobody.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ocp/instant.h"
#include "store/dataset.h"

namespace ocp_mock {

struct DiffRequests {
  std::vector<std::string> targets;
  std::vector<std::string> notes;  // what is not asked, and why
};

// Of each of an endpoint's lists and objects as many are asked as this.
inline constexpr std::size_t kMostOfEndpoint = 100;
inline constexpr std::int64_t kDiffPageSize = 100;

// The lists and objects that the rows of the dataset are in, of lists with pages the first and the last one, and
// exchanges_of(). Of the endpoints those for which is_asked is true. A list that must be asked for by times
// is asked for those of its rows, and for the hour before now where they have none.
DiffRequests requests_of(
    const Dataset& dataset, Instant now,
    const std::function<bool(const Endpoint&)>& is_asked = [](const Endpoint&) { return true; });

// Whether a capture with this identity has what an endpoint answers: one of a cluster lacks the lists that are below
// none, unless they were named.
bool is_captured(const std::string& identity, const Endpoint& endpoint);

// The GETs among the exchanges.
DiffRequests exchanges_of(const Dataset& dataset);

// A target a line; blank lines and those that begin with # are passed over. Throws std::runtime_error, "FILE:LINE:
// ...".
DiffRequests read_targets(const std::filesystem::path& file);

}  // namespace ocp_mock
