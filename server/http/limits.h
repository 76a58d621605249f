// What the HTTP side allows a client.
// Input: nothing. Output: plain values with their defaults.
#pragma once

#include <chrono>
#include <cstddef>

namespace ocp_mock::http {

// What carries HTTP, see server.h.
enum class Engine { Epoll, Httplib };

struct ParserLimits {
  std::size_t head_bytes = 64 * 1024;         // request line and headers, then 414 or 431
  std::size_t body_bytes = 64 * 1024 * 1024;  // after the chunks are joined, then 413

  bool operator==(const ParserLimits&) const = default;
};

struct Limits {
  ParserLimits parser;
  std::chrono::milliseconds request_time{30'000};  // from a request's first byte to its last, then 408
  std::chrono::milliseconds idle_time{75'000};     // between requests, then the connection is closed
  std::chrono::milliseconds write_time{30'000};    // without the client taking a byte, then the connection is closed
  std::chrono::milliseconds linger_time{2'000};    // to let a refused client read its answer before the close

  bool operator==(const Limits&) const = default;
};

}  // namespace ocp_mock::http
