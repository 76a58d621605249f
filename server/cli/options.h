// argv and environment become Options.
// No mistake shows a password or a secret key.
// Enters: the command line; of the environment the variables OCP_MOCK_<NAME>. A flag beats the environment, the
// environment beats the default. Leaves: checked Options, or what to print and the exit code.
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
  std::optional<std::filesystem::path> tls_ca_out;  // with tls_self_signed
  http::Limits limits;
  std::optional<std::size_t> max_connections;  // nothing: what the limit of descriptors allows
  bool admin = true;
  std::optional<std::string> admin_token;
  bool isolate_by_user = false;
  std::size_t max_worlds = 1000;
  std::size_t journal_size = 1000;
  bool watch = false;  // also with watch_poll
  std::optional<std::chrono::milliseconds> watch_poll;
  std::optional<std::filesystem::path> init;  // JSON array of admin calls
};

struct CheckOptions {
  std::vector<std::filesystem::path> paths;
};

struct HealthcheckOptions {
  std::string url;
};

// Nothing is left to do but to print and exit: --help, --version or a mistake.
struct Exit {
  int code = 0;
  std::string out;    // for standard output
  std::string error;  // for standard error
};

inline constexpr int kUsageExitCode = 2;

std::variant<ServeOptions, CheckOptions, HealthcheckOptions, Exit> parse_options(int argc, const char* const* argv);

}  // namespace ocp_mock
