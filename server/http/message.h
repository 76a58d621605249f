// A request and its response as the rest of the server sees them: plain structs, no library types.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ascii.h"

namespace ocp_mock::http {

using Headers = std::vector<std::pair<std::string, std::string>>;  // in the order sent, values without outer blanks

// Why a request could not be taken as HTTP (RFC 9110, RFC 9112).
enum class Defect {
  MalformedRequestLine,
  VersionNotSupported,
  TargetTooLong,
  MalformedHeader,
  HeadTooLarge,
  HostHeader,
  BadContentLength,
  UnsupportedTransferEncoding,
  BadChunk,
  BodyTooLarge,
  ExpectationFailed,
  Timeout,
};

struct Request {
  std::string method;
  std::string target;  // as sent: still encoded, with its query
  Headers headers;
  std::string body;
  std::optional<Defect> defect;  // set: the rest holds what was read before it

  // The first header of a name, in any case; nothing without one.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (equals_ignoring_case(key, name)) return value;
    }
    return std::nullopt;
  }
};

struct Response {
  int status = 200;
  Headers headers;  // without those of the framing: Content-Length, Connection
  std::string body;
};

}  // namespace ocp_mock::http
