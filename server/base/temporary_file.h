// A file that is written beside its target and takes its place in one step, so that nobody sees half of it.
// Input: the target's path, then its text. Output: the whole file, or none.
#pragma once

#include <filesystem>
#include <string_view>

namespace ocp_mock {

// The file that a path means to this process: links of this user and of root are followed, even to a file that does
// not exist yet. A link of another user is not: it may have been put into a shared folder, such as /tmp, to make this
// process write to a file that the other user may not write to. Such a link at the end of the path is the result;
// for one on the way throws std::runtime_error, "LINK is a link that belongs to another user".
std::filesystem::path behind_own_links(const std::filesystem::path& path);

class TemporaryFile {
 public:
  // Makes an empty file beside behind_own_links(target), with a name that no other file has. Removes such files of the
  // same target whose processes were killed: those of this user on which nobody holds the lock that every
  // TemporaryFile holds on its file. Throws std::system_error, and what behind_own_links() throws.
  explicit TemporaryFile(const std::filesystem::path& target);

  // Removes the file unless it was committed. A process that is killed leaves it behind.
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Appends the text. Throws std::system_error.
  void write(std::string_view text);

  // Renames the file to its target. Throws std::system_error.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;  // holds the lock
};

// Writes all of the text, or throws std::system_error.
void write_all(int descriptor, std::string_view text);

}  // namespace ocp_mock
