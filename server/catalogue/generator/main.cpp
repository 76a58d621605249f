// Makes the C++ tables of a catalogue: ocp_mock_generate_catalogue NAME OUTPUT FILE...
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/text_file.h"
#include "catalogue/generator/emit.h"
#include "catalogue/generator/source.h"

int main(int count, char** arguments) {
  if (count < 4) {
    fmt::print(stderr, "usage: ocp_mock_generate_catalogue NAME OUTPUT FILE...\n");
    return 2;
  }
  try {
    std::vector<ocp_mock::generator::SourceFile> files;
    for (int i = 3; i < count; ++i)
      files.push_back({arguments[i], ocp_mock::read_text_file(arguments[i], "catalogue")});
    const ocp_mock::generator::Source source = ocp_mock::generator::read_source(files);
    ocp_mock::write_text_file(arguments[2], "C++ file", ocp_mock::generator::emit_cpp(source, arguments[1]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
