#include "ocp/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "base/utf8.h"
#include "json/text.h"

using namespace ocp_mock;

TEST_CASE("error: every message has both languages, and both have the same places") {
  for (const MessageRow& row : message_catalogue()) {
    CAPTURE(row.english);
    CHECK_FALSE(row.english.empty());
    CHECK_FALSE(row.chinese.empty());
    CHECK(is_utf8(row.chinese));
    const bool has_chinese = row.chinese.find_first_not_of(
                                 " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                 "abcdefghijklmnopqrstuvwxyz{|}~") != std::string_view::npos;
    CHECK(has_chinese);
    for (int i = 0; i < 6; ++i) {
      const std::string place = fmt::format("{{{}}}", i);
      CHECK((row.english.find(place) != std::string_view::npos) == (i < row.arguments));
      CHECK((row.chinese.find(place) != std::string_view::npos) == (i < row.arguments));
    }
    CHECK(row.status >= 400);
  }
}

TEST_CASE("error: arguments go into the text as they are") {
  const ApiError error(Message::NotAnInteger, {"id", "{0}%s{{"});
  CHECK(error.status() == 400);
  CHECK(error.code() == 0);
  CHECK(std::string(error.what()) == "Parameter 'id' is '{0}%s{{'; it must be a 64-bit integer in decimal digits.");
  CHECK(error.text(Language::Chinese) == "参数 id 的值“{0}%s{{”无效；必须是十进制的 64 位整数。");
}

TEST_CASE("error: error codes are OCP's") {
  CHECK(message_row(Message::StartAfterEnd).code == 10005);
  CHECK(message_row(Message::RowMissing).code == 10002);
  // Each resource may have its own.
  const ApiError tenant(
      {Message::RowMissingBelow,
       {Argument("Tenant", "租户"), "7", Argument("cluster", "集群"), "1", Argument("a tenant", "租户")}},
      60002);
  CHECK(tenant.code() == 60002);
  CHECK(tenant.status() == 404);
  CHECK(tenant.text(Language::English) ==
        "Tenant '7' does not exist in cluster '1'; ask for a tenant that the fixtures name.");
  CHECK(tenant.text(Language::Chinese) == "租户“7”在集群“1”中不存在；请使用数据中已有的租户。");
  CHECK(message_row(Message::Unexpected).code == 10010);
}

TEST_CASE("error: a client's text is shown cut and safe") {
  CHECK(printable("abc") == "abc");
  CHECK(printable("") == "");
  CHECK(printable("a\nb\x7F\xFF") == "a%0Ab%7F%FF");
  CHECK(printable("a", 0) == "...");
  // Nothing that steers a terminal, turns a line round, or is not seen.
  CHECK(printable("a\u009bb") == "a%C2%9Bb");
  CHECK(printable("\u0080|\u009f|\u00a0") == "%C2%80|%C2%9F|\u00a0");
  CHECK(printable("\u00ad|\u061c|\u180e") == "%C2%AD|%D8%9C|%E1%A0%8E");
  CHECK(printable("\u200a|\u200b|\u200f|\u2010") == "\u200a|%E2%80%8B|%E2%80%8F|\u2010");
  CHECK(printable("\u2027|\u2028|\u2029|\u202e|\u202f") == "\u2027|%E2%80%A8|%E2%80%A9|%E2%80%AE|\u202f");
  CHECK(printable("\u205f|\u2060|\u2066|\u206f|\u2070") == "\u205f|%E2%81%A0|%E2%81%A6|%E2%81%AF|\u2070");
  CHECK(printable("\ufeff|\ufff9|\ufffb|\ufffd") == "%EF%BB%BF|%EF%BF%B9|%EF%BF%BB|\ufffd");
  CHECK(printable("\U000e0001|\U000e007f|\U000e0100") == "%F3%A0%80%81|%F3%A0%81%BF|\U000e0100");
  CHECK(printable("\u202e", 1) == "%E2%80%AE");
  CHECK(printable("\u4e2d\U0001f600\u00e9") == "\u4e2d\U0001f600\u00e9");
  const std::string hundred(100, 'x');
  CHECK(printable(hundred) == hundred);
  CHECK(printable(hundred + "y") == hundred + "...");
  std::string chinese;
  for (int i = 0; i < 101; ++i) chinese += "中";
  CHECK(printable(chinese) == chinese.substr(0, 300) + "...");
}
