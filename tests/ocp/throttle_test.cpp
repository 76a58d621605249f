#include "ocp/throttle.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace ocp_mock;

namespace {

bool same(const Throttle::Decision& decision, bool passes, std::int64_t remaining, std::int64_t reset) {
  return decision.passes == passes && decision.remaining == remaining && decision.reset == reset;
}

}  // namespace

TEST_CASE("throttle: a rate limit is a number and one of OCP's windows") {
  const struct {
    std::string text;
    std::int64_t requests;
    std::int64_t seconds;
  } cases[] = {{"1/10s", 1, 10}, {"100/1m", 100, 60}, {"5000/1h", 5000, 3600}, {"1000000000/1d", 1'000'000'000, 86400}};
  for (const auto& [text, requests, seconds] : cases) {
    CAPTURE(text);
    const auto limit = parse_rate_limit(text);
    REQUIRE(limit);
    CHECK(limit->requests == requests);
    CHECK(limit->seconds == seconds);
    CHECK(limit->window == text.substr(text.find('/') + 1));
  }
  for (const std::string text : {"", "1", "/1m", "1/", "0/1m", "-1/1m", "+1/1m", "1.5/1m", "1000000001/1m", "1/m",
                                 "1/2m", "1/60s", "1/1M", "1 /1m", "1/1m ", "99999999999999999999/1m", "1/10s/1m"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate_limit(text));
  }
}

TEST_CASE("throttle: past the limit nothing passes until the window ends") {
  Throttle throttle(*parse_rate_limit("2/10s"));
  CHECK(same(throttle.uncounted(), true, 2, 10));
  CHECK(same(throttle.admit("a", {100, 500'000'000}), true, 1, 10));
  CHECK(same(throttle.admit("a", {101, 500'000'000}), true, 0, 9));
  CHECK(same(throttle.admit("a", {101, 500'000'001}), false, 0, 9));
  CHECK(same(throttle.admit("a", {110, 499'999'999}), false, 0, 1));
  CHECK(same(throttle.admit("a", {110, 500'000'000}), true, 1, 10));
  CHECK(same(throttle.admit("a", {500, 0}), true, 1, 10));
}

TEST_CASE("throttle: each user has a window") {
  Throttle throttle(*parse_rate_limit("1/1m"));
  CHECK(throttle.admit("a", {0, 0}).passes);
  CHECK_FALSE(throttle.admit("a", {1, 0}).passes);
  CHECK(throttle.admit("b", {1, 0}).passes);
  CHECK(throttle.admit("", {1, 0}).passes);
  CHECK_FALSE(throttle.admit("", {1, 0}).passes);
}

TEST_CASE("throttle: a clock that is set back begins a new window") {
  Throttle throttle(*parse_rate_limit("1/1d"));
  CHECK(throttle.admit("a", {1'000'000, 0}).passes);
  CHECK_FALSE(throttle.admit("a", {1'000'000, 0}).passes);
  CHECK(same(throttle.admit("a", {999'999, 0}), false, 0, 86400));
  CHECK(same(throttle.admit("a", {999'998, 999'999'999}), true, 0, 86400));
}

TEST_CASE("throttle: of many users each is counted, also when old windows are dropped") {
  Throttle throttle(*parse_rate_limit("1/10s"));
  for (int i = 0; i < 5000; ++i) {
    const std::string user = std::to_string(i);
    const Instant now{i / 500, 0};
    REQUIRE(throttle.admit(user, now).passes);
    REQUIRE_FALSE(throttle.admit(user, now).passes);
  }
  CHECK_FALSE(throttle.admit("0", {9, 0}).passes);
  CHECK(throttle.admit("0", {10, 0}).passes);
}

TEST_CASE("throttle: names of any length are told apart, and never too many kept") {
  Throttle throttle(*parse_rate_limit("1/1d"));
  const std::string name(50'000, 'x');
  CHECK(throttle.admit(name, {0, 0}).passes);
  CHECK(throttle.admit(name + "y", {0, 0}).passes);
  CHECK_FALSE(throttle.admit(name, {0, 0}).passes);
  std::size_t passed_again = 0;
  for (std::size_t i = 0; i < kMostUsers; ++i) {
    throttle.admit(std::to_string(i), {0, 0});
    if (throttle.admit("0", {0, 0}).passes) ++passed_again;
  }
  CHECK(passed_again == 1);
}

TEST_CASE("throttle: several threads get no more than the limit") {
  Throttle throttle(*parse_rate_limit("1000/1m"));
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) passed += throttle.admit("a", {0, 0}).passes ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(passed == 1000);
}
