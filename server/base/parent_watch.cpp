#include "base/parent_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace ocp_mock {

ParentWatch::ParentWatch() {
  const pid_t parent = ::getppid();
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, parent, 0));
  const bool is_over = descriptor < 0 && errno == ESRCH;
  if (descriptor < 0) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have ended meanwhile, and its number be another one's.
  if (is_over || ::getppid() != parent) ::kill(::getpid(), SIGTERM);
  if (descriptor < 0) return;
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (stop_ < 0) {
    ::close(descriptor);
    throw std::system_error(errno, std::generic_category(), "cannot watch the parent process");
  }
  thread_ = std::thread([this, descriptor] { run(descriptor); });
}

ParentWatch::~ParentWatch() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_, &one, sizeof one);
  thread_.join();
  ::close(stop_);
}

void ParentWatch::run(int parent) const {
  pollfd entries[]{{parent, POLLIN, 0}, {stop_, POLLIN, 0}};
  while (::poll(entries, 2, -1) < 0 && errno == EINTR) {
  }
  if (entries[0].revents != 0) ::kill(::getpid(), SIGTERM);
  ::close(parent);
}

}  // namespace ocp_mock
