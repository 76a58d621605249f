// What somebody who serves a capture may take for more, or for less, than it is.
// Input: what was captured, and where. Output: sentences. Reads the names of files, and asks nobody.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/plan.h"

namespace ocp_mock {

// Lists of which a filter left rows out, and fixtures in the folder that are none of the capture's.
std::vector<std::string> capture_notes(const CapturePlan& plan, const std::filesystem::path& out);

}  // namespace ocp_mock
