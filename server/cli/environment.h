// The variables of this server in an environment.
// Input: the environment as main() has it. Output: values by name, and warnings about other variables whose names begin
// like ours. Knows no option.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

inline constexpr std::string_view kVariablePrefix = "OCP_MOCK_";

// The Kubernetes Service or Docker link that a variable describes by its form, such as "ocp-mock" for
// OCP_MOCK_PORT=tcp://10.96.0.12:8080 and for OCP_MOCK_SERVICE_HOST; nothing for all other variables. Kubernetes puts
// such variables for each Service of a namespace into each of its pods.
std::optional<std::string> link_of(std::string_view variable, std::string_view value);

class Environment {
 public:
  // Takes "NAME=value" texts up to a null pointer, of which those count that begin with kVariablePrefix and have a
  // value. Of several with one name the first counts.
  explicit Environment(const char* const* variables);

  // Null for a variable that is not there or describes a link.
  const std::string* find(std::string_view variable) const;

  // The same without one variable.
  Environment without(const std::string& variable) const;

  // A sentence for each link, and for each variable that is not among the known ones. None shows a value, which may be
  // a secret.
  std::vector<std::string> warnings(std::span<const std::string> known) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;              // by name, without those of links
  std::map<std::string, std::vector<std::string>, std::less<>> links_;  // by the link's name: its variables
};

}  // namespace ocp_mock
