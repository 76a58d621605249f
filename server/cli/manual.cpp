#include "cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ocp_mock {
namespace {

using Commands = std::span<const CommandHelp>;

// Each character of the text that is in special, behind an escape.
std::string escaped(std::string_view text, std::string_view special, std::string_view escape) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += escape;
    result += c;
  }
  return result;
}

// What stands within single quotes. A quote in it ends them, and begins them again.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The first thought; lists of shells are one line an entry.
std::string_view brief(std::string_view text) {
  const std::string_view line = first_line(text);
  return line.substr(0, std::min(line.find("; "), line.find(". ")));
}

// The options of a command, with those that it has from the first one.
std::vector<OptionHelp> options_of(const CommandHelp& command, Commands commands) {
  std::vector<OptionHelp> all = command.options;
  if (command.takes_all) {
    for (const OptionHelp& option : commands.front().options) {
      const auto same = [&](const OptionHelp& one) { return one.flag == option.flag; };
      if (option.flag != "--version" && std::ranges::none_of(all, same)) all.push_back(option);
    }
  }
  return all;
}

std::vector<std::string> names_of(Commands commands) {
  std::vector<std::string> names;
  for (const CommandHelp& command : commands.subspan(1)) names.push_back(command.name);
  return names;
}

bool takes_paths(const CommandHelp& command) {
  return std::ranges::any_of(command.options, [](const auto& option) { return !option.is_flag() && option.is_path(); });
}

std::string bash_completion(Commands commands) {
  std::vector<std::string> paths;
  std::vector<std::string> others;
  std::string words;
  std::string options;
  for (const CommandHelp& command : commands) {
    std::vector<std::string> flags;
    for (const OptionHelp& option : options_of(command, commands)) {
      if (!option.is_flag()) continue;
      flags.push_back(option.flag);
      if (option.value.empty() || command.takes_all) continue;
      if (!option.words.empty()) {
        words += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n", option.flag,
                             fmt::join(option.words, " "));
      } else {
        std::vector<std::string>& group = option.is_path() ? paths : others;
        if (std::ranges::find(group, option.flag) == group.end()) group.push_back(option.flag);
      }
    }
    options +=
        fmt::format("    {}) options='{}' ;;\n", command.name.empty() ? "''" : command.name, fmt::join(flags, " "));
  }
  std::vector<std::string> with_paths;
  std::vector<std::string> with_command;
  std::string arguments;
  for (const CommandHelp& command : commands) {
    for (const OptionHelp& option : command.options) {
      if (option.is_flag() || option.words.empty()) continue;
      arguments += fmt::format("    {}:*) COMPREPLY=($(compgen -W '{}' -- \"$current\")) ;;\n", command.name,
                               fmt::join(option.words, " "));
    }
    if (takes_paths(command)) with_paths.push_back(command.name);
    if (command.takes_command) with_command.push_back(command.name);
  }
  return fmt::format(R"(_ocp_mock_server() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= options= i
  COMPREPLY=()
  case $previous:$current in
    *:=) previous=${{COMP_WORDS[COMP_CWORD-1]}} current= ;;
    =:*) previous=${{COMP_WORDS[COMP_CWORD-2]}} ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case $command${{COMP_WORDS[i]}} in
      {commands}) command=${{COMP_WORDS[i]}} ;;
      {with_command})
        if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); else COMPREPLY=($(compgen -c -f -- "$current")); fi
        return
        ;;
    esac
  done
  case $previous in
{words}    {paths}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    {others}) return ;;
  esac
  case $command in
{options}  esac
  case $command:$current in
    *:-*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    :*) COMPREPLY=($(compgen -W '{names}' -- "$current")) ;;
{arguments}    {with_paths}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -F _ocp_mock_server ocp-mock-server
)",
                     fmt::arg("commands", fmt::join(names_of(commands), " | ")),
                     fmt::arg("with_command", fmt::format("{}--", fmt::join(with_command, "-- | "))),
                     fmt::arg("words", words), fmt::arg("arguments", arguments),
                     fmt::arg("paths", fmt::join(paths, " | ")), fmt::arg("others", fmt::join(others, " | ")),
                     fmt::arg("options", options), fmt::arg("names", fmt::join(names_of(commands), " ")),
                     fmt::arg("with_paths", fmt::format("{}:*", fmt::join(with_paths, ":* | "))));
}

// An entry of _arguments: 'FLAG[TEXT]:VALUE:ACTION'.
std::string zsh_option(const OptionHelp& option) {
  const std::string text = escaped(brief(option.text), "[]:\\", "\\");
  std::string action = option.is_path() ? "_files" : "";
  if (!option.words.empty()) action = fmt::format("({})", fmt::join(option.words, " "));
  if (!option.is_flag()) return in_quotes(fmt::format("*:{}:{}", option.flag, action));
  return in_quotes(fmt::format("*{}{}[{}]{}", option.flag, option.value.empty() ? "" : "=", text,
                               option.value.empty() ? "" : fmt::format(":{}:{}", option.value, action)));
}

std::string zsh_completion(Commands commands) {
  std::string cases;
  std::string names;
  std::string first;
  for (const CommandHelp& command : commands) {
    std::string options;
    for (const OptionHelp& option : options_of(command, commands)) {
      if (option.is_flag() || !command.takes_command) options += fmt::format(" \\\n        {}", zsh_option(option));
    }
    if (command.name.empty()) {
      first = options;
      continue;
    }
    if (command.takes_command) options += " \\\n        '*:::command:_normal'";
    cases += fmt::format("      {})\n        _arguments{}\n        ;;\n", command.name, options);
    names += fmt::format(" \\\n        {}",
                         in_quotes(fmt::format("{}:{}", command.name, escaped(brief(command.text), ":\\", "\\"))));
  }
  return fmt::format(R"(#compdef ocp-mock-server
_ocp_mock_server() {{
  local context state state_descr line
  typeset -A opt_args
  _arguments -C{} \
        '1:command:->command' '*::argument:->argument' && return
  case $state in
    command)
      local -a commands=({})
      _describe command commands
      ;;
    argument)
      case $line[1] in
{}      esac
      ;;
  esac
}}
if [ "$funcstack[1]" = _ocp-mock-server ] || [ "$funcstack[1]" = _ocp_mock_server ]; then
  _ocp_mock_server "$@"
else
  compdef _ocp_mock_server ocp-mock-server
fi
)",
                     first, names, cases);
}

std::string fish_completion(Commands commands) {
  std::string text = "complete -c ocp-mock-server -f\n";
  const std::string none = fmt::format("not __fish_seen_subcommand_from {}", fmt::join(names_of(commands), " "));
  for (const CommandHelp& command : commands) {
    const std::string condition =
        in_quotes(command.name.empty() ? none : fmt::format("__fish_seen_subcommand_from {}", command.name));
    if (!command.name.empty()) {
      text += fmt::format("complete -c ocp-mock-server -n {} -a {} -d {}\n", in_quotes(none), command.name,
                          in_quotes(brief(command.text)));
    }
    if (takes_paths(command)) text += fmt::format("complete -c ocp-mock-server -n {} -F\n", condition);
    if (command.takes_command) {
      text += fmt::format("complete -c ocp-mock-server -n {} -xa '(__fish_complete_subcommand --fcs-skip=2)'\n",
                          in_quotes(fmt::format("__fish_seen_subcommand_from {}; and contains -- -- (commandline -opc)",
                                                command.name)));
    }
    for (const OptionHelp& option : options_of(command, commands)) {
      if (!option.is_flag()) {
        if (!option.words.empty()) {
          text += fmt::format("complete -c ocp-mock-server -n {} -a '{}'\n", condition, fmt::join(option.words, " "));
        }
        continue;
      }
      std::string value = option.value.empty() ? "" : option.is_path() ? " -rF" : " -x";
      if (!option.words.empty()) value += fmt::format(" -a '{}'", fmt::join(option.words, " "));
      text += fmt::format("complete -c ocp-mock-server -n {} -l {}{} -d {}\n", condition, option.flag.substr(2), value,
                          in_quotes(brief(option.text)));
    }
  }
  return text;
}

// Text of roff: no line of it is a request, a hyphen is one that can be copied.
std::string roff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool begins = result.empty() || result.back() == '\n';
    if (begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result;
}

std::string roff_options(std::span<const OptionHelp> options) {
  std::string text;
  for (const OptionHelp& option : options) {
    const auto line = option.text.find('\n');
    text += fmt::format(".TP\n.BR \"{}\" {}\n{}\n", roff(option.flag),
                        option.value.empty() ? "" : fmt::format("\" \\fI{}\\fR\"", roff(option.value)),
                        roff(first_line(option.text)));
    if (line != std::string::npos) text += fmt::format(".br\n{}\n", roff(option.text.substr(line + 1)));
  }
  return text;
}

}  // namespace

bool OptionHelp::is_path() const {
  return (is_flag() ? value : flag) == "FILE" || (is_flag() ? value : flag) == "PATH";
}

std::string completion_of(std::string_view shell, Commands commands) {
  const std::string origin = fmt::format("made by: ocp-mock-server completion {}\n", shell);
  if (shell == "bash") return "# " + origin + bash_completion(commands);
  // zsh looks for the name of the command in the first line.
  if (shell == "zsh") return zsh_completion(commands) + "# " + origin;
  if (shell == "fish") return "# " + origin + fish_completion(commands);
  return "";
}

std::string man_page(std::string_view version, Commands commands) {
  const CommandHelp& first = commands.front();
  std::string text = fmt::format(
      ".TH OCP\\-MOCK\\-SERVER 1 \"\" \"ocp\\-mock\\-server {}\" \"User Commands\"\n"
      ".SH NAME\nocp\\-mock\\-server \\- {}\n.SH SYNOPSIS\n.B ocp\\-mock\\-server\n[\\fICOMMAND\\fR] "
      "[\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.SH COMMANDS\n",
      roff(version), "stands in for OceanBase Cloud Platform in tests", roff(first.text));
  for (const CommandHelp& command : commands.subspan(1)) {
    std::string arguments;
    for (const OptionHelp& option : command.options) {
      if (!option.is_flag() && !command.takes_command) arguments += fmt::format(" [{}]", option.flag);
    }
    if (command.takes_command) arguments = " [OPTIONS] -- COMMAND [ARGUMENT...]";
    text += fmt::format(".SS \"{}{}\"\n{}\n", roff(command.name), roff(arguments), roff(command.text));
    std::vector<OptionHelp> own;
    std::ranges::copy_if(command.options, std::back_inserter(own),
                         [](const auto& one) { return one.flag != "--help"; });
    text += roff_options(own);
    if (!command.footer.empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  }
  return text + ".SH OPTIONS\nOf serve and exec.\n" + roff_options(first.options) +
         fmt::format(".PP\n.nf\n{}\n.fi\n", roff(first.footer));
}

}  // namespace ocp_mock
