#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>

#include "embedded/version.h"
#include "ocp/envelope.h"
#include "ocp/instant.h"
#include "ocp/json_text.h"

namespace ocp_mock {
namespace {

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

void add_serve_options(CLI::App& app, ServeOptions& options, std::string& timezone) {
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
  app.add_option("--timezone", timezone, "Offset from UTC of the answers' timestamps")
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
}

// The sentence of a mistake. One that came by the environment is named by its variable.
std::string sentence(const CLI::App& app, const CLI::ParseError& error, std::span<const char* const> arguments) {
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

}  // namespace

std::variant<ServeOptions, CheckOptions, Exit> parse_options(int argc, const char* const* argv) {
  ServeOptions serve;
  CheckOptions check;
  std::string timezone = "+08:00";

  CLI::App app("Answers OceanBase Cloud Platform's REST API from fixtures, for the tests of its clients.",
               "ocp-mock-server");
  app.set_version_flag("--version", fmt::format("ocp-mock-server {}", embedded::version));
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  add_serve_options(app, serve, timezone);

  // Its options are those above; they may stand before or after the word.
  CLI::App* serve_command = app.add_subcommand("serve", "Run the server (what happens without a command)");
  serve_command->fallthrough();
  serve_command->set_help_flag();
  CLI::App* check_command =
      app.add_subcommand("check", "Validate fixtures and say what they hold; exit code 1 if they are wrong");
  check_command->add_option("PATH", check.paths, "Files or folders of fixtures")->required()->type_name("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = check_command->parsed() ? *check_command : app;
    const std::string name = &asked == &app ? "ocp-mock-server" : "ocp-mock-server check";
    return Exit{0, app.get_formatter()->make_help(&asked, name, CLI::AppFormatMode::Normal), ""};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, app.version() + "\n", ""};
  } catch (const CLI::ParseError& error) {
    return Exit{kUsageExitCode, "",
                fmt::format("ocp-mock-server: {} (see --help)\n", sentence(app, error, {argv, argv + argc}))};
  }
  if (check_command->parsed()) return check;

  serve.offset_minutes = *parse_offset(timezone);
  if (const char* paths = std::getenv("OCP_MOCK_FIXTURES"); paths != nullptr && app.count("--fixtures") == 0) {
    for (const std::string& path : split_paths(paths)) serve.fixtures.emplace_back(path);
  }
  return serve;
}

}  // namespace ocp_mock
