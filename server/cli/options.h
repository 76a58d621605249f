// The command line and the environment become the options of a command.
// Input: argv, and of the environment the variables OCP_MOCK_<NAME> that the command uses. A flag beats the
// environment, the environment beats the default. Output: checked options, or what to print and the exit code. No
// mistake and no warning shows a password or a secret key.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/serve_options.h"
#include "cli/client_options.h"
#include "cli/generate.h"

namespace ocp_mock {

// How exec names the server to its command, beside the variable of --admin-token.
inline constexpr std::string_view kUrlVariable = "OCP_URL";
inline constexpr std::string_view kAdminUrlVariable = "OCP_MOCK_ADMIN_URL";

struct ExecOptions {
  ServeOptions serve;                // with port 0 and log level warn unless others are given
  std::vector<std::string> command;  // not empty
};

struct CheckOptions {
  std::vector<std::filesystem::path> paths;
};

struct HealthcheckOptions {
  std::string url;  // empty: the server that the rest describes
  bool tls = false;
  std::string host;
  int port = 0;                                    // 0: it is read from the port file, which is named then
  std::optional<std::filesystem::path> port_file;  // with port 0
};

// What `capture` does; its upstream has no credentials yet.
struct CaptureCommand {
  CaptureOptions capture;
  Login login;
};

// What `diff` does; its upstream has no credentials yet.
struct DiffCommand {
  std::vector<std::filesystem::path> fixtures;
  UpstreamOptions upstream;
  Login login;
  std::optional<std::filesystem::path> paths;
  bool json = false;
};

// What `record` does; its upstream has no credentials yet.
struct RecordCommand {
  RecordOptions record;
  Login login;
  std::vector<std::filesystem::path> fixtures;
  std::string host;
  int port = 0;
  std::optional<std::filesystem::path> port_file;
};

// Nothing is left to do but to print and exit: --help, --version or a mistake.
struct Exit {
  int code = 0;
  std::string out;    // for standard output
  std::string error;  // for standard error
};

inline constexpr int kUsageExitCode = 2;

using Command = std::variant<ServeOptions, ExecOptions, CheckOptions, GenerateOptions, HealthcheckOptions,
                             CaptureCommand, DiffCommand, RecordCommand, Exit>;

// The environment is a list of "NAME=value" that ends with a null pointer.
Command parse_options(int argc, const char* const* argv, const char* const* environment);

}  // namespace ocp_mock
