// SIGTERM and SIGINT as a request to stop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace ocp_mock {

// Made before any other thread, it keeps both signals for itself. The first one is the request; further ones change
// nothing. If this object still lives 4 seconds after the request, the process ends all the same, with code 0.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal_ != 0; }

  // Waits for the request and returns its signal.
  int wait();

 private:
  void run();

  sigset_t set_;
  std::atomic<int> signal_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ocp_mock
