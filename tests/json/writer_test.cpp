#include "json/writer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "json/reader.h"

using namespace ocp_mock;

TEST_CASE("json writer: each kind of value is written as JSON") {
  const std::string given = "a \"b\"\n";
  JsonArray array;
  CHECK(array.empty());
  CHECK(array.text() == "[]");
  array.add("text").add(given).add(std::string_view("\xff")).add(true).add(false);
  array.add(0).add(std::numeric_limits<std::int64_t>::min()).add(std::numeric_limits<std::uint64_t>::max());
  array.add(RawJson{"1.50"}).add(std::optional<std::string>()).add(std::optional<int>(7));
  array.add(JsonArray()).add(JsonObject()).add(JsonArray().add(JsonArray().add(1)));
  CHECK_FALSE(array.empty());
  CHECK(array.text() ==
        "[\"text\",\"a \\\"b\\\"\\n\",\"\xef\xbf\xbd\",true,false,0,-9223372036854775808,18446744073709551615,1.50,"
        "null,7,[],{},[[1]]]");
  CHECK(read_json_text(array.text()).items.size() == 14);
}

TEST_CASE("json writer: members stand in the order in which they were added, their keys escaped") {
  JsonObject object;
  CHECK(object.empty());
  CHECK(object.text() == "{}");
  object.add("b", 1).add("a\"", JsonObject().add("c", std::optional<bool>())).add("", JsonArray().add("x"));
  CHECK_FALSE(object.empty());
  CHECK(object.text() == R"({"b":1,"a\"":{"c":null},"":["x"]})");
}

TEST_CASE("json writer: an array is made of what a function makes of each item") {
  const std::vector<int> numbers{1, 2};
  CHECK(JsonArray(numbers, [](int number) { return JsonObject().add("n", number); }).text() == R"([{"n":1},{"n":2}])");
  CHECK(JsonArray(std::vector<int>(), [](int number) { return number; }).text() == "[]");
  CHECK(JsonArray(std::vector<std::string>{"a", "b"}).text() == R"(["a","b"])");
}
