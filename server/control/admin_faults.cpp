#include <fmt/format.h>

#include "control/admin_call.h"
#include "control/path_note.h"

namespace ocp_mock::admin_calls {

http::Response get_faults(const AdminCall& call) {
  const auto raw = [](const std::string& fault) { return RawJson{fault}; };
  return json_response(JsonObject().add("faults", JsonArray(call.world()->faults().list(), raw)));
}

http::Response post_fault(const AdminCall& call) {
  const JsonValue body = call.body();
  const auto world = call.world();
  JsonObject answer;
  answer.add("id", world->faults().add(body, call.facts(false)));
  const JsonMember* match = body.find("match");
  const auto note =
      match == nullptr ? std::nullopt : note_of_path(match->value, *call.options.router, *world->origin());
  if (note) answer.add("note", *note);
  return json_response(answer, 201);
}

http::Response delete_faults(const AdminCall& call) {
  const auto world = call.world();
  world->faults().clear();
  world->release();
  return {204, {}, ""};
}

http::Response delete_fault(const AdminCall& call) {
  const std::int64_t id = parse_integer("the id of a fault", call.place);
  if (!call.world()->faults().remove(id)) throw AdminProblem(404, fmt::format("there is no fault {}", id));
  return {204, {}, ""};
}

http::Response verify_faults(const AdminCall& call) {
  const auto world = call.world();
  const auto never_fired = world->faults().never_fired();
  const auto steps_left = world->faults().with_steps_left();
  const bool passed = never_fired.empty() && steps_left.empty();
  return json_response(JsonObject()
                           .add("neverFired", JsonArray(never_fired))
                           .add("result", passed ? "passed" : "failed")
                           .add("stepsLeft", JsonArray(steps_left)));
}

}  // namespace ocp_mock::admin_calls
