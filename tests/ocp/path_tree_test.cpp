#include "ocp/path_tree.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace ocp_mock;

namespace {

using Tree = PathTree<std::string>;

void add(Tree& tree, const PathTemplate& path, const std::string& name) {
  tree.update(path, [&](std::string& value) { value += name; });
}

void remove(Tree& tree, const PathTemplate& path) {
  tree.update(path, [](std::string& value) { value.clear(); });
}

std::vector<std::string> found(const Tree& tree, std::string_view path) {
  std::vector<std::string> names;
  CHECK_FALSE(tree.find(path, [&](const std::string& name) {
    names.push_back(name);
    return false;
  }));
  return names;
}

}  // namespace

TEST_CASE("path tree: it finds what each template by itself fits, and nothing that was removed") {
  std::vector<std::string> texts{"/",      "/{x}",   "/{x}/{y}", "/a",       "/a/b",
                                 "/a/{x}", "/{x}/b", "/a/{x}/c", "/%61%2Fb", "/b"};
  std::vector<PathTemplate> templates;
  for (const std::string& text : texts) templates.push_back(PathTemplate::of_template(text));
  for (const std::string text : {"", "/", "/a", "/a/", "/a/b", "*"}) {
    texts.push_back(text + "...");
    templates.push_back(PathTemplate::of_beginning(text));
  }
  templates.push_back(PathTemplate::of_path("*"));
  texts.emplace_back("*");
  Tree tree;
  for (std::size_t i = 0; i < templates.size(); ++i) add(tree, templates[i], texts[i]);
  const std::vector<std::string> paths{"/",  "",    "*",      "//",      "/a",     "/a/",  "/a//",   "/a/b",   "/a/b/",
                                       "/b", "/ab", "/a/bc",  "/%61",    "/%zz",   "/c/b", "/c/d/",  "/a/x/c", "/a//c",
                                       "**", "a",   "/a%2Fb", "/a%2fb/", "/a/%62", "//a",  "/a/b/c", "/a/b/c/"};
  for (std::size_t removed = 0; removed <= templates.size(); ++removed) {
    CAPTURE(removed);
    for (const std::string& path : paths) {
      CAPTURE(path);
      std::vector<std::string> expected;
      for (std::size_t i = removed; i < templates.size(); ++i) {
        if (templates[i].fits(path)) expected.push_back(texts[i]);
      }
      auto names = found(tree, path);
      std::ranges::sort(names);
      std::ranges::sort(expected);
      CHECK(names == expected);
    }
    std::size_t count = 0;
    tree.each([&](const std::string&) { ++count; });
    CHECK(count == templates.size() - removed);
    if (removed < templates.size()) remove(tree, templates[removed]);
  }
}

TEST_CASE("path tree: literals come before placeholders, with what these took") {
  Tree tree;
  add(tree, PathTemplate::of_template("/{x}/{y}"), "1");
  add(tree, PathTemplate::of_template("/a/{y}"), "2");
  add(tree, PathTemplate::of_template("/a/b"), "3");
  add(tree, PathTemplate::of_template("/{x}/b"), "4");
  CHECK(found(tree, "/a/b") == std::vector<std::string>{"3", "2", "4", "1"});
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {"3", {}}, {"2", {"b"}}, {"4", {"a"}}, {"1", {"a", "b"}}};
  for (const auto& [wanted, values] : cases) {
    CAPTURE(wanted);
    std::vector<std::string> taken;
    CHECK(tree.find(
        "/%61/b", [&](const std::string& name) { return name == wanted; }, &taken));
    CHECK(taken == values);
  }
}
