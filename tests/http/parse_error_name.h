// The names of parse errors, for tests that compare them.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>

#include "http/message.h"

namespace ocp_mock::test {

inline std::string name_of(http::ParseError error) {
  constexpr const char* kNames[] = {
      "MalformedRequestLine",
      "VersionNotSupported",
      "TargetTooLong",
      "MalformedHeader",
      "HeadTooLarge",
      "HostHeader",
      "BadContentLength",
      "UnsupportedTransferEncoding",
      "BadChunk",
      "BodyTooLarge",
      "ExpectationFailed",
      "Timeout",
      "PlainHttp",
      "Tls",
  };
  static_assert(std::size(kNames) == static_cast<std::size_t>(http::kLastParseError) + 1);
  return kNames[static_cast<std::size_t>(error)];
}

// What a handler of a test answers to a request with a parse error.
inline http::Response refusal_of(http::ParseError error) {
  return {400, {{"Content-Type", "text/plain"}}, "refused: " + name_of(error)};
}

// Its bytes.
inline std::string refusal_bytes(http::ParseError error) {
  const std::string body = refusal_of(error).body;
  return "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

}  // namespace ocp_mock::test
