// Writes the installation as a database in a C++ file: ocp_mock_make_image OUTPUT
#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "base/text_file.h"
#include "catalogue/router.h"
#include "fixtures/forms.h"
#include "fixtures/installation.h"
#include "store/image.h"

namespace {

constexpr std::size_t kBytesALine = 100;

// As string literals, which compilers read much faster than lists of numbers.
std::string cpp_of(std::string_view bytes) {
  std::string text = "#include <string_view>\n\nnamespace ocp_mock {\n\nstd::string_view installation_image();\n\n";
  text += "std::string_view installation_image() {\n  alignas(4096) static constexpr char kBytes[] =";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % kBytesALine == 0) text += i == 0 ? "\n      \"" : "\"\n      \"";
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool is_plain = byte >= ' ' && byte < 0x7F && byte != '"' && byte != '\\' && byte != '?';
    text += is_plain ? std::string(1, bytes[i]) : fmt::format("\\{:03o}", byte);
  }
  return text + "\";\n  return {kBytes, sizeof(kBytes) - 1};\n}\n\n}  // namespace ocp_mock\n";
}

}  // namespace

int main(int count, char** arguments) {
  using namespace ocp_mock;
  if (count != 2) {
    fmt::print(stderr, "usage: ocp_mock_make_image OUTPUT\n");
    return 2;
  }
  try {
    const Router router(ocp_catalogue());
    const std::string image =
        make_image(ocp_catalogue(), [&](FixtureSink& sink) { load_fixtures(router, {kInstallation}, sink); });
    write_text_file(arguments[1], "C++ file", cpp_of(image));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
