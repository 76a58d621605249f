// A response that is not there yet.
// Input: what makes the response, and one call of complete(). Output: the response, for the connection's thread. A
// handler returns one in Response::deferred. Any thread may complete it, once; the connection's thread then takes the
// response, which may have a WireBehavior and may itself be deferred. Knows no socket.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "http/message.h"

namespace ocp_mock::http {

// Belongs to one request: a handler must not return the same one twice.
class DeferredResponse {
 public:
  // Calls `make` at most once, on the connection's thread, which it must not block, and destroys it afterwards, or once
  // it can no longer be called. `has_head`: the response will begin with a status line; false for the faults of
  // WireBehavior that send none, and nothing where that is not known yet, which should take moments only.
  explicit DeferredResponse(std::function<Response()> make, std::optional<bool> has_head = true);

  std::optional<bool> has_head() const { return has_head_; }

  // Thread-safe; may be called before the handler has returned and after the server has gone. Further calls do nothing.
  void complete();

  // The client has gone, or the server has dropped the connection: nobody will take the response.
  bool abandoned() const { return abandoned_; }

  // The rest is for the connection's thread.

  // Returns true if it is complete already. Otherwise calls `wake` once, on the thread that completes it.
  bool on_complete(std::function<void()> wake);
  bool is_complete() const;
  Response take();
  void abandon();

 private:
  std::function<Response()> make_;
  const std::optional<bool> has_head_;
  std::atomic<bool> abandoned_{false};
  mutable std::mutex mutex_;
  bool is_complete_ = false;
  std::function<void()> wake_;
};

}  // namespace ocp_mock::http
