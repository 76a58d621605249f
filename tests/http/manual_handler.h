// A server whose answers to /held... come when the test says so.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "http/deferred_response.h"
#include "http/epoll_server.h"
#include "socket_client.h"

namespace ocp_mock::test::manual {

using namespace ocp_mock::http;
using namespace std::chrono_literals;

inline Response text(const std::string& body) { return {200, {{"Content-Type", "text/plain"}}, body}; }

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

class ManualServer {
 public:
  // One thread, so that an answer on one connection shows what the thread has seen on the others.
  explicit ManualServer(Handler handler, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : server_({"127.0.0.1", 0, 1, limits, 1000, stop_time}) {
    server_.start(std::move(handler));
  }
  explicit ManualServer(ManualHandler& handler, Limits limits = {}, std::chrono::milliseconds stop_time = 20s)
      : ManualServer([&handler](const Request& request) { return handler.handle(request); }, limits, stop_time) {}
  EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  EpollServer server_;
};

inline std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

inline std::string answer(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

// Whoever has come before is seen by the server's thread.
inline void sync_with_loop(int port) {
  SocketClient other(port);
  other.send(get("/other"));
  REQUIRE(other.read_answer() == answer("GET /other"));
}

}  // namespace ocp_mock::test::manual
