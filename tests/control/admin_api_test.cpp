#include <doctest/doctest.h>

#include <string>

#include "catalogue/synthetic.h"
#include "control/admin.h"
#include "json/reader.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;

namespace {

std::string listed(const Catalogue& catalogue, const std::string& ocp_version = "") {
  const Router router(catalogue);
  WorldOptions world_options;
  world_options.real_now = [] { return Instant{}; };
  Worlds worlds(world_options, DatasetBuilder::in_memory(catalogue)->finish());
  AdminOptions options;
  options.router = &router;
  options.ocp_version = ocp_version;
  const http::Response response = Admin(options, worlds).handle({"GET", "/__admin/api", {}, "", {}});
  CHECK(response.status == 200);
  CHECK(response.header("Content-Type") == "application/json");
  return response.body;
}

}  // namespace

TEST_CASE("admin api: an endpoint is listed with its parameters, and its words as schema/api/ has them") {
  const std::string body = listed(synthetic_catalogue());
  const JsonValue document = read_json_text(body);
  const auto endpoint = [&](std::string_view method, std::string_view path) {
    std::string text;
    for (const JsonValue& one : document.find("endpoints")->value.items) {
      if (one.find("method")->value.text == method && one.find("path")->value.text == path) append_json(text, one);
    }
    return text;
  };
  CHECK(endpoint("GET", "/api/v1/regions") ==
        R"({"does":"list","form":"list","method":"GET","open":false,"parameters":[],"path":"/api/v1/regions",)"
        R"("resource":"regions"})");
  CHECK(endpoint("POST", "/api/v1/regions") ==
        R"({"does":"list","form":"list","method":"POST","open":false,"parameters":[)"
        R"({"in":"query","match":"contains","name":"keyword","repeats":false,"required":false,"type":"string"},)"
        R"({"in":"query","match":"ignored","name":"dryRun","repeats":false,"required":true,"type":"boolean"}],)"
        R"("path":"/api/v1/regions","resource":"regions"})");
  CHECK(endpoint("DELETE", "/api/v1/zones/{zone}/hosts/{host}") ==
        R"({"does":"get","form":"object","method":"DELETE","open":false,"parameters":[)"
        R"({"in":"path","match":"equal","name":"zone","required":true,"type":"string"},)"
        R"({"in":"path","match":"equal","name":"host","required":true,"type":"string"}],)"
        R"("path":"/api/v1/zones/{zone}/hosts/{host}","resource":"hosts","since":"V4.0.0"})");
  const std::string hosts = endpoint("GET", "/api/v1/zones/{zoneName}/hosts");
  for (const std::string part :
       {R"({"in":"query","match":"page","name":"page","repeats":false,"required":false,"type":"integer"})",
        R"({"in":"query","match":"size","name":"size","repeats":false,"required":false,"type":"integer"})",
        R"({"in":"query","match":"sort","name":"sort","repeats":true,"required":false,"type":"string"})",
        R"("match":"equal","name":"kinds","repeats":true,"required":false,"type":"word","words":["K00","K01",)",
        R"("match":"member","name":"open",)",
        R"("match":"from","name":"since","repeats":false,"required":false,"type":"time")",
        R"("match":"until","name":"maxLoad",)", R"("form":"page")"}) {
    CAPTURE(part);
    CHECK(hosts.find(part) != std::string::npos);
  }
}

TEST_CASE("admin api: an endpoint is listed with the body that it takes, and with other names of what it reads") {
  const std::string body = listed(synthetic_catalogue());
  for (
      const std::string part :
      {R"({"body":{"items":{"members":[{"name":"name","required":true,"type":"string"}],"type":"object"},)"
       R"("required":true,"type":"array"},"does":"fixed","form":"nothing","method":"PUT","open":false,"parameters":[],)"
       R"("path":"/api/v1/regions","takes":["json"]})",
       R"({"aliases":["/api/v1/zone/{zoneName}/hosts"],"body":{"members":[)"
       R"({"name":"name","required":true,"type":"string"},{"name":"port","required":false,"type":"integer"},)",
       R"({"name":"kind","required":false,"type":"word","words":["K00",)",
       R"({"items":{"type":"string"},"name":"tags","required":false,"type":"array"})",
       R"({"items":{"members":[{"name":"path","required":true,"type":"string"},)"
       R"({"name":"size","required":false,"type":"integer"}],"type":"object"},"name":"disks","required":false,)",
       R"({"members":[{"name":"cpu","required":true,"type":"number"}],"name":"limits","required":false,"type":"object"})",
       R"({"name":"extra","required":false,"type":"any"},{"least":1,"name":"label","required":false,"type":"string"})",
       R"({"alias":"slot","items":{"type":"integer"},"least":1,"name":"slots","required":false,"type":"array"},)"
       R"({"name":"url","required":false,"type":"string"}],)"
       R"("required":false,"type":"object"})",
       R"("takes":["json","form","query","multipart"]})"}) {
    CAPTURE(part);
    CHECK(body.find(part) != std::string::npos);
  }
  CHECK(listed(ocp_catalogue()).find(R"({"alias":"cluterName","in":"query","match":"equal","name":"clusterName")") !=
        std::string::npos);
}

TEST_CASE("admin api: every endpoint that is not the mock's own is listed once, in the catalogue's order") {
  for (const Catalogue* catalogue : {&ocp_catalogue(), &synthetic_catalogue()}) {
    std::string expected;
    for (const Endpoint& endpoint : catalogue->endpoints) {
      if (endpoint.listed) expected.append(endpoint.method).append(" ").append(endpoint.path).append("\n");
    }
    const JsonValue document = read_json_text(listed(*catalogue));
    std::string listed_endpoints;
    for (const JsonValue& one : document.find("endpoints")->value.items) {
      listed_endpoints.append(one.find("method")->value.text)
          .append(" ")
          .append(one.find("path")->value.text)
          .append("\n");
    }
    CHECK(listed_endpoints == expected);
  }
}

TEST_CASE("admin api: an endpoint that came with a later version is not listed") {
  const std::string path = R"("path":"/api/v1/zones/{zone}/hosts/{host}","resource":"hosts","since":"V4.0.0")";
  CHECK(listed(synthetic_catalogue(), "4.0.0").find(path) != std::string::npos);
  CHECK(listed(synthetic_catalogue(), "3.9.9").find(path) == std::string::npos);
}
