#include "cli/client_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "base/text_file.h"
#include "base/utf8.h"
#include "cli/credentials.h"

namespace ocp_mock {
namespace {

using Client = ClientOptions;

[[noreturn]] void refuse(const std::string& text) { throw std::invalid_argument(text); }

std::string path(const std::string& text) {
  if (text.empty() || text.starts_with("--")) refuse("it must be a path");
  return text;
}

std::string id(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    refuse("it must be the id that OCP has for it, an integer");
  return text;
}

void set_url(Client& client, const std::string& text) {
  if (const std::string flaw = flaw_of_url(text); !flaw.empty()) refuse(flaw);
  client.capture.upstream.url = text;
}

void set_user(Client& client, const std::string& text) {
  const auto colon = text.find(':');
  if (text.empty() || colon == 0) refuse("it must be NAME:PASSWORD, or NAME with --password-file");
  if (colon == std::string::npos) {
    client.login.user = text;
  } else {
    add_user(client.login.given, text.substr(0, colon), text.substr(colon + 1));
  }
}

void set_access_key(Client& client, const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) refuse("it must be AK:SK; the colon is missing");
  const std::string key = text.substr(0, colon);
  add_access_key(client.login.given, key, {text.substr(colon + 1), key});
}

void set_mode(Client& client, const std::string& text) {
  if (text == "always") {
    client.mode = RecordMode::Always;
  } else if (text == "once") {
    client.mode = RecordMode::Once;
  } else if (text == "missing") {
    client.mode = RecordMode::Missing;
  } else {
    refuse("it must be always, once or missing");
  }
}

void set_port(Client& client, const std::string& text) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), client.port);
  if (error != std::errc{} || end != text.data() + text.size() || client.port < 0 || client.port > 65535) {
    refuse("it must be a number from 0 to 65535");
  }
}

// clang-format off
constexpr ClientOption kOptions[]{
    {"--from",          "URL",   kOfCapture,               set_url,
     "The OCP to ask, http:// or https://"},
    {"--user",          "NAME[:PASSWORD]", kOfCapture | kOfDiff | kOfRecord | kHidesValue, set_user,
     "Who asks; without the password --password-file has it"},
    {"--password-file", "FILE",  kOfCapture | kOfDiff | kOfRecord | kHidesValue, [](Client& client, const std::string& text) { client.login.password_file = path(text); },
     "The file with the password of --user, on its first line"},
    {"--access-key",    "AK:SK", kOfCapture | kOfDiff | kOfRecord | kHidesValue, set_access_key,
     "Sign the requests with this access key, in place of --user"},
    {"--credentials",   "FILE",  kOfCapture | kOfDiff | kOfRecord | kHidesValue, [](Client& client, const std::string& text) { client.login.credentials_file = path(text); },
     "JSON file with one user or one access key, as the server takes it, in place of both"},
    {"--ca",            "FILE",  kOfCapture | kOfDiff | kOfRecord,               [](Client& client, const std::string& text) { client.capture.upstream.ca = path(text); },
     "Who may have signed the OCP's certificate (PEM). Default: whom the system trusts"},
    {"--cluster",       "ID",    kOfCapture,               [](Client& client, const std::string& text) { client.capture.scope.cluster = id(text); },
     "The cluster; without RESOURCE all below it is captured"},
    {"--tenant",        "ID",    kOfCapture,               [](Client& client, const std::string& text) { client.capture.scope.tenant = id(text); },
     "Of the cluster's tenants only this one"},
    {"--query",         "NAME=VALUE", kOfCapture | kRepeated, [](Client& client, const std::string& text) { client.capture.scope.query.push_back(text); },
     "A parameter for all lists that need it, or, as RESOURCE.NAME=VALUE, for one that has it; may be repeated"},
    {"--lists-only",    "",      kOfCapture,               [](Client& client, const std::string&) { client.capture.scope.lists_only = true; },
     "Do not ask for each row of a list by itself, which may tell more of it"},
    {"--out",           "DIR",   kOfCapture | kOfRecord,               [](Client& client, const std::string& text) { client.capture.out = path(text); },
     "The folder for the fixtures; what was interrupted goes on in it"},
    {"--redact",        "",      kOfCapture | kOfRecord,               [](Client& client, const std::string&) { client.capture.redact = true; },
     "Replace credentials, addresses, hosts, URIs and names by stand-ins (the default)"},
    {"--no-redact",     "",      kOfCapture | kOfRecord,               [](Client& client, const std::string&) { client.capture.redact = false; },
     "Keep all as the OCP answers it"},
    {"--redact-rules",  "FILE",  kOfCapture | kOfRecord,               [](Client& client, const std::string& text) { client.capture.redact_rules = path(text); },
     "JSON file of rules that come before those of --redact"},
    {"--against",       "URL",   kOfDiff,                  set_url,
     "The OCP to compare with, http:// or https://"},
    {"--paths",         "FILE",  kOfDiff,                  [](Client& client, const std::string& text) { client.paths = path(text); },
     "What to ask for, a path with its query a line. Default: the lists and objects that FIXTURES hold"},
    {"--json",          "",      kOfDiff,                  [](Client& client, const std::string&) { client.json = true; },
     "Print the differences as JSON"},
    {"--upstream",      "URL",   kOfRecord,                set_url,
     "The OCP to which requests are passed, http:// or https://"},
    {"--mode",          "MODE",  kOfRecord,                set_mode,
     "always asks the OCP each time and keeps its latest answer; once keeps the first and answers with it later; missing "
     "asks only for what --fixtures and the recording lack. Default: always",
     [] { return std::vector<std::string_view>{"always", "once", "missing"}; }},
    {"--fixtures",      "PATH",  kOfRecord | kRepeated,    [](Client& client, const std::string& text) { client.fixtures.emplace_back(path(text)); },
     "What --mode missing answers from, beside the recording: a file or folder of fixtures, or installation; may be repeated"},
    {"--host",          "HOST",  kOfRecord,                [](Client& client, const std::string& text) { client.host = text; },
     "Address to listen on. Default: 127.0.0.1"},
    {"--port",          "PORT",  kOfRecord,                set_port,
     "Port to listen on; 0 picks a free one. Default: 8080"},
    {"--port-file",     "FILE",  kOfRecord,                [](Client& client, const std::string& text) { client.port_file = path(text); },
     "Write the port to this file once requests are taken; the file is removed at the end"},
};
// clang-format on

}  // namespace

std::span<const ClientOption> client_option_table() { return kOptions; }

ClientOptions read_client_options(ClientOptionTrait command,
                                  const std::function<std::vector<std::string>(std::string_view flag)>& values_of) {
  ClientOptions options;
  const auto is_given = [&](std::string_view flag) { return !values_of(flag).empty(); };
  for (const ClientOption& option : kOptions) {
    if (!option.has(command)) continue;
    const std::vector<std::string> values = values_of(option.flag);
    if (values.size() > 1 && !option.has(kRepeated) && !option.value.empty()) {
      throw std::runtime_error(fmt::format("{} is given more than once", option.flag));
    }
    for (const std::string& value : values) {
      const std::string flag = value.substr(0, value.find('='));
      if (!option.value.empty() && std::ranges::find(kOptions, flag, &ClientOption::flag) != std::end(kOptions)) {
        throw std::runtime_error(fmt::format("{} needs a value, but {} follows it", option.flag, flag));
      }
      try {
        option.take(options, value);
      } catch (const std::invalid_argument& error) {
        throw std::runtime_error(option.has(kHidesValue)
                                     ? fmt::format("{}: {}", option.flag, error.what())
                                     : fmt::format("{} is '{}'; {}", option.flag, printable(value), error.what()));
      }
    }
  }
  if (is_given("--redact") && is_given("--no-redact")) {
    throw std::runtime_error("--redact cannot be combined with --no-redact");
  }
  if (!options.capture.redact && is_given("--redact-rules")) {
    throw std::runtime_error("--redact-rules does nothing with --no-redact; leave one of them out");
  }
  if (!options.fixtures.empty() && options.mode != RecordMode::Missing) {
    throw std::runtime_error("--fixtures needs --mode missing, in which they answer what they have");
  }
  const int logins = is_given("--user") + is_given("--access-key") + is_given("--credentials");
  if (logins > 1) throw std::runtime_error("only one of --user, --access-key and --credentials can be given");
  if (options.login.user && !is_given("--password-file")) {
    throw std::runtime_error("--user has no password; give it as NAME:PASSWORD or by --password-file");
  }
  if (is_given("--password-file") && !options.login.user) {
    throw std::runtime_error("--password-file needs --user NAME, without a password");
  }
  return options;
}

Credentials read_login(const Login& login) {
  Credentials credentials = login.given;
  if (login.user) {
    std::string password = read_text_file(*login.password_file, "the password file");
    password = password.substr(0, password.find_first_of("\r\n"));
    try {
      add_user(credentials, *login.user, std::move(password));
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error(fmt::format("{}: {}", login.password_file->string(), error.what()));
    }
  }
  if (login.credentials_file) {
    add_credentials_of_file(credentials, *login.credentials_file);
    if (credentials.passwords.size() + credentials.access_keys.size() != 1) {
      throw std::runtime_error(
          fmt::format("the credentials file {} has several users or access keys; it must have the "
                      "one that asks",
                      login.credentials_file->string()));
    }
  }
  return credentials;
}

}  // namespace ocp_mock
