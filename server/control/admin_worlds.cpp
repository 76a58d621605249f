#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "control/admin_call.h"
#include "json/fields.h"

namespace ocp_mock::admin_calls {
namespace {

http::Response clock_of(const AdminCall& call, World& world) {
  static constexpr std::array<std::string_view, 3> kModes{"real", "offset", "fixed"};
  return json_response(JsonObject()
                           .add("mode", kModes.at(static_cast<std::size_t>(world.clock().mode())))
                           .add("now", format_iso_offset(world.clock().now(), call.options.offset_minutes)));
}

}  // namespace

http::Response list_worlds(const AdminCall& call) {
  const JsonArray worlds(call.worlds.all(), [](const auto& entry) {
    const auto& [user, world] = entry;
    return JsonObject()
        .add("faults", world->faults().size())
        .add("requests", world->journal().last())
        .add("user", user);
  });
  return json_response(JsonObject()
                           .add("isolateByUser", call.worlds.options().isolate_by_user)
                           .add("maxWorlds", call.worlds.options().max_worlds)
                           .add("worlds", worlds));
}

http::Response put_world(const AdminCall& call) {
  call.need_isolation();
  const JsonValue body = call.body();
  JsonFields fields(body);
  const auto from = fields.text("from");
  fields.refuse_others();
  if (call.place.empty()) throw AdminProblem(400, "the name of the user is empty");
  if (!call.worlds.fork(call.place, from)) {
    const auto all = call.worlds.all();
    const bool is_known = !from || std::ranges::any_of(all, [&](const auto& world) { return world.first == *from; });
    if (is_known) call.throw_too_many();
    throw AdminProblem(404, fmt::format("user '{}' has no world", printable(*from)));
  }
  return json_response(JsonObject().add("user", call.place), 201);
}

http::Response delete_world(const AdminCall& call) {
  call.need_isolation();
  if (!call.worlds.remove(call.place))
    throw AdminProblem(404, fmt::format("user '{}' has no world", printable(call.place)));
  return {204, {}, ""};
}

http::Response get_clock(const AdminCall& call) { return clock_of(call, *call.world()); }

http::Response put_clock(const AdminCall& call) {
  if (call.request.body.empty()) {
    throw AdminProblem(
        400, "the body is missing: {\"now\":TIME}, {\"advance\":DURATION} or {\"offset\":DURATION}; {} is real time");
  }
  const JsonValue body = call.body();
  JsonFields fields(body);
  const auto now = fields.text("now");
  const auto advance = fields.text("advance");
  const auto offset = fields.text("offset");
  fields.refuse_others();
  if (now.has_value() + advance.has_value() + offset.has_value() > 1) {
    throw AdminProblem(400, "give only one of now, advance and offset");
  }
  const auto instant = now ? parse_rfc3339(*now) : std::nullopt;
  if (now && !instant) {
    const std::string flaw = flaw_of_rfc3339(*now);
    fields.refuse("now", fmt::format("must be an RFC 3339 time such as \"2024-08-09T16:06:02+08:00\"{}{}",
                                     flaw.empty() ? "" : "; ", flaw));
  }
  const auto text = advance ? advance : offset;
  const auto distance = text ? parse_duration(*text) : std::nullopt;
  if (text && !distance) {
    const bool has_months = text->find('M') < text->find('T');
    fields.refuse(advance ? "advance" : "offset",
                  fmt::format("must be an ISO 8601 duration such as \"PT5M\" or \"-P1D\"{}",
                              has_months ? "; a minute is PT1M, and a month has no fixed length" : ""));
  }
  const std::shared_ptr<World> world = call.world();
  try {
    if (instant) {
      world->clock().stand_at(*instant);
    } else if (advance) {
      world->clock().advance_by(*distance);
    } else if (offset) {
      world->clock().offset_by(*distance);
    } else {
      world->clock().use_real_time();
    }
  } catch (const std::out_of_range& error) {
    throw AdminProblem(400, error.what());
  }
  return clock_of(call, *world);
}

http::Response reset(const AdminCall& call) {
  call.world()->reset();
  return {204, {}, ""};
}

}  // namespace ocp_mock::admin_calls
