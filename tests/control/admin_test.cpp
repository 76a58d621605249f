// Admin calls without sockets, where time and threads would hide what is asked.
#include "control/admin.h"

#include <doctest/doctest.h>

#include <mutex>
#include <string>
#include <vector>

#include "http/socket_client.h"
#include "log_backup_tasks.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;
using namespace std::chrono_literals;

namespace {

class ManualHandler {
 public:
  explicit ManualHandler(AdminOptions options = {}, WorldOptions world_options = {})
      : worlds(at(std::move(world_options)), DatasetBuilder::in_memory(ocp_catalogue())->finish()),
        admin(with_router(std::move(options)), worlds) {}

  http::Response get(const std::string& target) { return admin.handle({"GET", "/__admin" + target, {}, "", {}}); }

  http::Response ask(const std::string& method, const std::string& target, const Headers& headers,
                     const std::string& peer = "10.0.0.1") {
    http::Request request{method, "/__admin" + target, headers, "", {}};
    request.peer = peer;
    return admin.handle(request);
  }

  void record(const std::string& path, int status = 200) {
    JournalEntry entry;
    entry.method = "GET";
    entry.path = path;
    entry.status = status;
    journal().record(journal().begin(), std::move(entry));
  }

  Journal& journal() { return worlds.base().journal(); }

  static AdminOptions with_router(AdminOptions options) {
    options.router = &ocp_router();
    return options;
  }

  static WorldOptions at(WorldOptions options) {
    options.real_now = [] { return Instant{1723190762, 0}; };
    options.journal_size = 10;
    return options;
  }

  Worlds worlds;
  Admin admin;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string path(int i) { return "/p/" + std::to_string(i); }

}  // namespace

TEST_CASE("admin: polls sleep through every request that is not theirs, with one timer each") {
  struct Kind {
    std::string name;
    std::string (*query)(int);
  };
  const Kind kinds[] = {
      {"each another path", [](int i) { return "path=" + path(i); }},
      {"all one path", [](int) { return std::string("path=/never"); }},
      {"each another prefix", [](int i) { return "pathPrefix=" + path(i) + "/"; }},
      {"each another template", [](int i) { return "pathTemplate=" + path(i) + "/{x}"; }},
      {"one status", [](int) { return std::string("status=503"); }},
  };
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    ManualHandler desk;
    std::vector<http::Response> polls;
    for (int i = 0; i < 1000; ++i) {
      polls.push_back(desk.get("/requests?wait=PT1M&" + kind.query(i)));
      REQUIRE(polls.back().deferred);
    }
    for (int i = 0; i < 1000; ++i) desk.record("/api/status");
    for (const http::Response& poll : polls) REQUIRE_FALSE(poll.deferred->is_complete());
    CHECK(desk.worlds.scheduler().size() == 1000);
    CHECK(desk.journal().waits() == 1000);
    // Clients that go take their polls with them.
    for (int i = 0; i < 500; ++i) polls[static_cast<std::size_t>(i)].deferred->abandon();
    CHECK(desk.worlds.scheduler().size() == 500);
    CHECK(desk.journal().waits() == 500);
    polls.clear();
    CHECK(desk.worlds.scheduler().size() == 0);
    CHECK(desk.journal().waits() == 0);
  }
}

TEST_CASE("admin: the request that is waited for wakes those who wait for it, and no other") {
  ManualHandler desk;
  desk.record("/p/0");
  std::vector<http::Response> polls;
  for (int i = 0; i < 10; ++i) polls.push_back(desk.get("/requests?since=1&wait=PT1M&path=" + path(i)));
  desk.record("/p/7");
  for (std::size_t i = 0; i < polls.size(); ++i) CHECK(polls[i].deferred->is_complete() == (i == 7));
  const http::Response answer = polls[7].deferred->take();
  CHECK(answer.status == 200);
  CHECK(answer.body.starts_with(R"({"evicted":0,"last":2,"requests":[{)"));
  CHECK(contains(answer.body, R"("path":"/p/7","query":"","sequence":2,)"));
  // Its timer has gone as well.
  CHECK(desk.worlds.scheduler().size() == 9);
  // What has come already is answered at once.
  CHECK_FALSE(desk.get("/requests?wait=PT1M&path=/p/7").deferred);
  CHECK(desk.get("/requests?since=2&wait=PT1M&path=/p/7").deferred);
  // One that the journal has lost by the time of the answer is in it all the same.
  const http::Response lost = desk.get("/requests?wait=PT1M&path=/lost");
  desk.record("/lost");
  for (int i = 0; i < 20; ++i) desk.record("/other");
  CHECK(contains(lost.deferred->take().body, R"("path":"/lost")"));
}

TEST_CASE("admin: polls go on over a reset, and end with their world") {
  WorldOptions options;
  options.isolate_by_user = true;
  ManualHandler desk({}, options);
  desk.worlds.of_user("a");
  const http::Response base = desk.get("/requests?wait=PT1M");
  const http::Response replaced = desk.get("/requests?wait=PT1M&user=a");
  CHECK(desk.admin.handle({"POST", "/__admin/reset", {}, "", {}}).status == 204);
  CHECK(desk.admin.handle({"DELETE", "/__admin/faults", {}, "", {}}).status == 204);
  CHECK_FALSE(base.deferred->is_complete());
  CHECK_FALSE(replaced.deferred->is_complete());
  CHECK(desk.admin.handle({"PUT", "/__admin/worlds/a", {}, "", {}}).status == 201);
  REQUIRE(replaced.deferred->is_complete());
  CHECK(replaced.deferred->take().body == R"({"evicted":0,"last":0,"requests":[]})");
  const http::Response deleted = desk.get("/requests?wait=PT1M&user=a");
  CHECK_FALSE(deleted.deferred->is_complete());
  CHECK(desk.admin.handle({"DELETE", "/__admin/worlds/a", {}, "", {}}).status == 204);
  CHECK(deleted.deferred->is_complete());
  CHECK_FALSE(base.deferred->is_complete());
}

TEST_CASE("admin: so many polls of a world, and no more") {
  ManualHandler desk;
  std::vector<http::Response> polls;
  for (std::size_t i = 0; i < Journal::kMostWaits; ++i) polls.push_back(desk.get("/requests?wait=PT1M"));
  const http::Response refused = desk.get("/requests?wait=PT1M");
  CHECK(refused.status == 503);
  CHECK(contains(refused.body, "10000 calls wait for requests of this world, which is the most; end some first"));
  polls.pop_back();
  CHECK(desk.get("/requests?wait=PT1M").deferred);
}

TEST_CASE("admin: delays leave no timer behind when their clients go") {
  ManualHandler desk;
  const auto pending = std::make_shared<http::DeferredResponse>([] { return http::Response{}; });
  {
    const Scheduler::Timer timer = desk.worlds.base().delay(1h, pending, desk.worlds.base().releases());
    CHECK(desk.worlds.scheduler().size() == 1);
    Scheduler::Timer moved = desk.worlds.scheduler().wake_after(2h, nullptr, pending);
    CHECK(desk.worlds.scheduler().size() == 2);
    moved = desk.worlds.scheduler().wake_after(3h, nullptr, pending);
  }
  CHECK(desk.worlds.scheduler().size() == 0);
  CHECK_FALSE(pending->is_complete());
  const Scheduler::Timer timer = desk.worlds.base().delay(1h, pending, desk.worlds.base().releases());
  desk.worlds.base().release();
  CHECK(pending->is_complete());
  CHECK(desk.worlds.scheduler().size() == 0);
}

TEST_CASE("admin: what was loaded again is counted by file and by resource") {
  const Resource& tasks = log_backup_task();
  const Resource& other = ocp_catalogue().resources.front();
  REQUIRE(&tasks != &other);
  AdminOptions options;
  options.reload = [&] {
    return LoadedFixtures{{{"a.json", "a fixture set", {{&tasks, 2}, {&other, 1}}, 0, 0, 0, {}},
                           {"b.json", "an array", {{&other, 4}}, 0, 3, 0, {}},
                           {"c.json", "an array", {}, 0, 0, 0, {}}},
                          {"a note"}};
  };
  ManualHandler desk(std::move(options));
  const auto waiting = desk.admin.handle({"POST", "/__admin/fixtures/reload", {}, "", {}});
  REQUIRE(waiting.deferred);
  REQUIRE(ocp_mock::test::eventually([&] { return waiting.deferred->is_complete(); }));
  const std::string name(other.name);
  CHECK(waiting.deferred->take().body ==
        R"({"files":[{"file":"a.json","form":"a fixture set","resources":{"logBackupTasks":2,")" + name +
            R"(":1},"tasks":3},{"exchanges":3,"file":"b.json","form":"an array","resources":{")" + name +
            R"(":4},"tasks":4},{"file":"c.json","form":"an array","resources":{},"tasks":0}],"notes":["a note"],)"
            R"("resources":{"logBackupTasks":2,")" +
            name + R"(":5},"tasks":7})");
}

TEST_CASE("admin: a journal with many bodies is read on another thread, and only the world's own counts") {
  WorldOptions world_options;
  world_options.isolate_by_user = true;
  ManualHandler desk({}, std::move(world_options));
  for (int i = 0; i < 5; ++i) {
    JournalEntry entry;
    entry.method = "POST";
    entry.path = path(i);
    entry.body = R"({"a":")" + std::string(16'000, 'x') + R"("})";
    entry.body_bytes = entry.body.size();
    Journal& journal = desk.worlds.of_user("a b")->journal();
    journal.record(journal.begin(), std::move(entry));
  }
  const std::string question = R"({"body":{"contains":{"b":null}},"exactly":5})";
  const std::pair<http::Request, std::string> asked[] = {
      {{"POST", "/__admin/requests/verify?user=a%20b", {}, question, {}}, R"("matched":5,"result":"passed"})"},
      {{"GET", "/__admin/requests?user=a+b", {}, "", {}}, R"("sequence":5,)"},
      {{"GET", "/__admin/violations?user=a+b", {}, "", {}}, R"({"evicted":0,"requests":[]})"},
      // The wait for a request to come begins on that thread, too.
      {{"GET", "/__admin/requests?user=a+b&path=/p/7&wait=PT0.05S", {}, "", {}}, R"("requests":[]})"},
  };
  for (const auto& [request, part] : asked) {
    CAPTURE(request.target);
    http::Response response = desk.admin.handle(request);
    CHECK(response.deferred);
    while (response.deferred) {
      REQUIRE(ocp_mock::test::eventually([&] { return response.deferred->is_complete(); }));
      response = response.deferred->take();
    }
    CHECK(response.status == 200);
    CHECK(contains(response.body, part));
  }
  CHECK_FALSE(desk.get("/requests").deferred);
  CHECK_FALSE(desk.get("/requests?user=nobody").deferred);
}

TEST_CASE("admin: wrong tokens are logged without the token and slowed, right ones never") {
  std::vector<std::string> log;
  AdminOptions options;
  options.token = "geheim";
  options.warn = [&](const std::string& text) { log.push_back(text); };
  ManualHandler desk(options);
  const Headers wrong{{"Host", "h"}, {"Authorization", "Bearer falsch"}};
  const Headers right{{"Host", "h"}, {"Authorization", "Bearer geheim"}};
  for (int i = 0; i < WrongTokens::kFree; ++i) CHECK(desk.ask("POST", "/reset?x=1", wrong).status == 401);
  REQUIRE(log.size() == static_cast<std::size_t>(WrongTokens::kFree));
  CHECK(log[0] == "a wrong admin token from 10.0.0.1: POST /__admin/reset");
  const http::Response slow = desk.ask("POST", "/reset", wrong);
  REQUIRE(slow.deferred);
  CHECK_FALSE(slow.deferred->is_complete());
  CHECK(desk.ask("POST", "/reset", right).status == 204);
  CHECK_FALSE(desk.ask("POST", "/reset", wrong, "10.0.0.2").deferred);
  // Without a token there is nothing to try.
  for (int i = 0; i < 10; ++i) CHECK(desk.ask("POST", "/reset", {{"Host", "h"}}, "10.0.0.3").status == 401);
  CHECK_FALSE(desk.ask("POST", "/reset", wrong, "10.0.0.3").deferred);
  desk.ask("POST", "/reset", wrong, "");
  CHECK(log.back() == "a wrong admin token from an unknown address: POST /__admin/reset");
  for (const std::string& line : log) CHECK_FALSE(contains(line, "falsch"));
  desk.worlds.scheduler().stop();
  while (!slow.deferred->is_complete()) std::this_thread::yield();
  CHECK(slow.deferred->take().status == 401);
}

TEST_CASE("admin: a right token admits whoever shows it, from wherever") {
  AdminOptions options;
  options.token = "geheim";
  ManualHandler desk(options);
  const Headers page{{"Host", "evil.example"},
                     {"Origin", "http://evil.example"},
                     {"Sec-Fetch-Site", "cross-site"},
                     {"Authorization", "Bearer geheim"}};
  CHECK(desk.ask("POST", "/reset", page).status == 204);
  CHECK(desk.ask("POST", "/reset", {{"Host", "localhost"}, {"Authorization", "Bearer falsch"}}).status == 401);
  // Without it the health is told to those who are no strangers, and to everybody what this is.
  CHECK(desk.ask("GET", "/health", {{"Host", "localhost"}}).status == 200);
  CHECK(desk.ask("GET", "/health", {{"Host", "evil.example"}}).status == 403);
  CHECK(desk.ask("GET", "", {{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}}).status == 200);
}

TEST_CASE("admin: a world of one user has no requests of another, and says so") {
  WorldOptions options;
  options.isolate_by_user = true;
  ManualHandler desk({}, options);
  desk.worlds.of_user("a");
  const auto verify = [&](const std::string& query, const std::string& body) {
    return desk.admin.handle({"POST", "/__admin/requests/verify" + query, {}, body, {}}).body;
  };
  CHECK(contains(
      verify("", R"({"user":"a b","exactly":0})"),
      "user is 'a b'; under --isolate-by user, requests of that user are in another world: ask with ?user=a%20b"));
  CHECK(contains(verify("?user=a", R"({"user":"","exactly":0})"), "ask without ?user"));
  CHECK(contains(verify("?user=a", R"({"user":"a","exactly":0})"), R"("result":"passed")"));
  CHECK(contains(verify("", R"({"user":"","exactly":0})"), R"("result":"passed")"));
  ManualHandler shared;
  CHECK(contains(shared.admin.handle({"POST", "/__admin/requests/verify", {}, R"({"user":"a","exactly":0})", {}}).body,
                 R"("result":"passed")"));
}
