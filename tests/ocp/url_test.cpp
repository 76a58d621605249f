#include "ocp/url.h"

#include <doctest/doctest.h>

#include <optional>
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

TEST_CASE("url: what may be a user and a password before an @ is not shown") {
  const std::pair<std::string, std::string> cases[] = {{"/a@b", "/a@b"},
                                                       {"//u:p@h/a", "***@h/a"},
                                                       {"u:p@h:80", "***@h:80"},
                                                       {"//u:p@q@h", "***@h"},
                                                       {"//h/a", "//h/a"},
                                                       {"", ""},
                                                       {"*", "*"}};
  for (const auto& [path, shown_path] : cases) {
    CAPTURE(path);
    CHECK(without_user(path) == shown_path);
  }
}

TEST_CASE("url: everything but RFC 3986's unreserved characters is encoded") {
  CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encode(" +,/:*%") == "%20%2B%2C%2F%3A%2A%25");
  CHECK(percent_encode("中") == "%E4%B8%AD");
  CHECK(percent_encode(std::string(1, '\0')) == "%00");
}

TEST_CASE("url: nobody sees the user and the password of a URL") {
  const std::pair<std::string, std::string> cases[] = {
      {"https://user:pa%20ss@host:8080/a?b=c@d#e@f", "https://***@host:8080/a?b=c@d#e@f"},
      {"https://user@host", "https://***@host"},
      {"https://u:p@ss@host/", "https://***@host/"},
      {"http://host/a@b", "http://host/a@b"},
      {"http://host?a=b@c", "http://host?a=b@c"},
      {"see <ftp://u:p@h>, http://h/x and https://@h/", "see <ftp://***@h>, http://h/x and https://***@h/"},
      {"user@host", "user@host"},
      {"://", "://"},
      {"https%3A%2F%2Fuser%3Apass%40host%2Fa%40b", "https%3A%2F%2F***%40host%2Fa%40b"},
      {"https%3a%2f%2fuser:pass@host", "https%3a%2f%2f***@host"},
      {"https://user:p%2Fss%40host/", "https://***%40host/"},
      {"https://user:p%40ss@host/", "https://***@host/"},
      {"https%3A%2F%2Fhost%2Fa%40b", "https%3A%2F%2Fhost%2Fa%40b"},
      {"http://h/?u=https%3A%2F%2Fa%3Ab%40c", "http://h/?u=https%3A%2F%2F***%40c"},
      {"%3A%2F%2", "%3A%2F%2"},
      {"", ""},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(without_user_info(text) == expected);
  }
}

TEST_CASE("url: nobody sees the user and the password of a URL in a query") {
  const std::pair<std::string, std::string> cases[] = {
      {"a=1&u=https%3A%2F%2Fx%3Ay%40h%2F&b=c%40d", "a=1&u=https%3A%2F%2F***%40h%2F&b=c%40d"},
      {"u=http://x&b=y@z", "u=http://x&b=y@z"},
      {"https://a:b@h", "https://***@h"},
      {"a=b&&c=@", "a=b&&c=@"},
      {"", ""},
  };
  for (const auto& [query, expected] : cases) {
    CAPTURE(query);
    CHECK(query_without_user_info(query) == expected);
  }
}

TEST_CASE("url: targets that ask for the same have one canonical form") {
  const struct {
    std::string path;
    std::string query;
    std::optional<std::string> canonical;
  } cases[] = {
      {"/a/b", "", "/a/b"},
      {"/a/b/", "", "/a/b"},
      {"/a/b//", "", "/a/b/"},
      {"/", "", "/"},
      {"/%61/%2f/%e4%b8%ad", "", "/a/%2F/%E4%B8%AD"},
      {"/a+b", "", "/a%2Bb"},
      {"/a", "y=1&x=2", "/a?x=2&y=1"},
      {"/a", "x=2&x=1&w", "/a?w=&x=2&x=1"},
      {"/a", "&x=%31+%2B&&", "/a?x=1%20%2B"},
      {"/a", "x=1%262", "/a?x=1%262"},
      {"/%zz", "", std::nullopt},
      {"/%00", "", std::nullopt},
      {"/a", "x=%FF", std::nullopt},
      {"/a", "%4", std::nullopt},
  };
  for (const auto& [path, query, canonical] : cases) {
    CAPTURE(path);
    CAPTURE(query);
    CHECK(canonical_target(path, query) == canonical);
    if (!canonical) continue;
    const Target again = split_target(*canonical);
    if (path != "/a/b//") CHECK(canonical_target(again.path, again.query) == canonical);
  }
}
