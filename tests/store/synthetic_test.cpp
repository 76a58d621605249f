// Rows of the shapes that OCP's own catalogue does not have yet.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocp/url.h"
#include "store/changes.h"
#include "store/dataset_builder.h"
#include "store/step_counter.h"
#include "store/synthetic_hosts.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("synthetic: each filter finds what it says") {
  const auto dataset = load(
      R"([{"zone":"z","name":"one","kind":"K39","tags":["a","b"],"ports":[80],"load":1.5,"ready":true,"port":1,)"
      R"("startedAt":"2024-08-01T00:00:00Z"},)"
      R"({"zone":"z","name":"TWO","kind":"K00","tags":["B","80"],"ports":[443,80],"load":2,"ready":false,"port":2,)"
      R"("startedAt":"2024-08-01T00:00:00.5Z"},)"
      R"({"zone":"z","name":"three","kind":"K38","tags":[],"load":-1,"port":3},)"
      R"({"zone":"z","name":"none"}])");
  const struct {
    std::string query;
    std::string names;
    std::string exactly = "";  // where words are compared letter for letter, if that differs
  } cases[] = {
      {"", "TWO one none three"},
      {"kind=K00", "TWO one", "TWO"},
      {"kind=K39", "TWO one", "one"},
      {"kind=K38", "three"},
      {"kinds=K38,K39", "TWO one three", "one three"},
      {"kinds=K37", ""},
      {"port=1,3&port=2", "TWO one three"},
      {"ready=false", "TWO"},
      {"name=o", "TWO one none"},
      {"name=ON", "one none"},
      {"tag=b", "one"},
      {"tag=a,B", "TWO one"},
      {"tag=80", "TWO"},
      {"open=80", "TWO one"},
      {"open=443", "TWO"},
      {"since=2024-08-01T08:00:00%2B08:00", "TWO one"},
      {"since=2024-08-01T00:00:00.1Z", "TWO"},
      {"before=2024-08-01T00:00:00.499999999Z", "one"},
      {"minLoad=1.5", "TWO one"},
      {"maxLoad=1", "three"},
      {"minLoad=-1&maxLoad=2&ready=true&tag=a&open=80&kind=K39&port=1&name=ONE", "one"},
      {"size=2&page=2", "none three"},
      {"sort=ready&sort=name,desc", "TWO one three none"},
      {"sort=desc,load", "TWO one three none"},
  };
  const auto names = [&](const std::string& query, WordMatch match) {
    std::string found;
    const Request request = request_of("/api/v1/zones/z/hosts", query, "GET", {.word_match = match});
    for (const JsonValue& row : read_json_text("[" + page_of(*dataset, request).contents + "]").items) {
      found += (found.empty() ? "" : " ") + row.find("name")->value.text;
    }
    return found;
  };
  for (const auto& [query, expected, exactly] : cases) {
    CAPTURE(query);
    CHECK(names(query, WordMatch::Meaning) == expected);
    CHECK(names(query, WordMatch::Exact) == (exactly.empty() ? expected : exactly));
  }
}

TEST_CASE("synthetic: a row is got by its key, and what is missing is told") {
  const std::string one = R"({"description":null,"name":"one","zone":"z/1"})";
  const std::string other = R"({"name":"one","zone":"z2"})";
  const auto dataset = load(R"({"zones":[{"name":"empty","title":"E"}],"hosts":[)" + one + "," + other + "]}");
  const std::pair<std::string, std::string> cases[] = {
      {"/api/v1/zones/z%2F1/hosts/one", one},
      {"/api/v1/zones/z2/hosts/one", other},
      {"/api/v1/zones/z2/hosts/ONE", "404 20001"},
      {"/api/v1/zones/empty/hosts/one", "404 20001"},
      {"/api/v1/zones/none/hosts/one", "404 10002"},
      {"/api/v1/zones/z2/hosts", other},
      {"/api/v1/zones/empty/hosts", ""},
      {"/api/v1/zones/none/hosts", "404 10002"},
      {"/api/v1/zones/z2/hosts/busiest", other},
      {"/api/v1/zones/none/hosts/busiest", "404 10002"},
  };
  for (const auto& [path, expected] : cases) {
    CAPTURE(path);
    CHECK(answer(dataset, request_of(path)) == expected);
  }
  CHECK(answer(dataset, request_of("/api/v1/zones/z2/hosts/one", "", "DELETE")) == other);
}

TEST_CASE("synthetic: a row among many is got by its key at once, without looking at others") {
  Any any(3);
  const std::vector<Host> hosts = random_hosts(5000, any);
  const StepCounter counter;
  const auto dataset = load(fixtures(hosts));
  for (std::size_t i = 0; i < hosts.size(); i += 500) {
    const Host& host = hosts[i];
    const Request request =
        request_of(fmt::format("/api/v1/zones/{}/hosts/{}", percent_encode(host.zone), percent_encode(host.name)));
    std::optional<Outcome> outcome;
    CHECK(StepCounter::of([&] { outcome = perform(request, dataset); }) < 100);
    REQUIRE(std::holds_alternative<AnswerData>(*outcome));
    CHECK(std::get<AnswerData>(*outcome).page.contents == json_of(host));
  }
  const Request missing = request_of("/api/v1/zones/empty/hosts/none");
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, missing) == "404 20001"); }) < 100);
  // Without the keys of its parents, too.
  const Request named = request_of("/api/v1/named/" + percent_encode(hosts[2500].name));
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, named) == json_of(hosts[2500])); }) < 100);
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, request_of("/api/v1/named/none")) == "404 20001"); }) < 100);
}

TEST_CASE("synthetic: a row is found by its key alone, and seen to change") {
  const auto origin = load(R"([{"zone":"z","name":"one","port":1,"$timeline":[{"at":"PT10S","port":2}]},)"
                           R"({"zone":"z","name":"two"}])");
  TimelineState state;
  at_time(origin, {0, 0}, {0, 0}, state);
  const auto find = [&](std::string_view path, std::int64_t at) {
    const auto dataset = find_at_time(request_of(path), origin, {0, 0}, {at, 0}, state);
    return dataset ? answer(dataset, request_of(path)) : "none";
  };
  CHECK(find("/api/v1/named/one", 9) == R"({"name":"one","port":1,"zone":"z"})");
  CHECK(find("/api/v1/named/one", 10) == "none");
  CHECK(find("/api/v1/regions", 10).empty());
  at_time(origin, {0, 0}, {10, 0}, state);
  CHECK(find("/api/v1/named/one", 10) == R"({"name":"one","port":2,"zone":"z"})");
}

TEST_CASE("synthetic: two rows with the same parents and key are refused, with the place of the second") {
  const auto refusal = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const FixtureError& error) {
      return error.what();
    }
    return "";
  };
  const std::string one = R"({"zone":"z","name":"one","port":1})";
  const std::string told =
      "host 2: name is \"one\", and another host with zone \"z\" has it; each must have one of its own";
  const std::pair<std::string, std::string> cases[] = {
      {"[" + one + ",\n " + R"({"zone":"z","name":"one"}])", "hosts.json:2:2: " + told},
      {one + "\n" + R"({"zone":"z","name":"one","details":{}})", "hosts.json:2:1: " + told},
      {R"({"hosts":[)" + one + "," + one + "]}", "hosts.json:1:46: " + told},
  };
  for (const auto& [text, problem] : cases) {
    CAPTURE(text);
    CHECK(refusal([&, &text = text] { load(text); }) ==
          "the fixtures have 1 problem, nothing was loaded:\n  " + problem);
  }
  const auto dataset = load("[" + one + R"(,{"zone":"y","name":"one"},{"zone":"z","name":"two"}])");
  CHECK(refusal([&] { with_fixtures(router(), dataset, "hosts.json", one); }).find("hosts.json:1:1: host 1: name is") !=
        std::string::npos);
  CHECK(refusal([&] {
          with_rows_set(dataset, hosts_resource(), read_json_text(R"({"name":"two"})"),
                        read_json_text(R"({"name":"one"})"));
        }).find("name is \"one\", and another host") != std::string::npos);
  CHECK(with_rows_set(dataset, hosts_resource(), read_json_text(R"({"name":"two"})"),
                      read_json_text(R"({"name":"two","port":5})"))
            .rows == 1);
  // Many rows, of which no other index is kept.
  Any any(4);
  std::string many = "[";
  for (int i = 0; i < 12'000; ++i) many += fmt::format(R"({{"zone":"z","name":"h{}"}},)", i);
  CHECK(refusal([&] { load(many + R"({"zone":"z","name":"h7"}])"); }).find("host 12001: name is \"h7\"") !=
        std::string::npos);
  CHECK(page_of(*load(many + R"({"zone":"y","name":"h7"}])"), request_of("/api/v1/zones/z/hosts")).total == 12'000);
}

TEST_CASE("synthetic: a row takes the place of one that was known as the parent of others only") {
  const auto builder = DatasetBuilder::in_memory(synthetic_catalogue());
  builder->add_implied(hosts_resource(), std::vector<SqlValue>{"z", "two"}, std::nullopt);
  const auto known = builder->finish();
  CHECK(answer(known, request_of("/api/v1/named/two")) == R"({"name":"two","zone":"z"})");
  const auto more = with_fixtures(router(), known, "hosts.json", R"([{"zone":"z","name":"two","port":7}])").dataset;
  CHECK(answer(more, request_of("/api/v1/zones/z/hosts")) == R"({"name":"two","port":7,"zone":"z"})");
}

TEST_CASE("synthetic: an export has the rows that are only declared, wherever they belong") {
  const std::string text = R"({"zones":[{"name":"a","title":"A"},{"name":"b"}],)"
                           "\n"
                           R"("hosts":[)"
                           "\n"
                           R"({"name":"one","port":1,"zone":"a","disks":[{"slot":1,"model":"M"},{"slot":2}]},)"
                           "\n"
                           R"({"name":"one","zone":"b","disks":[{"slot":1}]},)"
                           "\n"
                           R"({"name":"two","zone":"b"}],)"
                           "\n"
                           R"("regions":[]})"
                           "\n";
  const auto dataset = load(text);
  std::string disks;
  const Outline keys = dataset->keys(*synthetic_catalogue().find_resource("disks"));
  for (const Outline& zone : keys.children) {
    for (const Outline& host : zone.children) disks += fmt::format("{} ", host.children.size());
  }
  CHECK(disks == "2 1 0 ");
  const std::string exported = export_fixtures(*dataset);
  CHECK(exported.find(R"("disks":[{"slot":1,"model":"M"},{"slot":2}])") != std::string::npos);
  CHECK(export_fixtures(*load(exported)) == exported);
}

TEST_CASE("synthetic: a list without parents and paging has all rows, in the order of the fixtures") {
  std::string text = "[";
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string row = fmt::format(R"({{"name":"r{}","order":{}}})", i * 7 % 3000, i);
    all += (i == 0 ? "" : ",") + row;
  }
  const std::string described = R"({"description":"the East","name":"x"})";
  const auto dataset = load(R"({"regions":[)" + all + "," + described + "]}");
  CHECK(answer(dataset, request_of("/api/v1/regions")) == all + "," + described);
  const auto found = [&](const std::string& query) {
    return answer(dataset, request_of("/api/v1/regions", query, "POST"));
  };
  CHECK(found("dryRun=true&keyword=EAST") == described);
  CHECK(found("dryRun=false&keyword=r2999") == R"({"name":"r2999","order":857})");
  CHECK(found("dryRun=false") == all + "," + described);
  CHECK(answer(load("[]"), request_of("/api/v1/regions")).empty());
}

TEST_CASE("synthetic: zones are told with their titles, those of hosts and those that are declared") {
  const auto dataset =
      load(R"({"zones":[{"name":"b","title":"B"},{"name":"empty"}],"hosts":[{"zone":"b","name":"1","zoneTitle":"not"},)"
           R"({"zone":"a","name":"1","zoneTitle":"A"},{"zone":"a","name":"2"}]})");
  std::string text;
  for (const Outline& zone : dataset->outline(hosts_resource()).children) {
    text += fmt::format("{} {} {}; ", std::get<std::string>(zone.key), zone.label.value_or("-"), zone.rows);
  }
  CHECK(text == "a A 2; b B 1; empty - 0; ");
}

TEST_CASE("synthetic: a resource without rows has no table, and all that is asked of it is answered") {
  const auto dataset = load(R"([{"zone":"z","name":"one"}])");
  CHECK_NOTHROW(dataset->query_plan({"SELECT 1 FROM host", {}}));
  CHECK_THROWS_WITH(dataset->query_plan({"SELECT 1 FROM region", {}}), "no such table: region");
  const Resource& regions = *synthetic_catalogue().find_resource("regions");
  CHECK(answer(dataset, request_of("/api/v1/regions")).empty());
  CHECK(answer(load("[]"), request_of("/api/v1/zones/z/hosts")) == "404 10002");
  CHECK(dataset->outline(regions).rows == 0);
  const Explanation explanation = dataset->explain(request_of("/api/v1/regions", "dryRun=true&keyword=x", "POST"));
  CHECK(explanation.rows == std::vector<std::int64_t>{0, 0});
  CHECK(explanation.page.empty());
  CHECK(without_rows(dataset, regions, read_json_text("{}")).rows == 0);
  CHECK(with_rows_set(dataset, regions, read_json_text("{}"), read_json_text(R"({"order":1})")).rows == 0);
  const auto more = with_fixtures(router(), dataset, "regions.json", R"([{"name":"r"}])").dataset;
  CHECK(answer(more, request_of("/api/v1/regions")) == R"({"name":"r"})");
  CHECK(answer(more, request_of("/api/v1/zones/z/hosts")) == R"({"name":"one","zone":"z"})");
  const TemporaryFolder folder;
  {
    const auto builder = DatasetBuilder::in_file(folder.path() / "d.db", synthetic_catalogue());
    load_fixture_text(router(), "regions.json", R"([{"name":"r"}])", *builder);
    builder->finish();
  }
  const auto in_file = Dataset::open(folder.path() / "d.db", synthetic_catalogue());
  CHECK(answer(in_file, request_of("/api/v1/regions")) == R"({"name":"r"})");
  CHECK(answer(in_file, request_of("/api/v1/zones/z/hosts")) == "404 10002");
}
