#include "cli/environment.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "cli/option_table.h"

using namespace ocp_mock;

TEST_CASE("options: variables of a Kubernetes Service or a Docker link are known by their form") {
  const struct {
    const char* variable;
    const char* value;
    const char* link;  // null: none
  } cases[] = {
      {"OCP_MOCK_PORT", "tcp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "udp://[fd00::1]:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "sctp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "8080", nullptr},
      {"OCP_MOCK_PORT", "tcp:8080", nullptr},
      {"OCP_MOCK_PORT", "http://10.96.0.12:8080", nullptr},
      {"OCP_MOCK_SERVICE_HOST", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_SERVICE_PORT", "8080", "ocp-mock"},
      {"OCP_MOCK_SERVICE_PORT_HTTP", "8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP", "tcp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_PROTO", "tcp", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_PORT", "8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_ADDR", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_PORT_53_UDP_ADDR", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_PORT_FILE", "tcp://10.96.0.12:8080", nullptr},
      {"OCP_MOCK_PORT_8080", "x", nullptr},
      {"OCP_MOCK_PORT_8080_TCPX", "x", nullptr},
      {"OCP_MOCK_HOST_SERVICE_HOST", "10.96.0.12", "ocp-mock-host"},
      {"OCP_MOCK_DB_PORT", "tcp://10.96.0.12:5432", "ocp-mock-db"},
      {"OCP_MOCK_PORT_PORT", "tcp://10.96.0.12:5432", "ocp-mock-port"},
      {"OCP_MOCK_PORT_FILE_SERVICE_PORT_X", "1", "ocp-mock-port-file"},
      {"OCP_MOCK_PORT_PORT_80_TCP_ADDR", "10.96.0.12", "ocp-mock-port"},
      {"OCP_MOCK_NAME", "/web/ocp_mock", "ocp-mock"},
      {"OCP_MOCK_SERVER_NAME", "/web/ocp-mock-server", "ocp-mock-server"},
      {"OCP_MOCK_SERVER_NAME", "/web/other", nullptr},
      {"OCP_MOCK_SERVER_NAME", "ocp-mock-server", nullptr},
      {"OCP_MOCK_ENV_PATH", "/bin", "ocp-mock"},
      {"OCP_MOCKING_SERVICE_HOST", "10.96.0.12", nullptr},
      {"OCP_SERVICE_HOST", "10.96.0.12", nullptr},
  };
  for (const auto& [variable, value, link] : cases) {
    CAPTURE(variable);
    CAPTURE(value);
    CHECK(link_of(variable, value) == (link == nullptr ? std::nullopt : std::optional<std::string>(link)));
  }
  for (const Option& option : option_table()) CHECK_FALSE(link_of(option.variable(), "value"));
}
