#include "cli/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/nearest.h"

namespace ocp_mock {
namespace {

constexpr std::array<std::string_view, 3> kProtocols{"TCP", "UDP", "SCTP"};
constexpr std::string_view kService = "OCP_MOCK";  // how names of links of interest begin

// OCP_MOCK_DB as the name that it was made of. Services have no underscores in their names.
std::string name_of_link(std::string_view prefix) {
  std::string name(prefix);
  for (char& c : name) c = c == '_' ? '-' : to_lower_ascii(c);
  return name;
}

std::optional<std::string_view> before_suffix(std::string_view text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return std::nullopt;
  return text.substr(0, text.size() - suffix.size());
}

// NAME of NAME_PORT_8080_TCP, and of that with _PROTO, _PORT, _ADDR, or what Docker adds for ranges of ports.
std::optional<std::string_view> before_port(std::string_view variable) {
  constexpr std::string_view kPort = "_PORT_";
  for (auto at = variable.find(kPort); at != std::string_view::npos; at = variable.find(kPort, at + 1)) {
    std::string_view rest = variable.substr(at + kPort.size());
    const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || digits == rest.size() || rest[digits] != '_') continue;
    rest.remove_prefix(digits + 1);
    for (const std::string_view protocol : kProtocols) {
      if (rest == protocol || (rest.starts_with(protocol) && rest[protocol.size()] == '_')) {
        return variable.substr(0, at);
      }
    }
  }
  return std::nullopt;
}

bool is_address(std::string_view value) {
  return std::ranges::any_of(kProtocols, [&](std::string_view protocol) {
    const std::string_view rest = value.substr(std::min(protocol.size(), value.size()));
    return rest.starts_with("://") && equals_ignoring_case(value.substr(0, protocol.size()), protocol);
  });
}

std::optional<std::string_view> prefix_of_link(std::string_view variable, std::string_view value) {
  if (const auto prefix = before_port(variable)) return prefix;
  if (const auto prefix = before_suffix(variable, "_PORT"); prefix && is_address(value)) return prefix;
  if (const auto prefix = before_suffix(variable, "_SERVICE_HOST")) return prefix;
  if (const auto at = variable.find("_SERVICE_PORT"); at != std::string_view::npos) {
    const std::string_view rest = variable.substr(at + std::string_view("_SERVICE_PORT").size());
    if (rest.empty() || rest.front() == '_') return variable.substr(0, at);
  }
  // Docker: /CONTAINER/ALIAS, and the variables of the other container.
  if (const auto prefix = before_suffix(variable, "_NAME"); prefix && value.starts_with('/')) {
    const std::string_view alias = value.substr(value.rfind('/') + 1);
    if (value.rfind('/') > 1 && name_of_link(alias) == name_of_link(*prefix)) return prefix;
  }
  if (const auto at = variable.find("_ENV_"); at != std::string_view::npos) return variable.substr(0, at);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> link_of(std::string_view variable, std::string_view value) {
  const auto prefix = prefix_of_link(variable, value);
  const bool is_ours = prefix && prefix->starts_with(kService) &&
                       (prefix->size() == kService.size() || (*prefix)[kService.size()] == '_');
  return is_ours ? std::optional(name_of_link(*prefix)) : std::nullopt;
}

namespace {

// The candidate that the word resembles, or else the only one of which it is the end: ADMIN_TOKEN for TOKEN.
std::optional<std::string_view> meant_by(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const auto found = nearest(word, candidates)) return found;
  std::optional<std::string_view> found;
  for (const std::string_view candidate : candidates) {
    const auto before = before_suffix(candidate, word);
    if (!before || !before->ends_with('_')) continue;
    if (found) return std::nullopt;
    found = candidate;
  }
  return found;
}

}  // namespace

Environment::Environment(const char* const* variables) {
  for (; *variables != nullptr; ++variables) {
    const std::string_view text = *variables;
    const auto equals = text.find('=');
    if (!text.starts_with(kVariablePrefix) || equals == std::string_view::npos || equals + 1 == text.size()) continue;
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1);
    if (auto link = link_of(name, value)) {
      links_[std::move(*link)].emplace_back(name);
    } else {
      values_.emplace(name, value);
    }
  }
}

const std::string* Environment::find(std::string_view variable) const {
  const auto found = values_.find(variable);
  return found == values_.end() ? nullptr : &found->second;
}

Environment Environment::without(const std::string& variable) const {
  Environment copy = *this;
  copy.values_.erase(variable);
  return copy;
}

std::vector<std::string> Environment::warnings(std::span<const std::string> known) const {
  const auto is_known = [&](const std::string& name) { return std::ranges::find(known, name) != known.end(); };
  std::vector<std::string> texts;
  for (const auto& [link, variables] : links_) {
    const auto named = std::ranges::find_if(variables, is_known);
    const std::size_t others = variables.size() - 1;
    texts.push_back(
        fmt::format("{}{} ignored: a Kubernetes Service or Docker link called '{}' has set {}; rename it, or set "
                    "enableServiceLinks: false in the pod",
                    named == variables.end() ? variables.front() : *named,
                    others == 0 ? " is" : fmt::format(" and {} more variable{} are", others, others == 1 ? "" : "s"),
                    link, others == 0 ? "it" : "them"));
  }
  for (const auto& [name, value] : values_) {
    if (is_known(name)) continue;
    // All begin alike, which is no resemblance.
    std::vector<std::string_view> candidates;
    for (const std::string& one : known) candidates.push_back(std::string_view(one).substr(kVariablePrefix.size()));
    const std::string_view word = std::string_view(name).substr(kVariablePrefix.size());
    const auto meant = meant_by(word, candidates);
    texts.push_back(fmt::format("{} is ignored: this server has no such variable{}", name,
                                meant ? fmt::format("; did you mean {}{}?", kVariablePrefix, *meant) : ""));
  }
  return texts;
}

}  // namespace ocp_mock
