// A request and its response as the rest of the server sees them.
// Input: nothing. Output: plain structs. Knows no library.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/headers.h"

namespace ocp_mock::http {

// Why a request could not be taken as HTTP (RFC 9110, RFC 9112).
enum class ParseError {
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
  Tls,        // to a server of plain HTTP
};
inline constexpr ParseError kLastParseError = ParseError::Tls;

struct Request {
  std::string method;
  std::string target;  // as sent: still encoded, with its query
  Headers headers;
  std::string body;
  std::optional<ParseError> parse_error;  // set: the rest holds what was read before it
  std::string peer = {};  // the client's IP address, "127.0.0.1" or "::1"; empty where no socket was its way

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

// How a response leaves, if not whole and at once. A fault takes precedence over the rest.
struct WireBehavior {
  enum class Fault {
    None,
    ResetConnection,  // no byte of the answer, then a TCP reset, which may also eat earlier answers not yet read
    EmptyResponse,    // no byte of the answer, then the connection is closed
    MalformedChunk,   // status line and headers that promise chunks, then kMalformedChunk, then closed
    RandomData,       // kRandomData, which is no HTTP, then closed
  };
  Fault fault = Fault::None;
  // Sends the full Content-Length but only this many bytes of the body, then drops the connection, over TLS without
  // close_notify. No effect on bodies that are not longer.
  std::optional<std::size_t> truncate_at = {};
  // Above 0: the head leaves at once, then the body in this many chunks, the last after dribble_time and the others
  // evenly spaced before it. For HTTP/1.0, and if truncated, the pieces have no chunk framing. No chunk is empty.
  std::size_t dribble_chunks = 0;
  std::chrono::milliseconds dribble_time{0};
};

class DeferredResponse;

struct Response {
  int status = 200;
  Headers headers = {};  // without those of the framing: Content-Length, Transfer-Encoding, Connection
  std::string body = {};
  WireBehavior wire = {};
  std::shared_ptr<DeferredResponse> deferred = {};  // set: the response is not there yet, and the rest means nothing

  // Called once, if set, by the connection's thread: when the last bytes are handed to the kernel, or when the
  // connection ends before that. `whole` tells which; `body_bytes` is how much of the body was handed over.
  std::function<void(bool whole, std::size_t body_bytes)> on_departed = {};

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

}  // namespace ocp_mock::http
