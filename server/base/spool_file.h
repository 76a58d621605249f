// Texts that are appended to a file and read again by their places, so that they need no memory.
// Input: texts. Output: the same. What was appended is in the file also if the process is killed then.
// Thread safety: append() by one at a time; read() by any thread, of what was appended before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ocp_mock {

class SpoolFile {
 public:
  struct Place {
    std::int64_t offset = 0;
    std::size_t size = 0;
  };

  // Opens the file or makes it; only this user may read it. Throws std::system_error.
  explicit SpoolFile(const std::filesystem::path& file);
  ~SpoolFile();
  SpoolFile(SpoolFile&& other) noexcept;
  SpoolFile& operator=(SpoolFile&& other) noexcept;

  // A file in the folder that goes away with the object. Throws std::system_error.
  static SpoolFile without_name(const std::filesystem::path& folder);

  // Throws std::system_error, and then has appended nothing.
  Place append(std::string_view text);

  // Throws std::system_error, also where the file has become shorter.
  std::string read(Place place) const;

  // Bytes in the file.
  std::int64_t size() const { return size_; }

  // Removes what stands behind the first bytes. Throws std::system_error.
  void cut(std::int64_t size);

 private:
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace ocp_mock
