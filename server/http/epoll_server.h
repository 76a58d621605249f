// The server for Linux: listening sockets and a few threads, each with an epoll set of its own.
// Input: connections. Output: calls of the handler, one a request. An idle connection costs memory and no thread.
#pragma once

#include <memory>
#include <string>

#include "http/server.h"

namespace ocp_mock::http {

class EpollServer : public Server {
 public:
  // See make_server().
  explicit EpollServer(ServerOptions options);

  // With this port in place of the options'.
  EpollServer(ServerOptions options, Listener listener);

  ~EpollServer() override;

  int port() const override;
  std::string url() const override;
  bool is_loopback() const override;
  void start(Handler handler) override;

  // A response that leaves in pieces leaves at once then; one that is deferred is waited for, up to stop_time.
  void stop() override;

 private:
  class Loop;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace ocp_mock::http
