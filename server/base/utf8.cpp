#include "base/utf8.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace ocp_mock {
namespace {

// Code points that are not shown as they are, first and last of each range.
// clang-format off
constexpr std::pair<char32_t, char32_t> kNotShown[] = {
    {0x0000,  0x001F},   // C0 controls
    {0x007F,  0x009F},   // DEL and the C1 controls: U+009B begins a command for a terminal
    {0x00AD,  0x00AD},   // soft hyphen
    {0x061C,  0x061C},   // Arabic letter mark
    {0x180E,  0x180E},   // Mongolian vowel separator
    {0x200B,  0x200F},   // zero width, and marks of direction
    {0x2028,  0x202E},   // separators of lines and paragraphs, embeddings and overrides of direction
    {0x2060,  0x206F},   // word joiner, invisible operators, isolates
    {0xFEFF,  0xFEFF},   // byte order mark
    {0xFFF9,  0xFFFB},   // interlinear annotations
    {0xE0000, 0xE007F},  // tags
};
// clang-format on

// Takes one character in UTF-8, or one byte that is not part of one.
bool may_be_shown(std::string_view character) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(character[index]); };
  if (character.size() == 1) return byte(0) >= 0x20 && byte(0) < 0x7F;
  char32_t code = byte(0) & (0x7Fu >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3F);
  return std::ranges::none_of(kNotShown,
                              [&](const auto& range) { return range.first <= code && code <= range.second; });
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < bytes.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;   // no overlong form
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no half of a surrogate pair
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;   // no overlong form
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // nothing past U+10FFFF
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t characters) {
  std::string out;
  out.reserve(std::min(text.size(), characters));
  while (!text.empty()) {
    if (characters-- == 0) return out + "...";
    const std::size_t length = std::max(utf8_length(text), std::size_t{1});
    const std::string_view character = text.substr(0, length);
    if (may_be_shown(character)) {
      out.append(character);
    } else {
      for (const char byte : character) {
        fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(byte));
      }
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace ocp_mock
