#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace ocp_mock::http {
namespace {

// A client that sends requests and reads no answers is read no further.
constexpr std::size_t kMaximumUnsent = 1024 * 1024;
constexpr std::size_t kKeptCapacity = 16 * 1024;

}  // namespace

Connection::Connection(Stream stream, const Limits& limits, SteadyTime now)
    : stream_(std::move(stream)), limits_(limits), parser_(limits.parser), deadline_(now + limits.idle_time) {
  const int on = 1;
  ::setsockopt(descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

unsigned Connection::interest() const {
  unsigned events = 0;
  if (unsent() != 0 || stream_.waits_to_write()) events |= EPOLLOUT;
  // What TLS must write first comes before what it could read.
  const bool reads = phase_ == Phase::Lingering || (takes_requests() && !stream_.waits_to_write());
  if (reads && !input_ended_) events |= EPOLLIN;
  return events;
}

bool Connection::takes_requests() const {
  return phase_ == Phase::Open && pending_.empty() && unsent() <= kMaximumUnsent;
}

bool Connection::on_readable(ResponseWriter& writer, SteadyTime now) {
  if (phase_ == Phase::Lingering) return drain();
  if (!takes_requests()) return true;

  std::array<char, 65536> buffer;
  const ssize_t got = stream_.receive(buffer.data(), buffer.size());
  if (got == Stream::kFailed) return false;
  if (got == Stream::kBlocked) {
    if (unsent() == 0) choose_deadline(now);
    return true;
  }
  if (got == Stream::kNotTls) {
    parser_.fail(Defect::PlainHttp);
    process({}, writer);
    return flush(writer, now);
  }
  if (got == 0) {
    // The client sends nothing more, but may wait for answers.
    input_ended_ = true;
    phase_ = Phase::Finishing;
    return flush(writer, now);
  }
  process({buffer.data(), static_cast<std::size_t>(got)}, writer);
  return flush(writer, now);
}

bool Connection::on_writable(ResponseWriter& writer, SteadyTime now) {
  return stream_.waits_to_write() && unsent() == 0 ? on_readable(writer, now) : flush(writer, now);
}

void Connection::on_hangup() {
  // Why TLS failed may still be there to be read.
  std::array<char, 16384> buffer;
  if (stream_.in_handshake()) stream_.receive(buffer.data(), buffer.size());
}

bool Connection::on_tick(ResponseWriter& writer, SteadyTime now) {
  if (now < deadline_) return true;
  if (deadline_kind_ == Deadline::Write && stream_.unacknowledged() < unacknowledged_) {
    await_write(now);
    return true;
  }
  if (phase_ != Phase::Open || unsent() != 0 || parser_.idle()) return false;
  parser_.fail(Defect::Timeout);
  process({}, writer);
  return flush(writer, now);
}

bool Connection::stop(ResponseWriter& writer, SteadyTime now) {
  stopping_ = true;
  // A request that has arrived but was not read yet counts as in flight.
  if (takes_requests() && !on_readable(writer, now)) return false;
  const bool idle = phase_ == Phase::Open && parser_.idle() && pending_.empty() && unsent() == 0;
  return !idle;
}

// Answers the requests in the bytes, as far as the client takes answers; the rest waits in pending_.
void Connection::process(std::string_view bytes, ResponseWriter& writer) {
  while (phase_ == Phase::Open) {
    if (!parser_.complete()) {
      if (bytes.empty()) break;
      bytes.remove_prefix(parser_.feed(bytes));
    }
    if (parser_.wants_continue()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    if (!parser_.complete()) continue;

    const bool keep = parser_.keep_alive() && !stopping_;
    const bool http_1_0 = parser_.is_http_1_0();
    const Request request = parser_.take();
    writer.answer(request,
                  !keep      ? Persistence::Close
                  : http_1_0 ? Persistence::KeepAliveHttp10
                             : Persistence::KeepAlive,
                  out_);
    deadline_kind_ = Deadline::None;
    if (!keep) {
      phase_ = Phase::Finishing;
      linger_ = request.defect.has_value() || !bytes.empty();
    }
    if (unsent() > kMaximumUnsent) break;
  }
  if (phase_ == Phase::Open) pending_.assign(bytes);
}

bool Connection::flush(ResponseWriter& writer, SteadyTime now) {
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
    if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
    if (pending_.empty() || phase_ != Phase::Open) break;
    const std::string rest = std::exchange(pending_, {});
    process(rest, writer);
  }
  if (phase_ == Phase::Finishing) {
    // A socket that is closed while bytes arrive is reset, and the reset can overtake the answer.
    if (input_ended_ || !linger_) return false;
    stream_.finish();
    phase_ = Phase::Lingering;
    set_deadline(Deadline::Linger, now + limits_.linger_time);
    return true;
  }
  if (stopping_ && parser_.idle()) return false;
  choose_deadline(now);
  return true;
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
