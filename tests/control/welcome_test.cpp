#include "control/welcome.h"

#include <doctest/doctest.h>

#include <string>

#include "catalogue/synthetic.h"

using namespace ocp_mock;

namespace {

std::string page(const Catalogue& catalogue, const std::string& accept, const std::string& version = "") {
  return welcome({"GET", "/", {{"Accept", accept}}, "", {}}, catalogue, version, false).body;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("welcome: endpoints are named with their methods, in the order of their paths") {
  const std::string text = page(ocp_catalogue(), "*/*");
  CHECK(contains(
      text, "\n  GET    /api/v2/alarm/alarms\n  POST   /api/v2/alarm/alarms\n  GET    /api/v2/alarm/alarms/{id}\n"));
  CHECK(contains(text, "\n  GET    /api/v2/profiles/me/credentials\n  POST   /api/v2/profiles/me/credentials\n"));
  CHECK_FALSE(contains(text, "  GET    /\n"));
  const std::string html = page(ocp_catalogue(), "text/html");
  CHECK(contains(html, "<li><code>GET <a href=\"/api/v2/ob/clusters\">/api/v2/ob/clusters</a></code></li>"));
  CHECK(contains(html, "<li><code>POST /api/v2/ob/clusters</code></li>"));
  CHECK(contains(html, "<li><code>GET /api/v2/ob/clusters/{id}</code></li>"));
}

TEST_CASE("welcome: what came with a later version is not named") {
  const std::string line = "  DELETE /api/v1/zones/{zone}/hosts/{host}\n";
  CHECK(contains(page(synthetic_catalogue(), "*/*", "4.0.0"), line));
  CHECK_FALSE(contains(page(synthetic_catalogue(), "*/*", "3.9.9"), line));
}
