// What a server is started with.
// Input: nothing. Output: plain values with their defaults; who fills them in checks them.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/request.h"
#include "http/limits.h"
#include "ocp/auth.h"
#include "ocp/envelope.h"
#include "ocp/throttle.h"

namespace ocp_mock {

struct ServeOptions {
  std::vector<std::filesystem::path> fixtures;  // empty: the installation, or the --db file as it is
  // What is served in memory without fixtures, see store/image.h; empty: the installation is loaded.
  std::string_view installation_image;
  std::optional<std::filesystem::path> db;
  std::string host = "127.0.0.1";
  int port = 8080;
  std::optional<std::filesystem::path> port_file;
  bool end_with_parent = false;
  bool pretty = false;
  bool frozen = false;
  bool strict = false;
  bool read_only = false;
  std::chrono::milliseconds task_duration{2000};
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
  http::Engine http_engine = http::Engine::Epoll;
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

}  // namespace ocp_mock
