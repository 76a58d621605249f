#include "ocp/throttle.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "ocp/digest.h"

namespace ocp_mock {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kWindows{
    {{"10s", 10}, {"1m", 60}, {"1h", 60 * 60}, {"1d", 24 * 60 * 60}}};

constexpr std::size_t kLongName = 64;  // bytes; a digest stands for a longer one

}  // namespace

std::optional<RateLimit> parse_rate_limit(std::string_view text) {
  const std::string_view digits = text.substr(0, text.find('/'));
  if (digits.size() == text.size()) return std::nullopt;
  const std::string_view name = text.substr(digits.size() + 1);
  const auto window = std::ranges::find(kWindows, name, &std::pair<std::string_view, std::int64_t>::first);
  std::int64_t requests = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), requests);
  if (window == kWindows.end() || error != std::errc{} || stop != digits.data() + digits.size() || requests < 1 ||
      requests > kMaximumRateLimit) {
    return std::nullopt;
  }
  return RateLimit{requests, window->second, std::string(name)};
}

bool Throttle::is_over(const Window& window, Instant now) const {
  // Threads may read the clock in one order and come here in the other: that is no clock set back.
  return now.second + 1 < window.begin.second ||
         now >= Instant{window.begin.second + limit_.seconds, window.begin.nano};
}

Throttle::Decision Throttle::admit(const std::string& user, Instant now) {
  const std::lock_guard lock(mutex_);
  if (windows_.size() >= sweep_at_) {
    std::erase_if(windows_, [&](const auto& entry) { return is_over(entry.second, now); });
    if (windows_.size() > kMostUsers / 2) windows_.clear();
    sweep_at_ = std::max<std::size_t>(1024, windows_.size() * 2);
  }
  Window& window = windows_.try_emplace(user.size() > kLongName ? md5(user) : user, Window{now, 0}).first->second;
  if (is_over(window, now)) window = {now, 0};
  const bool passes = window.requests < limit_.requests;
  if (passes) ++window.requests;
  // Part of a second that is left counts as a whole one.
  const std::int64_t passed = now.second - window.begin.second - (now.nano < window.begin.nano ? 1 : 0);
  return {passes, limit_.requests - window.requests, limit_.seconds - std::max<std::int64_t>(passed, 0)};
}

}  // namespace ocp_mock
