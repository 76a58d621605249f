// A POSIX extended regular expression, of bytes and without back-references, and where it fits in a text.
// Input: its text, then texts of any length. Output: the pieces that fit.
// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ocp_mock {

class Pattern {
 public:
  // Throws std::invalid_argument with what is wrong with it. That is also what other dialects have and this has not: \d
  // and the like, but for \w, \s, \b and their opposites; (?: and its kind; lazy repeats; [^] for any character.
  explicit Pattern(const std::string& text);

  bool fits_empty_text() const;

  // Calls visit with [begin, end) of each piece that fits and is not empty, from left to right. ^ and $ are the ends of
  // lines, and no piece has more than one of them. Pieces of up to kWindow / 2 bytes are found wherever they are,
  // longer ones, up to kWindow, where they may be. The cost grows with the text's length.
  void search(std::string_view text, const std::function<void(std::size_t, std::size_t)>& visit) const;

  static constexpr std::size_t kWindow = 4096;

 private:
  struct Compiled;

  void search_line(std::string_view line, std::size_t offset,
                   const std::function<void(std::size_t, std::size_t)>& visit) const;

  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace ocp_mock
