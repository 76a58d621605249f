#include "base/log_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace ocp_mock {

LogSink::LogSink(int descriptor) : descriptor_(descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !(S_ISFIFO(status.st_mode) || ::isatty(descriptor) == 1)) return;
  const std::string name = fmt::format("/proc/self/fd/{}", descriptor);
  own_descriptor_ = ::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own_descriptor_ >= 0) descriptor_ = own_descriptor_;
}

LogSink::~LogSink() {
  if (own_descriptor_ >= 0) ::close(own_descriptor_);
}

// False if there is no room for the line. Other failures are ignored: there is nowhere to report them.
bool LogSink::write_line(std::string_view line) const {
  pollfd entry{descriptor_, POLLOUT, 0};
  if (::poll(&entry, 1, 0) != 1) return false;
  return ::write(descriptor_, line.data(), line.size()) >= 0 || errno != EAGAIN;
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
  if (dropped_ != 0) {
    if (!write_line(fmt::format("{} log lines were dropped: nobody read them\n", dropped_))) {
      ++dropped_;
      return;
    }
    dropped_ = 0;
  }
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  // A pipe takes up to PIPE_BUF bytes whole or not at all.
  if (line.size() > PIPE_BUF) {
    line.resize(PIPE_BUF);
    line[PIPE_BUF - 1] = '\n';
  }
  if (!write_line({line.data(), line.size()})) ++dropped_;
}

}  // namespace ocp_mock
