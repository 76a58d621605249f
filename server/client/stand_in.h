// Stand-ins for what must not be told: the same for the same value, another for another, and of its look.
// Input: a key, then values. Output: values from which nobody without the key can tell the original. Knows no JSON.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace ocp_mock {

// A piece of a text: [begin, end). Empty if there is none.
struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool empty() const { return begin == end; }
};

// The next IPv4 or IPv6 address at or behind a place. What stands between letters, digits, dots, hyphens or
// underscores is none: versions look like addresses.
Piece find_address(std::string_view text, std::size_t from);

class StandIns {
 public:
  // is_taken: what a stand-in must not be, since it is the original of another.
  StandIns(std::string key, std::function<bool(const std::string&)> is_taken)
      : key_(std::move(key)), is_taken_(std::move(is_taken)) {}

  // Letters for letters of the same case, digits for digits, characters beyond ASCII for others of the same length; all
  // else and %XX stays. A short piece of which all such are taken becomes longer.
  const std::string& word(const std::string& original);
  // Letters and digits, of the next length of 8, 16, 32, ... that has room for it.
  const std::string& secret(const std::string& original);
  // 10.X.Y.Z or fdXX:XXXX:XXXX::XXXX. Requires an address.
  const std::string& address(const std::string& original);

 private:
  template <typename Make>
  const std::string& find(char kind, const std::string& original, const Make& make);

  const std::string key_;
  const std::function<bool(const std::string&)> is_taken_;
  std::unordered_map<std::string, std::string> known_;  // by a letter of the kind and the original
  std::unordered_set<std::string> used_;
};

}  // namespace ocp_mock
