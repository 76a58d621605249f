// Fixtures loaded again, and --init.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "control/control_server.h"
#include "json/text.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("control: the fixtures are loaded again when a call says so, whole or not at all") {
  const Server server;
  const auto write = [&](const std::string& text) { std::ofstream(server.file()) << text; };
  const auto reload = [&](const std::string& query = "") { return server.admin("POST", "/fixtures/reload" + query); };
  server.admin("DELETE", "/tasks", R"({"where":{}})");
  CHECK(contains(server.get().body, total(0)));
  // Also when the files have not changed.
  const Answer same = reload();
  CHECK(same.status == 200);
  CHECK(same.body == R"({"files":[{"file":)" + json_string(server.file().string()) +
                         R"(,"form":"an array of tasks","resources":{"logBackupTasks":2},"tasks":2}],"notes":[],)"
                         R"("resources":{"logBackupTasks":2},"tasks":2})");
  CHECK(contains(server.get().body, total(2)));
  write("[{},5]");
  const Answer broken = reload();
  CHECK(broken.status == 400);
  CHECK(contains(broken.head, "Content-Type: application/problem+json\r\n"));
  CHECK(contains(broken.body, "the fixtures have 5 problems, nothing was loaded:"));
  CHECK(contains(broken.body, "task 2: it is the number 5; it must be an object"));
  CHECK(contains(server.get().body, total(2)));
  CHECK(contains(server.admin("GET", "/health").body, "the fixtures have 5 problems"));
  write(R"({"data":{"contents":[]}})");
  CHECK(contains(reload().body, R"("notes":[)" + json_string(server.file().string() + ":1:1: the captured answer")
                                                     .substr(0, server.file().string().size() + 20)));
  CHECK(server.admin("GET", "/health").body == R"({"status":"up"})");
  CHECK(server.get().status == 404);
  // A reset returns to what was loaded last.
  write("[" + task("2024-08-01T00:00:00Z") + "]");
  CHECK(reload().status == 200);
  server.admin("POST", "/fixtures", kFixtures);
  CHECK(server.admin("POST", "/reset").status == 204);
  CHECK(contains(server.get().body, total(1)));
  CHECK(contains(reload("?user=a").body, "the parameter 'user' is unknown here"));
  CHECK(server.admin("GET", "/fixtures/reload").status == 405);
}

TEST_CASE("control: what cannot be loaded again is told with its reason, and nothing changes") {
  const TemporaryFolder folder;
  const auto fixtures = folder.write("f.json", kFixtures).string();
  const auto db = (folder.path() / "data.db").string();
  const auto pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const struct {
    std::vector<std::string> flags;
    std::string reason;
  } cases[] = {
      {{}, "the server was started without --fixtures"},
      {{"--fixtures", fixtures, "--db", db}, "the fixtures have become the file " + db + " of --db"},
      {{"--db", db}, "the server serves the file " + db + " of --db as it is"},
      {{"--fixtures", pipe.string()}, pipe.string() + " is a pipe or a device, which gives its data once"},
  };
  for (const auto& [flags, reason] : cases) {
    CAPTURE(reason);
    const ServeOptions options = serve_flags(flags);
    const auto logger = std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>());
    int loads = 0;
    std::thread writer;
    if (flags.size() > 1 && flags[1] == pipe) writer = std::thread([&] { std::ofstream(pipe) << kFixtures; });
    Service service(options, ocp_catalogue(), AppContext{[] { return kNow; }, [] { return std::string("x"); }, logger},
                    [&](const Router& router) {
                      ++loads;
                      return load_dataset(options, router, *logger);
                    });
    if (writer.joinable()) writer.join();
    CHECK_THROWS_WITH_AS(service.reload(), doctest::Contains(reason.c_str()), NoReload);
    CHECK(loads == 1);
    http::EpollServer server({"127.0.0.1", 0, 1, {}, 100, std::chrono::seconds(3)});
    server.start([&](const http::Request& request) { return service.handle(request); });
    SocketClient client(server.port());
    client.send(Server::text("POST", "/__admin/fixtures/reload", "", "Connection: close\r\n"));
    const Answer answer = Server::parse(client.read_to_end());
    CHECK(answer.status == 409);
    CHECK(contains(answer.body, R"("status":409,"title":"Conflict")"));
    server.stop();
  }
}

TEST_CASE("control: reloads at once are made one after the other") {
  const TemporaryFolder folder;
  const auto file = folder.write("f.json", kFixtures);
  const ServeOptions options = serve({"--fixtures", file.c_str()});
  const auto logger = std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>());
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  std::atomic<int> loads{0};
  Service service(options, ocp_catalogue(), AppContext{[] { return kNow; }, [] { return std::string("x"); }, logger},
                  [&](const Router& router) {
                    most = std::max(most.load(), ++at_once);
                    Loaded loaded = load_dataset(options, router, *logger);
                    std::this_thread::yield();
                    --at_once;
                    ++loads;
                    return loaded;
                  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) service.reload();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(loads == 41);
  CHECK(most == 1);
}

TEST_CASE("control: a reload reaches the worlds that nobody has changed") {
  const Server server({"--isolate-by", "user"});
  const auto count_of = [&](const std::string& user) {
    const std::string body = server.get(kList, user).body;
    const auto at = body.find("\"totalElements\":");
    return at == std::string::npos ? -1 : std::atoi(body.c_str() + at + 16);
  };
  const auto load = [&](int count) {
    std::string tasks;
    for (int i = 0; i < count; ++i) tasks += (i == 0 ? "" : ",") + task("2024-08-01T00:00:00Z");
    std::ofstream(server.file()) << "[" + tasks + "]";
    CHECK(server.admin("POST", "/fixtures/reload").status == 200);
  };
  const std::string more = "[" + task("2024-08-03T00:00:00Z") + "]";
  const auto add = [&](const std::string& user) { server.admin("POST", "/fixtures?user=" + user, more); };
  const auto fork = [&](const std::string& user, const std::string& from) {
    CHECK(server.admin("PUT", "/worlds/" + user, R"({"from":")" + from + "\"}").status == 201);
  };
  CHECK(count_of("same") == 2);
  // Changes that change nothing.
  const std::string none = R"({"where":{"status":"FAILED"})";
  CHECK(server.admin("DELETE", "/tasks?user=same", none + "}").body == R"({"tasks":0})");
  CHECK(server.admin("DELETE", "/tasks?user=same", R"({"where":{"errorMsg":"none"}})").body == R"({"tasks":0})");
  CHECK(server.admin("PATCH", "/tasks?user=same", none + R"(,"set":{"delay":1}})").body == R"({"tasks":0})");
  CHECK(server.admin("POST", "/fixtures?user=same", "[]").body == R"({"resources":{},"tasks":0})");
  CHECK(server.admin("POST", "/fixtures?user=same", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})").body ==
        R"({"resources":{},"tasks":0})");
  CHECK(count_of("declared") == 2);
  CHECK(server.admin("POST", "/fixtures?user=declared", R"({"clusters":[{"id":9}]})").body ==
        R"({"resources":{},"tasks":0})");
  CHECK(count_of("busy") == 2);  // has its clock, faults and journal changed, but not its data
  server.admin("PUT", "/clock?user=busy", R"({"now":"2030-01-01T00:00:00Z"})");
  server.admin("POST", "/faults?user=busy", R"({"match":{"path":"/api/status"},"action":{"status":500}})");
  add("changed");
  add("reset");
  CHECK(server.admin("POST", "/reset?user=reset").status == 204);
  fork("of-same", "same");
  fork("of-changed", "changed");
  // The base's data may have been changed when a world was made.
  server.admin("POST", "/fixtures", more);
  CHECK(count_of("late") == 3);
  CHECK(count_of("same") == 2);

  load(5);
  const struct {
    std::string user;
    int now;
    int after_reset;
  } cases[] = {
      {"same", 5, 5},       {"busy", 5, 5}, {"changed", 3, 5}, {"reset", 5, 5},    {"of-same", 5, 5},
      {"of-changed", 3, 3}, {"late", 5, 5}, {"new", 5, 5},     {"declared", 2, 5},
  };
  for (const auto& [user, now, after_reset] : cases) {
    CAPTURE(user);
    CHECK(count_of(user) == now);
  }
  CHECK(server.get("/api/v2/time", "busy").body == "2030-01-01T08:00:00+08:00");
  CHECK(server.get("/api/status", "busy").status == 500);
  CHECK(contains(server.admin("GET", "/requests?user=busy").body, R"("last":4,)"));
  for (const auto& [user, now, after_reset] : cases) {
    CAPTURE(user);
    CHECK(server.admin("POST", "/reset?user=" + user).status == 204);
    CHECK(count_of(user) == after_reset);
  }
  load(6);
  for (const auto& [user, now, after_reset] : cases) {
    CAPTURE(user);
    CHECK(count_of(user) == (user == "of-changed" ? 3 : 6));
  }
}

TEST_CASE("control: timelines count from the end of --init, as from a reset") {
  const TemporaryFolder folder;
  const auto init =
      folder.write("init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":"2030-01-01T00:00:00Z"}}])");
  // The real clock of the load is far from that of --init, before it or after it.
  for (const std::string now : {"2030-01-01T00:00:00Z", "2000-01-01T00:00:00Z"}) {
    CAPTURE(now);
    folder.write("init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":")" + now + "\"}}]");
    const Server server({"--init", init.string()},
                        R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"STARTING",)"
                        R"("$timeline":[{"at":"PT10S","status":"STOPPED"}]}])");
    const std::string first = server.get().body;
    CHECK(contains(first, "\"STARTING\""));
    CHECK(server.admin("POST", "/reset").status == 204);
    CHECK(contains(server.get().body, "\"STARTING\""));
    CHECK(server.admin("PUT", "/clock", R"({"advance":"PT10S"})").status == 200);
    CHECK(contains(server.get().body, "\"STOPPED\""));
  }
}

TEST_CASE("control: --init makes admin calls before the server is ready, or says which was refused") {
  const TemporaryFolder folder;
  const auto file = folder.write(
      "init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":"2030-01-01T00:00:00Z"}},)"
                   R"({"path":"/__admin/faults","body":{"match":{"path":"/api/status"},"action":{"status":503}}},)"
                   R"({"method":"DELETE","path":"/__admin/tasks","body":{"where":{"status":"STOPPED"}}}])");
  const Server server({"--init", file.string()});
  CHECK(server.get("/api/v2/time").body == "2030-01-01T08:00:00+08:00");
  CHECK(server.get("/api/status").status == 503);
  CHECK(contains(server.get().body, total(1)));
  // A reset returns to this.
  CHECK(server.admin("POST", "/reset").status == 204);
  CHECK(server.get("/api/v2/time").body == "2030-01-01T08:00:00+08:00");
  CHECK(server.get("/api/status").status == 503);
  CHECK(contains(server.get().body, total(1)));
  const std::pair<std::string, std::string> cases[] = {
      {"{}", ": 1:1: this must be an array of admin calls"},
      {"[", ": 1:1: not JSON"},
      {R"([{"body":{}}])", ": 1:2: path is missing; it must be a string"},
      {R"([{"path":"/__admin/faults","body":{}}])", ": 1:2: POST /__admin/faults was answered with 400 "},
      {R"([{"path":"/api/status"}])", ": 1:2: POST /api/status was answered with 404 "},
  };
  for (const auto& [text, mistake] : cases) {
    CAPTURE(text);
    const auto bad = folder.write("bad.json", text);
    CHECK_THROWS_WITH(Server({"--init", bad.string()}),
                      doctest::Contains(("the init file " + bad.string() + mistake).c_str()));
  }
}
