#include "cli/given_options.h"

#include <fmt/format.h>

#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"

namespace ocp_mock {
namespace {

struct SwitchWord {
  std::string_view text;
  bool is_on;
};
constexpr SwitchWord kSwitchWords[]{{"true", true},   {"1", true},  {"on", true},   {"yes", true},
                                    {"false", false}, {"0", false}, {"off", false}, {"no", false}};

// The values in a variable.
std::vector<std::string> split(const Option& option, std::string_view text) {
  const char separator = option.has(kByColons) ? ':' : option.has(kByCommas) ? ',' : '\0';
  if (separator == '\0') return {std::string(text)};
  std::vector<std::string> values;
  while (!text.empty()) {
    // A path may begin or end with a blank, a name does not.
    const std::string_view whole = text.substr(0, text.find(separator));
    const std::string_view trimmed = next_piece(text, separator);
    if (!trimmed.empty()) values.emplace_back(option.has(kByColons) ? whole : trimmed);
  }
  return values;
}

// The other option of a rule, with the value that counts: "--auth off", "OCP_MOCK_WATCH=false".
std::string other_of(const OptionRule& rule, bool is_variable) {
  const Option& option = option_of(rule.other);
  const std::string name = is_variable ? option.variable() : std::string(rule.other);
  if (rule.value.empty()) return name;
  return fmt::format("{}{}{}", name, is_variable || option.is_switch() ? "=" : " ", rule.value);
}

}  // namespace

std::optional<bool> parse_switch(std::string_view word) {
  for (const auto& [text, is_on] : kSwitchWords) {
    if (equals_ignoring_case(word, text)) return is_on;
  }
  return std::nullopt;
}

GivenOptions::GivenOptions() : given_(option_table().size()) {}

std::string GivenOptions::name(const Option& option) const {
  return of(option).from == From::Variable ? option.variable() : std::string(option.flag);
}

void GivenOptions::refuse_value(const Option& option, const std::string& value, std::string_view rule) const {
  throw OptionMistake(option.has(kSecret) ? fmt::format("{}: {}", name(option), rule)
                                          : fmt::format("{} is '{}'; {}", name(option), printable(value), rule));
}

void GivenOptions::take(const Option& option, std::vector<std::string> flags, const Environment& environment) {
  Given& given = of(option);
  if (!flags.empty()) {
    given = {From::Flag, std::move(flags), {}};
  } else if (const std::string* value = environment.find(option.variable())) {
    given = {From::Variable, split(option, *value), {}};
  }
  if (given.values.empty()) given.from = From::Nowhere;
  if (!given) return;
  if (option.is_switch()) {
    const std::string& word = given.values.back();
    const auto is_on = parse_switch(word);
    if (!is_on) refuse_value(option, word, "it must be true or false, 1 or 0, on or off, yes or no");
    if (!*is_on) given = {From::Nowhere, {}, given.from};
  } else if (given.values.size() > 1 && !option.has(kAgain)) {
    throw OptionMistake(fmt::format("{} is given more than once", option.flag));
  }
}

void GivenOptions::apply_rules(std::vector<std::string>& warnings) {
  for (const OptionRule& rule : option_rules()) apply(rule, warnings);
}

void GivenOptions::apply(const OptionRule& rule, std::vector<std::string>& warnings) {
  const Option& option = option_of(rule.flag);
  Given& one = of(option);
  Given& other = of(option_of(rule.other));
  if (!one) return;
  const bool is_off = rule.value == "false" && other.off_from != From::Nowhere;
  if (!rule.value.empty() && !is_off && (!other || other.values.back() != rule.value)) return;
  const bool one_yields = one.from == From::Variable;
  const bool other_yields = (is_off ? other.off_from : other.from) == From::Variable;
  const std::string its = name(option);
  const std::string others = other_of(rule, other_yields);
  const auto pass_over = [&](Given& given, const std::string& which, const std::string& why) {
    warnings.push_back(fmt::format("{} is ignored: {}", which, why));
    given = {};
  };
  switch (rule.kind) {
    case OptionRule::Kind::Contradicts: {
      if (!other && !is_off) return;
      const std::string text = "cannot be combined with";
      if (one_yields == other_yields) throw OptionMistake(fmt::format("{} {} {}", its, text, others));
      if (one_yields) return pass_over(one, its, fmt::format("it {} {}", text, others));
      return pass_over(other, others, fmt::format("it {} {}", text, its));
    }
    case OptionRule::Kind::IsHalfOf:
      if (other) return;
      throw OptionMistake(fmt::format("{} needs {}", its, one_yields ? option_of(rule.other).variable() : others));
    case OptionRule::Kind::Needs:
      if (other) return;
      if (one_yields) return pass_over(one, its, fmt::format("it does nothing without {}", others));
      throw OptionMistake(fmt::format("{} does nothing without {}", its, others));
    case OptionRule::Kind::IdleBeside:
      if (!other) return;
      if (one_yields) return pass_over(one, its, fmt::format("it does nothing with {}", others));
      if (other_yields) return pass_over(other, others, fmt::format("{} does nothing with it", its));
      throw OptionMistake(fmt::format("{} does nothing with {}; leave one of them out", its, others));
    case OptionRule::Kind::NeedsDefault: {
      const std::string needed = fmt::format("needs {} {}", rule.other, option_of(rule.other).fallback);
      if (one_yields) return pass_over(one, its, fmt::format("it {}", needed));
      throw OptionMistake(fmt::format("{} {}", its, needed));
    }
  }
}

void GivenOptions::put_into(ServeOptions& serve) const {
  for (const Option& option : option_table()) {
    for (const std::string& value : of(option).values) {
      try {
        option.take(serve, value);
      } catch (const std::invalid_argument& error) {
        refuse_value(option, value, error.what());
      }
    }
  }
}

}  // namespace ocp_mock
