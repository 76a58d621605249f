// Wakes pending answers when their time has come.
// Input: pending answers with a time and an owner. Output: each made ready, once. One thread for all of them, so a
// delay holds no thread of its own. Safe for use by several threads at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "http/deferred_response.h"

namespace ocp_mock {

class Scheduler {
 public:
  // The thread begins with the first answer that waits.
  Scheduler() = default;

  // Makes all that is left ready.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // A time that has not come. It goes with this object, which the scheduler must outlive: whoever needs the answer no
  // more leaves nothing behind.
  class Timer {
   public:
    Timer() = default;
    Timer(Timer&& other) noexcept : scheduler_(std::exchange(other.scheduler_, nullptr)), key_(other.key_) {}
    Timer& operator=(Timer&& other) noexcept {
      std::swap(scheduler_, other.scheduler_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Timer() {
      if (scheduler_ != nullptr) scheduler_->cancel(key_);
    }

   private:
    friend Scheduler;
    using Key = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;
    Timer(Scheduler& scheduler, Key key) : scheduler_(&scheduler), key_(key) {}

    Scheduler* scheduler_ = nullptr;
    Key key_;
  };

  // The owner only names what release() is about; null for nobody.
  [[nodiscard]] Timer wake_after(std::chrono::milliseconds time, const void* owner,
                                 std::weak_ptr<http::DeferredResponse> pending);

  // Makes ready at once what belongs to the owner.
  void release(const void* owner);

  // Makes all ready, now and from now on.
  void stop();
  bool stopping() const;

  // How many times have not come.
  std::size_t size() const;

 private:
  struct Entry {
    const void* owner;
    std::weak_ptr<http::DeferredResponse> pending;
  };

  void run();
  void cancel(const Timer::Key& key);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Timer::Key, Entry> entries_;  // by time, and by a number of their own
  std::uint64_t next_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocp_mock
