#include "client/capture_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "base/temporary_file.h"
#include "base/text_file.h"
#include "ocp/digest.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kName = "the file of the capture";
constexpr std::size_t kKeySize = 32;

void write(const fs::path& file, std::string_view text) {
  try {
    TemporaryFile out(file);
    out.write(text);
    out.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", file.string(), error.code().message()));
  }
}

std::optional<std::string> read_if_there(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  return read_text_file(file, kName);
}

}  // namespace

std::optional<std::string> identity_of_capture(const fs::path& out) {
  return read_if_there(out / CaptureState::kFolder / CaptureState::kIdentity);
}

CaptureState::CaptureState(const fs::path& out, const std::string& identity, std::string_view noun)
    : folder_(out / kFolder) {
  std::error_code error;
  fs::create_directories(out, error);
  if (error || (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)) {
    throw std::runtime_error(
        fmt::format("cannot make the folder {}: {}", folder_.string(), error ? error.message() : std::strerror(errno)));
  }
  // Also one that was unpacked with other rights.
  ::chmod(folder_.c_str(), 0700);
  lock_ = ::open((folder_ / "lock").c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock_ < 0) {
    throw std::runtime_error(fmt::format("cannot write to {}: {}", folder_.string(), std::strerror(errno)));
  }
  try {
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw std::runtime_error(fmt::format("another {} is writing to {}", noun, out.string()));
    }
    write(folder_ / ".gitignore", "*\n");
    const auto earlier = read_if_there(folder_ / kIdentity);
    if (earlier && *earlier != identity) {
      throw std::runtime_error(
          fmt::format("{} has '{}', and this is '{}'; name another folder by --out", out.string(), *earlier, identity));
    }
    if (!read_if_there(folder_ / "key")) write(folder_ / "key", hex(random_bytes(kKeySize)));
    if (!earlier) write(folder_ / kIdentity, identity);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

CaptureState::~CaptureState() { ::close(lock_); }

void CaptureState::release() const {
  std::error_code ignored;
  fs::remove(folder_ / kIdentity, ignored);
}

std::string CaptureState::key() const { return read_text_file(folder_ / "key", kName); }

std::optional<std::string> CaptureState::finished() const { return read_if_there(folder_ / "finished"); }

fs::path CaptureState::folder_of(const std::string& walk) const {
  return folder_ / "walks" / hex(sha256(walk)).substr(0, 32);
}

int CaptureState::pages(const std::string& walk) const {
  std::error_code ignored;
  int count = 0;
  while (fs::exists(folder_of(walk) / std::to_string(count + 1), ignored)) ++count;
  return count;
}

std::string CaptureState::page(const std::string& walk, int number) const {
  return read_text_file(folder_of(walk) / std::to_string(number), kName);
}

void CaptureState::add_page(const std::string& walk, int number, std::string_view answer) const {
  fs::create_directories(folder_of(walk));
  write(folder_of(walk) / std::to_string(number), answer);
}

std::optional<std::string> CaptureState::end(const std::string& walk) const {
  return read_if_there(folder_of(walk) / "end");
}

void CaptureState::set_end(const std::string& walk, std::string_view text) const {
  fs::create_directories(folder_of(walk));
  write(folder_of(walk) / "end", text);
}

void CaptureState::finish(std::string_view text) const {
  write(folder_ / "finished", text);
  forget();
}

void CaptureState::forget() const {
  std::error_code error;
  fs::remove_all(folder_ / "walks", error);
  if (error)
    throw std::runtime_error(fmt::format("cannot remove {}: {}", (folder_ / "walks").string(), error.message()));
}

}  // namespace ocp_mock
