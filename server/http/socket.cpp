#include "http/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace ocp_mock::http {
namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

// Nothing, with errno set, if the address cannot be had.
std::optional<Descriptor> bind_to(const addrinfo& address) {
  Descriptor descriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  if (descriptor.get() < 0) return std::nullopt;
  // Lets a restart take a port whose old connections linger. SO_REUSEPORT, which would let two servers share it in
  // silence, stays off.
  const int on = 1;
  ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor.get(), address.ai_addr, address.ai_addrlen) != 0) return std::nullopt;
  return descriptor;
}

// The port of a socket and the host of a URL that reaches it.
std::pair<int, std::string> name_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    throw std::runtime_error(fmt::format("cannot read the address of the socket: {}", std::strerror(errno)));
  }
  const std::string text = address_text(storage);
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    return {ntohs(address.sin6_port), fmt::format("[{}]", text == "::" ? "::1" : text)};
  }
  sockaddr_in address{};
  std::memcpy(&address, &storage, sizeof address);
  return {ntohs(address.sin_port), text == "0.0.0.0" ? "127.0.0.1" : text};
}

[[noreturn]] void throw_refusal(const std::string& host, int port, int error) {
  if (error == EADDRINUSE) {
    throw std::runtime_error(fmt::format(
        "port {} of host {} is in use by another process; choose another with --port, or --port 0 for a free one", port,
        host));
  }
  throw std::runtime_error(fmt::format("cannot listen on port {} of host {}: {}", port, host, std::strerror(error)));
}

}  // namespace

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    ::inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
      ::inet_ntop(AF_INET, &ipv6.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof text);
    }
  }
  return text;
}

ServerSocket::ServerSocket(const std::string& host, int port) : host_(host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  // An IPv6 address may stand in brackets, as in a URL.
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string name = bracketed ? host.substr(1, host.size() - 2) : host;
  if (const int error = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &list); error != 0) {
    throw std::runtime_error(fmt::format("cannot find an address for host {}: {}", host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);

  int error = 0;
  for (const addrinfo* address = list; address != nullptr; address = address->ai_next) {
    if (auto descriptor = bind_to(*address)) {
      auto [bound_port, url_host] = name_of(descriptor->get());
      descriptor_ = std::move(*descriptor);
      port_ = bound_port;
      authority_ = fmt::format("{}:{}", url_host, bound_port);
      return;
    }
    if (error == 0 || errno == EADDRINUSE) error = errno;
    // Another address of the host would hide from the user that the port is taken.
    if (error == EADDRINUSE) break;
  }
  throw_refusal(host, port, error);
}

void ServerSocket::listen() {
  if (::listen(descriptor_.get(), kBacklog) != 0) throw_refusal(host_, port_, errno);
}

}  // namespace ocp_mock::http
