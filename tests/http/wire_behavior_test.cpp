// Answers that leave in a faulty or slow way, as a client's socket sees them.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "http/certificate.h"
#include "http/epoll_server.h"
#include "http/paced_response.h"
#include "http/tls.h"
#include "running_server.h"
#include "socket_client.h"
#include "tls_client.h"

using namespace ocp_mock::http;
using namespace ocp_mock::test;
using namespace std::chrono_literals;
using Fault = WireBehavior::Fault;

namespace {

const std::string kBody = "0123456789";

// What is delivered in which way is in the target.
Response deliver(const Request& request) {
  const ocp_mock::Headers headers = {{"Content-Type", "text/plain"}};
  const auto in_way = [&](const WireBehavior& wire) { return Response{200, headers, kBody, wire}; };
  if (request.target == "/reset") return in_way({.fault = Fault::ResetConnection});
  if (request.target == "/empty") return in_way({.fault = Fault::EmptyResponse});
  if (request.target == "/malformed") return in_way({.fault = Fault::MalformedChunk});
  if (request.target == "/random") return in_way({.fault = Fault::RandomData});
  if (request.target == "/truncated") return in_way({.truncate_at = 4});
  if (request.target == "/truncated-not") return in_way({.truncate_at = 10});
  if (request.target == "/dribbled") return in_way({.dribble_chunks = 3, .dribble_time = 30ms});
  if (request.target == "/slower") return in_way({.dribble_chunks = 2, .dribble_time = 300ms});
  if (request.target == "/hours") return in_way({.dribble_chunks = 2, .dribble_time = 1h});
  if (request.target == "/large") {
    return {200, headers, std::string(3'000'000, 'x'), {.dribble_chunks = 3, .dribble_time = 30ms}};
  }
  return {200, headers, request.method + " " + request.target};
}

class WireServer : public RunningServer {
 public:
  explicit WireServer(Limits limits = {}, std::shared_ptr<const TlsContext> tls = nullptr)
      : RunningServer(1, limits, deliver, 20s, std::move(tls)) {}
};

class TlsWireServer : public WireServer {
 public:
  TlsWireServer() : TlsWireServer(make_certificate("127.0.0.1")) {}
  const std::string& ca() const { return ca_; }

 private:
  explicit TlsWireServer(const MadeCertificate& made)
      : WireServer({}, std::make_shared<TlsContext>(made.certificate, made.key)), ca_(made.ca) {}
  const std::string ca_;
};

const std::string kChunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kDribbled = kChunkedHead + "4\r\n0123\r\n3\r\n456\r\n3\r\n789\r\n0\r\n\r\n";
const std::string kSlower = kChunkedHead + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";

// What the client was sent when the connection broke.
std::string read_to_break(SocketClient& client) {
  try {
    return "ended properly after: " + client.read_to_end();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

void hold_one_thread_to(SocketClient& other) {
  other.send(get("/other"));
  REQUIRE(other.read_answer() == answer("GET /other"));
}

}  // namespace

TEST_CASE("wire behavior: a client sees these bytes and then the end of the connection") {
  WireServer server;
  const std::string head_request = " HTTP/1.1\r\nHost: h\r\n\r\n";
  const struct {
    std::string request;
    std::string bytes;
  } cases[] = {
      {get("/empty"), ""},
      {"HEAD /empty" + head_request, ""},
      {get("/malformed"), kChunkedHead + std::string(kMalformedChunk)},
      {"HEAD /malformed" + head_request, kChunkedHead},
      {get("/random"), std::string(kRandomData)},
      {get("/truncated"), head(10) + "0123"},
      {get("/truncated", "Connection: close\r\n"), head(10, "close") + "0123"},
      {"GET /truncated HTTP/1.0\r\n\r\n", head(10, "close") + "0123"},
      {"GET /dribbled HTTP/1.0\r\n\r\n", answer(kBody, "close")},
      {get("/dribbled", "Connection: close\r\n"), "HTTP/1.1 200 OK\r\nConnection: close\r\n" + kDribbled.substr(17)},
      // What comes before is answered, what comes behind is not, and does not reset what was.
      {get("/1") + get("/empty") + get("/2"), answer("GET /1")},
      {get("/1") + get("/random") + get("/2"), answer("GET /1") + std::string(kRandomData)},
      {get("/1") + get("/truncated") + std::string(1'000'000, 'x'), answer("GET /1") + head(10) + "0123"},
  };
  for (const auto& [request, bytes] : cases) {
    CAPTURE(request.substr(0, 100));
    SocketClient client(server.port());
    client.send(request);
    client.shut_sending();
    CHECK(client.read_to_end() == bytes);
    // The end comes from the server, also for a client that keeps its side open.
    if (request.size() < 1000) {
      SocketClient open(server.port());
      open.send(request);
      CHECK(open.read_to_end() == bytes);
    }
  }
}

TEST_CASE("wire behavior: a connection that is reset has no byte of the answer") {
  WireServer server;
  for (const std::string method : {"GET", "HEAD"}) {
    SocketClient client(server.port());
    client.send(method + " /reset HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.is_reset());
  }
  SocketClient client(server.port());
  client.send(get("/1"));
  CHECK(client.read_answer() == answer("GET /1"));
  client.send(get("/reset"));
  CHECK(client.is_reset());
}

TEST_CASE("wire behavior: a connection goes on after an answer that was dribbled, or not truncated after all") {
  WireServer server;
  SocketClient client(server.port());
  client.send(get("/dribbled") + get("/1") + get("/dribbled"));
  CHECK(client.read_bytes(kDribbled.size()) == kDribbled);
  CHECK(client.read_answer() == answer("GET /1"));
  CHECK(client.read_bytes(kDribbled.size()) == kDribbled);
  client.send(get("/truncated-not") + get("/2"));
  CHECK(client.read_answer() == answer(kBody));
  CHECK(client.read_answer() == answer("GET /2"));
  client.send("GET /dribbled HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(client.read_answer() == answer(kBody, "keep-alive"));
  client.send(get("/3"));
  CHECK(client.read_answer() == answer("GET /3"));
  for (const std::string target : {"/truncated", "/dribbled"}) {
    client.send("HEAD " + target + " HTTP/1.1\r\nHost: h\r\n\r\n" + get("/4"));
    CHECK(client.read_answer(false) == head(10));
    CHECK(client.read_answer() == answer("GET /4"));
  }
}

TEST_CASE("wire behavior: chunks leave no earlier than their time") {
  WireServer server;
  SocketClient client(server.port());
  const auto start = std::chrono::steady_clock::now();
  client.send(get("/slower"));
  CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
  CHECK(client.read_bytes(10) == "5\r\n01234\r\n");
  CHECK(std::chrono::steady_clock::now() - start >= 150ms);
  CHECK(client.read_bytes(15) == "5\r\n56789\r\n0\r\n\r\n");
  CHECK(std::chrono::steady_clock::now() - start >= 300ms);
}

TEST_CASE("wire behavior: several answers are dribbled at once, while others are answered") {
  WireServer server;
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<SocketClient>(server.port()));
    clients.back()->send(get(i % 2 == 0 ? "/slower" : "/dribbled"));
  }
  // Hours are not over when the other is answered, nor when the rest has left.
  SocketClient hours(server.port());
  hours.send(get("/hours"));
  CHECK(hours.read_bytes(kChunkedHead.size()) == kChunkedHead);
  SocketClient other(server.port());
  hold_one_thread_to(other);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const std::string& expected = i % 2 == 0 ? kSlower : kDribbled;
    REQUIRE(clients[i]->read_bytes(expected.size()) == expected);
  }
  CHECK_FALSE(hours.has_bytes());
}

TEST_CASE(
    "wire behavior: a client that goes while it is dribbled to harms nobody, and its descriptor is not taken for it") {
  WireServer server;
  for (int i = 0; i < 20; ++i) {
    SocketClient gone(server.port());
    gone.send(get("/dribbled"));
    CHECK(gone.read_bytes(kChunkedHead.size()) == kChunkedHead);
    gone.reset();
    SocketClient next(server.port());
    next.send(get("/dribbled"));
    CHECK(next.read_bytes(kDribbled.size()) == kDribbled);
  }
}

TEST_CASE("wire behavior: a client that shuts its side has what is dribbled to it byte for byte, the next byte early") {
  WireServer server;
  SocketClient hours(server.port());
  hours.send(get("/hours"));
  CHECK(hours.read_bytes(kChunkedHead.size()) == kChunkedHead);
  hours.shut_sending();
  CHECK(hours.read_bytes(9) == "5\r\n01234\r");
  SocketClient other(server.port());
  hold_one_thread_to(other);
  CHECK_FALSE(hours.has_bytes());
  const std::pair<std::string, std::string> cases[] = {
      {get("/slower"), kSlower},
      {get("/slower") + get("/dribbled") + get("/1"), kSlower + kDribbled + answer("GET /1")},
      {"GET /slower HTTP/1.0\r\n\r\n", answer(kBody, "close")},
  };
  for (const auto& [requests, answers] : cases) {
    CAPTURE(requests);
    SocketClient client(server.port());
    client.send(requests);
    client.shut_sending();
    CHECK(client.read_to_end() == answers);
  }
}

TEST_CASE(
    "wire behavior: it is told when an answer has departed, before the client has all of it, and when it cannot") {
  struct Departed {
    std::atomic<int> times{0};
    std::atomic<bool> whole{false};
    std::atomic<std::size_t> bytes{0};
    std::atomic<std::size_t> arrived{0};  // at the client until then
  } departed;
  std::atomic<SocketClient*> asking{nullptr};
  EpollServer server({"127.0.0.1", 0, 1, {}, 1000, 20s});
  server.start([&](const Request& request) {
    Response response = deliver(request);
    response.on_departed = [&](bool whole, std::size_t bytes) {
      departed.whole = whole;
      departed.bytes = bytes;
      if (const SocketClient* client = asking) departed.arrived = client->arrived();
      ++departed.times;
    };
    return response;
  });
  const std::size_t before = open_descriptors();
  const struct {
    std::string request;
    std::size_t bytes;
  } cases[] = {
      {get("/whole"), 10},
      {get("/dribbled"), 10},
      {get("/truncated"), 4},
      {get("/truncated-not"), 10},
      {get("/empty"), 0},
      {get("/reset"), 0},
      {get("/random"), kRandomData.size()},
      {"HEAD /whole HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"HEAD /dribbled HTTP/1.1\r\nHost: h\r\n\r\n", 0},
  };
  for (const auto& [request, bytes] : cases) {
    CAPTURE(request);
    departed.times = 0;
    SocketClient client(server.port());
    asking = &client;
    client.send(request);
    REQUIRE(eventually([&] { return departed.times == 1; }));
    std::string all;
    if (request == get("/reset")) {
      CHECK(client.is_reset());
    } else {
      client.shut_sending();
      all = client.read_to_end();
    }
    CHECK((all.empty() ? departed.arrived == 0 : departed.arrived < all.size()));
    CHECK(departed.times == 1);
    CHECK(departed.whole);
    CHECK(departed.bytes == bytes);
    asking = nullptr;
  }
  for (const bool resets : {false, true}) {
    CAPTURE(resets);
    departed.times = 0;
    SocketClient client(server.port());
    client.send(get("/hours"));
    CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
    CHECK(departed.times == 0);
    resets ? client.reset() : client.close();
    CHECK(eventually([&] { return departed.times == 1; }));
    CHECK_FALSE(departed.whole);
    CHECK(departed.bytes == 0);
    CHECK(eventually([&] { return open_descriptors() == before; }));
  }
}

TEST_CASE("wire behavior: large chunks wait for a client that reads late") {
  WireServer server;
  SocketClient client(server.port());
  client.send(get("/large") + get("/1"));
  SocketClient other(server.port());
  other.send(get("/slower"));
  CHECK(other.read_bytes(kSlower.size()) == kSlower);
  CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
  const std::string chunk = "f4240\r\n" + std::string(1'000'000, 'x') + "\r\n";
  for (int i = 0; i < 3; ++i) CHECK((client.read_bytes(chunk.size()) == chunk));
  CHECK(client.read_bytes(5) == "0\r\n\r\n");
  CHECK(client.read_answer() == answer("GET /1"));
}

TEST_CASE("wire behavior: neither idle nor request time end an answer that is dribbled") {
  Limits limits;
  limits.idle_time = 10ms;
  limits.request_time = 10ms;
  WireServer server(limits);
  SocketClient client(server.port());
  client.send(get("/hours"));
  CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
  // One tick that ends this later one would have ended the former.
  SocketClient silent(server.port());
  CHECK(silent.read_to_end().empty());
  server->stop();
  CHECK(client.read_to_end() == kSlower.substr(kChunkedHead.size()));
}

TEST_CASE("wire behavior: the rest of a dribbled answer leaves at once when the server stops") {
  WireServer server;
  SocketClient client(server.port());
  SocketClient pipelined(server.port());
  client.send(get("/hours"));
  pipelined.send(get("/hours") + get("/1"));
  CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
  CHECK(pipelined.read_bytes(kChunkedHead.size()) == kChunkedHead);
  server->stop();
  CHECK(client.read_to_end() == kSlower.substr(kChunkedHead.size()));
  CHECK(pipelined.read_to_end() == kSlower.substr(kChunkedHead.size()) + answer("GET /1", "close"));
}

TEST_CASE("wire behavior: over TLS a truncated answer breaks off, a reset is one of TCP, other ends are TLS's own") {
  TlsWireServer server;
  const std::string broke = "the connection failed or stayed silent after: ";
  {
    TlsClient client(server.port(), {.ca = server.ca()});
    client.send(get("/truncated"));
    CHECK(read_to_break(client) == broke + head(10) + "0123");
    CHECK_FALSE(client.ended_properly());
  }
  {
    // Also if the client still sends, and is heard out.
    TlsClient client(server.port(), {.ca = server.ca()});
    client.send(get("/truncated") + std::string(100'000, 'x'));
    client.shut_sending();
    CHECK(read_to_break(client) == broke + head(10) + "0123");
    CHECK_FALSE(client.ended_properly());
  }
  {
    TlsClient client(server.port(), {.ca = server.ca()});
    client.send(get("/1"));
    CHECK(client.read_answer() == answer("GET /1"));
    client.send(get("/reset"));
    CHECK(client.is_reset());
    CHECK_FALSE(client.ended_properly());
  }
  const std::pair<std::string, std::string> faults[] = {
      {"/empty", ""},
      {"/malformed", kChunkedHead + std::string(kMalformedChunk)},
      {"/random", std::string(kRandomData)},
  };
  for (const auto& [target, bytes] : faults) {
    CAPTURE(target);
    TlsClient client(server.port(), {.ca = server.ca()});
    client.send(get(target));
    CHECK(client.read_to_end() == bytes);
    CHECK(client.ended_properly());
  }
}

TEST_CASE("wire behavior: over TLS a client that shuts its side has what is dribbled to it byte for byte") {
  TlsWireServer server;
  for (const bool says_goodbye : {false, true}) {
    TlsClient client(server.port(), {.ca = server.ca()});
    client.send(get("/slower") + get("/1"));
    says_goodbye ? client.end_sending() : client.shut_sending();
    CHECK(client.read_to_end() == kSlower + answer("GET /1"));
    CHECK(client.ended_properly());
  }
}

TEST_CASE("wire behavior: over TLS answers are dribbled too") {
  TlsWireServer server;
  TlsClient client(server.port(), {.ca = server.ca()});
  const auto start = std::chrono::steady_clock::now();
  client.send(get("/slower") + get("/1"));
  CHECK(client.read_bytes(kChunkedHead.size() + 10) == kChunkedHead + "5\r\n01234\r\n");
  CHECK(std::chrono::steady_clock::now() - start >= 150ms);
  CHECK(client.read_bytes(15) == "5\r\n56789\r\n0\r\n\r\n");
  CHECK(std::chrono::steady_clock::now() - start >= 300ms);
  CHECK(client.read_answer() == answer("GET /1"));
  client.send(get("/hours"));
  CHECK(client.read_bytes(kChunkedHead.size()) == kChunkedHead);
  server->stop();
  CHECK(client.read_to_end() == kSlower.substr(kChunkedHead.size()));
  CHECK(client.ended_properly());
}
