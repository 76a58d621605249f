#include "control/scheduler.h"

#include <vector>

namespace ocp_mock {
namespace {

void complete(const std::weak_ptr<http::DeferredResponse>& pending) {
  if (const auto alive = pending.lock()) alive->complete();
}

}  // namespace

Scheduler::~Scheduler() {
  stop();
  if (thread_.joinable()) thread_.join();
}

Scheduler::Timer Scheduler::wake_after(std::chrono::milliseconds time, const void* owner,
                                       std::weak_ptr<http::DeferredResponse> pending) {
  const auto due = std::chrono::steady_clock::now() + time;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
      const auto added = entries_.emplace(Timer::Key{due, next_++}, Entry{owner, std::move(pending)}).first;
      // The thread sleeps until the first of them.
      if (added == entries_.begin()) changed_.notify_one();
      return {*this, added->first};
    }
  }
  complete(pending);
  return {};
}

void Scheduler::cancel(const Timer::Key& key) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
}

std::size_t Scheduler::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
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
  for (const Entry& entry : released) complete(entry.pending);
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
      return stopping_ || (!entries_.empty() && entries_.begin()->first.first <= std::chrono::steady_clock::now());
    };
    if (!due()) {
      if (entries_.empty()) {
        changed_.wait(lock);
      } else {
        // A copy, for the entry may go meanwhile.
        const auto due_time = entries_.begin()->first.first;
        changed_.wait_until(lock, due_time);
      }
      continue;
    }
    if (entries_.empty()) return;  // stopping
    const Entry entry = std::move(entries_.begin()->second);
    entries_.erase(entries_.begin());
    lock.unlock();
    complete(entry.pending);
    lock.lock();
  }
}

}  // namespace ocp_mock
