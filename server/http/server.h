// The seam between the program and what carries its HTTP.
// Input: where to listen, then connections. Output: calls of the handler, one a request. Two engines: epoll_server,
// with which an idle connection costs memory and no thread, and httplib_server, which runs wherever cpp-httplib does.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "http/limits.h"
#include "http/message.h"
#include "http/socket.h"
#include "http/tls.h"

namespace ocp_mock::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // all addresses of it
  int port = 0;                    // 0 takes a free one
  int threads = 0;                 // of epoll; 0: one a core, at least 2 and at most 8
  Limits limits;
  std::size_t max_connections = 1'000'000;     // of epoll; further ones wait in the kernel's queue
  std::chrono::milliseconds stop_time{3'000};  // for requests in flight when the server stops
  // Told which addresses are passed over, and what keeps connections waiting. Called by any thread.
  std::function<void(const std::string&)> warn = {};
  std::shared_ptr<const TlsContext> tls = nullptr;  // serve HTTPS
};

// Makes the response to a request, also to one with a parse error. Called by several threads at once. Must not throw.
using Handler = std::function<Response(const Request&)>;

class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Stops.
  virtual ~Server() = default;

  virtual int port() const = 0;
  virtual std::string url() const = 0;  // where a client on this machine finds it, "http://127.0.0.1:8080"

  // Whether only this machine reaches it, told by the addresses that it has.
  virtual bool is_loopback() const = 0;

  // Accepts connections and answers requests from now on. At most once. Throws std::runtime_error with one sentence if
  // another process has been quicker to listen on the port.
  virtual void start(Handler handler) = 0;

  // Takes no new connection, answers the request that each connection has begun to send, as long as stop_time allows,
  // and ends. A handler that does not return keeps it from ending.
  virtual void stop() = 0;
};

// Takes the port, but does not listen yet: a mistake shows at once although what comes before start() may take long,
// and no client connects meanwhile. Warns of addresses that are passed over. Throws std::runtime_error with one
// sentence if the port cannot be had.
std::unique_ptr<Server> make_server(Engine engine, const ServerOptions& options);

}  // namespace ocp_mock::http
