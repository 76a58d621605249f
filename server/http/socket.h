// File descriptors, and the listening sockets of a server.
// Input: a host and a port. Output: addresses, sockets that accept connections, and messages about those that do not.
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

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

// An IP address as text, "127.0.0.1" or "::1". An IPv4 address that an IPv6 socket has accepted has its IPv4 form.
// Empty for other families.
std::string address_text(const sockaddr_storage& address);

// The port of an address of IPv4 or IPv6.
int port_of(const sockaddr_storage& address);

// The addresses of a host, in the order of the system's resolver, none twice. The host is a name or an IP address; one
// of IPv6 may stand in brackets, as in a URL. Throws std::runtime_error with one sentence that names the host.
std::vector<sockaddr_storage> addresses_of(const std::string& host);

// One port of all addresses of a host, which may not listen yet.
class Listener {
 public:
  // Port 0 takes one that is free on all addresses. An address that this machine does not have, perhaps because it has
  // no IPv6, is passed over, unless no other is left. A port on which another process listens cannot be had. The host
  // only names the addresses in messages. Throws std::runtime_error with one sentence that names host, address and
  // port.
  Listener(const std::string& host, int port, const std::vector<sockaddr_storage>& addresses);

  // Accepts connections from now on; the descriptors do not block. Throws as above, if another process has been quicker
  // to listen.
  void listen();

  std::size_t size() const { return sockets_.size(); }
  int descriptor(std::size_t index) const { return sockets_[index].descriptor.get(); }
  int port() const { return port_; }

  // The addresses that it holds, as text.
  std::vector<std::string> hosts() const;

  // Where a client on this machine finds the first address, "127.0.0.1:8080".
  const std::string& authority() const { return authority_; }

  // Whether only this machine reaches it: all addresses that were taken are of the loopback network.
  bool is_loopback() const { return is_loopback_; }

  // A sentence for each address that was passed over.
  const std::vector<std::string>& passed_over() const { return passed_over_; }

 private:
  struct Socket {
    Descriptor descriptor;
    std::string place;  // "port 8080 of host localhost (127.0.0.1)"
  };

  bool take(const std::string& host, int port, const std::vector<sockaddr_storage>& addresses, bool may_try_again);

  std::vector<Socket> sockets_;
  std::vector<std::string> passed_over_;
  int port_ = 0;
  std::string authority_;
  bool is_loopback_ = true;
};

}  // namespace ocp_mock::http
