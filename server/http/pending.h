// An answer that is not there yet.
// A handler returns one in Response::pending. Any thread makes it ready, once; the thread of the connection then asks
// finish() for the answer, which may leave by a Delivery and may be pending again. Knows no socket.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "http/message.h"

namespace ocp_mock::http {

// One answer of one connection: never return the same one twice.
class Pending {
 public:
  // finish is called at most once, by the connection's thread, which it must not block. It is destroyed when it has
  // been called, or when nobody will call it. has_head: the answer will begin with a status line, which is so but for
  // the faults of Delivery that send none.
  explicit Pending(std::function<Response()> finish, bool has_head = true);

  bool has_head() const { return has_head_; }

  // By any thread, also before the handler has returned and after the server has gone; further calls do nothing.
  void make_ready();

  // The client has gone, or the server has given the connection up: finish will not be called.
  bool abandoned() const { return abandoned_; }

  // The rest is the connection's, in its thread.

  // True if it is ready. Otherwise wake will be called, once, by the thread that makes it ready.
  bool await(std::function<void()> wake);
  bool ready() const;
  Response finish();
  void abandon();

 private:
  std::function<Response()> finish_;
  const bool has_head_;
  std::atomic<bool> abandoned_{false};
  mutable std::mutex mutex_;
  bool ready_ = false;
  std::function<void()> wake_;
};

}  // namespace ocp_mock::http
