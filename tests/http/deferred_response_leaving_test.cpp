// Clients that leave, or shut their sending side, while their response is deferred.
#include "http/deferred_response.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/epoll_server.h"
#include "manual_handler.h"
#include "socket_client.h"

using namespace ocp_mock::http;
using namespace ocp_mock::test;
using namespace std::chrono_literals;

namespace {

// The end of a proxy's connection to the server.
class ProxiedSocket : public SocketClient {
 public:
  using SocketClient::descriptor;
  using SocketClient::SocketClient;
};

}  // namespace

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
    ManualServer server(handler);
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
  ManualServer server(handler);
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
  ManualServer server(handler);
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
  ManualServer server(handler);
  const sockaddr_storage address = socket_address("127.0.0.1", 0);
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
      ManualServer server([&](const Request& request) -> Response {
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
  ManualServer server(handler);
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
  ManualServer server(handler);
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
    ManualServer server([&](const Request& request) {
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
  ManualServer server([&](const Request&) -> Response {
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

TEST_CASE("deferred response: until it is known whether a byte may leave, a client that shuts its side is sent none") {
  const Response responses[] = {text("late"), {.wire = {.fault = WireBehavior::Fault::EmptyResponse}}};
  for (const Response& response : responses) {
    std::shared_ptr<DeferredResponse> pending;
    std::atomic<bool> handled{false};
    ManualServer server([&](const Request& request) -> Response {
      if (request.target == "/other") return text("GET /other");
      pending = std::make_shared<DeferredResponse>([&] { return response; }, std::nullopt);
      handled = true;
      return {.deferred = pending};
    });
    SocketClient half(server.port());
    half.send(get("/"));
    REQUIRE(eventually([&] { return handled.load(); }));
    half.shut_sending();
    for (int i = 0; i < 3; ++i) sync_with_loop(server.port());
    CHECK_FALSE(half.has_bytes());
    CHECK_FALSE(pending->abandoned());
    pending->complete();
    CHECK(half.read_to_end() == (response.body.empty() ? "" : answer("late")));
  }
}

TEST_CASE("deferred response: a client that has shut its side is tested once it is known that a byte may leave") {
  std::shared_ptr<DeferredResponse> first;
  std::shared_ptr<DeferredResponse> second;
  std::atomic<bool> handled{false};
  ManualServer server([&](const Request&) -> Response {
    second = std::make_shared<DeferredResponse>([] { return text("late"); });
    first = std::make_shared<DeferredResponse>([&] { return Response{.deferred = second}; }, std::nullopt);
    handled = true;
    return {.deferred = first};
  });
  SocketClient half(server.port());
  half.send(get("/"));
  REQUIRE(eventually([&] { return handled.load(); }));
  half.shut_sending();
  first->complete();
  CHECK(half.read_bytes(3) == "HTT");
  half.close();
  CHECK(eventually([&] { return second->abandoned(); }));
}

TEST_CASE("deferred response: one that is abandoned wakes no connection that has got its descriptor") {
  ManualHandler handler;
  ManualServer server(handler);
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
  ManualServer server([&](const Request& request) {
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
