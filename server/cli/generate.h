// The command generate.
// Input: its words of the command line. Output: a file of fixtures, or standard output.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "fixtures/generated.h"

namespace CLI {
class App;
}

namespace ocp_mock {

struct GenerateOptions {
  GeneratedSize size;
  std::optional<std::filesystem::path> out;  // without: standard output
};

// What the command line has, unchecked.
struct GenerateWords {
  // The time of the answer on OCP's page of the endpoint, and thirty days before.
  std::string clusters = "1", tenants = "3", tasks = "1000", seed = "1";
  std::string from = "2024-07-10T16:06:02+08:00", to = "2024-08-09T16:06:02+08:00";
  std::string out;
};

// The words must outlive the app.
void add_options(CLI::App& app, GenerateWords& words);

// Throws OptionMistake.
GenerateOptions checked(const GenerateWords& words);

// Writes the fixtures; a file appears when it is whole. Returns the exit code. Throws std::exception with a text for the
// user.
int run_generate(const GenerateOptions& options);

}  // namespace ocp_mock
