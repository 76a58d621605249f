// The HTTP server: listening sockets and a few threads, each with an epoll set of its own.
// Enters: connections. Leaves: calls of the handler, one a request. An idle connection costs memory and no thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/connection.h"

namespace ocp_mock::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // all addresses of it
  int port = 0;                    // 0 takes a free one
  int threads = 0;                 // 0: one a core, at least 2 and at most 8
  Limits limits;
  std::size_t max_connections = 1'000'000;     // further ones wait in the kernel's queue
  std::chrono::milliseconds stop_time{3'000};  // for requests in flight when the server stops
  std::function<void(const std::string&)> warn =
      {};  // told what it passes over, and what keeps connections waiting; by any thread
  std::shared_ptr<const TlsContext> tls = nullptr;  // serve HTTPS
};

class HttpServer {
 public:
  // Takes the port, but does not listen yet: what takes long before start() does not keep a mistake from being seen at
  // once, nor clients waiting. Warns of addresses that are passed over. Throws std::runtime_error with one sentence if
  // the port cannot be had.
  explicit HttpServer(ServerOptions options);

  // With this port in place of the options'.
  HttpServer(ServerOptions options, Listener listener);

  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  std::string url() const;  // where a client on this machine finds it, "http://127.0.0.1:8080"

  // Whether only this machine reaches it, told by the addresses that it has.
  bool is_loopback() const;

  // Accepts connections and answers requests from now on. Once. Throws as above, if another process has been quicker
  // to listen.
  void start(Handler handler);

  // Takes no new connection, answers the request that each connection has begun to send, as long as stop_time allows,
  // and ends. An answer that leaves bit by bit leaves at once then; one that is pending is waited for as long. A
  // handler that does not return keeps it from ending.
  void stop();

 private:
  class Loop;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace ocp_mock::http
