#include "control/admin_call.h"
#include "control/explain.h"
#include "control/welcome.h"
#include "embedded/admin_openapi.h"

namespace ocp_mock::admin_calls {

http::Response welcome_page(const AdminCall& call) {
  return welcome(call.request, call.options.router->catalogue(), call.options.ocp_version, true);
}

http::Response health(const AdminCall& call) {
  const std::string problem = call.options.load_problem();
  JsonObject health;
  if (!problem.empty()) health.add("problem", problem);
  return json_response(health.add("status", "up"));
}

http::Response openapi(const AdminCall&) { return json_response(unpack(embedded::admin_openapi)); }

http::Response explain(const AdminCall& call) {
  const auto target = call.parameter("request");
  if (!target)
    throw AdminProblem(400, "the parameter request is missing; it must be a request target, percent-encoded");
  const std::string method = call.parameter("method").value_or("GET");
  const std::string body = call.parameter("body").value_or("");
  const World::Snapshot data = call.world()->snapshot();
  return json_response(explain_request({method, *target, body}, *call.options.router, *data.dataset,
                                       call.options.time_of_answer(data.time), call.options.strict,
                                       call.options.rules));
}

}  // namespace ocp_mock::admin_calls
