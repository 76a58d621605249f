// The time of a world, which a test may set.
// Input: what the test asks for. Output: the time that answers, throttling and schedules read. The Date of a signed
// request is not compared with it. Safe for use by several threads at once.
#pragma once

#include <functional>
#include <mutex>

#include "ocp/instant.h"

namespace ocp_mock {

class Clock {
 public:
  enum class Mode {
    Real,    // the machine's time
    Offset,  // runs as that, a duration away from it
    Fixed,   // stands still
  };

  explicit Clock(std::function<Instant()> real) : real_(std::move(real)) {}

  // Shows the time of the other, and goes on by itself.
  Clock(const Clock& other);
  Clock& operator=(const Clock&) = delete;
  void set_as(const Clock& other);

  Instant now() const;
  Mode mode() const;

  void use_real_time();
  void stand_at(Instant instant);

  // Each throws std::out_of_range, and changes nothing, if the time would leave the years 0000 to 9999.
  void offset_by(Duration distance);   // from real time
  void advance_by(Duration distance);  // from what it is; it goes on running or standing

 private:
  Instant now_unlocked() const;

  struct State {
    Mode mode = Mode::Real;
    Instant instant;    // of Mode::Fixed
    Duration distance;  // of Mode::Offset
  };

  State state() const;

  const std::function<Instant()> real_;
  mutable std::mutex mutex_;
  State state_;
};

}  // namespace ocp_mock
