// Data and clocks by admin calls, over real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "control/control_server.h"
#include "ocp/url.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("control: data are added, set, removed, replaced and reset, whole or not at all") {
  const Server server;
  CHECK(contains(server.get().body, total(2)));
  CHECK(server.admin("POST", "/fixtures", "[" + task("2024-08-03T00:00:00Z") + "]").body ==
        R"({"resources":{"logBackupTasks":1},"tasks":1})");
  CHECK(contains(server.get().body, total(3)));
  CHECK(server
            .admin("PATCH", "/tasks",
                   R"({"where":{"clusterId":1,"tenantId":2,"status":"RUNNING"},"set":{"status":"FAILED"}})")
            .body == R"({"tasks":2})");
  CHECK(contains(server.get(kList + "?status=FAILED").body, total(2)));
  CHECK(contains(server.get(kList + "?status=RUNNING").body, total(0)));
  CHECK(server.admin("DELETE", "/tasks", R"({"where":{"status":"FAILED"}})").body == R"({"tasks":2})");
  CHECK(contains(server.get().body, total(1)));
  const std::string before = server.get().body;
  CHECK(server.admin("POST", "/fixtures", "[" + task("2024-08-03T00:00:00Z") + ",{}]").status == 400);
  CHECK(server.admin("PATCH", "/tasks", R"({"where":{},"set":{"createTime":"x"}})").status == 400);
  CHECK(contains(server.get().body, total(1)));
  const std::string kept = server.admin("GET", "/fixtures").body;
  CHECK(server.admin("PUT", "/fixtures", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})").body ==
        R"({"resources":{},"tasks":0})");
  CHECK(contains(server.get().body, total(0)));
  CHECK(server.admin("PUT", "/fixtures", kept).body == R"({"resources":{"logBackupTasks":1},"tasks":1})");
  CHECK(server.admin("GET", "/fixtures").body == kept);
  CHECK(server.admin("POST", "/reset").status == 204);
  CHECK(contains(server.get().body, total(2)));
}

TEST_CASE(
    "control: the clock is that of the envelope, of /api/v2/time and of throttling, not of the Date of signatures") {
  const Server server({"--rate-limit", "1/1m", "--access-key", "AK:SK:signer", "--user", "admin:x"});
  CHECK(server.admin("GET", "/clock").body == R"({"mode":"real","now":"2024-08-09T16:06:02+08:00"})");
  CHECK(server.admin("PUT", "/clock", R"({"now":"2030-01-01T00:00:00.5Z"})").body ==
        R"({"mode":"fixed","now":"2030-01-01T08:00:00.5+08:00"})");
  CHECK(server.get("/api/v2/time").body == "2030-01-01T08:00:00.5+08:00");
  const Answer first = server.get();
  CHECK(contains(first.body, R"("timestamp":"2030-01-01T08:00:00.5+08:00")"));
  CHECK(contains(first.head, "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n"));
  CHECK(server.get().status == 429);
  CHECK(server.admin("PUT", "/clock", R"({"advance":"PT1M"})").status == 200);
  CHECK(server.get().status == 200);
  CHECK(server.admin("PUT", "/clock", R"({"offset":"-P1D"})").body ==
        R"({"mode":"offset","now":"2024-08-08T16:06:02+08:00"})");
  const std::string date = "Fri, 09 Aug 2024 08:06:02 GMT";
  const std::string signature = sign("SK", "GET\n\n\n" + date + "\nh\n\n/api/status");
  CHECK(server
            .ask("GET", "/api/status", "",
                 "Date: " + date + "\r\nAuthorization: OCP-ACCESS-KEY-HMACSHA1 AK:" + signature + "\r\n")
            .status == 200);
  CHECK(server.admin("PUT", "/clock", "{}").body == R"({"mode":"real","now":"2024-08-09T16:06:02+08:00"})");
}

TEST_CASE("control: a computed delay goes as the clock of its world does, through changes and an export") {
  const std::string fixtures = R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING",)"
                               R"("checkpoint":"2024-08-09T08:04:21.810084Z","$delay":"computed"}])";
  const Server server({"--isolate-by", "user"}, fixtures);
  const auto delay = [&](const std::string& user = "admin") {
    const std::string body = server.get(kList, user).body;
    const auto at = body.find("\"delay\":");
    return at == std::string::npos ? "none" : body.substr(at + 8, body.find(',', at) - at - 8);
  };
  CHECK(delay() == "100.1899");
  CHECK(server.admin("PUT", "/clock?user=admin", R"({"advance":"PT1H"})").status == 200);
  CHECK(delay() == "3700.1899");
  CHECK(delay("other") == "100.1899");
  CHECK(server.admin("PUT", "/clock?user=admin", R"({"now":"2024-08-09T08:04:00Z"})").status == 200);
  CHECK(delay() == "-21.8101");
  CHECK(server.admin("PATCH", "/tasks?user=admin", R"({"where":{},"set":{"checkpoint":"2024-08-09T08:03:59.5Z"}})")
            .body == R"({"tasks":1})");
  CHECK(delay() == "0.5000");
  const std::string kept = server.admin("GET", "/fixtures?user=admin").body;
  CHECK(contains(kept, R"({"$delay":"computed","checkpoint":"2024-08-09T08:03:59.5Z",)"));
  CHECK_FALSE(contains(kept, "\"delay\""));
  CHECK(server.admin("PATCH", "/tasks?user=admin", R"({"where":{"$delay":"computed"},"set":{"delay":4}})").body ==
        R"({"tasks":1})");
  CHECK(delay() == "4");
  const Answer refused =
      server.admin("PATCH", "/tasks?user=admin", R"({"where":{},"set":{"$delay":"computed","checkpoint":null}})");
  CHECK(refused.status == 400);
  CHECK(contains(refused.body, "checkpoint is missing; the delay is computed from it"));
  CHECK(delay() == "4");
  CHECK(server.admin("PUT", "/fixtures?user=admin", kept).status == 200);
  CHECK(delay() == "0.5000");
  CHECK(server.admin("POST", "/reset?user=admin").status == 204);
  CHECK(delay() == "100.1899");
  CHECK(delay("other") == "100.1899");
  CHECK(contains(server.admin("GET", "/explain?user=admin&request=" + percent_encode(kList + "?sort=delay")).body,
                 R"("sql":"SELECT id FROM log_backup_task)"));
}

TEST_CASE("control: a task goes its way as the clock does, in both directions") {
  const Server server(
      {}, R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"STARTING","$timeline":[)"
          R"({"at":"PT10S","status":"INPROGRESS"},{"at":"PT1M","status":"STOPPED","delay":5}]}])");
  const auto status = [&] {
    const std::string body = server.get().body;
    const auto at = body.find("\"status\":\"") + 10;
    return body.substr(at, body.find('"', at) - at);
  };
  CHECK(status() == "STARTING");
  const std::pair<std::string, std::string> steps[] = {{"PT9.999S", "STARTING"}, {"PT0.001S", "INPROGRESS"},
                                                       {"PT50S", "STOPPED"},     {"-PT50S", "INPROGRESS"},
                                                       {"-PT1H", "STARTING"},    {"P1D", "STOPPED"}};
  for (const auto& [advance, expected] : steps) {
    CAPTURE(advance);
    server.admin("PUT", "/clock", R"({"advance":")" + advance + "\"}");
    CHECK(status() == expected);
    CHECK(contains(server.get(kList + "?status=" + expected).body, total(1)));
  }
  CHECK_FALSE(contains(server.get().body, "$"));
  CHECK(contains(server.admin("GET", "/fixtures").body, R"("$timeline":[)"));
  server.admin("POST", "/reset");
  CHECK(status() == "STARTING");
  // A task that is added counts from then; those that are there go on.
  server.admin("PUT", "/clock", R"({"advance":"PT30S"})");
  CHECK(server
            .admin("POST", "/fixtures",
                   R"([{"clusterId":1,"tenantId":3,"createTime":"2024-08-01T00:00:00Z","status":"STARTING",)"
                   R"("$timeline":[{"at":"PT40S","status":"FAILED"}]}])")
            .body == R"({"resources":{"logBackupTasks":1},"tasks":1})");
  CHECK(status() == "INPROGRESS");
  server.admin("PUT", "/clock", R"({"advance":"PT30S"})");
  const std::string added = "/api/v2/ob/clusters/1/tenants/3/backup/task/logBackupTasks";
  CHECK(contains(server.get(added).body, R"("status":"STARTING")"));
  server.admin("PUT", "/clock", R"({"advance":"PT10S"})");
  CHECK(contains(server.get(added).body, R"("status":"FAILED")"));
}

TEST_CASE("control: while data are swapped every answer is of one dataset, whole") {
  const Server server;
  const auto set_of = [](int count, const std::string& status) {
    std::string tasks;
    for (int i = 0; i < count; ++i) tasks += (i == 0 ? "" : ",") + task("2024-08-01T00:00:00Z", status);
    return "[" + tasks + "]";
  };
  const std::string sets[] = {set_of(3, "RUNNING"), set_of(7, "FAILED")};
  REQUIRE(server.admin("PUT", "/fixtures", sets[0]).status == 200);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> asked{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 3; ++c) {
    clients.emplace_back([&] {
      try {
        SocketClient client(server.port());
        while (!stop) {
          client.send(Server::text("GET", kList, "", Server::credentials("admin")));
          const std::string body = client.read_answer();
          std::size_t running = 0;
          std::size_t failed = 0;
          for (std::size_t at = 0; (at = body.find("\"RUNNING\"", at)) != std::string::npos; ++at) ++running;
          for (std::size_t at = 0; (at = body.find("\"FAILED\"", at)) != std::string::npos; ++at) ++failed;
          const bool whole = (running == 3 && failed == 0 && contains(body, total(3))) ||
                             (running == 0 && failed == 7 && contains(body, total(7)));
          if (!whole) ++wrong;
          ++asked;
        }
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (int i = 0; i < 100; ++i) REQUIRE(server.admin("PUT", "/fixtures", sets[i % 2]).status == 200);
  CHECK(eventually([&] { return asked > 100; }));
  stop = true;
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
}

TEST_CASE("control: rows are set and deleted under both names of the calls, and counted by that name") {
  const Server server;
  const std::string set = R"({"resource":"logBackupTasks","where":{"status":"RUNNING"},"set":{"status":"FAILED"}})";
  CHECK(server.admin("PATCH", "/rows", set).body == R"({"rows":1})");
  CHECK(server.admin("PATCH", "/tasks", set).body == R"({"tasks":0})");
  CHECK(server.admin("DELETE", "/tasks", R"({"where":{"status":"FAILED"}})").body == R"({"tasks":1})");
  CHECK(server.admin("DELETE", "/rows", R"({"where":{}})").body == R"({"rows":1})");
  CHECK(contains(server.get().body, total(0)));
  CHECK(server.admin("GET", "/rows").status == 405);
  CHECK(contains(server.admin("DELETE", "/rows", R"({"resource":"rows","where":{}})").body,
                 "resource must be the name of a resource, as GET /__admin/api has it"));
}

TEST_CASE("control: changes at once are all made") {
  const Server server;
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < 5; ++i) server.admin("POST", "/fixtures", "[" + task("2024-08-03T00:00:00Z") + "]");
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(contains(server.get().body, total(42)));
}

TEST_CASE("control: explain shows how a request is read and what each filter leaves") {
  const Server server;
  const std::string text =
      server
          .admin("GET", "/explain?request=" +
                            percent_encode(kList + "?status=STOPPED&endTime=2024-08-05T00:00:00Z&sort=delay&x=1"))
          .body;
  CHECK(contains(
      text,
      R"("parameters":{"endTime":"2024-08-05T00:00:00Z","id":1,"page":1,"size":10,"sort":["delay,asc"],"startTime":null,"status":["STOPPED"],"tenantId":2})"));
  CHECK(contains(text, R"("filters":[{"parameters":["id","tenantId"],"rows":2},{"parameters":["endTime"],"rows":2},)"
                       R"({"parameters":["status"],"rows":1}])"));
  CHECK(contains(text, R"("window":"createTime")"));
  CHECK(contains(text, R"("sql":"SELECT id FROM log_backup_task)"));
  CHECK(contains(text, R"("plan":["SEARCH log_backup_task)"));
  CHECK(contains(text, R"("violations":["Parameter 'x' is unknown;)"));
  CHECK(contains(server.admin("GET", "/explain?request=/unknown").body,
                 R"({"error":{"code":0,"message":"Path '/unknown' is unknown;)"));
  CHECK(
      contains(server.admin("GET", "/explain?request=" + percent_encode(kList + "?page=0")).body, R"("status":400}})"));
  CHECK(server.admin("GET", "/explain?request=/api/status").body == R"({"path":"/api/status"})");
  CHECK(server.admin("GET", "/explain?request=" + percent_encode("/services?Action=GetObProxyConfig&x=1")).body ==
        R"({"parameters":{"Action":null,"ObCluster":null,"ObRegion":null,"ObproxyClusterName":null,)"
        R"("UID":null,"User_ID":null},"path":"/services","violations":["Parameter 'x' is unknown; known are Action, )"
        R"(User_ID, UID, ObRegion, ObCluster, ObproxyClusterName. OCP ignores it, --strict refuses it."]})");
  const std::string series =
      "/api/v2/monitor/metric?startTime=2020-11-17T10:00:00Z&endTime=2020-11-17T11:00:00Z&interval=60&groupBy=app&"
      "metrics=a&labels=app:ob";
  CHECK(contains(server.admin("GET", "/explain?request=" + percent_encode(series)).body,
                 R"("path":"/api/v2/monitor/metric")"));
  const std::string post = "/explain?method=POST&request=/api/v2/compute/hostTypes&body=";
  CHECK(server.admin("GET", post + percent_encode(R"({"name":"a"})")).body ==
        R"({"parameters":{},"path":"/api/v2/compute/hostTypes","violations":[]})");
  CHECK(contains(server.admin("GET", post + percent_encode(R"({"name":1})")).body, R"("violations":[])"));
  CHECK(contains(server.admin("GET", post).body, R"("status":400}})"));
  CHECK(
      contains(server.admin("GET", "/explain?method=PUT&request=/api/v2/compute/hostTypes").body, R"("status":405}})"));
  CHECK(
      contains(server.admin("GET", "/explain?request=/api/v2/ob/clusters/9/tenants/2/backup/task/logBackupTasks").body,
               R"("code":10002)"));
}
