// What was given for each option of a command: by its flag, or else by its variable.
// Input: the values of the flags, the environment. Output: checked options of the server; mistakes and warnings that
// name the flag or the variable. None shows a secret. Knows no command and no CLI11.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve_options.h"
#include "cli/environment.h"
#include "cli/option_table.h"

namespace ocp_mock {

// The sentence for the user.
struct OptionMistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whether a switch is on; nothing for a word that says neither. Letters of either case.
std::optional<bool> parse_switch(std::string_view word);

class GivenOptions {
 public:
  GivenOptions();

  // The flags beat the variable. A switch that is given as off counts as not given. Throws OptionMistake.
  void take(const Option& option, std::vector<std::string> flags, const Environment& environment);

  // Keeps the rules of options that do nothing together: refuses flags, passes over variables with a warning. Throws
  // OptionMistake.
  void apply_rules(std::vector<std::string>& warnings);

  // Throws OptionMistake for a value that is wrong.
  void put_into(ServeOptions& serve) const;

  // The option as its user knows it: "--port" or "OCP_MOCK_PORT".
  std::string name(const Option& option) const;

 private:
  enum class From { Nowhere, Flag, Variable };
  struct Given {
    From from = From::Nowhere;
    std::vector<std::string> values;
    From off_from = From::Nowhere;  // of a switch that was given as off

    explicit operator bool() const { return from != From::Nowhere; }
  };

  Given& of(const Option& option) { return given_[static_cast<std::size_t>(&option - option_table().data())]; }
  const Given& of(const Option& option) const {
    return given_[static_cast<std::size_t>(&option - option_table().data())];
  }
  void apply(const OptionRule& rule, std::vector<std::string>& warnings);
  [[noreturn]] void refuse_value(const Option& option, const std::string& value, std::string_view rule) const;

  std::vector<Given> given_;  // in the order of option_table()
};

}  // namespace ocp_mock
