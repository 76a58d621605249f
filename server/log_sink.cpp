#include "log_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <climits>
#include <string_view>

namespace ocp_mock {
namespace {

// Nobody can be told of a log that cannot be written.
void write_line(int descriptor, std::string_view line) {
  [[maybe_unused]] const ssize_t written = ::write(descriptor, line.data(), line.size());
}

}  // namespace

// A pipe that can be written to has room for PIPE_BUF bytes at least.
bool LogSink::has_room() const {
  pollfd entry{descriptor_, POLLOUT, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT) != 0;
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
  if (!has_room()) {
    ++dropped_;
    return;
  }
  if (dropped_ != 0) {
    write_line(descriptor_, fmt::format("{} log lines were dropped: nobody read them\n", dropped_));
    dropped_ = 0;
    if (!has_room()) {
      ++dropped_;
      return;
    }
  }
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (line.size() > PIPE_BUF) {
    line.resize(PIPE_BUF);
    line[PIPE_BUF - 1] = '\n';
  }
  write_line(descriptor_, {line.data(), line.size()});
}

}  // namespace ocp_mock
