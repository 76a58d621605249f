// ASCII text as protocols compare it.
// Input: characters and texts. Output: the same in another case, or whether they are equal; pieces of a list.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace ocp_mock {

inline char to_lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline char to_upper_ascii(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

inline bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, to_lower_ascii, to_lower_ascii);
}

// RFC 9110: whether a text may be a method or the name of a header.
inline bool is_token(std::string_view text) {
  static constexpr std::array<bool, 256> kToken = [] {
    std::array<bool, 256> set{};
    for (std::size_t c = 0; c < set.size(); ++c) {
      set[c] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) set[static_cast<unsigned char>(c)] = true;
    return set;
  }();
  return !text.empty() && std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

// Without the blanks and tabs at both ends.
inline std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts the first piece off a list, without blanks around it; the rest keeps what follows the separator.
inline std::string_view next_piece(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view piece = trim_blanks(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

}  // namespace ocp_mock
