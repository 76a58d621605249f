// The test's side of the server, over real sockets.
// With the address sanitizer GCC 12 takes members of <regex> for uninitialised.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "app/service.h"
#include "cli/commands.h"
#include "embedded/admin_openapi.h"
#include "http/epoll_server.h"
#include "http/socket_client.h"
#include "json/text.h"
#include "ocp/digest.h"
#include "ocp/signature.h"
#include "ocp/url.h"
#include "store/dataset_builder.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace std::chrono_literals;
using ocp_mock::test::eventually;
using ocp_mock::test::open_descriptors;
using ocp_mock::test::SocketClient;
using ocp_mock::test::TemporaryFolder;

namespace {

constexpr Instant kNow{1723190762, 0};  // 2024-08-09T16:06:02+08:00
const std::string kList = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

std::string task(const std::string& create_time, const std::string& status = "RUNNING") {
  return R"({"clusterId":1,"tenantId":2,"createTime":")" + create_time + R"(","status":")" + status + "\"}";
}

const std::string kFixtures = "[" + task("2024-08-01T00:00:00Z") + "," + task("2024-08-02T00:00:00Z", "STOPPED") + "]";

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class Server {
 public:
  explicit Server(std::vector<std::string> flags = {}, const std::string& fixtures = kFixtures)
      : folder_(), file_(folder_.write("fixtures.json", fixtures)) {
    flags.insert(flags.begin(), {"ocp-mock-server", "--fixtures", file_.string()});
    std::vector<const char*> arguments;
    for (const std::string& flag : flags) arguments.push_back(flag.c_str());
    options_ = std::get<ServeOptions>(parse_options(static_cast<int>(arguments.size()), arguments.data(), environ));
    const auto logger = std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>());
    const auto load = [this, logger](const Router& router) { return load_dataset(options_, router, *logger); };
    service_ = std::make_shared<Service>(
        options_, ocp_catalogue(),
        AppContext{[] { return kNow; }, [] { return std::string("0123456789abcdef"); }, logger}, load);
    server_ =
        std::make_unique<http::EpollServer>(http::ServerOptions{"127.0.0.1", 0, 2, {}, 5000, std::chrono::seconds(3)});
    server_->start([service = service_](const http::Request& request) { return service->handle(request); });
  }

  int port() const { return server_->port(); }
  Service& service() { return *service_; }
  const std::filesystem::path& file() const { return file_; }
  void stop() {
    service_->stop();
    server_->stop();
  }

  static std::string text(const std::string& method, const std::string& target, const std::string& body,
                          const std::string& headers) {
    return method + " " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

  static Answer parse(const std::string& all) {
    const auto end = all.find("\r\n\r\n");
    if (end == std::string::npos) return {0, all, ""};
    return {std::stoi(all.substr(9, 3)), all.substr(0, end + 4), all.substr(end + 4)};
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "") const {
    SocketClient client(port());
    client.send(text(method, target, body, "Connection: close\r\n" + headers));
    return parse(client.read_to_end());
  }

  Answer admin(const std::string& method, const std::string& path, const std::string& body = "") const {
    return ask(method, "/__admin" + path, body);
  }

  // As a client of OCP's.
  Answer get(const std::string& target = kList, const std::string& user = "admin") const {
    return ask("GET", target, "", credentials(user));
  }

  static std::string credentials(const std::string& user) {
    return "Authorization: Basic " + base64_encode(user + ":x") + "\r\n";
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path file_;
  ServeOptions options_;
  std::shared_ptr<Service> service_;
  std::unique_ptr<http::EpollServer> server_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string total(int count) { return "\"totalElements\":" + std::to_string(count) + ","; }

}  // namespace

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
      {"PUT", "/clock?user=b", "", 503, "the limit of --max-worlds (1) is reached; delete a world first"},
      {"PUT", "/worlds/b", "", 503, "the limit of --max-worlds (1) is reached; delete a world first"},
      {"PUT", "/worlds/admin", R"({"from":"nobody"})", 404, "user 'nobody' has no world"},
      {"DELETE", "/worlds/nobody", "", 404, "user 'nobody' has no world"},
      {"PUT", "/worlds/%zz", "", 400, "'%zz' in the path does not decode to UTF-8 text"},
      {"PUT", "/fixtures", "[{}]", 400, "request body:1:2: task 1: clusterId is missing"},
      {"POST", "/fixtures", "", 400, "request body: the file is empty"},
      {"PATCH", "/tasks", R"({"set":{}})", 400,
       "where is missing; it must be an object of fields and values, {} for all tasks"},
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
      {"PUT", "/fixtures", "Content-Type: text/csv\r\n", 415, "application/x-ndjson for a task a line"},
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
    CHECK(contains(page.body, "<code>/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks</code>"));
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
  CHECK(answer.body == embedded::admin_openapi);
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

TEST_CASE("control: data are added, set, removed, replaced and reset, whole or not at all") {
  const Server server;
  CHECK(contains(server.get().body, total(2)));
  CHECK(server.admin("POST", "/fixtures", "[" + task("2024-08-03T00:00:00Z") + "]").body == R"({"tasks":1})");
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
  CHECK(server.admin("PUT", "/fixtures", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})").body == R"({"tasks":0})");
  CHECK(contains(server.get().body, total(0)));
  CHECK(server.admin("PUT", "/fixtures", kept).body == R"({"tasks":1})");
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
            .body == R"({"tasks":1})");
  CHECK(status() == "INPROGRESS");
  server.admin("PUT", "/clock", R"({"advance":"PT30S"})");
  const std::string added = "/api/v2/ob/clusters/1/tenants/3/backup/task/logBackupTasks";
  CHECK(contains(server.get(added).body, R"("status":"STARTING")"));
  server.admin("PUT", "/clock", R"({"advance":"PT10S"})");
  CHECK(contains(server.get(added).body, R"("status":"FAILED")"));
}

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

TEST_CASE("control: the patterns of the published description pass the paths that criteria may have, and no others") {
  const Server server;
  const JsonValue description = read_json_text(embedded::admin_openapi);
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

TEST_CASE("control: a short delay is waited for") {
  const Server server;
  REQUIRE(server.admin("POST", "/faults", R"({"action":{"delayMs":60}})").status == 201);
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = server.get();
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);
  CHECK(answer.status == 200);
  CHECK(std::stoi(answer.body.substr(answer.body.find("\"duration\":") + 11)) >= 60);
}

TEST_CASE("control: 64 users change their worlds at once, and none sees another's") {
  const Server server({"--isolate-by", "user"});
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 64; ++c) {
    clients.emplace_back([&, c] {
      try {
        const std::string user = "user-" + std::to_string(c);
        const std::string query = "?user=" + user;
        const auto expect = [&](bool right) { wrong += right ? 0 : 1; };
        std::string tasks;
        for (int i = 0; i <= c; ++i) tasks += (i == 0 ? "" : ",") + task("2024-08-01T00:00:00Z");
        expect(contains(server.get(kList, user).body, total(2)));
        expect(server.admin("PUT", "/fixtures" + query, "[" + tasks + "]").status == 200);
        expect(server.admin("PUT", "/clock" + query, R"({"offset":"P)" + std::to_string(c + 1) + "D\"}").status == 200);
        expect(server
                   .admin("POST", "/faults" + query,
                          R"({"match":{"path":"/api/status"},"action":{"status":)" + std::to_string(500 + c) + "}}")
                   .status == 201);
        for (int i = 0; i < 3; ++i) {
          expect(contains(server.get(kList, user).body, total(c + 1)));
          expect(server.get("/api/status", user).status == 500 + c);
        }
        expect(contains(server.admin("POST", "/requests/verify" + query, R"({"exactly":7})").body,
                        "\"result\":\"passed\"}"));
        expect(server.admin("POST", "/reset" + query).status == 204);
        expect(contains(server.get(kList, user).body, total(2)));
        expect(server.get("/api/status", user).body == "okay");
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
  CHECK(contains(server.admin("GET", "/clock").body, R"("mode":"real")"));
  CHECK(contains(server.admin("GET", "/requests").body, R"("requests":[])"));
}

TEST_CASE("control: worlds are forked, limited and deleted") {
  const Server server({"--isolate-by", "user", "--max-worlds", "2", "--access-key", "AK:SK:admin", "--user", "admin:x",
                       "--user", "b:x", "--user", "c:x"});
  server.admin("DELETE", "/tasks?user=admin", R"({"where":{"status":"STOPPED"}})");
  CHECK(server.admin("PUT", "/worlds/b", R"({"from":"admin"})").status == 201);
  CHECK(contains(server.get(kList, "b").body, total(1)));
  const Answer refused = server.get(kList, "c");
  CHECK(refused.status == 503);
  CHECK(contains(refused.body, "Too many users have a world of their own: 2, which is the limit of --max-worlds"));
  CHECK(server.admin("DELETE", "/worlds/b").status == 204);
  // What is armed in the base is armed in the worlds that fork it from then on.
  CHECK(server.admin("POST", "/faults", R"({"match":{"path":"/api/status"},"action":{"status":500}})").status == 201);
  CHECK(server.get("/api/status", "c").status == 500);
  CHECK(server.get("/api/status", "admin").status == 200);
  CHECK(contains(server.get(kList, "c").body, total(2)));
  // The key's world is that of its user.
  const std::string date = "Fri, 09 Aug 2024 08:06:02 GMT";
  const std::string signature = sign("SK", "GET\n\n\n" + date + "\nh\n\n" + kList);
  CHECK(contains(server
                     .ask("GET", kList, "",
                          "Date: " + date + "\r\nAuthorization: OCP-ACCESS-KEY-HMACSHA1 AK:" + signature + "\r\n")
                     .body,
                 total(1)));
  CHECK(contains(server.admin("GET", "/worlds").body,
                 R"("worlds":[{"faults":0,"requests":2,"user":"admin"},{"faults":1,"requests":2,"user":"c"}]})"));
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
  CHECK(
      contains(server.admin("GET", "/explain?request=/api/v2/ob/clusters/9/tenants/2/backup/task/logBackupTasks").body,
               R"("code":10002)"));
}

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
                         R"(,"form":"an array of tasks","tasks":2}],"notes":[],"tasks":2})");
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
    std::vector<const char*> arguments{"ocp-mock-server"};
    for (const std::string& flag : flags) arguments.push_back(flag.c_str());
    const auto options =
        std::get<ServeOptions>(parse_options(static_cast<int>(arguments.size()), arguments.data(), environ));
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
  const char* arguments[] = {"ocp-mock-server", "--fixtures", file.c_str()};
  const auto options = std::get<ServeOptions>(parse_options(3, arguments, environ));
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
  CHECK(server.admin("POST", "/fixtures?user=same", "[]").body == R"({"tasks":0})");
  CHECK(server.admin("POST", "/fixtures?user=same", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})").body ==
        R"({"tasks":0})");
  CHECK(count_of("declared") == 2);
  CHECK(server.admin("POST", "/fixtures?user=declared", R"({"clusters":[{"id":9}]})").body == R"({"tasks":0})");
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
