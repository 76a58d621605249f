// Tasks whose delay is computed for each answer: "$delay":"computed".
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "log_backup_tasks.h"
#include "store/changed_tasks.h"
#include "store/dataset_builder.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::load_tasks;
using ocp_mock::test::refusal;
using ocp_mock::test::set;
using ocp_mock::test::TemporaryFolder;

namespace {

const Instant kNow = *parse_rfc3339("2024-08-09T16:06:02.743+08:00");
const std::string kCheckpoint = R"("checkpoint":"2024-08-09T16:04:21.810084+08:00")";  // 100.1899 before

std::string task(const std::string& letter, const std::string& members) {
  return fmt::format(
      R"({{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","letter":"{}",{}}})",
      letter, members);
}

std::string computed(const std::string& letter, const std::string& checkpoint) {
  return task(letter, fmt::format(R"("$delay":"computed","checkpoint":"{}")", checkpoint));
}

Request parse(const std::string& query, Instant now = kNow) {
  Request request = list_request(query, {}, path_of(1, 2));
  request.now = now;
  return request;
}

// LETTER=DELAY for each task of the page, in order; LETTER without one.
std::string delays(const Dataset& dataset, Instant now = kNow, const std::string& query = "sort=createTime") {
  std::string found;
  const JsonValue page = read_json_text("[" + page_of(dataset, parse(query, now)).contents + "]");
  for (const JsonValue& one : page.items) {
    if (!found.empty()) found += ' ';
    found += one.find("letter")->value.text;
    if (const JsonMember* delay = one.find("delay"); delay != nullptr) found += "=" + delay->value.text;
  }
  return found;
}

}  // namespace

TEST_CASE("computed delay: it stands in its place in the answer, by the time of the answer") {
  const auto dataset =
      load_tasks("[" + task("a", kCheckpoint + R"(,"$delay":"computed","errorMsg":"x","delayed":1)") + "]");
  const auto contents = [&](Instant now) { return page_of(*dataset, parse("", now)).contents; };
  CHECK(contents(kNow) ==
        R"({"checkpoint":"2024-08-09T16:04:21.810084+08:00","clusterId":1,"createTime":"2024-08-01T00:00:00Z",)"
        R"("delay":100.1899,"delayed":1,"errorMsg":"x","letter":"a","status":"RUNNING","tenantId":2})");
  CHECK(delays(*dataset, {kNow.second, 999'999'999}) == "a=100.1899");
  CHECK(delays(*dataset, {kNow.second + 1, 0}) == "a=101.1899");
  CHECK(delays(*dataset, {kNow.second - 102, 0}) == "a=-1.8101");
  CHECK(page_of(*dataset, parse("")).is_of_now);
  CHECK_FALSE(page_of(*load_tasks("[" + task("a", kCheckpoint) + "]"), parse("")).is_of_now);
}

TEST_CASE("computed delay: nothing that looks like its place is taken for it") {
  const auto dataset = load_tasks(
      "[" + task("a", kCheckpoint + R"(,"$delay":"computed","aaa":"\"delay\":null","bbb":{"delay":null,"c":[null]})") +
      "," + task("b", R"("aaa":"\"delay\":null","delay":null)") + "," +
      task("c", R"("bbb":[{"delay":null}],"delay":7)") + "]");
  CHECK(delays(*dataset) == "a=100.1899 b c=7");
  const std::string contents = page_of(*dataset, parse("")).contents;
  CHECK(contents.find(R"("aaa":"\"delay\":null","bbb":{"c":[null]},"checkpoint")") != std::string::npos);
  CHECK(contents.find(R"("bbb":[{}],)") != std::string::npos);
  CHECK(contents.find('$') == std::string::npos);
}

TEST_CASE("computed delay: plain tasks among computed ones have their own, in pages and by ids") {
  std::string text = "[";
  for (int i = 0; i < 300; ++i) {
    text += i == 0 ? "" : ",";
    text += i % 3 == 0 ? computed("c", "2024-08-09T08:05:00Z")
                       : task("p", i % 3 == 1 ? R"("delay":1.50)" : R"("checkpoint":"2024-08-09T08:05:00Z")");
  }
  const auto dataset = load_tasks(text + "]");
  for (const std::string query : {"size=3&page=50", "size=3&page=50&sort=createTime", "size=3&page=50&sort=modifyTime",
                                  "size=3&page=50&status=RUNNING,FAILED"}) {
    CAPTURE(query);
    CHECK(delays(*dataset, kNow, query) == "c=62.0000 p=1.50 p");
  }
}

TEST_CASE("computed delay: what is wrong with it is told with its place") {
  const std::string missing = "checkpoint is missing; the delay is computed from it";
  const struct {
    std::string members;
    std::string problem;
  } cases[] = {
      {R"("$delay":"computed")", "f.json:2:97: task 2: " + missing},
      {R"("checkpoint":null,"$delay":"computed")", "f.json:2:115: task 2: " + missing},
      {kCheckpoint + R"(,"$delay":"computed","delay":5)", "task 2: $delay stands beside delay; one of them must go"},
      {kCheckpoint + R"(,"$delay":"Computed")", "task 2: $delay is the string \"Computed\"; it must be \"computed\""},
      {kCheckpoint + R"(,"$delay":"")", "task 2: $delay is the string \"\"; it must be \"computed\""},
      {kCheckpoint + R"(,"$delay":true)", "task 2: $delay is true; it must be \"computed\""},
      {kCheckpoint + R"(,"$delay":100.5)", "task 2: $delay is the number 100.5; it must be \"computed\""},
      {kCheckpoint + R"(,"$delay":{})", "task 2: $delay is an object; it must be \"computed\""},
      {kCheckpoint + R"(,"$delay":"computed","$delay":"computed")", "$delay stands twice in one object"},
      {kCheckpoint + R"(,"$checkpoint":"computed")",
       "task 2: $checkpoint is not known; of the members that begin with $, a task may have $delay, $since and"},
      {R"("checkpoint":5,"$delay":"computed")", "task 2: checkpoint is the number 5; it must be an RFC 3339 time"},
      {kCheckpoint + R"(,"$delay":"computed","$timeline":[{"at":"PT1S"},{"at":"PT2S","checkpoint":null}])",
       "task 2: $timeline, point 2: " + missing},
      {R"("$timeline":[{"at":"PT1S","$delay":"computed"}])", "task 2: $timeline, point 1: " + missing},
      {R"("$timeline":[{"at":"PT1S",)" + kCheckpoint +
           R"(,"$delay":"computed"},{"at":"PT2S","status":"A"},{"at":"PT3S","checkpoint":null}])",
       "task 2: $timeline, point 3: " + missing},
      {kCheckpoint + R"(,"$timeline":[{"at":"PT1S","$delay":"computed","delay":5}])",
       "task 2: $timeline, point 1: $delay stands beside delay; one of them must go"},
      {kCheckpoint + R"(,"$timeline":[{"at":"PT1S","$delay":1}])",
       "task 2: $timeline, point 1: $delay is the number 1; it must be \"computed\""},
  };
  for (const auto& [members, problem] : cases) {
    CAPTURE(members);
    const std::string got =
        refusal([&] { load_tasks("[" + computed("a", "2024-08-09T00:00:00Z") + ",\n" + task("b", members) + "]"); });
    CAPTURE(got);
    CHECK(got.find("f.json:2:") != std::string::npos);
    CHECK(got.find(problem) != std::string::npos);
    CHECK(got.find("1 problem") != std::string::npos);
  }
  for (const std::string members :
       {R"("$delay":null)", R"("$delay":null,"delay":5)", R"("checkpoint":null,"$delay":null)"}) {
    CAPTURE(members);
    CHECK_FALSE(page_of(*load_tasks("[" + task("a", members) + "]"), parse("")).is_of_now);
  }
  CHECK(delays(*load_tasks("[" + task("a", kCheckpoint + R"(,"$delay":"computed","delay":null)") + "]")) ==
        "a=100.1899");
}

TEST_CASE("computed delay: orders compare it as it is at the time of the answer") {
  const auto dataset = load_tasks("[" + computed("a", "2024-08-09T08:04:22Z") + "," + task("b", R"("delay":100)") +
                                  "," + task("c", R"("delay":101.5)") + "," + task("d", R"("errorMsg":"none")") + "," +
                                  computed("e", "2024-08-09T08:04:21.5Z") + "," + task("f", R"("delay":1e2)") + "," +
                                  computed("g", "2024-08-09T08:07:00Z") + "," + task("h", R"("delay":-58)") + "]");
  const struct {
    int second;  // after 08:06:02
    std::string ascending;
    std::string descending;
  } cases[] = {
      {0, "g=-58.0000 h=-58 a=100.0000 b=100 f=1e2 e=100.5000 c=101.5 d",
       "c=101.5 e=100.5000 a=100.0000 b=100 f=1e2 g=-58.0000 h=-58 d"},
      {1, "h=-58 g=-57.0000 b=100 f=1e2 a=101.0000 c=101.5 e=101.5000 d",
       "c=101.5 e=101.5000 a=101.0000 b=100 f=1e2 g=-57.0000 h=-58 d"},
      {2, "h=-58 g=-56.0000 b=100 f=1e2 c=101.5 a=102.0000 e=102.5000 d",
       "e=102.5000 a=102.0000 c=101.5 b=100 f=1e2 g=-56.0000 h=-58 d"},
      {-1, "g=-59.0000 h=-58 a=99.0000 e=99.5000 b=100 f=1e2 c=101.5 d",
       "c=101.5 b=100 f=1e2 e=99.5000 a=99.0000 h=-58 g=-59.0000 d"},
  };
  // Twice, for orders are kept.
  for (int round = 0; round < 2; ++round) {
    for (const auto& [second, ascending, descending] : cases) {
      CAPTURE(second);
      const Instant now{kNow.second + second, 500'000'000};
      CHECK(delays(*dataset, now, "sort=delay") == ascending);
      CHECK(delays(*dataset, now, "sort=delay,desc") == descending);
      CHECK(delays(*dataset, now, "sort=status&sort=delay,desc") == descending);
      CHECK(delays(*dataset, now, "sort=delay&size=3&page=2&sort=status") ==
            delays(*dataset, now, "sort=delay&size=3&page=2"));
    }
  }
  CHECK(delays(*dataset, kNow, "sort=checkpoint,desc&size=3") == "g=-58.0000 a=100.0000 e=100.5000");
}

TEST_CASE("computed delay: an order of many tasks is good for its second, and for other orders for ever") {
  std::string text;
  for (int i = 0; i < 2001; ++i) text += computed(std::to_string(i), "2024-08-09T08:05:00Z") + "\n";
  const auto dataset = load_tasks(text + task("x", R"("delay":62.5)"));
  const auto at = [](int second) { return parse("sort=delay,desc&size=1", {kNow.second + second, 0}); };
  CHECK(is_slow(*dataset, at(0)));
  CHECK(page_of(*dataset, at(0)).contents.find("\"letter\":\"x\"") != std::string::npos);
  CHECK_FALSE(is_slow(*dataset, at(0)));
  CHECK_FALSE(is_slow(*dataset, parse("sort=delay,desc", {kNow.second, 999'999'999})));
  CHECK(is_slow(*dataset, at(1)));
  CHECK(page_of(*dataset, at(0)).contents.find("\"letter\":\"x\"") != std::string::npos);
  CHECK(page_of(*dataset, at(1)).contents.find("\"letter\":\"0\"") != std::string::npos);
  const auto by_checkpoint = [](int second) { return parse("sort=checkpoint", {kNow.second + second, 0}); };
  page_of(*dataset, by_checkpoint(0));
  CHECK_FALSE(is_slow(*dataset, by_checkpoint(1)));
}

TEST_CASE("computed delay: where picks tasks by it, and by no number") {
  const auto dataset = load_tasks("[" + computed("a", "2024-08-09T08:04:21.810084Z") + "," +
                                  task("b", R"("delay":100.1899)") + "," + task("c", R"("errorMsg":"none")") + "]");
  const struct {
    std::string where;
    std::string left;  // after those that it picks are gone
  } cases[] = {
      {R"({"$delay":"computed"})", "b=100.1899 c"},
      {R"({"$delay":"Computed"})", "a=100.1899 b=100.1899 c"},
      {R"({"$delay":null})", "a=100.1899"},
      {R"({"delay":100.1899})", "a=100.1899 c"},
      {R"({"delay":null})", "a=100.1899 b=100.1899"},
      {R"({"delay":null,"letter":"a"})", "a=100.1899 b=100.1899 c"},
      {R"({"delay":"computed"})", "a=100.1899 b=100.1899 c"},
      {R"({"$delay":"computed","letter":"b"})", "a=100.1899 b=100.1899 c"},
      {R"({"letter":"a"})", "b=100.1899 c"},
  };
  for (const auto& [where, left] : cases) {
    CAPTURE(where);
    CHECK(delays(*without_rows(dataset, log_backup_task(), read_json_text(where)).dataset) == left);
  }
}

TEST_CASE("computed delay: a delay that is set takes its place, and the other way round") {
  const auto dataset = load_tasks("[" + computed("a", "2024-08-09T08:04:21.810084Z") + "," +
                                  task("b", R"("delay":5,"checkpoint":"2024-08-09T08:06:00Z")") + "," +
                                  task("c", R"("errorMsg":"none")") + "]");
  const std::string missing = "set has 1 problem, nothing was changed:\n  checkpoint is missing; the delay is computed";
  const struct {
    std::string where;
    std::string fields;
    std::string delays;  // or why it is refused
    std::string problem = "";
  } cases[] = {
      {"{}", R"({"delay":7})", "a=7 b=7 c=7"},
      {"{}", R"({"delay":null})", "a b c"},
      {"{}", R"({"errorMsg":"x"})", "a=100.1899 b=5 c"},
      {"{}", R"({"$delay":null})", "a b=5 c"},
      {"{}", R"({"$delay":null,"delay":1})", "a=1 b=1 c=1"},
      {"{}", R"({"checkpoint":"2024-08-09T08:06:01Z"})", "a=1.0000 b=5 c"},
      {"{}", R"({"checkpoint":"2024-08-09T08:06:01Z","$delay":"computed"})", "a=1.0000 b=1.0000 c=1.0000"},
      {"{}", R"({"checkpoint":"2024-08-09T08:06:01Z","$delay":"computed","delay":null})", "a=1.0000 b=1.0000 c=1.0000"},
      {"{}", R"({"checkpoint":null,"delay":3})", "a=3 b=3 c=3"},
      {"{}", R"({"checkpoint":null,"delay":null})", "a b c"},
      {R"({"letter":"b"})", R"({"$delay":"computed"})", "a=100.1899 b=2.0000 c"},
      {R"({"letter":"b"})", R"({"checkpoint":null})", "a=100.1899 b=5 c"},
      {"{}", R"({"checkpoint":null})", "", missing},
      {"{}", R"({"$delay":"computed"})", "", missing},
      {"{}", R"({"$delay":"computed","delay":1})", "", "$delay stands beside delay; one of them must go"},
      {R"({"letter":"nobody"})", R"({"$delay":"computed","delay":1})", "", "$delay stands beside delay"},
      {R"({"letter":"nobody"})", R"({"$delay":0})", "", "$delay is the number 0; it must be \"computed\""},
  };
  for (const auto& [where, fields, expected, problem] : cases) {
    CAPTURE(where);
    CAPTURE(fields);
    Changed changed;
    const std::string got = refusal([&] { changed = set(dataset, where, fields); });
    CHECK(got.empty() == problem.empty());
    CHECK(got.find(problem) != std::string::npos);
    if (problem.empty()) CHECK(delays(*changed.dataset) == expected);
    CHECK(delays(*dataset) == "a=100.1899 b=5 c");
  }
  // What was fixed may be computed again.
  const auto fixed = set(dataset, "{}", R"({"delay":7})").dataset;
  CHECK(delays(*set(fixed, R"({"letter":"a"})", R"({"$delay":"computed"})").dataset) == "a=100.1899 b=7 c=7");
}

TEST_CASE("computed delay: points of a timeline move its checkpoint, end it and begin it") {
  const Instant loaded = *parse_rfc3339("2024-08-09T12:00:00Z");
  const auto origin = load_tasks(
      "[" +
      task("a",
           R"("$delay":"computed","checkpoint":"2024-08-09T12:00:00Z","$timeline":[)"
           R"({"at":"PT10S","checkpoint":"2024-08-09T12:00:08.5Z"},{"at":"PT20S","status":"STOPPED","delay":3.50},)"
           R"({"at":"PT30S","$delay":"computed"},{"at":"PT40S","checkpoint":null,"delay":null}])") +
      "," +
      task("b", R"("delay":1,"$timeline":[{"at":"PT10S","$delay":"computed","checkpoint":"2024-08-09T12:00:09Z"},)"
                R"({"at":"PT20S","$delay":null},{"at":"PT30S","delay":2}])") +
      "]");
  const struct {
    int second;  // after the load
    std::string delays;
  } cases[] = {
      {0, "a=0.0000 b=1"}, {9, "a=9.0000 b=1"}, {10, "a=1.5000 b=1.0000"}, {19, "a=10.5000 b=10.0000"},
      {20, "a=3.50 b"},    {29, "a=3.50 b"},    {30, "a=21.5000 b=2"},     {39, "a=30.5000 b=2"},
      {40, "a b=2"},       {99, "a b=2"},       {15, "a=6.5000 b=6.0000"}, {-5, "a=-5.0000 b=1"},
  };
  TimelineState state;
  for (const auto& [second, expected] : cases) {
    CAPTURE(second);
    const Instant now{loaded.second + second, 0};
    const auto dataset = at_time(origin, loaded, now, state);
    CHECK(delays(*dataset, now) == expected);
    if (second == 19) CHECK(delays(*dataset, now, "sort=delay") == "b=10.0000 a=10.5000");
  }
  // A delay that is set is no longer driven, in either of its forms; the checkpoint is.
  const auto state_of = [&](const std::string& fields, int second) {
    TimelineState fresh;
    const Instant now{loaded.second + second, 0};
    return delays(*at_time(set(origin, "{}", fields).dataset, loaded, now, fresh), now);
  };
  CHECK(state_of(R"({"delay":9})", 15) == "a=9 b=9");
  CHECK(state_of(R"({"delay":9})", 35) == "a=9 b=9");
  CHECK(state_of(R"({"checkpoint":"2024-08-09T12:00:00Z"})", 35) == "a=35.0000 b=2");
  CHECK(state_of(R"({"checkpoint":"2024-08-09T12:00:00Z","$delay":"computed"})", 45) == "a=45.0000 b=45.0000");
  CHECK(refusal([&] { set(origin, R"({"letter":"a"})", R"({"checkpoint":null})"); }).find("checkpoint is missing") !=
        std::string::npos);
  // The checkpoint would go at 40 s, and nothing is left to compute from.
  CHECK(refusal([&] {
          set(origin, R"({"letter":"a"})", R"({"$delay":"computed"})");
        }).find("$timeline, point 3: checkpoint is missing") != std::string::npos);
}

TEST_CASE("computed delay: an export keeps it, and so do files, copies and what is loaded behind") {
  const std::string text =
      "[" + task("a", kCheckpoint + R"(,"$delay":"computed","zed":null)") + "," + task("b", R"("delay":5)") + "," +
      task("c",
           kCheckpoint +
               R"(,"$since":"2024-08-09T12:00:00Z","$delay":"computed","$timeline":[{"at":"PT1S","$delay":null}])") +
      "]";
  const std::string expected = "a=100.1899 b=5 c=100.1899";
  const auto dataset = load_tasks(text);
  const std::string exported = export_fixtures(*dataset);
  CAPTURE(exported);
  CHECK(exported.find(
            R"({"$delay":"computed","checkpoint":"2024-08-09T16:04:21.810084+08:00","clusterId":1,"createTime":)"
            R"("2024-08-01T00:00:00Z","letter":"a","status":"RUNNING","tenantId":2})") != std::string::npos);
  CHECK(
      exported.find(R"({"$delay":"computed","$since":"2024-08-09T12:00:00Z","$timeline":[{"$delay":null,"at":"PT1S"}],)"
                    R"("checkpoint")") != std::string::npos);
  const auto again = load_tasks(exported);
  CHECK(delays(*again) == expected);
  CHECK(export_fixtures(*again) == exported);

  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  {
    const auto builder = DatasetBuilder::in_file(file, ocp_catalogue());
    load_fixture_text(ocp_router(), "f.json", text, *builder);
    builder->finish();
  }
  const auto from_file = Dataset::open(file, ocp_catalogue());
  CHECK(delays(*from_file) == expected);
  CHECK(page_of(*from_file, parse("")).is_of_now);
  CHECK(export_fixtures(*from_file) == exported);
  CHECK(delays(*with_fixtures(ocp_router(), from_file, "g.json", task("d", R"("delay":6)")).dataset) ==
        expected + " d=6");
  const auto plain = load_tasks("[" + task("b", R"("delay":5)") + "]");
  CHECK(delays(*with_fixtures(ocp_router(), plain, "g.json", computed("d", "2024-08-09T08:06:00Z")).dataset) ==
        "b=5 d=2.0000");
  // That tasks are computed is no envelope of a captured answer.
  const auto more = with_fixtures(ocp_router(), set(dataset, "{}", R"({"errorMsg":"x"})").dataset, "g.json",
                                  R"({"data":{"contents":[]},"duration":5,"server":"first"})");
  CHECK(more.dataset->envelope().server == "first");
}
