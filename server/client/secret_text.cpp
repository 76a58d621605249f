#include "client/secret_text.h"

#include <algorithm>
#include <cctype>

#include "base/ascii.h"
#include "base/secret_names.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::string_view kPem = "-----BEGIN";
constexpr std::string_view kSchemes[] = {"basic", "bearer", "digest", "negotiate"};

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80 || c == '_' ||
         c == '-';
}
bool ends_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && equals_ignoring_case(text.substr(text.size() - word.size()), word);
}

// The first place at or behind this one whose character is none of them.
std::size_t skip(std::string_view text, std::size_t at, std::string_view characters) {
  return std::min(text.find_first_not_of(characters, at), text.size());
}
std::size_t skip_name(std::string_view text, std::size_t at) {
  while (at < text.size() && is_name_character(text[at])) ++at;
  return at;
}
std::size_t skip_quote(std::string_view text, std::size_t at) {
  const std::size_t quote = skip(text, at, "\\");
  return quote < text.size() && is_quote(text[quote]) ? quote + 1 : at;
}

// Where what belongs to a name begins, quotes included, if the name is one of a secret; kNone if there is nothing.
std::size_t behind_name(std::string_view text, std::size_t name, std::size_t end) {
  if (end == text.size()) return kNone;
  if (text[end] == '>') return name > 0 && text[name - 1] == '<' ? end + 1 : kNone;
  if (text[end] == '(') return skip_quote(text, end + 1) > end + 1 ? end + 1 : kNone;
  const std::size_t behind_quote = skip_quote(text, end);
  const std::size_t behind_blanks = skip(text, behind_quote, " \t");
  if (behind_blanks == text.size()) return kNone;
  const std::size_t behind_sign = skip(text, behind_blanks, "=:");
  if (behind_sign > behind_blanks) {
    // A name of C++, or a URL's scheme.
    if (text.substr(behind_blanks).starts_with("::") || text.substr(behind_blanks).starts_with("://")) return kNone;
    const bool is_arrow = text[behind_sign - 1] == '=' && behind_sign < text.size() && text[behind_sign] == '>';
    return skip(text, behind_sign + (is_arrow ? 1 : 0), " \t");
  }
  if (behind_quote > end || behind_blanks == behind_quote) return kNone;
  const std::string_view word = text.substr(name, end - name);
  if (skip_quote(text, behind_blanks) > behind_blanks) return behind_blanks;
  const bool takes_word = word.front() == '-' || equals_ignoring_case(word, "bearer");
  return takes_word && text[behind_blanks] != '-' ? behind_blanks : kNone;
}

bool is_named(std::string_view text, std::size_t name, std::size_t end) {
  const std::string_view word = text.substr(name, end - name);
  return is_secret_name(word) ||
         (equals_ignoring_case(word, "by") && ends_with_word(text.substr(0, name), "identified "));
}

// The first < at or behind a place that opens or closes a tag.
std::size_t find_tag(std::string_view text, std::size_t at) {
  for (at = text.find('<', at); at != kNone; at = text.find('<', at + 1)) {
    const std::size_t name = at + 1 < text.size() && text[at + 1] == '/' ? at + 2 : at + 1;
    const std::size_t end = skip_name(text, name);
    if (end > name && is_letter(text[name]) && end < text.size() && (text[end] == '>' || text[end] == '/')) return at;
  }
  return kNone;
}

// Past the scheme that a value may begin with.
std::size_t skip_scheme(std::string_view text, std::size_t at) {
  const std::size_t end = skip_name(text, at);
  const auto is_it = [&](std::string_view scheme) { return equals_ignoring_case(text.substr(at, end - at), scheme); };
  const std::size_t behind = skip(text, end, " \t");
  return behind > end && behind < text.size() && std::ranges::any_of(kSchemes, is_it) ? behind : at;
}

// What stands in the private key that begins behind kPem; empty if none does.
Piece key_behind(std::string_view text, std::size_t at) {
  constexpr std::string_view kHead = "PRIVATE KEY-----";
  const std::size_t head = text.find(kHead, at);
  if (head == kNone || text.substr(at, head - at).find_first_of("\r\n-") != kNone) return {};
  const std::size_t body = skip(text, head + kHead.size(), " \t\r\n\\");
  return {body, std::min(text.find("-----", body), text.size())};
}

Piece value_of(std::string_view text, std::size_t name, std::size_t name_end, std::size_t begin) {
  const std::size_t opened = skip_quote(text, begin);
  if (opened > begin) {
    // The same quote, escaped as the first one is.
    const std::string_view quote = text.substr(begin, opened - begin);
    for (std::size_t at = text.find(quote, opened); at != kNone; at = text.find(quote, at + 1)) {
      if (text[at - 1] != '\\') return {skip_scheme(text, opened), at};
    }
    begin = opened;
  }
  begin = skip_scheme(text, begin);
  const std::string_view word = text.substr(name, name_end - name);
  const bool is_header = ends_with_word(word, "authorization") || ends_with_word(word, "cookie");
  const bool is_quoted = name > 0 && is_quote(text[name - 1]) && !is_quote(text[name_end]);
  std::size_t end = kNone;
  if (!is_header) {
    end = text.find_first_of(" \t\r\n\"',;&)}]", begin);
    end = std::min(end, find_tag(text.substr(0, end), begin));
  } else if (is_quoted) {
    end = text.find(text[name - 1], begin);
  } else {
    end = text.find_first_of("\r\n", begin);
  }
  end = std::min(end, text.size());
  while (end > begin && text[end - 1] == '\\') --end;
  // As in "the bearer token: X".
  if (is_secret_name(text.substr(begin, end - begin)) && equals_ignoring_case(word, "bearer")) return {};
  return {begin, end};
}

}  // namespace

Piece find_secret(std::string_view text, std::size_t from) {
  for (std::size_t at = from; at < text.size();) {
    const std::size_t end = skip_name(text, at);
    if (end == at) {
      ++at;
      continue;
    }
    const std::size_t begin = behind_name(text, at, end);
    Piece value;
    if (text.substr(at, end - at).ends_with(kPem)) {
      value = key_behind(text, end);
    } else if (begin != kNone && begin < text.size() && !text.substr(begin).starts_with(kPem) &&
               is_named(text, at, end)) {
      value = value_of(text, at, end, begin);
    }
    if (!value.empty()) return value;
    at = end;
  }
  return {};
}

}  // namespace ocp_mock
