// File descriptors and the listening socket.
#pragma once

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

struct ListeningSocket {
  Descriptor descriptor;  // listens, does not block
  int port = 0;
  std::string url;  // where a client on this machine finds it, "http://127.0.0.1:8080"
};

// Listens on the first address of the host that can be had. Port 0 takes a free one. No other process can listen on
// the same port. Throws std::runtime_error with one sentence that names host and port.
ListeningSocket listen_on(const std::string& host, int port);

}  // namespace ocp_mock::http
