#include "control/welcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "embedded/version.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kWhat =
    "a mock of OceanBase Cloud Platform (OCP) for the tests of its clients. It answers OCP's calls from fixtures";

// Paths that a client of OCP may ask for.
std::vector<std::string_view> paths_of(const Catalogue& catalogue) {
  std::vector<std::string_view> paths;
  for (const Endpoint& endpoint : catalogue.endpoints) {
    if (endpoint.listed && std::ranges::find(paths, endpoint.path) == paths.end()) paths.push_back(endpoint.path);
  }
  return paths;
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

std::string html(const std::vector<std::string_view>& paths, bool with_admin) {
  std::string items;
  // What has a place for a name is no link.
  for (const std::string_view path : paths) {
    items += path.find('{') == std::string_view::npos
                 ? fmt::format("<li><a href=\"{0}\"><code>{0}</code></a></li>\n", path)
                 : fmt::format("<li><code>{}</code></li>\n", path);
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

std::string text(const std::vector<std::string_view>& paths, bool with_admin) {
  std::string list;
  for (const std::string_view path : paths) list.append("  ").append(path).append("\n");
  return fmt::format(
      "This is ocp-mock-server {}, {}; most of them want credentials:\n{}{}", embedded::version, kWhat, list,
      with_admin ? "Tests steer it by calls under /__admin, which /__admin/openapi.json describes.\n" : "");
}

}  // namespace

http::Response welcome(const http::Request& request, const Catalogue& catalogue, bool with_admin) {
  const std::vector<std::string_view> paths = paths_of(catalogue);
  if (accepts_html(request)) return {200, {{"Content-Type", "text/html;charset=UTF-8"}}, html(paths, with_admin)};
  return {200, {{"Content-Type", "text/plain;charset=UTF-8"}}, text(paths, with_admin)};
}

}  // namespace ocp_mock
