#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/command_texts.h"
#include "cli/described.h"
#include "cli/environment.h"
#include "cli/given_options.h"
#include "cli/manual.h"
#include "cli/option_table.h"
#include "cli/record.h"
#include "embedded/version.h"
#include "fixtures/files.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kNotShown = "(not shown, it may be a secret)";

// The words of the command line, sorted by CLI11 into flags, commands and the rest.
class CommandLine {
 public:
  explicit CommandLine(std::span<const char* const> arguments)
      : arguments_(arguments.first(end_of_own(arguments))),
        exec_words_(arguments.begin() + static_cast<std::ptrdiff_t>(arguments_.size()), arguments.end()),
        app_("Answers OceanBase Cloud Platform's REST API from fixtures, for the tests of its clients.",
             "ocp-mock-server") {
    app_.set_version_flag("--version", version_line(), "Print the version and exit");
    app_.require_subcommand(0, 1);
    app_.get_formatter()->column_width(34);
    app_.footer(fmt::format("A flag beats its variable, the variable beats the default. Example:\n  {}",
                            kServeCommand.example));
    add_options(app_, kOnce);
    // Its options are those above; they may stand before or behind the word.
    serve_.fallthrough();
    exec_.fallthrough();
    exec_.footer(fmt::format("{}\n\n{}", kExecHelp, exec_.get_footer()));
    exec_.add_option("COMMAND", stray_words_, "What to run, behind --, with its arguments")->type_name("");
    check_.add_option("PATH", check_options_.paths, "Files or folders of fixtures, or installation")
        ->required()
        ->type_name("");
    ocp_mock::add_options(generate_, generate_words_);
    healthcheck_
        .add_option("URL", healthcheck_options_.url,
                    "Of the server. Default: where a server with the options below listens")
        ->type_name("");
    add_options(healthcheck_, kHealthcheck);
    capture_
        .add_option(
            "RESOURCE", resources_,
            "What to capture, by the names that fixtures have, or by paths. Default: all below the cluster or tenant")
        ->type_name("");
    add_client_options(capture_, kOfCapture);
    add_client_options(record_, kOfRecord);
    diff_.add_option("FIXTURES", diff_fixtures_, "Files or folders of fixtures, or installation")
        ->required()
        ->type_name("");
    add_client_options(diff_, kOfDiff);
    completion_.add_option("SHELL", shell_, "bash, zsh or fish")->type_name("");
    help_.add_option("COMMAND", topic_, "Default: the server's")->type_name("");
  }

  Command parse(const Environment& environment) {
    try {
      try {
        app_.parse(static_cast<int>(arguments_.size()), arguments_.data());
      } catch (const CLI::ExtrasError&) {
        refuse_missing_values();
        throw OptionMistake(sentence_of_extra());
      }
      refuse_missing_values();
      if (version_.parsed()) return Exit{0, version_line(), ""};
      if (help_.parsed()) return help();
      if (completion_.parsed()) return completion();
      if (man_.parsed()) return Exit{0, man_page(embedded::version, described_commands()), ""};
      if (exec_.parsed()) return exec(environment);
      if (check_.parsed()) return check();
      if (generate_.parsed()) return generate();
      if (healthcheck_.parsed()) return healthcheck(environment);
      if (capture_.parsed()) return capture();
      if (record_.parsed()) return record_command(client_options(kOfRecord));
      if (diff_.parsed()) return diff();
      return serve(environment);
    } catch (const CLI::CallForHelp&) {
      return Exit{0, help_of(command()), ""};
    } catch (const CLI::CallForVersion&) {
      return Exit{0, version_line(), ""};
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string_view text = error.what();
      return usage_error(fmt::format("{} needs a value", text.substr(0, text.find(':'))));
    } catch (const CLI::RequiredError&) {
      return usage_error(fmt::format("{} needs a file or folder of fixtures", command().get_name()));
    } catch (const std::runtime_error& error) {
      return usage_error(error.what());
    }
  }

 private:
  // How many words are for this program: with exec, those before "--".
  static std::size_t end_of_own(std::span<const char* const> arguments) {
    bool is_exec = false;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      const std::string_view word = arguments[i];
      if (word == "--") return is_exec ? i : arguments.size();
      if (!word.starts_with('-') && !is_exec) {
        if (word != kExecCommand.name) break;
        is_exec = true;
      }
      const auto option = std::ranges::find(option_table(), word, &Option::flag);
      const bool has_value = option != option_table().end() && !option->is_switch();
      if (has_value && i + 1 < arguments.size() && arguments[i + 1] != std::string_view("--")) ++i;
    }
    return arguments.size();
  }

  // CLI11 keeps what was given for it. Without a value it is a switch.
  static void add_option(CLI::App& app, std::string_view flag, std::string_view value, const std::string& text) {
    if (value.empty()) {
      app.add_flag(std::string(flag), text);
      return;
    }
    app.add_option(std::string(flag), text)
        ->type_name(std::string(value))
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  static void add_options(CLI::App& app, unsigned traits) {
    for (const Option& option : option_table()) {
      if ((option.traits & traits) != traits) continue;
      const std::string origin = option.fallback.empty()
                                     ? option.variable()
                                     : fmt::format("{}, default {}", option.variable(), option.fallback);
      add_option(app, option.flag, option.value, fmt::format("{}\n[{}]", option.help, origin));
    }
  }

  static void add_client_options(CLI::App& app, ClientOptionTrait command) {
    for (const ClientOption& option : client_option_table()) {
      if (option.has(command)) add_option(app, option.flag, option.value, std::string(option.help));
    }
  }

  CLI::App& add_command(const CommandText& command) {
    CLI::App* const added = app_.add_subcommand(command.name, command.text);
    added->footer(fmt::format("Example:\n  {}", command.example));
    return *added;
  }

  static Exit usage_error(std::string_view sentence) {
    return {kUsageExitCode, "", fmt::format("ocp-mock-server: {} (see --help)\n", sentence)};
  }

  const CLI::App& command() const {
    const std::vector<CLI::App*> given = app_.get_subcommands();
    return given.empty() ? serve_ : *given.front();
  }

  // The app whose options a command has.
  const CLI::App& options_of(const CLI::App& command) const {
    return &command == &serve_ || &command == &exec_ ? app_ : command;
  }

  std::string help_of(const CLI::App& command) const {
    const std::string name = &command == &serve_ ? "ocp-mock-server" : "ocp-mock-server " + command.get_name();
    std::string text =
        app_.get_formatter()->make_help(&command == &serve_ ? &app_ : &command, name, CLI::AppFormatMode::Normal);
    // CLI11 does not know that this argument stands behind "--".
    constexpr std::string_view kArgument = "[COMMAND...]";
    if (&command == &exec_) text.replace(text.find(kArgument), kArgument.size(), "-- COMMAND [ARGUMENT...]");
    return text;
  }

  // What stands on the command line for a flag, before or behind a command.
  std::vector<std::string> values_of(const Option& option) const {
    std::vector<std::string> values;
    const auto add = [&](const CLI::App& app) {
      const CLI::Option* given = app.get_option_no_throw(std::string(option.flag));
      if (given != nullptr) values.insert(values.end(), given->results().begin(), given->results().end());
    };
    add(app_);
    add(command());
    return values;
  }

  // CLI11 takes for a value whatever follows an option.
  void refuse_missing_values() const {
    for (const Option& option : option_table()) {
      if (option.is_switch()) continue;
      for (const std::string& value : values_of(option)) {
        const std::string flag = value.substr(0, value.find('='));
        if (flag.starts_with("--") && app_.get_option_no_throw(flag) != nullptr) {
          throw OptionMistake(fmt::format("{} needs a value, but {} follows it", option.flag, flag));
        }
      }
    }
  }

  // Whether the word at a place may be a piece of a secret option's value, torn off by a blank.
  bool is_torn(std::size_t at) const {
    return std::ranges::any_of(option_table(), [&](const Option& option) {
      if (!option.has(kSecret)) return false;
      const std::string_view before = arguments_[at - 1];
      return before == option.flag || before.starts_with(fmt::format("{}=", option.flag)) ||
             (at > 1 && arguments_[at - 2] == option.flag);
    });
  }

  // About the first word that nothing takes. One that may be a secret is not shown, nor is what follows a colon or an
  // equals sign.
  std::string sentence_of_extra() const {
    const std::vector<std::string> extras = app_.remaining(true);
    const std::string word = *std::ranges::find_if(extras, [](const std::string& extra) { return extra != "--"; });
    bool hidden = false;
    for (std::size_t i = 1; i < arguments_.size(); ++i) hidden = hidden || (word == arguments_[i] && is_torn(i));
    const std::string name = word.substr(0, word.find_first_of(":="));
    const std::string said = hidden ? std::string(kNotShown)
                                    : fmt::format("'{}{}'", printable(name), name.size() == word.size() ? "" : "...");
    if (!word.starts_with('-')) {
      if (const std::string flag = switch_before(word); !flag.empty()) {
        return fmt::format("{} is a switch: give {} alone, or {}={}", flag, flag, flag, word);
      }
      if (!hidden && &command() == &serve_ && may_be_fixtures(word)) {
        return fmt::format("{} is not expected here; did you mean --fixtures {}?", said, printable(name));
      }
      if (!app_.get_subcommands().empty())
        return fmt::format("{} is not expected after {}", said, command().get_name());
      if (hidden) return fmt::format("{} is not expected here", said);
      return fmt::format("{} is not a command; the commands are {}{}", said, fmt::join(commands(), ", "),
                         did_you_mean(name, commands()));
    }
    const auto place = [&](std::string_view given) { return std::ranges::find(arguments_, given); };
    if (!stray_words_.empty() && place(stray_words_.front()) < place(word)) refuse_stray_words();
    const CLI::App& asked = options_of(command());
    if (!hidden && &asked != &app_ && app_.get_option_no_throw(name) != nullptr) {
      return fmt::format("{} is not an option of {}", name, asked.get_name());
    }
    std::vector<std::string_view> known;
    for (const CLI::Option* option : asked.get_options()) {
      for (const std::string& long_name : option->get_lnames()) known.push_back(long_name);
    }
    const auto meant =
        nearest(std::string_view(name).substr(std::min(name.find_first_not_of('-'), name.size())), known);
    return fmt::format("{} is not an option{}", said, meant ? fmt::format("; did you mean --{}?", *meant) : "");
  }

  // The switch that the word stands behind, where it may be meant as its value; empty if there is none.
  std::string switch_before(const std::string& word) const {
    for (std::size_t i = 1; parse_switch(word) && i < arguments_.size(); ++i) {
      const auto option = std::ranges::find(option_table(), std::string_view(arguments_[i - 1]), &Option::flag);
      if (word == arguments_[i] && option != option_table().end() && option->value.empty()) return arguments_[i - 1];
    }
    return "";
  }

  std::vector<std::string> commands() const {
    std::vector<std::string> names;
    for (const CLI::App* one : app_.get_subcommands({})) names.push_back(one->get_name());
    return names;
  }

  Command help() const {
    if (topic_.empty()) return Exit{0, help_of(serve_), ""};
    for (const CLI::App* one : app_.get_subcommands({})) {
      if (one->get_name() == topic_) return Exit{0, help_of(*one), ""};
    }
    throw OptionMistake(fmt::format("there is no help for '{}'; the commands are {}{}", printable(topic_),
                                    fmt::join(commands(), ", "), did_you_mean(topic_, commands())));
  }

  Exit completion() const {
    const std::string text = completion_of(shell_, described_commands());
    if (text.empty()) throw OptionMistake("completion needs the name of a shell: bash, zsh or fish");
    return {0, text, ""};
  }

  // All that help has, the server's options first.
  std::vector<CommandHelp> described_commands() const {
    std::vector<CommandHelp> all{described(app_)};
    all.front().name = "";
    for (const CLI::App* one : app_.get_subcommands({})) {
      all.push_back(described(*one));
      all.back().takes_all = one == &serve_ || one == &exec_;
      all.back().takes_command = one == &exec_;
    }
    return all;
  }

  // Of the options that the command has. Throws OptionMistake for others.
  GivenOptions given(const Environment& environment, unsigned traits) const {
    GivenOptions all;
    for (const Option& option : option_table()) {
      std::vector<std::string> flags = values_of(option);
      if ((option.traits & traits) == traits) {
        all.take(option, std::move(flags), environment);
      } else {
        refuse_flags(option, flags);
      }
    }
    return all;
  }

  void refuse_flags(const Option& option, const std::vector<std::string>& flags) const {
    if (!flags.empty())
      throw OptionMistake(fmt::format("{} is not an option of {}", option.flag, command().get_name()));
  }

  Command check() const {
    for (const Option& option : option_table()) refuse_flags(option, values_of(option));
    return check_options_;
  }

  Command generate() const {
    for (const Option& option : option_table()) refuse_flags(option, values_of(option));
    return checked(generate_words_);
  }

  Command healthcheck(const Environment& environment) const {
    HealthcheckOptions options = healthcheck_options_;
    if (!options.url.empty()) {
      for (const Option& option : option_table()) {
        if (!option.has(kHealthcheck)) refuse_flags(option, values_of(option));
        if (values_of(option).empty()) continue;
        throw OptionMistake(fmt::format("{} does nothing with a URL; leave one of them out", option.flag));
      }
      return options;
    }
    ServeOptions server;
    GivenOptions all = given(environment, kHealthcheck);
    all.put_into(server);
    if (server.port == 0 && !server.port_file) {
      throw OptionMistake(
          fmt::format("{} is 0, so the port is in the server's port file only; name that with --port-file",
                      all.name(option_of("--port"))));
    }
    options.tls = server.tls_self_signed || server.tls_certificate;
    options.host = server.host;
    options.port = server.port;
    options.port_file = server.port_file;
    return options;
  }

  // Those between exec and --, of which there is one at least.
  [[noreturn]] void refuse_stray_words() const {
    const std::string& word = stray_words_.front();
    if (const std::string flag = switch_before(word); !flag.empty()) {
      throw OptionMistake(fmt::format("{} is a switch: give {} alone, or {}={}", flag, flag, flag, word));
    }
    constexpr std::string_view kHint = "exec [OPTIONS] -- COMMAND has the command and its arguments behind it";
    throw OptionMistake(fmt::format("'{}' is not expected before --; {}", printable(word), kHint));
  }

  Command exec(const Environment& environment) const {
    if (!stray_words_.empty()) refuse_stray_words();
    if (exec_words_.size() < 2) {
      throw OptionMistake("exec needs a command behind --, as in exec [OPTIONS] -- COMMAND [ARGUMENT...]");
    }
    ServeOptions defaults;
    defaults.port = 0;
    defaults.log_level = "warn";
    return ExecOptions{serve(environment.without(option_of("--port").variable()), std::move(defaults)),
                       {exec_words_.begin() + 1, exec_words_.end()}};
  }

  ClientOptions client_options(ClientOptionTrait of_command) const {
    for (const Option& option : option_table()) {
      // The same flag behind the command is the command's.
      if (!app_.get_option(std::string(option.flag))->results().empty()) {
        throw OptionMistake(
            fmt::format("{} is not an option of {} where it stands before it", option.flag, command().get_name()));
      }
    }
    return read_client_options(of_command, [&](std::string_view flag) {
      const CLI::Option* given = command().get_option_no_throw(std::string(flag));
      return given == nullptr ? std::vector<std::string>() : given->results();
    });
  }

  Command capture() const {
    ClientOptions options = client_options(kOfCapture);
    if (options.capture.upstream.url.empty()) throw OptionMistake("capture needs --from URL, the OCP to ask");
    if (options.capture.out.empty()) throw OptionMistake("capture needs --out DIR, the folder for the fixtures");
    options.capture.scope.resources = resources_;
    return CaptureCommand{std::move(options.capture), std::move(options.login)};
  }

  Command diff() const {
    ClientOptions options = client_options(kOfDiff);
    if (options.capture.upstream.url.empty()) throw OptionMistake("diff needs --against URL, the OCP to compare with");
    return DiffCommand{diff_fixtures_, std::move(options.capture.upstream), std::move(options.login),
                       std::move(options.paths), options.json};
  }

  ServeOptions serve(const Environment& environment, ServeOptions options = {}) const {
    std::vector<std::string> variables{std::string(kAdminUrlVariable)};
    for (const Option& option : option_table()) variables.push_back(option.variable());
    options.warnings = environment.warnings(variables);
    GivenOptions all = given(environment, kOnce);
    all.apply_rules(options.warnings);
    all.put_into(options);
    return options;
  }

  static std::string version_line() { return fmt::format("ocp-mock-server {}\n", embedded::version); }

  const std::span<const char* const> arguments_;
  const std::vector<std::string> exec_words_;  // "--" and all behind it
  std::vector<std::string> stray_words_;       // between exec and "--"
  CLI::App app_;
  CLI::App& serve_ = add_command(kServeCommand);
  CLI::App& exec_ = add_command(kExecCommand);
  CLI::App& check_ = add_command(kCheckCommand);
  CLI::App& generate_ = add_command(kGenerateCommand);
  CLI::App& healthcheck_ = add_command(kHealthcheckCommand);
  CLI::App& capture_ = add_command(kCaptureCommand);
  CLI::App& record_ = add_command(kRecordCommand);
  CLI::App& diff_ = add_command(kDiffCommand);
  CLI::App& help_ = add_command(kHelpCommand);
  CLI::App& version_ = add_command(kVersionCommand);
  CLI::App& completion_ = add_command(kCompletionCommand);
  CLI::App& man_ = add_command(kManCommand);
  CheckOptions check_options_;
  GenerateWords generate_words_;
  HealthcheckOptions healthcheck_options_;
  std::vector<std::string> resources_;
  std::vector<std::filesystem::path> diff_fixtures_;
  std::string topic_;  // of help
  std::string shell_;  // of completion
};

}  // namespace

Command parse_options(int argc, const char* const* argv, const char* const* environment) {
  return CommandLine({argv, static_cast<std::size_t>(argc)}).parse(Environment(environment));
}

}  // namespace ocp_mock
