#include "temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>

namespace ocp_mock {

namespace fs = std::filesystem;

TemporaryFile::TemporaryFile(const fs::path& target) : target_(target) {
  std::error_code ignored;
  // Also a link to a file that is not there yet; as many in a row as Linux follows.
  for (int links = 0; links < 40 && fs::is_symlink(target_, ignored); ++links) {
    target_ = target_.parent_path() / fs::read_symlink(target_);
  }
  std::random_device random;
  for (;;) {
    // Not the process id: in containers every server has the same.
    path_ = target_;
    path_ += fmt::format(".{:08x}{:08x}.tmp", random(), random());
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      ::close(descriptor);
      return;
    }
    if (errno != EEXIST) throw std::system_error(errno, std::generic_category());
  }
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove(path_, ignored);
}

void TemporaryFile::commit() {
  fs::rename(path_, target_);
  path_.clear();
}

}  // namespace ocp_mock
