// Where the log goes: a descriptor whose reader is never waited for.
// Input: lines. Output: those lines, but for the ones that a full pipe has no room for. Thread safety: any thread.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string_view>

namespace ocp_mock {

// Writes each line at once. A line that a full pipe would make the server wait for is dropped, and how many were
// dropped is said once there is room: a test that starts the server and reads no logs must not stall it.
class LogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Pipes and terminals are opened once more for this, so that others who use the descriptor do not find it changed.
  explicit LogSink(int descriptor);
  ~LogSink() override;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  bool write_line(std::string_view line) const;

  int descriptor_;
  int own_descriptor_ = -1;  // descriptor_, where it was opened once more
  std::uint64_t dropped_ = 0;
};

}  // namespace ocp_mock
