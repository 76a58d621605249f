#include "app/journal_entry.h"

#include <doctest/doctest.h>

#include <string>

#include "control/verify.h"

using namespace ocp_mock;

namespace {

JournalEntry entry_with(std::string body) {
  return journal_entry_of({"POST", "/a", {}, std::move(body), {}}, "admin", "t");
}

}  // namespace

TEST_CASE("journal entry: a body is kept up to 16 KiB, of a longer one its length and its hash too") {
  constexpr unsigned kCut = static_cast<unsigned>(RequestPart::Body);
  const std::string most(16 * 1024, 'x');
  SUBCASE("none") {
    const JournalEntry entry = entry_with("");
    CHECK(entry.body_bytes == 0);
    CHECK(json_of(entry, 0).text().starts_with(R"({"bytes":0,)"));
  }
  SUBCASE("the longest that is whole") {
    const JournalEntry entry = entry_with(most);
    CHECK(entry.body == most);
    CHECK(entry.body_bytes == 16384);
    CHECK(entry.body_sha256.empty());
    CHECK(entry.cut == 0);
  }
  SUBCASE("a byte more") {
    const JournalEntry entry = entry_with(most + "y");
    CHECK(entry.body == most);
    CHECK(entry.body_bytes == 16385);
    // By sha256sum.
    CHECK(entry.body_sha256 == "1953e19a71d7df2a0bc33c22fa8da71730524171d7dfe5552503428c419fdb6e");
    CHECK(entry.cut == kCut);
  }
  SUBCASE("what is cut is a text, even where it is JSON") {
    const JournalEntry entry = entry_with(std::string(20'000, '1'));
    CHECK(json_of(entry, 0).text().starts_with(R"({"body":"111)"));
  }
  SUBCASE("a secret beyond the cut is masked, and no hash tells it") {
    const JournalEntry entry = entry_with(R"({"a":")" + most + R"(","password":"geheim"})");
    CHECK(entry.body == R"({"a":")" + most.substr(6));
    CHECK(entry.body_sha256.empty());
    CHECK(entry.cut == kCut);
  }
  SUBCASE("a secret before the cut") {
    const JournalEntry entry = entry_with(R"({"Password":"geheim","a":")" + most + R"("})");
    CHECK(entry.body.starts_with(R"({"Password":"***","a":"xx)"));
    CHECK(entry.body.size() == 16384);
    CHECK(entry.body_sha256.empty());
  }
  SUBCASE("of more than 256 KiB the beginning alone is looked at") {
    const JournalEntry entry = entry_with(R"({"password":"geheim","a":")" + std::string(300'000, 'x') + R"("})");
    CHECK(entry.body == "***");
    CHECK(entry.body_bytes == 300'028);
    CHECK(entry.body_sha256.empty());
    CHECK(entry.cut == kCut);
    CHECK(entry_with(std::string(300'000, 'x')).body == most);
  }
  SUBCASE("of more than 256 KiB a secret beyond the beginning leaves no hash") {
    for (const std::string name : {"password", "p\\u0061ssword", "pass%77ord"}) {
      CAPTURE(name);
      const JournalEntry entry =
          entry_with(R"({"a":")" + std::string(300'000, 'x') + R"(",")" + name + R"(":"geheim"})");
      CHECK(entry.body == R"({"a":")" + most.substr(6));
      CHECK(entry.body_sha256.empty());
      CHECK(entry.cut == kCut);
    }
    CHECK_FALSE(entry_with(R"({"a":")" + std::string(300'000, 'x') + R"("})").body_sha256.empty());
  }
  SUBCASE("the name of a secret that is cut in two is none, for its value is gone as well") {
    const std::string begin = R"({"a":")" + std::string(16 * 1024 - 14, 'x') + R"(",")";
    const JournalEntry entry = entry_with(begin + R"(password":"geheim","b":")" + std::string(300'000, 'x') + R"("})");
    CHECK(entry.body == begin + "passw");
    CHECK(entry.body_sha256.empty());
  }
  SUBCASE("10 MB of anything") {
    for (const std::string part : {"[", R"({"a":)", "a=b&", "%", "\\u00", "\xff", "pass", "https://a@"}) {
      CAPTURE(part);
      std::string body;
      while (body.size() < 10'000'000) body += part;
      const JournalEntry entry = entry_with(body);
      CHECK(entry.body.size() <= 16384);
      CHECK(entry.body_bytes == body.size());
      CHECK(entry.body_sha256.size() == 64);
    }
  }
  SUBCASE("bytes that are no text") {
    const JournalEntry entry = entry_with(std::string("\0\xff\"", 3));
    CHECK(json_of(entry, 0).text().starts_with("{\"body\":\"\\u0000\xef\xbf\xbd\\\"\",\"bodyBytes\":3,"));
  }
}
