// Wakes pending answers when their time has come.
// Enters: pending answers with a time and an owner. Leaves: each made ready, once. One thread for all of them, so a
// delay holds no thread of its own. Safe for use by several threads at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "http/pending.h"

namespace ocp_mock {

class Scheduler {
 public:
  // The thread begins with the first answer that waits.
  Scheduler() = default;

  // Makes all that is left ready.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The owner only names what release() is about.
  void wake_after(std::chrono::milliseconds time, const void* owner, std::weak_ptr<http::Pending> pending);

  // Makes ready at once what belongs to the owner.
  void release(const void* owner);

  // Makes all ready, now and from now on.
  void stop();
  bool stopping() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Entry {
    const void* owner;
    std::weak_ptr<http::Pending> pending;
  };

  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Time, Entry> entries_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocp_mock
