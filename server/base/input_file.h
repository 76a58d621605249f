// A file that is read from its beginning to its end.
// Input: a path. Output: bytes, in pieces of the caller's size.
#pragma once

#include <cstddef>
#include <filesystem>

namespace ocp_mock {

class InputFile {
 public:
  // Throws std::system_error if the file cannot be opened.
  explicit InputFile(const std::filesystem::path& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  // Fills a buffer, returns how many bytes were put there; 0 at the end. Throws std::system_error.
  std::size_t read(char* buffer, std::size_t size) const;

 private:
  int descriptor_;
};

}  // namespace ocp_mock
