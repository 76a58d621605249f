// What shells and man(1) know of the program, made of the same words as its help.
// Input: the commands with their options. Output: texts of files, as packages install them. Knows no CLI11.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

struct OptionHelp {
  std::string flag;                     // "--port", or the name of an argument without a flag, "PATH"
  std::string value;                    // "PORT"; empty for a switch
  std::string text;                     // its second line, if there is one, is the variable
  std::vector<std::string_view> words;  // the values, where there are no others

  bool is_flag() const { return flag.starts_with('-'); }
  // Whether the value, or the argument, is a file or folder.
  bool is_path() const;
};

struct CommandHelp {
  std::string name;  // empty for what holds without a command
  std::string text;
  std::string footer;  // ends with an example
  std::vector<OptionHelp> options;
  bool takes_all = false;      // the options of the first command as well
  bool takes_command = false;  // behind --
};

inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

// The completion of a shell, one of kShells. Empty for others. The first command is that without a name.
std::string completion_of(std::string_view shell, std::span<const CommandHelp> commands);

// The page of man(1), as roff.
std::string man_page(std::string_view version, std::span<const CommandHelp> commands);

}  // namespace ocp_mock
