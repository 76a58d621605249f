// Small text files, read and written whole.
// Input: a path, and what the file is called in a message, such as "the port file". Output: the text, or a message.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ocp_mock {

// Throws std::runtime_error, "cannot read the port file FILE: WHY".
std::string read_text_file(const std::filesystem::path& file, std::string_view name);

// Replaces the file in one step, so that a reader who waits for it never sees half of it. Where the folder does not
// permit that (a file mounted by itself, a read-only folder) the existing file is truncated and written in place: a
// reader may then see it empty or in part. Links are followed as by behind_own_links(); a link of another user is
// replaced, or else refused. Throws std::runtime_error, "cannot write the port file FILE: WHY", and for
// what is there and is no regular file, or is where this process's standard output or error goes.
void write_text_file(const std::filesystem::path& file, std::string_view name, std::string_view text);

// Removes the file, or empties it where the folder does not let it be removed; no file is none to remove. Throws as
// write_text_file() does.
void remove_text_file(const std::filesystem::path& file, std::string_view name);

// Removes what an earlier run has left of a file that is to be written later: a file that is empty or of which is_left
// is true. Throws as write_text_file() does, also if the file could not be written now; and for a file that holds
// something else, which may be precious: "the port file FILE exists and does not hold CONTENT; ...".
void clear_text_file(const std::filesystem::path& file, std::string_view name, std::string_view content,
                     bool (*is_left)(std::string_view text));

}  // namespace ocp_mock
