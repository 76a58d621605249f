#include "cli/port_file.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/text_file.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kName = "the port file";

std::optional<int> parse(std::string_view text) {
  int port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port =
      error == std::errc{} && std::string_view(stop, text.data() + text.size()) == "\n" && port >= 1 && port <= 65535;
  return is_port ? std::optional(port) : std::nullopt;
}

}  // namespace

PortFile::PortFile(std::optional<std::filesystem::path> file) : file_(std::move(file)) {
  if (file_) clear_text_file(*file_, kName, "a port", [](std::string_view text) { return parse(text).has_value(); });
}

PortFile::~PortFile() {
  try {
    remove();
  } catch (const std::exception&) {
    // The server ends because of something else, which is said.
  }
}

void PortFile::write(int port) {
  text_ = fmt::format("{}\n", port);
  if (file_) write_text_file(*file_, kName, text_);
}

void PortFile::remove() {
  const std::string text = std::exchange(text_, "");
  std::error_code ignored;
  if (!file_ || text.empty() || !std::filesystem::exists(*file_, ignored)) return;
  if (read_text_file(*file_, kName) == text) remove_text_file(*file_, kName);
}

int PortFile::read(const std::filesystem::path& file) {
  if (const auto port = parse(read_text_file(file, kName))) return *port;
  throw std::runtime_error(fmt::format("the port file {} names no port; the server may be starting", file.string()));
}

}  // namespace ocp_mock
