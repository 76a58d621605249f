// The options of the server, one row each: help, variables, messages and the check of docs/options.md are made of them.
// Input: nothing. Output: tables. Knows no command line and no environment.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve_options.h"

namespace ocp_mock {

// Whether an option may be given more than once, is a secret, or is also one of healthcheck.
enum OptionTrait : unsigned {
  kOnce = 0,
  kAgain = 1,         // the flag may be repeated
  kByColons = 3,      // also, and the variable holds values separated by colons
  kByCommas = 5,      // also, and the variable holds values separated by commas
  kSecret = 8,        // no message shows the value
  kHealthcheck = 16,  // healthcheck has it as well
};

struct Option {
  std::string_view flag;      // "--port"
  std::string_view value;     // what help calls the value, "PORT"; empty for a switch
  std::string_view fallback;  // the value that counts without one, "8080"; empty if there is none
  // Throws std::invalid_argument with what would be right. A switch's is called if it is on.
  void (*take)(ServeOptions&, const std::string&);
  unsigned traits;
  std::string_view help;
  std::vector<std::string_view> (*words)() = nullptr;  // the values, where there are no others

  bool has(OptionTrait trait) const { return (traits & trait) == trait; }
  bool is_switch() const { return value.empty(); }
  std::string variable() const;  // "OCP_MOCK_PORT"
};

std::span<const Option> option_table();

// The option of a flag of the table.
const Option& option_of(std::string_view flag);

// Options that have no effect together. If one is a flag and the other a variable, the variable is ignored.
struct OptionRule {
  enum class Kind {
    Contradicts,   // both decide the same thing
    IsHalfOf,      // it needs the other one; ignoring it would not be what was meant, so a variable is refused too
    Needs,         // it has no effect without the other one
    IdleBeside,    // it has no effect with the other one
    NeedsDefault,  // it has no effect with this value of the other one, only with its default
  };
  std::string_view flag;
  Kind kind;
  std::string_view other;
  std::string_view value = {};  // the other one counts only with this value; "false" for a switch that is off
};

// To be applied in this order: an option that is ignored breaks no later rule.
std::span<const OptionRule> option_rules();

}  // namespace ocp_mock
