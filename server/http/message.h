// A request and its response as the rest of the server sees them: plain structs, no library types.
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
  Tls,        // to a server of plain HTTP
};

struct Request {
  std::string method;
  std::string target;  // as sent: still encoded, with its query
  Headers headers;
  std::string body;
  std::optional<Defect> defect;  // set: the rest holds what was read before it
  std::string peer = {};         // the client's IP address, "127.0.0.1" or "::1"; empty where no socket was its way

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

// How an answer leaves, where it does not leave whole and at once. A fault goes before the rest.
struct Delivery {
  enum class Fault {
    None,
    ResetConnection,  // no byte of the answer, then a TCP reset, which may also eat earlier answers not yet read
    EmptyResponse,    // no byte of the answer, then the connection is closed
    MalformedChunk,   // status line and headers that promise chunks, then kMalformedChunk, then closed
    RandomData,       // kRandomData, which is no HTTP, then closed
  };
  Fault fault = Fault::None;
  // The head with the whole Content-Length, so many bytes of the body, then the connection breaks: over TLS without
  // TLS's own end. A body that has no more bytes than that leaves as usual.
  std::optional<std::size_t> truncate_at = {};
  // Above 0: the head at once, then the body in so many chunks, the last after dribble_time and the others evenly
  // before it. For HTTP/1.0, and if truncated, the same pieces without the framing of chunks. No chunk is empty.
  std::size_t dribble_chunks = 0;
  std::chrono::milliseconds dribble_time{0};
};

class Pending;

struct Response {
  int status = 200;
  Headers headers = {};  // without those of the framing: Content-Length, Transfer-Encoding, Connection
  std::string body = {};
  Delivery delivery = {};
  std::shared_ptr<Pending> pending = {};  // set: the answer is not there yet, and the rest of this means nothing

  // Called once, if set, by the thread of the connection: when the last bytes of the answer are handed to the kernel,
  // as the delivery has it, or when the connection has ended before. With whether it was the former, and how many bytes
  // of the body were handed over.
  std::function<void(bool whole, std::size_t body_bytes)> on_departed = {};

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

}  // namespace ocp_mock::http
