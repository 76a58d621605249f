#include "control/criteria_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "control/admin.h"
#include "control/body.h"
#include "control/journal.h"
#include "json/writer.h"
#include "ocp/error.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// What may not stand in a criterion for paths as a character, because no path has it or because something else is
// meant by it. In a criterion, as in a path, %XX stands for the character itself.
struct PathRule {
  std::string_view text;
  bool in_template;  // it may not stand in a pathTemplate; elsewhere it never may
  std::string_view why;
};

// clang-format off
constexpr PathRule kPathRules[] = {
    {"#",  true,  "a client never sends what follows '#'"},
    {"*",  true,  "'*' leaves nothing open; pathPrefix leaves the end open, '{name}' in a pathTemplate one segment"},
    {"/:", true,  "a placeholder is written '{name}', in a pathTemplate"},
    {"{",  false, "placeholders belong in pathTemplate"},
    {"}",  false, "placeholders belong in pathTemplate"},
};
// clang-format on

// The pairs of a query as a criterion has them: {"status":"FAILED"}.
JsonObject query_criterion(std::string_view query) {
  JsonObject pairs;
  for (const QueryPair& pair : split_query(query)) {
    pairs.add(decoded(pair.name, Plus::IsBlank), decoded(pair.value, Plus::IsBlank));
  }
  return pairs;
}

}  // namespace

std::string decoded(std::string_view text, Plus plus) { return percent_decode(text, plus).value_or(std::string(text)); }

Texts words_of(const Texts& values) {
  std::set<std::string, std::less<>> words;
  for (const std::string& value : values) {
    for (std::string_view rest = value; !rest.empty();) {
      if (const std::string_view word = next_piece(rest, ','); !word.empty()) words.emplace(word);
    }
  }
  return {words.begin(), words.end()};
}

void CriteriaRules::count(std::string_view key, std::size_t bytes) {
  head_bytes_ += bytes;
  if (head_bytes_ <= facts_.head_bytes) return;
  fields_.refuse(key, fmt::format("makes the head of a request longer than {} bytes, the most that --max-head allows",
                                  facts_.head_bytes));
}

void CriteriaRules::check_user(std::string_view user) {
  check_length("user", user);
  count("user", user.size());
  if (user.find(':') != std::string_view::npos) {
    refuse("user", user, "no user's name has a colon: credentials are split at the first one");
  }
  const bool has_control = std::ranges::any_of(user, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  if (has_control) refuse("user", user, "credentials with a control character are refused");
  if (!facts_.user || user == *facts_.user) return;
  refuse("user", user,
         fmt::format("under --isolate-by user, requests of that user are in another world: ask {}",
                     user.empty() ? "without ?user" : "with ?user=" + percent_encode(user)));
}

void CriteriaRules::refuse(std::string_view key, std::string_view value, std::string_view why) const {
  fields_.refuse(key, fmt::format("is '{}'; {}", printable(value), why));
}

void CriteriaRules::check_no_nul(std::string_view field, std::string_view text, Position position) {
  if (text.find('\0') == std::string_view::npos) return;
  throw JsonFieldError(position, fmt::format("{} has the character U+0000, which no request can have", field));
}

void CriteriaRules::check_length(std::string_view key, std::string_view text) const {
  if (use_ == Use::Fault || text.size() <= kJournalTextBytes) return;
  fields_.refuse(key, fmt::format("has {} bytes, of which the journal keeps {}", text.size(), kJournalTextBytes));
}

void CriteriaRules::refuse_secret() const {
  fields_.refuse("body",
                 "asks for what the journal does not keep, for it may be a secret; \"***\" stands for any value of "
                 "such a name, and a fault may match the value");
}

std::string CriteriaRules::kept_text(const std::string& text) const {
  if (use_ == Use::Fault) return text;
  if (text.size() > kJournalBodyBytes) {
    fields_.refuse("body", fmt::format("has a text of {} bytes, and the journal keeps no body of more than {} whole",
                                       text.size(), kJournalBodyBytes));
  }
  MaskedBody masked = masked_body(text);
  if (masked.has_secret) refuse_secret();
  return std::move(masked.text);
}

JsonValue CriteriaRules::kept_value(JsonValue value) const {
  if (use_ != Use::Fault && mask_secrets(value)) refuse_secret();
  return value;
}

std::optional<std::string> CriteriaRules::text_of_path(std::string_view key) {
  const auto text = fields_.text(key);
  if (!text) return std::nullopt;
  const std::string_view path = *text;
  if (has_path_) {
    fields_.refuse(key, "cannot stand beside another one: of path, pathPrefix and pathTemplate one may stand here");
  }
  has_path_ = true;
  if (path == "*" && key == "path") return text;  // of OPTIONS
  if (path.empty()) refuse(key, path, "it must begin with '/'");
  if (!path.starts_with('/')) {
    const std::string_view right = split_target(path).path;
    refuse(key, path,
           fmt::format("it must begin with '/': '{}{}'{}", right.starts_with('/') ? "" : "/", printable(right),
                       right == path ? "" : ", without scheme and host"));
  }
  if (const auto question = path.find('?'); question != std::string_view::npos) {
    const JsonObject pairs = query_criterion(path.substr(question + 1));
    refuse(key, path,
           fmt::format("a path ends before '?': '{}'{}{}", printable(path.substr(0, question)),
                       use_ == Use::Filter || pairs.empty() ? "" : fmt::format(R"(, with "query":{})", pairs.text()),
                       " ('%3F' stands for the character itself)"));
  }
  for (const PathRule& rule : kPathRules) {
    if (path.find(rule.text) == std::string_view::npos || (key == "pathTemplate" && !rule.in_template)) continue;
    refuse(key, path, fmt::format("{} ('%{:02X}' stands for the character itself)", rule.why, int{rule.text.back()}));
  }
  check_no_nul(key, path, fields_.position_of(key));
  check_length(key, path);
  if (const std::string text_decoded = decoded_path(path); Admin::owns(text_decoded)) {
    refuse(key, path, "admin calls meet no faults and are in no journal");
  }
  if (use_ != Use::Fault && without_user(path) != path) {
    fields_.refuse(key,
                   "begins with '//' and has an '@': the journal keeps nothing before that, for it may be a secret");
  }
  return text;
}

Texts CriteriaRules::values_of(std::string_view field, const JsonMember& member, bool of_query) const {
  Texts values;
  const auto add_value = [&](const JsonValue& value) {
    const bool is_scalar = value.kind == JsonKind::String || value.kind == JsonKind::Integer ||
                           value.kind == JsonKind::Float || value.kind == JsonKind::Boolean;
    if (!is_scalar) {
      throw JsonFieldError(member.position, fmt::format("{} must be a value{} or null", field,
                                                        of_query ? ", an array of values, {\"anyOrder\":[...]}" : ""));
    }
    check_no_nul(field, value.text, member.position);
    if (use_ != Use::Fault && value.text.size() > kJournalTextBytes) {
      throw JsonFieldError(member.position, fmt::format("{} has a value of {} bytes, of which the journal keeps {}",
                                                        field, value.text.size(), kJournalTextBytes));
    }
    values.push_back(value.text);
  };
  if (member.value.kind == JsonKind::Null) return values;
  if (of_query && member.value.kind == JsonKind::Array) {
    if (member.value.items.empty()) {
      throw JsonFieldError(member.position,
                           fmt::format("{} is an empty array; null asks for a parameter that is not there", field));
    }
    for (const JsonValue& item : member.value.items) add_value(item);
  } else {
    add_value(member.value);
  }
  return values;
}

Texts CriteriaRules::any_order(const std::string& field, const JsonValue& value) const {
  JsonFields form(value);
  const JsonValue* words = form.any("anyOrder");
  form.refuse_others();
  if (words == nullptr || words->kind != JsonKind::Array || words->items.empty()) {
    throw JsonFieldError(value.position,
                         fmt::format("{} must have the member anyOrder, an array of one word or more", field));
  }
  Texts values = values_of(field, {field, value.position, *words}, true);
  for (std::string& word : values) {
    word = decoded(word, Plus::Kept);
    if (word.empty() || word != trim_blanks(word) || word.find(',') != std::string::npos) {
      throw JsonFieldError(value.position,
                           fmt::format("{}: '{}' is no word of anyOrder, for words are split at commas, and what is "
                                       "blank around them goes: it must not be empty, and have neither",
                                       field, printable(word)));
    }
  }
  return words_of(values);
}

void CriteriaRules::check_header_value(const std::string& field, std::string_view value, Position position) {
  if (value != trim_blanks(value)) {
    throw JsonFieldError(position, field + " begins or ends with a blank; values of headers are without those");
  }
  const bool has_control = std::ranges::any_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
  if (has_control) {
    throw JsonFieldError(position, field + " has a line break or another control character, which no header can have");
  }
}

}  // namespace ocp_mock
