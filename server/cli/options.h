// argv and environment become Options.
// No mistake and no warning shows a password or a secret key.
// Enters: the command line, and of the environment the variables OCP_MOCK_<NAME> that the command uses. A flag beats
// the environment, the environment beats the default. Leaves: checked Options, or what to print and the exit code.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/limits.h"
#include "ocp/auth.h"
#include "ocp/envelope.h"
#include "ocp/params.h"
#include "ocp/throttle.h"

namespace ocp_mock {

struct ServeOptions {
  std::vector<std::filesystem::path> fixtures;  // empty: the compiled-in example, or the --db file as it is
  std::optional<std::filesystem::path> db;
  std::string host = "127.0.0.1";
  int port = 8080;
  std::optional<std::filesystem::path> port_file;
  bool pretty = false;
  bool frozen = false;
  bool strict = false;
  ListRules rules;
  int offset_minutes = 8 * 60;
  std::optional<std::string> server_name;
  std::string log_level = "info";
  std::string ocp_version{kDefaultOcpVersion};
  AuthMode auth = AuthMode::Any;
  Credentials credentials;                                // of --user and --access-key
  std::optional<std::filesystem::path> credentials_file;  // more of them, see credentials.h
  std::optional<RateLimit> rate_limit;
  std::optional<std::filesystem::path> tls_certificate;  // with tls_key
  std::optional<std::filesystem::path> tls_key;
  bool tls_self_signed = false;
  std::vector<std::string> tls_names;               // with tls_self_signed; each an http::is_certificate_name()
  std::optional<std::filesystem::path> tls_ca_out;  // with tls_self_signed
  http::Limits limits;
  std::optional<std::size_t> max_connections;  // nothing: what the limit of descriptors allows
  bool admin = true;
  std::optional<std::string> admin_token;
  std::vector<std::string> admin_hosts;  // names beside host under which admin calls may be made
  bool isolate_by_user = false;
  std::size_t max_worlds = 1000;
  std::size_t journal_size = 1000;
  bool watch = false;  // also with watch_poll
  std::optional<std::chrono::milliseconds> watch_poll;
  std::optional<std::filesystem::path> init;  // JSON array of admin calls
  std::vector<std::string> warnings;          // sentences about the environment, to be logged at start

  bool operator==(const ServeOptions&) const = default;
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

// Nothing is left to do but to print and exit: --help, --version or a mistake.
struct Exit {
  int code = 0;
  std::string out;    // for standard output
  std::string error;  // for standard error
};

inline constexpr int kUsageExitCode = 2;

using Command = std::variant<ServeOptions, CheckOptions, HealthcheckOptions, Exit>;

// The environment is a list of "NAME=value" that ends with a null pointer.
Command parse_options(int argc, const char* const* argv, const char* const* environment);

// An option of serve as its users read of it.
struct OptionText {
  std::string flag;      // "--port"
  std::string variable;  // "OCP_MOCK_PORT"
  std::string value;     // "PORT"; empty for a switch
  std::string fallback;  // the value that counts without one, "8080"; empty if there is none
};

std::vector<OptionText> option_texts();

}  // namespace ocp_mock
