#include "http/paced_response.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ocp_mock::http {
namespace {

// Longer times would not fit into those of the clock.
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);

constexpr const char* kTransferEncoding = "Transfer-Encoding";

}  // namespace

bool is_default(const WireBehavior& wire) {
  return wire.fault == WireBehavior::Fault::None && !wire.truncate_at && wire.dribble_chunks == 0;
}

bool has_head(WireBehavior::Fault fault) {
  return fault == WireBehavior::Fault::None || fault == WireBehavior::Fault::MalformedChunk;
}

PacedResponse::PacedResponse(Response response, bool head_only, bool http_1_0) : response_(std::move(response)) {
  using Fault = WireBehavior::Fault;
  const Fault fault = response_.wire.fault;
  has_head_ = http::has_head(fault);
  switch (fault) {
    case Fault::None: dribble_or_truncate(head_only, http_1_0); break;
    case Fault::ResetConnection: close_mode_ = CloseMode::Reset; break;
    case Fault::EmptyResponse: close_mode_ = CloseMode::Close; break;
    case Fault::MalformedChunk:
      response_.headers.add(kTransferEncoding, "chunked");
      if (!head_only) replace_body(kMalformedChunk);
      close_mode_ = CloseMode::Close;
      break;
    case Fault::RandomData:
      replace_body(kRandomData);
      close_mode_ = CloseMode::Close;
      break;
  }
}

void PacedResponse::dribble_or_truncate(bool head_only, bool http_1_0) {
  const WireBehavior& wire = response_.wire;
  const std::size_t whole = head_only ? 0 : response_.body.size();
  size_ = std::min(wire.truncate_at.value_or(whole), whole);
  if (size_ < whole) close_mode_ = CloseMode::BreakOff;
  // An empty chunk would be the last.
  pieces_ = std::min(std::max<std::size_t>(wire.dribble_chunks, 1), size_);
  if (wire.dribble_chunks == 0 || pieces_ == 0) return;
  time_ = std::clamp(wire.dribble_time, std::chrono::milliseconds{0}, kLongest);
  chunked_ = size_ == whole && !http_1_0;
  if (chunked_) response_.headers.add(kTransferEncoding, "chunked");
}

void PacedResponse::replace_body(std::string_view bytes) {
  response_.body = bytes;
  size_ = bytes.size();
  pieces_ = 1;
}

std::chrono::milliseconds PacedResponse::next_time() const {
  const auto count = static_cast<std::chrono::milliseconds::rep>(pieces_);
  const auto number = static_cast<std::chrono::milliseconds::rep>(next_) + 1;
  return time_ / count * number + time_ % count * number / count;
}

// Pieces differ by a byte at most, the larger ones first.
std::size_t PacedResponse::begin_of(std::size_t piece) const {
  return pieces_ == 0 ? 0 : size_ / pieces_ * piece + std::min(piece, size_ % pieces_);
}

std::string PacedResponse::piece(std::size_t number) const {
  const std::size_t begin = begin_of(number);
  const std::size_t size = begin_of(number + 1) - begin;
  std::string bytes = response_.body.substr(begin, size);
  if (!chunked_) return bytes;
  const std::string_view last = number + 1 == pieces_ ? "0\r\n\r\n" : "";
  return fmt::format("{:x}\r\n{}\r\n{}", size, bytes, last);
}

void PacedResponse::take(std::string& out) { out.append(piece(next_++), std::exchange(ahead_, 0)); }

bool PacedResponse::take_byte(std::string& out) {
  const std::string bytes = piece(next_);
  if (ahead_ != 0 && ahead_ + 1 >= bytes.size()) return false;
  out += bytes[ahead_++];
  return true;
}

}  // namespace ocp_mock::http
