// The bytes of a connection, as they are or through TLS.
// Input: a socket, and what TLS connections share. Output: the client's bytes, and what became of those sent to it.
// Never blocks. The first byte tells whether the client speaks TLS, so that one which speaks plain HTTP to an HTTPS
// server can be told so. Thread safety: none; belongs to the thread of its connection.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <memory>
#include <string>

#include "http/socket.h"
#include "http/tls.h"

struct ssl_st;

namespace ocp_mock::http {

class Stream {
 public:
  // What receive() and send() return in place of a number of bytes.
  static constexpr ssize_t kBlocked = -1;  // try again when the socket is ready
  static constexpr ssize_t kFailed = -2;   // the connection is over
  static constexpr ssize_t kNotTls = -3;   // the client speaks no TLS; from now on the stream does not either
  static constexpr ssize_t kTls = -4;      // the client speaks TLS to a stream without

  // TLS if there is a context, which must outlive the stream.
  Stream(Descriptor socket, const TlsContext* tls);
  Stream(Stream&&) = default;
  ~Stream();

  int descriptor() const { return socket_.get(); }

  // How many bytes came, 0 after the last one. The buffer must hold a whole record of TLS, 16 KiB, so that none is left
  // where epoll cannot see it.
  ssize_t receive(char* buffer, std::size_t size);

  ssize_t send(const char* bytes, std::size_t size);

  // Tells the client that nothing more will come.
  void finish();

  // From now on the stream ends like one that broke: over TLS, without TLS's own end.
  void break_off();

  // Makes the end of the stream a TCP reset, which overtakes what the client has not read yet.
  void reset();

  // Bytes have come that were not received. A socket that is closed with such bytes is reset.
  bool has_unread() const;

  // TLS has begun and no request can come yet.
  bool in_handshake() const { return session_ && !established_; }

  // receive() is blocked until the socket takes bytes.
  bool waits_to_write() const { return waits_to_write_; }

  // What the client has done, as far as the kernel knows.
  enum class Client {
    Open,
    Shut,  // sends nothing more; whether it still reads is not known
    Gone,  // has reset the connection, or has answered bytes by a reset
  };
  Client client() const;

  // Bytes that were sent and that the client has not taken yet.
  std::size_t unacknowledged() const;

  // Why TLS failed, as a sentence for a log; empty if it did not.
  const std::string& failure() const { return failure_; }

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };

  ssize_t begin_tls();
  ssize_t outcome(int result);
  void say_goodbye();

  Descriptor socket_;
  const TlsContext* tls_;                  // null for plain bytes
  std::unique_ptr<ssl_st, Free> session_;  // null until the first byte of TLS
  bool begun_ = false;                     // plain bytes have come
  bool established_ = false;               // the handshake is over
  bool waits_to_write_ = false;
  bool broken_ = false;  // OpenSSL allows no further call
  std::string failure_;
};

}  // namespace ocp_mock::http
