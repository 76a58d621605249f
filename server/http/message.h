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
  PlainHttp,  // to a server of HTTPS
};

struct Request {
  std::string method;
  std::string target;  // as sent: still encoded, with its query
  Headers headers;
  std::string body;
  std::optional<Defect> defect;  // set: the rest holds what was read before it

  std::optional<std::string_view> header(std::string_view name) const { return find_ignoring_case(headers, name); }
};

struct Response {
  int status = 200;
  Headers headers;  // without those of the framing: Content-Length, Connection
  std::string body;

  std::optional<std::string_view> header(std::string_view name) const { return find_ignoring_case(headers, name); }
};

}  // namespace ocp_mock::http
