#include "client/pattern.h"

#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace ocp_mock {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

// The end of the bracket expression that begins at [. regcomp() refuses one without an end.
std::size_t end_of_brackets(std::string_view text, std::size_t at) {
  ++at;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') refuse("a set may not begin with ]: write (a|\\])");
  while (at < text.size() && text[at] != ']') {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("\\")) {
      if (!rest.starts_with("\\\\")) {
        refuse("between [ and ] a backslash is itself: write it twice, and [:alnum:] for a class");
      }
      at += 2;
    } else if (rest.starts_with("[:") || rest.starts_with("[.") || rest.starts_with("[=")) {
      at = std::min(text.find(']', at), text.size() - 1) + 1;
    } else {
      ++at;
    }
  }
  return std::min(at + 1, text.size());
}

// glibc reads what is of other dialects otherwise, and without a word: \d is the letter, (?: a group with a colon.
void refuse_other_dialects(std::string_view text) {
  constexpr std::string_view kEscapes = "wWsSbB";
  constexpr std::string_view kAnchors = "<>`'";
  constexpr std::string_view kRepeats = "*+?}";
  if (text.find('\0') != std::string_view::npos) refuse("it may not have the character U+0000");
  for (std::size_t at = 0; at < text.size();) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] == '[') {
      at = end_of_brackets(text, at);
      continue;
    }
    if (text[at] == '\\') {
      if (is_letter_or_digit(next) && kEscapes.find(next) == std::string_view::npos) {
        refuse(fmt::format("it has no \\{}{}", next, next == 'd' ? "; a digit is [0-9]" : ""));
      }
      if (kAnchors.find(next) != std::string_view::npos) {
        refuse(fmt::format("it has no \\{}; the character is {}, the border of a word \\b", next, next));
      }
      at += 2;
      continue;
    }
    if (text[at] == '(' && next == '?') refuse("it has no (?");
    if (kRepeats.find(text[at]) != std::string_view::npos && (next == '?' || next == '+')) {
      refuse(fmt::format("it has no {}{}", text[at], next));
    }
    ++at;
  }
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(const std::string& text) {
    if (const int result = ::regcomp(&expression, text.c_str(), REG_EXTENDED); result != 0) {
      std::array<char, 200> message{};
      ::regerror(result, &expression, message.data(), message.size());
      refuse(message.data());
    }
  }
  ~Compiled() { ::regfree(&expression); }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  // Looks in [match.rm_so, match.rm_eo) and sets the match; what is before it counts for ^ and \b.
  bool find(const char* text, regmatch_t& match, bool at_line_end) const {
    return ::regexec(&expression, text, 1, &match, REG_STARTEND | (at_line_end ? 0 : REG_NOTEOL)) == 0;
  }

  regex_t expression{};
};

Pattern::Pattern(const std::string& text) {
  refuse_other_dialects(text);
  compiled_ = std::make_shared<const Compiled>(text);
}

bool Pattern::fits_empty_text() const {
  regmatch_t match{};
  return compiled_->find("", match, true);
}

void Pattern::search(std::string_view text, const std::function<void(std::size_t, std::size_t)>& visit) const {
  std::string copy;
  if (text.find('\0') != std::string_view::npos) {
    copy = text;
    std::ranges::replace(copy, '\0', '\1');  // regexec() takes . for all but U+0000
    text = copy;
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    search_line(text.substr(start, end - start), start, visit);
    start = end + 1;
  }
}

// Window by window, for regexec() may take the square of what it looks at. What begins in the last half of a window is
// left to the next one, for what is behind the window might make it longer or another.
void Pattern::search_line(std::string_view line, std::size_t offset,
                          const std::function<void(std::size_t, std::size_t)>& visit) const {
  std::size_t from = 0;
  while (from < line.size()) {
    const std::size_t to = std::min(from + kWindow, line.size());
    const bool at_end = to == line.size();
    regmatch_t match{static_cast<regoff_t>(from), static_cast<regoff_t>(to)};
    const bool found = compiled_->find(line.data(), match, at_end);
    if (!found && at_end) return;
    const auto begin = static_cast<std::size_t>(match.rm_so);
    const auto end = static_cast<std::size_t>(match.rm_eo);
    if (!at_end && (!found || begin >= to - kWindow / 2)) {
      from = to - kWindow / 2;
    } else if (!at_end && end == to && begin > from) {
      from = begin;
    } else {
      if (end > begin) visit(offset + begin, offset + end);
      from = std::max(end, begin + 1);
    }
  }
}

}  // namespace ocp_mock
