#include "control/clock.h"

#include <stdexcept>

namespace ocp_mock {
namespace {

const Instant kFirst = *parse_rfc3339("0000-01-01T00:00:00Z");
const Instant kLast = *parse_rfc3339("9999-12-31T23:59:59.999999999Z");

Instant checked(Instant instant) {
  // A day is kept at both ends for the offset that times are written with.
  if (instant < kFirst + Duration{86'400, 0} || instant > kLast + Duration{-86'400, 0}) {
    throw std::out_of_range("the clock's time must stay in the years 0000 to 9999");
  }
  return instant;
}

}  // namespace

Clock::Clock(const Clock& other) : real_(other.real_), state_(other.state()) {}

void Clock::set_as(const Clock& other) {
  const State state = other.state();
  const std::lock_guard lock(mutex_);
  state_ = state;
}

Clock::State Clock::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Instant Clock::now() const {
  const std::lock_guard lock(mutex_);
  return now_unlocked();
}

Clock::Mode Clock::mode() const {
  const std::lock_guard lock(mutex_);
  return state_.mode;
}

void Clock::use_real_time() {
  const std::lock_guard lock(mutex_);
  state_.mode = Mode::Real;
}

void Clock::stand_at(Instant instant) {
  const std::lock_guard lock(mutex_);
  state_.instant = checked(instant);
  state_.mode = Mode::Fixed;
}

void Clock::offset_by(Duration distance) {
  const std::lock_guard lock(mutex_);
  checked(real_() + distance);
  state_.distance = distance;
  state_.mode = Mode::Offset;
}

void Clock::advance_by(Duration distance) {
  const std::lock_guard lock(mutex_);
  const Instant then = checked(now_unlocked() + distance);
  if (state_.mode == Mode::Fixed) {
    state_.instant = then;
    return;
  }
  state_.distance = state_.mode == Mode::Offset ? state_.distance + distance : distance;
  state_.mode = Mode::Offset;
}

Instant Clock::now_unlocked() const {
  switch (state_.mode) {
    case Mode::Real: return real_();
    case Mode::Offset: return real_() + state_.distance;
    case Mode::Fixed: return state_.instant;
  }
  return real_();
}

}  // namespace ocp_mock
