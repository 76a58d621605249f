#include "ocp/url.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

TEST_CASE("url: a target is a path and a query") {
  const struct {
    std::string target;
    std::string path;
    std::string query;
  } cases[] = {
      {"/a/b", "/a/b", ""},
      {"/a?x=1", "/a", "x=1"},
      {"/a?", "/a", ""},
      {"/a?x=1?y=2", "/a", "x=1?y=2"},
      {"?x", "/", "x"},
      {"http://host:8080/a?x=1", "/a", "x=1"},
      {"http://host", "/", ""},
      {"http://host?x=1", "/", "x=1"},
      {"/a?u=http://host/b", "/a", "u=http://host/b"},
      {"*", "*", ""},
  };
  for (const auto& [target, path, query] : cases) {
    CAPTURE(target);
    CHECK(split_target(target).path == path);
    CHECK(split_target(target).query == query);
  }
}

TEST_CASE("url: escapes are decoded once") {
  CHECK(percent_decode("a%20b%2Fc", Plus::Kept) == "a b/c");
  CHECK(percent_decode("%2541", Plus::Kept) == "%41");
  CHECK(percent_decode("%e4%B8%ad", Plus::Kept) == "中");
  CHECK(percent_decode("a+b%2B", Plus::Kept) == "a+b+");
  CHECK(percent_decode("a+b%2B", Plus::IsBlank) == "a b+");
  CHECK(percent_decode("", Plus::Kept) == "");
}

TEST_CASE("url: what does not decode is refused") {
  for (const std::string text :
       {"%", "%4", "a%", "%zz", "%4g", "%-1", "% 1", "%00", "a%00b", "%FF", "%C3", "%ED%A0%80", "\xFF"}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text, Plus::Kept));
  }
}

TEST_CASE("url: a query is split at & and at the first = of each piece") {
  const auto pairs = split_query("a=1&b=x=y&&c&=d&e=&a=1");
  REQUIRE(pairs.size() == 6);
  const char* names[] = {"a", "b", "c", "", "e", "a"};
  const char* values[] = {"1", "x=y", "", "d", "", "1"};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    CHECK(pairs[i].name == names[i]);
    CHECK(pairs[i].value == values[i]);
  }
  CHECK(split_query("").empty());
  CHECK(split_query("&&").empty());
}
