#include "http/request_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace ocp_mock::http {
namespace {

constexpr std::size_t kChunkLineBytes = 4096;  // a chunk's size and extensions, or one trailer

constexpr std::size_t kKeptCapacity = 4096;  // of a text, for the next request

using Characters = std::array<bool, 256>;

constexpr Characters kControl = [] {
  Characters set{};
  for (std::size_t c = 0; c < 0x20; ++c) set[c] = true;
  set[0x7F] = true;
  return set;
}();

constexpr Characters kControlButTab = [] {
  Characters set = kControl;
  set['\t'] = false;
  return set;
}();

// Eight characters at a time, for values are what most of a head consists of.
bool may_have_control(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    const std::uint64_t from_delete = word ^ kOnes * 0x7F;
    if ((((word - kOnes * 0x20) & ~word) | ((from_delete - kOnes) & ~from_delete)) & kHighs) return true;
    text.remove_prefix(sizeof word);
  }
  return std::ranges::any_of(text, [](char c) { return kControl[static_cast<unsigned char>(c)]; });
}

bool has_any(std::string_view text, const Characters& set) {
  return std::ranges::any_of(text, [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

std::optional<std::pair<std::string_view, std::string_view>> split_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (may_have_control(value) && has_any(value, kControlButTab)) return std::nullopt;
  return std::pair{line.substr(0, colon), value};
}

template <typename Number>
std::optional<Number> parse_number(std::string_view digits, int base) {
  Number number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  started_ = started_ || !bytes.empty();
  while (!complete() && used < bytes.size()) {
    const std::string_view rest = bytes.substr(used);
    switch (state_) {
      case State::Head: used += feed_head(rest); break;
      case State::Body:
      case State::ChunkData: {
        const std::size_t count = std::min(body_left_, rest.size());
        request_.body.append(rest, 0, count);
        body_left_ -= count;
        used += count;
        if (body_left_ == 0) state_ = state_ == State::Body ? State::Complete : State::ChunkEnd;
        break;
      }
      case State::ChunkSize:
        used += feed_line(rest, kChunkLineBytes);
        if (!complete() && line_.ends_with("\r\n")) end_chunk_size();
        break;
      case State::ChunkEnd:
        used += feed_line(rest, 2);
        if (!complete() && line_.ends_with("\r\n")) {
          line_.clear();
          state_ = State::ChunkSize;
        }
        break;
      case State::Trailers:
        used += feed_line(rest, kChunkLineBytes);
        if (!complete() && line_.ends_with("\r\n")) {
          trailer_bytes_ += line_.size();
          const std::string_view trailer = std::string_view(line_).substr(0, line_.size() - 2);
          if (trailer.empty()) {
            finish();
          } else if (!split_header(trailer)) {
            fail(ParseError::BadChunk);
          }
          if (trailer_bytes_ > limits_.head_bytes) fail(ParseError::HeadTooLarge);
          line_.clear();
        }
        break;
      case State::Complete: break;
    }
  }
  return used;
}

// Takes up to and with the next line feed, which must end a line that is no longer than the limit.
std::size_t RequestParser::feed_line(std::string_view bytes, std::size_t limit) {
  const auto feed_at = bytes.find('\n');
  const std::size_t count = feed_at == std::string_view::npos ? bytes.size() : feed_at + 1;
  line_.append(bytes, 0, std::min(count, limit + 1));
  const bool ends = feed_at != std::string_view::npos;
  if (line_.size() > limit || (ends && !line_.ends_with("\r\n"))) fail(ParseError::BadChunk);
  return count;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  std::size_t begin = 0;
  std::size_t used = 0;
  std::string_view head;  // what there is of it; it lies in the bytes if it came in one piece
  const bool in_pieces = !head_.empty();
  while (used < bytes.size() && !complete() && state_ == State::Head) {
    // Line by line: a line feed without carriage return would otherwise wait for more for ever.
    const auto feed_at = bytes.find('\n', used);
    const std::size_t end = feed_at == std::string_view::npos ? bytes.size() : feed_at + 1;
    const std::size_t room = limits_.head_bytes - (in_pieces ? head_.size() : used - begin);
    const std::size_t taken = std::min(end - used, room);
    if (in_pieces) {
      head_.append(bytes, used, taken);
      head = head_;
    } else {
      head = bytes.substr(begin, used + taken - begin);
    }
    const bool too_large = end - used > room;
    used = end;
    if (too_large) {
      fail(head.find('\n') == std::string_view::npos ? ParseError::TargetTooLong : ParseError::HeadTooLarge);
    } else if (feed_at == std::string_view::npos) {
      break;
    } else if (!head.ends_with("\r\n")) {
      fail(head.find('\n') == head.size() - 1 ? ParseError::MalformedRequestLine : ParseError::MalformedHeader);
    } else if (head.size() == 2) {
      // An empty line before a request is passed over (RFC 9112, 2.2).
      head_.clear();
      begin = used;
      head = {};
      if (in_pieces) return used;
    } else if (head.ends_with("\r\n\r\n")) {
      parse_head(head);
    }
  }
  if (!in_pieces && state_ == State::Head) head_ = head;
  return used;
}

void RequestParser::parse_head(std::string_view head) {
  request_.headers.reserve(head.size());
  std::string_view rest = head;
  const auto next_line = [&rest] {
    const auto end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
  };
  if (!parse_request_line(next_line())) return;
  for (std::string_view line = next_line(); !line.empty(); line = next_line()) {
    if (!parse_header(line)) return fail(ParseError::MalformedHeader);
  }
  choose_framing();
}

bool RequestParser::parse_request_line(std::string_view line) {
  const auto method_end = line.find(' ');
  const auto target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end + 1) {
    fail(ParseError::MalformedRequestLine);
    return false;
  }
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  if (!is_token(method) || has_any(target, kControl) || target.find(' ') != std::string_view::npos) {
    fail(ParseError::MalformedRequestLine);
    return false;
  }
  request_.method = method;
  request_.target = target;
  http_1_0_ = version == "HTTP/1.0";
  if (!http_1_0_ && version != "HTTP/1.1") {
    fail(version.starts_with("HTTP/") ? ParseError::VersionNotSupported : ParseError::MalformedRequestLine);
    return false;
  }
  return true;
}

bool RequestParser::parse_header(std::string_view line) {
  const auto header = split_header(line);
  if (!header) return false;
  const auto& [name, value] = *header;
  // Most lines are in the form that headers are kept in.
  if (line.size() == name.size() + 2 + value.size() && line[name.size() + 1] == ' ') {
    request_.headers.add_line({line.data(), line.size() + 2}, name.size());
  } else {
    request_.headers.add(name, value);
  }
  return true;
}

void RequestParser::choose_framing() {
  std::optional<std::string_view> length;
  std::size_t hosts = 0;
  bool chunked = false;
  bool close = false;
  bool keep = false;
  keep_alive_ = false;  // until all headers are understood
  for (const auto& [name, value] : request_.headers) {
    if (equals_ignoring_case(name, "Content-Length")) {
      if (length) return fail(ParseError::BadContentLength);
      length = value;
    } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
      if (chunked || !equals_ignoring_case(value, "chunked")) return fail(ParseError::UnsupportedTransferEncoding);
      chunked = true;
    } else if (equals_ignoring_case(name, "Host")) {
      ++hosts;
    } else if (equals_ignoring_case(name, "Connection")) {
      for (std::string_view rest = value; !rest.empty();) {
        const std::string_view option = next_piece(rest, ',');
        close = close || equals_ignoring_case(option, "close");
        keep = keep || equals_ignoring_case(option, "keep-alive");
      }
    } else if (equals_ignoring_case(name, "Expect")) {
      if (!equals_ignoring_case(value, "100-continue")) return fail(ParseError::ExpectationFailed);
      wants_continue_ = !http_1_0_;
    }
  }
  if (!http_1_0_ && hosts != 1) return fail(ParseError::HostHeader);
  if (chunked && (length || http_1_0_)) return fail(ParseError::BadContentLength);

  keep_alive_ = !close && (!http_1_0_ || keep);
  if (chunked) {
    state_ = State::ChunkSize;
  } else if (length) {
    // from_chars takes a minus sign only for signed types.
    const auto bytes = parse_number<std::size_t>(*length, 10);
    if (!bytes) return fail(ParseError::BadContentLength);
    if (*bytes > limits_.body_bytes) return fail(ParseError::BodyTooLarge);
    body_left_ = *bytes;
    state_ = body_left_ == 0 ? State::Complete : State::Body;
  } else {
    finish();
  }
  if (complete()) wants_continue_ = false;
}

void RequestParser::end_chunk_size() {
  std::string_view size = std::string_view(line_).substr(0, line_.size() - 2);
  // Blanks may stand before an extension, and nowhere else.
  if (const auto extension = size.find(';'); extension != std::string_view::npos) {
    size = size.substr(0, extension);
    size = size.substr(0, size.find_last_not_of(" \t") + 1);
  }
  const auto bytes = parse_number<std::size_t>(size, 16);
  line_.clear();
  if (!bytes) return fail(ParseError::BadChunk);
  if (*bytes > limits_.body_bytes - request_.body.size()) return fail(ParseError::BodyTooLarge);
  body_left_ = *bytes;
  state_ = body_left_ == 0 ? State::Trailers : State::ChunkData;
}

bool RequestParser::wants_continue() {
  const bool wants = wants_continue_ && (state_ == State::Body || state_ == State::ChunkSize);
  if (state_ != State::Head) wants_continue_ = false;
  return wants;
}

void RequestParser::fail(ParseError error) {
  request_.parse_error = error;
  keep_alive_ = false;
  wants_continue_ = false;
  finish();
}

void RequestParser::next() {
  const auto clear = [](std::string& text) {
    text.clear();
    if (text.capacity() > kKeptCapacity) text.shrink_to_fit();
  };
  clear(request_.method);
  clear(request_.target);
  clear(request_.body);
  clear(head_);
  clear(line_);
  request_.headers.clear();
  if (request_.headers.memory() > kKeptCapacity) const Headers released = std::move(request_.headers);
  request_.parse_error.reset();
  state_ = State::Head;
  trailer_bytes_ = 0;
  body_left_ = 0;
  keep_alive_ = true;
  http_1_0_ = false;
  wants_continue_ = false;
  started_ = false;
}

}  // namespace ocp_mock::http
