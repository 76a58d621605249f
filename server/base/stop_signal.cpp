#include "base/stop_signal.h"

#include <pthread.h>
#include <unistd.h>

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
  ::sigaddset(&set_, SIGHUP);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  ignores_hangup_ = hangup.sa_handler == SIG_IGN;
  had_terminal_ = ::isatty(STDIN_FILENO) == 1 || ::isatty(STDERR_FILENO) == 1;
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

StopSignal::Request StopSignal::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return requested() || reload_; });
  reload_ = false;
  return requested() ? Request::Stop : Request::Reload;
}

void StopSignal::run() {
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&set_, &info);
    if (signal < 0) continue;
    std::unique_lock lock(mutex_);
    const bool stops = signal != SIGHUP || (!ignores_hangup_ && (had_terminal_ || info.si_code == SI_KERNEL));
    if (stops) {
      signal_ = signal;
    } else {
      reload_ = true;
    }
    changed_.notify_all();
    if (!stops) continue;
    if (!changed_.wait_for(lock, kPatience, [this] { return over_; })) std::_Exit(0);
    return;
  }
}

}  // namespace ocp_mock
