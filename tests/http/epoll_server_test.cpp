#include "http/epoll_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
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

TEST_CASE("epoll server: an answer is these bytes") {
  EchoServer server;
  SocketClient client(server.port());
  client.send(get("/a?b=c", "Accept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n"));
  CHECK(client.read_answer() == answer("GET /a?b=c"));
}

TEST_CASE("epoll server: each request has the address of its client, in the shortest form") {
  const std::pair<std::string, std::string> cases[] = {
      {"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "127.0.0.1"}, {"::1", "::1"}, {"[::1]", "::1"}, {"::", "::1"},
      {"::", "127.0.0.1"},
  };
  for (const auto& [host, peer] : cases) {
    CAPTURE(host);
    if (host.find(':') != std::string::npos && !has_ipv6()) continue;
    EpollServer server({host, 0, 2, {}, 1000, 3s});
    server.start([](const Request& request) { return Response{200, {}, request.peer}; });
    SocketClient client(server.port(), peer);
    for (int i = 0; i < 3; ++i) {
      client.send(get("/"));
      CHECK(client.read_answer().ends_with("\r\n\r\n" + peer));
    }
  }
}

TEST_CASE("epoll server: a connection is kept for any number of requests") {
  EchoServer server;
  SocketClient client(server.port());
  for (int i = 0; i < 500; ++i) {
    const std::string target = "/" + std::to_string(i);
    client.send(get(target));
    REQUIRE(client.read_answer() == answer("GET " + target));
  }
}

TEST_CASE("epoll server: requests that arrive together are answered in order") {
  EchoServer server;
  SocketClient client(server.port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get("/" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 50; ++i) REQUIRE(client.read_answer() == answer("GET /" + std::to_string(i)));
}

TEST_CASE("epoll server: a request may arrive byte by byte") {
  EchoServer server;
  SocketClient client(server.port());
  for (const char byte : get("/slow")) client.send({&byte, 1});
  CHECK(client.read_answer() == answer("GET /slow"));
}

TEST_CASE("epoll server: HEAD has the head of GET and no body") {
  EchoServer server;
  SocketClient client(server.port());
  client.send("HEAD /12 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/123"));
  CHECK(client.read_answer(false) == "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(client.read_answer() == answer("GET /123"));
}

TEST_CASE("epoll server: several clients are served at once") {
  EchoServer server;
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 16; ++c) {
    clients.emplace_back([&, c] {
      try {
        SocketClient client(server.port());
        for (int i = 0; i < 100; ++i) {
          const std::string target = "/" + std::to_string(c) + "/" + std::to_string(i);
          client.send(get(target));
          if (client.read_answer() != answer("GET " + target)) ++wrong;
        }
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
}

TEST_CASE("epoll server: 500 idle connections do not keep another client from its answer") {
  EchoServer server;
  std::vector<std::unique_ptr<SocketClient>> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(std::make_unique<SocketClient>(server.port()));
    idle.back()->send(get("/"));
    idle.back()->read_answer();
  }
  SocketClient client(server.port());
  client.send(get("/another"));
  CHECK(client.read_answer() == answer("GET /another"));
  for (const auto& one : idle) {
    one->send(get("/again"));
    REQUIRE(one->read_answer() == answer("GET /again"));
  }
}

TEST_CASE("epoll server: connections that come at once are accepted before the first of them is served") {
  constexpr std::size_t kAtOnce = 60;
  Gate gate;
  std::size_t open = 0;  // when the first is served
  EpollServer server({"127.0.0.1", 0, 1, {}, 1000, 3s});
  server.start([&](const Request& request) {
    if (request.target == "/held") gate.wait();
    if (request.target == "/new" && open == 0) open = open_descriptors();
    return echo(request);
  });
  SocketClient first(server.port());
  first.send(get("/held"));
  REQUIRE(gate.waits_for(1));
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    clients.push_back(std::make_unique<SocketClient>(server.port()));
    clients.back()->send(get("/new"));
  }
  const std::size_t before = open_descriptors();
  gate.open();
  for (const auto& client : clients) REQUIRE(client->read_answer() == answer("GET /new"));
  CHECK(open == before + kAtOnce);
}

TEST_CASE("epoll server: that the limit of connections is reached is said when one more waits") {
  Gate gate;
  std::mutex mutex;
  std::string warnings;
  const auto warn = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    warnings += text;
  };
  const auto warned = [&] {
    const std::lock_guard lock(mutex);
    return warnings;
  };
  EpollServer server({"127.0.0.1", 0, 1, {}, 5, 3s, warn});
  server.start([&](const Request& request) {
    if (request.target == "/held") gate.wait();
    return echo(request);
  });
  SocketClient first(server.port());
  first.send(get("/held"));
  REQUIRE(gate.waits_for(1));
  std::vector<std::unique_ptr<SocketClient>> clients;
  const auto come = [&] {
    clients.push_back(std::make_unique<SocketClient>(server.port()));
    clients.back()->send(get("/"));
  };
  for (int i = 0; i < 4; ++i) come();
  gate.open();
  for (const auto& client : clients) REQUIRE(client->read_answer() == answer("GET /"));
  CHECK(warned().empty());
  come();
  CHECK(eventually([&] { return warned() == "cannot accept a connection: 5 are open, which is the limit"; }));
  first.close();
  CHECK(clients.back()->read_answer() == answer("GET /"));
}

TEST_CASE("epoll server: connections queue while every thread is busy") {
  Gate gate;
  EchoServer server({}, [&](const Request& request) {
    if (request.target == "/held") gate.wait();
    return echo(request);
  });
  SocketClient first(server.port());
  SocketClient second(server.port());
  first.send(get("/held"));
  second.send(get("/held"));
  REQUIRE(gate.waits_for(2));
  std::vector<std::unique_ptr<SocketClient>> queued;
  for (int i = 0; i < 100; ++i) {
    queued.push_back(std::make_unique<SocketClient>(server.port()));
    queued.back()->send(get("/queued"));
  }
  gate.open();
  for (const auto& one : queued) REQUIRE(one->read_answer() == answer("GET /queued"));
}

TEST_CASE("epoll server: Connection: close is kept to, in both versions of HTTP") {
  EchoServer server;
  const struct {
    std::string request;
    std::string answer;
  } cases[] = {
      {get("/", "Connection: close\r\n"), answer("GET /", "close")},
      {get("/", "Connection: CLOSE\r\n") + get("/not-read"), answer("GET /", "close")},
      {"GET / HTTP/1.0\r\n\r\n", answer("GET /", "close")},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
       answer("GET /", "keep-alive") + answer("GET /2", "close")},
  };
  for (const auto& [request, expected] : cases) {
    CAPTURE(request);
    SocketClient client(server.port());
    client.send(request);
    CHECK(client.read_to_end() == expected);
  }
}

TEST_CASE("epoll server: a client that shuts its side still gets its answers") {
  EchoServer server;
  SocketClient client(server.port());
  client.send(get("/1") + get("/2"));
  client.shut_sending();
  CHECK(client.read_to_end() == answer("GET /1") + answer("GET /2"));
}

TEST_CASE("epoll server: clients that hang up harm nobody") {
  EchoServer server;
  for (int i = 0; i < 50; ++i) {
    SocketClient(server.port()).send("GET / HTTP/1.1\r\nHo");
    SocketClient(server.port()).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    SocketClient(server.port()).send(get("/answer-not-read") + get("/answer-not-read"));
    SocketClient nothing(server.port());
  }
  SocketClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_answer() == answer("GET /"));
}

TEST_CASE("epoll server: bodies arrive whole, and the connection goes on") {
  EchoServer server;
  SocketClient client(server.port());
  client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'));
  CHECK(client.read_answer() == answer("POST /1 300000"));
  client.send("POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n" + get("/3"));
  CHECK(client.read_answer() == answer("POST /2 5"));
  CHECK(client.read_answer() == answer("GET /3"));
  client.send("POST /4 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  CHECK(client.read_answer() == answer("POST /4 2"));
}

TEST_CASE("epoll server: a refused request ends its connection, and its rest never runs as a request") {
  EchoServer server;
  SocketClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n" + get("/smuggled"));
  const std::string all = client.read_to_end();
  CHECK(all == refusal_bytes(ParseError::BadContentLength));
}

TEST_CASE("epoll server: a client that still sends reads why it was refused") {
  Limits limits;
  limits.parser = {1000, 1000};
  EchoServer server(limits);
  const std::string huge(4'000'000, 'a');
  const std::pair<std::string, ParseError> cases[] = {
      {"GET /" + huge + " HTTP/1.1\r\n\r\n", ParseError::TargetTooLong},
      {"GET / HTTP/1.1\r\nX: " + huge + "\r\n\r\n", ParseError::HeadTooLarge},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n" + huge, ParseError::BodyTooLarge},
  };
  for (const auto& [request, error] : cases) {
    SocketClient client(server.port());
    client.send(request);
    client.shut_sending();
    CHECK(client.read_to_end() == refusal_bytes(error));
  }
}

TEST_CASE("epoll server: what follows a last request does not reset its answer") {
  EchoServer server;
  SocketClient client(server.port());
  client.send(get("/", "Connection: close\r\n") + std::string(1'000'000, 'x'));
  client.shut_sending();
  CHECK(client.read_to_end() == answer("GET /", "close"));
}

TEST_CASE("epoll server: a handler that throws is answered with a bare 500") {
  EchoServer server({}, [](const Request&) -> Response { throw std::runtime_error("secret"); });
  SocketClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_answer() == "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
}
