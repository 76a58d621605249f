#include "base/worker.h"

#include <cstdint>
#include <utility>

namespace ocp_mock {

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Worker::add(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= most_jobs_) return false;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

Worker& WorkerPool::of(const void* owner) {
  // The upper bits of the product depend on all bits of the address, of which the lower ones are always the same.
  const auto address = std::uint64_t{reinterpret_cast<std::uintptr_t>(owner)};
  return workers_[address * 0x9E3779B97F4A7C15U >> 62U];
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace ocp_mock
