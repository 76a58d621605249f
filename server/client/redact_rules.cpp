#include "client/redact_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/secret_names.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "client/pattern.h"
#include "embedded/redact_rules.h"
#include "json/fields.h"
#include "json/reader.h"

namespace ocp_mock {
namespace {

struct KindWord {
  std::string_view word;
  RedactKind kind;
};
constexpr KindWord kKinds[]{
    {"secret", RedactKind::Secret},   {"name", RedactKind::Name}, {"host", RedactKind::Host},
    {"address", RedactKind::Address}, {"uri", RedactKind::Uri},   {"text", RedactKind::Text},
    {"keep", RedactKind::Keep},
};
constexpr std::string_view kKindWords = "secret, name, host, address, uri, text or keep";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower_ascii);
  return out;
}

bool fits(std::string_view glob, std::string_view text) {
  // Where to go on after the last *, when what follows it did not fit.
  std::size_t star = std::string_view::npos;
  std::size_t behind = 0;
  std::size_t g = 0;
  for (std::size_t t = 0; t < text.size();) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      behind = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == to_lower_ascii(text[t]))) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++behind;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

std::vector<std::string> split_at_dots(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto dot = std::min(text.find('.'), text.size());
    parts.push_back(lower(text.substr(0, dot)));
    if (dot == text.size()) return parts;
    text.remove_prefix(dot + 1);
  }
}

RedactKind read_kind(JsonFields& rule) {
  const std::string word = rule.required_text("as");
  const auto found = std::ranges::find(kKinds, std::string_view(word), &KindWord::word);
  if (found == std::end(kKinds)) {
    std::vector<std::string_view> known;
    for (const KindWord& one : kKinds) known.push_back(one.word);
    rule.refuse("as", fmt::format("is '{}'; it must be {}{}", printable(word), kKindWords, did_you_mean(word, known)));
  }
  return found->kind;
}

}  // namespace

struct RedactRules::ValueRules {
  struct Rule {
    Pattern pattern;
    RedactKind kind;
  };
  std::vector<Rule> rules;
};

std::string_view word_of(RedactKind kind) { return std::ranges::find(kKinds, kind, &KindWord::kind)->word; }

RedactRules::RedactRules() : values_(std::make_unique<ValueRules>()) {
  add(embedded::redact_rules, "built-in rules");
  built_in_ = fields_.size();
}
RedactRules::RedactRules(RedactRules&&) noexcept = default;
RedactRules::~RedactRules() = default;

void RedactRules::add_file(const std::filesystem::path& file) {
  add(read_text_file(file, "the file of rules"), file.string());
}

void RedactRules::add(std::string_view text, const std::string& name) {
  const auto refuse = [&](Position position, std::string_view what) {
    throw std::runtime_error(fmt::format("{}:{}:{}: {}", name, position.line, position.column, what));
  };
  std::vector<FieldRule> fields;
  std::vector<ValueRules::Rule> values;
  try {
    const JsonValue document = read_json_text(text);
    JsonFields members(document);
    if (const auto* keep = members.array("keep")) {
      for (const JsonValue& value : *keep) {
        if (value.kind != JsonKind::String) refuse(value.position, "a value of keep must be a string");
        keep_.insert(value.text);
      }
    }
    if (const auto* rules = members.array("rules")) {
      for (const JsonValue& value : *rules) {
        JsonFields rule(value);
        const auto field = rule.text("field");
        const auto expression = rule.text("value");
        const RedactKind kind = read_kind(rule);
        rule.refuse_others();
        if (field.has_value() == expression.has_value()) {
          refuse(value.position, "a rule must have either field, the name of a member, or value, a regular expression");
        }
        if (field) {
          auto glob = split_at_dots(*field);
          if (std::ranges::any_of(glob, &std::string::empty)) {
            rule.refuse("field", "must be the name of a member, or several with dots between them");
          }
          fields.push_back({std::move(glob), kind});
          continue;
        }
        try {
          Pattern pattern(*expression);
          if (pattern.fits_empty_text()) rule.refuse("value", "must not match an empty text");
          values.push_back({std::move(pattern), kind});
        } catch (const std::invalid_argument& error) {
          rule.refuse("value", fmt::format("is no extended regular expression of POSIX: {}", error.what()));
        }
      }
    }
    members.refuse_others();
  } catch (const JsonSyntaxError& error) {
    refuse(error.position(), fmt::format("not JSON: {}", error.what()));
  } catch (const JsonFieldError& error) {
    refuse(error.position(), error.text());
  }
  fields_.insert(fields_.begin(), std::make_move_iterator(fields.begin()), std::make_move_iterator(fields.end()));
  values_->rules.insert(values_->rules.begin(), std::make_move_iterator(values.begin()),
                        std::make_move_iterator(values.end()));
}

std::optional<RedactKind> RedactRules::kind_of(const std::vector<std::string_view>& path) const {
  const auto names_end = [&](const FieldRule& rule) {
    return rule.glob.size() <= path.size() &&
           std::equal(rule.glob.rbegin(), rule.glob.rend(), path.rbegin(),
                      [](const std::string& glob, std::string_view name) { return fits(glob, name); });
  };
  const auto built_in = fields_.end() - static_cast<std::ptrdiff_t>(built_in_);
  auto found = std::find_if(fields_.begin(), built_in, names_end);
  // All that is in a secret is one. The first name may be a resource's, whose rows are none: credentials.
  const bool is_secret = is_secret_name(path.back()) || std::any_of(path.begin() + 1, path.end(), is_secret_name);
  if (found == built_in && is_secret) return RedactKind::Secret;
  if (found == built_in) found = std::find_if(built_in, fields_.end(), names_end);
  return found == fields_.end() ? std::nullopt : std::optional(found->kind);
}

std::vector<RedactRules::Match> RedactRules::matches(std::string_view text) const {
  std::vector<Match> found;
  for (const ValueRules::Rule& rule : values_->rules) {
    rule.pattern.search(text, [&](std::size_t begin, std::size_t end) {
      // The earlier rule counts.
      const auto overlaps = [&](const Match& one) { return one.begin < end && begin < one.end; };
      if (std::ranges::none_of(found, overlaps)) found.push_back({begin, end, rule.kind});
    });
  }
  std::ranges::sort(found, {}, &Match::begin);
  return found;
}

}  // namespace ocp_mock
