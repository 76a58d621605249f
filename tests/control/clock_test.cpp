#include "control/clock.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace ocp_mock;

namespace {

constexpr Instant kReal{1'000'000, 500};

}  // namespace

TEST_CASE("clock: it shows real time until it is told otherwise") {
  Instant real = kReal;
  Clock clock([&] { return real; });
  CHECK(clock.now() == kReal);
  CHECK(clock.mode() == Clock::Mode::Real);
  real.second += 5;
  CHECK(clock.now() == Instant{1'000'005, 500});
}

TEST_CASE("clock: it stands, runs with an offset, and advances in both ways") {
  Instant real = kReal;
  Clock clock([&] { return real; });
  clock.stand_at({42, 1});
  real.second += 5;
  CHECK(clock.now() == Instant{42, 1});
  clock.advance_by({10, 0});
  CHECK(clock.now() == Instant{52, 1});
  CHECK(clock.mode() == Clock::Mode::Fixed);
  clock.offset_by({-100, 0});
  CHECK(clock.now() == Instant{999'905, 500});
  real.second += 1;
  CHECK(clock.now() == Instant{999'906, 500});
  clock.advance_by({-1, 999'999'500});
  CHECK(clock.now() == Instant{999'906, 0});
  CHECK(clock.mode() == Clock::Mode::Offset);
  clock.use_real_time();
  CHECK(clock.now() == real);
  clock.advance_by({60, 0});
  real.second += 1;
  CHECK(clock.now() == Instant{real.second + 60, 500});
}

TEST_CASE("clock: it stays in the years that times can be written in, and a refusal changes nothing") {
  Clock clock([] { return kReal; });
  for (const Duration distance : {Duration{253'402'300'800, 0}, Duration{-62'168'200'000, 0}}) {
    CHECK_THROWS_AS(clock.offset_by(distance), std::out_of_range);
    CHECK_THROWS_AS(clock.advance_by(distance), std::out_of_range);
    CHECK(clock.now() == kReal);
    CHECK(clock.mode() == Clock::Mode::Real);
  }
  CHECK_THROWS_AS(clock.stand_at({253'402'300'799, 0}), std::out_of_range);
  CHECK(clock.mode() == Clock::Mode::Real);
}

TEST_CASE("clock: a copy goes its own way") {
  Clock clock([] { return kReal; });
  clock.stand_at({42, 0});
  Clock copy(clock);
  copy.advance_by({1, 0});
  CHECK(clock.now() == Instant{42, 0});
  CHECK(copy.now() == Instant{43, 0});
  copy.set_as(clock);
  CHECK(copy.now() == Instant{42, 0});
}
