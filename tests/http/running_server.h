// An epoll server on a free port, and the bytes of plain requests and answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "http/epoll_server.h"

namespace ocp_mock::test {

class RunningServer {
 public:
  RunningServer(int threads, http::Limits limits, http::Handler handler, std::chrono::milliseconds stop_time,
                std::shared_ptr<const http::TlsContext> tls = nullptr)
      : server_({"127.0.0.1", 0, threads, limits, 1000, stop_time, {}, std::move(tls)}) {
    server_.start(std::move(handler));
  }
  http::EpollServer* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  http::EpollServer server_;
};

inline std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

// Of an answer of plain text, whose body has that many bytes.
inline std::string head(std::size_t size, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\n" + (connection.empty() ? "" : "Connection: " + connection + "\r\n") +
         "Content-Length: " + std::to_string(size) + "\r\nContent-Type: text/plain\r\n\r\n";
}

inline std::string answer(const std::string& body, const std::string& connection = "") {
  return head(body.size(), connection) + body;
}

}  // namespace ocp_mock::test
