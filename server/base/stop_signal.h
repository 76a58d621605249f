// SIGTERM and SIGINT as a request to stop, SIGHUP as one to stop or to load the fixtures again.
// Input: signals of the process. Output: requests, one at a time, to the thread that waits for them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace ocp_mock {

// Made before any other thread, it keeps these signals for itself. The first request to stop counts; further ones
// change nothing. If this object still lives 4 seconds after it, the process ends all the same, with code 0.
// SIGHUP is a request to load again where the process does not belong to a terminal. Where standard input or standard
// error is a terminal at the start, the shell may send it to its jobs when that terminal closes, so it is a request to
// stop; so is one from the kernel. Where SIGHUP is ignored at the start, as nohup has it, none stops the process.
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

  // Takes no more signals, which stay blocked in the threads that there are. Requests so far can still be asked for.
  void close();

  // Waits for a request. All to reload that came since the last one are one.
  Request wait();

 private:
  void run();

  sigset_t set_;
  bool ignores_hangup_ = false;
  bool had_terminal_ = false;
  std::atomic<int> signal_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reload_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ocp_mock
