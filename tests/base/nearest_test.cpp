#include "base/nearest.h"

#include <doctest/doctest.h>

#include <array>

namespace ocp_mock {
namespace {

constexpr std::array<std::string_view, 7> kFields{"delay",    "status",     "checkpoint", "clusterId",
                                                  "tenantId", "createTime", "id"};

TEST_CASE("a misspelt word is answered with the candidate that it resembles most") {
  struct Case {
    std::string word;
    std::optional<std::string_view> expected;
  };
  const Case cases[] = {
      {"delya", "delay"},          // two letters swapped
      {"dely", "delay"},           // one is missing
      {"delaay", "delay"},         // one too many
      {"delax", "delay"},          // another one
      {"DELAY", "delay"},          // another case
      {"stat", "status"},          // cut
      {"cluster", "clusterId"},    //
      {"tennant_id", "tenantId"},  //
      {"createtime", "createTime"},
      {"delay", "delay"},
      {"ix", "id"},
      {"", std::nullopt},
      {"x", std::nullopt},
      {"colour", std::nullopt},
      {"de", std::nullopt},
      {std::string(1'000'000, 'd'), std::nullopt},  // at once
  };
  for (const Case& one : cases) {
    CAPTURE(one.word.substr(0, 20));
    CHECK(nearest(one.word, kFields) == one.expected);
  }
  CHECK(nearest("delay", std::array<std::string_view, 0>{}) == std::nullopt);
  // Of equals the first.
  CHECK(nearest("bat", std::array<std::string, 2>{"cat", "hat"}) == "cat");
}

TEST_CASE("the distance of words counts what must be changed") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("abcd", "badc") == 2);
}

TEST_CASE("a hint stands at the end of a message or not at all") {
  CHECK(did_you_mean("delya", kFields) == "; did you mean 'delay'?");
  CHECK(did_you_mean("colour", kFields) == "");
}

}  // namespace
}  // namespace ocp_mock
