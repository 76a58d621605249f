// Small text files, read and written whole.
// Enters: a path and what the file is called in a mistake, such as "the port file". Any room may use it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ocp_mock {

// Throws std::runtime_error, "cannot read the port file FILE: WHY".
std::string read_text_file(const std::filesystem::path& file, std::string_view name);

// Takes the place of the file in one step, so that whoever waits for it never reads half of it. Throws
// std::runtime_error, "cannot write the port file FILE: WHY", and for what is there and is no regular file.
void write_text_file(const std::filesystem::path& file, std::string_view name, std::string_view text);

}  // namespace ocp_mock
