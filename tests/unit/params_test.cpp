#include "ocp/params.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace ocp_mock;

namespace {

PathMatch path(std::string id = "1000005", std::string tenant = "1000012") {
  return {&endpoints().front(), {std::move(id), std::move(tenant)}};
}

struct Parsed : ListRequest {
  std::vector<Violation> violations;
};

Parsed parse(std::string_view query, const PathMatch& match = path()) {
  Parsed parsed;
  static_cast<ListRequest&>(parsed) = parse_list_request(match, query, parsed.violations);
  return parsed;
}

// The status and the English message of the refusal; "accepted" without one.
std::string refusal(const PathMatch& match, std::string_view query) {
  try {
    parse(query, match);
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + std::to_string(error.code()) + " " + error.what();
  }
  return "accepted";
}

std::vector<Message> rules(const Parsed& request) {
  std::vector<Message> found;
  for (const Violation& violation : request.violations) found.push_back(violation.message);
  return found;
}

}  // namespace

TEST_CASE("params: without a query all have their defaults") {
  const Parsed request = parse("");
  CHECK(request.cluster_id == 1000005);
  CHECK(request.tenant_id == 1000012);
  CHECK_FALSE(request.start_time);
  CHECK_FALSE(request.end_time);
  CHECK(request.statuses.empty());
  CHECK(request.page == 1);
  CHECK(request.size == 10);
  CHECK(request.sort.empty());
  CHECK(request.violations.empty());
}

TEST_CASE("params: ids are 64-bit integers") {
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
    CHECK(parse("", path(text)).cluster_id == value);
    CHECK(parse("", path("1", text)).tenant_id == value);
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

TEST_CASE("params: page and size are integers of at least 1") {
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

TEST_CASE("params: a size over 2000 is answered as 2000 and noted") {
  CHECK(parse("size=2000").size == 2000);
  CHECK(parse("size=2000").violations.empty());
  for (const std::string query : {"size=2001", "size=9223372036854775807"}) {
    const Parsed request = parse(query);
    CHECK(request.size == 2000);
    CHECK(rules(request) == std::vector{Message::SizeOverMaximum});
  }
}

TEST_CASE("params: times are UTC seconds") {
  const Parsed request = parse("startTime=2024-08-06T00:00:00Z&endTime=2024-08-07T00%3A00%3A00Z");
  CHECK(request.start_time == Instant{1722902400, 0});
  CHECK(request.end_time == Instant{1722988800, 0});
  CHECK(refusal(path(), "startTime=") ==
        "400 0 Parameter 'startTime' is ''; it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ.");
  CHECK(refusal(path(), "endTime=2024-08-06T00:00:00%2B08:00") ==
        "400 0 Parameter 'endTime' is '2024-08-06T00:00:00+08:00'; it must be a UTC time of the form "
        "YYYY-MM-DDThh:mm:ssZ.");
}

TEST_CASE("params: a start after the end is refused, an equal one is not") {
  CHECK(refusal(path(), "startTime=2024-08-07T00:00:00Z&endTime=2024-08-06T23:59:59Z") ==
        "400 10005 Parameter 'startTime' is '2024-08-07T00:00:00Z', after 'endTime', which is '2024-08-06T23:59:59Z'; "
        "it must not be later than endTime.");
  CHECK(refusal(path(), "startTime=2024-08-07T00:00:00Z&endTime=2024-08-07T00:00:00Z") == "accepted");
}

TEST_CASE("params: statuses are given again, comma-separated, or both") {
  using Statuses = std::vector<std::string>;
  CHECK(parse("status=FAILED").statuses == Statuses{"FAILED"});
  CHECK(parse("status=FAILED&status=RUNNING").statuses == Statuses{"FAILED", "RUNNING"});
  CHECK(parse("status=FAILED,RUNNING").statuses == Statuses{"FAILED", "RUNNING"});
  CHECK(parse("status=FAILED%2CRUNNING&status=STOPPED").statuses == Statuses{"FAILED", "RUNNING", "STOPPED"});
  CHECK(parse("status=FAILED,FAILED&status=FAILED").statuses == Statuses{"FAILED"});
  for (const std::string status :
       {"STARTING", "INPROGRESS", "STOPPING", "STOPPED", "FAILED", "INTERRUPTED", "UNKNOWN", "RUNNING"}) {
    CHECK(parse(std::string("status=") + status).statuses == Statuses{status});
  }
}

TEST_CASE("params: another word is no status") {
  for (const std::string word :
       {"failed", "FAILED ", "%20FAILED", "FAIL", "IN_PROGRESS", "FAILED;RUNNING", "*", "中"}) {
    CAPTURE(word);
    CHECK(refusal(path(), std::string("status=RUNNING,") + word).starts_with("400 0 Parameter 'status' is '"));
  }
  CHECK(refusal(path(), "status=DONE") ==
        "400 0 Parameter 'status' is 'DONE'; it must be one of STARTING, INPROGRESS, STOPPING, STOPPED, FAILED, "
        "INTERRUPTED, UNKNOWN, RUNNING.");
}

TEST_CASE("params: an empty status filters nothing and is noted") {
  for (const std::string query : {"status=", "status", "status=,", "status=&page=1"}) {
    CAPTURE(query);
    CHECK(parse(query).statuses.empty());
    CHECK(rules(parse(query)) == std::vector{Message::EmptyValue});
  }
  CHECK(parse("status=FAILED,").statuses == std::vector<std::string>{"FAILED"});
  CHECK(rules(parse("status=FAILED,")) == std::vector{Message::EmptyValue});
}

TEST_CASE("params: of a scalar given twice the first counts, and it is noted") {
  const Parsed request = parse("page=2&size=3&page=5&page=x");
  CHECK(request.page == 2);
  CHECK(rules(request) == std::vector{Message::RepeatedParameter, Message::RepeatedParameter});
  CHECK(refusal(path(), "page=x&page=2").starts_with("400"));
}

TEST_CASE("params: unknown parameters are ignored and noted") {
  const Parsed request = parse("pagesize=3&Page=7&=x&status[]=FAILED");
  CHECK(request.page == 1);
  CHECK(request.size == 10);
  CHECK(request.statuses.empty());
  CHECK(rules(request) == std::vector<Message>(4, Message::UnknownParameter));
  CHECK(request.violations[0].text(Language::English) ==
        "Parameter 'pagesize' is unknown; known are startTime, endTime, status, page, size, sort. OCP ignores it, "
        "--strict refuses it.");
}

TEST_CASE("params: sort names fields and directions") {
  const auto names = [](std::string_view query) {
    std::string text;
    for (const SortKey& key : parse(query).sort) text += std::string(key.field->name) + (key.descending ? "- " : "+ ");
    return text;
  };
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

TEST_CASE("params: a query that does not decode is refused, wherever it stands") {
  for (const std::string query :
       {"page=%", "page=%zz", "x=%00", "%FF=1", "status=%C3", "startTime=2024-08-06T00:00:00Z&y=%4"}) {
    CAPTURE(query);
    CHECK(refusal(path(), query).starts_with("400 0 The query parameter '"));
  }
}

TEST_CASE("params: the first that is wrong is named, the path's before the query's") {
  CHECK(refusal(path("x"), "page=0").find("'id'") != std::string::npos);
  CHECK(refusal(path(), "page=0&status=DONE&endTime=x").find("'endTime'") != std::string::npos);
}

TEST_CASE("params: a long value is cut in the message") {
  const std::string answer = refusal(path(), "page=" + std::string(60'000, '9'));
  CHECK(answer.find(std::string(100, '9') + "...'") != std::string::npos);
  CHECK(answer.size() < 300);
}

TEST_CASE("params: rules that were broken are noted also when something else is refused, up to a limit") {
  std::vector<Violation> violations;
  CHECK_THROWS_AS(parse_list_request(path(), "pagesize=1&status=,&page=0", violations), ApiError);
  REQUIRE(violations.size() == 2);
  CHECK(violations[0].message == Message::UnknownParameter);
  CHECK(violations[1].message == Message::EmptyValue);

  std::string many;
  for (int i = 0; i < 5000; ++i) many += "a&";
  CHECK(parse(many).violations.size() == kMaximumViolations);
}
