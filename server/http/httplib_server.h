// The server that runs wherever cpp-httplib does: a plain httplib::Server, used by its public interface.
// Input: connections. Output: calls of the handler, one a request. Each connection has a thread for as long as it is
// open. What it cannot do, beside epoll_server: a WireBehavior, which it ignores; a limit of connections; request lines
// over 8 KiB; methods that httplib does not know; requests that come before the answer to the last one, which are lost;
// clients that shut their sending side before they have their answer; telling plain HTTP from TLS; noticing that a
// client has left. Older versions decode %XX in header values.
#pragma once

#include <memory>
#include <string>

#include "http/server.h"

namespace ocp_mock::http {

class HttplibServer : public Server {
 public:
  // See make_server().
  explicit HttplibServer(ServerOptions options);
  ~HttplibServer() override;

  int port() const override;
  std::string url() const override;
  bool is_loopback() const override;
  void start(Handler handler) override;
  void stop() override;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace ocp_mock::http
