// Requests whose bodies are too long for a connection's thread.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "app/fixed_app.h"
#include "http/epoll_server.h"
#include "http/gate.h"
#include "http/socket_client.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

constexpr std::size_t kShortBody = 64 * 1024;
const std::string kPost = "/api/v2/ob/clusters/1/backup/restore/preview";
const std::string kGood = R"({"backupTenantStatus":"ONLINE"})";

// The same JSON, in that many bytes.
std::string padded(const std::string& body, std::size_t size) { return body + std::string(size - body.size(), ' '); }

http::Request post(const std::string& body) {
  return {"POST", kPost, {{"Authorization", kBasic}, {"Content-Type", "application/json"}}, body, {}};
}

WorldOptions with_journal() {
  WorldOptions worlds;
  worlds.keeps_journal = true;
  return worlds;
}

}  // namespace

TEST_CASE("app: a long body is read on another thread, and answered as a short one") {
  const struct {
    std::string body;
    std::string fault;
    int status;
    std::string in_answer;
  } cases[] = {
      {kGood, "", 200, R"("successful":true)"},
      {R"({"restoreOnlineTenantRequiredParam":{}})", "", 400, "backupTenantStatus"},
      {R"({"backupTenantStatus":})", "", 400, "line 1, column"},
      {kGood, R"({"match":{"body":{"contains":{"backupTenantStatus":"ONLINE"}}},"action":{"status":503}})", 503, ""},
      {kGood, R"({"match":{"body":{"contains":{"backupTenantStatus":"other"}}},"action":{"status":503}})", 200, ""},
      {kGood, R"({"action":{"delayMs":1,"status":504}})", 504, ""},
  };
  for (const auto& [body, fault, status, in_answer] : cases) {
    CAPTURE(body);
    CAPTURE(fault);
    Fixed app({}, dataset(), with_journal());
    if (!fault.empty()) app.worlds().base().faults().add(read_json_text(fault));
    const auto whole = [](http::Response response) {
      while (response.deferred) response = finished(response);
      return response;
    };
    const bool is_delayed = fault.find("delayMs") != std::string::npos;
    const http::Response at_once = app.handle(post(padded(body + "\n", kShortBody)));
    CHECK((at_once.deferred != nullptr) == is_delayed);
    const http::Response expected = whole(at_once);
    const http::Response later = app.handle(post(padded(body + "\n", kShortBody + 1)));
    REQUIRE(later.deferred);
    CHECK_FALSE(later.deferred->has_head());
    const http::Response response = whole(later);
    CHECK(response.status == status);
    CHECK(contains(response.body, in_answer));
    CHECK(response.status == expected.status);
    CHECK(without_duration(response.body) == without_duration(expected.body));
    const Journal::View journal = app.worlds().base().journal().view();
    CHECK(journal.in_flight == 0);
    REQUIRE(journal.entries.size() == 2);
    CHECK(journal.entries[1]->body_bytes == kShortBody + 1);
    CHECK(journal.entries[1]->status == status);
    CHECK(journal.entries[1]->fault == journal.entries[0]->fault);
  }
}

TEST_CASE("app: a request with a long body has its effects although its client has left") {
  const struct {
    std::string fault;
    int status;
    bool client_left;
  } cases[] = {
      {R"({"action":{"status":503}})", 503, false},
      {R"({"action":{"delayMs":60000}})", 0, true},
      {R"({"action":{"chunkedDribble":{"numberOfChunks":2,"totalDuration":60000}}})", 0, true},
  };
  for (const auto& [fault, status, client_left] : cases) {
    CAPTURE(fault);
    Fixed app({}, dataset(), with_journal());
    app.worlds().base().faults().add(read_json_text(fault));
    app.handle(post(padded(kGood, kShortBody + 1))).deferred->abandon();
    const Journal& journal = app.worlds().base().journal();
    REQUIRE(eventually([&] { return journal.last() == 1; }));
    const Journal::View view = journal.view();
    CHECK(view.in_flight == 0);
    CHECK(view.entries[0]->status == status);
    CHECK(view.entries[0]->client_left == client_left);
    CHECK(view.entries[0]->fault != 0);
  }
}

TEST_CASE("app: while a long body is read others are answered, and what its client asks next waits") {
  // It holds whoever shows no trace id of his own.
  Gate gate;
  const auto now = [] { return Instant{1723190762, 0}; };
  WorldOptions options;
  options.real_now = now;
  Worlds worlds(options, dataset());
  const App app({},
                {[] {
                   return Instant{1723190762, 0};
                 },
                 [&gate] {
                   gate.wait();
                   return std::string("0123456789abcdef");
                 },
                 std::make_shared<spdlog::logger>("quiet")},
                ocp_router(), worlds);
  http::EpollServer server({"127.0.0.1", 0, 1, {}, 1000, std::chrono::seconds(3)});
  server.start([&](const http::Request& request) { return app.handle(request); });
  const std::string time =
      "GET /api/v2/time HTTP/1.1\r\nHost: h\r\nx-trace-id: a\r\nAuthorization: " + kBasic + "\r\n\r\n";
  const std::string body = padded(kGood, 5'000'000);
  SocketClient big(server.port());
  REQUIRE(big.send("POST " + kPost + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\nAuthorization: " + kBasic + "\r\n\r\n" + body + time));
  REQUIRE(gate.waits_for(1));
  for (int i = 0; i < 3; ++i) {
    SocketClient other(server.port());
    other.send(time);
    CHECK(other.read_answer().starts_with("HTTP/1.1 200 "));
  }
  CHECK_FALSE(big.has_bytes());
  gate.open();
  CHECK(contains(big.read_answer(), R"("successful":true)"));
  const std::string next = big.read_answer();
  CHECK(next.starts_with("HTTP/1.1 200 "));
  CHECK(contains(next, "text/plain"));
}
