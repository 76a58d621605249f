#include "text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "temporary_file.h"

namespace ocp_mock {

namespace fs = std::filesystem;

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
  try {
    std::error_code ignored;
    if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
      throw std::runtime_error(fmt::format("{} {} is no regular file; it must be one", name, file.string()));
    }
    TemporaryFile temporary(file);
    std::ofstream out(temporary.path(), std::ios::binary);
    out << text;
    out.close();
    if (!out) throw std::system_error(errno, std::generic_category());
    temporary.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot write {} {}: {}", name, file.string(), error.code().message()));
  }
}

}  // namespace ocp_mock
