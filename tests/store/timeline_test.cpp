// Tasks that change as time passes.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <random>
#include <string>
#include <vector>

#include "log_backup_tasks.h"
#include "store/changes.h"
#include "store/dataset_builder.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::TemporaryFolder;

namespace {

const Instant kLoaded = *parse_rfc3339("2024-08-09T12:00:00.5Z");

Page list(const Dataset& dataset, const std::string& query, int tenant = 2) {
  return page_of(dataset, list_request(query, {}, path_of(1, tenant)));
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

std::shared_ptr<const Dataset> load(const std::string& text) {
  return from_fixtures(ocp_router(), "f.json", text).dataset;
}

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
    CHECK_FALSE(dataset->find_missing(list_request("", {}, path_of(1, 3))));
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

TEST_CASE("timeline: a request is answered by what is there where no point that it can see lies between") {
  const auto row = [](int tenant, const std::string& timeline) {
    return fmt::format(R"({{"clusterId":1,"tenantId":{},"createTime":"2024-08-01T00:00:00Z","status":"NEW"{}}})",
                       tenant, timeline.empty() ? "" : ",\"$timeline\":[" + timeline + "]");
  };
  const auto origin = load("[" + row(2, R"({"at":"PT10S","status":"A"},{"at":"PT30S","status":"B"})") + "," +
                           row(5, R"({"at":"PT20S","status":"A"})") + "," + row(4, "") + "," +
                           row(2, R"({"at":"PT1H","tenantId":6})") + "]");
  TimelineState state;
  const auto find = [&](int tenant, const std::string& at) -> std::string {
    const auto found = find_at_time(list_request("", {}, path_of(1, tenant)), origin, kLoaded, after_load(at), state);
    return found == nullptr ? "none" : found == origin ? "origin" : found == state.dataset ? "state" : "another";
  };
  CHECK(find(4, "PT0S") == "none");
  at_time(origin, kLoaded, after_load("PT15S"), state);
  const struct {
    int tenant;
    std::string at;
    std::string found;
  } cases[] = {
      {2, "-P1D", "origin"},  {2, "PT9.999999999S", "origin"},
      {2, "PT10S", "state"},  {2, "PT29.999999999S", "state"},
      {2, "PT30S", "none"},   {2, "P9D", "none"},
      {5, "PT15S", "origin"}, {5, "PT19S", "origin"},
      {5, "PT20S", "none"},   {5, "P9D", "none"},
      {4, "PT15S", "origin"}, {4, "PT59M", "origin"},
      {4, "PT1H", "none"},    {6, "PT15S", "origin"},
      {6, "PT1H", "none"},    {7, "PT59M", "origin"},
  };
  for (const auto& [tenant, at, found] : cases) {
    CAPTURE(tenant);
    CAPTURE(at);
    CHECK(find(tenant, at) == found);
  }
  // Of another load, or another origin, nothing is known.
  CHECK(find_at_time(list_request("", {}, path_of(1, 4)), origin, after_load("PT1S"), kLoaded, state) == nullptr);
  CHECK(find_at_time(list_request("", {}, path_of(1, 4)), load("[" + row(4, R"({"at":"PT1H","status":"C"})") + "]"),
                     kLoaded, kLoaded, state) == nullptr);
  const auto still = load("[" + row(4, "") + "]");
  CHECK(find_at_time(list_request("", {}, path_of(1, 4)), still, kLoaded, kLoaded, state) == still);
}

TEST_CASE("timeline: what a request finds so is never earlier or later than its time") {
  std::mt19937 random(5);
  const auto any = [&](unsigned most) { return static_cast<unsigned>(random() % most); };
  std::string text = "[";
  for (int i = 0; i < 200; ++i) {
    std::string members = fmt::format(R"("n":{})", i);
    if (i % 20 == 0) {
      members +=
          fmt::format(R"(,"$timeline":[{{"at":"PT{}S","status":"FAILED"}},{{"at":"PT{}S","status":"STOPPED"{}}}])",
                      any(30), 30 + any(30), i == 100 ? R"(,"tenantId":8)" : "");
    }
    text += fmt::format(R"({}{{"clusterId":1,"tenantId":{},"createTime":"2024-08-01T00:00:00Z","status":"NEW",{}}})",
                        i == 0 ? "" : ",", 2 + any(10), members);
  }
  const auto origin = load(text + "]");
  TimelineState state;
  int found = 0;
  for (int step = 0; step < 200; ++step) {
    const Instant now = after_load(fmt::format("PT{}S", any(70)));
    CAPTURE(format_iso_offset(now, 0));
    TimelineState fresh;
    const auto expected = at_time(origin, kLoaded, now, fresh);
    for (int tenant = 2; tenant < 13; ++tenant) {
      const auto dataset = find_at_time(list_request("", {}, path_of(1, tenant)), origin, kLoaded, now, state);
      if (!dataset) continue;
      if (dataset != expected) ++found;
      for (const std::string query : {"size=100", "size=100&status=FAILED", "size=100&sort=status"}) {
        CHECK(list(*dataset, query, tenant).contents == list(*expected, query, tenant).contents);
      }
      CHECK(dataset->find_missing(list_request("", {}, path_of(1, tenant))) ==
            expected->find_missing(list_request("", {}, path_of(1, tenant))));
    }
    if (step % 4 == 0) at_time(origin, kLoaded, now, state);
  }
  CHECK(found > 400);
}

TEST_CASE("timeline: it lives in files and copies, and ends with its task") {
  const TemporaryFolder folder;
  {
    const auto builder = DatasetBuilder::in_file(folder.path() / "d.db", ocp_catalogue());
    load_fixture_text(ocp_router(), "f.json", kThree, *builder);
    builder->finish();
  }
  const auto origin = Dataset::open(folder.path() / "d.db", ocp_catalogue());
  REQUIRE(origin->has_timelines());
  TimelineState state;
  CHECK(states(*at_time(origin, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON");

  const auto more =
      with_fixtures(ocp_router(), origin, "f.json", task("d", R"("$timeline":[{"at":"PT10S","status":"D"}])")).dataset;
  CHECK(states(*at_time(more, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON d=D");
  const auto removed = without_rows(more, log_backup_task(), read_json_text(R"({"letter":"d"})")).dataset;
  CHECK(states(*at_time(removed, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON");
  // Its place in the order is free again, and has no timeline.
  const auto again = with_fixtures(ocp_router(), removed, "f.json", task("e", "")).dataset;
  CHECK(states(*at_time(again, kLoaded, after_load("PT10S"), state)) == "a=INPROGRESS/2.50 b=NEW c=SOON e=NEW");
  CHECK_FALSE(without_rows(more, log_backup_task(), read_json_text("{}")).dataset->has_timelines());
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
  const auto origin = without_rows(load(kThree), log_backup_task(), read_json_text(R"({"delay":null})")).dataset;
  for (const auto& [fields, expected, has_timelines] : cases) {
    CAPTURE(fields);
    const Changed changed = with_rows_set(origin, log_backup_task(), read_json_text("{}"), read_json_text(fields));
    CHECK(changed.rows == 1);
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
    return with_rows_set(since, log_backup_task(), read_json_text("{}"), read_json_text(fields)).dataset;
  };
  CHECK_FALSE(set(R"({"$timeline":null})")->has_timelines());
  CHECK_FALSE(set(R"({"delay":5})")->has_timelines());
  CHECK(export_fixtures(*set(R"({"$since":null})")).find("$since") == std::string::npos);
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

TEST_CASE("timeline: many tasks are after any jump of the clock as they are for one who has seen none") {
  std::mt19937 random(3);
  const auto any = [&](unsigned most) { return static_cast<unsigned>(random() % most); };
  const std::vector<std::string> statuses{"STARTING", "INPROGRESS", "STOPPED", "FAILED"};
  std::string text = "[";
  for (int i = 0; i < 700; ++i) {
    std::string members = fmt::format(R"("n":{})", i);
    if (i % 5 == 0) {
      members += R"(,"$timeline":[)";
      unsigned at = 0;
      for (unsigned points = 1 + any(4); points > 0; --points) {
        members += fmt::format(R"({{"at":"PT{}S","status":"{}")", at += 1 + any(20), statuses[any(4)]);
        if (any(3) == 0) members += fmt::format(R"(,"createTime":"2024-08-{:02}T00:00:00Z")", 1 + any(28));
        if (any(5) == 0) members += fmt::format(R"(,"tenantId":{})", 2 + any(2));
        members += points == 1 ? "}]" : "},";
      }
    }
    text += (i == 0 ? "" : ",") + task(std::to_string(i), members);
  }
  const auto origin = load(text + "]");
  TimelineState state;
  for (int step = 0; step < 60; ++step) {
    const Instant now = after_load(fmt::format("PT{}S", step % 3 == 0 ? any(60) : static_cast<unsigned>(step)));
    CAPTURE(format_iso_offset(now, 0));
    const auto dataset = at_time(origin, kLoaded, now, state);
    TimelineState fresh;
    const auto expected = at_time(origin, kLoaded, now, fresh);
    CHECK(export_fixtures(*dataset) == export_fixtures(*expected));
    for (const int tenant : {2, 3}) {
      for (const std::string query : {"size=1000", "size=50&page=3", "size=50&page=2&sort=createTime",
                                      "size=1000&status=FAILED", "startTime=2024-08-10T00:00:00Z&size=1000"}) {
        CAPTURE(query);
        const Page got = list(*dataset, query, tenant);
        const Page want = list(*expected, query, tenant);
        CHECK(got.total == want.total);
        CHECK(got.contents == want.contents);
      }
    }
  }
}
