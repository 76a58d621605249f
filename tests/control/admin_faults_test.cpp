// Faults by admin calls, over real sockets.
#include <doctest/doctest.h>

#include <regex>
#include <string>
#include <vector>

#include "control/control_server.h"

using namespace ocp_mock;
using namespace ocp_mock::test;
using namespace std::chrono_literals;

TEST_CASE("control: faults happen to what they match, as often as they shall, and are counted") {
  const Server server;
  const auto arm = [&](const std::string& fault) { return server.admin("POST", "/faults", fault).status; };
  CHECK(arm(R"({"match":{"path":"/api/status"},"steps":[{"status":503,"code":10010,"message":"aus","retryAfter":7},)"
            R"({"status":502,"html":true},{"fault":"EMPTY_RESPONSE"},"normal",{"truncateAt":2}]})") == 201);
  const Answer error = server.get("/api/status");
  CHECK(error.status == 503);
  CHECK(contains(error.head, "Retry-After: 7\r\n"));
  CHECK(contains(error.body,
                 R"("error":{"code":10010,"message":"aus"},"server":"a24d13ce67","status":503,"successful":false)"));
  const Answer page = server.get("/api/status");
  CHECK(page.status == 502);
  CHECK(contains(page.head, "Content-Type: text/html\r\n"));
  CHECK(contains(page.body, "<h1>502 Bad Gateway</h1>"));
  CHECK(server.get("/api/status").head.empty());
  CHECK(server.get("/api/status").body == "okay");
  const Answer cut = server.get("/api/status");
  CHECK(contains(cut.head, "Content-Length: 4\r\n"));
  CHECK(cut.body == "ok");
  CHECK(server.get("/api/status").body == "okay");
  CHECK(contains(server.admin("GET", "/faults").body, R"("fired":5,"id":1,"matched":6,"spent":true})"));
  CHECK(server.admin("POST", "/faults/verify").body == R"({"neverFired":[],"result":"passed","stepsLeft":[]})");
  CHECK(arm(R"({"match":{"user":"nobody"},"action":{"status":500}})") == 201);
  CHECK(server.admin("POST", "/faults/verify").body == R"({"neverFired":[2],"result":"failed","stepsLeft":[]})");
  CHECK(server.admin("DELETE", "/faults/1").status == 204);
  CHECK(server.admin("DELETE", "/faults").status == 204);
  CHECK(server.admin("GET", "/faults").body == R"({"faults":[]})");
  CHECK(contains(server.admin("GET", "/requests").body, R"("fault":1,)"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"path":"/api/status","status":200,"exactly":3})").body,
                 "\"result\":\"passed\"}"));
  // Who is refused meets no fault.
  CHECK(arm(R"({"action":{"status":500}})") == 201);
  CHECK(server.ask("GET", "/api/status").status == 401);
  CHECK(server.get("/api/v2/time").status == 500);
}

TEST_CASE("control: the message of a fault is in the client's language, unless the test gives its own") {
  const Server server;
  const auto message = [&](const std::string& action, const std::string& language) {
    REQUIRE(server.admin("POST", "/faults", R"({"times":1,"action":)" + action + "}").status == 201);
    return server.ask("GET", "/api/status", "", Server::credentials("a") + "Accept-Language: " + language + "\r\n")
        .body;
  };
  CHECK(contains(message(R"({"status":503})", "en"), R"("message":"Simulated failure, armed by a test.")"));
  CHECK(contains(message(R"({"status":503})", "zh-CN"), R"("message":"测试预设的模拟故障。")"));
  CHECK(contains(message(R"({"status":503,"message":"mine"})", "zh-CN"), R"("message":"mine")"));
}

TEST_CASE("control: delayed requests hold up no other, and end at once with a reset or a stop") {
  Server server;
  REQUIRE(server.admin("POST", "/faults", R"({"match":{"path":"/api/status"},"action":{"delayMs":3600000}})").status ==
          201);
  const std::string slow = Server::text("GET", "/api/status", "", Server::credentials("admin"));
  std::vector<std::unique_ptr<SocketClient>> delayed;
  for (int i = 0; i < 500; ++i) {
    delayed.push_back(std::make_unique<SocketClient>(server.port()));
    delayed.back()->send(slow);
  }
  for (int i = 0; i < 20; ++i) REQUIRE(server.get().status == 200);
  REQUIRE(eventually([&] { return contains(server.admin("GET", "/faults").body, "\"fired\":500,"); }));
  CHECK(server.admin("POST", "/reset").status == 204);
  for (const auto& client : delayed) REQUIRE(client->read_answer().ends_with("okay"));

  REQUIRE(server.admin("POST", "/faults", R"({"match":{"path":"/api/status"},"action":{"delayMs":3600000}})").status ==
          201);
  SocketClient last(server.port());
  last.send(slow);
  REQUIRE(eventually([&] { return contains(server.admin("GET", "/faults").body, "\"fired\":1,"); }));
  server.stop();
  CHECK(last.read_to_end().ends_with("okay"));
}

TEST_CASE("control: a short delay is waited for") {
  const Server server;
  REQUIRE(server.admin("POST", "/faults", R"({"action":{"delayMs":60}})").status == 201);
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = server.get();
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);
  CHECK(answer.status == 200);
  CHECK(std::stoi(answer.body.substr(answer.body.find("\"duration\":") + 11)) >= 60);
}
