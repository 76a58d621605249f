// Cuts a response that does not leave whole and at once.
// Input: a response with its WireBehavior, and what its client understands. Output: whether a head goes first, pieces
// of bytes that each have a time, and how the connection then closes. Pure: knows no socket and no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "http/message.h"

namespace ocp_mock::http {

// What follows a head that promises chunks.
inline constexpr std::string_view kMalformedChunk = "this is no chunk\r\n";

// 64 bytes, of which none ends a line.
inline constexpr std::string_view kRandomData{
    "\x9d\x02\xe7\x51\xb8\x3c\x00\xf4\x6a\xc9\x17\x8e\xd3\x2b\x74\xa0"
    "\xff\x45\x19\xbc\x63\xe1\x08\x97\xda\x30\x5f\xc4\x86\x7b\x12\xe9"
    "\x01\xad\x58\xf6\x24\x93\xcf\x6d\xb1\x1e\x80\x47\xfa\x35\xdc\x69"
    "\xa2\x0f\xeb\x56\x78\xc3\x9a\x21\xd4\x8d\x60\xbf\x13\xe5\x4c\x77",
    64};

enum class CloseMode {
  AsPromised,  // as the head has said: the connection goes on, or closes
  Close,
  BreakOff,  // closes like a connection that broke, without TLS's own end
  Reset,
};

// The response leaves whole and at once.
bool is_default(const WireBehavior& wire);

// The answer begins with a status line.
bool has_head(WireBehavior::Fault fault);

class PacedResponse {
 public:
  // With head_only, for HEAD, no body leaves, whatever its behavior. HTTP/1.0 knows no chunks.
  PacedResponse(Response response, bool head_only, bool http_1_0);

  // The head of response(), which has the headers that the way it leaves needs, goes before the pieces, at once.
  bool has_head() const { return has_head_; }
  const Response& response() const { return response_; }

  bool done() const { return next_ == pieces_; }

  // When the next piece is to leave, counted from the head. Needs !done().
  std::chrono::milliseconds next_time() const;

  // Appends the next piece. Needs !done().
  void take(std::string& out);

  // Appends the next byte of the next piece, which take() then leaves out. The last byte of a piece keeps its time,
  // unless it is the only one; false if none is left but that. Needs !done().
  bool take_byte(std::string& out);

  // How many bytes of the body were in the pieces taken.
  std::size_t body_taken() const { return begin_of(next_); }

  CloseMode close_mode() const { return close_mode_; }

 private:
  void dribble_or_truncate(bool head_only, bool http_1_0);
  void replace_body(std::string_view bytes);
  std::string piece(std::size_t number) const;
  std::size_t begin_of(std::size_t piece) const;

  Response response_;
  bool has_head_ = true;
  bool chunked_ = false;
  std::size_t size_ = 0;  // how much of the body leaves
  std::size_t pieces_ = 0;
  std::size_t next_ = 0;
  std::size_t ahead_ = 0;              // bytes of the next piece that were taken
  std::chrono::milliseconds time_{0};  // of the last piece
  CloseMode close_mode_ = CloseMode::AsPromised;
};

}  // namespace ocp_mock::http
