// Where the log goes: a descriptor that is never waited for.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>

namespace ocp_mock {

// Writes each line at once. A line that a full pipe would make the server wait for is dropped, and how many were
// dropped is said once there is room: a test that starts the server and reads no logs must not stall it.
class LogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogSink(int descriptor) : descriptor_(descriptor) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  bool has_room() const;

  int descriptor_;
  std::uint64_t dropped_ = 0;
};

}  // namespace ocp_mock
