// Requests that wait for what another thread makes.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/fixed_app.h"
#include "ocp/digest.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("app: after a point of a timeline data are made on another thread, once, and only who needs them waits") {
  const auto data = held_timeline();
  WorldOptions worlds;
  worlds.isolate_by_user = true;
  Fixed app({}, data, worlds);
  const auto as_user = [&](const std::string& user, const std::string& path = kPath) {
    return app.get(path, {{"Authorization", "Basic " + base64_encode(user + ":x")}});
  };
  CHECK(contains(finished(as_user("a")).body, "RUNNING"));
  CHECK(data->copies == 0);
  CHECK_FALSE(as_user("a").deferred);
  app.now.second += 10;
  const http::Response first = as_user("a");
  REQUIRE(first.deferred);
  const http::Response second = as_user("a");
  REQUIRE(second.deferred);
  CHECK(app.get("/api/v2/time").status == 200);
  CHECK(app.get("/api/v2/info").status == 200);
  CHECK(app.worlds().find("a")->origin() == data);
  CHECK_FALSE(app.worlds().find("a")->ready_snapshot(list_request("", {}, path_of(1, 2))));
  // Nobody who cannot see the point.
  const http::Response other = as_user("a", "/api/v2/ob/clusters/1/tenants/3/backup/task/logBackupTasks");
  CHECK_FALSE(other.deferred);
  CHECK(contains(other.body, "STARTING"));
  CHECK(contains(other.body, R"("timestamp":"2024-08-09T16:06:12.74+08:00")"));
  CHECK(as_user("a", "/api/v2/ob/clusters/1/tenants/4/backup/task/logBackupTasks").status == 404);
  CHECK_FALSE(first.deferred->is_complete());
  CHECK_FALSE(second.deferred->is_complete());
  data->held = false;
  CHECK(contains(finished(second).body, "FAILED"));
  CHECK(contains(finished(first).body, "FAILED"));
  CHECK(data->copies == 1);
  const http::Response later = as_user("a");
  CHECK_FALSE(later.deferred);
  CHECK(contains(later.body, "FAILED"));

  // One that goes on from there; the origin is not copied again.
  app.now.second += 10;
  CHECK(contains(finished(as_user("a")).body, "STOPPED"));
  CHECK(data->copies == 1);
  app.now.second -= 10;
  data->fails = true;
  CHECK(finished(as_user("a")).status == 500);
  CHECK(contains(app.log(), "the dataset is damaged: held"));
  data->fails = false;
  CHECK(contains(finished(as_user("a")).body, "FAILED"));
}

TEST_CASE("app: many tasks are sorted on another thread, once, and then the request is answered") {
  WorldOptions worlds;
  worlds.keeps_journal = true;
  Fixed app({}, many_tasks(), worlds);
  const std::string target = kPath + "?sort=delay,desc&size=1&unknown=1";

  const http::Response later = app.get(target);
  REQUIRE(later.deferred);
  CHECK(app.worlds().base().journal().view().in_flight == 1);
  const http::Response response = finished(later);
  CHECK_FALSE(response.deferred);
  CHECK(response.status == 200);
  CHECK(contains(response.body, "\"delay\":2000,"));
  CHECK(contains(response.body, "\"totalElements\":2001,"));
  const Journal::View journal = app.worlds().base().journal().view();
  CHECK(journal.in_flight == 0);
  REQUIRE(journal.entries.size() == 1);
  CHECK(journal.entries[0]->violations.size() == 1);

  const http::Response again = app.get(target + "&page=2");
  CHECK_FALSE(again.deferred);
  CHECK(contains(again.body, "\"delay\":1999,"));
  CHECK_FALSE(app.get(kPath + "?sort=delay,desc&status=FAILED").deferred);
}

TEST_CASE("app: a client that leaves while its tasks are sorted is in the journal and in the log as one that has") {
  WorldOptions worlds;
  worlds.keeps_journal = true;
  Fixed app({}, many_tasks(), worlds);
  {
    const http::Response later = app.get(kPath + "?sort=delay,desc&size=1");
    REQUIRE(later.deferred);
    CHECK(later.deferred->has_head() == true);
    later.deferred->abandon();
    // The worker holds it until it has looked at it.
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (app.worlds().base().journal().view().in_flight != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  const Journal::View journal = app.worlds().base().journal().view();
  REQUIRE(journal.entries.size() == 1);
  CHECK(journal.entries[0]->client_left);
  CHECK(journal.entries[0]->status == 0);
  CHECK(contains(app.log(), "GET " + kPath + "?sort=delay,desc&size=1 - 0B "));
  CHECK(contains(app.log(), "us 0123456789abcdef | the client left before its answer"));
}

TEST_CASE("app: what is awaited has no head where a fault will send none") {
  Fixed app;
  const std::pair<std::string, bool> actions[] = {
      {R"({"delayMs":1})", true},
      {R"({"delayMs":1,"status":503})", true},
      {R"({"delayMs":1,"truncateAt":1})", true},
      {R"({"delayMs":1,"fault":"MALFORMED_RESPONSE_CHUNK"})", true},
      {R"({"delayMs":1,"fault":"RANDOM_DATA_THEN_CLOSE"})", false},
      {R"({"delayMs":1,"fault":"EMPTY_RESPONSE"})", false},
      {R"({"delayMs":1,"fault":"CONNECTION_RESET_BY_PEER"})", false},
  };
  for (const auto& [action, has_head] : actions) {
    CAPTURE(action);
    app.worlds().base().faults().clear();
    app.worlds().base().faults().add(read_json_text("{\"action\":" + action + "}"));
    const http::Response later = app.get(kPath);
    REQUIRE(later.deferred);
    CHECK(later.deferred->has_head() == has_head);
  }
}

TEST_CASE("app: requests that wait for a sort are answered from the data that they began with, however many they are") {
  Fixed app({}, many_tasks());
  std::vector<http::Response> waiting;
  for (int i = 0; i < 300; ++i) {
    waiting.push_back(app.get(kPath + "?size=1&sort=delay,desc&startTime=2024-01-01T00:" + (i / 60 < 10 ? "0" : "") +
                              std::to_string(i / 60) + ":" + (i % 60 < 10 ? "0" : "") + std::to_string(i % 60) + "Z"));
    REQUIRE(waiting.back().deferred);
  }
  app.worlds().reload(dataset());
  for (const http::Response& later : waiting) {
    const http::Response response = finished(later);
    REQUIRE_FALSE(response.deferred);
    CHECK(contains(response.body, "\"delay\":2000,"));
    CHECK(contains(response.body, "\"totalElements\":2001,"));
  }
  CHECK(contains(app.get(kPath + "?sort=delay,desc").body, "\"totalElements\":1,"));
}

namespace {

// Its delay is computed from 08:04:21.810084 UTC.
const std::string kComputedTask =
    R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING",)"
    R"("checkpoint":"2024-08-09T16:04:21.810084+08:00","$delay":"computed"})";

std::shared_ptr<const Dataset> load(const std::string& text) {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "logBackupTasks.ndjson", text, *builder);
  return builder->finish();
}

}  // namespace

TEST_CASE("app: a computed delay is that of the timestamp beside it") {
  Instant now{1723190762, 0};
  WorldOptions world;
  world.real_now = [&] {
    now = now + Duration{0, 300'000'000};
    return now;
  };
  Worlds worlds(world, load(kComputedTask));
  const App app({}, {world.real_now, [] { return std::string("t"); }, std::make_shared<spdlog::logger>("quiet")},
                ocp_router(), worlds);
  for (int i = 0; i < 30; ++i) {
    const std::string body = app.handle({"GET", kPath, {{"Authorization", kBasic}}, "", {}}).body;
    CAPTURE(body);
    const Instant time = *parse_rfc3339(body.substr(body.find("\"timestamp\":\"") + 13,
                                                    body.find("\",\"traceId") - body.find("\"timestamp\":\"") - 13));
    CHECK(contains(body, "\"delay\":" + std::to_string(time.second - 1723190662) + ".1899,"));
  }
}

TEST_CASE("app: with frozen values a computed delay is that of their timestamp, whatever the clock") {
  AppOptions options;
  options.frozen = EnvelopeValues{79, "s", "2024-08-09T16:06:02.743+08:00", "t"};
  Fixed app(options, load(kComputedTask));
  CHECK(contains(app.get(kPath).body, "\"delay\":100.1899,"));
  app.now.second += 1000;
  app.worlds().base().clock().stand_at({0, 0});
  CHECK(contains(app.get(kPath).body, "\"delay\":100.1899,"));
  // Without them it is the clock's.
  Fixed running({}, load(kComputedTask));
  running.worlds().base().clock().stand_at({1723190663, 0});
  CHECK(contains(running.get(kPath).body, "\"delay\":1.1899,"));
}

TEST_CASE("app: a request that waits for a sort by computed delays is answered as of the time that it was sorted for") {
  std::string tasks = kComputedTask + "\n";
  for (int i = 0; i < 2001; ++i) {
    tasks += R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","delay":101})"
             "\n";
  }
  Fixed app({}, load(tasks));
  app.worlds().base().clock().stand_at({1723190762, 0});
  const std::string target = kPath + "?sort=delay&size=1";
  const http::Response later = app.get(target);
  REQUIRE(later.deferred);
  app.worlds().base().clock().stand_at({1723190764, 0});
  const std::string body = finished(later).body;
  CHECK(contains(body, "\"delay\":100.1899,"));
  CHECK(contains(body, "\"timestamp\":\"2024-08-09T16:06:02+08:00\""));
  // Two seconds later it is no longer the least.
  const std::string then = finished(app.get(target)).body;
  CHECK(contains(then, "\"delay\":101,"));
  CHECK(contains(then, "\"timestamp\":\"2024-08-09T16:06:04+08:00\""));
  CHECK(contains(finished(app.get(kPath + "?sort=delay,desc&size=1")).body, "\"delay\":102.1899,"));
}
