#include "http/httplib_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/deferred_response.h"
#include "parse_error_name.h"
#include "running_server.h"
#include "socket_client.h"
#include "tls_client.h"

using namespace ocp_mock::http;
using namespace ocp_mock::test;
using namespace std::chrono_literals;
namespace {

Response echo(const Request& request) {
  if (request.parse_error) return refusal_of(*request.parse_error);
  std::string body = request.method + " " + request.target + " [" + request.body + "]";
  for (const std::string name : {"Content-Type", "Accept-Encoding", "Range", "X"}) {
    if (const auto value = request.header(name)) body += " " + name + "=" + std::string(*value);
  }
  if (request.target == "/none") return {204, {{"Date", "now"}}, ""};
  if (request.target == "/large") body.append(100'000, 'x');
  return {request.target == "/missing" ? 404 : 200, {{"Date", "now"}, {"Content-Type", "text/plain"}}, body};
}

ServerOptions options_of(std::shared_ptr<const TlsContext> tls = nullptr) {
  ServerOptions options;
  options.threads = 2;
  options.tls = std::move(tls);
  return options;
}

std::string post(const std::string& headers, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

// All that the server of an engine sends for these requests, one after the other, until it closes the connection.
std::string answers_of(Engine engine, std::vector<std::string> requests) {
  const auto server = make_server(engine, options_of());
  server->start(echo);
  SocketClient client(server->port());
  requests.push_back(get("/last", "Connection: close\r\n"));
  std::string all;
  for (const std::string& request : requests) {
    client.send(request);
    const std::string answer = client.read_answer(!request.starts_with("HEAD "));
    all += answer;
    if (answer.find("\r\nConnection: close\r\n") != std::string::npos) break;
  }
  return all + client.read_to_end();
}

}  // namespace

TEST_CASE("httplib server: both engines send the same bytes") {
  const std::string form(9000, 'f');  // httplib cuts a form at 8 KiB
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"GET", {get("/a?b=c=d&b=c%20+&b=c%20+")}},
      {"HEAD", {"HEAD /1 HTTP/1.1\r\nHost: h\r\n\r\n", get("/2")}},
      {"an error", {get("/missing"), get("/2")}},
      {"an error for HEAD", {"HEAD /missing HTTP/1.1\r\nHost: h\r\n\r\n", get("/2")}},
      {"no content", {get("/none"), get("/2")}},
      {"other methods",
       {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE /d HTTP/1.1\r\nHost: h\r\n\r\n",
        "TRACE /t HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
        "PATCH /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"}},
      {"a POST without a body", {post("", ""), get("/2")}},
      {"a GET with a body", {get("/1", "Content-Length: 3\r\n") + "abc", get("/2")}},
      {"a HEAD with a body", {"HEAD /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", get("/2")}},
      {"chunks", {post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), get("/2")}},
      {"chunks of a DELETE",
       {"DELETE /d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", get("/2")}},
      {"a form", {post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n", form)}},
      {"parts", {post("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 11\r\n", "--x nothing")}},
      {"a packed body", {post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc")}},
      {"compression is not offered", {get("/large", "Accept-Encoding: gzip, br\r\n")}},
      {"ranges are ignored", {get("/1", "Range: bytes=0-1\r\n"), get("/2", "Range: nonsense\r\n"), get("/3")}},
      {"close", {get("/1", "Connection: close\r\n")}},
      {"close, in another case", {get("/1", "Connection: Close\r\n")}},
      {"HEAD and close, in another case", {"HEAD /1 HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"}},
      {"HTTP/1.0", {"GET /1 HTTP/1.0\r\n\r\n"}},
      {"HTTP/1.0 keeps", {"GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /2 HTTP/1.0\r\n\r\n"}},
      {"no request", {"nonsense\r\n\r\n"}},
      {"another version", {"GET / HTTP/2.0\r\nHost: h\r\n\r\n"}},
      {"no host", {"GET / HTTP/1.1\r\n\r\n"}},
      {"two lengths, and another request", {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc") + get("/2")}},
      {"no length, and another request", {post("Content-Length: x\r\n", "") + get("/2")}},
      {"length and chunks", {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "") + get("/2")}},
      {"another encoding", {post("Transfer-Encoding: gzip\r\n", "")}},
      {"another expectation", {get("/", "Expect: wonders\r\n")}},
  };
  for (const auto& [what, requests] : cases) {
    CAPTURE(std::string(what));
    const std::string answers = answers_of(Engine::Epoll, requests);
    CHECK_FALSE(answers.empty());
    CHECK(answers_of(Engine::Httplib, requests) == answers);
  }
}

TEST_CASE("httplib server: a body over the limit is refused, and its rest never runs as a request") {
  ServerOptions options = options_of();
  options.limits.parser.body_bytes = 10;
  const auto server = make_server(Engine::Httplib, options);
  server->start(echo);
  for (const std::string& request : {post("Content-Length: 11\r\n", "01234567890"),
                                     post("Transfer-Encoding: chunked\r\n", "b\r\n01234567890\r\n0\r\n\r\n")}) {
    CAPTURE(request);
    SocketClient client(server->port());
    client.send(request);
    CHECK(client.read_answer() == ocp_mock::test::refusal_bytes(ParseError::BodyTooLarge));
  }
}

TEST_CASE("httplib server: a client that waits for it is told to send its body") {
  const auto server = make_server(Engine::Httplib, options_of());
  server->start(echo);
  SocketClient client(server->port());
  client.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
  CHECK(client.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  CHECK(client.read_answer().ends_with("POST /p [abc]"));
}

TEST_CASE("httplib server: more clients keep their connections than a pool has threads") {
  const auto server = make_server(Engine::Httplib, options_of());
  server->start(echo);
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<SocketClient>(server->port()));
    clients.back()->send(get("/" + std::to_string(i)));
    CHECK(clients.back()->read_answer().ends_with("GET /" + std::to_string(i) + " []"));
  }
  for (const auto& client : clients) {
    for (int i = 0; i < 10; ++i) {
      client->send(get("/again"));
      REQUIRE(client->read_answer().ends_with("GET /again []"));
    }
  }
}

TEST_CASE("httplib server: it listens only once it is started, on a port of its own, and stops at once") {
  const auto server = make_server(Engine::Httplib, options_of());
  CHECK_THROWS_WITH(SocketClient(server->port()), "cannot connect");
  server->start(echo);
  CHECK(server->url() == "http://127.0.0.1:" + std::to_string(server->port()));
  ServerOptions same = options_of();
  same.port = server->port();
  CHECK_THROWS_WITH(make_server(Engine::Httplib, same), doctest::Contains("is in use by another process"));
  SocketClient idle(server->port());
  idle.send(get("/"));
  idle.read_answer();
  SocketClient silent(server->port());
  const auto begin = std::chrono::steady_clock::now();
  server->stop();
  CHECK(std::chrono::steady_clock::now() - begin < 10s);  // idle_time is 75 s
  CHECK(idle.read_to_end().empty());
  CHECK(eventually([&] { return silent.is_over(); }));
  CHECK_THROWS_WITH(SocketClient(server->port()), "cannot connect");
}

TEST_CASE("httplib server: of two servers that have taken a port, one can listen") {
  const auto first = make_server(Engine::Httplib, options_of());
  ServerOptions same = options_of();
  same.port = first->port();
  const auto second = make_server(Engine::Httplib, same);
  first->start(echo);
  CHECK_THROWS_WITH(second->start(echo), doctest::Contains("is in use by another process"));
}

TEST_CASE("httplib server: a deferred response is waited for, also while the server stops") {
  std::mutex mutex;
  std::shared_ptr<DeferredResponse> deferred;
  const auto found = [&] {
    const std::lock_guard lock(mutex);
    return deferred;
  };
  const auto handler = [&](const Request& request) -> Response {
    const std::lock_guard lock(mutex);
    deferred = std::make_shared<DeferredResponse>([request] { return echo(request); });
    return {.deferred = deferred};
  };
  const auto server = make_server(Engine::Httplib, options_of());
  server->start(handler);
  SocketClient client(server->port());
  client.send(get("/1"));
  REQUIRE(eventually([&] { return found() != nullptr; }));
  CHECK_FALSE(client.has_bytes());
  found()->complete();
  CHECK(client.read_answer().ends_with("GET /1 []"));

  const auto first = found();
  client.send(get("/2"));
  REQUIRE(eventually([&] { return found() != first; }));
  std::thread stopper([&] { server->stop(); });
  found()->complete();
  CHECK(client.read_to_end().ends_with("GET /2 []"));
  stopper.join();
}

TEST_CASE("httplib server: a deferred response that does not come does not keep it from stopping") {
  std::shared_ptr<DeferredResponse> deferred;
  std::atomic<bool> handled{false};
  ServerOptions options = options_of();
  options.stop_time = 50ms;
  const auto server = make_server(Engine::Httplib, options);
  server->start([&](const Request& request) -> Response {
    deferred = std::make_shared<DeferredResponse>([request] { return echo(request); });
    handled = true;
    return {.deferred = deferred};
  });
  SocketClient client(server->port());
  client.send(get("/"));
  REQUIRE(eventually([&] { return handled.load(); }));
  server->stop();
  CHECK(deferred->abandoned());
  const std::string rest = client.read_to_end();
  CHECK((rest.empty() || rest.starts_with("HTTP/1.1 503 ")));
}

TEST_CASE("httplib server: HTTPS is served with the certificate of the options") {
  const MadeCertificate made = make_certificate("127.0.0.1", {});
  const auto server =
      make_server(Engine::Httplib, options_of(std::make_shared<TlsContext>(made.certificate, made.key)));
  server->start(echo);
  CHECK(server->url() == "https://127.0.0.1:" + std::to_string(server->port()));
  TlsClient client(server->port(), {.ca = made.ca, .name = "127.0.0.1"});
  for (int i = 0; i < 3; ++i) {
    client.send(get("/tls"));
    CHECK(client.read_answer().ends_with("GET /tls []"));
  }
}
