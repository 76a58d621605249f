// Threads for slow work, so that the threads of connections stay free.
// Input: jobs. Output: each job done, in order. Thread safety: any thread may add a job.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ocp_mock {

class Worker {
 public:
  static constexpr std::size_t kMostJobs = 256;  // that wait

  // The thread begins with the first job.
  explicit Worker(std::size_t most_jobs = kMostJobs) : most_jobs_(most_jobs) {}

  // Waits for the job that runs; those behind it are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // A job must not throw. False if too many wait already.
  bool add(std::function<void()> job);

 private:
  void run();

  const std::size_t most_jobs_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

// Some workers, so that a slow job of one owner holds up few others.
class WorkerPool {
 public:
  // See Worker.
  explicit WorkerPool(std::size_t most_jobs)
      : workers_{{Worker(most_jobs), Worker(most_jobs), Worker(most_jobs), Worker(most_jobs)}} {}

  // Always the same for an owner, whose jobs so are done in order.
  Worker& of(const void* owner);

 private:
  std::array<Worker, 4> workers_;
};

}  // namespace ocp_mock
