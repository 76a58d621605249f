#include "ocp/path_template.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;

TEST_CASE("path template: paths are compared segment by segment, so that %2F is a character of its segment") {
  const struct {
    PathTemplate made;
    std::vector<std::string> fits;
    std::vector<std::string> others;
  } cases[] = {
      {PathTemplate::of_path("/a/b"),
       {"/a/b", "/a/b/", "/%61/b"},
       {"/a", "/a/b/c", "/a%2Fb", "/a//b", "/a/b//", "a/b"}},
      {PathTemplate::of_path("/a%2fb/"), {"/a%2Fb", "/a%2fb/", "/%61%2F%62"}, {"/a/b", "/a%252Fb"}},
      {PathTemplate::of_path("/a%252Fb"), {"/a%252Fb", "/%61%252Fb"}, {"/a/b", "/a%2Fb", "/a%252fb"}},
      {PathTemplate::of_path("/"), {"/"}, {"", "*", "/a"}},
      {PathTemplate::of_path("*"), {"*"}, {"/*", "/"}},
      {PathTemplate::of_path("/%zz"), {"/%zz", "/%25zz"}, {"/zz"}},
      {PathTemplate::of_beginning("/a/b"), {"/a/b", "/a/bc", "/a/b/", "/a/b/c", "/a/%62c/d"}, {"/a", "/a%2Fb", "/b"}},
      {PathTemplate::of_beginning("/a/"), {"/a/", "/a/b", "/a/%2F"}, {"/a", "/a%2Fb"}},
      {PathTemplate::of_beginning("/a%2F"), {"/a%2F", "/a%2fb", "/a%2F%20/c"}, {"/a/", "/a/b"}},
      {PathTemplate(), {"/", "*", "", "/a/b", "/%zz"}, {}},
      {PathTemplate::of_template("/a/{x}/c"),
       {"/a/b/c", "/a/%2F/c/", "/a/b%2Fb/c", "/%61/{x}/c"},
       {"/a//c", "/a/b/b/c", "/a/b", "/a/b/c/d", "/a/b%2Fc"}},
      {PathTemplate::of_template("/{x}/"), {"/a", "/a/"}, {"/", "//", "*", "/a/b"}},
  };
  for (const auto& [made, fits, others] : cases) {
    for (const std::string& path : fits) {
      CAPTURE(path);
      CHECK(made.fits(path));
    }
    for (const std::string& path : others) {
      CAPTURE(path);
      CHECK_FALSE(made.fits(path));
    }
  }
}

TEST_CASE("path template: two overlap where a path may fit both") {
  const struct {
    PathTemplate made;
    std::vector<std::string> overlaps;
    std::vector<std::string> others;
  } cases[] = {
      {PathTemplate::of_path("/a/b"), {"/a/b", "/a/{x}", "/{x}/{y}"}, {"/a", "/a/c", "/a/b/c", "/{x}"}},
      {PathTemplate::of_template("/a/{x}"), {"/a/b", "/{y}/c", "/a/{z}"}, {"/b/{x}", "/a/{x}/c"}},
      {PathTemplate::of_beginning("/a/b"), {"/a/bc", "/a/{x}", "/{x}/b/c"}, {"/a", "/a/cb", "/{x}"}},
      {PathTemplate(), {"/", "/a/{x}"}, {}},
  };
  for (const auto& [made, overlaps, others] : cases) {
    for (const std::string& path : overlaps) {
      CAPTURE(path);
      CHECK(made.overlaps(PathTemplate::of_template(path)));
    }
    for (const std::string& path : others) {
      CAPTURE(path);
      CHECK_FALSE(made.overlaps(PathTemplate::of_template(path)));
    }
  }
}

TEST_CASE("path template: what placeholders take is given as it was sent") {
  const PathTemplate made = PathTemplate::of_template("/worlds/{user}/x/{id}");
  const auto values = made.values("/worlds/a%2Fb/x/7/");
  REQUIRE(values);
  CHECK(*values == std::vector<std::string_view>{"a%2Fb", "7"});
  CHECK_FALSE(made.values("/worlds/a/b/x/7"));
  CHECK(PathTemplate::of_template("/a").values("/a")->empty());
}

TEST_CASE("path template: the text of a path tells its segments") {
  const std::pair<std::string, std::string> cases[] = {
      {"/a/b", "/a/b"},         {"/%61/%e6%97%a5", "/a/日"}, {"/a%2fb/c%20d", "/a%2Fb/c d"}, {"/a%252Fb", "/a%252Fb"},
      {"/a%2F%20", "/a%2F%20"}, {"/100%25", "/100%"},        {"/%zz/%41", "/%zz/A"},         {"*", "*"},
  };
  for (const auto& [path, text] : cases) CHECK(decoded_path(path) == text);
  CHECK(segments_of("/a%2Fb/") == std::vector<std::string>{"", "a/b", ""});
}
