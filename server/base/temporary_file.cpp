#include "base/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // in a row, as many as Linux follows
constexpr std::size_t kDigits = 16;
constexpr std::string_view kSuffix = ".tmp";

// Not by the process id: in containers every server has the same.
fs::path temporary_name(const fs::path& target) {
  std::random_device random;
  fs::path path = target;
  path += fmt::format(".{:08x}{:08x}{}", random(), random(), kSuffix);
  return path;
}

bool is_temporary_name(std::string_view name, std::string_view target) {
  if (name.size() != target.size() + 1 + kDigits + kSuffix.size() || !name.starts_with(target)) return false;
  const std::string_view rest = name.substr(target.size());
  return rest.front() == '.' && rest.ends_with(kSuffix) && rest.find_first_not_of("0123456789abcdef", 1) == 1 + kDigits;
}

// Whether this process has the only lock on the file now.
bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

void remove_abandoned(const fs::path& target) {
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const std::string name = target.filename().string();
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!is_temporary_name(entry->path().filename().string(), name)) continue;
    const int descriptor = ::open(entry->path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    struct stat status {};
    const bool is_ours = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
    if (is_ours && lock(descriptor)) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

}  // namespace

fs::path behind_own_links(const fs::path& path) {
  fs::path at;
  std::deque<fs::path> rest(path.begin(), path.end());
  int links = 0;
  while (!rest.empty()) {
    const fs::path next = at / rest.front();
    rest.pop_front();
    struct stat status {};
    std::error_code error;
    const bool is_link = ::lstat(next.c_str(), &status) == 0 && S_ISLNK(status.st_mode) && links < kMostLinks;
    const fs::path target = is_link ? fs::read_symlink(next, error) : fs::path();
    if (!is_link || error) {
      at = next;
      continue;
    }
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
      if (rest.empty()) return next;
      throw std::runtime_error(fmt::format("{} is a link that belongs to another user", next.string()));
    }
    ++links;
    // An absolute target takes the place of the path so far.
    rest.insert(rest.begin(), target.begin(), target.end());
  }
  return at;
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category());
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

TemporaryFile::TemporaryFile(const fs::path& target) : target_(behind_own_links(target)) {
  remove_abandoned(target_);
  for (;;) {
    path_ = temporary_name(target_);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) throw std::system_error(errno, std::generic_category());
    if (descriptor_ < 0) continue;
    // Between the two calls another process may have taken the file for an abandoned one. File systems without such
    // locks give them to nobody, so nothing is abandoned there.
    struct stat status {};
    if ((lock(descriptor_) || errno != EWOULDBLOCK) && ::fstat(descriptor_, &status) == 0 && status.st_nlink > 0)
      return;
    ::close(descriptor_);
  }
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove(path_, ignored);
  ::close(descriptor_);
}

void TemporaryFile::write(std::string_view text) { write_all(descriptor_, text); }

void TemporaryFile::commit() {
  fs::rename(path_, target_);
  path_.clear();
}

}  // namespace ocp_mock
