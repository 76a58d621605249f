#include "json/flat_json.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kMostMembers = 64;
constexpr std::size_t kMostDigits = 18;       // of an integer: fits into 64 bits
constexpr std::size_t kLongestNumber = 40;    // far from what overflows, without an exponent
constexpr std::size_t kLongestCharacter = 3;  // in bytes; longer ones are answered as escapes

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// How many of eight bytes come before a quote, a backslash, a control character or what is no ASCII; 8 if there is
// none. The result may be too small.
std::size_t count_usual(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  // The lowest bit that is set is right; those above may come from borrowing.
  const std::uint64_t found = (word | (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & kHighs;
  if (found == 0) return 8;
  return std::endian::native == std::endian::little ? static_cast<std::size_t>(std::countr_zero(found)) / 8 : 0;
}

enum class Outcome { Found, Unusual, Incomplete };

class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  Outcome scan(bool behind_comma, FlatObject& object) {
    object.members.clear();
    skip_blanks();
    if (behind_comma) {
      if (!take(',')) return refused();
      skip_blanks();
    }
    const char* begin = next_;
    if (!take('{')) return refused();
    canonical_ = true;
    do {
      skip_inner_blanks();
      FlatMember member;
      bool escaped_key = false;
      if (!string(member.key, escaped_key) || escaped_key) return refused();
      skip_inner_blanks();
      if (!take(':')) return refused();
      skip_inner_blanks();
      if (!value(member) || object.members.size() == kMostMembers) return refused();
      skip_inner_blanks();
      object.members.push_back(member);
    } while (take(','));
    if (!take('}')) return refused();
    object.text = {begin, static_cast<std::size_t>(next_ - begin)};
    if (!sort(object.members)) return Outcome::Unusual;
    object.canonical = canonical_;
    return Outcome::Found;
  }

  const char* next() const { return next_; }

 private:
  // Whether it is unusual cannot be told where the bytes end.
  Outcome refused() const { return next_ == end_ ? Outcome::Incomplete : Outcome::Unusual; }

  bool take(char expected) {
    if (next_ == end_ || *next_ != expected) return false;
    ++next_;
    return true;
  }

  void skip_blanks() {
    while (next_ != end_ && is_blank(*next_)) ++next_;
  }

  void skip_inner_blanks() {
    if (next_ == end_ || !is_blank(*next_)) return;
    canonical_ = false;
    skip_blanks();
  }

  bool digits() {
    const char* begin = next_;
    while (next_ != end_ && is_digit(*next_)) ++next_;
    return next_ != begin;
  }

  bool value(FlatMember& member) {
    if (next_ == end_) return false;
    switch (*next_) {
      case '"': member.kind = JsonKind::String; return string(member.value, member.escaped);
      case 't': member.kind = JsonKind::Boolean; return literal("true", member.value);
      case 'f': member.kind = JsonKind::Boolean; return literal("false", member.value);
      case 'n':
        member.kind = JsonKind::Null;
        canonical_ = false;
        return literal("null", member.value);
      default: return number(member);
    }
  }

  bool literal(std::string_view expected, std::string_view& text) {
    const char* begin = next_;
    for (const char c : expected) {
      if (!take(c)) return false;
    }
    text = {begin, expected.size()};
    return true;
  }

  bool number(FlatMember& member) {
    const char* begin = next_;
    const auto length = [&] { return static_cast<std::size_t>(next_ - begin); };
    take('-');
    if (!take('0') && !digits()) return false;
    member.kind = JsonKind::Integer;
    std::size_t most = kMostDigits;
    if (take('.')) {
      if (!digits()) return false;
      member.kind = JsonKind::Float;
      most = kLongestNumber;
    }
    member.value = {begin, length()};
    return length() <= most;
  }

  // Leaves the text between the quotes, without decoding it.
  bool string(std::string_view& text, bool& escaped) {
    if (!take('"')) return false;
    const char* begin = next_;
    for (;;) {
      while (end_ - next_ >= 8) {
        const std::size_t usual = count_usual(next_);
        next_ += usual;
        if (usual < 8) break;
      }
      if (next_ == end_) return false;
      const auto c = static_cast<unsigned char>(*next_);
      if (c == '"') break;
      if (c == '\\') {
        if (end_ - next_ < 2) return incomplete();
        // The escapes that Jackson writes too.
        if (std::string_view("\"\\bfnrt").find(next_[1]) == std::string_view::npos) return false;
        escaped = true;
        next_ += 2;
      } else if (c < 0x20) {
        return false;
      } else if (c < 0x80) {
        ++next_;
      } else {
        const auto left = static_cast<std::size_t>(end_ - next_);
        const std::size_t size = utf8_length({next_, std::min(left, kLongestCharacter)});
        if (size == 0) return left < kLongestCharacter ? incomplete() : false;
        next_ += size;
      }
    }
    text = {begin, static_cast<std::size_t>(next_ - begin)};
    ++next_;
    return true;
  }

  bool incomplete() {
    next_ = end_;
    return false;
  }

  bool sort(std::vector<FlatMember>& members) {
    const auto ascends = [](const FlatMember& left, const FlatMember& right) { return left.key < right.key; };
    const auto is_out_of_order = [&](const FlatMember& left, const FlatMember& right) { return !ascends(left, right); };
    if (std::ranges::adjacent_find(members, is_out_of_order) == members.end()) return true;
    canonical_ = false;
    std::ranges::sort(members, ascends);
    return std::ranges::adjacent_find(members, is_out_of_order) == members.end();
  }

  const char* next_;
  const char* end_;
  bool canonical_ = true;
};

}  // namespace

void skip_blanks(BufferedReader& input) {
  while (!input.at_end() && is_blank(input.peek())) input.advance();
}

std::size_t peek_flat_object(BufferedReader& input, std::size_t from, bool behind_comma, FlatObject& object) {
  for (;;) {
    const std::string_view bytes = input.buffered().substr(from);
    Scanner scanner(bytes);
    const Outcome outcome = scanner.scan(behind_comma, object);
    if (outcome == Outcome::Found) return static_cast<std::size_t>(scanner.next() - bytes.data());
    if (outcome == Outcome::Unusual || !input.read_more()) return 0;
  }
}

void append_canonical_json(std::string& out, const FlatObject& object) {
  if (object.canonical) {
    out += object.text;
    return;
  }
  char separator = '{';
  for (const FlatMember& member : object.members) {
    if (member.kind == JsonKind::Null) continue;
    const std::string_view quote = member.kind == JsonKind::String ? "\"" : "";
    out += separator;
    out.append("\"").append(member.key).append("\":").append(quote).append(member.value).append(quote);
    separator = ',';
  }
  if (separator == '{') out += '{';
  out += '}';
}

}  // namespace ocp_mock
