#include "control/guard.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/utf8.h"
#include "ocp/error.h"

namespace ocp_mock {
namespace {

// Ends of names that are of this machine or of a network of its own: no public name server gives them to an address
// (RFC 6761, RFC 6762, ICANN's .internal; .svc is how names of Kubernetes end that are not written to the end).
constexpr std::array<std::string_view, 5> kOwnNames{".localhost", ".local", ".internal", ".test", ".svc"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower_ascii);
  return out;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// In lower case, without the dot at the end.
std::string plain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

bool is_alphanumeric(char c) {
  c = to_lower_ascii(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

// A host's name or an IPv4 address: labels with a dot between them, and perhaps at the end. Docker and Kubernetes give
// underscores away.
bool is_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  bool in_label = false;
  for (const char c : name) {
    if (c == '.' ? !in_label : !(is_alphanumeric(c) || c == '-' || c == '_')) return false;
    in_label = c != '.';
  }
  return in_label;
}

// "[::1]", with or without a zone, "%25eth0" as in a URL or "%eth0".
bool is_ipv6(std::string_view name) {
  if (!name.ends_with(']')) return false;
  name = name.substr(1, name.size() - 2);
  const auto zone = name.find('%');
  if (zone != std::string_view::npos && zone + 1 == name.size()) return false;
  const bool has_good_zone = zone == std::string_view::npos || std::ranges::all_of(name.substr(zone + 1), [](char c) {
                               return is_alphanumeric(c) || std::string_view("%-._~").find(c) != std::string_view::npos;
                             });
  in6_addr address{};
  return has_good_zone && ::inet_pton(AF_INET6, std::string(name.substr(0, zone)).c_str(), &address) == 1;
}

struct Authority {
  std::string name;  // plain; an IPv6 address with its brackets
  std::string port;  // empty where there is none
};

// HOST[:PORT]; nothing for another form.
std::optional<Authority> parse_authority(std::string_view text) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    end = bracket + 1 == text.size() ? std::string_view::npos : bracket + 1;
    if (end != std::string_view::npos && text[end] != ':') return std::nullopt;
  }
  const std::string_view name = text.substr(0, end);
  const std::string_view port = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const bool has_port = end != std::string_view::npos;
  if (has_port && !port.empty() && !(is_digits(port) && port.size() <= 5 && std::stoi(std::string(port)) <= 65535)) {
    return std::nullopt;
  }
  if (!name.empty() && !(name.starts_with('[') ? is_ipv6(name) : is_name(name))) return std::nullopt;
  return Authority{plain_name(name), std::string(port)};
}

// No public name server can give this name to an address.
bool is_own_name(std::string_view name) {
  if (name.starts_with('[')) return true;
  const auto dot = name.rfind('.');
  // What ends in a number is an IPv4 address for every client; there is no such domain.
  if (dot == std::string_view::npos || is_digits(name.substr(dot + 1))) return true;
  return std::ranges::any_of(kOwnNames, [&](std::string_view end) { return name.ends_with(end); });
}

// "scheme://host:port" of the same host and port as the Host; a port that is not written is the scheme's.
bool is_same_origin(std::string_view origin, std::string_view host) {
  const auto scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string scheme = lower(origin.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return false;
  auto of_origin = parse_authority(origin.substr(scheme_end + 3));
  auto of_host = parse_authority(host);
  if (!of_origin || !of_host || of_origin->name.empty()) return false;
  for (Authority* one : {&*of_origin, &*of_host}) {
    if (one->port.empty()) one->port = scheme == "http" ? "80" : "443";
  }
  return of_origin->name == of_host->name && of_origin->port == of_host->port;
}

// The authority of "http://HOST/path", which counts as another Host.
std::optional<std::string_view> authority_of_target(std::string_view target) {
  if (target.starts_with('/')) return std::nullopt;
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  target.remove_prefix(scheme + 3);
  return target.substr(0, target.find_first_of("/?"));
}

// Of a certificate's name: "*.example.com" is each name with one label in its place.
bool is_meant(std::string_view name, const std::string& known) {
  if (!known.starts_with("*.")) return plain_name(known) == name;
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && plain_name(known.substr(1)) == name.substr(dot);
}

std::optional<GuardRefusal> refuse_host(std::string_view host, std::span<const std::string> hosts) {
  const auto authority = parse_authority(host);
  if (!authority)
    return GuardRefusal{403, fmt::format("the Host is '{}'; it must be HOST or HOST:PORT", printable(host))};
  const bool is_named = std::ranges::any_of(hosts, [&](const auto& one) { return is_meant(authority->name, one); });
  if (is_named || is_own_name(authority->name)) return std::nullopt;
  return GuardRefusal{
      403, fmt::format("the Host is '{}', a name that anybody's name server could give to this address; call an IP "
                       "address, localhost or a name without a dot, or start the server with --admin-host {}",
                       printable(host), printable(authority->name))};
}

}  // namespace

std::optional<GuardRefusal> refuse_stranger(const http::Request& request, std::span<const std::string> hosts) {
  const std::string_view own_host = request.header("Host").value_or("");
  for (const auto& [name, value] : request.headers) {
    if (equals_ignoring_case(name, "Sec-Fetch-Site")) {
      if (equals_ignoring_case(value, "same-origin") || equals_ignoring_case(value, "none")) continue;
      return GuardRefusal{
          403,
          fmt::format("a page of another site has sent this (Sec-Fetch-Site: {}); admin calls are for programs, for "
                      "pages of this server, and for who types the address",
                      printable(value))};
    }
    if (equals_ignoring_case(name, "Origin") && !is_same_origin(value, own_host)) {
      return GuardRefusal{403, fmt::format("a page of another origin has sent this (Origin: {}); admin calls are for "
                                           "programs, which send no Origin, and for pages of '{}'",
                                           printable(value), printable(own_host))};
    }
    if (equals_ignoring_case(name, "Host")) {
      if (auto refusal = refuse_host(value, hosts)) return refusal;
    }
  }
  const auto authority = authority_of_target(request.target);
  return authority ? refuse_host(*authority, hosts) : std::nullopt;
}

std::optional<GuardRefusal> refuse_body(const http::Request& request, bool takes_lines) {
  if (request.body.empty()) return std::nullopt;
  for (const auto& [name, value] : request.headers) {
    if (equals_ignoring_case(name, "Content-Encoding") && !value.empty() && !equals_ignoring_case(value, "identity")) {
      return GuardRefusal{415, fmt::format("the Content-Encoding is '{}'; admin calls take bodies as they are, without "
                                           "one",
                                           printable(value))};
    }
    if (!equals_ignoring_case(name, "Content-Type")) continue;
    const std::string type = lower(trim_blanks(value.substr(0, value.find(';'))));
    // Browsers send a form's type to other sites without asking, but never without Origin.
    const bool is_json = type.empty() || type == "application/json" ||
                         (type.starts_with("application/") && type.ends_with("+json")) ||
                         type == "application/x-www-form-urlencoded";
    const bool is_lines = type == "application/x-ndjson" || type == "application/jsonl";
    if (is_json || (takes_lines && is_lines)) continue;
    return GuardRefusal{
        415, fmt::format("the Content-Type is '{}'; it must be application/json{}, or absent", printable(value),
                         takes_lines ? ", application/x-ndjson for a row a line" : "")};
  }
  return std::nullopt;
}

std::chrono::milliseconds WrongTokens::add(std::string_view address, Time now) {
  const std::lock_guard lock(mutex_);
  auto found = counts_.find(address);
  if (found == counts_.end()) {
    make_room(now);
    found = counts_.emplace(address, Count{}).first;
  }
  Count& count = found->second;
  if (now - count.last >= kForgotten) count.tokens = 0;
  count.last = now;
  ++count.tokens;
  std::chrono::milliseconds delay{0};
  for (int i = kFree; i < count.tokens && delay < kLongestDelay; ++i) {
    delay = delay.count() == 0 ? kFirstDelay : std::min(2 * delay, kLongestDelay);
  }
  return delay;
}

void WrongTokens::make_room(Time now) {
  if (counts_.size() < kMostAddresses) return;
  std::erase_if(counts_, [&](const auto& one) { return now - one.second.last >= kForgotten; });
  if (counts_.size() < kMostAddresses) return;
  counts_.erase(std::ranges::min_element(counts_, {}, [](const auto& one) { return one.second.last; }));
}

}  // namespace ocp_mock
