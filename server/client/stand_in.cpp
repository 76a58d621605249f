#include "client/stand_in.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "ocp/digest.h"

namespace ocp_mock {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_part_of_word(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; }

bool is_address(int family, std::string_view text) {
  unsigned char bytes[16];
  return text.size() < INET6_ADDRSTRLEN && ::inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

// As many bytes as are asked for, of a key and a text.
class Stream {
 public:
  Stream(const std::string& key, std::string seed) : key_(key), seed_(std::move(seed)) {}

  unsigned next() {
    if (at_ == block_.size()) {
      block_ = hmac_sha256(key_, fmt::format("{} {}", count_++, seed_));
      at_ = 0;
    }
    return static_cast<unsigned char>(block_[at_++]);
  }

  unsigned next_two() {
    const unsigned first = next();
    return first << 8 | next();
  }

  // Of two bytes, so that all of 26 letters are nearly as frequent.
  char of(std::string_view characters) { return characters[next_two() % characters.size()]; }

 private:
  const std::string& key_;
  const std::string seed_;
  std::string block_;
  std::size_t at_ = 0;
  int count_ = 0;
};

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLettersAndDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

std::string like(std::string_view original, Stream& stream) {
  std::string out;
  while (!original.empty()) {
    const char c = original.front();
    const std::size_t size = std::max<std::size_t>(utf8_length(original), 1);
    if (c == '%' && original.size() > 2 && is_hex(original[1]) && is_hex(original[2])) {
      out += original.substr(0, 3);
      original.remove_prefix(3);
      continue;
    }
    if (size == 3) {
      // A character of the block of unified Chinese ones.
      const unsigned code = 0x4E00 + stream.next_two() % 0x5000;
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (size > 1) {
      for (std::size_t i = 0; i < size; ++i) out += stream.of(kLower);
    } else {
      const bool lower = c >= 'a' && c <= 'z';
      out += is_letter(c) ? stream.of(lower ? kLower : kUpper) : is_digit(c) ? stream.of(kDigits) : c;
    }
    original.remove_prefix(size);
  }
  return out;
}

bool has_something(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace

Piece find_address(std::string_view text, std::size_t from) {
  const auto is_of_address = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
  for (std::size_t i = from; i < text.size(); ++i) {
    if (!is_of_address(text[i]) || (i > 0 && is_part_of_word(text[i - 1]))) continue;
    if (text[i] == ':' && !text.substr(i).starts_with("::")) continue;
    std::size_t end = i;
    while (end < text.size() && is_of_address(text[end])) ++end;
    const std::string_view whole = text.substr(i, end - i);
    const bool ends_word = end == text.size() || !is_part_of_word(text[end]);
    // IPv4 first: a port may follow it, and a full stop.
    const std::string_view dotted = whole.substr(0, whole.find(':'));
    const std::string_view without_stop = dotted.ends_with('.') ? dotted.substr(0, dotted.size() - 1) : dotted;
    const bool ends_here = dotted.size() < whole.size() || ends_word;
    if (ends_here && is_address(AF_INET, without_stop)) return {i, i + without_stop.size()};
    std::string_view six = whole;
    while (six.ends_with('.')) six.remove_suffix(1);
    if (ends_word && six.find(':') != std::string_view::npos) {
      if (is_address(AF_INET6, six)) return {i, i + six.size()};
      if (six.ends_with(':') && is_address(AF_INET6, six.substr(0, six.size() - 1))) return {i, i + six.size() - 1};
    }
    // Behind a colon may stand one: "a:192.0.2.1".
    i += std::min(whole.find(':', 1), whole.size() - 1);
  }
  return {};
}

template <typename Make>
const std::string& StandIns::find(char kind, const std::string& original, const Make& make) {
  const std::string name = kind + original;
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  for (int attempt = 0;; ++attempt) {
    Stream stream(key_, fmt::format("{} {}", attempt, original));
    std::string made = make(stream, attempt);
    const bool is_good = made != original && !is_taken_(made);
    if (!is_good || !used_.insert(made).second) continue;
    return known_.emplace(name, std::move(made)).first->second;
  }
}

const std::string& StandIns::word(const std::string& original) {
  constexpr int kTriesOfOneLength = 100;
  if (!has_something(original)) return known_.try_emplace('w' + original, original).first->second;
  return find('w', original, [&](Stream& stream, int attempt) {
    std::string made = like(original, stream);
    for (int i = 0; i < attempt / kTriesOfOneLength; ++i) made += stream.of(kLower);
    return made;
  });
}

const std::string& StandIns::secret(const std::string& original) {
  std::size_t size = 8;
  while (size < original.size() && size < 4096) size *= 2;
  return find('s', original, [&](Stream& stream, int) {
    std::string made;
    while (made.size() < size) made += stream.of(kLettersAndDigits);
    return made;
  });
}

const std::string& StandIns::address(const std::string& original) {
  const bool is_long = original.find(':') != std::string::npos;
  return find('a', original, [&](Stream& stream, int) {
    const unsigned a = stream.next();
    const unsigned b = stream.next_two();
    const unsigned c = stream.next_two();
    const unsigned d = stream.next_two();
    return is_long ? fmt::format("fd{:02x}:{:x}:{:x}::{:x}", a, b, c, d | 1)
                   : fmt::format("10.{}.{}.{}", a, b % 256, 1 + c % 254);
  });
}

}  // namespace ocp_mock
