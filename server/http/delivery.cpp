#include "http/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ocp_mock::http {
namespace {

// Longer times would not fit into those of the clock.
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);

constexpr const char* kTransferEncoding = "Transfer-Encoding";

}  // namespace

bool leaves_whole(const Delivery& delivery) {
  return delivery.fault == Delivery::Fault::None && !delivery.truncate_at && delivery.dribble_chunks == 0;
}

bool has_head(Delivery::Fault fault) {
  return fault == Delivery::Fault::None || fault == Delivery::Fault::MalformedChunk;
}

Departure::Departure(Response response, bool head_only, bool http_1_0) : response_(std::move(response)) {
  using Fault = Delivery::Fault;
  const Fault fault = response_.delivery.fault;
  has_head_ = http::has_head(fault);
  switch (fault) {
    case Fault::None: dribble_or_truncate(head_only, http_1_0); break;
    case Fault::ResetConnection: ending_ = Ending::Reset; break;
    case Fault::EmptyResponse: ending_ = Ending::Close; break;
    case Fault::MalformedChunk:
      response_.headers.add(kTransferEncoding, "chunked");
      if (!head_only) replace_body(kMalformedChunk);
      ending_ = Ending::Close;
      break;
    case Fault::RandomData:
      replace_body(kRandomData);
      ending_ = Ending::Close;
      break;
  }
}

void Departure::dribble_or_truncate(bool head_only, bool http_1_0) {
  const Delivery& delivery = response_.delivery;
  const std::size_t whole = head_only ? 0 : response_.body.size();
  size_ = std::min(delivery.truncate_at.value_or(whole), whole);
  if (size_ < whole) ending_ = Ending::BreakOff;
  // An empty chunk would be the last.
  pieces_ = std::min(std::max<std::size_t>(delivery.dribble_chunks, 1), size_);
  if (delivery.dribble_chunks == 0 || pieces_ == 0) return;
  time_ = std::clamp(delivery.dribble_time, std::chrono::milliseconds{0}, kLongest);
  chunked_ = size_ == whole && !http_1_0;
  if (chunked_) response_.headers.add(kTransferEncoding, "chunked");
}

void Departure::replace_body(std::string_view bytes) {
  response_.body = bytes;
  size_ = bytes.size();
  pieces_ = 1;
}

std::chrono::milliseconds Departure::next_time() const {
  const auto count = static_cast<std::chrono::milliseconds::rep>(pieces_);
  const auto number = static_cast<std::chrono::milliseconds::rep>(next_) + 1;
  return time_ / count * number + time_ % count * number / count;
}

// Pieces differ by a byte at most, the larger ones first.
std::size_t Departure::begin_of(std::size_t piece) const {
  return pieces_ == 0 ? 0 : size_ / pieces_ * piece + std::min(piece, size_ % pieces_);
}

std::string Departure::piece(std::size_t number) const {
  const std::size_t begin = begin_of(number);
  const std::size_t size = begin_of(number + 1) - begin;
  std::string bytes = response_.body.substr(begin, size);
  if (!chunked_) return bytes;
  const std::string_view last = number + 1 == pieces_ ? "0\r\n\r\n" : "";
  return fmt::format("{:x}\r\n{}\r\n{}", size, bytes, last);
}

void Departure::take(std::string& out) { out.append(piece(next_++), std::exchange(ahead_, 0)); }

bool Departure::take_byte(std::string& out) {
  const std::string bytes = piece(next_);
  if (ahead_ != 0 && ahead_ + 1 >= bytes.size()) return false;
  out += bytes[ahead_++];
  return true;
}

}  // namespace ocp_mock::http
