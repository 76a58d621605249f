#include "control/welcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "catalogue/router.h"
#include "embedded/version.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kWhat =
    "a mock of OceanBase Cloud Platform (OCP) for the tests of its clients. It answers OCP's calls from fixtures";

// What a client of OCP may ask for.
std::vector<const Endpoint*> endpoints_of(const Catalogue& catalogue, std::string_view ocp_version) {
  std::vector<const Endpoint*> endpoints;
  for (const Endpoint& endpoint : catalogue.endpoints) {
    if (endpoint.listed && !is_newer(endpoint.since, ocp_version)) endpoints.push_back(&endpoint);
  }
  std::ranges::sort(endpoints, {}, [](const Endpoint* one) { return std::pair(one->path, one->method); });
  return endpoints;
}

bool accepts_html(const http::Request& request) {
  return std::ranges::any_of(request.headers, [](const HeaderField& field) {
    if (!equals_ignoring_case(field.name, "Accept")) return false;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view range = next_piece(rest, ',');
      if (equals_ignoring_case(trim_blanks(range.substr(0, range.find(';'))), "text/html")) return true;
    }
    return false;
  });
}

std::string html(const std::vector<const Endpoint*>& endpoints, bool with_admin) {
  std::string items;
  // What has a place for a name is no link, and neither is what is no GET.
  for (const Endpoint* endpoint : endpoints) {
    const bool is_link = endpoint->method == "GET" && endpoint->path.find('{') == std::string_view::npos;
    items += is_link
                 ? fmt::format("<li><code>{0} <a href=\"{1}\">{1}</a></code></li>\n", endpoint->method, endpoint->path)
                 : fmt::format("<li><code>{} {}</code></li>\n", endpoint->method, endpoint->path);
  }
  // The icon keeps browsers from asking for one, which would be a request of OCP's.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>ocp-mock-server</title>\n</head>\n<body>\n<h1>ocp-mock-server {}</h1>\n<p>This is {}; most of them want "
      "credentials:</p>\n<ul>\n{}</ul>\n{}</body>\n</html>\n",
      embedded::version, kWhat, items,
      with_admin ? "<p>Tests steer it by calls under <code>/__admin</code>, which "
                   "<a href=\"/__admin/openapi.json\"><code>/__admin/openapi.json</code></a> describes.</p>\n"
                 : "");
}

std::string text(const std::vector<const Endpoint*>& endpoints, bool with_admin) {
  std::string list;
  for (const Endpoint* endpoint : endpoints) list += fmt::format("  {:<6} {}\n", endpoint->method, endpoint->path);
  return fmt::format(
      "This is ocp-mock-server {}, {}; most of them want credentials:\n{}{}", embedded::version, kWhat, list,
      with_admin ? "Tests steer it by calls under /__admin, which /__admin/openapi.json describes.\n" : "");
}

}  // namespace

http::Response welcome(const http::Request& request, const Catalogue& catalogue, std::string_view ocp_version,
                       bool with_admin) {
  const std::vector<const Endpoint*> endpoints = endpoints_of(catalogue, ocp_version);
  if (accepts_html(request)) return {200, {{"Content-Type", "text/html;charset=UTF-8"}}, html(endpoints, with_admin)};
  return {200, {{"Content-Type", "text/plain;charset=UTF-8"}}, text(endpoints, with_admin)};
}

}  // namespace ocp_mock
