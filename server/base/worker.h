// One thread for what takes long, so that the threads of connections stay free.
// Enters: jobs. Leaves: each done, one after the other. Safe for use by several threads at once.
#pragma once

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

}  // namespace ocp_mock
