// How many requests a user may make in a window of time (OCP API reference, call description).
// Input: a user and the time. Output: whether the request may pass, and the values of the RateLimit headers.
// Knows no clock. Thread safety: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ocp/instant.h"

namespace ocp_mock {

struct RateLimit {
  std::int64_t requests = 0;  // at least 1
  std::int64_t seconds = 0;   // of a window
  std::string window;         // as it was written: 10s, 1m, 1h or 1d

  bool operator==(const RateLimit&) const = default;
};

inline constexpr std::int64_t kMaximumRateLimit = 1'000'000'000;

// Reads "100/1m": a number from 1 to kMaximumRateLimit and one of the windows 10s, 1m, 1h, 1d. Nothing for other texts.
std::optional<RateLimit> parse_rate_limit(std::string_view text);

inline constexpr std::size_t kMostUsers = 200'000;

class Throttle {
 public:
  explicit Throttle(RateLimit limit) : limit_(std::move(limit)) {}

  struct Decision {
    bool passes;
    std::int64_t remaining;  // requests in the user's window
    std::int64_t reset;      // seconds until it ends, rounded up, at least 1
  };

  // Counts a request. A user's window begins with a request; the first one after its end begins the next. A clock that
  // was set back by more than a second ends it as well. Beyond kMostUsers users in a window, all counts start over.
  Decision admit(const std::string& user, Instant now);

  // For requests without a user, which are not counted.
  Decision uncounted() const { return {true, limit_.requests, limit_.seconds}; }

 private:
  struct Window {
    Instant begin;
    std::int64_t requests = 0;
  };

  bool is_over(const Window& window, Instant now) const;

  const RateLimit limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Window> windows_;  // by user
  std::size_t sweep_at_ = 1024;                      // users; windows that are over are dropped then
};

}  // namespace ocp_mock
