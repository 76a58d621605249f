// Bytes of a connection become requests (RFC 9112, server side).
// Input: bytes in pieces of any size. Output: one Request at a time, or the ParseError that ends the connection.
// Pure: knows no socket and no clock. It is strict where leniency lets two readers of one connection disagree about
// where a request ends: bare line feeds, folded headers, two lengths.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "http/limits.h"
#include "http/message.h"

namespace ocp_mock::http {

class RequestParser {
 public:
  // The peer is that of every request.
  explicit RequestParser(const ParserLimits& limits, std::string peer = {}) : limits_(limits) {
    request_.peer = std::move(peer);
  }

  // Takes bytes up to the end of the request and returns how many. Needs !complete().
  std::size_t feed(std::string_view bytes);

  // The request, or its parse error, is there; next() to go on.
  bool complete() const { return state_ == State::Complete; }

  // Nothing of the next request has come yet.
  bool idle() const { return state_ == State::Head && head_.empty(); }

  // Bytes have come since the last request, be it only empty lines.
  bool started() const { return started_; }

  // The client waits for "100 Continue" before it sends the body. True once.
  bool wants_continue();

  // Whether the connection may carry another request after the one that is complete.
  bool keep_alive() const { return keep_alive_; }
  bool is_http_1_0() const { return http_1_0_; }

  // Completes the request as it was read so far, with an error found outside, such as a timeout.
  void fail(ParseError error);

  // Until next().
  const Request& request() const { return request_; }

  // Makes ready for the next request, with the memory of this one.
  void next();

 private:
  enum class State { Head, Body, ChunkSize, ChunkData, ChunkEnd, Trailers, Complete };

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_line(std::string_view bytes, std::size_t limit);
  void parse_head(std::string_view head);
  bool parse_request_line(std::string_view line);
  bool parse_header(std::string_view line);  // with its line end behind it
  void choose_framing();
  void end_chunk_size();
  void finish() { state_ = State::Complete; }

  ParserLimits limits_;
  State state_ = State::Head;
  Request request_;
  std::string head_;  // request line and headers as they came, if not yet whole
  std::string line_;  // of the chunk framing
  std::size_t trailer_bytes_ = 0;
  std::size_t body_left_ = 0;  // of the body or of the chunk
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool wants_continue_ = false;
  bool started_ = false;
};

}  // namespace ocp_mock::http
