#include "base/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "base/temporary_file.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_error(int error) { throw std::system_error(error, std::generic_category()); }

// The folder does not let its entries be changed, but perhaps the file can be written.
bool is_of_folder(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EBUSY || error == EXDEV;
}

bool is_same_file(const struct stat& status, int descriptor) {
  struct stat other {};
  return ::fstat(descriptor, &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino;
}

// A link that is left here is one of another user.
void refuse_special_file(const fs::path& target, const fs::path& file, std::string_view name) {
  struct stat status {};
  if (::lstat(target.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  if (!S_ISREG(status.st_mode)) {
    throw std::runtime_error(fmt::format("{} {} is not a regular file; it must be one", name, file.string()));
  }
  if (is_same_file(status, STDOUT_FILENO) || is_same_file(status, STDERR_FILENO)) {
    throw std::runtime_error(fmt::format(
        "{} {} is where standard output or standard error goes; it must be a file of its own", name, file.string()));
  }
}

std::string reason(const std::runtime_error& error, const fs::path& target) {
  const auto* of_system = dynamic_cast<const std::system_error*>(&error);
  if (of_system == nullptr) return error.what();
  std::string text = of_system->code().message();
  std::error_code ignored;
  const int code = of_system->code().value();
  if ((code != ENOENT && !is_of_folder(code)) || fs::exists(target, ignored)) return text;
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  return fmt::format("{}; the folder {} must be there, and this user must be allowed to write to it", text,
                     folder.string());
}

// What is to be done to the file stands in the mistake.
fs::path target_of(const fs::path& file, std::string_view name, std::string_view verb) {
  try {
    return behind_own_links(file);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("cannot {} {} {}: {}", verb, name, file.string(), error.what()));
  }
}

// Writes into the file that is there, after the folder has refused a new one.
void overwrite(const fs::path& target, std::string_view text, int error_of_folder) {
  const int descriptor = ::open(target.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0 && errno == ELOOP) throw std::runtime_error("it is a link that belongs to another user");
  if (descriptor < 0) throw_error(errno == ENOENT ? error_of_folder : errno);
  const struct Close {
    int descriptor;
    ~Close() { ::close(descriptor); }
  } owner{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) throw_error(error_of_folder);
  if (::ftruncate(descriptor, 0) != 0) throw_error(errno);
  write_all(descriptor, text);
}

}  // namespace

std::string read_text_file(const fs::path& file, std::string_view name) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(file, ignored);
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (is_folder || !in || (in.peek() != std::ifstream::traits_type::eof() && !(text << in.rdbuf())) || in.bad()) {
    throw std::runtime_error(
        fmt::format("cannot read {} {}: {}", name, file.string(), is_folder ? "it is a folder" : std::strerror(errno)));
  }
  return text.str();
}

void write_text_file(const fs::path& file, std::string_view name, std::string_view text) {
  const fs::path target = target_of(file, name, "write");
  refuse_special_file(target, file, name);
  try {
    try {
      TemporaryFile temporary(target);
      temporary.write(text);
      temporary.commit();
    } catch (const std::system_error& error) {
      if (!is_of_folder(error.code().value())) throw;
      overwrite(target, text, error.code().value());
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("cannot write {} {}: {}", name, file.string(), reason(error, target)));
  }
}

void remove_text_file(const fs::path& file, std::string_view name) {
  const fs::path target = target_of(file, name, "remove");
  refuse_special_file(target, file, name);
  if (::unlink(target.c_str()) == 0 || errno == ENOENT) return;
  const int error = errno;
  try {
    if (!is_of_folder(error)) throw_error(error);
    overwrite(target, "", error);
  } catch (const std::runtime_error& problem) {
    throw std::runtime_error(fmt::format("cannot remove {} {}: {}", name, file.string(), reason(problem, target)));
  }
}

void clear_text_file(const fs::path& file, std::string_view name, std::string_view content,
                     bool (*is_left)(std::string_view text)) {
  const fs::path target = target_of(file, name, "write");
  std::error_code ignored;
  if (fs::symlink_status(target, ignored).type() == fs::file_type::regular) {
    const std::string text = read_text_file(file, name);
    if (!text.empty() && !is_left(text)) {
      throw std::runtime_error(
          fmt::format("{} {} exists and does not hold {}; it is left alone, and another one must be named", name,
                      file.string(), content));
    }
  }
  remove_text_file(file, name);
  if (fs::exists(target, ignored)) return;  // emptied
  try {
    const TemporaryFile probe(target);
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot write {} {}: {}", name, file.string(), reason(error, target)));
  }
}

}  // namespace ocp_mock
