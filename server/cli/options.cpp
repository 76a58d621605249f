#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "embedded/version.h"
#include "ocp/instant.h"
#include "ocp/json_text.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kNotShown = "(not shown, it may be a secret)";
const std::vector<std::string> kLogLevels{"trace", "debug", "info", "warn", "error", "off"};

// Paths separated by colons, as in PATH.
std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> paths;
  while (!text.empty()) {
    const auto end = text.find(':');
    if (end != 0) paths.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return paths;
}

// A number with a unit.
struct Quantity {
  const char* name;
  const char* type;
  const char* rule;
  std::int64_t least;
  std::int64_t most;
  std::span<const std::pair<std::string_view, std::int64_t>> units;

  // In the unit whose factor is 1.
  std::optional<std::int64_t> parse(std::string_view text) const {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(stop, text.data() + text.size());
    for (const auto& [known, factor] : units) {
      if (error != std::errc{} || unit != known || number > most / factor || number * factor < least) continue;
      return number * factor;
    }
    return std::nullopt;
  }
};

// clang-format off
constexpr std::pair<std::string_view, std::int64_t> kBytes[]{
    {"", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
constexpr std::pair<std::string_view, std::int64_t> kMilliseconds[]{
    {"ms", 1}, {"s", 1000}, {"m", 60'000}};
constexpr Quantity kHeadSize{"size", "SIZE", "size; it must be a number of bytes, or one with KiB, MiB or GiB, from 256 to 1GiB",
                             256, 1 << 30, kBytes};
constexpr Quantity kBodySize{"size", "SIZE", "size; it must be a number of bytes, or one with KiB, MiB or GiB, from 0 to 1GiB",
                             0, 1 << 30, kBytes};
constexpr Quantity kTime{"time", "TIME", "time; it must be a number with ms, s or m, from 1ms to 1440m",
                         1, 1440 * 60'000, kMilliseconds};
// clang-format on

// What the command line gives as text and ServeOptions holds otherwise.
struct Texts {
  std::string timezone = "+08:00";
  std::string auth = "any";
  std::vector<std::string> users;
  std::vector<std::string> access_keys;
  std::string rate_limit;
  std::string max_head = "64KiB";
  std::string max_body = "64MiB";
  std::string request_time = "30s";
  std::string idle_time = "75s";
  std::string write_time = "30s";
  std::string isolate_by;
  std::string watch_poll;
  bool no_admin = false;
};

// The test's side.
void add_admin_options(CLI::App& app, ServeOptions& options, Texts& texts) {
  const auto token = [](const std::string& text) -> std::string {
    const bool good = !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
    return good ? "" : "the token must be ASCII text without blanks, and not empty";
  };
  app.add_option("--admin-token", options.admin_token, "Admin calls need this token (Authorization: Bearer TOKEN)")
      ->check(CLI::Validator(token, "", "token"))
      ->type_name("TOKEN")
      ->envname("OCP_MOCK_ADMIN_TOKEN");
  app.add_flag("--no-admin", texts.no_admin, "No admin calls under /__admin")->envname("OCP_MOCK_NO_ADMIN");
  app.add_option("--isolate-by", texts.isolate_by,
                 "user: each user sees a world of its own, with data, clock and faults")
      ->check(CLI::IsMember({"user"}))
      ->type_name("WHAT")
      ->envname("OCP_MOCK_ISOLATE_BY");
  app.add_option("--max-worlds", options.max_worlds, "Worlds of users at once, then 503")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->type_name("N")
      ->envname("OCP_MOCK_MAX_WORLDS")
      ->capture_default_str();
  app.add_option("--journal-size", options.journal_size, "Requests that the journal of a world keeps; 0 for none")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1'000'000}))
      ->type_name("N")
      ->envname("OCP_MOCK_JOURNAL_SIZE")
      ->capture_default_str();
  app.add_flag("--watch", options.watch, "Load --fixtures again when their files change")->envname("OCP_MOCK_WATCH");
  const auto time = [](const std::string& text) -> std::string {
    return kTime.parse(text) ? "" : fmt::format("'{}' is no {}", text, kTime.rule);
  };
  app.add_option("--watch-poll", texts.watch_poll,
                 "As --watch, and look at the files at this interval too, for mounts that do not tell of changes")
      ->check(CLI::Validator(time, "", kTime.name))
      ->type_name(kTime.type)
      ->envname("OCP_MOCK_WATCH_POLL");
  app.add_option("--init", options.init, "Admin calls to make at start: a JSON array of {\"method\",\"path\",\"body\"}")
      ->type_name("FILE")
      ->envname("OCP_MOCK_INIT");
}

// Who may ask, how often, and through TLS or not.
void add_access_options(CLI::App& app, ServeOptions& options, Texts& texts) {
  const auto rate_limit = [](const std::string& text) -> std::string {
    return parse_rate_limit(text) ? ""
                                  : fmt::format(
                                        "'{}' is no rate limit; it must be N/WINDOW with N from 1 to {} and the "
                                        "window 10s, 1m, 1h or 1d",
                                        text, kMaximumRateLimit);
  };
  // These show nothing of what was given: it may be a secret in a wrong place.
  const auto mode = [](const std::string& text) -> std::string {
    return text == "any" || text == "off" ? "" : "it must be any or off";
  };
  const auto file = [](const std::string& text) -> std::string {
    const bool is_text = text.find_first_of("{\n") != std::string::npos || text.starts_with("-----");
    std::error_code ignored;
    const bool is_pair = text.find(':') != std::string::npos && !std::filesystem::exists(text, ignored);
    return is_text || is_pair ? "it must be the path of a file, not what the file holds" : "";
  };
  app.add_option("--auth", texts.auth,
                 "any: well-formed credentials pass, or only those named below; off: nothing is checked")
      ->check(CLI::Validator(mode, "", "mode"))
      ->type_name("MODE")
      ->envname("OCP_MOCK_AUTH")
      ->capture_default_str();
  app.add_option("--user", texts.users, "A user who may ask by HTTP Basic; may be given again")
      ->type_name("NAME:PASSWORD")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->envname("OCP_MOCK_USER");
  app.add_option("--access-key", texts.access_keys,
                 "An access key, its secret key and its user, who is otherwise called like the key; may be given again")
      ->type_name("AK:SK[:USER]")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->envname("OCP_MOCK_ACCESS_KEY");
  app.add_option("--credentials", options.credentials_file, "JSON file of users and access keys")
      ->check(CLI::Validator(file, "", "file"))
      ->type_name("FILE")
      ->envname("OCP_MOCK_CREDENTIALS");
  app.add_option("--rate-limit", texts.rate_limit, "Requests that each user may make in 10s, 1m, 1h or 1d, then 429")
      ->check(CLI::Validator(rate_limit, "", "rate limit"))
      ->type_name("N/WINDOW")
      ->envname("OCP_MOCK_RATE_LIMIT");
  app.add_option("--tls-cert", options.tls_certificate, "Serve HTTPS with this certificate (PEM, with its chain)")
      ->check(CLI::Validator(file, "", "file"))
      ->type_name("FILE")
      ->envname("OCP_MOCK_TLS_CERT");
  app.add_option("--tls-key", options.tls_key, "The key of --tls-cert (PEM)")
      ->check(CLI::Validator(file, "", "file"))
      ->type_name("FILE")
      ->envname("OCP_MOCK_TLS_KEY");
  app.add_flag("--tls-self-signed", options.tls_self_signed,
               "Serve HTTPS with a certificate for localhost, 127.0.0.1, ::1 and --host, made at start")
      ->envname("OCP_MOCK_TLS_SELF_SIGNED");
  app.add_option("--tls-ca-out", options.tls_ca_out, "Write the CA that clients must trust to this file (PEM)")
      ->type_name("FILE")
      ->envname("OCP_MOCK_TLS_CA_OUT");
}

// What a client may send and how long it may take.
void add_limit_options(CLI::App& app, ServeOptions& options, Texts& texts) {
  const auto add = [&](const char* flag, std::string& value, const Quantity& quantity, const char* text,
                       const char* variable) {
    const auto check = [quantity](const std::string& given) -> std::string {
      return quantity.parse(given) ? "" : fmt::format("'{}' is no {}", given, quantity.rule);
    };
    app.add_option(flag, value, text)
        ->check(CLI::Validator(check, "", quantity.name))
        ->type_name(quantity.type)
        ->envname(variable)
        ->capture_default_str();
  };
  add("--max-head", texts.max_head, kHeadSize, "Request line and headers, then 414 or 431", "OCP_MOCK_MAX_HEAD");
  add("--max-body", texts.max_body, kBodySize, "A request's body, then 413", "OCP_MOCK_MAX_BODY");
  add("--request-timeout", texts.request_time, kTime,
      "From a request's first byte to its last, then 408; also for a TLS handshake", "OCP_MOCK_REQUEST_TIMEOUT");
  add("--idle-timeout", texts.idle_time, kTime, "Without a request, then the connection is closed",
      "OCP_MOCK_IDLE_TIMEOUT");
  add("--write-timeout", texts.write_time, kTime,
      "Without the client taking a byte of its answer, then the connection is closed", "OCP_MOCK_WRITE_TIMEOUT");
  app.add_option("--max-connections", options.max_connections,
                 "Open at once; others wait. Default: what the limit of open files allows")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->type_name("N")
      ->envname("OCP_MOCK_MAX_CONNECTIONS");
}

void add_serve_options(CLI::App& app, ServeOptions& options, Texts& texts) {
  const auto offset = [](const std::string& text) -> std::string {
    return parse_offset(text) ? "" : fmt::format("'{}' is no offset from UTC; it must be +hh:mm, -hh:mm or Z", text);
  };
  const auto utf8 = [](const std::string& text) -> std::string {
    return is_utf8(text) ? "" : "the value must be UTF-8 text";
  };
  // CLI11 would read 010 as eight.
  const auto decimal = [](const std::string& text) -> std::string {
    const bool octal = text.size() > 1 && text.front() == '0';
    return !octal && text.find_first_not_of("0123456789") == std::string::npos
               ? ""
               : fmt::format("'{}' is no port; it must be a number from 0 to 65535", text);
  };
  const auto path = [](const std::string& text) -> std::string {
    return !text.empty() && !text.starts_with("--") ? "" : fmt::format("'{}' is no path", text);
  };
  app.add_option("--fixtures", options.fixtures,
                 "File or folder of fixtures; may be given again (Env:OCP_MOCK_FIXTURES, separated by colons). "
                 "Default: OCP's own example, compiled in")
      ->type_name("PATH")
      ->check(CLI::Validator(path, "", "path"))
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--db", options.db,
                 "Keep the loaded fixtures in this SQLite file; without --fixtures serve the file as it is, read-only")
      ->type_name("FILE")
      ->envname("OCP_MOCK_DB");
  app.add_option("--host", options.host, "Address to listen on")
      ->type_name("HOST")
      ->envname("OCP_MOCK_HOST")
      ->capture_default_str();
  app.add_option("--port", options.port, "Port to listen on; 0 takes a free one")
      ->check(CLI::Validator(decimal, "", "decimal"))
      ->check(CLI::Range(0, 65535))
      ->type_name("PORT")
      ->envname("OCP_MOCK_PORT")
      ->capture_default_str();
  app.add_option("--port-file", options.port_file, "Write the port to this file once the server is ready")
      ->type_name("FILE")
      ->envname("OCP_MOCK_PORT_FILE");
  app.add_flag("--pretty", options.pretty, "Lay answers out as OCP's documentation does, two blanks a level")
      ->envname("OCP_MOCK_PRETTY");
  app.add_flag("--frozen", options.frozen,
               "Same request, same bytes: timestamp, duration, server and trace id are constant")
      ->envname("OCP_MOCK_FROZEN");
  app.add_flag("--strict", options.strict, "Refuse with 400 what OCP ignores: unknown or repeated parameters and such")
      ->envname("OCP_MOCK_STRICT");
  app.add_option("--timezone", texts.timezone, "Offset from UTC of the answers' timestamps")
      ->check(CLI::Validator(offset, "", "offset"))
      ->type_name("+hh:mm")
      ->envname("OCP_MOCK_TIMEZONE")
      ->capture_default_str();
  app.add_option("--server-name", options.server_name, fmt::format("The server that answers name ({})", kDefaultServer))
      ->check(CLI::Validator(utf8, "", "utf8"))
      ->type_name("NAME")
      ->envname("OCP_MOCK_SERVER_NAME");
  app.add_option("--log-level", options.log_level,
                 "How much goes to standard error: trace, debug, info, warn, error, off")
      ->check(CLI::IsMember(kLogLevels))
      ->type_name("LEVEL")
      ->envname("OCP_MOCK_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--ocp-version", options.ocp_version, "The buildVersion that /api/v2/info answers")
      ->check(CLI::Validator(utf8, "", "utf8"))
      ->type_name("VERSION")
      ->envname("OCP_MOCK_OCP_VERSION")
      ->capture_default_str();
  add_access_options(app, options, texts);
  add_limit_options(app, options, texts);
  add_admin_options(app, options, texts);
}

// Words that no option takes. One that may be a secret is not shown: what follows a colon or an equals sign, the value
// of an unknown option, and the second half of a value that a blank has torn.
std::string sentence_of_extras(const CLI::App& app, std::span<const char* const> arguments) {
  const auto takes_secret = [](std::string_view argument) {
    return argument == "--user" || argument == "--access-key";
  };
  const std::vector<std::string> extras = app.remaining(true);
  std::string words;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (std::ranges::find(extras, word) == extras.end()) continue;
    const std::string_view before = arguments[i - 1];
    const bool torn = (i > 1 && takes_secret(arguments[i - 2])) || before.starts_with("--user=") ||
                      before.starts_with("--access-key=");
    const bool value = before.starts_with("-") && std::ranges::find(extras, before) != extras.end();
    const bool after_torn = words.ends_with(kNotShown) && !word.starts_with("--");
    const auto end = std::min(word.find_first_of(":="), word.size());
    words += ' ';
    if (torn || value || after_torn) {
      words += kNotShown;
    } else {
      words.append(word.substr(0, end)).append(end == word.size() ? "" : "...");
    }
  }
  return "not expected here:" + words;
}

// The sentence of a mistake. One that came by the environment is named by its variable.
std::string sentence(const CLI::App& app, const CLI::ParseError& error, std::span<const char* const> arguments) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return sentence_of_extras(app, arguments);
  const std::string_view text = error.what();
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    const auto gives = [&](std::string_view argument) { return argument == name || argument.starts_with(name + "="); };
    if (!option->get_envname().empty() && text.starts_with(name + ":") && std::ranges::none_of(arguments, gives)) {
      return option->get_envname() + std::string(text.substr(name.size()));
    }
  }
  return std::string(text);
}

// Puts what came as text into the options. Throws CLI::ValidationError.
void take(const Texts& texts, ServeOptions& serve) {
  const auto check = [](const char* flag, const auto& action) {
    try {
      action();
    } catch (const std::invalid_argument& error) {
      throw CLI::ValidationError(flag, error.what());
    }
  };
  const auto must_not = [](const char* flag, bool mistake, const char* text) {
    if (mistake) throw CLI::ValidationError(flag, text);
  };
  serve.offset_minutes = *parse_offset(texts.timezone);
  serve.auth = texts.auth == "off" ? AuthMode::Off : AuthMode::Any;
  for (const std::string& text : texts.users) {
    check("--user", [&] {
      const auto colon = text.find(':');
      if (colon == std::string::npos) throw std::invalid_argument("it must be NAME:PASSWORD; the colon is missing");
      add_user(serve.credentials, text.substr(0, colon), text.substr(colon + 1));
    });
  }
  for (const std::string& text : texts.access_keys) {
    check("--access-key", [&] {
      const auto first = text.find(':');
      if (first == std::string::npos)
        throw std::invalid_argument("it must be AK:SK or AK:SK:USER; the colon is missing");
      const auto second = std::min(text.find(':', first + 1), text.size());
      const bool has_user = second != text.size();
      if (has_user && text.find(':', second + 1) != std::string::npos) {
        throw std::invalid_argument(
            "it must be AK:SK or AK:SK:USER; a secret key with a colon goes into --credentials");
      }
      add_access_key(serve.credentials, text.substr(0, first),
                     {text.substr(first + 1, second - first - 1),
                      text.substr(has_user ? second + 1 : 0, has_user ? std::string::npos : first)});
    });
  }
  if (!texts.rate_limit.empty()) serve.rate_limit = parse_rate_limit(texts.rate_limit);
  must_not("--tls-cert", serve.tls_certificate && !serve.tls_key, "it needs its key, --tls-key");
  must_not("--tls-key", serve.tls_key && !serve.tls_certificate, "it needs its certificate, --tls-cert");
  must_not("--tls-self-signed", serve.tls_self_signed && serve.tls_certificate, "it cannot stand beside --tls-cert");
  must_not("--tls-ca-out", serve.tls_ca_out && !serve.tls_self_signed, "it needs --tls-self-signed");
  const auto bytes = [](const std::string& text) { return static_cast<std::size_t>(*kBodySize.parse(text)); };
  const auto time = [](const std::string& text) { return std::chrono::milliseconds(*kTime.parse(text)); };
  serve.limits.parser = {bytes(texts.max_head), bytes(texts.max_body)};
  serve.limits.request_time = time(texts.request_time);
  serve.limits.idle_time = time(texts.idle_time);
  serve.limits.write_time = time(texts.write_time);
  serve.admin = !texts.no_admin;
  serve.isolate_by_user = texts.isolate_by == "user";
  must_not("--init", serve.init && !serve.admin, "it cannot stand beside --no-admin");
  if (!texts.watch_poll.empty()) serve.watch_poll = time(texts.watch_poll);
  serve.watch = serve.watch || serve.watch_poll;
  const char* watch = serve.watch_poll ? "--watch-poll" : "--watch";
  must_not(watch, serve.watch && serve.fixtures.empty(), "it needs --fixtures");
  must_not(watch, serve.watch && serve.db, "it cannot stand beside --db");
}

}  // namespace

std::variant<ServeOptions, CheckOptions, HealthcheckOptions, Exit> parse_options(int argc, const char* const* argv) {
  ServeOptions serve;
  CheckOptions check;
  Texts texts;

  CLI::App app("Answers OceanBase Cloud Platform's REST API from fixtures, for the tests of its clients.",
               "ocp-mock-server");
  app.set_version_flag("--version", fmt::format("ocp-mock-server {}", embedded::version));
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  add_serve_options(app, serve, texts);

  // Its options are those above; they may stand before or after the word.
  CLI::App* serve_command = app.add_subcommand("serve", "Run the server (what happens without a command)");
  serve_command->fallthrough();
  serve_command->set_help_flag();
  CLI::App* check_command =
      app.add_subcommand("check", "Validate fixtures and say what they hold; exit code 1 if they are wrong");
  CLI::App* healthcheck_command = app.add_subcommand(
      "healthcheck", "Ask a server whether it is up; exit code 1 if it is not. For images without curl");
  HealthcheckOptions healthcheck;
  healthcheck_command
      ->add_option(
          "URL", healthcheck.url,
          "Of the server. Default: this machine's, with the port and the scheme of the options and the environment")
      ->type_name("");
  check_command->add_option("PATH", check.paths, "Files or folders of fixtures")->required()->type_name("");

  try {
    app.parse(argc, argv);
    if (const char* paths = std::getenv("OCP_MOCK_FIXTURES"); paths != nullptr && app.count("--fixtures") == 0) {
      for (const std::string& path : split_paths(paths)) serve.fixtures.emplace_back(path);
    }
    if (!check_command->parsed() && !healthcheck_command->parsed()) take(texts, serve);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = check_command->parsed()         ? *check_command
                            : healthcheck_command->parsed() ? *healthcheck_command
                                                            : app;
    const std::string name = &asked == &app ? "ocp-mock-server" : "ocp-mock-server " + asked.get_name();
    return Exit{0, app.get_formatter()->make_help(&asked, name, CLI::AppFormatMode::Normal), ""};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, app.version() + "\n", ""};
  } catch (const CLI::ParseError& error) {
    return Exit{kUsageExitCode, "",
                fmt::format("ocp-mock-server: {} (see --help)\n", sentence(app, error, {argv, argv + argc}))};
  }
  if (check_command->parsed()) return check;
  if (healthcheck_command->parsed()) {
    if (healthcheck.url.empty()) {
      const bool tls = serve.tls_self_signed || serve.tls_certificate;
      healthcheck.url = fmt::format("{}://127.0.0.1:{}", tls ? "https" : "http", serve.port);
    }
    return healthcheck;
  }

  return serve;
}

}  // namespace ocp_mock
