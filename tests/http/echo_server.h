// A server that answers with what it was asked for.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "parse_error_name.h"
#include "running_server.h"

namespace ocp_mock::test {

// Answers with what it was asked for.
inline http::Response echo(const http::Request& request) {
  if (request.parse_error) return refusal_of(*request.parse_error);
  std::string body = request.method + " " + request.target;
  if (!request.body.empty()) body += " " + std::to_string(request.body.size());
  return {200, {{"Content-Type", "text/plain"}}, body};
}

class EchoServer : public RunningServer {
 public:
  explicit EchoServer(http::Limits limits = {}, http::Handler handler = echo,
                      std::chrono::milliseconds stop_time = std::chrono::seconds(3))
      : RunningServer(2, limits, std::move(handler), stop_time) {}
};

}  // namespace ocp_mock::test
