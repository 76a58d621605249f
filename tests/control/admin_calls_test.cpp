// Who may make admin calls, how a wrong one is refused, and whether all are described.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "control/control_server.h"
#include "embedded/admin_openapi.h"
#include "json/text.h"
#include "ocp/url.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("control: what is asked wrongly is answered by a problem that says so") {
  const Server server({"--isolate-by", "user", "--max-worlds", "1"});
  REQUIRE(server.get().status == 200);  // one world is there
  const struct {
    std::string method;
    std::string path;
    std::string body;
    int status;
    std::string detail;
  } cases[] = {
      {"GET", "/unknown", "", 404, "there is no admin call GET /__admin/unknown; GET /__admin/openapi.json lists them"},
      {"GET", "/fault", "", 404,
       "there is no admin call GET /__admin/fault; did you mean '/__admin/faults'? GET /__admin/openapi.json lists "
       "them"},
      {"POST", "/request/verify", "", 404, "did you mean '/__admin/requests/verify'?"},
      {"POST", "/verify", "", 404, "did you mean '/__admin/faults/verify' or '/__admin/requests/verify'?"},
      {"GET", "/reload", "", 404, "did you mean '/__admin/fixtures/reload'?"},
      {"PUT", "/worlds/a%2Fb/c", "", 404, "there is no admin call PUT /__admin/worlds/a%2Fb/c"},
      {"POST", "", "", 405, "/__admin does not take POST; it takes GET"},
      {"POST", "/clock", "", 405, "/__admin/clock does not take POST; it takes GET, PUT"},
      {"GET", "/worlds/a", "", 405, "/__admin/worlds/a does not take GET; it takes PUT, DELETE"},
      {"PUT", "/clock", "", 400, "the body is missing: {\"now\":TIME}"},
      {"PUT", "/clock", "x", 400, "request body:1:1: not JSON: "},
      {"PUT", "/clock", "[]", 400, "request body:1:1: this must be an object"},
      {"PUT", "/clock", R"({"now":"x"})", 400, "request body:1:2: now must be an RFC 3339 time such as"},
      {"PUT", "/clock", R"({"advance":"5m"})", 400, "request body:1:2: advance must be an ISO 8601 duration such as"},
      {"PUT", "/clock", R"({"advance":"P1M"})", 400, "; a minute is PT1M, and a month has no fixed length"},
      {"PUT", "/clock", R"({"now":"2024-13-01T00:00:00Z"})", 400, "\"; its month is 13"},
      {"PUT", "/clock", R"({"now":"2024-01-01T00:00:00Z","offset":"PT1S"})", 400,
       "give only one of now, advance and offset"},
      {"PUT", "/clock", R"({"advance":"P3000000D"})", 400, "the clock's time must stay in the years 0000 to 9999"},
      {"PUT", "/clock", R"({"later":1})", 400,
       "request body:1:2: 'later' is unknown here; known are advance, now, offset"},
      {"PUT", "/clock", R"({"now":"2024-01-01T00:00:00Z","now":"2024-01-01T00:00:00Z"})", 400,
       "request body:1:31: not JSON"},
      {"GET", "/clock?user=b", "", 404, "user 'b' has no world yet"},
      {"POST", "/requests/verify?user=b", "", 404, "user 'b' has no world yet"},
      {"GET", "/clock?user=", "", 400, "the parameter user is empty"},
      {"PUT", "/clock?user=b", "{}", 503, "the limit of --max-worlds (1) is reached; delete a world first"},
      {"PUT", "/worlds/b", "", 503, "the limit of --max-worlds (1) is reached; delete a world first"},
      {"PUT", "/worlds/admin", R"({"from":"nobody"})", 404, "user 'nobody' has no world"},
      {"DELETE", "/worlds/nobody", "", 404, "user 'nobody' has no world"},
      {"PUT", "/worlds/%zz", "", 400, "'%zz' in the path does not decode to UTF-8 text"},
      {"PUT", "/fixtures", "[{}]", 400, "request body:1:2: task 1: clusterId is missing"},
      {"POST", "/fixtures", "", 400, "request body: the file is empty"},
      {"PATCH", "/tasks", R"({"set":{}})", 400,
       "where is missing; it must be an object of fields and values, {} for all rows"},
      {"PATCH", "/tasks", R"({"where":{}})", 400, "set is missing; it must be an object of fields and values"},
      {"PATCH", "/tasks", R"({"where":{},"set":{"status":5}})", 400, "status is the number 5; it must be a string"},
      {"PATCH", "/tasks", R"({"where":{},"set":{},"resource":"x"})", 400, "resource must be the name of a resource"},
      {"DELETE", "/tasks", "", 400, "where is missing"},
      {"POST", "/faults", "{}", 400, "request body:1:1: give either \"action\" (an object) or \"steps\" (an array)"},
      {"DELETE", "/faults/x", "", 400, "the id of a fault is 'x'; it must be an integer, 0 or more"},
      {"DELETE", "/faults/9", "", 404, "there is no fault 9"},
      {"GET", "/requests?since=x", "", 400, "since is 'x'; it must be an integer, 0 or more"},
      {"GET", "/requests?wait=10", "", 400,
       "wait is '10'; it must be an ISO 8601 duration such as PT10S, at most PT1M"},
      {"GET", "/requests?wait=PT2M", "", 400, "wait is 'PT2M'; it must be"},
      {"GET", "/requests?x=%FF", "", 400, "a query parameter does not decode to UTF-8 text"},
      {"GET", "/requests?limits=1", "", 400,
       "the parameter 'limits' is unknown here; known are user, since, limit, wait, method, path, pathPrefix, "
       "pathTemplate, status, clientLeft; did you mean 'limit'?"},
      {"GET", "/clock?usr=a", "", 400, "the parameter 'usr' is unknown here; known are user; did you mean 'user'?"},
      {"GET", "/requests?path=/a&path=/b", "", 400, "the parameter 'path' is given twice; give it once"},
      {"GET", "/requests?path=/x%3Fa=1", "", 400,
       "path is '/x?a=1'; a path ends before '?': '/x' ('%3F' stands for the character itself)"},
      {"GET", "/requests?path=x", "", 400, "path is 'x'; it must begin with '/': '/x'"},
      {"GET", "/requests?method=get", "", 400, "so it must be 'GET'"},
      {"GET", "/requests?pathPrefix=/__admin/", "", 400, "admin calls meet no faults and are in no journal"},
      {"GET", "/requests?pathTemplate=/a/*", "", 400, "'*' leaves nothing open"},
      {"GET", "/requests?status=42", "", 400, "status is '42'; it must be 200 or an integer from 400 to 599"},
      {"GET", "/requests?status=x", "", 400, "status is 'x'; it must be 200 or an integer from 400 to 599"},
      {"GET", "/requests?limit=0&wait=PT1S", "", 400, "limit is 0, so there is nothing to wait for"},
      {"POST", "/requests/verify", R"({"status":"x"})", 400,
       "request body:1:2: status is the string \"x\"; it must be 200 or an integer from 400 to 599"},
      {"POST", "/requests/verify", R"({"method":"get","exactly":0})", 400,
       "request body:1:2: method is 'get'; methods are compared letter for letter, so it must be 'GET'"},
      {"POST", "/requests/verify", R"({"user":"b"})", 400, "ask with ?user=b"},
      {"POST", "/requests/verify", R"({"path":"/api/status","exactly":0})", 400,
       "request body:1:23: exactly would pass without a request: under --isolate-by user, the requests of each user "
       "are "
       "in a world of their own; ask with ?user=NAME, or with \"user\":\"\" for requests without credentials"},
      {"POST", "/requests/verify", R"({"atMost":3})", 400, "atMost would pass without a request"},
      {"POST", "/requests/verify?user=admin", R"({"user":"b","exactly":0})", 400, "ask with ?user=b"},
      {"POST", "/requests/verify", R"({"status":302,"exactly":0})", 400, "which are all that this server answers with"},
      {"POST", "/faults?user=admin", R"({"match":{"user":"b"},"action":{"status":503}})", 400, "ask with ?user=b"},
      {"POST", "/faults", R"({"match":{"method":"CONNECT"},"action":{"status":503}})", 400, "this server is no proxy"},
      {"POST", "/faults", R"({"match":{"user":"a:b"},"action":{"status":503}})", 400, "no user's name has a colon"},
      {"POST", "/faults", R"({"match":{"user":"","path":"/api/status"},"action":{"status":503}})", 400,
       "user is ''; without --auth off a request without credentials is refused with 401 and meets no fault"},
      {"POST", "/faults", R"({"match":{"path":"/)" + std::string(70'000, 'x') + R"("},"action":{"status":503}})", 400,
       "path makes the head of a request longer than 65536 bytes, the most that --max-head allows"},
      {"GET", "/requests?status=302", "", 400, "which are all that this server answers with"},
      {"GET", "/requests?clientLeft=yes", "", 400, "clientLeft must be true or false"},
      {"POST", "/requests/verify", R"({"atMots":1})", 400, "did you mean 'atMost'?"},
      {"POST", "/faults", R"({"match":{"path":"/x?y=1"},"action":{"status":503}})", 400,
       R"(request body:1:11: path is '/x?y=1'; a path ends before '?': '/x', with "query":{"y":"1"})"},
      {"POST", "/faults", R"({"match":{"path":"/__admin/health"},"action":{"status":503}})", 400,
       "admin calls meet no faults"},
      {"POST", "/faults", R"({"action":{"statsu":503}})", 400, "did you mean 'status'?"},
      {"POST", "/faults", R"({"action":{"fault":"EMPTY_RESPONCE"}})", 400, "did you mean 'EMPTY_RESPONSE'?"},
      {"POST", "/faults", R"({"action":{"delayMs":{"type":"normal"}}})", 400,
       "type must be uniform or lognormal; did you mean 'lognormal'?"},
      {"PATCH", "/tasks", R"({"where":{"delya":1},"set":{}})", 400,
       "delya is no field of logBackupTasks, and no task has it; did you mean 'delay'?"},
      {"DELETE", "/tasks", R"({"whre":{"tenantId":1}})", 400, "did you mean 'where'?"},
      {"DELETE", "/tasks", R"({"where":{"tenant":1}})", 400, "did you mean 'tenantId'?"},
      {"DELETE", "/tasks", R"({"where":{"tenantId":"2"}})", 400,
       "tenantId is the string \"2\"; it must be a 64-bit integer"},
      {"DELETE", "/tasks", R"({"where":{"status":"FAILD"}})", 400, "did you mean 'FAILED'?"},
      {"PATCH", "/tasks", R"({"where":{},"set":{"status":"FAILD"}})", 400, "did you mean 'FAILED'?"},
      {"PATCH", "/tasks", R"({"where":{},"set":{"errorMessage":"x"}})", 400, "did you mean 'errorMsg'?"},
      {"PATCH", "/tasks", R"({"where":{},"set":{},"resource":"logBackupTask"})", 400, "did you mean 'logBackupTasks'?"},
      {"GET", "/explain", "", 400, "the parameter request is missing; it must be a request target, percent-encoded"},
  };
  for (const auto& [method, path, body, status, detail] : cases) {
    CAPTURE(method + " " + path + " " + body);
    const Answer answer = server.admin(method, path, body);
    CHECK(answer.status == status);
    CAPTURE(answer.body);
    CHECK(contains(answer.head, "Content-Type: application/problem+json\r\n"));
    std::string quoted = json_string(detail);
    quoted.pop_back();
    CHECK(contains(answer.body, quoted.substr(1)));
    CHECK(contains(answer.body, "\"status\":" + std::to_string(status) + ","));
    CHECK(contains(answer.head, "Allow: ") == (status == 405));
  }
  CHECK(server.admin("GET", "/worlds").body ==
        R"({"isolateByUser":true,"maxWorlds":1,"worlds":[{"faults":0,"requests":1,"user":"admin"}]})");
  const Server one_world;
  CHECK(contains(one_world.admin("GET", "/clock?user=a").body, "the server runs without --isolate-by user"));
  CHECK(contains(one_world.admin("PUT", "/worlds/a").body, "the server runs without --isolate-by user"));
}

TEST_CASE("control: with a token only those who show it may ask") {
  const Server server({"--admin-token", "geheim"});
  for (const std::string headers :
       {"", "Authorization: Bearer geheimer\r\n", "Authorization: Basic geheim\r\n", "Authorization: geheim\r\n"}) {
    CAPTURE(headers);
    const Answer refused = server.ask("POST", "/__admin/reset", "", headers);
    CHECK(refused.status == 401);
    CHECK(contains(refused.head, "WWW-Authenticate: Bearer realm=\"ocp-mock-server admin\"\r\n"));
  }
  CHECK(server.ask("POST", "/__admin/reset", "", "Authorization: bearer geheim\r\n").status == 204);
  CHECK(server.admin("GET", "/health").body == R"({"status":"up"})");
}

TEST_CASE("control: no page of another site steers the server") {
  const Server server;
  const std::string fault = R"({"action":{"status":503}})";
  const struct {
    std::string method;
    std::string path;
    std::string headers;
    int status;
    std::string detail;
  } cases[] = {
      {"POST", "/faults", "Origin: http://evil.example\r\n", 403, "a page of another origin has sent this"},
      {"POST", "/faults", "Origin: null\r\n", 403, "a page of another origin has sent this"},
      {"POST", "/faults", "Sec-Fetch-Site: cross-site\r\n", 403, "a page of another site has sent this"},
      {"GET", "/requests", "Sec-Fetch-Site: same-site\r\n", 403, "a page of another site has sent this"},
      {"GET", "/health", "Origin: http://evil.example\r\n", 403, "a page of another origin has sent this"},
      {"OPTIONS", "/faults", "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n", 403,
       "a page of another origin has sent this"},
      {"OPTIONS", "/faults", "", 405, "/__admin/faults does not take OPTIONS"},
      {"POST", "/faults", "Content-Type: text/plain\r\n", 415, "it must be application/json, or absent"},
      {"POST", "/faults", "Content-Type: multipart/form-data; boundary=x\r\n", 415, "it must be application/json"},
      {"POST", "/faults", "Content-Type: application/x-ndjson\r\n", 415, "it must be application/json, or absent"},
      {"POST", "/faults", "Content-Encoding: gzip\r\n", 415, "admin calls take bodies as they are"},
      {"POST", "/fault", "Content-Type: text/plain\r\n", 404, "did you mean '/__admin/faults'?"},
      {"PUT", "/faults", "Content-Type: text/plain\r\n", 405, "it takes GET, POST, DELETE"},
      {"PUT", "/fixtures", "Content-Type: text/csv\r\n", 415, "application/x-ndjson for a row a line"},
  };
  for (const auto& [method, path, headers, status, detail] : cases) {
    CAPTURE(method + " " + path + " " + headers);
    const Answer answer = server.ask(method, "/__admin" + path, fault, headers);
    CAPTURE(answer.body);
    CHECK(answer.status == status);
    CHECK(contains(answer.head, "Content-Type: application/problem+json\r\n"));
    CHECK(contains(answer.body, detail));
    CHECK_FALSE(contains(answer.head, "Access-Control-"));
    CHECK_FALSE(contains(answer.body, "Internal Server Error"));
  }
  CHECK(server.admin("GET", "/faults").body == R"({"faults":[]})");
  // What programs and pages of this server send passes.
  for (const std::string headers :
       {"", "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Origin: http://h\r\nSec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n"}) {
    CAPTURE(headers);
    CHECK(server.ask("POST", "/__admin/faults", fault, headers).status == 201);
  }
  CHECK(server.ask("POST", "/__admin/fixtures", task("2024-08-03T00:00:00Z"), "Content-Type: application/x-ndjson\r\n")
            .status == 200);
  // The clients of OCP are asked for none of this.
  server.admin("DELETE", "/faults");
  CHECK(server.ask("GET", "/api/status", "", Server::credentials("a") + "Origin: http://evil.example\r\n").status ==
        200);
}

TEST_CASE("control: a name that is not this server's own makes no admin calls, unless it was named") {
  const auto ask = [](const Server& server, const std::string& host, const std::string& path = "/__admin/clock") {
    SocketClient client(server.port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + Server::credentials("a") +
                "\r\n");
    return Server::parse(client.read_to_end());
  };
  const Server server;
  CHECK(ask(server, "mock.example.com").status == 403);
  CHECK(contains(ask(server, "mock.example.com:80").body, "or start the server with --admin-host mock.example.com\""));
  CHECK(ask(server, "127.0.0.1").status == 200);
  CHECK(ask(server, "mock.example.com", "/api/status").status == 200);
  CHECK(ask(server, "mock.example.com", "/").status == 200);
  const Server named(
      {"--admin-host", "mock.example.com", "--admin-host", "other.example", "--admin-host", "third.example"});
  for (const std::string host : {"mock.example.com", "other.example:1", "THIRD.example."}) {
    CHECK(ask(named, host).status == 200);
  }
  CHECK(ask(named, "evil.example").status == 403);
}

TEST_CASE("control: who looks at the server without knowing it is told what it is") {
  const Server server({"--admin-token", "geheim", "--user", "admin:x"});
  for (const std::string target : {"/", "/__admin", "/__admin/"}) {
    CAPTURE(target);
    const Answer page = server.ask("GET", target, "", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
    CHECK(page.status == 200);
    CHECK(contains(page.head, "Content-Type: text/html;charset=UTF-8\r\n"));
    CHECK(contains(page.body, "<h1>ocp-mock-server "));
    CHECK(contains(page.body, "<a href=\"/__admin/openapi.json\">"));
    CHECK(contains(page.body, "<a href=\"/api/v2/time\">"));
    CHECK(contains(page.body, "<code>GET /api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks</code>"));
    const Answer text = server.ask("GET", target);
    CHECK(text.status == 200);
    CHECK(contains(text.head, "Content-Type: text/plain;charset=UTF-8\r\n"));
    CHECK(text.body.starts_with("This is ocp-mock-server "));
    CHECK(contains(text.body, "/__admin/openapi.json"));
    CHECK_FALSE(contains(text.head, "WWW-Authenticate"));
    CHECK(server.ask("HEAD", target).status == 200);
  }
  // To other methods it is a path that OCP does not know.
  CHECK(server.ask("POST", "/").status == 401);
  CHECK(contains(server.ask("POST", "/", "", Server::credentials("admin")).body, "Path '/' is unknown; "));
  CHECK(server.ask("GET", "/x").status == 401);
  CHECK(contains(server.get("/x").body, "Path '/x' is unknown; "));
  CHECK_FALSE(contains(server.get("/x").body, ", /."));
  const Server alone({"--no-admin"});
  CHECK(alone.ask("GET", "/").status == 200);
  CHECK_FALSE(contains(alone.ask("GET", "/").body, "admin"));
  CHECK(alone.ask("GET", "/__admin").status == 401);
}

TEST_CASE("control: --no-admin leaves nothing of it") {
  const Server server({"--no-admin"});
  CHECK(server.admin("GET", "/health").status == 401);
  CHECK(contains(server.get("/__admin/health").body, "Path '/__admin/health' is unknown"));
}

TEST_CASE("control: the OpenAPI file describes every call, and no other") {
  const Server server;
  const Answer answer = server.admin("GET", "/openapi.json");
  CHECK(answer.body == unpack(embedded::admin_openapi));
  const JsonValue document = read_json_text(answer.body);
  std::vector<std::string> described;
  for (const JsonMember& path : document.find("paths")->value.members) {
    for (const JsonMember& method : path.value.members) {
      if (method.key == "parameters") continue;
      std::string name = method.key;
      std::ranges::transform(name, name.begin(), to_upper_ascii);
      described.push_back(name + " " + path.key);
    }
  }
  std::vector<std::string> known;
  for (const Admin::Route& route : Admin::routes())
    known.push_back(std::string(route.method) + " " + std::string(route.path));
  std::ranges::sort(described);
  std::ranges::sort(known);
  CHECK(described == known);
}

TEST_CASE("control: the patterns of the published description pass the paths that criteria may have, and no others") {
  const Server server;
  const JsonValue description = read_json_text(unpack(embedded::admin_openapi));
  const auto pattern_of = [&](const std::string& key) {
    const JsonValue* value = &description;
    for (const std::string step : {"components", "schemas", "RequestMatch", "properties", key.c_str(), "pattern"}) {
      REQUIRE(value->find(step) != nullptr);
      value = &value->find(step)->value;
    }
    return std::regex(value->text);
  };
  for (const std::string key : {"path", "pathPrefix", "pathTemplate"}) {
    const std::regex pattern = pattern_of(key);
    for (const std::string path :
         {"/",          "*",         "",           "/a",         "/a/",    "a",         "/a/b",     "//a",
          "/a//b",      "/a?b",      "/a#b",       "/a*",        "/a/:id", "/:",        "/a:b",     "/{id}",
          "/a/{id}/c",  "/a/{id",    "/a/id}",     "/{a}{b}",    "/{}",    "/%7Bid%7D", "/__admin", "/__admin/",
          "/__admin/x", "/__adminx", "/a/__admin", "http://h/a", "/a b",   "/%zz"}) {
      CAPTURE(key);
      CAPTURE(path);
      const Answer answer = server.admin("POST", "/requests/verify", "{\"" + key + "\":" + json_string(path) + "}");
      CHECK(std::regex_search(path, pattern) == (answer.status == 200));
    }
  }
}
