#include "json/text.h"
#include "base/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;
using namespace std::string_literals;

namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("json_text: strings are written as Jackson writes them to bytes") {
  const struct {
    std::string text;
    std::string json;
  } cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\x01\x1F\v"s, R"("\u0001\u001F\u000B")"},
      {"\0"s, R"("\u0000")"},
      {"/ \x7F", "\"/ \x7F\""},
      {"\u2028\u2029", "\"\u2028\u2029\""},
      {"中文 é", "\"中文 é\""},
      {"\uFFFF\uD7FF\uE000", "\"\uFFFF\uD7FF\uE000\""},
      {"\U0001F600", R"("\uD83D\uDE00")"},
      {"a\U00010000b\U0010FFFF", R"("a\uD800\uDC00b\uDBFF\uDFFF")"},
  };
  for (const auto& [text, json] : cases) CHECK(json_of(text) == json);
}

TEST_CASE("json_text: bytes that are not UTF-8 become U+FFFD, so that the answer stays JSON") {
  CHECK(json_of("a\xFF"
                "b") == "\"a\uFFFDb\"");
  CHECK(json_of("\xE4\xB8") == "\"\uFFFD\uFFFD\"");
  CHECK(json_of("\xF0\x9F\x98") == "\"\uFFFD\uFFFD\uFFFD\"");
}

TEST_CASE("json_text: UTF-8 is told from what only looks like it") {
  for (const std::string good : {"", "a", "é", "中", "\U0001F600", "\uD7FF", "\uE000", "\U0010FFFF"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const std::string bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE4\xB8", "\xE4\xB8(",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xFE"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("json_text: the pretty layout is that of OCP's examples") {
  const struct {
    std::string compact;
    std::string pretty;
  } cases[] = {
      {"1", "1"},
      {"{}", "{}"},
      {"[]", "[]"},
      {R"({"a":1})", "{\n  \"a\": 1\n}"},
      {R"({"a":[],"b":{}})", "{\n  \"a\": [],\n  \"b\": {}\n}"},
      {R"([1,[2,3],{"a":null}])", "[\n  1,\n  [\n    2,\n    3\n  ],\n  {\n    \"a\": null\n  }\n]"},
      {R"(["{[,:]}","\"","\\","a\\\",:{"])", "[\n  \"{[,:]}\",\n  \"\\\"\",\n  \"\\\\\",\n  \"a\\\\\\\",:{\"\n]"},
  };
  for (const auto& [compact, pretty] : cases) CHECK(pretty_json(compact) == pretty);
}
