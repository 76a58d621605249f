// Requests that change data, over real sockets.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "control/control_server.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const std::string kTenant = R"({"clusters":[{"id":1,"name":"c","status":"RUNNING"}],)"
                            R"("tenants":[{"clusterId":1,"id":2,"name":"t","mode":"MYSQL","status":"NORMAL"}]})";
const std::string kDatabases = "/api/v2/ob/clusters/1/tenants/2/databases";
const std::string kBody = R"({"dbName":"d","readonly":false})";

class Writing : public Server {
 public:
  explicit Writing(std::vector<std::string> flags = {}) : Server(std::move(flags), kTenant) {}

  Answer post(const std::string& path, const std::string& body, const std::string& type = "application/json") const {
    return ask("POST", path, body, credentials("admin") + "Content-Type: " + type + "\r\n");
  }
};

}  // namespace

TEST_CASE("writes: what is written is read back, and is in the journal with its violations, once") {
  const Writing server;
  const Answer made = server.post(kDatabases + "?x=1", kBody);
  CHECK(made.status == 200);
  CHECK(contains(made.body, R"("dbName":"d")"));
  CHECK(contains(server.get(kDatabases).body, R"("dbName":"d")"));
  const Answer journal = server.admin("GET", "/requests?method=POST");
  CHECK(contains(journal.body, R"("violations":["Parameter 'x' is unknown)"));
  CHECK(journal.body.find("Parameter 'x'") == journal.body.rfind("Parameter 'x'"));
}

TEST_CASE("writes: what is refused is said, and changes nothing") {
  const Writing server;
  server.post(kDatabases, kBody);
  const struct {
    std::string path, body, type;
    int status;
    std::string text;
  } cases[] = {
      {kDatabases, kBody, "application/json", 400, R"("code":10002,"message":"Database 'd' exists already;)"},
      {kDatabases, R"({"readonly":false})", "application/json", 400, "dbName"},
      {kDatabases, R"({"dbName":1.5e,)", "application/json", 400, "line 1, column"},
      {kDatabases, kBody, "text/plain", 415, "text/plain"},
      {"/api/v2/ob/clusters/1/tenants/3/databases", kBody, "application/json", 404, R"("code":60002)"},
      {"/api/v2/ob/clusters/3/tenants/2/databases", kBody, "application/json", 404, R"("code":10002)"},
  };
  const std::string before = server.admin("GET", "/fixtures").body;
  for (const auto& [path, body, type, status, text] : cases) {
    CAPTURE(path);
    CAPTURE(body);
    const Answer answer = server.post(path, body, type);
    CHECK(answer.status == status);
    CHECK(contains(answer.body, text));
  }
  CHECK(server.admin("GET", "/fixtures").body == before);
}

TEST_CASE("writes: an array of more items than are taken is refused, whatever else is wrong with them") {
  const Writing server;
  const auto create = [&](int roles) {
    std::string body = R"({"roleName":"r","roles":[)";
    for (int i = 0; i < roles; ++i) body += fmt::format(R"({}"role{}")", i == 0 ? "" : ",", i);
    return server.post("/api/v2/ob/clusters/1/tenants/2/roles", body + "]}").body;
  };
  CHECK(contains(create(200), "role0"));
  CHECK(contains(create(201), "an array has 201 items, and at most 200 are taken"));
}

TEST_CASE("writes: 64 connections that write at once lose nothing, and each reads its own back") {
  const Writing server;
  std::atomic<int> unseen{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 64; ++client) {
    clients.emplace_back([&, client] {
      const std::string name = fmt::format("db_{}_", client);
      unseen += server.post(kDatabases, fmt::format(R"({{"dbName":"{}","readonly":false}})", name)).status != 200;
      unseen += !contains(server.get(kDatabases).body, fmt::format(R"("dbName":"{}")", name));
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(unseen == 0);
  const std::string all = server.get(kDatabases).body;
  for (int client = 0; client < 64; ++client) {
    CHECK(contains(all, fmt::format(R"("dbName":"db_{}_")", client)));
  }
}

TEST_CASE("writes: with --read-only a change is refused, and an admin call is not") {
  const Writing server({"--read-only"});
  const Answer refused = server.post(kDatabases, kBody);
  CHECK(refused.status == 403);
  CHECK(contains(refused.body, R"("code":30014,"message":"Method POST changes data)"));
  // One that changes nothing here would in OCP.
  CHECK(server.post("/api/v2/ob/clusters/1/changePassword", R"({"newPassword":"x"})").status == 403);
  CHECK(contains(server.get(kDatabases).body, R"("contents":[])"));
  CHECK(server.admin("POST", "/fixtures", R"({"databases":[{"clusterId":1,"tenantId":2,"dbName":"e"}]})").status ==
        200);
  CHECK(contains(server.get(kDatabases).body, R"("dbName":"e")"));
}

TEST_CASE("writes: with --read-only an exchange answers no request that would change data") {
  const std::string exchange = R"({"exchanges":[{"request":{"method":"POST","path":")" + kDatabases +
                               R"("},"response":{"status":200,"body":{"replayed":true}}}]})";
  CHECK(contains(Server({}, exchange).ask("POST", kDatabases, kBody, Server::credentials("a")).body, "replayed"));
  CHECK(Server({"--read-only"}, exchange).ask("POST", kDatabases, kBody, Server::credentials("a")).status == 403);
}

TEST_CASE("writes: a fault in place of the answer keeps the request from its effect, and a task's does not") {
  const Writing server;
  server.admin("POST", "/faults", R"({"match":{"method":"POST"},"times":1,"action":{"status":503}})");
  CHECK(server.post(kDatabases, kBody).status == 503);
  CHECK(contains(server.get(kDatabases).body, R"("contents":[])"));
  server.admin("POST", "/faults", R"({"match":{"method":"POST"},"times":1,"action":{"task":{"fails":0}}})");
  const Answer started = server.post("/api/v2/ob/clusters/1/stop", "");
  CHECK(started.status == 200);
  server.admin("PUT", "/clock", R"({"advance":"PT1M"})");
  CHECK(contains(server.get("/api/v2/tasks/instances?status=FAILED").body, total(1)));
  CHECK(contains(server.get("/api/v2/ob/clusters/1").body, R"("status":"STOPPING")"));
}

TEST_CASE("writes: users with worlds of their own do not see each other's") {
  const Writing server({"--isolate-by", "user"});
  const auto headers = [](const std::string& user) {
    return Server::credentials(user) + "Content-Type: application/json\r\n";
  };
  CHECK(server.ask("POST", kDatabases, kBody, headers("a")).status == 200);
  CHECK(contains(server.get(kDatabases, "a").body, R"("dbName":"d")"));
  CHECK(contains(server.get(kDatabases, "b").body, R"("contents":[])"));
  server.admin("POST", "/reset?user=a");
  CHECK(contains(server.get(kDatabases, "a").body, R"("contents":[])"));
}
