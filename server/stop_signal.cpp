#include "stop_signal.h"

#include <pthread.h>

#include <chrono>
#include <cstdlib>

namespace ocp_mock {
namespace {

// Longer than the server gives requests in flight.
constexpr std::chrono::seconds kPatience{4};

}  // namespace

StopSignal::StopSignal() {
  ::sigemptyset(&set_);
  ::sigaddset(&set_, SIGTERM);
  ::sigaddset(&set_, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  thread_ = std::thread([this] { run(); });
}

StopSignal::~StopSignal() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

int StopSignal::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return requested(); });
  return signal_;
}

void StopSignal::run() {
  int signal = 0;
  while (::sigwait(&set_, &signal) != 0) {
  }
  std::unique_lock lock(mutex_);
  signal_ = signal;
  changed_.notify_all();
  if (!changed_.wait_for(lock, kPatience, [this] { return over_; })) std::_Exit(0);
}

}  // namespace ocp_mock
