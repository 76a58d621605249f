// HTTPS over real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/deferred_response.h"
#include "http/epoll_server.h"
#include "http/tls.h"
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
  std::string body = request.method + " " + request.target + " " + std::to_string(request.body.size());
  return {200, {{"Content-Type", "text/plain"}}, body};
}

class Warnings {
 public:
  std::function<void(const std::string&)> sink() {
    return [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      text_ += text + "\n";
    };
  }

  // Waits for one that has this part.
  bool have(const std::string& part) {
    return eventually([&] { return text().find(part) != std::string::npos; });
  }

  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

class TlsServer {
 public:
  explicit TlsServer(const Limits& limits = {}, Handler handler = echo, const std::string& host = "127.0.0.1",
                     std::chrono::milliseconds stop_time = 3s)
      : made_(make_certificate(host)),
        server_({"127.0.0.1", 0, 2, limits, 5000, stop_time, warnings_.sink(),
                 std::make_shared<TlsContext>(made_.certificate, made_.key)}) {
    server_.start(std::move(handler));
  }
  EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }
  const std::string& ca() const { return made_.ca; }
  bool warned(const std::string& part) { return warnings_.have(part); }

 private:
  const MadeCertificate made_;
  Warnings warnings_;
  EpollServer server_;
};

}  // namespace

TEST_CASE("tls: requests are answered, one after the other, in TLS 1.3 and 1.2") {
  TlsServer server;
  CHECK(server->url() == "https://127.0.0.1:" + std::to_string(server.port()));
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient client(server.port(), {.ca = server.ca(), .highest_version = version});
    CHECK(client.version() == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
    for (int i = 0; i < 100; ++i) {
      client.send(get("/" + std::to_string(i)));
      REQUIRE(client.read_answer() == answer("GET /" + std::to_string(i) + " 0"));
    }
  }
}

TEST_CASE("tls: older versions are refused") {
  TlsServer server;
  CHECK_THROWS_WITH(TlsClient(server.port(), {.ca = server.ca(), .highest_version = TLS1_1_VERSION}),
                    doctest::Contains("protocol version"));
  CHECK(server.warned("a TLS handshake failed: unsupported protocol"));
}

TEST_CASE("tls: the made certificate is for localhost, 127.0.0.1, ::1 and the host, and for its CA's friends only") {
  TlsServer server({}, echo, "ocp.example");
  for (const std::string name : {"localhost", "127.0.0.1", "::1", "ocp.example"}) {
    CAPTURE(name);
    TlsClient client(server.port(), {.ca = server.ca(), .name = name});
    client.send(get("/"));
    CHECK(client.read_answer() == answer("GET / 0"));
  }
  for (const std::string name : {"example", "127.0.0.2", "ocp.example.org"}) {
    CAPTURE(name);
    CHECK_THROWS_WITH(TlsClient(server.port(), {.ca = server.ca(), .name = name}), "certificate verify failed");
  }
  CHECK_THROWS_WITH(TlsClient(server.port(), {.ca = make_certificate("localhost").ca}), "certificate verify failed");
  CHECK_THROWS_WITH(TlsClient(server.port(), {.ca = ""}), "certificate verify failed");
  CHECK(server.warned("a TLS handshake failed: tlsv1 alert unknown ca"));
}

TEST_CASE("tls: a client that offers HTTP/2 is told to speak HTTP/1.1") {
  TlsServer server;
  CHECK(TlsClient(server.port(), {.ca = server.ca(), .protocols = "\x02h2\x08http/1.1"}).protocol() == "http/1.1");
  CHECK(TlsClient(server.port(), {.ca = server.ca(), .protocols = "\x08http/1.1"}).protocol() == "http/1.1");
  CHECK(TlsClient(server.port(), {.ca = server.ca(), .protocols = "\x02h2"}).protocol().empty());
}

TEST_CASE("tls: large bodies and answers, and requests that arrive together") {
  const std::string large(3'000'000, 'x');
  TlsServer server({}, [&](const Request& request) {
    return request.target == "/large" ? Response{200, {{"Content-Type", "text/plain"}}, large} : echo(request);
  });
  TlsClient client(server.port(), {.ca = server.ca()});
  client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + large + get("/2") + get("/large") +
              get("/3"));
  CHECK(client.read_answer() == answer("POST /1 3000000"));
  CHECK(client.read_answer() == answer("GET /2 0"));
  CHECK(client.read_answer() == answer(large));
  CHECK(client.read_answer() == answer("GET /3 0"));
}

TEST_CASE("tls: a client that reads no answers stalls only itself, and gets them all in the end") {
  const std::string body(20'000, 'x');
  TlsServer server({}, [&](const Request&) { return Response{200, {{"Content-Type", "text/plain"}}, body}; });
  constexpr int kRequests = 1000;
  TlsClient greedy(server.port(), {.ca = server.ca()});
  std::thread sender([&] {
    std::string requests;
    for (int i = 0; i < kRequests; ++i) requests += get("/");
    greedy.send(requests);
  });
  sender.join();
  for (int i = 0; i < 10; ++i) {
    TlsClient other(server.port(), {.ca = server.ca()});
    other.send(get("/"));
    REQUIRE(other.read_answer() == answer(body));
  }
  for (int i = 0; i < kRequests; ++i) REQUIRE(greedy.read_answer() == answer(body));
}

TEST_CASE("tls: floods of key updates hold up nobody else") {
  const MadeCertificate made = make_certificate("h");
  EpollServer server({"127.0.0.1", 0, 1, {}, 100, 3s, {}, std::make_shared<TlsContext>(made.certificate, made.key)});
  server.start(echo);
  std::atomic<bool> stop{false};
  std::vector<std::thread> floods;
  for (int i = 0; i < 4; ++i) {
    floods.emplace_back([&] {
      TlsClient client(server.port(), {.ca = made.ca});
      while (!stop && client.update_key()) {
      }
    });
  }
  int answered = 0;
  try {
    for (; answered < 20; ++answered) {
      TlsClient client(server.port(), {.ca = made.ca});
      client.send(get("/"));
      if (client.read_answer() != answer("GET / 0")) break;
    }
  } catch (const std::runtime_error&) {
    // held up for longer than the client's patience
  }
  CHECK(answered == 20);
  stop = true;
  for (std::thread& flood : floods) flood.join();
}

TEST_CASE("tls: several clients are served at once") {
  TlsServer server;
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      try {
        for (int i = 0; i < 10; ++i) {
          TlsClient client(server.port(), {.ca = server.ca()});
          const std::string target = "/" + std::to_string(c) + "/" + std::to_string(i);
          for (int j = 0; j < 10; ++j) {
            client.send(get(target));
            if (client.read_answer() != answer("GET " + target + " 0")) ++wrong;
          }
        }
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
}

TEST_CASE("tls: a connection ends with TLS's own end, also for a client that shuts its side") {
  TlsServer server;
  TlsClient client(server.port(), {.ca = server.ca()});
  client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  client.read_to_end();
  CHECK(client.ended_properly());

  TlsClient half(server.port(), {.ca = server.ca()});
  half.send(get("/1"));
  half.shut_sending();
  CHECK(half.read_to_end() == answer("GET /1 0"));
  CHECK(half.ended_properly());
}

TEST_CASE("tls: while an answer is awaited, a client that closes is noticed, and one that shuts its side is answered") {
  std::mutex mutex;
  std::shared_ptr<DeferredResponse> pending;
  const auto held = [&] {
    std::shared_ptr<DeferredResponse> found;
    REQUIRE(eventually([&] {
      const std::lock_guard lock(mutex);
      found = std::exchange(pending, nullptr);
      return found != nullptr;
    }));
    return found;
  };
  TlsServer server({}, [&](const Request& request) -> Response {
    if (request.target != "/held") return echo(request);
    const std::lock_guard lock(mutex);
    pending = std::make_shared<DeferredResponse>([request] { return echo(request); });
    return {.deferred = pending};
  });
  const std::size_t before = open_descriptors();
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    const auto connect = [&] {
      auto client =
          std::make_unique<TlsClient>(server.port(), TlsClientOptions{.ca = server.ca(), .highest_version = version});
      // It has then taken the tickets of TLS 1.3, which would reset the connection if they were left at its end.
      client->send(get("/1"));
      REQUIRE(client->read_answer() == answer("GET /1 0"));
      client->send(get("/held"));
      return client;
    };
    for (const bool says_goodbye : {false, true}) {
      CAPTURE(version);
      CAPTURE(says_goodbye);
      {
        auto gone = connect();
        const auto abandoned = held();
        if (says_goodbye) gone->end_sending();
        gone->close();
        CHECK(eventually([&] { return abandoned->abandoned(); }));
        CHECK(eventually([&] { return open_descriptors() == before; }));
      }
      auto half = connect();
      const auto kept = held();
      half->send(get("/2"));
      says_goodbye ? half->end_sending() : half->shut_sending();
      CHECK(half->read_bytes(2) == "HT");
      CHECK_FALSE(kept->abandoned());
      kept->complete();
      CHECK("HT" + half->read_to_end() == answer("GET /held 0") + answer("GET /2 0"));
      CHECK(half->ended_properly());
    }
  }
}

TEST_CASE("tls: a client that speaks plain HTTP is told so") {
  TlsServer server;
  SocketClient client(server.port());
  client.send(get("/") + std::string(100'000, 'x'));
  client.shut_sending();
  const std::string all = client.read_to_end();
  CHECK(all == refusal_bytes(ParseError::PlainHttp));
}

TEST_CASE("tls: a client that speaks TLS to a server of plain HTTP is told so, and the log says it once in a while") {
  Warnings warnings;
  EpollServer server({"127.0.0.1", 0, 1, {}, 1000, 3s, warnings.sink()});
  server.start(echo);
  const std::string refused = refusal_bytes(ParseError::Tls);
  for (int i = 0; i < 20; ++i) {
    SocketClient client(server.port());
    // No line feed, which would end a request line, and more to come.
    client.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    CHECK(client.read_answer() == refused);
    client.send(std::string(1000, 'x'));
    client.shut_sending();
    CHECK(client.read_to_end().empty());
  }
  // What OpenSSL and all that use it say of an answer in plain HTTP is known to many.
  CHECK_THROWS_WITH(TlsClient(server.port(), {}), "wrong version number");
  const std::string text =
      "a client has spoken TLS to this port, which speaks plain HTTP; its URL must begin with http://";
  CHECK(warnings.have(text + "\n"));
  CHECK(warnings.have(text + " ("));
  CHECK(warnings.have(" more of these)\n"));
  // Only the first byte of a connection tells.
  SocketClient client(server.port());
  client.send(get("/") + "\x16 / HTTP/1.1\r\n\r\n");
  client.shut_sending();
  CHECK(client.read_to_end().ends_with(refusal_bytes(ParseError::MalformedRequestLine)));
}

TEST_CASE("tls: clients that break off or send nonsense harm nobody") {
  TlsServer server;
  for (int i = 0; i < 20; ++i) {
    SocketClient(server.port()).send("\x16\x03\x01");
    SocketClient(server.port()).send("\x16" + std::string(5000, 'x'));
    TlsClient(server.port(), {.ca = server.ca()}).send("GET / HTTP/1.1\r\nHo");
    TlsClient gone(server.port(), {.ca = server.ca()});
    gone.send(get("/"));
  }
  TlsClient client(server.port(), {.ca = server.ca()});
  client.send(get("/"));
  CHECK(client.read_answer() == answer("GET / 0"));
  CHECK(server.warned("a TLS handshake failed: "));
}

TEST_CASE("tls: a handshake that never ends is closed in time, though a byte comes now and then") {
  Limits limits;
  limits.request_time = 200ms;
  limits.idle_time = 60s;
  TlsServer server(limits);
  SocketClient slow(server.port());
  // A record of 16 KiB that begins a ClientHello of as much.
  slow.send(std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11));
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (slow.send("x") && std::chrono::steady_clock::now() < deadline) {
    // Others are served between two bytes.
    TlsClient other(server.port(), {.ca = server.ca()});
    other.send(get("/"));
    REQUIRE(other.read_answer() == answer("GET / 0"));
  }
  CHECK(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE("tls: requests in flight are answered when the server stops, idle connections are ended") {
  TlsServer server;
  TlsClient idle(server.port(), {.ca = server.ca()});
  TlsClient half(server.port(), {.ca = server.ca()});
  idle.send(get("/"));
  idle.read_answer();
  half.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(half.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  std::thread stopper([&] { server->stop(); });
  CHECK(idle.read_to_end().empty());
  CHECK(idle.ended_properly());
  half.send("ab");
  CHECK(half.read_to_end().ends_with("POST / 2"));
  stopper.join();
}
