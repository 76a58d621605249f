// Who may make admin calls without the token, and with what body; how wrong tokens are slowed.
// A page that a developer has open in a browser can send requests to the mock on the same machine: by a form, by
// fetch(), or under a name of its own that its name server points there (DNS rebinding). None of them may steer it.
// Input: requests, and times. Output: why a request is refused, or how long its answer must wait.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace ocp_mock {

struct GuardRefusal {
  int status;
  std::string detail;  // what is wrong and what would be right
};

// Refuses, with 403, what a page of another origin sends (Sec-Fetch-Site, Origin), and a Host that a public name server
// could give to this address. Every address passes, and so does a name without a dot, one that no public name server
// has, and each of hosts; the case of letters, ports and one dot at the end do not matter. Programs send no Origin.
std::optional<GuardRefusal> refuse_stranger(const http::Request& request, std::span<const std::string> hosts);

// Refuses, with 415, a body that is encoded or no JSON by its Content-Type. None at all will do, and so will what
// curl -d sends; with takes_lines also NDJSON.
std::optional<GuardRefusal> refuse_body(const http::Request& request, bool takes_lines);

// Safe for use by several threads at once.
class WrongTokens {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr int kFree = 5;  // wrong tokens of an address that are answered at once
  static constexpr std::chrono::milliseconds kFirstDelay{100};
  static constexpr std::chrono::milliseconds kLongestDelay{5'000};
  static constexpr std::chrono::minutes kForgotten{10};  // after the last one
  static constexpr std::size_t kMostAddresses = 1'000;   // the oldest is forgotten for another

  // Counts one more of the address, and returns how long its answer must wait: twice as long each time.
  std::chrono::milliseconds add(std::string_view address, Time now);

 private:
  struct Count {
    int tokens = 0;
    Time last;
  };

  void make_room(Time now);

  std::mutex mutex_;
  std::map<std::string, Count, std::less<>> counts_;
};

}  // namespace ocp_mock
