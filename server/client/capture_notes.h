// What somebody who serves a capture may take for more, or for less, than it is.
// Input: what was captured, and where. Output: sentences. Reads the names of files, and asks nobody.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/plan.h"

namespace ocp_mock {

// That the folder has fixtures which the command did not write; nothing if it has none. own: the names of its files.
std::optional<std::string> note_of_others(const std::filesystem::path& out, std::string_view command,
                                          std::span<const std::string> own);

// Lists of which a filter left rows out, and fixtures in the folder that are none of the capture's.
std::vector<std::string> capture_notes(const CapturePlan& plan, const std::filesystem::path& out);

}  // namespace ocp_mock
