#include "control/scheduler.h"

#include <vector>

namespace ocp_mock {
namespace {

void make_ready(const std::weak_ptr<http::Pending>& pending) {
  if (const auto alive = pending.lock()) alive->make_ready();
}

}  // namespace

Scheduler::~Scheduler() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::wake_after(std::chrono::milliseconds time, const void* owner, std::weak_ptr<http::Pending> pending) {
  const Time due = std::chrono::steady_clock::now() + time;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
      entries_.emplace(due, Entry{owner, std::move(pending)});
      changed_.notify_one();
      return;
    }
  }
  make_ready(pending);
}

void Scheduler::release(const void* owner) {
  std::vector<Entry> released;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](auto& entry) {
      if (entry.second.owner != owner) return false;
      released.push_back(std::move(entry.second));
      return true;
    });
  }
  for (const Entry& entry : released) make_ready(entry.pending);
}

void Scheduler::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

bool Scheduler::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Scheduler::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [&] {
      return stopping_ || (!entries_.empty() && entries_.begin()->first <= std::chrono::steady_clock::now());
    };
    if (!due()) {
      if (entries_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, Time(entries_.begin()->first));
      }
      continue;
    }
    if (entries_.empty()) return;  // stopping
    const Entry entry = std::move(entries_.begin()->second);
    entries_.erase(entries_.begin());
    lock.unlock();
    make_ready(entry.pending);
    lock.lock();
  }
}

}  // namespace ocp_mock
