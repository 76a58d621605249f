// A server that answers with what it was asked for.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "http/epoll_server.h"
#include "parse_error_name.h"

namespace ocp_mock::test::echo_server {

using namespace ocp_mock::http;
using namespace std::chrono_literals;

// Answers with what it was asked for.
inline Response echo(const Request& request) {
  if (request.parse_error) return refusal_of(*request.parse_error);
  std::string body = request.method + " " + request.target;
  if (!request.body.empty()) body += " " + std::to_string(request.body.size());
  return {200, {{"Content-Type", "text/plain"}}, body};
}

class EchoServer {
 public:
  explicit EchoServer(Limits limits = {}, Handler handler = echo, std::chrono::milliseconds stop_time = 3s)
      : server_({"127.0.0.1", 0, 2, limits, 1000, stop_time}) {
    server_.start(std::move(handler));
  }
  EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  EpollServer server_;
};

inline std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

inline std::string answer(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n\r\n" + body;
}

}  // namespace ocp_mock::test::echo_server
