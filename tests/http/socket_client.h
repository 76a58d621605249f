// A client of a test: a blocking TCP connection that gives up after some seconds, so that no test hangs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "http/socket.h"

namespace ocp_mock::test {

inline sockaddr_storage socket_address(const std::string& address, int port) {
  sockaddr_storage storage{};
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  ipv4.sin_family = AF_INET;
  ipv6.sin6_family = AF_INET6;
  ipv4.sin_port = ipv6.sin6_port = htons(static_cast<in_port_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    std::memcpy(&storage, &ipv4, sizeof ipv4);
  } else if (::inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1) {
    std::memcpy(&storage, &ipv6, sizeof ipv6);
  } else {
    throw std::runtime_error("no IP address: " + address);
  }
  return storage;
}

// Some containers have no IPv6.
inline bool has_ipv6() {
  const http::Descriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_storage address = socket_address("::1", 0);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Waits for it, as long as a test has patience.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// Of this process: where clients and server are, each connection has two.
inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

class SocketClient {
 public:
  virtual ~SocketClient() = default;
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  explicit SocketClient(int port, const std::string& server = "127.0.0.1") {
    const sockaddr_storage address = socket_address(server, port);
    socket_ = http::Descriptor(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{20, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }

  // False if the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send_some(bytes.data(), bytes.size());
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  // Something has come, or the server has closed the connection.
  bool has_bytes() const {
    char byte = 0;
    return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

  // The server has closed or reset the connection, and nothing came before that was not read.
  bool is_over() const {
    char byte = 0;
    const ssize_t count = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && (errno == ECONNRESET || errno == EPIPE));
  }

  // How many bytes have come that were not read.
  std::size_t arrived() const {
    int bytes = 0;
    ::ioctl(socket_.get(), FIONREAD, &bytes);
    return static_cast<std::size_t>(bytes);
  }

  void shut_sending() { ::shutdown(socket_.get(), SHUT_WR); }

  // As a client does that has been told not to wait any longer.
  void close() { socket_ = http::Descriptor(); }

  // Closes with a TCP reset.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_ = http::Descriptor();
  }

  // The next bytes, so many. Throws if the connection ends before.
  std::string read_bytes(std::size_t size) {
    while (buffer_.size() < size) read_more();
    std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return bytes;
  }

  // The server resets the connection, and nothing comes before.
  bool is_reset() {
    char byte = 0;
    errno = 0;
    return receive_some(&byte, 1) < 0 && errno == ECONNRESET;
  }

  // One answer with its head, by its Content-Length. Throws if the connection ends before.
  std::string read_answer(bool with_body = true) {
    while (buffer_.find("\r\n\r\n") == std::string::npos) read_more();
    std::size_t size = buffer_.find("\r\n\r\n") + 4;
    const auto length = buffer_.find("\r\nContent-Length: ");
    if (with_body && length < size) size += std::strtoul(buffer_.c_str() + length + 18, nullptr, 10);
    while (buffer_.size() < size) read_more();
    std::string answer = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }

  // All up to the server's closing of the connection. Throws if it does not close, or resets.
  std::string read_to_end() {
    while (receive()) {
    }
    return std::move(buffer_);
  }

 protected:
  int descriptor() const { return socket_.get(); }

  // Negative for a connection that failed; a receive is 0 at the end.
  virtual ssize_t send_some(const char* bytes, std::size_t size) {
    return ::send(socket_.get(), bytes, size, MSG_NOSIGNAL);
  }
  virtual ssize_t receive_some(char* bytes, std::size_t size) { return ::recv(socket_.get(), bytes, size, 0); }

 private:
  void read_more() {
    if (!receive()) throw std::runtime_error("the connection ended after: " + buffer_);
  }

  bool receive() {
    char bytes[65536];
    const ssize_t count = receive_some(bytes, sizeof bytes);
    if (count < 0) throw std::runtime_error("the connection failed or stayed silent after: " + buffer_);
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  http::Descriptor socket_;
  std::string buffer_;
};

}  // namespace ocp_mock::test
