// Answers that come later.
#include "http/pending.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/http_server.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace std::chrono_literals;
using ocp_mock::test::comes_true;
using ocp_mock::test::open_descriptors;
using ocp_mock::test::SocketClient;

namespace {

Response text(const std::string& body) { return {200, {{"Content-Type", "text/plain"}}, body}; }

// A handler that keeps the answers to /held... until the test makes them ready.
class Desk {
 public:
  Response handle(const Request& request) {
    ++handled_;
    if (!request.target.starts_with("/held")) return text(request.method + " " + request.target);
    return {.pending = hold(request.target, [this, request] {
              ++finished_;
              return text("late " + request.method + " " + request.target);
            })};
  }

  std::shared_ptr<Pending> hold(const std::string& target, std::function<Response()> finish) {
    auto pending = std::make_shared<Pending>(std::move(finish));
    const std::lock_guard lock(mutex_);
    held_[target] = pending;
    return pending;
  }

  // Waits until it is held.
  std::shared_ptr<Pending> held(const std::string& target) {
    std::shared_ptr<Pending> found;
    REQUIRE(comes_true([&] {
      const std::lock_guard lock(mutex_);
      const auto pending = held_.find(target);
      if (pending != held_.end()) found = pending->second;
      return found != nullptr;
    }));
    return found;
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }

  int handled() const { return handled_; }
  int finished() const { return finished_; }

 private:
  std::atomic<int> handled_{0};
  std::atomic<int> finished_{0};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Pending>> held_;
};

// The end of a proxy's connection to the server.
class ProxiedSocket : public SocketClient {
 public:
  using SocketClient::descriptor;
  using SocketClient::SocketClient;
};

class Server {
 public:
  // One thread, so that an answer on one connection shows what the thread has seen on the others.
  explicit Server(Handler handler, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : server_({"127.0.0.1", 0, 1, limits, 1000, stop_time}) {
    server_.start(std::move(handler));
  }
  explicit Server(Desk& desk, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : Server([&desk](const Request& request) { return desk.handle(request); }, limits, stop_time) {}
  HttpServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  HttpServer server_;
};

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

std::string answer(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

// Whoever has come before is seen by the server's thread.
void pass_by(int port) {
  SocketClient other(port);
  other.send(get("/other"));
  REQUIRE(other.read_answer() == answer("GET /other"));
}

const std::string kBare500 = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

}  // namespace

TEST_CASE("pending: an answer comes when another thread makes it ready, and the connection goes on") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    const std::string target = "/held/" + std::to_string(i);
    client.send(get(target));
    const auto pending = desk.held(target);
    CHECK(desk.finished() == i);
    pending->make_ready();
    REQUIRE(client.read_answer() == answer("late GET " + target));
    CHECK_FALSE(pending->abandoned());
  }
  client.send(get("/now"));
  CHECK(client.read_answer() == answer("GET /now"));
}

TEST_CASE("pending: an answer may be ready before the handler has returned, and be made ready twice") {
  std::atomic<int> finished{0};
  Server server([&](const Request& request) {
    const auto pending = std::make_shared<Pending>([&, target = request.target] {
      ++finished;
      return text(target);
    });
    pending->make_ready();
    pending->make_ready();
    return Response{.pending = pending};
  });
  SocketClient client(server.port());
  client.send(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
  CHECK(client.read_to_end() == answer("/1") + answer("/2") + answer("/3", "close"));
  CHECK(finished == 3);
}

TEST_CASE("pending: made ready again and again, by several threads, it is finished once") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  client.send(get("/held") + get("/2"));
  const auto pending = desk.held("/held");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { pending->make_ready(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(client.read_answer() == answer("late GET /held"));
  pending->make_ready();
  CHECK(client.read_answer() == answer("GET /2"));
  pass_by(server.port());
  CHECK(desk.finished() == 1);
}

TEST_CASE("pending: requests behind it wait, and keep their order") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  client.send(get("/1") + "HEAD /held/2 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/3") + get("/held/4") + get("/5"));
  CHECK(client.read_answer() == answer("GET /1"));
  client.send(get("/6"));
  const auto second = desk.held("/held/2");
  pass_by(server.port());
  CHECK(desk.handled() == 3);
  second->make_ready();
  CHECK(client.read_answer(false) == "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(client.read_answer() == answer("GET /3"));
  const auto fourth = desk.held("/held/4");
  pass_by(server.port());
  CHECK(desk.handled() == 6);
  fourth->make_ready();
  CHECK(client.read_answer() == answer("late GET /held/4"));
  CHECK(client.read_answer() == answer("GET /5"));
  CHECK(client.read_answer() == answer("GET /6"));
}

TEST_CASE("pending: the connection ends as the request had it") {
  Desk desk;
  Server server(desk);
  const struct {
    std::string request;
    std::string connection;
  } cases[] = {
      {get("/held/close", "Connection: close\r\n"), "close"},
      {"GET /held/close HTTP/1.0\r\n\r\n", "close"},
      {"GET /held/close HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"},
      {get("/held/close", "Connection: close\r\n") + std::string(1'000'000, 'x'), "close"},
  };
  for (const auto& [request, connection] : cases) {
    CAPTURE(request.substr(0, 100));
    const int before = desk.handled();
    SocketClient client(server.port());
    std::thread sender([&client, &bytes = request] {
      client.send(bytes);
      client.shut_sending();
    });
    CHECK(comes_true([&] { return desk.handled() > before; }));
    // The handler has been called before it holds.
    pass_by(server.port());
    desk.held("/held/close")->make_ready();
    CHECK(client.read_to_end() == answer("late GET /held/close", connection));
    sender.join();
  }
}

TEST_CASE("pending: a client that shuts its side still gets its answers, byte for byte") {
  const struct {
    std::string requests;
    int held;
    std::string answers;
  } cases[] = {
      {get("/held/1"), 1, answer("late GET /held/1")},
      {get("/held/1") + get("/2"), 1, answer("late GET /held/1") + answer("GET /2")},
      {get("/1") + get("/held/1") + get("/held/2") + get("/3"), 2,
       answer("GET /1") + answer("late GET /held/1") + answer("late GET /held/2") + answer("GET /3")},
      {get("/held/1", "Connection: close\r\n") + get("/2"), 1, answer("late GET /held/1", "close")},
      {"GET /held/1 HTTP/1.0\r\n\r\n", 1, answer("late GET /held/1", "close")},
      {"HEAD /held/1 HTTP/1.1\r\nHost: h\r\n\r\n", 1,
       "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Type: text/plain\r\n\r\n"},
  };
  for (const auto& [requests, held, answers] : cases) {
    CAPTURE(requests);
    Desk desk;
    Server server(desk);
    SocketClient client(server.port());
    client.send(requests);
    client.shut_sending();
    for (int i = 1; i <= held; ++i) {
      const auto pending = desk.held("/held/" + std::to_string(i));
      pass_by(server.port());
      CHECK_FALSE(pending->abandoned());
      pending->make_ready();
    }
    CHECK(client.read_to_end() == answers);
  }
}

TEST_CASE("pending: what a client that shuts its side gets early is what every answer begins with") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = desk.held("/held");
  pass_by(server.port());
  CHECK_FALSE(client.has_bytes());
  client.shut_sending();
  CHECK(client.read_bytes(9) == "HTTP/1.1 ");
  pass_by(server.port());
  CHECK_FALSE(client.has_bytes());
  CHECK_FALSE(pending->abandoned());
  pending->make_ready();
  CHECK("HTTP/1.1 " + client.read_to_end() == answer("late GET /held"));
  // The answer may be ready after any of these bytes.
  for (std::size_t early = 0; early < 7; ++early) {
    SocketClient half(server.port());
    const std::string target = "/held/" + std::to_string(early);
    half.send(get(target));
    const auto held = desk.held(target);
    half.shut_sending();
    std::string all = half.read_bytes(early);
    held->make_ready();
    CHECK(all + half.read_to_end() == answer("late GET " + target));
  }
}

TEST_CASE("pending: a client that shuts its side, and closes while it waits on, is noticed too") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = desk.held("/held");
  client.shut_sending();
  CHECK(client.read_bytes(3) == "HTT");
  client.close();
  CHECK(comes_true([&] { return pending->abandoned(); }));
}

TEST_CASE("pending: a client that closes is noticed through a proxy that passes on each direction by itself") {
  Desk desk;
  Server server(desk);
  const sockaddr_storage address = ocp_mock::test::socket_address("127.0.0.1", 0);
  Listener proxy("127.0.0.1", 0, {address});
  proxy.listen();
  SocketClient client(proxy.port());
  int accepted = -1;
  REQUIRE(comes_true([&] { return (accepted = ::accept(proxy.descriptor(0), nullptr, nullptr)) >= 0; }));
  auto near = std::make_unique<Descriptor>(accepted);
  auto far = std::make_unique<ProxiedSocket>(server.port());
  const auto pass_on = [](int from, int to) {
    char bytes[4096];
    for (ssize_t size = 0; (size = ::recv(from, bytes, sizeof bytes, 0)) > 0;) {
      if (::send(to, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) break;
    }
    ::shutdown(from, SHUT_RD);
    ::shutdown(to, SHUT_WR);
  };
  std::thread closer([&] {
    std::thread requests(pass_on, near->get(), far->descriptor());
    pass_on(far->descriptor(), near->get());
    requests.join();
    near.reset();
    far.reset();
  });
  client.send(get("/held"));
  const auto pending = desk.held("/held");
  client.close();
  CHECK(comes_true([&] { return pending->abandoned(); }));
  pending->make_ready();
  closer.join();
}

TEST_CASE("pending: a client that shuts its side gets what is pending again, or dribbled, byte for byte") {
  for (const std::string target : {"/whole", "/dribbled"}) {
    std::string answers[2];
    for (const bool shuts : {false, true}) {
      Desk desk;
      Server server([&](const Request& request) -> Response {
        if (request.target == "/other") return desk.handle(request);
        return {.pending = desk.hold("/first", [&desk, request] {
          return Response{.pending = desk.hold("/second", [request] {
            return Response{200, {}, "0123456789", {.dribble_chunks = request.target == "/dribbled" ? 3U : 0U}};
          })};
        })};
      });
      SocketClient client(server.port());
      client.send(get(target, "Connection: close\r\n"));
      const auto first = desk.held("/first");
      if (shuts) client.shut_sending();
      pass_by(server.port());
      first->make_ready();
      const auto second = desk.held("/second");
      pass_by(server.port());
      second->make_ready();
      answers[shuts ? 1 : 0] = client.read_to_end();
    }
    CHECK(answers[0] == answers[1]);
    CHECK(answers[0].starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_CASE("pending: a client that resets abandons its answer") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = desk.held("/held");
  client.reset();
  CHECK(comes_true([&] { return pending->abandoned(); }));
  pending->make_ready();
  pass_by(server.port());
  CHECK(desk.finished() == 0);
}

TEST_CASE("pending: a client that closes abandons its answer at once, and its descriptor is freed") {
  Desk desk;
  Server server(desk);
  SocketClient stays(server.port());
  stays.send(get("/held/stays"));
  const auto kept = desk.held("/held/stays");
  const std::size_t before = open_descriptors();
  for (const std::string behind : {"", "GET /2 HTTP/1.1\r\nHo", "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    CAPTURE(behind);
    std::vector<std::shared_ptr<Pending>> pendings;
    std::vector<std::unique_ptr<SocketClient>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(std::make_unique<SocketClient>(server.port()));
      clients.back()->send(get("/held/" + std::to_string(i)));
      pendings.push_back(desk.held("/held/" + std::to_string(i)));
      clients.back()->send(behind);
    }
    clients.clear();
    for (const auto& pending : pendings) CHECK(comes_true([&] { return pending->abandoned(); }));
    CHECK(comes_true([&] { return open_descriptors() == before; }));
    for (const auto& pending : pendings) pending->make_ready();
    desk.forget();
  }
  pass_by(server.port());
  CHECK(desk.finished() == 0);
  CHECK_FALSE(kept->abandoned());
  kept->make_ready();
  CHECK(stays.read_answer() == answer("late GET /held/stays"));
}

TEST_CASE("pending: a client that has left before its answer is ready is not answered, though both show at once") {
  std::atomic<bool> held_up{false};
  std::atomic<bool> let_go{false};
  for (const bool resets : {false, true}) {
    CAPTURE(resets);
    held_up = false;
    let_go = false;
    Desk desk;
    Server server([&](const Request& request) {
      if (request.target == "/hold-up") {
        held_up = true;
        comes_true([&] { return let_go.load(); });
      }
      return desk.handle(request);
    });
    SocketClient first(server.port());
    SocketClient second(server.port());
    first.send(get("/held/1"));
    second.send(get("/held/2"));
    const auto one = desk.held("/held/1");
    const auto two = desk.held("/held/2");
    SocketClient other(server.port());
    other.send(get("/hold-up"));
    REQUIRE(comes_true([&] { return held_up.load(); }));
    // The second's wake-up comes first, so the thread looks at the first's before it learns that that has left.
    two->make_ready();
    resets ? first.reset() : first.close();
    one->make_ready();
    let_go = true;
    CHECK(second.read_answer() == answer("late GET /held/2"));
    CHECK(comes_true([&] { return one->abandoned(); }));
    CHECK(desk.finished() == 1);
  }
}

TEST_CASE("pending: where no byte may leave, a client that shuts its side counts as gone, and gets none") {
  std::shared_ptr<Pending> pending;
  std::atomic<bool> handled{false};
  Server server([&](const Request&) -> Response {
    pending = std::make_shared<Pending>([] { return Response{.delivery = {.fault = Delivery::Fault::EmptyResponse}}; },
                                        false);
    handled = true;
    return {.pending = pending};
  });
  SocketClient waits(server.port());
  waits.send(get("/"));
  REQUIRE(comes_true([&] { return handled.load(); }));
  pending->make_ready();
  CHECK(waits.read_to_end().empty());
  CHECK_FALSE(pending->abandoned());

  handled = false;
  SocketClient half(server.port());
  half.send(get("/"));
  REQUIRE(comes_true([&] { return handled.load(); }));
  half.shut_sending();
  CHECK(half.read_to_end().empty());
  CHECK(pending->abandoned());
}

TEST_CASE("pending: one that is abandoned wakes no connection that has got its descriptor") {
  Desk desk;
  Server server(desk);
  SocketClient first(server.port());
  first.send(get("/held/1"));
  const auto abandoned = desk.held("/held/1");
  first.reset();
  REQUIRE(comes_true([&] { return abandoned->abandoned(); }));
  // The lowest free descriptor is that of the first.
  SocketClient second(server.port());
  second.send(get("/held/2"));
  const auto pending = desk.held("/held/2");
  abandoned->make_ready();
  pass_by(server.port());
  CHECK(desk.finished() == 0);
  CHECK_FALSE(second.has_bytes());
  pending->make_ready();
  CHECK(second.read_answer() == answer("late GET /held/2"));
}

TEST_CASE("pending: what befell a connection does not end another that has got its descriptor") {
  std::atomic<int> held_up{0};
  std::atomic<int> let_go{0};
  Desk desk;
  Server server([&](const Request& request) {
    if (request.target == "/hold-up") {
      const int round = ++held_up;
      comes_true([&] { return let_go >= round; });
    }
    return desk.handle(request);
  });
  // The lowest free descriptor is then that of the connection that ends.
  std::vector<Descriptor> lower;
  for (int i = 0; i < 64; ++i) lower.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (int round = 1; round <= 5; ++round) {
    const std::string target = "/held/" + std::to_string(round);
    SocketClient gone(server.port());
    gone.send(get(target));
    const auto pending = desk.held(target);
    SocketClient other(server.port());
    other.send(get("/hold-up"));
    REQUIRE(comes_true([&] { return held_up == round; }));
    // The one thread learns in one batch that an answer is ready, that a client has come, and that the first has reset.
    pending->make_ready();
    SocketClient next(server.port());
    gone.reset();
    lower.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    let_go = round;
    next.send(get("/next"));
    CHECK(next.read_answer() == answer("GET /next"));
  }
}

TEST_CASE("pending: finish may throw, deliver in a faulty way, and be pending again") {
  Desk desk;
  Server server([&](const Request& request) -> Response {
    if (request.target == "/throw") return {.pending = desk.hold("/throw", []() -> Response { throw 1; })};
    if (request.target == "/dribble") {
      return {.pending = desk.hold("/dribble", [] {
        return Response{200, {}, "ab", {.dribble_chunks = 2, .dribble_time = 10ms}};
      })};
    }
    if (request.target == "/truncate") {
      return {.pending = desk.hold("/truncate", [] { return Response{200, {}, "ab", {.truncate_at = 1}}; })};
    }
    if (request.target == "/same") {
      return {.pending = desk.hold("/same", [&desk] { return Response{.pending = desk.held("/same")}; })};
    }
    return {.pending = desk.hold("/first", [&desk, request] {
      return Response{.pending = desk.hold("/second", [request] { return text("second " + request.target); })};
    })};
  });
  SocketClient client(server.port());
  client.send(get("/throw"));
  desk.held("/throw")->make_ready();
  CHECK(client.read_answer() == kBare500);
  client.send(get("/again") + get("/dribble"));
  desk.held("/first")->make_ready();
  desk.held("/second")->make_ready();
  CHECK(client.read_answer() == answer("second /again"));
  desk.held("/dribble")->make_ready();
  const std::string dribbled =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
  CHECK(client.read_bytes(dribbled.size()) == dribbled);
  // A mistake of the handler's, which must not turn for ever.
  client.send(get("/same"));
  desk.held("/same")->make_ready();
  CHECK(client.read_answer() == kBare500);
  client.send(get("/truncate"));
  desk.held("/truncate")->make_ready();
  CHECK(client.read_to_end() == answer("ab").substr(0, answer("ab").size() - 1));
}

TEST_CASE("pending: a finish is destroyed when it has been called, or when nobody will call it") {
  const auto token = std::make_shared<int>();
  Desk desk;
  Server server([&](const Request& request) -> Response {
    return {.pending = desk.hold(request.target, [token] { return text("x"); })};
  });
  SocketClient client(server.port());
  client.send(get("/1"));
  desk.held("/1")->make_ready();
  CHECK(client.read_answer() == answer("x"));
  SocketClient gone(server.port());
  gone.send(get("/2"));
  desk.held("/2");
  gone.reset();
  CHECK(comes_true([&] { return token.use_count() == 1; }));
}

TEST_CASE("pending: neither idle nor request time end it") {
  Limits limits;
  limits.idle_time = 10ms;
  limits.request_time = 10ms;
  Desk desk;
  Server server(desk, limits);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = desk.held("/held");
  // One tick that ends this later one would have ended the former.
  SocketClient silent(server.port());
  CHECK(silent.read_to_end().empty());
  pending->make_ready();
  CHECK(client.read_answer() == answer("late GET /held"));
  // Then the times run again.
  CHECK(client.read_to_end().empty());
}

TEST_CASE("pending: a request with a defect may be answered later too") {
  Desk desk;
  Server server([&](const Request& request) -> Response {
    return {.pending = desk.hold("/", [defect = request.defect.has_value()] { return text(defect ? "bad" : "good"); })};
  });
  SocketClient client(server.port());
  client.send("GET / HTTP/9.9\r\n\r\n" + get("/2"));
  desk.held("/")->make_ready();
  CHECK(client.read_to_end() == answer("bad", "close"));
}

TEST_CASE("pending: 500 of them keep no other client from its answer") {
  Desk desk;
  Server server(desk);
  std::vector<std::unique_ptr<SocketClient>> waiting;
  for (int i = 0; i < 500; ++i) {
    waiting.push_back(std::make_unique<SocketClient>(server.port()));
    waiting.back()->send(get("/held/" + std::to_string(i)));
  }
  for (int i = 0; i < 500; ++i) desk.held("/held/" + std::to_string(i));
  SocketClient other(server.port());
  for (int i = 0; i < 100; ++i) {
    other.send(get("/other"));
    REQUIRE(other.read_answer() == answer("GET /other"));
  }
  CHECK(desk.finished() == 0);
  std::thread maker([&] {
    for (int i = 499; i >= 0; --i) desk.held("/held/" + std::to_string(i))->make_ready();
  });
  for (std::size_t i = 0; i < 500; ++i) {
    REQUIRE(waiting[i]->read_answer() == answer("late GET /held/" + std::to_string(i)));
  }
  maker.join();
}

TEST_CASE("pending: answers that become ready while the server stops are given, and close") {
  Desk desk;
  Server server(desk);
  SocketClient client(server.port());
  SocketClient pipelined(server.port());
  SocketClient idle(server.port());
  idle.send(get("/"));
  idle.read_answer();
  client.send(get("/held/1"));
  pipelined.send(get("/held/2") + get("/not-answered"));
  const auto first = desk.held("/held/1");
  const auto second = desk.held("/held/2");
  std::thread stopper([&] { server->stop(); });
  // One thread serves all: once it has closed one it knows that it stops.
  CHECK(idle.read_to_end().empty());
  CHECK_FALSE(first->abandoned());
  first->make_ready();
  CHECK(client.read_to_end() == answer("late GET /held/1", "close"));
  second->make_ready();
  CHECK(pipelined.read_to_end() == answer("late GET /held/2", "close"));
  stopper.join();
}

TEST_CASE("pending: answers that do not become ready are dropped at the end of the stop, and may be made ready after") {
  Desk desk;
  std::shared_ptr<Pending> first;
  std::shared_ptr<Pending> second;
  {
    Server server(desk, {}, 50ms);
    SocketClient client(server.port());
    SocketClient other(server.port());
    client.send(get("/held/1"));
    other.send(get("/held/2"));
    first = desk.held("/held/1");
    second = desk.held("/held/2");
    server->stop();
    CHECK(client.read_to_end().empty());
    CHECK(first->abandoned());
    first->make_ready();
  }
  second->make_ready();
  CHECK(second->abandoned());
  CHECK(desk.finished() == 0);
}

TEST_CASE("pending: answers are made ready while clients and server go, from several threads") {
  Desk desk;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::shared_ptr<Pending>> pendings;
    std::vector<std::unique_ptr<SocketClient>> clients;
    auto server = std::make_unique<Server>(desk, Limits{}, 0ms);
    for (int i = 0; i < 20; ++i) {
      const std::string target = "/held/" + std::to_string(round) + "/" + std::to_string(i);
      clients.push_back(std::make_unique<SocketClient>(server->port()));
      clients.back()->send(get(target));
      pendings.push_back(desk.held(target));
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < pendings.size(); i += 2) pendings[i]->make_ready();
      });
    }
    threads.emplace_back([&] {
      for (const auto& client : clients) client->reset();
    });
    server.reset();
    for (std::thread& thread : threads) thread.join();
  }
}
