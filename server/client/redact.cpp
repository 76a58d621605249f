#include "client/redact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "client/secret_text.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kNameSeparators = "@#:,/ ;()[]<>\"'";
constexpr std::string_view kHostSeparators = ".@#:,/ ;()[]<>\"'";
constexpr std::string_view kUriSeparators = "./?&=:@#,;[] ";

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

// Found anywhere, also inside of other words; others only where no letter and no digit is beside them.
bool is_distinctive(std::string_view word) {
  return word.size() >= 6 || (word.size() >= 4 && word.find_first_of("0123456789_-.:/") != std::string_view::npos);
}

// Whether a field's values are told apart by clients, or are times: they are left as they are.
bool is_exempt(const Field* field) {
  return field != nullptr && (field->words != nullptr || field->type == FieldType::Time);
}

// Requires two bytes.
std::size_t start_of(std::string_view text) {
  return static_cast<std::size_t>(static_cast<unsigned char>(text[0])) << 8 | static_cast<unsigned char>(text[1]);
}

std::string joined(const std::vector<std::string_view>& path) {
  std::string text;
  for (const std::string_view name : path) text.append(text.empty() ? "" : ".").append(name);
  return text;
}

}  // namespace

Redactor::Redactor(RedactRules rules, std::string key)
    : rules_(std::move(rules)), words_by_start_(65536), stand_ins_(std::move(key), [this](const std::string& made) {
        return words_.contains(made) || rules_.keeps(made);
      }) {}

void Redactor::learn(const Resource& resource, const JsonValue& row) {
  Path path{resource.name};
  for (const JsonMember& member : row.members) {
    path.push_back(member.key);
    learn_value(path, resource.find_field(member.key), member.value);
    path.pop_back();
  }
}

void Redactor::learn(std::string_view name, const JsonValue& value) {
  Path path{name};
  learn_value(path, nullptr, value);
}

void Redactor::redact(std::string_view name, JsonValue& value) {
  Path path{name};
  redact_value(path, nullptr, value);
}

void Redactor::learn_value(Path& path, const Field* field, const JsonValue& value) {
  for (const JsonValue& item : value.items) learn_value(path, field, item);
  for (const JsonMember& member : value.members) {
    path.push_back(member.key);
    learn_value(path, nullptr, member.value);
    path.pop_back();
  }
  if (value.kind != JsonKind::String || is_exempt(field)) return;
  if (const auto kind = kind_of(path)) return learn_text(value.text, *kind);
  for (const RedactRules::Match& match : rules_.matches(value.text)) {
    learn_text(value.text.substr(match.begin, match.end - match.begin), match.kind);
  }
}

void Redactor::learn_text(const std::string& text, RedactKind kind) {
  if (kind == RedactKind::Keep || kind == RedactKind::Text || rules_.keeps(text)) return;
  for (Piece found = find_address(text, 0); !found.empty(); found = find_address(text, found.end)) {
    add_word(std::string_view(text).substr(found.begin, found.end - found.begin), RedactKind::Address);
  }
  if (kind == RedactKind::Secret) return add_word(text, kind);
  if (kind == RedactKind::Uri) return learn_uri(text);
  if (kind == RedactKind::Address || !find_address(text, 0).empty()) return;
  std::string_view rest = text;
  if (kind == RedactKind::Host) {
    add_word(rest, kind);
    add_word(rest.substr(0, rest.find('.')), kind);
    return;
  }
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(kNameSeparators), rest.size());
    add_word(rest.substr(0, end), kind);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// Its host, and what its query gives away. Names of folders are words that stand in any text.
void Redactor::learn_uri(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return;
  text.remove_prefix(scheme + 3);
  std::string_view host = text.substr(0, text.find_first_of("/?#"));
  host.remove_prefix(host.find('@') == std::string_view::npos ? 0 : host.find('@') + 1);
  host = host.substr(0, host.find(':'));
  if (find_address(host, 0).empty()) add_word(host, RedactKind::Host);
  constexpr std::size_t kLeastValue = 6;
  for (auto at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    const std::string_view value = rest.substr(0, rest.find_first_of(kUriSeparators));
    if (value.size() >= kLeastValue) add_word(value, RedactKind::Name);
  }
}

void Redactor::add_word(std::string_view word, RedactKind kind) {
  if (word.size() < 2 || rules_.keeps(word) || (kind != RedactKind::Secret && is_digits(word))) return;
  if (!words_.emplace(word, kind).second) return;
  std::vector<std::string>& same = words_by_start_[start_of(word)];
  const auto at = std::ranges::find_if(same, [&](const std::string& other) { return other.size() < word.size(); });
  same.emplace(at, word);
}

void Redactor::redact(const Resource& resource, JsonValue& row) {
  Path path{resource.name};
  for (JsonMember& member : row.members) {
    path.push_back(member.key);
    redact_value(path, resource.find_field(member.key), member.value);
    path.pop_back();
  }
}

void Redactor::redact_value(Path& path, const Field* field, JsonValue& value) {
  for (JsonValue& item : value.items) redact_value(path, field, item);
  for (JsonMember& member : value.members) {
    path.push_back(member.key);
    redact_value(path, nullptr, member.value);
    path.pop_back();
    // A map by hosts; no member of OCP's is called as an address.
    if (!only_learned_ && !find_address(member.key, 0).empty()) member.key = as_text(member.key);
  }
  if (value.kind == JsonKind::String && !is_exempt(field)) value.text = redact_text(path, value.text);
}

std::string Redactor::redact(const Resource* resource, std::string_view field, const std::string& text) {
  if (resource != nullptr && is_exempt(resource->find_field(field))) return text;
  return redact_text({resource == nullptr ? "answers" : resource->name, field}, text);
}

std::string Redactor::redact_text(const Path& path, const std::string& text) {
  if (rules_.keeps(text)) return text;
  RedactKind kind = kind_of(path).value_or(RedactKind::Text);
  if (only_learned_ && kind != RedactKind::Keep) kind = RedactKind::Text;
  std::string made = only_learned_ && kind == RedactKind::Text ? with_words(text) : as(kind, text);
  if (made != text) {
    Count& count = counts_[{joined(path), word_of(kind)}];
    ++count.values;
    count.distinct.insert(std::hash<std::string>()(text));
  }
  return made;
}

std::optional<RedactKind> Redactor::kind_of(const Path& path) {
  const auto [at, is_new] = kinds_.try_emplace(joined(path));
  if (is_new) at->second = rules_.kind_of(path);
  return at->second;
}

std::string Redactor::as(RedactKind kind, std::string_view text) {
  switch (kind) {
    case RedactKind::Keep: return std::string(text);
    case RedactKind::Secret:
      // As OCP shows one that it does not tell.
      if (text.find_first_not_of("*") == std::string_view::npos || rules_.keeps(text)) return std::string(text);
      return stand_ins_.secret(std::string(text));
    case RedactKind::Name: return as_pieces(text, kNameSeparators);
    case RedactKind::Host:
    case RedactKind::Address: return as_pieces(text, kHostSeparators);
    case RedactKind::Uri: return as_uri(text);
    case RedactKind::Text: break;
  }
  return as_text(text);
}

std::string Redactor::piece(std::string_view text) {
  if (rules_.keeps(text)) return std::string(text);
  return stand_ins_.word(std::string(text));
}

std::string Redactor::as_pieces(std::string_view text, std::string_view separators) {
  if (const Piece found = find_address(text, 0); !found.empty()) {
    const std::string address(text.substr(found.begin, found.end - found.begin));
    std::string out = found.begin == 0 ? "" : as_pieces(text.substr(0, found.begin), separators);
    out += rules_.keeps(address) ? address : stand_ins_.address(address);
    return found.end == text.size() ? out : out + as_pieces(text.substr(found.end), separators);
  }
  std::string out;
  const bool is_one = text.find_first_of(separators) == std::string_view::npos;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const std::string_view one = text.substr(0, end);
    // A port, a number of a host.
    out += !is_one && is_digits(one) ? std::string(one) : piece(one);
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string Redactor::as_uri(std::string_view text) {
  const auto scheme = text.find("://");
  std::string out;
  if (scheme != std::string_view::npos) {
    out = text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
  }
  while (!text.empty()) {
    const Piece found = find_address(text, 0);
    std::string_view before = text.substr(0, found.empty() ? text.size() : found.begin);
    while (!before.empty()) {
      const auto end = std::min(before.find_first_of(kUriSeparators), before.size());
      const std::string_view one = before.substr(0, end);
      const bool is_name = end < before.size() && before[end] == '=';
      out += is_name || is_digits(one) ? std::string(one) : piece(one);
      if (end < before.size()) out += before[end];
      before.remove_prefix(std::min(end + 1, before.size()));
    }
    if (found.empty()) break;
    const std::string address(text.substr(found.begin, found.end - found.begin));
    out += rules_.keeps(address) ? address : stand_ins_.address(address);
    text.remove_prefix(found.end);
  }
  return out;
}

// Each of these replaces one sort of thing and leaves what is between to the next.

std::string Redactor::as_text(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (const RedactRules::Match& match : rules_.matches(text)) {
    out += with_secrets(text.substr(at, match.begin - at));
    const std::string_view found = text.substr(match.begin, match.end - match.begin);
    out += match.kind == RedactKind::Text ? with_secrets(found) : as(match.kind, found);
    at = match.end;
  }
  return out + with_secrets(text.substr(at));
}

std::string Redactor::with_secrets(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (Piece found = find_secret(text, 0); !found.empty(); found = find_secret(text, found.end)) {
    out += with_uris(text.substr(at, found.begin - at));
    out += as(RedactKind::Secret, text.substr(found.begin, found.end - found.begin));
    at = found.end;
  }
  return out + with_uris(text.substr(at));
}

std::string Redactor::with_uris(std::string_view text) {
  std::string out;
  for (;;) {
    const auto slashes = text.find("://");
    if (slashes == std::string_view::npos) break;
    std::size_t begin = slashes;
    while (begin > 0 &&
           (is_alnum(text[begin - 1]) || std::string_view("+-.").find(text[begin - 1]) != std::string_view::npos))
      --begin;
    const auto end = std::min(text.find_first_of(" \t\n\"'<>(){}|,;", slashes), text.size());
    out += with_addresses(text.substr(0, begin));
    out += as_uri(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return out + with_addresses(text);
}

std::string Redactor::with_addresses(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (Piece found = find_address(text, 0); !found.empty(); found = find_address(text, found.end)) {
    const std::string address(text.substr(found.begin, found.end - found.begin));
    out += with_words(text.substr(at, found.begin - at));
    out += rules_.keeps(address) ? address : stand_ins_.address(address);
    at = found.end;
  }
  return out + with_words(text.substr(at));
}

std::string Redactor::with_words(std::string_view text) {
  std::string out;
  std::size_t start = 0;
  for (std::size_t i = 0; i + 2 <= text.size(); ++i) {
    for (const std::string& word : words_by_start_[start_of(text.substr(i))]) {
      if (!text.substr(i).starts_with(word)) continue;
      const std::size_t end = i + word.size();
      const bool is_apart = (i == 0 || !is_alnum(text[i - 1])) && (end == text.size() || !is_alnum(text[end]));
      if (!is_apart && !is_distinctive(word)) continue;
      out += text.substr(start, i - start);
      const RedactKind kind = words_.at(word);
      out += kind == RedactKind::Address ? stand_ins_.address(word) : as(kind, word);
      start = end;
      i = end - 1;
      break;
    }
  }
  return out.append(text.substr(start));
}

std::string Redactor::report() const {
  if (counts_.empty()) return "nothing was replaced\n";
  std::string text;
  for (const auto& [what, count] : counts_) {
    text += fmt::format("{}: {} {} of kind {}, {} different\n", what.first, count.values,
                        count.values == 1 ? "value" : "values", what.second, count.distinct.size());
  }
  return text;
}

}  // namespace ocp_mock
