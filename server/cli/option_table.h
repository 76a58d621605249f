// The options of the server, one row each: help, variables, messages and the check of README's table are made of them.
// Input: nothing. Output: tables. Knows no command line and no environment.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/serve_options.h"

namespace ocp_mock {

// What is special about an option: whether it may be given more than once, is a secret, or serves another command, too.
enum OptionTrait : unsigned {
  kOnce = 0,
  kAgain = 1,         // the flag more than once
  kByColons = 3,      // so, and in the variable separated by colons
  kByCommas = 5,      // or by commas
  kSecret = 8,        // no message shows the value
  kHealthcheck = 16,  // healthcheck uses it, too
};

struct Option {
  std::string_view flag;      // "--port"
  std::string_view value;     // what help calls the value, "PORT"; empty for a switch
  std::string_view fallback;  // the value that counts without one, "8080"; empty if there is none
  // Throws std::invalid_argument with what would be right. A switch's is called if it is on.
  void (*take)(ServeOptions&, const std::string&);
  unsigned traits;
  std::string_view help;

  bool has(OptionTrait trait) const { return (traits & trait) == trait; }
  bool is_switch() const { return value.empty(); }
  std::string variable() const;  // "OCP_MOCK_PORT"
};

std::span<const Option> option_table();

// The option of a flag of the table.
const Option& option_of(std::string_view flag);

// Options that do nothing together. Of a flag and a variable the flag counts, and the variable is passed over.
struct OptionRule {
  enum class Kind {
    Contradicts,   // both say how the same is to be done
    IsHalfOf,      // it has no meaning without the other one, and to pass it over would not be what was meant
    Needs,         // it does nothing without the other one
    IdleBeside,    // it does nothing beside the other one
    NeedsDefault,  // it does nothing beside the other one, whose default it needs
  };
  std::string_view flag;
  Kind kind;
  std::string_view other;
  std::string_view value = {};  // the other one counts with this value only, a switch that is off with "false"
};

// In this order, because an option that is passed over breaks no further rule.
std::span<const OptionRule> option_rules();

}  // namespace ocp_mock
