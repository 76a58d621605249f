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

StopSignal::~StopSignal() { close(); }

void StopSignal::close() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  sigval mark{};
  mark.sival_ptr = this;
  ::pthread_sigqueue(thread_.native_handle(), SIGTERM, mark);
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
    if (info.si_code == SI_QUEUE && info.si_value.sival_ptr == this) return;  // by close()
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
