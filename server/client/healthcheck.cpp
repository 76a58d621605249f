#include "client/healthcheck.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "http/socket.h"

namespace ocp_mock {
namespace {

// Beside faults and journal of the tests. A server without admin calls answers something else, which shows as well
// that it is up.
constexpr std::string_view kTarget = "/__admin/health";
constexpr timeval kPatience{5, 0};

struct Address {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
};

// Nothing but http://HOST[:PORT] and https://HOST[:PORT], with whatever path behind.
bool parse_url(std::string_view url, Address& address) {
  address.tls = url.starts_with("https://");
  if (!address.tls && !url.starts_with("http://")) return false;
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  address.host = rest.substr(0, colon);
  address.port = colon == std::string_view::npos ? (address.tls ? "443" : "80") : rest.substr(colon + 1);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return !address.host.empty() && !address.port.empty() &&
         address.port.find_first_not_of("0123456789") == std::string::npos;
}

// An IPv6 address in brackets.
std::string in_url(const std::string& host) {
  return host.find(':') != std::string::npos ? fmt::format("[{}]", host) : host;
}

http::Descriptor connect_to(const Address& address, std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &list); error != 0) {
    problem = ::gai_strerror(error);
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    http::Descriptor socket(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (socket.get() < 0) continue;
    // The time limit of sending is that of connecting, too.
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return socket;
    problem = std::strerror(errno);
  }
  return {};
}

// Up to the end of the first line; what has come, if the answer ends before.
std::string first_line(const std::function<ssize_t(char*, std::size_t)>& receive) {
  std::string text;
  char bytes[256];
  while (text.find("\r\n") == std::string::npos && text.size() < 4096) {
    const ssize_t count = receive(bytes, sizeof bytes);
    if (count <= 0) break;
    text.append(bytes, static_cast<std::size_t>(count));
  }
  return text.substr(0, text.find("\r\n"));
}

// The status line of the answer; empty if there is none.
std::string ask(int socket, bool tls, const std::string& request) {
  if (!tls) {
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
    return first_line([&](char* bytes, std::size_t size) { return ::recv(socket, bytes, size, 0); });
  }
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> session(context ? SSL_new(context.get()) : nullptr, &SSL_free);
  if (!session || SSL_set_fd(session.get(), socket) != 1 || SSL_connect(session.get()) != 1 ||
      SSL_write(session.get(), request.data(), static_cast<int>(request.size())) <= 0) {
    return "";
  }
  return first_line(
      [&](char* bytes, std::size_t size) { return SSL_read(session.get(), bytes, static_cast<int>(size)); });
}

}  // namespace

std::string check_health(const std::string& url) {
  Address address;
  if (!parse_url(url, address)) {
    throw std::invalid_argument(fmt::format("'{}' is not a URL such as http://127.0.0.1:8080", url));
  }
  std::string problem;
  const http::Descriptor socket = connect_to(address, problem);
  if (socket.get() < 0) return fmt::format("cannot connect to {}: {}", url, problem);
  const std::string answer = ask(socket.get(), address.tls,
                                 fmt::format("GET {} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n", kTarget,
                                             in_url(address.host), address.port));
  for (const std::string_view good : {"HTTP/1.1 200 ", "HTTP/1.1 401 ", "HTTP/1.1 403 ", "HTTP/1.1 404 "}) {
    if (answer.starts_with(good)) return "";
  }
  if (answer.empty()) return fmt::format("{} does not answer", url);
  return fmt::format("{} answers '{}' to {}", url, answer, kTarget);
}

std::string url_of_server(bool tls, const std::string& host, int port) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  std::string name = bracketed ? host.substr(1, host.size() - 2) : host;
  in_addr any{};
  in6_addr any6{};
  if (::inet_pton(AF_INET, name.c_str(), &any) == 1 && any.s_addr == htonl(INADDR_ANY)) name = "127.0.0.1";
  if (::inet_pton(AF_INET6, name.c_str(), &any6) == 1 && std::memcmp(&any6, &in6addr_any, sizeof any6) == 0)
    name = "::1";
  return fmt::format("{}://{}:{}", tls ? "https" : "http", in_url(name), port);
}

}  // namespace ocp_mock
