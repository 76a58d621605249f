// Clients that are slow, and the end of the epoll server.
#include "http/epoll_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "echo_server.h"
#include "gate.h"
#include "parse_error_name.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace ocp_mock::test;
using namespace std::chrono_literals;

TEST_CASE("epoll server: a request that never ends is answered with a timeout, an idle connection closed") {
  Limits limits;
  limits.request_time = 50ms;
  limits.idle_time = 100ms;
  EchoServer server(limits);
  SocketClient unfinished(server.port());
  SocketClient silent(server.port());
  unfinished.send("GET /unfinished HTTP/1.1\r\n");
  const std::string all = unfinished.read_to_end();
  CHECK(all == refusal_bytes(ParseError::Timeout));
  CHECK(silent.read_to_end().empty());
  SocketClient served(server.port());
  served.send(get("/"));
  CHECK(served.read_to_end() == answer("GET /"));
}

TEST_CASE("epoll server: bytes that come one by one extend no time limit, and others are served meanwhile") {
  const std::string timeout = refusal_bytes(ParseError::Timeout);
  const struct {
    std::string start;
    std::vector<std::string> pieces;  // sent one by one, again and again
    std::string answer;
  } cases[] = {
      {"GET /", {"x"}, timeout},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: ", {"x"}, timeout},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", {"x"}, timeout},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", {"1\r\nx\r\n"}, timeout},
      // Empty lines before a request are passed over; they are no request that could be answered.
      {"", {"\r\n"}, ""},
      {"", {"\r", "\n"}, ""},
  };
  Limits limits;
  limits.request_time = 100ms;
  limits.idle_time = 100ms;
  EchoServer server(limits);
  for (const auto& [start, pieces, expected] : cases) {
    CAPTURE(start);
    SocketClient slow(server.port());
    slow.send(start);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    for (std::size_t i = 0;
         slow.send(pieces[i % pieces.size()]) && std::chrono::steady_clock::now() < deadline && !slow.has_bytes();
         ++i) {
      SocketClient other(server.port());
      other.send(get("/"));
      REQUIRE(other.read_answer() == answer("GET /"));
    }
    CHECK(std::chrono::steady_clock::now() < deadline);
    if (expected.empty()) {
      // Half an empty line may be the beginning of a request.
      CHECK((slow.is_over() || slow.read_to_end() == timeout));
    } else {
      CHECK(slow.read_to_end() == expected);
    }
  }
}

TEST_CASE("epoll server: 1,000 connections that say nothing are closed in time, and others are served meanwhile") {
  Limits limits;
  limits.idle_time = 2s;
  EpollServer server({"127.0.0.1", 0, 2, limits, 5000, 3s});
  server.start(echo);
  std::vector<std::unique_ptr<SocketClient>> silent;
  for (int i = 0; i < 1000; ++i) silent.push_back(std::make_unique<SocketClient>(server.port()));
  for (int i = 0; i < 100; ++i) {
    SocketClient other(server.port());
    other.send(get("/"));
    REQUIRE(other.read_answer() == answer("GET /"));
  }
  for (const auto& client : silent) REQUIRE(client->read_to_end().empty());
}

TEST_CASE("epoll server: a client that reads no answers stalls only itself") {
  const std::string body(200'000, 'x');
  EchoServer server({}, [&](const Request&) { return Response{200, {}, body}; });
  SocketClient greedy(server.port());
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get("/");
  greedy.send(requests);
  for (int i = 0; i < 20; ++i) {
    SocketClient other(server.port());
    other.send(get("/"));
    REQUIRE(other.read_answer().ends_with(body));
  }
  for (int i = 0; i < 100; ++i) REQUIRE(greedy.read_answer().ends_with(body));
}

TEST_CASE("epoll server: a client that sends request after request and reads no answer is read no further") {
  std::atomic<int> handled{0};
  const std::string body(200'000, 'x');
  EchoServer server({}, [&](const Request&) {
    ++handled;
    return Response{200, {}, body};
  });
  SocketClient greedy(server.port());
  // Each request is handled before the next is sent, so that each arrives by itself.
  const auto deadline_after = [](auto time) { return std::chrono::steady_clock::now() + time; };
  constexpr int kRequests = 500;
  for (int i = 0; i < kRequests; ++i) {
    greedy.send(get("/"));
    const auto deadline = deadline_after(300ms);
    while (handled <= i && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (handled <= i) break;
  }
  CHECK(handled < kRequests);
  const int sent = handled + 1;
  for (int i = 0; i < sent; ++i) REQUIRE(greedy.read_answer().ends_with(body));
}

TEST_CASE("epoll server: a client that takes no byte of its answer is given up") {
  Limits limits;
  limits.write_time = 100ms;
  const std::string body(50'000'000, 'x');
  EchoServer server(limits, [&](const Request&) { return Response{200, {}, body}; });
  SocketClient lazy(server.port());
  lazy.send(get("/"));
  // Its connection is gone once it can send no more: the first bytes meet a closed socket, the next ones a reset.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (lazy.send("x") && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK_FALSE(lazy.send("x"));
}

TEST_CASE("epoll server: it can stop before it has started, and stop twice") {
  EpollServer server({"127.0.0.1", 0, 2, {}, 1000, 3s});
  server.stop();
  server.stop();
}

TEST_CASE("epoll server: requests in flight are answered when it stops, idle connections closed") {
  Gate gate;
  EchoServer server({}, [&](const Request& request) {
    if (request.target == "/held") gate.wait();
    return echo(request);
  });
  SocketClient held(server.port());
  SocketClient idle(server.port());
  SocketClient half(server.port());
  held.send(get("/held"));
  idle.send(get("/"));
  REQUIRE(gate.waits_for(1));
  half.send("GET /half HTTP/1.1\r\n");

  std::thread stopper([&] { server->stop(); });
  gate.open();
  half.send("Host: h\r\n\r\n");
  // The answers may be made before or after the server has heard that it shall stop.
  CHECK(held.read_answer().find("GET /held") != std::string::npos);
  CHECK(half.read_answer().find("GET /half") != std::string::npos);
  CHECK(idle.read_answer().find("GET /") != std::string::npos);
  CHECK(idle.read_to_end().empty());
  stopper.join();
}

TEST_CASE("epoll server: an answer given while it stops says that the connection closes") {
  EpollServer server({"127.0.0.1", 0, 1, {}, 1000, 20s});
  server.start(echo);
  SocketClient idle(server.port());
  SocketClient half(server.port());
  idle.send(get("/"));
  idle.read_answer();
  // The interim answer proves that the server has taken up the request.
  half.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  half.read_answer();
  std::thread stopper([&] { server.stop(); });
  // One thread serves both: once it has closed one it knows that it stops.
  CHECK(idle.read_to_end().empty());
  half.send("ab");
  CHECK(half.read_to_end() == answer("POST / 2", "close"));
  stopper.join();
}

TEST_CASE("epoll server: a request that never ends does not keep it from stopping") {
  EchoServer server({}, echo, 100ms);
  SocketClient client(server.port());
  client.send(get("/1"));
  client.read_answer();
  client.send("GET /never HTTP/1.1\r\n");
  server->stop();
  CHECK(client.read_to_end().empty());
}
