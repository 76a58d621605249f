#include "catalogue/request.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catalogue/parsed_request.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

// The values of a parameter; none without a condition.
std::vector<Value> values_of(const Request& request, std::string_view name) {
  const auto found = std::ranges::find(request.conditions, name, [](const Condition& c) { return c.parameter->name; });
  return found == request.conditions.end() ? std::vector<Value>() : found->values;
}

// The words that are searched for.
std::vector<std::string> statuses(std::string_view query, WordMatch match = WordMatch::Exact) {
  std::vector<std::string> words;
  for (const Value& value : values_of(parse(query, path(), {.word_match = match}), "status")) {
    words.push_back(std::get<std::string>(value));
  }
  return words;
}

}  // namespace

TEST_CASE("request: without a query all have their defaults") {
  const Parsed request = parse("");
  CHECK(request.path[0] == Value(1000005));
  CHECK(request.path[1] == Value(1000012));
  CHECK(request.conditions.empty());
  CHECK(request.window == Window::CreateTime);
  CHECK(request.page == 1);
  CHECK(request.size == 10);
  CHECK(request.sort.empty());
  CHECK(request.violations.empty());
}

TEST_CASE("request: ids are 64-bit integers") {
  const struct {
    std::string text;
    std::int64_t value;
  } good[] = {{"0", 0},
              {"-1", -1},
              {"007", 7},
              {"-0", 0},
              {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
              {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()}};
  for (const auto& [text, value] : good) {
    CAPTURE(text);
    CHECK(parse("", path(text)).path[0] == Value(value));
    CHECK(parse("", path("1", text)).path[1] == Value(value));
  }
  for (const std::string text : {"", " ", "abc", "1a", "+1", "1.0", "1e3", " 1", "1 ", "0x10", "--1", "-",
                                 "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "１"}) {
    CAPTURE(text);
    CHECK(refusal(path(text), "") ==
          "400 0 Parameter 'id' is '" + std::string(text) + "'; it must be a 64-bit integer in decimal digits.");
    CHECK(refusal(path("1", text), "") ==
          "400 0 Parameter 'tenantId' is '" + std::string(text) + "'; it must be a 64-bit integer in decimal digits.");
  }
}

TEST_CASE("request: page and size are integers of at least 1") {
  for (const std::string name : {"page", "size"}) {
    for (const std::string text : {"", "0", "-1", "%201", "1%20", "+1", "%2B1", "1.0", "abc", "9223372036854775808"}) {
      CAPTURE(text);
      const std::string answer = refusal(path(), name + "=" + text);
      CHECK(answer.starts_with("400 0 Parameter '" + name + "' is '"));
      CHECK(answer.ends_with("'; it must be a 64-bit integer of at least 1."));
    }
    CHECK(refusal(path(), name).starts_with("400"));
  }
  CHECK(parse("page=9223372036854775807").page == std::numeric_limits<std::int64_t>::max());
  CHECK(parse("page=3&size=7").page == 3);
  CHECK(parse("page=3&size=7").size == 7);
}

TEST_CASE("request: a size over 2000 is answered as 2000 and noted") {
  CHECK(parse("size=2000").size == 2000);
  CHECK(parse("size=2000").violations.empty());
  for (const std::string query : {"size=2001", "size=9223372036854775807"}) {
    const Parsed request = parse(query);
    CHECK(request.size == 2000);
    CHECK(rules(request) == std::vector{Message::SizeOverMaximum});
  }
}

TEST_CASE("request: times are UTC seconds") {
  const Parsed request = parse("startTime=2024-08-06T00:00:00Z&endTime=2024-08-07T00%3A00%3A00Z");
  CHECK(values_of(request, "startTime") == std::vector<Value>{Instant{1722902400, 0}});
  CHECK(values_of(request, "endTime") == std::vector<Value>{Instant{1722988800, 0}});
  CHECK(refusal(path(), "startTime=") ==
        "400 0 Parameter 'startTime' is ''; it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ.");
  CHECK(refusal(path(), "endTime=2024-08-06T00:00:00%2B08:00") ==
        "400 0 Parameter 'endTime' is '2024-08-06T00:00:00+08:00'; it must be a UTC time of the form "
        "YYYY-MM-DDThh:mm:ssZ.");
}

TEST_CASE("request: of a time with a raw plus sign the refusal says what became of it") {
  for (const std::string given :
       {"2024-07-10T00:00:00+08:00", "2024-07-10T00%3A00%3A00+08%3A00", "2024-07-10T00:00:00+0800",
        "2024-07-10T00:00:00+08", "2024-07-10T00:00:00.123+08:00", "2024-07-10T00:00:00%2008:00"}) {
    CAPTURE(given);
    const std::string answer = refusal(path(), "endTime=" + given);
    CHECK(answer.starts_with("400 0 Parameter 'endTime' is '2024-07-10T00:00:00"));
    CHECK(
        answer.ends_with("', with a blank where the sign of an offset would be; a raw + in a query means a blank and "
                         "must be sent as %2B. This parameter takes no offset: it must be a UTC time of the form "
                         "YYYY-MM-DDThh:mm:ssZ."));
  }
  // An encoded one arrives, and what has a blank elsewhere has it for another reason.
  for (const std::string given :
       {"2024-07-10T00:00:00%2B08:00", "2024-07-10T00:00:00-08:00", "2024-07-10+00:00:00Z", "2024-07-10+00:00",
        "2024-07-10T00:00:00Z+", "+2024-07-10T00:00:00Z", "2024-07-10T00:00:00+Z", "2024-07-10T00:00:00++08:00",
        "2024-07-10T00:00:00Z+08:00", "2024-02-30T00:00:00+08:00", "2024-07-10T00:00:00+8", "+", "+08:00"}) {
    CAPTURE(given);
    CHECK(
        refusal(path(), "startTime=" + given).ends_with("'; it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ."));
  }
}

TEST_CASE("request: a start after the end is refused, an equal one is not") {
  CHECK(refusal(path(), "startTime=2024-08-07T00:00:00Z&endTime=2024-08-06T23:59:59Z") ==
        "400 10005 Parameter 'startTime' is '2024-08-07T00:00:00Z', after 'endTime', which is '2024-08-06T23:59:59Z'; "
        "it must not be later than endTime.");
  CHECK(refusal(path(), "startTime=2024-08-07T00:00:00Z&endTime=2024-08-07T00:00:00Z") == "accepted");
}

TEST_CASE("request: statuses are given again, comma-separated, or both") {
  using Statuses = std::vector<std::string>;
  CHECK(statuses("status=FAILED") == Statuses{"FAILED"});
  CHECK(statuses("status=FAILED&status=RUNNING") == Statuses{"FAILED", "RUNNING"});
  CHECK(statuses("status=RUNNING,FAILED") == Statuses{"FAILED", "RUNNING"});
  CHECK(statuses("status=FAILED%2CRUNNING&status=STOPPED") == Statuses{"STOPPED", "FAILED", "RUNNING"});
  CHECK(statuses("status=FAILED,FAILED&status=FAILED") == Statuses{"FAILED"});
  for (const std::string status :
       {"STARTING", "INPROGRESS", "STOPPING", "STOPPED", "FAILED", "INTERRUPTED", "UNKNOWN", "RUNNING", "BEGINNING"}) {
    CHECK(statuses("status=" + status) == Statuses{status});
  }
}

TEST_CASE("request: by meaning a status finds the words that mean the same") {
  using Statuses = std::vector<std::string>;
  const struct {
    std::string query;
    Statuses words;
  } cases[] = {
      {"status=INPROGRESS", {"INPROGRESS", "RUNNING"}},
      {"status=RUNNING", {"INPROGRESS", "RUNNING"}},
      {"status=RUNNING,INPROGRESS", {"INPROGRESS", "RUNNING"}},
      {"status=STARTING", {"STARTING", "BEGINNING"}},
      {"status=BEGINNING", {"STARTING", "BEGINNING"}},
      {"status=BEGINNING,FAILED&status=RUNNING", {"STARTING", "INPROGRESS", "FAILED", "RUNNING", "BEGINNING"}},
      {"status=STOPPING", {"STOPPING"}},
      {"status=STOPPED", {"STOPPED"}},
      {"status=FAILED", {"FAILED"}},
      {"status=INTERRUPTED", {"INTERRUPTED"}},
      {"status=UNKNOWN", {"UNKNOWN"}},
      {"status=", {}},
      {"", {}},
  };
  for (const auto& [query, words] : cases) {
    CAPTURE(query);
    CHECK(statuses(query, WordMatch::Meaning) == words);
  }
  CHECK(parse("status=RUNNING").conditions == parse("status=INPROGRESS").conditions);
}

TEST_CASE("request: blanks around a status are no part of it") {
  using Statuses = std::vector<std::string>;
  for (const std::string query :
       {"status=FAILED,%20STOPPED", "status=FAILED,+STOPPED", "status=+FAILED+,%09STOPPED%20"}) {
    CAPTURE(query);
    CHECK(statuses(query) == Statuses{"STOPPED", "FAILED"});
    CHECK(parse(query).violations.empty());
  }
  CHECK(statuses("status=+") == Statuses{});
  CHECK(rules(parse("status=FAILED,+")) == std::vector{Message::EmptyValue});
  CHECK(refusal(path(), "status=IN+PROGRESS").starts_with("400 0 Parameter 'status' is 'IN PROGRESS';"));
}

TEST_CASE("request: commas and repetition at once are both read, and noted") {
  const std::vector noted{Message::CommasAndRepetition};
  for (const std::string query :
       {"status=FAILED,STOPPED&status=RUNNING", "status=FAILED&page=1&status=STOPPED%2CRUNNING",
        "status=FAILED,STOPPED&status=RUNNING,FAILED&status=STOPPED"}) {
    CAPTURE(query);
    CHECK(statuses(query) == std::vector<std::string>{"STOPPED", "FAILED", "RUNNING"});
    CHECK(rules(parse(query)) == noted);
  }
  CHECK(parse("status=FAILED,STOPPED").violations.empty());
  CHECK(parse("status=FAILED&status=STOPPED").violations.empty());
  CHECK(parse("status=FAILED,STOPPED&status=RUNNING").violations.at(0).text(Language::English) ==
        "Parameter 'status' is given more than once, and with commas as 'FAILED,STOPPED'; give it once with commas, or "
        "once for each value. OCP does not split the commas then, --strict refuses it.");
}

TEST_CASE("request: another word is no status") {
  for (const std::string word :
       {"failed", "FAIL", "IN_PROGRESS", "FAILED%C2%A0", "FAILED%0A", "DOING", "FAILED;RUNNING", "*", "中"}) {
    CAPTURE(word);
    CHECK(refusal(path(), std::string("status=RUNNING,") + word).starts_with("400 0 Parameter 'status' is '"));
  }
  CHECK(refusal(path(), "status=DONE") ==
        "400 0 Parameter 'status' is 'DONE'; it must be one of STARTING, INPROGRESS, STOPPING, STOPPED, FAILED, "
        "INTERRUPTED, UNKNOWN, RUNNING, BEGINNING.");
}

TEST_CASE("request: a misspelt status or sort field is answered with the nearest right one, where there is one") {
  const std::pair<std::string, std::string> cases[] = {
      {"status=RUNING", "RUNNING"},
      {"status=running", "RUNNING"},
      {"status=FAILED,STOPED", "STOPPED"},
      {"status=IN+PROGRESS", "INPROGRESS"},
      {"sort=createtime", "createTime"},
      {"sort=createTme,desc", "createTime"},
      {"sort=check_point", "checkpoint"},
      {"status=DONE", ""},
      {"sort=clusterName", ""},
      {"sort=createTime,down", ""},
  };
  for (const auto& [query, meant] : cases) {
    CAPTURE(query);
    const std::string text = refusal(path(), query);
    CAPTURE(text);
    CHECK((text.find("Did you mean") != std::string::npos) == !meant.empty());
    if (!meant.empty()) CHECK(text.ends_with(". Did you mean '" + meant + "'?"));
  }
}

TEST_CASE("request: an empty status filters nothing and is noted") {
  for (const std::string query : {"status=", "status", "status=,", "status=&page=1"}) {
    CAPTURE(query);
    CHECK(parse(query).conditions.empty());
    CHECK(rules(parse(query)) == std::vector{Message::EmptyValue});
  }
  CHECK(statuses("status=FAILED,") == std::vector<std::string>{"FAILED"});
  CHECK(rules(parse("status=FAILED,")) == std::vector{Message::EmptyValue});
}

TEST_CASE("request: of a scalar given twice the first counts, and it is noted") {
  const Parsed request = parse("page=2&size=3&page=5&page=x");
  CHECK(request.page == 2);
  CHECK(rules(request) == std::vector{Message::RepeatedParameter, Message::RepeatedParameter});
  CHECK(refusal(path(), "page=x&page=2").starts_with("400"));
}

TEST_CASE("request: unknown parameters are ignored and noted") {
  const Parsed request = parse("pagesize=3&Page=7&=x&status[]=FAILED");
  CHECK(request.page == 1);
  CHECK(request.size == 10);
  CHECK(request.conditions.empty());
  CHECK(rules(request) == std::vector<Message>(4, Message::UnknownParameter));
  CHECK(request.violations[0].text(Language::English) ==
        "Parameter 'pagesize' is unknown; known are startTime, endTime, status, page, size, sort. OCP ignores it, "
        "--strict refuses it.");
}

TEST_CASE("request: the path's own parameters may stand in the query too, and nothing reads them there") {
  const Parsed request = parse("id=1000005&tenantId=1000012");
  CHECK(request.violations.empty());
  const Parsed others = parse("id=&tenantId=x&id=7&page=2");
  CHECK(others.violations.empty());
  CHECK(others.path[0] == Value(1000005));
  CHECK(others.path[1] == Value(1000012));
  CHECK(others.page == 2);
  for (const std::string name : {"ID", "tenantid", "%7Bid%7D", "id%7D/tenants/%7BtenantId", "clusterId", "", "api"}) {
    CAPTURE(name);
    CHECK(rules(parse(name + "=1")) == std::vector{Message::UnknownParameter});
  }
  CHECK(refusal(path(), "id=%zz").starts_with("400 0 The query parameter 'id=%zz' does not decode"));
  // A path without parameters has none to repeat.
  const Endpoint& of_time = *ocp_router().find("GET", "/api/v2/time")->endpoint;
  const Parsed time = parse(of_time, {}, "id=1&page=2");
  CHECK(rules(time) == std::vector{Message::NoParameters, Message::NoParameters});
  CHECK(refusal(of_time, {}, "id=%zz").starts_with("400 0 The query parameter"));
}

TEST_CASE("request: characters that Tomcat refuses raw in a query are noted, each once") {
  const auto noted = [](std::string_view query) {
    std::vector<Violation> violations;
    note_raw_characters(query, violations);
    if (violations.empty()) return std::string();
    CHECK(violations.size() == 1);
    CHECK(violations.at(0).message == Message::RawCharacters);
    return violations.at(0).arguments.at(0).english + " = " + violations.at(0).arguments.at(1).english;
  };
  // All that RFC 3986 lets stand in a query.
  CHECK(noted("") == "");
  CHECK(noted("abcdefghijklmnopqrstuvwxyz=ABCDEFGHIJKLMNOPQRSTUVWXYZ&0123456789=-._~!$&'()*+,;=:@/?") == "");
  CHECK(noted("status=%5B%7C%5D&x=%zz%") == "");
  const std::pair<std::string, std::string> cases[] = {
      {"status[]=A", "[ ] = %5B %5D"},
      {"a={b}", "{ } = %7B %7D"},
      {"a=b|c|d", "| = %7C"},
      {"a=^", "^ = %5E"},
      {"a=\\", "\\ = %5C"},
      {"a=\"b\"", "\" = %22"},
      {"a=<b>", "< > = %3C %3E"},
      {"a=`", "` = %60"},
      {"a=b#c", "# = %23"},
      {"a=中文中", "中 文 = %E4%B8%AD %E6%96%87"},
      {"a=\xFF", "%FF = %FF"},
      {"a=\x7F\x01", "%7F %01 = %7F %01"},
      {"]=1&[=2", "] [ = %5D %5B"},
  };
  for (const auto& [query, expected] : cases) {
    CAPTURE(query);
    CHECK(noted(query) == expected);
  }
  std::string all;
  for (int c = 128; c < 256; ++c) all += static_cast<char>(c);
  CHECK(noted(all + all).size() < 200);
}

TEST_CASE("request: sort names fields and directions") {
  const auto names = [](std::string_view query) { return sort(parse(query)); };
  CHECK(names("sort=createTime") == "createTime+ ");
  CHECK(names("sort=delay,desc") == "delay- ");
  CHECK(names("sort=delay%2CDESC") == "delay- ");
  CHECK(names("sort=status,asc&sort=modifyTime,desc&sort=checkpoint") == "status+ modifyTime- checkpoint+ ");
  CHECK(names("sort=status,desc&sort=status,asc") == "status- ");
  CHECK(parse("sort=status&sort=delay").violations.empty());
  for (const std::string value :
       {"", ",", ",desc", "clusterId", "CreateTime", "create_time", "createTime,", "createTime,down",
        "createTime,status", "createTime,asc,desc", "createTime desc", "id;--", "1"}) {
    CAPTURE(value);
    CHECK(refusal(path(), std::string("sort=") + value).starts_with("400 0 Parameter 'sort' is '"));
  }
}

TEST_CASE("request: a query that does not decode is refused, wherever it stands") {
  for (const std::string query :
       {"page=%", "page=%zz", "x=%00", "%FF=1", "status=%C3", "startTime=2024-08-06T00:00:00Z&y=%4"}) {
    CAPTURE(query);
    CHECK(refusal(path(), query).starts_with("400 0 The query parameter '"));
  }
}

TEST_CASE("request: the first that is wrong is named, the path's before the query's") {
  CHECK(refusal(path("x"), "page=0").find("'id'") != std::string::npos);
  CHECK(refusal(path(), "page=0&status=DONE&endTime=x").find("'endTime'") != std::string::npos);
}

TEST_CASE("request: a long value is cut in the message") {
  const std::string answer = refusal(path(), "page=" + std::string(60'000, '9'));
  CHECK(answer.find(std::string(100, '9') + "...'") != std::string::npos);
  CHECK(answer.size() < 300);
}

TEST_CASE("request: rules that were broken are noted also when something else is refused, up to a limit") {
  std::vector<Violation> violations;
  CHECK_THROWS_AS(read_parameters(log_backup_tasks(), path(), "pagesize=1&status=,&page=0", {}, violations), ApiError);
  REQUIRE(violations.size() == 2);
  CHECK(violations[0].message == Message::UnknownParameter);
  CHECK(violations[1].message == Message::EmptyValue);

  std::string many;
  for (int i = 0; i < 5000; ++i) many += "a&";
  CHECK(parse(many).violations.size() == kMaximumViolations);
}

TEST_CASE("request: the rules say how times are compared") {
  CHECK(parse("", path(), {.window = Window::Overlap}).window == Window::Overlap);
}
