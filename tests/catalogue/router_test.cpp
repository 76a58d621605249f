#include "catalogue/router.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "catalogue/synthetic.h"

using namespace ocp_mock;

namespace {

constexpr std::string_view kLogBackupTasks = "/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks";
constexpr const char* kTasks = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";

// "TEMPLATE value value", "405" for another method, "404".
std::string found(const Router& router, std::string_view method, std::string_view path) {
  const auto route = router.find(method, path);
  if (!route) return "404";
  if (route->endpoint == nullptr) return "405";
  std::string text(route->endpoint->path);
  for (const std::string& value : route->values) text += " " + value;
  return text;
}

std::string refused(const Router& router, std::string_view method, std::string_view path) {
  const ApiError error = refusal_of(router, method, path);
  return std::to_string(error.status()) + " " + error.what();
}

}  // namespace

TEST_CASE("router: OCP's paths are found with the values of their placeholders, and others are unknown") {
  const Router router(ocp_catalogue());
  const std::string list(kLogBackupTasks);
  const std::string tasks = kTasks;
  const struct {
    std::string path;
    std::string endpoint;
  } cases[] = {
      {tasks, list + " 1000005 1000012"},
      {tasks + "/", list + " 1000005 1000012"},
      {"/api/v2/ob/%63lusters/1%2F2/tenants/%2541/backup/task/logBackupTasks", list + " 1/2 %41"},
      {"/api/v2/ob/clusters/a+b/tenants/x/backup/task/logBackupTasks", list + " a+b x"},
      {"/api/v2/time", "/api/v2/time"},
      {"/api/v2/time/", "/api/v2/time"},
      {"/api/v2/info", "/api/v2/info"},
      {"/api/%73tatus", "/api/status"},
      {"/", "/"},
      {"", "404"},
      {"*", "404"},
      {"//", "404"},
      {"api/status", "404"},
      {"/api", "404"},
      {"/api/v2", "404"},
      {tasks + "//", "404"},
      {tasks + "/x", "404"},
      {"/" + tasks, "404"},
      {tasks.substr(0, tasks.size() - 1), "404"},
      {tasks + "%2F", "404"},
      {"/api/v2/ob/clusters//tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/1/tenants//backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/1/tenants/2/backup/task/logbackuptasks", "404"},
      {"/API/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/1/tenants/2/backup//task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/%zz/tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/%FF/tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/\xFF/tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/%00/tenants/2/backup/task/logBackupTasks", "404"},
      {"/api/v2/ob/clusters/{id}/tenants/2/backup/task/logBackupTasks", list + " {id} 2"},
      {"/{id}", "404"},
  };
  for (const auto& [path, endpoint] : cases) {
    CAPTURE(path);
    CHECK(found(router, "GET", path) == endpoint);
    CHECK(found(router, "HEAD", path) == endpoint);
    CHECK(found(router, "POST", path) == (endpoint == "404" ? "404" : "405"));
  }
}

TEST_CASE("router: literals come before placeholders, and methods of one path are apart") {
  const Router router(synthetic_catalogue());
  const std::string host = "/api/v1/zones/{zoneName}/hosts/{hostName}";
  const struct {
    std::string method;
    std::string path;
    std::string endpoint;
  } cases[] = {
      {"GET", "/api/v1/regions", "/api/v1/regions"},
      {"POST", "/api/v1/regions", "/api/v1/regions"},
      {"DELETE", "/api/v1/regions", "405"},
      {"get", "/api/v1/regions", "405"},
      {"GET", "/api/v1/zones/z1/hosts/busiest", "/api/v1/zones/{zoneName}/hosts/busiest z1"},
      {"GET", "/api/v1/zones/z1/hosts/b%75siest", "/api/v1/zones/{zoneName}/hosts/busiest z1"},
      {"GET", "/api/v1/zones/z1/hosts/Busiest", host + " z1 Busiest"},
      // The literal's path has another method.
      {"DELETE", "/api/v1/zones/z1/hosts/busiest", "/api/v1/zones/{zone}/hosts/{host} z1 busiest"},
      {"PUT", "/api/v1/zones/z1/hosts/busiest", "405"},
      // Below the literal there is nothing that fits.
      {"GET", "/api/v1/zones/local/summary", "/api/v1/zones/local/summary"},
      {"GET", "/api/v1/zones/local/hosts", "/api/v1/zones/{zoneName}/hosts local"},
      {"GET", "/api/v1/zones/local/hosts/a", host + " local a"},
      {"GET", "/api/v1/zones/z1/summary", "404"},
      {"GET", "/api/v1/zones/local", "404"},
      {"GET", "/", "404"},
  };
  for (const auto& [method, path, endpoint] : cases) {
    CAPTURE(method);
    CAPTURE(path);
    CHECK(found(router, method, path) == endpoint);
  }
  CHECK(router.find("POST", "/api/v1/regions")->endpoint->method == "POST");
  CHECK(router.find("HEAD", "/api/v1/regions")->endpoint->method == "GET");
}

TEST_CASE("router: the methods of a path are those of all templates that fit it") {
  const Router router(synthetic_catalogue());
  const std::pair<std::string, std::string> cases[] = {
      {"/api/v1/regions", "GET, HEAD, POST, PUT"},
      {"/api/v1/regions/", "GET, HEAD, POST, PUT"},
      {"/api/v1/zones/z/hosts", "GET, HEAD, POST"},
      {"/api/v1/zones/z/hosts/h", "DELETE, GET, HEAD"},
      {"/api/v1/zones/z/hosts/busiest", "DELETE, GET, HEAD"},
      {"/api/v1/zones/z", ""},
      {"/%", ""},
  };
  for (const auto& [path, methods] : cases) {
    CAPTURE(path);
    CHECK(router.allowed_methods(path) == methods);
  }
}

TEST_CASE("router: the nearest paths are those with most segments in common") {
  const Router ocp(ocp_catalogue());
  const Router synthetic(synthetic_catalogue());
  const std::string list(kLogBackupTasks);
  const std::string tasks = kTasks;
  const struct {
    const Router& router;
    std::string path;
    std::vector<std::string_view> nearest;
  } cases[] = {
      // One path of two methods is named once, and what is not listed is not.
      {synthetic, "/api/v1/region", {"/api/v1/regions", "/api/v1/named/{hostName}", "/api/v1/zones/{zoneName}/hosts"}},
      {synthetic,
       "/api/v1/zones/z/hosts/busy/est",
       {"/api/v1/zones/{zoneName}/hosts/{hostName}", "/api/v1/zones/{zone}/hosts/{host}",
        "/api/v1/zones/{zoneName}/hosts"}},
  };
  for (const auto& [router, path, nearest] : cases) {
    CAPTURE(path);
    CHECK(router.nearest(path) == nearest);
  }
  const std::pair<std::string, std::string_view> first_of_ocp[] = {
      {"/api/v2/ob/clusters/1/tenants/2/backup/task/logbackuptasks", kLogBackupTasks},
      {"/ob/clusters/1/tenants/2/backup/task/logBackupTasks", kLogBackupTasks},
      {"/api/v2/ob/clusters/1/tenants//backup/task/logBackupTasks", kLogBackupTasks},
      {tasks + "//", kLogBackupTasks},
      {"/api/v2/inf", "/api/v2/info"},
      {"/api/v2/%69nf", "/api/v2/info"},
      {"/api/v1/status", "/api/status"},
      {"/api/v2/compute/host", "/api/v2/compute/hosts"},
      {"/api/v2/host", "/api/v2/compute/hosts"},
      {"/api/v2/ob/tenant", "/api/v2/ob/tenants"},
      {"/api/v2/ob/clusters/1/observers", "/api/v2/ob/clusters/{id}/servers"},
  };
  for (const auto& [path, first] : first_of_ocp) {
    CAPTURE(path);
    CHECK(ocp.nearest(path).front() == first);
  }
  // Long paths cost no more than long templates.
  CHECK(ocp.nearest("/" + std::string(60'000, '/') + std::string(60'000, 'a')).size() == 3);
}

TEST_CASE("router: a refusal says what is wrong with the path or the method") {
  const Router router(ocp_catalogue());
  const std::string undecodable =
      " does not decode: each % must be followed by two hex digits, and the result must be UTF-8 text without NUL.";
  const std::string nearest = " is unknown; the nearest are /services, /api/status, /api/v2/software-packages.";
  const struct {
    std::string method;
    std::string path;
    std::string refusal;
  } cases[] = {
      {"GET", "/%", "400 The path '/%'" + undecodable},
      {"POST", "/a/%zz", "400 The path '/a/%zz'" + undecodable},
      {"GET", "/a%00", "400 The path '/a%00'" + undecodable},
      {"GET", "/%FF/b", "400 The path '/%FF/b'" + undecodable},
      {"POST", "/api/v2/time", "405 Method 'POST' is not allowed for path '/api/v2/time'; allowed are GET, HEAD."},
      {"PO\nST", "/api/v2/info", "405 Method 'PO%0AST' is not allowed for path '/api/v2/info'; allowed are GET, HEAD."},
      // It is not listed.
      {"POST", "/", "404 Path '/' is unknown; the nearest are /services, /api/status, /api/v2/software-packages."},
      {"GET", "/a%20b", "404 Path '/a%20b'" + nearest},
      {"GET", "*", "404 Path '*'" + nearest},
      {"GET", "//user:secret@host/x", "404 Path '***@host/x'" + nearest},
  };
  for (const auto& [method, path, refusal] : cases) {
    CAPTURE(path);
    CHECK(refused(router, method, path) == refusal);
  }
}
