// Responses that come later.
#include "http/deferred_response.h"

#include <doctest/doctest.h>

#include <algorithm>
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

const std::string kBare500 = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

}  // namespace

TEST_CASE("deferred response: an answer comes when another thread makes it ready, and the connection goes on") {
  ManualHandler handler;
  ManualServer server(handler);
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
  ManualServer server([&](const Request& request) {
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
  ManualServer server(handler);
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
  ManualServer server(handler);
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
  ManualServer server(handler);
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

TEST_CASE("deferred response: finish may throw, deliver in a faulty way, and be pending again") {
  ManualHandler handler;
  ManualServer server([&](const Request& request) -> Response {
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
  ManualServer server([&](const Request& request) -> Response {
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
  ManualServer server(handler, limits);
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
  ManualServer server([&](const Request& request) -> Response {
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
  ManualServer server(handler);
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
  ManualServer server(handler);
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
    ManualServer server(handler, {}, 50ms);
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
    auto server = std::make_unique<ManualServer>(handler, Limits{}, 0ms);
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
