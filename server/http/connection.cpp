#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

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
  if (later_ && !later_->was_tested()) events |= EPOLLRDHUP;
  return events;
}

bool Connection::takes_requests() const {
  return phase_ == Phase::Open && !later_ && unparsed_.empty() && unsent() <= kMaximumUnsent;
}

bool Connection::on_readable(Service& service, SteadyTime now) {
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
    parser_.fail(got == Stream::kTls ? Defect::Tls : Defect::PlainHttp);
    process({}, service);
    return flush(service, now);
  }
  if (got == 0) {
    // The client sends nothing more, but may wait for answers.
    input_ended_ = true;
    phase_ = Phase::Finishing;
    return flush(service, now);
  }
  process({buffer.data(), static_cast<std::size_t>(got)}, service);
  return flush(service, now);
}

bool Connection::on_writable(Service& service, SteadyTime now) {
  return stream_.waits_to_write() && unsent() == 0 ? on_readable(service, now) : flush(service, now);
}

void Connection::on_hangup() {
  // Why TLS failed may still be there to be read.
  std::array<char, 16384> buffer;
  if (stream_.in_handshake()) stream_.receive(buffer.data(), buffer.size());
}

bool Connection::on_tick(Service& service, SteadyTime now) {
  if (now < deadline_) return true;
  if (deadline_kind_ == Deadline::Write && stream_.unacknowledged() < unacknowledged_) {
    await_write(now);
    return true;
  }
  if (phase_ != Phase::Open || unsent() != 0 || parser_.idle()) return false;
  parser_.fail(Defect::Timeout);
  process({}, service);
  return flush(service, now);
}

bool Connection::on_timer(Service& service, SteadyTime now) {
  if (later_ && later_->next_test <= now) send_early(now);
  return flush(service, now);
}

bool Connection::on_ready(Service& service, SteadyTime now) {
  // The call may have been meant for an earlier answer.
  if (!later_ || !later_->pending || !later_->pending->ready()) return true;
  // A client that has left before is not answered, even if the event that says so comes only after this one.
  if (stream_.client() != Stream::Client::Open && !on_shut(service, now)) return false;
  const Asked asked = later_->asked;
  const std::shared_ptr<Pending> pending = std::move(later_->pending);
  later_.reset();
  respond(made_by([&] { return pending->finish(); }), asked, service);
  return flush(service, now);
}

bool Connection::on_shut(Service& service, SteadyTime now) {
  if (later_ && !later_->was_tested()) {
    if (later_->pending && !later_->pending->has_head()) return false;
    send_early(now);
    if (!flush(service, now)) return false;
  }
  // Over loopback the reset is there already.
  return stream_.client() != Stream::Client::Gone;
}

// Puts the next byte of the answer into out_, if it may leave before its time.
void Connection::send_early(SteadyTime now) {
  Later& later = *later_;
  bool is_more = false;
  if (later.departure) {
    is_more = !later.departure->done() && later.departure->take_byte(out_);
  } else if (later.asked.begun < kHeadBegin.size()) {
    out_ += kHeadBegin[later.asked.begun++];
    is_more = true;
  }
  later.test_interval = std::max<SteadyTime::duration>(later.test_interval * 2, kFirstTestInterval);
  later.next_test = is_more ? now + later.test_interval : SteadyTime::max();
}

bool Connection::stop(Service& service, SteadyTime now) {
  stopping_ = true;
  if (later_ && later_->departure && !flush(service, now)) return false;
  // A request that has arrived but was not read yet counts as in flight.
  if (takes_requests() && !on_readable(service, now)) return false;
  const bool idle = phase_ == Phase::Open && parser_.idle() && !later_ && unparsed_.empty() && unsent() == 0;
  return !idle;
}

std::optional<SteadyTime> Connection::timer() const {
  // A client that does not take its bytes gets no further ones for now.
  if (!later_ || unsent() != 0) return std::nullopt;
  SteadyTime next = later_->next_test;
  if (later_->departure && !later_->departure->done()) {
    next = std::min(next, later_->start + later_->departure->next_time());
  }
  return next == SteadyTime::max() ? std::nullopt : std::optional(next);
}

// Answers the requests in the bytes, as far as the client takes answers; the rest waits in unparsed_.
void Connection::process(std::string_view bytes, Service& service) {
  if (out_.capacity() < service.spare.capacity() && out_.empty()) out_.swap(service.spare);
  while (phase_ == Phase::Open && !later_) {
    if (!parser_.complete()) {
      if (bytes.empty()) break;
      bytes.remove_prefix(parser_.feed(bytes));
    }
    if (parser_.wants_continue()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    if (!parser_.complete()) continue;

    Asked asked{false, parser_.is_http_1_0(), parser_.keep_alive()};
    asked.head_only = parser_.request().method == "HEAD";
    linger_ = parser_.request().defect.has_value();
    Response response = made_by([&] { return service.handler(parser_.request()); });
    parser_.next();
    respond(std::move(response), asked, service);
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
void Connection::respond(Response response, const Asked& asked, Service& service) {
  while (response.pending) {
    later_ = std::make_unique<Later>(asked);
    later_->pending = std::move(response.pending);
    if (!later_->pending->await(service.waker(id_))) return;
    const std::shared_ptr<Pending> pending = std::move(later_->pending);
    later_.reset();
    response = made_by([&] { return pending->finish(); });
  }
  const bool keep = asked.keep_alive && !stopping_;
  const Persistence persistence = !keep            ? Persistence::Close
                                  : asked.http_1_0 ? Persistence::KeepAliveHttp10
                                                   : Persistence::KeepAlive;
  if (!keep) close_after_answer();
  const std::size_t begin = out_.size();
  if (leaves_whole(response.delivery)) {
    service.writer.write(response, asked.head_only ? Part::Head : Part::Whole, persistence, out_);
    out_.erase(begin, asked.begun);
    tell(response.on_departed, true, asked.head_only ? 0 : response.body.size());
    return;
  }
  later_ = std::make_unique<Later>(asked);
  later_->on_departed = std::move(response.on_departed);
  const Departure& departure = later_->departure.emplace(std::move(response), asked.head_only, asked.http_1_0);
  if (departure.has_head()) service.writer.write(departure.response(), Part::Head, persistence, out_);
  out_.erase(begin, asked.begun);
  // The time of the event is that of its batch, and a piece must not leave too early.
  later_->start = SteadyTime::clock::now();
  if (departure.done()) later_->settle(true);
}

// An idle connection holds no memory for answers.
void Connection::return_buffer(Service& service) {
  if (out_.capacity() > service.spare.capacity() && out_.capacity() <= kKeptCapacity) out_.swap(service.spare);
  std::string().swap(out_);
}

bool Connection::flush(Service& service, SteadyTime now) {
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
    return_buffer(service);
    if (later_) {
      if (later_->departure) take_due_pieces(now);
      if (unsent() != 0) continue;
      if (!later_->departure || !later_->departure->done()) {
        // How long it takes is the handler's affair.
        set_deadline(Deadline::None, SteadyTime::max());
        return true;
      }
      if (!end_departure()) return false;
    }
    if (unparsed_.empty() || phase_ != Phase::Open) break;
    const std::string rest = std::exchange(unparsed_, {});
    process(rest, service);
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
  Departure& departure = *later_->departure;
  const auto elapsed = std::max(now - later_->start, SteadyTime::duration::zero());
  while (!departure.done() && (stopping_ || departure.next_time() <= elapsed)) departure.take(out_);
  // Before the client can have all of it.
  if (departure.done()) later_->settle(true);
}

void Connection::Later::settle(bool whole) noexcept {
  tell(std::exchange(on_departed, nullptr), whole, departure ? departure->body_taken() : 0);
}

// False if the connection is over.
bool Connection::end_departure() {
  const Ending ending = later_->departure->ending();
  later_.reset();
  if (ending == Ending::Reset) {
    stream_.reset();
    return false;
  }
  if (ending == Ending::BreakOff) stream_.break_off();
  if (ending != Ending::AsPromised) close_after_answer();
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
