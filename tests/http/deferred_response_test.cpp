// Responses that come later.
#include "http/deferred_response.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/epoll_server.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace std::chrono_literals;
using ocp_mock::test::eventually;
using ocp_mock::test::open_descriptors;
using ocp_mock::test::SocketClient;

namespace {

Response text(const std::string& body) { return {200, {{"Content-Type", "text/plain"}}, body}; }

// A handler that keeps the answers to /held... until the test makes them ready.
class ManualHandler {
 public:
  Response handle(const Request& request) {
    ++handled_;
    if (!request.target.starts_with("/held")) return text(request.method + " " + request.target);
    return {.deferred = hold(request.target, [this, request] {
              ++finished_;
              return text("late " + request.method + " " + request.target);
            })};
  }

  std::shared_ptr<DeferredResponse> hold(const std::string& target, std::function<Response()> finish) {
    auto pending = std::make_shared<DeferredResponse>(std::move(finish));
    const std::lock_guard lock(mutex_);
    held_[target] = pending;
    return pending;
  }

  // Waits until it is held.
  std::shared_ptr<DeferredResponse> held(const std::string& target) {
    std::shared_ptr<DeferredResponse> found;
    REQUIRE(eventually([&] {
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
  std::map<std::string, std::shared_ptr<DeferredResponse>> held_;
};

// The end of a proxy's connection to the server.
class ProxiedSocket : public SocketClient {
 public:
  using SocketClient::descriptor;
  using SocketClient::SocketClient;
};

class RunningServer {
 public:
  // One thread, so that an answer on one connection shows what the thread has seen on the others.
  explicit RunningServer(Handler handler, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : server_({"127.0.0.1", 0, 1, limits, 1000, stop_time}) {
    server_.start(std::move(handler));
  }
  explicit RunningServer(ManualHandler& handler, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : RunningServer([&handler](const Request& request) { return handler.handle(request); }, limits, stop_time) {}
  EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  EpollServer server_;
};

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

std::string answer(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

// Whoever has come before is seen by the server's thread.
void sync_with_loop(int port) {
  SocketClient other(port);
  other.send(get("/other"));
  REQUIRE(other.read_answer() == answer("GET /other"));
}

const std::string kBare500 = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

}  // namespace

TEST_CASE("deferred response: an answer comes when another thread makes it ready, and the connection goes on") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    const std::string target = "/held/" + std::to_string(i);
    client.send(get(target));
    const auto pending = handler.held(target);
    CHECK(handler.finished() == i);
    pending->complete();
    REQUIRE(client.read_answer() == answer("late GET " + target));
    CHECK_FALSE(pending->abandoned());
  }
  client.send(get("/now"));
  CHECK(client.read_answer() == answer("GET /now"));
}

TEST_CASE("deferred response: an answer may be ready before the handler has returned, and be made ready twice") {
  std::atomic<int> finished{0};
  RunningServer server([&](const Request& request) {
    const auto pending = std::make_shared<DeferredResponse>([&, target = request.target] {
      ++finished;
      return text(target);
    });
    pending->complete();
    pending->complete();
    return Response{.deferred = pending};
  });
  SocketClient client(server.port());
  client.send(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
  CHECK(client.read_to_end() == answer("/1") + answer("/2") + answer("/3", "close"));
  CHECK(finished == 3);
}

TEST_CASE("deferred response: made ready again and again, by several threads, it is finished once") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  client.send(get("/held") + get("/2"));
  const auto pending = handler.held("/held");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { pending->complete(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(client.read_answer() == answer("late GET /held"));
  pending->complete();
  CHECK(client.read_answer() == answer("GET /2"));
  sync_with_loop(server.port());
  CHECK(handler.finished() == 1);
}

TEST_CASE("deferred response: requests behind it wait, and keep their order") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  client.send(get("/1") + "HEAD /held/2 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/3") + get("/held/4") + get("/5"));
  CHECK(client.read_answer() == answer("GET /1"));
  client.send(get("/6"));
  const auto second = handler.held("/held/2");
  sync_with_loop(server.port());
  CHECK(handler.handled() == 3);
  second->complete();
  CHECK(client.read_answer(false) == "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(client.read_answer() == answer("GET /3"));
  const auto fourth = handler.held("/held/4");
  sync_with_loop(server.port());
  CHECK(handler.handled() == 6);
  fourth->complete();
  CHECK(client.read_answer() == answer("late GET /held/4"));
  CHECK(client.read_answer() == answer("GET /5"));
  CHECK(client.read_answer() == answer("GET /6"));
}

TEST_CASE("deferred response: the connection ends as the request had it") {
  ManualHandler handler;
  RunningServer server(handler);
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
    const int before = handler.handled();
    SocketClient client(server.port());
    std::thread sender([&client, &bytes = request] {
      client.send(bytes);
      client.shut_sending();
    });
    CHECK(eventually([&] { return handler.handled() > before; }));
    // The handler has been called before it holds.
    sync_with_loop(server.port());
    handler.held("/held/close")->complete();
    CHECK(client.read_to_end() == answer("late GET /held/close", connection));
    sender.join();
  }
}

TEST_CASE("deferred response: a client that shuts its side still gets its answers, byte for byte") {
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
    ManualHandler handler;
    RunningServer server(handler);
    SocketClient client(server.port());
    client.send(requests);
    client.shut_sending();
    for (int i = 1; i <= held; ++i) {
      const auto pending = handler.held("/held/" + std::to_string(i));
      sync_with_loop(server.port());
      CHECK_FALSE(pending->abandoned());
      pending->complete();
    }
    CHECK(client.read_to_end() == answers);
  }
}

TEST_CASE("deferred response: what a client that shuts its side gets early is what every answer begins with") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = handler.held("/held");
  sync_with_loop(server.port());
  CHECK_FALSE(client.has_bytes());
  client.shut_sending();
  CHECK(client.read_bytes(9) == "HTTP/1.1 ");
  sync_with_loop(server.port());
  CHECK_FALSE(client.has_bytes());
  CHECK_FALSE(pending->abandoned());
  pending->complete();
  CHECK("HTTP/1.1 " + client.read_to_end() == answer("late GET /held"));
  // The answer may be ready after any of these bytes.
  for (std::size_t early = 0; early < 7; ++early) {
    SocketClient half(server.port());
    const std::string target = "/held/" + std::to_string(early);
    half.send(get(target));
    const auto held = handler.held(target);
    half.shut_sending();
    std::string all = half.read_bytes(early);
    held->complete();
    CHECK(all + half.read_to_end() == answer("late GET " + target));
  }
}

TEST_CASE("deferred response: a client that shuts its side, and closes while it waits on, is noticed too") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = handler.held("/held");
  client.shut_sending();
  CHECK(client.read_bytes(3) == "HTT");
  client.close();
  CHECK(eventually([&] { return pending->abandoned(); }));
}

TEST_CASE(
    "deferred response: a client that closes is noticed through a proxy that passes on each direction by itself") {
  ManualHandler handler;
  RunningServer server(handler);
  const sockaddr_storage address = ocp_mock::test::socket_address("127.0.0.1", 0);
  Listener proxy("127.0.0.1", 0, {address});
  proxy.listen();
  SocketClient client(proxy.port());
  int accepted = -1;
  REQUIRE(eventually([&] { return (accepted = ::accept(proxy.descriptor(0), nullptr, nullptr)) >= 0; }));
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
  const auto pending = handler.held("/held");
  client.close();
  CHECK(eventually([&] { return pending->abandoned(); }));
  pending->complete();
  closer.join();
}

TEST_CASE("deferred response: a client that shuts its side gets what is pending again, or dribbled, byte for byte") {
  for (const std::string target : {"/whole", "/dribbled"}) {
    std::string answers[2];
    for (const bool shuts : {false, true}) {
      ManualHandler handler;
      RunningServer server([&](const Request& request) -> Response {
        if (request.target == "/other") return handler.handle(request);
        return {.deferred = handler.hold("/first", [&handler, request] {
          return Response{.deferred = handler.hold("/second", [request] {
            return Response{200, {}, "0123456789", {.dribble_chunks = request.target == "/dribbled" ? 3U : 0U}};
          })};
        })};
      });
      SocketClient client(server.port());
      client.send(get(target, "Connection: close\r\n"));
      const auto first = handler.held("/first");
      if (shuts) client.shut_sending();
      sync_with_loop(server.port());
      first->complete();
      const auto second = handler.held("/second");
      sync_with_loop(server.port());
      second->complete();
      answers[shuts ? 1 : 0] = client.read_to_end();
    }
    CHECK(answers[0] == answers[1]);
    CHECK(answers[0].starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_CASE("deferred response: a client that resets abandons its answer") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = handler.held("/held");
  client.reset();
  CHECK(eventually([&] { return pending->abandoned(); }));
  pending->complete();
  sync_with_loop(server.port());
  CHECK(handler.finished() == 0);
}

TEST_CASE("deferred response: a client that closes abandons its answer at once, and its descriptor is freed") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient stays(server.port());
  stays.send(get("/held/stays"));
  const auto kept = handler.held("/held/stays");
  const std::size_t before = open_descriptors();
  for (const std::string behind : {"", "GET /2 HTTP/1.1\r\nHo", "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    CAPTURE(behind);
    std::vector<std::shared_ptr<DeferredResponse>> pendings;
    std::vector<std::unique_ptr<SocketClient>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(std::make_unique<SocketClient>(server.port()));
      clients.back()->send(get("/held/" + std::to_string(i)));
      pendings.push_back(handler.held("/held/" + std::to_string(i)));
      clients.back()->send(behind);
    }
    clients.clear();
    for (const auto& pending : pendings) CHECK(eventually([&] { return pending->abandoned(); }));
    CHECK(eventually([&] { return open_descriptors() == before; }));
    for (const auto& pending : pendings) pending->complete();
    handler.forget();
  }
  sync_with_loop(server.port());
  CHECK(handler.finished() == 0);
  CHECK_FALSE(kept->abandoned());
  kept->complete();
  CHECK(stays.read_answer() == answer("late GET /held/stays"));
}

TEST_CASE(
    "deferred response: a client that has left before its answer is ready is not answered, though both show at once") {
  std::atomic<bool> held_up{false};
  std::atomic<bool> let_go{false};
  for (const bool resets : {false, true}) {
    CAPTURE(resets);
    held_up = false;
    let_go = false;
    ManualHandler handler;
    RunningServer server([&](const Request& request) {
      if (request.target == "/hold-up") {
        held_up = true;
        eventually([&] { return let_go.load(); });
      }
      return handler.handle(request);
    });
    SocketClient first(server.port());
    SocketClient second(server.port());
    first.send(get("/held/1"));
    second.send(get("/held/2"));
    const auto one = handler.held("/held/1");
    const auto two = handler.held("/held/2");
    SocketClient other(server.port());
    other.send(get("/hold-up"));
    REQUIRE(eventually([&] { return held_up.load(); }));
    // The second's wake-up comes first, so the thread looks at the first's before it learns that that has left.
    two->complete();
    resets ? first.reset() : first.close();
    one->complete();
    let_go = true;
    CHECK(second.read_answer() == answer("late GET /held/2"));
    CHECK(eventually([&] { return one->abandoned(); }));
    CHECK(handler.finished() == 1);
  }
}

TEST_CASE("deferred response: where no byte may leave, a client that shuts its side counts as gone, and gets none") {
  std::shared_ptr<DeferredResponse> pending;
  std::atomic<bool> handled{false};
  RunningServer server([&](const Request&) -> Response {
    pending = std::make_shared<DeferredResponse>(
        [] { return Response{.wire = {.fault = WireBehavior::Fault::EmptyResponse}}; }, false);
    handled = true;
    return {.deferred = pending};
  });
  SocketClient waits(server.port());
  waits.send(get("/"));
  REQUIRE(eventually([&] { return handled.load(); }));
  pending->complete();
  CHECK(waits.read_to_end().empty());
  CHECK_FALSE(pending->abandoned());

  handled = false;
  SocketClient half(server.port());
  half.send(get("/"));
  REQUIRE(eventually([&] { return handled.load(); }));
  half.shut_sending();
  CHECK(half.read_to_end().empty());
  CHECK(pending->abandoned());
}

TEST_CASE("deferred response: one that is abandoned wakes no connection that has got its descriptor") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient first(server.port());
  first.send(get("/held/1"));
  const auto abandoned = handler.held("/held/1");
  first.reset();
  REQUIRE(eventually([&] { return abandoned->abandoned(); }));
  // The lowest free descriptor is that of the first.
  SocketClient second(server.port());
  second.send(get("/held/2"));
  const auto pending = handler.held("/held/2");
  abandoned->complete();
  sync_with_loop(server.port());
  CHECK(handler.finished() == 0);
  CHECK_FALSE(second.has_bytes());
  pending->complete();
  CHECK(second.read_answer() == answer("late GET /held/2"));
}

TEST_CASE("deferred response: what befell a connection does not end another that has got its descriptor") {
  std::atomic<int> held_up{0};
  std::atomic<int> let_go{0};
  ManualHandler handler;
  RunningServer server([&](const Request& request) {
    if (request.target == "/hold-up") {
      const int round = ++held_up;
      eventually([&] { return let_go >= round; });
    }
    return handler.handle(request);
  });
  // The lowest free descriptor is then that of the connection that ends.
  std::vector<Descriptor> lower;
  for (int i = 0; i < 64; ++i) lower.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (int round = 1; round <= 5; ++round) {
    const std::string target = "/held/" + std::to_string(round);
    SocketClient gone(server.port());
    gone.send(get(target));
    const auto pending = handler.held(target);
    SocketClient other(server.port());
    other.send(get("/hold-up"));
    REQUIRE(eventually([&] { return held_up == round; }));
    // The one thread learns in one batch that an answer is ready, that a client has come, and that the first has reset.
    pending->complete();
    SocketClient next(server.port());
    gone.reset();
    lower.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    let_go = round;
    next.send(get("/next"));
    CHECK(next.read_answer() == answer("GET /next"));
  }
}

TEST_CASE("deferred response: finish may throw, deliver in a faulty way, and be pending again") {
  ManualHandler handler;
  RunningServer server([&](const Request& request) -> Response {
    if (request.target == "/throw") return {.deferred = handler.hold("/throw", []() -> Response { throw 1; })};
    if (request.target == "/dribble") {
      return {.deferred = handler.hold("/dribble", [] {
        return Response{200, {}, "ab", {.dribble_chunks = 2, .dribble_time = 10ms}};
      })};
    }
    if (request.target == "/truncate") {
      return {.deferred = handler.hold("/truncate", [] { return Response{200, {}, "ab", {.truncate_at = 1}}; })};
    }
    if (request.target == "/same") {
      return {.deferred = handler.hold("/same", [&handler] { return Response{.deferred = handler.held("/same")}; })};
    }
    return {.deferred = handler.hold("/first", [&handler, request] {
      return Response{.deferred = handler.hold("/second", [request] { return text("second " + request.target); })};
    })};
  });
  SocketClient client(server.port());
  client.send(get("/throw"));
  handler.held("/throw")->complete();
  CHECK(client.read_answer() == kBare500);
  client.send(get("/again") + get("/dribble"));
  handler.held("/first")->complete();
  handler.held("/second")->complete();
  CHECK(client.read_answer() == answer("second /again"));
  handler.held("/dribble")->complete();
  const std::string dribbled =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
  CHECK(client.read_bytes(dribbled.size()) == dribbled);
  // A mistake of the handler's, which must not turn for ever.
  client.send(get("/same"));
  handler.held("/same")->complete();
  CHECK(client.read_answer() == kBare500);
  client.send(get("/truncate"));
  handler.held("/truncate")->complete();
  CHECK(client.read_to_end() == answer("ab").substr(0, answer("ab").size() - 1));
}

TEST_CASE("deferred response: a finish is destroyed when it has been called, or when nobody will call it") {
  const auto token = std::make_shared<int>();
  ManualHandler handler;
  RunningServer server([&](const Request& request) -> Response {
    return {.deferred = handler.hold(request.target, [token] { return text("x"); })};
  });
  SocketClient client(server.port());
  client.send(get("/1"));
  handler.held("/1")->complete();
  CHECK(client.read_answer() == answer("x"));
  SocketClient gone(server.port());
  gone.send(get("/2"));
  handler.held("/2");
  gone.reset();
  CHECK(eventually([&] { return token.use_count() == 1; }));
}

TEST_CASE("deferred response: neither idle nor request time end it") {
  Limits limits;
  limits.idle_time = 10ms;
  limits.request_time = 10ms;
  ManualHandler handler;
  RunningServer server(handler, limits);
  SocketClient client(server.port());
  client.send(get("/held"));
  const auto pending = handler.held("/held");
  // One tick that ends this later one would have ended the former.
  SocketClient silent(server.port());
  CHECK(silent.read_to_end().empty());
  pending->complete();
  CHECK(client.read_answer() == answer("late GET /held"));
  // Then the times run again.
  CHECK(client.read_to_end().empty());
}

TEST_CASE("deferred response: a request with a parse error may be answered later too") {
  ManualHandler handler;
  RunningServer server([&](const Request& request) -> Response {
    return {.deferred =
                handler.hold("/", [error = request.parse_error.has_value()] { return text(error ? "bad" : "good"); })};
  });
  SocketClient client(server.port());
  client.send("GET / HTTP/9.9\r\n\r\n" + get("/2"));
  handler.held("/")->complete();
  CHECK(client.read_to_end() == answer("bad", "close"));
}

TEST_CASE("deferred response: 500 of them keep no other client from its answer") {
  ManualHandler handler;
  RunningServer server(handler);
  std::vector<std::unique_ptr<SocketClient>> waiting;
  for (int i = 0; i < 500; ++i) {
    waiting.push_back(std::make_unique<SocketClient>(server.port()));
    waiting.back()->send(get("/held/" + std::to_string(i)));
  }
  for (int i = 0; i < 500; ++i) handler.held("/held/" + std::to_string(i));
  SocketClient other(server.port());
  for (int i = 0; i < 100; ++i) {
    other.send(get("/other"));
    REQUIRE(other.read_answer() == answer("GET /other"));
  }
  CHECK(handler.finished() == 0);
  std::thread maker([&] {
    for (int i = 499; i >= 0; --i) handler.held("/held/" + std::to_string(i))->complete();
  });
  for (std::size_t i = 0; i < 500; ++i) {
    REQUIRE(waiting[i]->read_answer() == answer("late GET /held/" + std::to_string(i)));
  }
  maker.join();
}

TEST_CASE("deferred response: answers that become ready while the server stops are given, and close") {
  ManualHandler handler;
  RunningServer server(handler);
  SocketClient client(server.port());
  SocketClient pipelined(server.port());
  SocketClient idle(server.port());
  idle.send(get("/"));
  idle.read_answer();
  client.send(get("/held/1"));
  pipelined.send(get("/held/2") + get("/not-answered"));
  const auto first = handler.held("/held/1");
  const auto second = handler.held("/held/2");
  std::thread stopper([&] { server->stop(); });
  // One thread serves all: once it has closed one it knows that it stops.
  CHECK(idle.read_to_end().empty());
  CHECK_FALSE(first->abandoned());
  first->complete();
  CHECK(client.read_to_end() == answer("late GET /held/1", "close"));
  second->complete();
  CHECK(pipelined.read_to_end() == answer("late GET /held/2", "close"));
  stopper.join();
}

TEST_CASE(
    "deferred response: answers that do not become ready are dropped at the end of the stop, and may be made ready "
    "after") {
  ManualHandler handler;
  std::shared_ptr<DeferredResponse> first;
  std::shared_ptr<DeferredResponse> second;
  {
    RunningServer server(handler, {}, 50ms);
    SocketClient client(server.port());
    SocketClient other(server.port());
    client.send(get("/held/1"));
    other.send(get("/held/2"));
    first = handler.held("/held/1");
    second = handler.held("/held/2");
    server->stop();
    CHECK(client.read_to_end().empty());
    CHECK(first->abandoned());
    first->complete();
  }
  second->complete();
  CHECK(second->abandoned());
  CHECK(handler.finished() == 0);
}

TEST_CASE("deferred response: completed while clients and server go, each is taken once or abandoned") {
  ManualHandler handler;
  for (int round = 0; round < 10; ++round) {
    const int before = handler.finished();
    std::vector<std::shared_ptr<DeferredResponse>> pendings;
    std::vector<std::unique_ptr<SocketClient>> clients;
    auto server = std::make_unique<RunningServer>(handler, Limits{}, 0ms);
    for (int i = 0; i < 20; ++i) {
      const std::string target = "/held/" + std::to_string(round) + "/" + std::to_string(i);
      clients.push_back(std::make_unique<SocketClient>(server->port()));
      clients.back()->send(get(target));
      pendings.push_back(handler.held(target));
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < pendings.size(); i += 2) pendings[i]->complete();
      });
    }
    threads.emplace_back([&] {
      for (const auto& client : clients) client->reset();
    });
    server.reset();
    for (std::thread& thread : threads) thread.join();
    const auto abandoned = std::ranges::count_if(pendings, [](const auto& pending) { return pending->abandoned(); });
    CHECK(handler.finished() - before == 20 - abandoned);
  }
}
