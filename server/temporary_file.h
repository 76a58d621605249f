// A file that is written beside its target and takes its place in one step, so that nobody sees half of it.
// Any room may use it.
#pragma once

#include <filesystem>

namespace ocp_mock {

class TemporaryFile {
 public:
  // Makes an empty file beside the target, or beside the file that the target links to, with a name that no other file
  // has. Throws std::system_error.
  explicit TemporaryFile(const std::filesystem::path& target);

  // Removes the file unless it was committed. A process that is killed leaves it behind.
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Renames the file to its target. Throws std::system_error.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace ocp_mock
