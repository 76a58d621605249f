#include "json/reader.h"

#include <doctest/doctest.h>
#include <algorithm>
#include <string>

using namespace ocp_mock;

TEST_CASE("json: one JSON document of a text") {
  std::string out;
  append_json(out, read_json_text(" {\"b\":[null,1.50,{\"c\":null}],\"a\":\"\\ud83d\\ude00\"}\n"));
  CHECK(out == R"({"a":"\uD83D\uDE00","b":[null,1.50,{"c":null}]})");
  CHECK(read_json_text("5").text == "5");
  const struct {
    std::string text;
    std::string problem;
    std::int64_t column;
  } refused[] = {
      {"", "the text is empty", 1},
      {" \n", "the text is empty", 1},
      {"{", "unexpected end of input", 1},
      {"{} {}", "a second document follows the first", 5},
      {"{} x", "invalid literal", 4},
      {R"({"a":1,"a":1})", "a stands twice in one object", 8},
      {R"({"o":{"a":1,"a":2}})", "a stands twice in one object", 13},
      {"\"\xff\"", "a byte that is no UTF-8", 2},
  };
  for (const auto& [text, problem, column] : refused) {
    CAPTURE(text);
    std::string got;
    try {
      read_json_text(text);
    } catch (const JsonSyntaxError& error) {
      got = error.what();
      CHECK(error.position().column == column);
    }
    CAPTURE(got);
    CHECK(got.find(problem) != std::string::npos);
  }
}

TEST_CASE("json: a canonical text reads to the value that it was made of") {
  for (const std::string text : {"{}", R"({"a":1.50})", R"({"a":"x","b":true,"c":-0,"d":""})", R"({"a":"\"\\\n"})",
                                 R"({"a":"\uD83D\uDE00"})", R"({"a":[1,{"b":null}],"c":{"d":"e"}})", R"({"é":"中"})",
                                 R"({"a":1e400,"b":123456789012345678901234567890})"}) {
    CAPTURE(text);
    const JsonValue value = read_canonical_json(text);
    const JsonValue expected = read_json_text(text);
    REQUIRE(value.members.size() == expected.members.size());
    for (std::size_t i = 0; i < value.members.size(); ++i) {
      CHECK(value.members[i].value.kind == expected.members[i].value.kind);
      CHECK(value.members[i].value.text == expected.members[i].value.text);
    }
    std::string out;
    append_json(out, value);
    CHECK(out == text);
  }
}

TEST_CASE("json: JSON values are the same by value") {
  const struct {
    std::string left;
    std::string right;
    bool same;
  } cases[] = {
      {"1", "1.0", true},
      {"1", "10e-1", true},
      {"1", "0.1E+1", true},
      {"0", "-0", true},
      {"0.000", "0e999999999999999999", false},  // the exponent is beyond what is compared
      {"0e99", "-0.0", true},
      {"1", "-1", false},
      {"100.1", "100.10", true},
      {"0.001", "1e-3", true},
      {"1000", "1e3", true},
      {"1000", "1e4", false},
      {"12345678901234567890123", "12345678901234567890123.0", true},
      {"12345678901234567890123", "12345678901234567890124", false},
      {"1", "\"1\"", false},
      {"1", "true", false},
      {"null", "false", false},
      {"null", "null", true},
      {"\"\\u0041\"", "\"A\"", true},
      {"\"A\"", "\"a\"", false},
      {"[]", "{}", false},
      {"[1,2]", "[1.0,2]", true},
      {"[1,2]", "[2,1]", false},
      {"[null]", "[]", false},
      {R"({"a":1,"b":null})", R"({"a":1.0})", true},
      {R"({"b":2,"a":1})", R"({"a":1,"b":2})", true},
      {R"({"a":1})", R"({"b":1})", false},
      {R"({"a":1})", R"({"a":1,"b":1})", false},
  };
  for (const auto& [left, right, same] : cases) {
    CAPTURE(left);
    CAPTURE(right);
    CHECK(same_json(read_json_text(left), read_json_text(right)) == same);
    CHECK(same_json(read_json_text(right), read_json_text(left)) == same);
  }
}

TEST_CASE("json: a value is written in the order in which it was read") {
  for (const std::string text :
       {R"({"b":1,"a":{"z":null,"y":[{"d":1,"c":2.50}]},"\"":"\u0001"})", R"([{"b":{},"a":[]},1e3])", R"("x")"}) {
    CAPTURE(text);
    std::string out;
    append_json_in_order(out, read_json_text(text));
    CHECK(out == text);
  }
  std::string out;
  append_json_in_order(out, read_json_text("{\n \"b\" : 1,\n\"a\":2, \"\xE4\xB8\xAD\":3,\"A\":4\n}"));
  CHECK(out == "{\"b\":1,\"a\":2,\"\xE4\xB8\xAD\":3,\"A\":4}");
}
