// Tasks that change as time passes.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <string>
#include <vector>

#include "store/changes.h"
#include "store/dataset_builder.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::TemporaryFolder;

namespace {

const Endpoint& kEndpoint = endpoints().front();
const Instant kLoaded = *parse_rfc3339("2024-08-09T12:00:00.5Z");

ListResult list(const Dataset& dataset, const std::string& query, int tenant = 2) {
  std::vector<Violation> violations;
  return dataset.list(kEndpoint, parse_list_request({&kEndpoint, {"1", std::to_string(tenant)}}, query, violations));
}

// LETTER=STATUS for each task of the page, in order.
std::string states(const Dataset& dataset, const std::string& query = "sort=createTime", int tenant = 2) {
  std::string found;
  const JsonValue page = read_json_text("[" + list(dataset, query, tenant).contents + "]");
  for (const JsonValue& task : page.items) {
    if (!found.empty()) found += ' ';
    found += task.find("letter")->value.text + "=" + task.find("status")->value.text;
    if (const JsonMember* delay = task.find("delay"); delay != nullptr) found += "/" + delay->value.text;
  }
  return found;
}

std::shared_ptr<const Dataset> load(const std::string& text) { return from_fixtures("f.json", text).dataset; }

std::string task(const std::string& letter, const std::string& members) {
  return fmt::format(
      R"({{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"NEW","letter":"{}"{}}})", letter,
      members.empty() ? "" : "," + members);
}

const std::string kThree =
    "[" +
    task("a", R"("delay":1,"$timeline":[{"at":"PT0S","status":"STARTING"},)"
              R"({"at":"PT10S","status":"INPROGRESS","delay":2.50},{"at":"PT1M","status":"STOPPED","delay":null}])") +
    "," + task("b", "") + "," +
    task("c", R"("$since":"2024-08-09T20:00:05+08:00","$timeline":[{"at":"PT0.25S","status":"SOON"},)"
              R"({"at":"P1D","tenantId":3}])") +
    "]";

Instant after_load(const std::string& duration) { return kLoaded + *parse_duration(duration); }

}  // namespace

TEST_CASE("timeline: fields change at their points, whichever way time goes") {
  const struct {
    std::string at;  // after the load, which is at 12:00:00.5
    std::string tenant_2;
    std::string tenant_3;
  } cases[] = {
      {"-P1D", "a=NEW/1 b=NEW c=NEW", ""},
      {"-PT0.000000001S", "a=NEW/1 b=NEW c=NEW", ""},
      {"PT0S", "a=STARTING/1 b=NEW c=NEW", ""},
      {"PT4.749999999S", "a=STARTING/1 b=NEW c=NEW", ""},
      {"PT4.75S", "a=STARTING/1 b=NEW c=SOON", ""},
      {"PT9.999999999S", "a=STARTING/1 b=NEW c=SOON", ""},
      {"PT10S", "a=INPROGRESS/2.50 b=NEW c=SOON", ""},
      {"PT59.999999999S", "a=INPROGRESS/2.50 b=NEW c=SOON", ""},
      {"PT1M", "a=STOPPED b=NEW c=SOON", ""},
      {"PT23H59M", "a=STOPPED b=NEW c=SOON", ""},
      {"P1DT4.499999999S", "a=STOPPED b=NEW c=SOON", ""},
      {"P1DT4.5S", "a=STOPPED b=NEW", "c=SOON"},
      {"P3000000D", "a=STOPPED b=NEW", "c=SOON"},
  };
  const auto origin = load(kThree);
  REQUIRE(origin->has_timelines());
  CHECK(states(*origin) == "a=NEW/1 b=NEW c=NEW");
  const auto check = [&](const auto& one, TimelineState& state) {
    CAPTURE(one.at);
    const auto dataset = at_time(origin, kLoaded, after_load(one.at), state);
    CHECK(states(*dataset) == one.tenant_2);
    CHECK(states(*dataset, "", 3) == one.tenant_3);
    CHECK(dataset->has_timelines() == (dataset == origin));
    CHECK(list(*dataset, "", 3).tenant_exists);
    CHECK(list(*dataset, "").contents.find('$') == std::string::npos);
  };
  // Every time after every other, so with all jumps.
  TimelineState state;
  for (const auto& from : cases) {
    for (const auto& to : cases) {
      check(from, state);
      check(to, state);
    }
  }
  for (const auto& alone : cases) {
    TimelineState fresh;
    check(alone, fresh);
  }
  CHECK(states(*origin) == "a=NEW/1 b=NEW c=NEW");
}

TEST_CASE("timeline: filters, orders and totals see the fields of the time") {
  const auto origin = load(kThree);
  TimelineState state;
  const auto dataset = at_time(origin, kLoaded, after_load("PT10S"), state);
  CHECK(list(*dataset, "status=INPROGRESS").total == 1);
  CHECK(states(*dataset, "status=INPROGRESS") == "a=INPROGRESS/2.50");
  CHECK(list(*dataset, "status=STOPPED").total == 0);
  CHECK(states(*dataset, "sort=status") == "a=INPROGRESS/2.50 b=NEW c=SOON");
  CHECK(states(*dataset, "sort=status,desc&size=1") == "c=SOON");
  const auto later = at_time(origin, kLoaded, after_load("P2D"), state);
  CHECK(list(*later, "").total == 2);
  CHECK(list(*later, "", 3).total == 1);
  CHECK(list(*dataset, "").total == 3);
}

TEST_CASE("timeline: a dataset is made anew only when a point lies between") {
  const auto origin = load(kThree);
  TimelineState state;
  const auto at = [&](const std::string& duration) { return at_time(origin, kLoaded, after_load(duration), state); };
  const auto first = at("PT10S");
  CHECK(at("PT59.999999999S") == first);
  CHECK(at("PT10S") == first);
  const auto second = at("PT9.999999999S");
  CHECK(second != first);
  CHECK(at("PT4.75S") == second);
  const auto before = at("-P9D");
  CHECK(at("-P1D") == before);
  const auto last = at("P9D");
  CHECK(at("P9999D") == last);
  // Another load counts from another time.
  CHECK(states(*at_time(origin, after_load("P9D"), after_load("P9DT1S"), state)) == "a=STARTING/1 b=NEW");
  // Another origin has another timeline.
  const auto other = load("[" + task("z", R"("$timeline":[{"at":"PT1S","status":"END"}])") + "]");
  CHECK(states(*at_time(other, kLoaded, after_load("P9D"), state)) == "z=END");
  CHECK(states(*at("P9D")) == "a=STOPPED b=NEW");

  const auto still = load("[" + task("s", "") + "]");
  CHECK_FALSE(still->has_timelines());
  CHECK(at_time(still, kLoaded, after_load("P9D"), state) == still);
  CHECK(state.dataset == nullptr);
}

TEST_CASE("timeline: it lives in files and copies, and ends with its task") {
  const TemporaryFolder folder;
  {
    const auto builder = DatasetBuilder::in_file(folder.path() / "d.db");
    load_fixture_text("f.json", kThree, *builder);
    builder->finish();
  }
  const auto origin = Dataset::open(folder.path() / "d.db");
  REQUIRE(origin->has_timelines());
  TimelineState state;
  CHECK(states(*at_time(origin, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON");

  const auto more = with_fixtures(*origin, "f.json", task("d", R"("$timeline":[{"at":"PT10S","status":"D"}])")).dataset;
  CHECK(states(*at_time(more, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON d=D");
  const auto removed = without_tasks(*more, kEndpoint, read_json_text(R"({"letter":"d"})")).dataset;
  CHECK(states(*at_time(removed, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON");
  // Its place in the order is free again, and has no timeline.
  const auto again = with_fixtures(*removed, "f.json", task("e", "")).dataset;
  CHECK(states(*at_time(again, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON e=NEW");
  CHECK_FALSE(without_tasks(*more, kEndpoint, read_json_text("{}")).dataset->has_timelines());
}

TEST_CASE("timeline: a field that is set is driven no more, the others are") {
  const struct {
    std::string set;
    std::vector<std::string> states;  // of a at -1 s, 0 s, 10 s, 1 min after the load
    bool has_timelines = true;
  } cases[] = {
      {R"({"zed":1})", {"a=NEW/1", "a=STARTING/1", "a=INPROGRESS/2.50", "a=STOPPED"}},
      {R"({"delay":7})", {"a=NEW/7", "a=STARTING/7", "a=INPROGRESS/7", "a=STOPPED/7"}},
      {R"({"delay":null})", {"a=NEW", "a=STARTING", "a=INPROGRESS", "a=STOPPED"}},
      {R"({"status":"SET"})", {"a=SET/1", "a=SET/1", "a=SET/2.50", "a=SET"}},
      {R"({"status":"SET","delay":3})", {"a=SET/3", "a=SET/3", "a=SET/3", "a=SET/3"}, false},
      {R"({"$timeline":null})", {"a=NEW/1", "a=NEW/1", "a=NEW/1", "a=NEW/1"}, false},
      {R"({"$timeline":[]})", {"a=NEW/1", "a=NEW/1", "a=NEW/1", "a=NEW/1"}, false},
      {R"({"status":"SET","$timeline":[{"at":"PT1M","status":"END"}]})", {"a=SET/1", "a=SET/1", "a=SET/1", "a=END/1"}},
      {R"({"$since":"2024-08-09T12:00:50.5Z"})", {"a=NEW/1", "a=NEW/1", "a=NEW/1", "a=INPROGRESS/2.50"}},
  };
  const auto origin = without_tasks(*load(kThree), kEndpoint, read_json_text(R"({"delay":null})")).dataset;
  for (const auto& [fields, expected, has_timelines] : cases) {
    CAPTURE(fields);
    const Changed changed = with_tasks_set(*origin, kEndpoint, read_json_text("{}"), read_json_text(fields));
    CHECK(changed.tasks == 1);
    CHECK(changed.dataset->has_timelines() == has_timelines);
    TimelineState state;
    std::vector<std::string> got;
    for (const std::string at : {"-PT1S", "PT0S", "PT10S", "PT1M"}) {
      got.push_back(states(*at_time(changed.dataset, kLoaded, after_load(at), state)));
    }
    CHECK(got == expected);
  }
  // A timeline that is taken away takes $since with it.
  const auto since =
      load("[" + task("c", R"("$since":"2024-08-09T12:00:00Z","$timeline":[{"at":"PT1S","delay":1}])") + "]");
  const auto set = [&](std::string_view fields) {
    return with_tasks_set(*since, kEndpoint, read_json_text("{}"), read_json_text(fields)).dataset;
  };
  CHECK_FALSE(set(R"({"$timeline":null})")->has_timelines());
  CHECK_FALSE(set(R"({"delay":5})")->has_timelines());
  CHECK(export_fixtures(*set(R"({"$since":null})")).find("$since") == std::string::npos);
}

TEST_CASE("timeline: what is wrong with it is told with its place") {
  const struct {
    std::string members;
    std::string problem;
  } cases[] = {
      {R"("$timeline":5)", "task 2: $timeline is the number 5; it must be an array of points"},
      {R"("$timeline":[{"at":"PT1S"},5])", "task 2: $timeline, point 2: it is the number 5; it must be an object"},
      {R"("$timeline":[{"status":"A"}])",
       "task 2: $timeline, point 1: at is missing; it must be an ISO 8601 duration that is not negative, such as "
       "\"PT10S\""},
      {R"("$timeline":[{"at":"-PT1S"}])", "point 1: at is the string \"-PT1S\"; it must be an ISO 8601 duration"},
      {R"("$timeline":[{"at":"PT999999999999M"}])", "it must be an ISO 8601 duration"},
      {R"("$timeline":[{"at":"PT10S"},{"at":"PT10S"}])",
       "point 2: at is the string \"PT10S\"; it must be later than that of the point before"},
      {R"("$timeline":[{"at":"PT1M"},{"at":"PT60S"}])", "it must be later than that of the point before"},
      {R"("$timeline":[{"at":"PT1M"},{"at":"PT59.999999999S"}])", "it must be later than that of the point before"},
      {R"("$timeline":[{"at":"PT1S"},{"at":"PT2S","status":null}])",
       "task 2: $timeline, point 2: status is null; it must be a string"},
      {R"("$timeline":[{"at":"PT1S","createTime":"2024-02-30T00:00:00Z"}])",
       "point 1: createTime is the string \"2024-02-30T00:00:00Z\"; it must be an RFC 3339 time"},
      {R"("$timeline":[{"at":"PT1S","$since":null}])",
       "point 1: $since is not known; of the members that begin with $, a point may have $delay"},
      {R"("$since":"now","$timeline":[])", "task 2: $since is the string \"now\"; it must be an RFC 3339 time"},
      {R"("$since":"2024-02-28T00:00:00Z")", "task 2: $since has no $timeline beside it that would count from it"},
      {R"("$when":1)",
       "task 2: $when is not known; of the members that begin with $, a task may have $delay, "
       "$since and $timeline"},
      {R"("$timeline":[],"$timeline":[])", "$timeline stands twice in one object"},
  };
  for (const auto& [members, problem] : cases) {
    CAPTURE(members);
    std::string got;
    try {
      load("[" + task("a", "") + ",\n" + task("b", members) + "]");
    } catch (const FixtureError& error) {
      got = error.what();
    }
    CAPTURE(got);
    CHECK(got.find("f.json:2:") != std::string::npos);
    CHECK(got.find(problem) != std::string::npos);
  }
  try {
    load("[" + task("a", "") + ",\n" + task("b", "\"$timeline\":[\n{\"at\":\"PT1S\",\n  \"delay\":\"x\"}]") + "]");
    FAIL("it was loaded");
  } catch (const FixtureError& error) {
    CHECK(std::string(error.what()).find("\n  f.json:4:3: task 2: $timeline, point 1: delay is the string \"x\"") !=
          std::string::npos);
  }
}

TEST_CASE("timeline: a clock that goes on and back leaves no datasets behind") {
  const auto origin = load(kThree);
  TimelineState state;
  const auto round = [&] {
    for (const std::string at : {"PT0S", "PT10S", "PT1M", "P2D", "-PT1S"}) {
      CHECK(at_time(origin, kLoaded, after_load(at), state) != nullptr);
    }
  };
  for (int i = 0; i < 3; ++i) round();
  const sqlite3_int64 before = sqlite3_memory_used();
  for (int i = 0; i < 50; ++i) round();
  CHECK(sqlite3_memory_used() < before + 64 * 1024);
}
