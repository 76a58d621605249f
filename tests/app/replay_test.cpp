// Exchanges over real sockets: what becomes of a captured answer on its way to a client.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "control/control_server.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const std::string kEnvelope =
    R"({"traceId":"old","data":{"id":7},"duration":5,"server":"ocp","status":200,"successful":true,"timestamp":"then"})";

std::string exchange(const std::string& method, const std::string& path, const std::string& response,
                     const std::string& body = "") {
  return R"({"request":{"method":")" + method + R"(","path":")" + path + "\"" +
         (body.empty() ? "" : ",\"body\":" + body) + R"(},"response":{)" + response + "}}";
}

const std::string kExchanges =
    "[" + exchange("POST", "/api/v2/x/start", R"("status":202,"body":)" + kEnvelope, R"({"mode":"FULL"})") + "," +
    exchange("GET", "/api/v9/later?b=1&a=2", R"("body":{"z":1.50,"a":null})") + "," +
    exchange("GET", kList, R"("status":409,"body":{"error":{"code":5},"successful":false,"traceId":"old"})") + "," +
    exchange("GET", "/api/v2/report", R"("headers":{"content-type":"text/html"},"body":"<p>\n")") + "," +
    exchange("GET", "/api/v2/moved", R"("status":302)") + "]";

// A server that replays the exchanges, and a client with credentials.
class Replaying : public Server {
 public:
  explicit Replaying(std::vector<std::string> flags = {}) : Server(std::move(flags), kExchanges) {}

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = credentials("admin")) const {
    return Server::ask(method, target, body, headers);
  }
};

// The body as if it had been answered at once.
std::string without_duration(std::string body) {
  constexpr std::string_view kDuration = "\"duration\":";
  const auto at = body.find(kDuration);
  if (at == std::string::npos) return body;
  const auto begin = at + kDuration.size();
  return body.replace(begin, body.find(',', begin) - begin, "0");
}

}  // namespace

TEST_CASE("replay: exactly the request that was captured gets the answer that was captured") {
  const Replaying server;
  const std::string refreshed =
      R"({"traceId":"0123456789abcdef","data":{"id":7},"duration":0,"server":"a24d13ce67","status":200,)"
      R"("successful":true,"timestamp":"2024-08-09T16:06:02+08:00"})";
  const struct {
    std::string method;
    std::string target;
    std::string asked;
    int status;
    std::string type;
    std::string body;  // of others than 404 and 405 the whole one
  } cases[] = {
      {"POST", "/api/v2/x/start", R"({"mode":"FULL"})", 202, "application/json", refreshed},
      {"POST", "/api/v2/x/start/", R"({ "mode" : "FULL" })", 202, "application/json", refreshed},
      {"POST", "/api/v2/x/start", R"({"mode":"LESS"})", 404, "application/json",
       " The fixtures have an exchange of 'POST /api/v2/x/start', from which this request differs in its method, its "
       "query or its body."},
      {"GET", "/api/v2/x/start", "", 404, "application/json",
       " The fixtures have an exchange of 'POST /api/v2/x/start', from which this request differs in its method, its "
       "query or its body."},
      {"GET", "/api/v9/later?a=2&b=1", "", 200, "application/json", R"({"z":1.50,"a":null})"},
      {"GET", "/api/v9/l%61ter?a=%32&b=1", "", 200, "application/json", R"({"z":1.50,"a":null})"},
      {"GET", "/api/v9/later?a=2", "", 404, "application/json",
       " The fixtures have an exchange of 'GET /api/v9/later?a=2&b=1', from which"},
      {"GET", "/api/v9/later?a=2&b=1&b=1", "", 404, "application/json",
       " The fixtures have an exchange of 'GET /api/v9/later?a=2&b=1', from which"},
      {"GET", "/api/v9/late", "", 404, "application/json", "'/api/v9/late' is unknown; the nearest are "},
      {"GET", kList, "", 409, "application/json",
       R"({"error":{"code":5},"successful":false,"traceId":"0123456789abcdef"})"},
      {"POST", kList, "", 405, "application/json",
       "allowed are GET, HEAD. The fixtures have an exchange of 'GET " + kList + "', from which"},
      {"GET", "/api/v2/report", "", 200, "text/html", "<p>\n"},
      {"HEAD", "/api/v2/report", "", 200, "text/html", ""},
      {"GET", "/api/v2/moved", "", 302, "", ""},
  };
  for (const auto& [method, target, asked, status, type, body] : cases) {
    CAPTURE(method);
    CAPTURE(target);
    CAPTURE(asked);
    const Answer answer = server.ask(method, target, asked);
    CHECK(answer.status == status);
    CHECK(contains(answer.head, "Content-Type: " + type + "\r\n") == !type.empty());
    if (status == 404 || status == 405) {
      CHECK(contains(answer.body, body));
    } else {
      CHECK(without_duration(answer.body) == without_duration(body));
    }
  }
  CHECK_FALSE(contains(server.ask("GET", "/api/v9/late").body, "exchange"));
  CHECK(server.ask("GET", "/api/v9/later?a=2&b=1", "", "").status == 401);
  CHECK(contains(
      server.ask("POST", "/api/v2/x/start", R"({"mode":"FULL"})", Server::credentials("admin") + "x-trace-id: mine\r\n")
          .body,
      R"({"traceId":"mine",)"));
}

TEST_CASE("replay: --frozen answers the captured bytes, --pretty lays JSON out, --strict lets them pass") {
  const Replaying frozen({"--frozen"});
  CHECK(frozen.ask("POST", "/api/v2/x/start", R"({"mode":"FULL"})").body == kEnvelope);
  const Replaying pretty({"--pretty", "--strict"});
  CHECK(pretty.ask("GET", "/api/v9/later?a=2&b=1").body == "{\n  \"z\": 1.50,\n  \"a\": null\n}");
  const Answer html = pretty.ask("GET", "/api/v2/report", "", Server::credentials("admin") + "Accept: a/b\r\n");
  CHECK(html.status == 200);
  CHECK(html.body == "<p>\n");
}

TEST_CASE("replay: faults, throttling, journal and explain see replayed answers as others") {
  const Replaying server({"--rate-limit", "3/1h"});
  REQUIRE(server.admin("POST", "/faults", R"({"match":{"path":"/api/v2/report"},"action":{"status":503},"times":1})")
              .status == 201);
  CHECK(server.ask("GET", "/api/v2/report").status == 503);
  const Answer second = server.ask("GET", "/api/v2/report");
  CHECK(second.status == 200);
  CHECK(contains(second.head, "RateLimit-Remaining: 1\r\n"));
  CHECK(server.ask("GET", "/api/v2/moved").status == 302);
  CHECK(server.ask("GET", "/api/v2/moved").status == 429);
  const std::string journal = server.admin("GET", "/requests").body;
  CHECK(contains(journal, R"("path":"/api/v2/report","query":"","sequence":1,)"));
  CHECK(contains(journal, R"("path":"/api/v2/report","query":"","replayed":true,"sequence":2,)"));
  CHECK(contains(journal, R"("path":"/api/v2/moved","query":"","sequence":4,)"));
  CHECK(contains(server.admin("POST", "/requests/verify", R"({"status":302,"exactly":1})").body, R"("passed")"));
  CHECK(server.admin("GET", "/explain?request=/api/v2/report").body == R"({"path":"/api/v2/report","replayed":true})");
}

TEST_CASE("replay: worlds have exchanges of their own, which change, go and come back") {
  const Replaying server({"--isolate-by", "user"});
  const std::string target = "/api/v2/moved";
  const std::string other = exchange("GET", target, R"("status":410)");
  REQUIRE(server.ask("GET", target).status == 302);
  const Answer added = server.admin("POST", "/fixtures?user=admin", other);
  CHECK(added.body == R"({"exchanges":1,"resources":{},"tasks":0})");
  CHECK(server.ask("GET", target).status == 410);
  REQUIRE(server.admin("PUT", "/worlds/b", R"({"from":"admin"})").status == 201);
  CHECK(server.ask("GET", target, "", Server::credentials("b")).status == 410);
  CHECK(server.ask("GET", target, "", Server::credentials("c")).status == 302);

  const std::string saved = server.admin("GET", "/fixtures?user=admin").body;
  CHECK(server.admin("PUT", "/fixtures?user=admin", "[]").body == R"({"resources":{},"tasks":0})");
  CHECK(server.ask("GET", target).status == 404);
  CHECK(server.admin("PUT", "/fixtures?user=admin", saved).body == R"({"exchanges":5,"resources":{},"tasks":0})");
  CHECK(server.admin("GET", "/fixtures?user=admin").body == saved);
  CHECK(server.ask("GET", target).status == 410);
  CHECK(server.ask("POST", "/api/v2/x/start", R"({"mode":"FULL"})").status == 202);
  CHECK(server.admin("POST", "/reset?user=admin").status == 204);
  CHECK(server.ask("GET", target).status == 302);
  CHECK(contains(server.admin("POST", "/fixtures/reload").body,
                 R"("form":"an array of captured answers with their requests","resources":{},"tasks":0}],"notes":[],)"
                 R"("resources":{},"tasks":0})"));
  CHECK(contains(server.admin("POST", "/fixtures/reload").body, R"({"files":[{"exchanges":5,"file":)"));
}
