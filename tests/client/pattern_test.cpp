#include "client/pattern.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace ocp_mock;

namespace {

std::string found(const std::string& pattern, std::string_view text) {
  std::vector<std::string> pieces;
  Pattern(pattern).search(text, [&](std::size_t begin, std::size_t end) {
    pieces.push_back(fmt::format("{}:{}", begin, text.substr(begin, end - begin)));
  });
  return fmt::format("{}", fmt::join(pieces, " "));
}

std::string flaw_of(const std::string& pattern) {
  try {
    const Pattern compiled(pattern);
    return "none";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("pattern: pieces that fit are found from left to right, line by line") {
  struct Case {
    std::string pattern;
    std::string_view text;
    std::string_view pieces;
  };
  const Case cases[] = {
      {"a+", "", ""},
      {"a+", "\n\n", ""},
      {"a+", "aab\naa", "0:aa 4:aa"},
      {"a|ab", "ab", "0:ab"},
      {"^a", "aa\nba\na", "0:a 6:a"},
      {"a$", "aa\nab\na", "1:a 6:a"},
      {"\\ba", "aa ba a", "0:a 6:a"},
      {"x*", "axxb", "1:xx"},
      {"cd", std::string_view("ab\0cd", 5), "3:cd"},
      {"a[^b]c", "a\nc", ""},
      {"(x|\\]|[\\\\])+", "a]\\x", "1:]\\x"},
      {"b.c[^d]", std::string_view("ab\0c\0", 5), std::string_view("1:b\0c\0", 6)},
      {"\\(\\.\\)", "(.)", "0:(.)"},
      {"[[:digit:]]{2}", "1234", "0:12 2:34"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.pattern);
    CAPTURE(one.text);
    CHECK(found(one.pattern, one.text) == one.pieces);
  }
}

TEST_CASE("pattern: a piece of 2 KiB is found wherever it lies in a long line") {
  const std::string piece = std::string(Pattern::kWindow / 2 - 2, '7');
  for (const std::size_t before : {0, 1, 2047, 2048, 2049, 4000, 4095, 4096, 4097, 9000}) {
    const std::string text = std::string(before, '-') + "<" + piece + ">" + std::string(5000, '-');
    CAPTURE(before);
    CHECK(found("<7+>", text) == fmt::format("{}:<{}>", before, piece));
    CHECK(found("7+", text) == fmt::format("{}:{}", before + 1, piece));
  }
  SUBCASE("also where a part of it would fit, too") {
    struct Case {
      const char* pattern;
      const char* piece;
    };
    for (const auto& [pattern, fits] :
         {Case{"id-[0-9a-f]{4}(-[0-9a-f]{4})*", "id-0123-4567-89ab-cdef-0123"},
          Case{"<pw>[^<]*</pw>|[0-9]", "<pw>a1b2c3d4e5f6</pw>"}, Case{"A[^B]{0,100}B|C", "A12345C7890B"}}) {
      for (std::size_t before = 4000; before < 4200; ++before) {
        const std::string text = std::string(before, ' ') + fits + std::string(5000, ' ');
        CAPTURE(before);
        CHECK(found(pattern, text) == fmt::format("{}:{}", before, fits));
      }
    }
  }
  SUBCASE("a longer one is found in pieces") {
    const std::string text(10'000, '7');
    CHECK(found("7+", text) == fmt::format("0:{} 4096:{} 8192:{}", text.substr(0, 4096), text.substr(0, 4096),
                                           text.substr(0, 10'000 - 8192)));
  }
  SUBCASE("the ends of windows are no ends of the line") {
    const std::string text(10'000, 'a');
    CHECK(found("a$", text) == "9999:a");
    CHECK(found("^a", text) == "0:a");
  }
}

TEST_CASE("pattern: what this dialect lacks is refused") {
  const char* const lacking[] = {"\\d+", "a\\1", "(a)\\1", "\\u0041", "(?:a)", "(?i)a",
                                 "a+?",  "a*?",  "a??",    "a{2}?",   "a++"};
  for (const std::string pattern : lacking) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern).starts_with("it has no "));
  }
  CHECK(flaw_of("\\d") == "it has no \\d; a digit is [0-9]");
  for (const std::string pattern : {"[\\w.]", "[a\\]b]", "[^\\d]"}) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern).starts_with("between [ and ] a backslash is itself"));
  }
  for (const std::string pattern : {"\\<a", "a\\>", "\\'a\\'", "\\`a"}) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern).starts_with("it has no \\"));
  }
  for (const std::string pattern : {"[]a]", "[^]a]", "a[^]*"}) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern) == "a set may not begin with ]: write (a|\\])");
  }
  for (const std::string pattern : {"(", "[a", "[[:alpha:]", "a{2", "a\\", "[b-a]"}) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern) != "none");
  }
  CHECK(flaw_of(std::string("a\0b", 3)) == "it may not have the character U+0000");
  for (const std::string pattern : {"[?+]+", "\\+?", "[)(?]", "[^?+]", "\\w\\s\\b", "a|b", "[[:alpha:]_]+"}) {
    CAPTURE(pattern);
    CHECK(flaw_of(pattern) == "none");
  }
}

TEST_CASE("pattern: one that fits an empty text says so") {
  CHECK(Pattern("a*").fits_empty_text());
  CHECK(Pattern("^$").fits_empty_text());
  CHECK_FALSE(Pattern("a").fits_empty_text());
  CHECK_FALSE(Pattern("\\ba").fits_empty_text());
}
