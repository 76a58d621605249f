#include "control/query_criterion.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

namespace {

using Values = std::vector<std::string>;

Values values(const std::string& name, std::string_view path, std::string_view query) {
  static const Router router(ocp_catalogue());
  const Headers headers;
  return QueryCriterion(name, &router).values({"GET", path, query, headers, "admin"});
}

}  // namespace

TEST_CASE("query criterion: a name of a parameter means all names of it, at its endpoint") {
  const std::string tasks = "/api/v2/tasks/instances";
  for (const std::string name : {"clusterName", "cluterName"}) {
    CAPTURE(name);
    CHECK(values(name, tasks, "clusterName=a+b") == Values{"a b"});
    CHECK(values(name, tasks, "x=1&clut%65rName=c") == Values{"c"});
    CHECK(values(name, tasks, "cluterName=c&clusterName=d") == Values{"c", "d"});
    CHECK(values(name, tasks, "name=c").empty());
  }
  CHECK(values("startTime", "/api/v2/monitor/metricsWithLabel", "start_time=1") == Values{"1"});
  // Elsewhere each name is itself alone.
  CHECK(values("clusterName", "/api/v2/alarm/alarms", "cluterName=c").empty());
  CHECK(values("cluterName", "/api/v2/no/such", "cluterName=c") == Values{"c"});
  CHECK(values("startTime", "/api/v2/monitor/metric", "start_time=1").empty());
}

TEST_CASE("query criterion: without a router each name is a parameter of its own") {
  const Headers headers;
  const RequestView request{"GET", "/api/v2/tasks/instances", "cluterName=c", headers, "admin"};
  CHECK(QueryCriterion("clusterName", nullptr).values(request).empty());
  CHECK(QueryCriterion("cluterName", nullptr).values(request) == Values{"c"});
}
