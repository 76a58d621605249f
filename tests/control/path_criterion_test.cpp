#include "control/path_criterion.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

namespace {

const Router& router() {
  static const Router router(ocp_catalogue());
  return router;
}

PathCriterion of_template(const std::string& text) {
  return PathCriterion(PathTemplate::of_template(text), text, router());
}

PathCriterion of_path(const std::string& text) { return PathCriterion(PathTemplate::of_path(text), text, router()); }

}  // namespace

TEST_CASE("path criterion: a template means every path of its endpoint, whichever of them it is") {
  const std::string documented = "/api/v2/compute/hosts/{host}/agent";
  const std::string alias = "/compute/hosts/{x}/agent";
  for (const std::string& text : {documented, alias, alias + "/"}) {
    CAPTURE(text);
    const PathCriterion criterion = of_template(text);
    CHECK(criterion.fits("GET", "/api/v2/compute/hosts/7/agent"));
    CHECK(criterion.fits("GET", "/compute/hosts/7/agent"));
    CHECK(criterion.fits("HEAD", "/compute/hosts/7/agent/"));
    CHECK_FALSE(criterion.fits("GET", "/compute/hosts/7/agent/processes"));
  }
}

TEST_CASE("path criterion: what stands in the place of a placeholder stays") {
  for (const PathCriterion& criterion : {of_template("/compute/hosts/7/agent/processes/{p}/stop"),
                                         of_path("/api/v2/compute/hosts/7/agent/processes/3/stop")}) {
    CHECK(criterion.fits("POST", "/compute/hosts/7/agent/processes/3/stop"));
    CHECK(criterion.fits("POST", "/api/v2/compute/hosts/7/agent/processes/3/stop/"));
    CHECK_FALSE(criterion.fits("POST", "/compute/hosts/8/agent/processes/3/stop"));
    CHECK_FALSE(criterion.fits("POST", "/api/v2/compute/hosts/8/agent/processes/3/stop"));
  }
  CHECK(of_path("/compute/hosts/%7Ba%7D/agent").fits("GET", "/api/v2/compute/hosts/%7Ba%7D/agent"));
  CHECK_FALSE(of_path("/compute/hosts/%7Ba%7D/agent").fits("GET", "/api/v2/compute/hosts/7/agent"));
}

TEST_CASE("path criterion: another endpoint at the alias is not meant") {
  // GET of this path is the list; POST is an alias.
  const PathCriterion create = of_template("/api/v2/ob/clusters/{id}/tenants/createTenant");
  CHECK(create.fits("POST", "/api/v2/ob/clusters/1/tenants"));
  CHECK_FALSE(create.fits("GET", "/api/v2/ob/clusters/1/tenants"));
  const PathCriterion tenants = of_template("/api/v2/ob/clusters/{id}/tenants");
  CHECK(tenants.fits("GET", "/api/v2/ob/clusters/1/tenants"));
  CHECK(tenants.fits("POST", "/api/v2/ob/clusters/1/tenants/createTenant"));
  CHECK_FALSE(tenants.fits("GET", "/api/v2/ob/clusters/1/tenants/createTenant"));
  // The alias /api/v2/tasks/{id} would take the path of the list.
  const PathCriterion task = of_template("/api/v2/tasks/instances/{id}");
  CHECK(task.fits("GET", "/api/v2/tasks/7"));
  CHECK_FALSE(task.fits("GET", "/api/v2/tasks/instances"));
  CHECK_FALSE(of_path("/api/v2/tasks/instances").fits("GET", "/api/v2/tasks/instances/instances"));
}

TEST_CASE("path criterion: what is no endpoint's means itself alone") {
  CHECK_FALSE(of_template("/api/v2/{x}/hosts/{id}/agent").has_others());
  CHECK_FALSE(of_path("/api/status").has_others());
  CHECK_FALSE(of_path("*").has_others());
  CHECK_FALSE(PathCriterion(PathTemplate::of_beginning("/compute")).has_others());
  CHECK(PathCriterion().fits("GET", "/anything"));
}
