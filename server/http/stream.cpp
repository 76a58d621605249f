#include "http/stream.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

namespace ocp_mock::http {
namespace {

// The type of the record that a TLS client begins with (RFC 8446, 5.1). No HTTP begins so.
constexpr char kHandshakeRecord = 0x16;

ssize_t plain_outcome(ssize_t count) {
  if (count >= 0) return count;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Stream::kBlocked : Stream::kFailed;
}

int int_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

}  // namespace

void Stream::Free::operator()(ssl_st* session) const { SSL_free(session); }

Stream::Stream(Descriptor socket, const TlsContext* tls) : socket_(std::move(socket)), tls_(tls) {}

Stream::~Stream() { say_goodbye(); }

ssize_t Stream::receive(char* buffer, std::size_t size) {
  if (tls_ != nullptr && !session_) {
    if (const ssize_t begun = begin_tls(); begun <= 0) return begun;
  }
  if (!session_) {
    const ssize_t count = plain_outcome(::recv(socket_.get(), buffer, size, 0));
    if (count <= 0 || std::exchange(begun_, true) || buffer[0] != kHandshakeRecord) return count;
    failure_ = "a client has spoken TLS to this port, which speaks plain HTTP; its URL must begin with http://";
    return kTls;
  }
  if (broken_) return kFailed;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_read(session_.get(), buffer, int_size(size)));
}

ssize_t Stream::send(const char* bytes, std::size_t size) {
  if (!session_) return plain_outcome(::send(socket_.get(), bytes, size, MSG_NOSIGNAL));
  if (broken_) return kFailed;
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_write(session_.get(), bytes, int_size(size)));
}

void Stream::finish() {
  say_goodbye();
  ::shutdown(socket_.get(), SHUT_WR);
}

void Stream::break_off() { broken_ = true; }

void Stream::reset() {
  break_off();
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool Stream::has_unread() const {
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

Stream::Client Stream::client() const {
  pollfd entry{socket_.get(), POLLRDHUP, 0};
  if (::poll(&entry, 1, 0) <= 0) return Client::Open;
  return (entry.revents & (POLLERR | POLLHUP)) != 0 ? Client::Gone : Client::Shut;
}

std::size_t Stream::unacknowledged() const {
  int bytes = 0;
  return ::ioctl(socket_.get(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

// 1 once the client has sent a byte of TLS.
ssize_t Stream::begin_tls() {
  char first = 0;
  const ssize_t count = plain_outcome(::recv(socket_.get(), &first, 1, MSG_PEEK));
  if (count <= 0) return count;
  if (first != kHandshakeRecord) {
    tls_ = nullptr;
    return kNotTls;
  }
  session_.reset(SSL_new(tls_->get()));
  if (!session_ || SSL_set_fd(session_.get(), socket_.get()) != 1) throw std::bad_alloc();
  SSL_set_accept_state(session_.get());
  return 1;
}

// What SSL_read or SSL_write have returned, as this class does.
ssize_t Stream::outcome(int result) {
  const int saved_errno = errno;
  waits_to_write_ = false;
  established_ = established_ || SSL_is_init_finished(session_.get()) == 1;
  if (result > 0) return result;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_WANT_READ: return kBlocked;
    case SSL_ERROR_WANT_WRITE: waits_to_write_ = true; return kBlocked;
    default: break;
  }
  if (in_handshake()) {
    // The last is that of TLS; of others, such as elliptic curves', a release build has no texts.
    const unsigned long error = ERR_peek_last_error();
    const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
    failure_ = "a TLS handshake failed: ";
    failure_ += reason != nullptr  ? reason
                : error != 0       ? "OpenSSL refuses what the client sent"
                : saved_errno != 0 ? "the client hung up"
                                   : "the client closed the connection";
  }
  broken_ = true;
  return kFailed;
}

// TLS tells an end from a break by this.
void Stream::say_goodbye() {
  if (!session_ || broken_ || in_handshake()) return;
  ERR_clear_error();
  SSL_shutdown(session_.get());
  broken_ = true;
}

}  // namespace ocp_mock::http
