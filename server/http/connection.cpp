#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "http/response_writer.h"

namespace ocp_mock::http {
namespace {

// A client that sends requests and reads no answers is read no further.
constexpr std::size_t kMaximumUnsent = 1024 * 1024;
constexpr std::size_t kKeptCapacity = 64 * 1024;  // of the buffer that the connections of a loop share

// Between the first two bytes that a client is sent early; each interval is twice the one before.
constexpr std::chrono::milliseconds kFirstTestInterval{10};

// A handler that throws in spite of its contract; the exception's text is nothing for a client.
template <typename Make>
Response made_by(const Make& make) {
  try {
    return make();
  } catch (...) {
    return {.status = 500};
  }
}

// Nothing depends on it here, should it fail.
void tell(const std::function<void(bool, std::size_t)>& on_departed, bool whole, std::size_t body_bytes) noexcept {
  try {
    if (on_departed) on_departed(whole, body_bytes);
  } catch (...) {
  }
}

}  // namespace

Connection::Connection(WatchId id, Stream stream, std::string peer, const Limits& limits, SteadyTime now)
    : id_(id),
      stream_(std::move(stream)),
      limits_(limits),
      parser_(limits.parser, std::move(peer)),
      deadline_(now + limits.idle_time) {
  const int on = 1;
  ::setsockopt(descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

unsigned Connection::interest() const {
  unsigned events = 0;
  if (unsent() != 0 || stream_.waits_to_write()) events |= EPOLLOUT;
  // What TLS must write first comes before what it could read.
  const bool reads = phase_ == Phase::Lingering || (takes_requests() && !stream_.waits_to_write());
  if (reads && !input_ended_) events |= EPOLLIN;
  if (partial_ && partial_->awaits_test()) events |= EPOLLRDHUP;
  return events;
}

bool Connection::takes_requests() const {
  return phase_ == Phase::Open && !partial_ && unparsed_.empty() && unsent() <= kMaximumUnsent;
}

bool Connection::on_readable(LoopContext& loop, SteadyTime now) {
  if (phase_ == Phase::Lingering) return drain();
  if (!takes_requests()) return true;

  std::array<char, 65536> buffer;
  const ssize_t got = stream_.receive(buffer.data(), buffer.size());
  if (got == Stream::kFailed) return false;
  if (got == Stream::kBlocked) {
    if (unsent() == 0) choose_deadline(now);
    return true;
  }
  if (got == Stream::kNotTls || got == Stream::kTls) {
    parser_.fail(got == Stream::kTls ? ParseError::Tls : ParseError::PlainHttp);
    process({}, loop);
    return flush(loop, now);
  }
  if (got == 0) {
    // The client sends nothing more, but may wait for answers.
    input_ended_ = true;
    phase_ = Phase::Finishing;
    return flush(loop, now);
  }
  process({buffer.data(), static_cast<std::size_t>(got)}, loop);
  return flush(loop, now);
}

bool Connection::on_writable(LoopContext& loop, SteadyTime now) {
  return stream_.waits_to_write() && unsent() == 0 ? on_readable(loop, now) : flush(loop, now);
}

void Connection::on_hangup() {
  // Why TLS failed may still be there to be read.
  std::array<char, 16384> buffer;
  if (stream_.in_handshake()) stream_.receive(buffer.data(), buffer.size());
}

bool Connection::on_tick(LoopContext& loop, SteadyTime now) {
  if (now < deadline_) return true;
  if (deadline_kind_ == Deadline::Write && stream_.unacknowledged() < unacknowledged_) {
    await_write(now);
    return true;
  }
  if (phase_ != Phase::Open || unsent() != 0 || parser_.idle()) return false;
  parser_.fail(ParseError::Timeout);
  process({}, loop);
  return flush(loop, now);
}

bool Connection::on_timer(LoopContext& loop, SteadyTime now) {
  if (partial_ && partial_->next_test <= now) send_early(now);
  return flush(loop, now);
}

bool Connection::on_ready(LoopContext& loop, SteadyTime now) {
  // The call may have been meant for an earlier answer.
  if (!partial_ || !partial_->deferred || !partial_->deferred->is_complete()) return true;
  // A client that has left before is not answered, even if the event that says so comes only after this one.
  if (stream_.client() != Stream::Client::Open && !on_shut(loop, now)) return false;
  const RequestTraits traits = partial_->traits;
  const std::shared_ptr<DeferredResponse> deferred = std::move(partial_->deferred);
  partial_.reset();
  respond(made_by([&] { return deferred->take(); }), traits, loop);
  return flush(loop, now);
}

bool Connection::on_shut(LoopContext& loop, SteadyTime now) {
  if (partial_ && partial_->awaits_test()) {
    if (partial_->deferred && partial_->deferred->has_head() == false) return false;
    send_early(now);
    if (!flush(loop, now)) return false;
  }
  // Over loopback the reset is there already.
  return stream_.client() != Stream::Client::Gone;
}

// Puts the next byte of the answer into out_, if it may leave before its time.
void Connection::send_early(SteadyTime now) {
  PartialResponse& partial = *partial_;
  bool is_more = false;
  if (partial.paced) {
    is_more = !partial.paced->done() && partial.paced->take_byte(out_);
  } else if (partial.traits.begun < kHeadBegin.size()) {
    out_ += kHeadBegin[partial.traits.begun++];
    is_more = true;
  }
  partial.test_interval = std::max<SteadyTime::duration>(partial.test_interval * 2, kFirstTestInterval);
  partial.next_test = is_more ? now + partial.test_interval : SteadyTime::max();
}

bool Connection::stop(LoopContext& loop, SteadyTime now) {
  stopping_ = true;
  if (partial_ && partial_->paced && !flush(loop, now)) return false;
  // A request that has arrived but was not read yet counts as in flight.
  if (takes_requests() && !on_readable(loop, now)) return false;
  const bool idle = phase_ == Phase::Open && parser_.idle() && !partial_ && unparsed_.empty() && unsent() == 0;
  return !idle;
}

std::optional<SteadyTime> Connection::timer() const {
  // A client that does not take its bytes gets no further ones for now.
  if (!partial_ || unsent() != 0) return std::nullopt;
  SteadyTime next = partial_->next_test;
  if (partial_->paced && !partial_->paced->done()) {
    next = std::min(next, partial_->start + partial_->paced->next_time());
  }
  return next == SteadyTime::max() ? std::nullopt : std::optional(next);
}

// Answers the requests in the bytes, as far as the client takes answers; the rest waits in unparsed_.
void Connection::process(std::string_view bytes, LoopContext& loop) {
  if (out_.capacity() < loop.spare.capacity() && out_.empty()) out_.swap(loop.spare);
  while (phase_ == Phase::Open && !partial_) {
    if (!parser_.complete()) {
      if (bytes.empty()) break;
      bytes.remove_prefix(parser_.feed(bytes));
    }
    if (parser_.wants_continue()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    if (!parser_.complete()) continue;

    RequestTraits traits{false, parser_.is_http_1_0(), parser_.keep_alive()};
    traits.head_only = parser_.request().method == "HEAD";
    linger_ = parser_.request().parse_error.has_value();
    Response response = made_by([&] { return loop.handler(parser_.request()); });
    parser_.next();
    respond(std::move(response), traits, loop);
    deadline_kind_ = Deadline::None;
    if (unsent() > kMaximumUnsent) break;
  }
  if (phase_ == Phase::Open) {
    unparsed_.assign(bytes);
  } else {
    linger_ = linger_ || !bytes.empty();
  }
}

// Writes the answer to out_, or as much of it as there is.
void Connection::respond(Response response, const RequestTraits& traits, LoopContext& loop) {
  while (response.deferred) {
    partial_ = std::make_unique<PartialResponse>(traits);
    partial_->deferred = std::move(response.deferred);
    if (!partial_->deferred->on_complete(loop.waker(id_))) return;
    const std::shared_ptr<DeferredResponse> deferred = std::move(partial_->deferred);
    partial_.reset();
    response = made_by([&] { return deferred->take(); });
  }
  const bool keep = traits.keep_alive && !stopping_;
  const ConnectionMode mode = !keep             ? ConnectionMode::Close
                              : traits.http_1_0 ? ConnectionMode::KeepAliveHttp10
                                                : ConnectionMode::KeepAlive;
  if (!keep) close_after_answer();
  const std::size_t begin = out_.size();
  if (is_default(response.wire)) {
    write_response(response, traits.head_only ? Part::HeadOnly : Part::Whole, mode, out_);
    out_.erase(begin, traits.begun);
    tell(response.on_departed, true, traits.head_only ? 0 : response.body.size());
    return;
  }
  partial_ = std::make_unique<PartialResponse>(traits);
  partial_->on_departed = std::move(response.on_departed);
  const PacedResponse& paced = partial_->paced.emplace(std::move(response), traits.head_only, traits.http_1_0);
  if (paced.has_head()) write_response(paced.response(), Part::HeadOnly, mode, out_);
  out_.erase(begin, traits.begun);
  // The time of the event is that of its batch, and a piece must not leave too early.
  partial_->start = SteadyTime::clock::now();
  if (paced.done()) partial_->settle(true);
}

// An idle connection holds no memory for answers.
void Connection::return_buffer(LoopContext& loop) {
  if (out_.capacity() > loop.spare.capacity() && out_.capacity() <= kKeptCapacity) out_.swap(loop.spare);
  std::string().swap(out_);
}

bool Connection::flush(LoopContext& loop, SteadyTime now) {
  bool sent_some = false;
  for (;;) {
    while (unsent() != 0) {
      const ssize_t count = stream_.send(out_.data() + sent_, unsent());
      if (count <= 0) {
        if (count != Stream::kBlocked) return false;
        if (sent_some || deadline_kind_ != Deadline::Write) await_write(now);
        return true;
      }
      sent_ += static_cast<std::size_t>(count);
      sent_some = true;
    }
    out_.clear();
    sent_ = 0;
    return_buffer(loop);
    if (partial_) {
      if (partial_->paced) take_due_pieces(now);
      if (unsent() != 0) continue;
      if (!partial_->paced || !partial_->paced->done()) {
        // How long it takes is the handler's affair.
        set_deadline(Deadline::None, SteadyTime::max());
        return true;
      }
      if (!end_paced()) return false;
    }
    if (unparsed_.empty() || phase_ != Phase::Open) break;
    const std::string rest = std::exchange(unparsed_, {});
    process(rest, loop);
  }
  if (stopping_ && phase_ == Phase::Open && parser_.idle()) phase_ = Phase::Finishing;
  if (phase_ == Phase::Finishing) {
    // A socket that is closed while bytes arrive is reset, and the reset can overtake the answer.
    if (input_ended_ || !(linger_ || stream_.has_unread())) return false;
    stream_.finish();
    phase_ = Phase::Lingering;
    set_deadline(Deadline::Linger, now + limits_.linger_time);
    return true;
  }
  choose_deadline(now);
  return true;
}

void Connection::take_due_pieces(SteadyTime now) {
  PacedResponse& paced = *partial_->paced;
  const auto elapsed = std::max(now - partial_->start, SteadyTime::duration::zero());
  while (!paced.done() && (stopping_ || paced.next_time() <= elapsed)) paced.take(out_);
  // Before the client can have all of it.
  if (paced.done()) partial_->settle(true);
}

void Connection::PartialResponse::settle(bool whole) noexcept {
  tell(std::exchange(on_departed, nullptr), whole, paced ? paced->body_taken() : 0);
}

// False if the connection is over.
bool Connection::end_paced() {
  const CloseMode close_mode = partial_->paced->close_mode();
  partial_.reset();
  if (close_mode == CloseMode::Reset) {
    stream_.reset();
    return false;
  }
  if (close_mode == CloseMode::BreakOff) stream_.break_off();
  if (close_mode != CloseMode::AsPromised) close_after_answer();
  return true;
}

// Requests that have come after this one are not answered.
void Connection::close_after_answer() {
  phase_ = Phase::Finishing;
  linger_ = linger_ || !unparsed_.empty();
  unparsed_.clear();
}

// Throws away what a client sends after its last answer; over at its end.
bool Connection::drain() {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

// A deadline stands until what it waits for has come: a byte now and then moves none.
void Connection::choose_deadline(SteadyTime now) {
  const bool idle = !parser_.started() && !stream_.in_handshake();
  const Deadline kind = idle ? Deadline::Idle : Deadline::Request;
  if (kind != deadline_kind_) set_deadline(kind, now + (idle ? limits_.idle_time : limits_.request_time));
}

// The kernel takes bytes in bursts; the client's taking shows in what is not acknowledged.
void Connection::await_write(SteadyTime now) {
  unacknowledged_ = stream_.unacknowledged();
  set_deadline(Deadline::Write, now + limits_.write_time);
}

void Connection::set_deadline(Deadline kind, SteadyTime at) {
  deadline_kind_ = kind;
  deadline_ = at;
}

}  // namespace ocp_mock::http
