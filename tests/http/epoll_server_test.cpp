#include "http/epoll_server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "parse_error_name.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace std::chrono_literals;
using ocp_mock::test::eventually;
using ocp_mock::test::has_ipv6;
using ocp_mock::test::open_descriptors;
using ocp_mock::test::refusal_bytes;
using ocp_mock::test::refusal_of;
using ocp_mock::test::socket_address;
using ocp_mock::test::SocketClient;

namespace {

// Answers with what it was asked for.
Response echo(const Request& request) {
  if (request.parse_error) return refusal_of(*request.parse_error);
  std::string body = request.method + " " + request.target;
  if (!request.body.empty()) body += " " + std::to_string(request.body.size());
  return {200, {{"Content-Type", "text/plain"}}, body};
}

class RunningServer {
 public:
  explicit RunningServer(Limits limits = {}, Handler handler = echo, std::chrono::milliseconds stop_time = 3s)
      : server_({"127.0.0.1", 0, 2, limits, 1000, stop_time}) {
    server_.start(std::move(handler));
  }
  EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  EpollServer server_;
};

// Holds the handlers that wait at it until it is opened, or until a test that has failed must end.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait_for(lock, 30s, [this] { return open_; });
  }

  bool waits_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return waiting_ >= count; });
  }

  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

std::string answer(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("epoll server: an answer is these bytes") {
  RunningServer server;
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
  RunningServer server;
  SocketClient client(server.port());
  for (int i = 0; i < 500; ++i) {
    const std::string target = "/" + std::to_string(i);
    client.send(get(target));
    REQUIRE(client.read_answer() == answer("GET " + target));
  }
}

TEST_CASE("epoll server: requests that arrive together are answered in order") {
  RunningServer server;
  SocketClient client(server.port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get("/" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 50; ++i) REQUIRE(client.read_answer() == answer("GET /" + std::to_string(i)));
}

TEST_CASE("epoll server: a request may arrive byte by byte") {
  RunningServer server;
  SocketClient client(server.port());
  for (const char byte : get("/slow")) client.send({&byte, 1});
  CHECK(client.read_answer() == answer("GET /slow"));
}

TEST_CASE("epoll server: HEAD has the head of GET and no body") {
  RunningServer server;
  SocketClient client(server.port());
  client.send("HEAD /12 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/123"));
  CHECK(client.read_answer(false) == "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(client.read_answer() == answer("GET /123"));
}

TEST_CASE("epoll server: several clients are served at once") {
  RunningServer server;
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
  RunningServer server;
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
  RunningServer server({}, [&](const Request& request) {
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
  RunningServer server;
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
  RunningServer server;
  SocketClient client(server.port());
  client.send(get("/1") + get("/2"));
  client.shut_sending();
  CHECK(client.read_to_end() == answer("GET /1") + answer("GET /2"));
}

TEST_CASE("epoll server: clients that hang up harm nobody") {
  RunningServer server;
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
  RunningServer server;
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
  RunningServer server;
  SocketClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n" + get("/smuggled"));
  const std::string all = client.read_to_end();
  CHECK(all == refusal_bytes(ParseError::BadContentLength));
}

TEST_CASE("epoll server: a client that still sends reads why it was refused") {
  Limits limits;
  limits.parser = {1000, 1000};
  RunningServer server(limits);
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
  RunningServer server;
  SocketClient client(server.port());
  client.send(get("/", "Connection: close\r\n") + std::string(1'000'000, 'x'));
  client.shut_sending();
  CHECK(client.read_to_end() == answer("GET /", "close"));
}

TEST_CASE("epoll server: a handler that throws is answered with a bare 500") {
  RunningServer server({}, [](const Request&) -> Response { throw std::runtime_error("secret"); });
  SocketClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_answer() == "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("epoll server: a request that never ends is answered with a timeout, an idle connection closed") {
  Limits limits;
  limits.request_time = 50ms;
  limits.idle_time = 100ms;
  RunningServer server(limits);
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
  RunningServer server(limits);
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
  RunningServer server({}, [&](const Request&) { return Response{200, {}, body}; });
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
  RunningServer server({}, [&](const Request&) {
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
  RunningServer server(limits, [&](const Request&) { return Response{200, {}, body}; });
  SocketClient lazy(server.port());
  lazy.send(get("/"));
  // Its connection is gone once it can send no more: the first bytes meet a closed socket, the next ones a reset.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (lazy.send("x") && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK_FALSE(lazy.send("x"));
}

TEST_CASE("epoll server: two servers never share a port") {
  RunningServer first;
  try {
    EpollServer second({"127.0.0.1", first.port(), 2, {}, 1000, 3s});
    FAIL("the port was given twice");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "port " + std::to_string(first.port()) +
                                           " of host 127.0.0.1 is in use by another process; choose another with "
                                           "--port, or --port 0 for a free one");
  }
}

TEST_CASE("epoll server: a host that is none is said") {
  CHECK_THROWS_WITH_AS(EpollServer({"256.0.0.1", 0, 2, {}, 1000, 3s}), doctest::Contains("256.0.0.1"),
                       std::runtime_error);
}

TEST_CASE("epoll server: of two servers that have taken a port, one can listen") {
  EpollServer first({"127.0.0.1", 0, 2, {}, 1000, 3s});
  EpollServer second({"127.0.0.1", first.port(), 2, {}, 1000, 3s});
  first.start(echo);
  CHECK_THROWS_WITH_AS(second.start(echo), doctest::Contains("is in use by another process"), std::runtime_error);
}

TEST_CASE("epoll server: it listens on all addresses of its host, on one port, until it stops") {
  std::vector<std::string> names{"127.0.0.1", "127.0.0.2"};
  if (has_ipv6()) names.insert(names.begin(), "::1");
  std::vector<sockaddr_storage> addresses;
  for (const std::string& name : names) addresses.push_back(socket_address(name, 0));
  std::string warnings;
  const auto warn = [&](const std::string& text) { warnings += text; };
  EpollServer server({"name", 0, 2, {}, 1000, 3s, warn}, Listener("name", 0, addresses));
  for (const std::string& name : names) CHECK_THROWS_WITH(SocketClient(server.port(), name), "cannot connect");
  server.start(echo);
  CHECK(server.url() == (has_ipv6() ? "http://[::1]:" : "http://127.0.0.1:") + std::to_string(server.port()));
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 10; ++i) {
    for (const std::string& name : names) {
      clients.push_back(std::make_unique<SocketClient>(server.port(), name));
      clients.back()->send(get("/" + name));
      CHECK(clients.back()->read_answer() == answer("GET /" + name));
    }
  }
  server.stop();
  for (const auto& client : clients) CHECK(client->read_to_end().empty());
  for (const std::string& name : names) CHECK_THROWS_WITH(SocketClient(server.port(), name), "cannot connect");
  CHECK(warnings.empty());
}

TEST_CASE("epoll server: an address that the machine does not have is passed over, unless none is left") {
  // An address of documentation (RFC 5737), which no machine has.
  const sockaddr_storage here = socket_address("127.0.0.1", 0);
  const sockaddr_storage elsewhere = socket_address("192.0.2.1", 0);
  for (const auto& addresses : {std::vector{here, elsewhere}, std::vector{elsewhere, here}}) {
    std::string warnings;
    const auto warn = [&](const std::string& text) { warnings += text; };
    EpollServer server({"name", 0, 2, {}, 1000, 3s, warn}, Listener("name", 0, addresses));
    server.start(echo);
    SocketClient client(server.port());
    client.send(get("/"));
    CHECK(client.read_answer() == answer("GET /"));
    CHECK(warnings.ends_with(" of host name (192.0.2.1) is passed over: Cannot assign requested address"));
  }
  CHECK_THROWS_WITH(Listener("name", 8080, {elsewhere}),
                    "cannot listen on port 8080 of host name (192.0.2.1): Cannot assign requested address");
  CHECK_THROWS_WITH(Listener("192.0.2.1", 8080, {elsewhere}),
                    "cannot listen on port 8080 of host 192.0.2.1: Cannot assign requested address");
}

TEST_CASE("epoll server: of a port that is in use on one address the message names the address") {
  Listener first("127.0.0.2", 0, {socket_address("127.0.0.2", 0)});
  first.listen();
  const std::vector<sockaddr_storage> both{socket_address("127.0.0.1", 0), socket_address("127.0.0.2", 0)};
  CHECK_THROWS_WITH(Listener("name", first.port(), both),
                    ("port " + std::to_string(first.port()) +
                     " of host name (127.0.0.2) is in use by another process; choose another with --port, or --port 0 "
                     "for a free one")
                        .c_str());
}

TEST_CASE("epoll server: port 0 takes a port that is free on all addresses") {
  const sockaddr_storage second = socket_address("127.0.0.2", 0);
  const std::vector<sockaddr_storage> both{socket_address("127.0.0.1", 0), second};
  // Enough for one choice in thirty or so to meet one of them.
  std::vector<Listener> taken;
  for (int i = 0; i < 1000; ++i) {
    taken.emplace_back("127.0.0.2", 0, std::vector{second});
    taken.back().listen();
  }
  for (int i = 0; i < 200; ++i) {
    Listener listener("name", 0, both);
    REQUIRE(listener.size() == 2);
    listener.listen();
  }
}

TEST_CASE("epoll server: the addresses of a host are those of the resolver, none twice") {
  const auto texts = [](const std::string& host) {
    std::vector<std::string> found;
    for (const sockaddr_storage& address : addresses_of(host)) found.push_back(address_text(address));
    return found;
  };
  CHECK(texts("127.0.0.1") == std::vector<std::string>{"127.0.0.1"});
  CHECK(texts("::1") == std::vector<std::string>{"::1"});
  CHECK(texts("[::1]") == std::vector<std::string>{"::1"});
  CHECK(texts("::") == std::vector<std::string>{"::"});
  std::vector<std::string> local = texts("localhost");
  CHECK(std::ranges::find(local, "127.0.0.1") != local.end());
  std::ranges::sort(local);
  CHECK(std::ranges::adjacent_find(local) == local.end());
  CHECK_THROWS_WITH(addresses_of("no.such.host.invalid"),
                    doctest::Contains("cannot find an address for host no.such.host.invalid: "));
}

TEST_CASE("epoll server: before it is started connections are refused") {
  EpollServer server({"127.0.0.1", 0, 2, {}, 1000, 3s});
  CHECK_THROWS_WITH(SocketClient(server.port()), "cannot connect");
  server.start(echo);
  SocketClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_answer() == answer("GET /"));
}

TEST_CASE("epoll server: it can stop before it has started, and stop twice") {
  EpollServer server({"127.0.0.1", 0, 2, {}, 1000, 3s});
  server.stop();
  server.stop();
}

TEST_CASE("epoll server: requests in flight are answered when it stops, idle connections closed") {
  Gate gate;
  RunningServer server({}, [&](const Request& request) {
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
  RunningServer server({}, echo, 100ms);
  SocketClient client(server.port());
  client.send(get("/1"));
  client.read_answer();
  client.send("GET /never HTTP/1.1\r\n");
  server->stop();
  CHECK(client.read_to_end().empty());
}

TEST_CASE("http server: whether only this machine reaches it is told by its addresses, not by the host's text") {
  const std::pair<std::string, bool> cases[] = {
      {"127.0.0.1", true}, {"2130706433", true}, {"127.3.2.1", true}, {"0.0.0.0", false}, {"0", false},
  };
  for (const auto& [host, is_loopback] : cases) {
    CAPTURE(host);
    ServerOptions options;
    options.host = host;
    CHECK(EpollServer(options).is_loopback() == is_loopback);
  }
}
