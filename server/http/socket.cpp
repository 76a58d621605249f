#include "http/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace ocp_mock::http {
namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

// A port that is free on one address may be taken on another.
constexpr int kPortsTried = 100;

// Both forms of an address have the port in the same place.
constexpr std::size_t kPortOffset = offsetof(sockaddr_in, sin_port);
static_assert(kPortOffset == offsetof(sockaddr_in6, sin6_port));

sockaddr_storage with_port(sockaddr_storage address, int port) {
  const in_port_t number = htons(static_cast<in_port_t>(port));
  std::memcpy(reinterpret_cast<char*>(&address) + kPortOffset, &number, sizeof number);
  return address;
}

// Nothing, with errno set, if the address cannot be had.
std::optional<Descriptor> bind_to(const sockaddr_storage& address, bool family_only) {
  Descriptor descriptor(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) return std::nullopt;
  const int on = 1;
  // Lets a restart take a port whose old connections linger. SO_REUSEPORT, which would let two servers share it in
  // silence, stays off.
  ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" stands for the addresses of IPv4 too, unless they have sockets of their own.
  if (address.ss_family == AF_INET6 && family_only) {
    ::setsockopt(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  return descriptor;
}

// What a socket was bound to.
sockaddr_storage name_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error(fmt::format("cannot read the address of the socket: {}", std::strerror(errno)));
  }
  return address;
}

// The host and port of a URL that reaches the address.
std::string authority_of(const sockaddr_storage& address) {
  const std::string text = address_text(address);
  const int port = port_of(address);
  if (address.ss_family == AF_INET6) return fmt::format("[{}]:{}", text == "::" ? "::1" : text, port);
  return fmt::format("{}:{}", text == "0.0.0.0" ? "127.0.0.1" : text, port);
}

bool is_of_loopback(const sockaddr_storage& address) {
  const std::string text = address_text(address);
  return text == "::1" || text.starts_with("127.");
}

std::string without_brackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

std::string place_of(const std::string& host, const sockaddr_storage& address, int port) {
  const std::string text = address_text(address);
  return text == without_brackets(host) ? fmt::format("port {} of host {}", port, host)
                                        : fmt::format("port {} of host {} ({})", port, host, text);
}

[[noreturn]] void throw_refusal(const std::string& place, int error) {
  if (error == EADDRINUSE) {
    throw std::runtime_error(
        fmt::format("{} is in use by another process; choose another with --port, or --port 0 for a free one", place));
  }
  throw std::runtime_error(fmt::format("cannot listen on {}: {}", place, std::strerror(error)));
}

}  // namespace

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

int port_of(const sockaddr_storage& address) {
  in_port_t number = 0;
  std::memcpy(&number, reinterpret_cast<const char*>(&address) + kPortOffset, sizeof number);
  return ntohs(number);
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

std::vector<sockaddr_storage> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(without_brackets(host).c_str(), nullptr, &hints, &list); error != 0) {
    throw std::runtime_error(fmt::format("cannot find an address for host {}: {}", host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<sockaddr_storage> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof address));
    const auto is_same = [&](const sockaddr_storage& other) {
      return std::memcmp(&other, &address, sizeof address) == 0;
    };
    if (std::ranges::none_of(addresses, is_same)) addresses.push_back(address);
  }
  return addresses;
}

Listener::Listener(const std::string& host, int port, const std::vector<sockaddr_storage>& addresses) {
  int left = kPortsTried;
  while (!take(host, port, addresses, --left > 0)) {
  }
}

// False if the port that the system has chosen on the first address is in use on another one, and may_try_again.
bool Listener::take(const std::string& host, int port, const std::vector<sockaddr_storage>& addresses,
                    bool may_try_again) {
  sockets_.clear();
  passed_over_.clear();
  is_loopback_ = true;
  port_ = port;
  std::string place;
  int error = 0;
  for (const sockaddr_storage& address : addresses) {
    place = place_of(host, address, port_);
    auto descriptor = bind_to(with_port(address, port_), addresses.size() > 1);
    error = errno;
    if (descriptor) {
      const sockaddr_storage name = name_of(descriptor->get());
      is_loopback_ = is_loopback_ && is_of_loopback(name);
      if (sockets_.empty()) {
        port_ = port_of(name);
        authority_ = authority_of(name);
      }
      sockets_.push_back({std::move(*descriptor), place_of(host, address, port_)});
    } else if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) {
      passed_over_.push_back(fmt::format("{} is ignored: {}", place, std::strerror(error)));
    } else if (error == EADDRINUSE && port == 0 && may_try_again) {
      return false;
    } else {
      throw_refusal(place, error);
    }
  }
  if (sockets_.empty()) throw_refusal(place, error);
  return true;
}

std::vector<std::string> Listener::hosts() const {
  std::vector<std::string> hosts;
  for (const auto& socket : sockets_) hosts.push_back(address_text(name_of(socket.descriptor.get())));
  return hosts;
}

void Listener::listen() {
  for (const auto& [descriptor, place] : sockets_) {
    if (::listen(descriptor.get(), kBacklog) != 0) throw_refusal(place, errno);
  }
}

}  // namespace ocp_mock::http
