// The journal by admin calls, over real sockets.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/control_server.h"
#include "json/text.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("control: the journal has every request, without secrets, and what the client broke") {
  const Server server;
  server.get(kList + "?size=3000");
  server.ask("GET", "/api/status", "", "Authorization: nonsense\r\nX-Ocp-A: 1\r\nCookie: geheim\r\n");
  server.get("/api/v2/time");
  const std::string requests = server.admin("GET", "/requests").body;
  CHECK(requests.starts_with(R"({"evicted":0,"last":3,"requests":[{"bytes":)"));
  CHECK(
      contains(requests,
               R"("method":"GET","path":")" + kList +
                   R"(","query":"size=3000","sequence":1,"status":200,)"
                   R"("time":"2024-08-09T16:06:02+08:00","traceId":"0123456789abcdef","user":"admin","violations":[)"));
  CHECK(contains(
      requests,
      R"("headers":[{"name":"Host","value":"h"},{"name":"Content-Length","value":"0"},{"name":"Connection","value":"close"},{"name":"X-Ocp-A","value":"1"}],)"
      R"("method":"GET","path":"/api/status","query":"","sequence":2,"status":401,)"));
  for (const std::string secret : {"nonsense", "geheim", "Basic "}) CHECK_FALSE(contains(requests, secret));
  CHECK(contains(server.admin("GET", "/violations").body, R"("sequence":1,)"));
  CHECK_FALSE(contains(server.admin("GET", "/violations").body, R"("sequence":2,)"));
  const auto count = [&](const std::string& query) {
    const std::string text = server.admin("GET", "/requests?" + query).body;
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find("\"sequence\":", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  CHECK(count("since=2") == 1);
  CHECK(count("limit=2") == 2);
  CHECK(count("status=401") == 1);
  CHECK(count("method=POST") == 0);
  CHECK(count("path=/api/v2/time") == 1);
  CHECK(count("pathPrefix=/api/v2") == 2);
  CHECK(contains(
      server
          .admin(
              "POST", "/requests/verify",
              R"({"pathTemplate":"/api/v2/ob/clusters/{id}/tenants/{tenant}/backup/task/logBackupTasks","exactly":1})")
          .body,
      R"("result":"passed"})"));
  CHECK(server.admin("DELETE", "/requests").status == 204);
  CHECK(server.admin("GET", "/requests").body == R"({"evicted":0,"last":3,"requests":[]})");
}

TEST_CASE("control: who waits for a request gets it when it comes, and nothing when the time is over") {
  Server server;
  SocketClient waiting(server.port());
  waiting.send(
      Server::text("GET", "/__admin/requests?since=0&path=/api/v2/info&wait=PT20S", "", "Connection: close\r\n"));
  REQUIRE(server.get("/api/status").status == 200);  // wakes it, and is not what it waits for
  REQUIRE(server.get("/api/v2/info").status == 200);
  CHECK(contains(waiting.read_to_end(), R"("path":"/api/v2/info")"));
  CHECK(server.admin("GET", "/requests?since=2&wait=PT0.05S").body == R"({"evicted":0,"last":2,"requests":[]})");
  SocketClient stopped(server.port());
  stopped.send(Server::text("GET", "/__admin/requests?since=2&wait=PT1M", "", "Connection: close\r\n"));
  REQUIRE(server.admin("GET", "/health").status == 200);
  server.stop();
  CHECK(stopped.read_to_end().ends_with(R"({"evicted":0,"last":2,"requests":[]})"));
}

TEST_CASE("control: polls whose clients go leave nothing behind, and hold up nobody") {
  WorldOptions options;
  options.real_now = [] { return kNow; };
  Worlds worlds(options, DatasetBuilder::in_memory(ocp_catalogue())->finish());
  const Router router(ocp_catalogue());
  AdminOptions admin_options;
  admin_options.router = &router;
  Admin admin(std::move(admin_options), worlds);
  http::EpollServer server(http::ServerOptions{"127.0.0.1", 0, 2, {}, 5000, std::chrono::seconds(3)});
  server.start([&](const http::Request& request) { return admin.handle(request); });
  const auto poll = [](int i) {
    return Server::text("GET", "/__admin/requests?wait=PT1M&path=/p/" + std::to_string(i), "", "");
  };
  std::vector<std::unique_ptr<SocketClient>> waiting;
  for (int i = 0; i < 200; ++i) {
    waiting.push_back(std::make_unique<SocketClient>(server.port()));
    waiting.back()->send(poll(i));
  }
  Journal& journal = worlds.base().journal();
  REQUIRE(eventually([&] { return journal.waits() == 200 && worlds.scheduler().size() == 200; }));
  JournalEntry entry;
  entry.path = "/p/7";
  journal.record(journal.begin(), std::move(entry));
  CHECK(contains(waiting[7]->read_answer(), R"("path":"/p/7")"));
  waiting[7]->send(poll(8));
  REQUIRE(eventually([&] { return journal.waits() == 200 && worlds.scheduler().size() == 200; }));
  for (const auto& client : waiting) client->reset();
  CHECK(eventually([&] { return journal.waits() == 0 && worlds.scheduler().size() == 0; }));
  server.stop();
}

TEST_CASE("control: an endpoint's other path meets faults, answers questions and ends waits") {
  const Server server;
  const std::string criteria = R"("method":"GET","pathTemplate":"/api/v2/compute/hosts/{id}/agent")";
  const std::string other = "/compute/hosts/1000101/agent";
  SocketClient waiting(server.port());
  waiting.send(Server::text("GET",
                            "/__admin/requests?since=0&pathTemplate=/api/v2/compute/hosts/%7Bid%7D/agent&wait=PT20S",
                            "", "Connection: close\r\n"));
  REQUIRE(server.admin("POST", "/faults", R"({"match":{)" + criteria + R"(},"action":{"status":503}})").status == 201);
  CHECK(server.get(other).status == 503);
  CHECK(contains(waiting.read_to_end(), R"("path":")" + other));
  CHECK(contains(server.admin("POST", "/requests/verify", "{" + criteria + R"(,"exactly":1})").body,
                 R"("result":"passed"})"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"path":"/api/v2/compute/hosts/1000101/agent"})").body,
                 R"("result":"passed"})"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"path":"/api/v2/compute/hosts/1/agent"})").body,
                 R"("result":"failed"})"));
}

TEST_CASE("control: a parameter's other name meets faults and answers questions") {
  const Server server;
  const std::string criteria = R"("query":{"clusterName":"a"})";
  REQUIRE(server.admin("POST", "/faults", R"({"match":{)" + criteria + R"(},"action":{"status":503}})").status == 201);
  CHECK(server.get("/api/v2/tasks/instances?cluterName=a").status == 503);
  CHECK(server.get("/api/v2/tasks/instances?clusterName=b").status == 200);
  CHECK(contains(server.admin("POST", "/requests/verify", "{" + criteria + R"(,"exactly":1})").body,
                 R"("result":"passed"})"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"query":{"cluterName":"b"},"exactly":1})").body,
                 R"("result":"passed"})"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"query":{"cluterName":null},"exactly":0})").body,
                 R"("result":"passed"})"));
}

TEST_CASE("control: who asks for a path that no endpoint has is told so") {
  const Server server;
  const auto verified = [&](const std::string& criteria) {
    return server.admin("POST", "/requests/verify", "{" + criteria + R"(,"exactly":0})").body;
  };
  CHECK(
      verified(R"("path":"/api/v2/ob/clustrs")") ==
      R"({"evicted":0,"inFlight":0,"matched":0,"note":"no endpoint has the path '/api/v2/ob/clustrs'; the nearest is )"
      R"('/api/v2/ob/clusters'","result":"passed"})");
  CHECK(contains(verified(R"("pathTemplate":"/api/v2/ob/clusters/{id}/tenant")"),
                 R"("note":"no endpoint has the pathTemplate '/api/v2/ob/clusters/{id}/tenant'; the nearest is )"
                 R"('/api/v2/ob/clusters/{clusterId}/tenants'")"));
  for (const std::string known :
       {R"("path":"/api/v2/ob/clusters/7/")", R"("path":"/compute/hosts/1/agent")", R"("path":"*")",
        R"("pathTemplate":"/api/v2/ob/clusters/{x}")", R"("pathTemplate":"/api/v2/{area}/clusters")",
        R"("pathPrefix":"/api/v9")", R"("method":"GET")"}) {
    CAPTURE(known);
    CHECK_FALSE(contains(verified(known), "note"));
  }
  const auto armed = [&](const std::string& fault) { return server.admin("POST", "/faults", fault).body; };
  CHECK(armed(R"({"match":{"path":"/api/v2/tim"},"action":{"status":503}})") ==
        R"({"id":1,"note":"no endpoint has the path '/api/v2/tim'; the nearest is '/api/v2/time'"})");
  CHECK(armed(R"({"match":{"path":"/api/v2/time"},"action":{"status":503}})") == R"({"id":2})");
  CHECK(armed(R"({"action":{"status":503}})") == R"({"id":3})");
  // Nor is a path unknown that an exchange answers.
  REQUIRE(
      server
          .admin(
              "PUT", "/fixtures",
              R"({"exchanges":[{"request":{"method":"GET","path":"/api/v9/x"},"response":{"status":200,"body":{}}}]})")
          .status == 200);
  CHECK_FALSE(contains(verified(R"("path":"/api/v9/x")"), "note"));
  CHECK(contains(verified(R"("path":"/api/v9/y")"), "note"));
}

TEST_CASE("control: a set of values is verified and matched by faults however the client spells it") {
  const Server server;
  const std::string words = R"("query":{"status":{"anyOrder":["FAILED","STOPPED"]}})";
  REQUIRE(server.admin("POST", "/faults", R"({"match":{)" + words + R"(},"action":{"status":503}})").status == 201);
  for (const std::string query :
       {"status=FAILED,STOPPED", "status=STOPPED,FAILED", "status=FAILED&status=STOPPED", "status=STOPPED,%20FAILED"}) {
    CAPTURE(query);
    CHECK(server.get(kList + "?" + query).status == 503);
  }
  CHECK(server.get(kList + "?status=FAILED").status == 200);
  CHECK(contains(server.admin("POST", "/requests/verify", "{" + words + R"(,"exactly":4})").body,
                 R"("result":"passed"})"));
  CHECK(contains(
      server.admin("POST", "/requests/verify", R"({"query":{"status":{"anyOrder":["RUNNING"]}}})").body,
      R"({"differs":[{"actual":"FAILED","expected":{"anyOrder":["RUNNING"]},"field":"query.status"}],"request":)"));
}

TEST_CASE("control: bodies are in the journal without secrets, are verified, and meet the faults that ask for them") {
  const Server server;
  CHECK(server
            .admin("POST", "/faults",
                   R"({"match":{"body":{"contains":{"a":{"password":"geheim"}}}},)"
                   R"("action":{"status":503}})")
            .status == 201);
  const auto post = [&](const std::string& body) {
    return server.ask("POST", kList, body, Server::credentials("admin")).status;
  };
  CHECK(post(R"({"a":{"password":"other"},"b":7})") == 405);
  CHECK(post(R"({"a":{"password":"geheim","c":1},"b":7})") == 503);
  CHECK(post("a=b&token=geheim") == 405);
  CHECK(server.get(kList).status == 200);
  const std::string requests = server.admin("GET", "/requests").body;
  CHECK(contains(requests, R"({"body":{"a":{"c":1,"password":"***"},"b":7},"bodyBytes":39,"bytes":)"));
  CHECK(contains(requests, R"({"body":"a=b&token=***","bodyBytes":16,"bytes":)"));
  CHECK_FALSE(contains(requests, "geheim"));
  const auto verify = [&](const std::string& question) {
    return server.admin("POST", "/requests/verify", question).body;
  };
  CHECK(contains(verify(R"({"body":{"contains":{"b":7}},"exactly":2})"), R"("result":"passed"})"));
  CHECK(contains(verify(R"({"body":{"contains":{"a":{"c":1,"password":"***"}}},"exactly":1})"), R"("passed"})"));
  CHECK(contains(verify(R"({"body":{"text":""},"exactly":1})"), R"("result":"passed"})"));
  CHECK(contains(verify(R"({"method":"POST","body":{"equal":{"b":8}}})"),
                 R"({"actual":{"a":{"c":1,"password":"***"},"b":7},"expected":{"b":8},"field":"body.equal"})"));
  CHECK(post(std::string(20'000, 'x')) == 405);
  CHECK(contains(verify(R"({"body":{"text":"x"},"exactly":0})"), R"("result":"inconclusive"})"));
  const Answer refused = server.admin("POST", "/requests/verify", R"({"body":{"equal":{"password":"geheim"}}})");
  CHECK(refused.status == 400);
  CHECK_FALSE(contains(refused.body, "geheim"));
}

TEST_CASE("control: a body is what its chunks and parts make together, whatever its media type says") {
  const Server server;
  const auto send = [&](const std::string& headers, const std::string& body) {
    SocketClient client(server.port());
    client.send("POST /api/status HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + Server::credentials("admin") +
                headers + "\r\n" + body);
    CHECK(contains(client.read_to_end(), "405"));
  };
  send("Transfer-Encoding: chunked\r\n", "9\r\n{\"passwor\r\n7\r\nd\":\"geh\r\nb\r\neim\",\"b\":9}\r\n0\r\n\r\n");
  send("Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
  send("Content-Type: application/json\r\nContent-Length: 0\r\n", "");
  send("Content-Type: application/json\r\nContent-Length: 6\r\n", "{\"a\":\xff");
  send("Content-Type: text/plain\r\nContent-Length: 7\r\n", "{\"a\":1}");
  const std::string parts = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\ngeheim\r\n--x--\r\n";
  send("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: " + std::to_string(parts.size()) + "\r\n",
       parts);
  const std::string requests = server.admin("GET", "/requests").body;
  CHECK(contains(requests, R"({"body":{"b":9,"password":"***"},"bodyBytes":27,"bytes":)"));
  CHECK(contains(requests, "{\"body\":\"{\\\"a\\\":\xef\xbf\xbd\",\"bodyBytes\":6,"));
  CHECK(contains(requests, R"({"body":{"a":1},"bodyBytes":7,)"));
  CHECK(contains(requests, R"({"body":"***","bodyBytes":)" + std::to_string(parts.size()) + ","));
  CHECK_FALSE(contains(requests, "geheim"));
  const auto passes = [&](const std::string& body, int times) {
    const std::string question = R"({"body":)" + body + R"(,"exactly":)" + std::to_string(times) + "}";
    return contains(server.admin("POST", "/requests/verify", question).body, R"("result":"passed"})");
  };
  CHECK(passes(R"({"text":""})", 2));
  CHECK(passes(R"({"equal":{}})", 0));
  CHECK(passes(R"({"equal":{"a":1.0}})", 1));
  CHECK(passes(R"({"contains":{"password":"***"}})", 1));
  CHECK(passes(R"({"contains":{"a":null}})", 1));
  CHECK(passes(R"({"text":"***"})", 1));
}

TEST_CASE("control: a reset leaves no request of before in the journal, and none that waits") {
  const Server server;
  REQUIRE(server.admin("POST", "/faults", R"({"action":{"delayMs":3600000}})").status == 201);
  const std::string slow = Server::text("GET", "/api/status", std::string(100'000, 'x'), Server::credentials("admin"));
  for (int i = 0; i < 20; ++i) {
    SocketClient client(server.port());
    client.send(slow);
    REQUIRE(eventually([&] { return contains(server.admin("GET", "/faults").body, "\"fired\":1,"); }));
    CHECK(contains(server.admin("POST", "/requests/verify", R"({"exactly":0})").body, R"("inFlight":1,)"));
    REQUIRE(server.admin("POST", "/reset").status == 204);
    REQUIRE(client.read_answer().ends_with("okay"));
    CHECK(server.admin("POST", "/requests/verify", R"({"exactly":0})").body ==
          R"({"evicted":0,"inFlight":0,"matched":0,"result":"passed"})");
    REQUIRE(server.admin("POST", "/faults", R"({"action":{"delayMs":3600000}})").status == 201);
  }
}

TEST_CASE("control: a client that leaves before its answer has left is in the journal as one that has") {
  const Server server;
  const std::size_t before = open_descriptors();
  const std::string slow = Server::text("GET", "/api/status", "", Server::credentials("admin"));
  const struct {
    std::string action;
    bool has_begun;  // the answer
  } cases[] = {
      {R"({"delayMs":3600000})", false},
      {R"({"delayMs":3600000,"status":503})", false},
      {R"({"delayMs":3600000,"fault":"EMPTY_RESPONSE"})", false},
      {R"({"delayMs":3600000,"fault":"CONNECTION_RESET_BY_PEER"})", false},
      {R"({"delayMs":3600000,"fault":"RANDOM_DATA_THEN_CLOSE"})", false},
      {R"({"delayMs":3600000,"truncateAt":2})", false},
      {R"({"delayMs":3600000,"chunkedDribble":{"numberOfChunks":2,"totalDuration":3600000}})", false},
      {R"({"chunkedDribble":{"numberOfChunks":2,"totalDuration":3600000}})", true},
  };
  std::int64_t sequence = 0;
  for (const auto& [action, has_begun] : cases) {
    for (const bool resets : {false, true}) {
      for (const bool sends_more : {false, true}) {
        CAPTURE(action);
        CAPTURE(resets);
        CAPTURE(sends_more);
        REQUIRE(server.admin("POST", "/reset").status == 204);
        REQUIRE(server.admin("POST", "/faults", R"({"match":{"path":"/api/status"},"action":)" + action + "}").status ==
                201);
        SocketClient client(server.port());
        client.send(sends_more ? slow + Server::text("GET", "/api/v2/info", "", "") : slow);
        REQUIRE(eventually([&] { return contains(server.admin("GET", "/faults").body, "\"fired\":1,"); }));
        if (has_begun) client.read_answer(false);
        CHECK(server.admin("POST", "/requests/verify", R"({"exactly":1})").body ==
              R"({"evicted":0,"inFlight":1,"matched":0,"nearestMisses":[],"reason":"it depends on requests of which )"
              R"(nothing is known: 1 not answered yet, so ask again later","result":"inconclusive"})");
        resets ? client.reset() : client.close();
        CHECK(eventually([&] {
          return server.admin("POST", "/requests/verify", R"({"path":"/api/status","clientLeft":true,"status":0})")
                     .body == R"({"evicted":0,"inFlight":0,"matched":1,"result":"passed"})";
        }));
        const std::string requests = server.admin("GET", "/requests").body;
        CHECK(contains(requests, R"("requests":[{"bytes":0,"clientLeft":true,"durationMicroseconds":)"));
        CHECK(contains(requests, R"("sequence":)" + std::to_string(++sequence) + R"(,"status":null,)"));
        CHECK(contains(server.admin("GET", "/requests?clientLeft=true").body, R"("clientLeft":true)"));
        CHECK_FALSE(contains(server.admin("GET", "/requests?clientLeft=false").body, R"("sequence")"));
        CHECK(eventually([&] { return open_descriptors() == before; }));
      }
    }
  }
  REQUIRE(server.admin("POST", "/reset").status == 204);
  CHECK(server.get("/api/status").body == "okay");
}

TEST_CASE("control: a client that only shuts its side gets its answer, whatever it waits for, and has not left") {
  const Server server({"--frozen"});
  const auto ask_half = [&](const std::string& target) {
    SocketClient client(server.port());
    client.send(Server::text("GET", target, "", Server::credentials("admin")));
    client.shut_sending();
    return client.read_to_end();
  };
  const std::string whole = ask_half("/api/v2/info");
  const struct {
    std::string action;
    std::string answer;
  } cases[] = {
      {R"({"delayMs":50})", whole},
      {R"({"delayMs":50,"truncateAt":2})", whole.substr(0, whole.find("\r\n\r\n") + 6)},
      {R"({"chunkedDribble":{"numberOfChunks":2,"totalDuration":50}})", ""},
      {R"({"delayMs":50,"chunkedDribble":{"numberOfChunks":2,"totalDuration":50}})", ""},
  };
  for (const auto& [action, answer] : cases) {
    CAPTURE(action);
    REQUIRE(server.admin("POST", "/faults", R"({"times":1,"action":)" + action + "}").status == 201);
    const std::string all = ask_half("/api/v2/info");
    if (!answer.empty()) {
      CHECK(all == answer);
    } else {
      CHECK(all.starts_with("HTTP/1.1 200 OK\r\n"));
      CHECK(all.ends_with("\r\n0\r\n\r\n"));
    }
  }
  const std::string requests = server.admin("GET", "/requests").body;
  CHECK(contains(requests, R"("last":5,)"));
  CHECK_FALSE(contains(requests, "clientLeft"));
  CHECK_FALSE(contains(requests, R"("status":null)"));

  SocketClient waiting(server.port());
  waiting.send(Server::text("GET", "/__admin/requests?since=5&wait=PT20S", "", ""));
  waiting.shut_sending();
  CHECK(waiting.read_bytes(3) == "HTT");
  REQUIRE(server.get("/api/status").status == 200);
  const std::string rest = waiting.read_to_end();
  CHECK(rest.starts_with("P/1.1 200 OK\r\n"));
  CHECK(contains(rest, R"("path":"/api/status")"));
}

TEST_CASE("control: a client that leaves during a long poll frees its descriptor") {
  const Server server;
  const std::size_t before = open_descriptors();
  std::vector<std::unique_ptr<SocketClient>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<SocketClient>(server.port()));
    waiting.back()->send(Server::text("GET", "/__admin/requests?wait=PT1M", "", ""));
  }
  REQUIRE(eventually([&] { return open_descriptors() == before + 100; }));
  waiting.clear();
  CHECK(eventually([&] { return open_descriptors() == before; }));
  CHECK(server.admin("GET", "/requests").body == R"({"evicted":0,"last":0,"requests":[]})");
}
