// The built program, run as its users run it.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "http/socket_client.h"
#include "process.h"

namespace ocp_mock::test {

inline const std::string kBinary = OCP_MOCK_BINARY;
inline const std::string kCredentials = "Authorization: Basic YWRtaW46c2VjcmV0\r\n";  // admin:secret
inline const std::string kExample =
    "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10";

// A server on a free port, ready.
class RunningProgram {
 public:
  explicit RunningProgram(std::vector<std::string> arguments, std::vector<std::string> variables = {})
      : process_(kBinary, with_port(std::move(arguments)), std::move(variables)), ready_(process_.read_line()) {
    const auto at = ready_.find("\"port\":");
    REQUIRE(at != std::string::npos);
    port_ = std::atoi(ready_.c_str() + at + 7);
  }

  Process* operator->() { return &process_; }
  const std::string& ready() const { return ready_; }
  int port() const { return port_; }

  std::string get(const std::string& target) const {
    SocketClient client(port_);
    client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + kCredentials + "Connection: close\r\n\r\n");
    const std::string answer = client.read_to_end();
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

 private:
  static std::vector<std::string> with_port(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--port", "0"});
    return arguments;
  }

  Process process_;
  std::string ready_;
  int port_ = 0;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What a program that ends by itself says on standard error, after its exit code.
inline std::string failure(const std::vector<std::string>& arguments) {
  Process process(kBinary, arguments);
  const std::string error = process.read_error();
  CHECK(process.read_out().empty());
  return std::to_string(process.wait()) + " " + error;
}

}  // namespace ocp_mock::test
