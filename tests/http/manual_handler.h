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
#include "running_server.h"
#include "socket_client.h"

namespace ocp_mock::test {

inline http::Response text(const std::string& body) { return {200, {{"Content-Type", "text/plain"}}, body}; }

// A handler that keeps the answers to /held... until the test makes them ready.
class ManualHandler {
 public:
  http::Response handle(const http::Request& request) {
    ++handled_;
    if (!request.target.starts_with("/held")) return text(request.method + " " + request.target);
    return {.deferred = hold(request.target, [this, request] {
              ++finished_;
              return text("late " + request.method + " " + request.target);
            })};
  }

  std::shared_ptr<http::DeferredResponse> hold(const std::string& target, std::function<http::Response()> finish) {
    auto pending = std::make_shared<http::DeferredResponse>(std::move(finish));
    const std::lock_guard lock(mutex_);
    held_[target] = pending;
    return pending;
  }

  // Waits until it is held.
  std::shared_ptr<http::DeferredResponse> held(const std::string& target) {
    std::shared_ptr<http::DeferredResponse> found;
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
  std::map<std::string, std::shared_ptr<http::DeferredResponse>> held_;
};

// One thread, so that an answer on one connection shows what the thread has seen on the others.
class ManualServer : public RunningServer {
 public:
  explicit ManualServer(http::Handler handler, http::Limits limits = {},
                        std::chrono::milliseconds stop_time = std::chrono::seconds(20))
      : RunningServer(1, limits, std::move(handler), stop_time) {}
  explicit ManualServer(ManualHandler& handler, http::Limits limits = {},
                        std::chrono::milliseconds stop_time = std::chrono::seconds(20))
      : ManualServer([&handler](const http::Request& request) { return handler.handle(request); }, limits, stop_time) {}
};

// Whoever has come before is seen by the server's thread.
inline void sync_with_loop(int port) {
  SocketClient other(port);
  other.send(get("/other"));
  REQUIRE(other.read_answer() == answer("GET /other"));
}

}  // namespace ocp_mock::test
