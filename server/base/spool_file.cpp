#include "base/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace ocp_mock {
namespace {

[[noreturn]] void fail(int error) { throw std::system_error(error, std::generic_category()); }

}  // namespace

SpoolFile::SpoolFile(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) fail(errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(error);
  }
  size_ = status.st_size;
}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

SpoolFile& SpoolFile::operator=(SpoolFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

SpoolFile SpoolFile::without_name(const std::filesystem::path& folder) {
  const auto path = folder / "spool";
  std::filesystem::remove(path);
  SpoolFile file(path);
  std::filesystem::remove(path);
  return file;
}

SpoolFile::Place SpoolFile::append(std::string_view text) {
  const Place place{size_, text.size()};
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count =
        ::pwrite(descriptor_, text.data() + done, text.size() - done, size_ + static_cast<std::int64_t>(done));
    if (count < 0 && errno != EINTR) {
      const int error = errno;
      [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, size_);
      fail(error);
    }
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  size_ += static_cast<std::int64_t>(text.size());
  return place;
}

std::string SpoolFile::read(Place place) const {
  std::string text(place.size, '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count =
        ::pread(descriptor_, text.data() + done, text.size() - done, place.offset + static_cast<std::int64_t>(done));
    if (count == 0) fail(EIO);
    if (count < 0 && errno != EINTR) fail(errno);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return text;
}

void SpoolFile::cut(std::int64_t size) {
  if (::ftruncate(descriptor_, size) != 0) fail(errno);
  size_ = size;
}

}  // namespace ocp_mock
