// SIGTERM and SIGINT as a request to stop, SIGHUP as one to load the fixtures again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace ocp_mock {

// Made before any other thread, it keeps these signals for itself. The first request to stop counts; further ones
// change nothing. If this object still lives 4 seconds after it, the process ends all the same, with code 0.
// A SIGHUP from the kernel means that the terminal is gone and is a request to stop too, unless SIGHUP is ignored, as
// nohup has it.
class StopSignal {
 public:
  enum class Request { Stop, Reload };

  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Whether to stop; then which signal said so.
  bool requested() const { return signal_ != 0; }
  int signal() const { return signal_; }

  // Waits for a request. All to reload that came since the last one are one.
  Request wait();

 private:
  void run();

  sigset_t set_;
  bool stops_without_terminal_ = true;
  std::atomic<int> signal_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reload_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ocp_mock
