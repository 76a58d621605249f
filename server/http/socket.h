// File descriptors and the socket of a server.
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>

namespace ocp_mock::http {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor();

  int get() const { return value_; }

 private:
  int value_ = -1;
};

// The IP address of a socket's end as text, "127.0.0.1" or "::1". An IPv4 address that an IPv6 socket has accepted has
// its IPv4 form. Empty for other families.
std::string address_text(const sockaddr_storage& address);

// A TCP socket with an address, which may not listen yet.
class ServerSocket {
 public:
  // Takes the first address of the host that this machine has. Port 0 takes a free one. A port on which another process
  // listens cannot be had. Throws std::runtime_error with one sentence that names host and port.
  ServerSocket(const std::string& host, int port);

  // Accepts connections from now on; the descriptor does not block. Throws as above, if another process has been
  // quicker to listen.
  void listen();

  int descriptor() const { return descriptor_.get(); }
  int port() const { return port_; }

  // Where a client on this machine finds it, "127.0.0.1:8080".
  const std::string& authority() const { return authority_; }

 private:
  Descriptor descriptor_;
  std::string host_;
  int port_ = 0;
  std::string authority_;
};

}  // namespace ocp_mock::http
