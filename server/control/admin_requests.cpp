#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/utf8.h"
#include "control/admin_call.h"
#include "control/path_note.h"
#include "control/verify.h"
#include "json/fields.h"

namespace ocp_mock::admin_calls {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::chrono::milliseconds kLongestWait{60'000};

// Which entries GET /__admin/requests wants.
struct Listing {
  std::shared_ptr<World> world;
  std::shared_ptr<const Matcher> matcher;
  std::int64_t limit;
  int offset_minutes;

  // The answer with the entries after a sequence; nothing if there are none. last becomes that of the latest entry.
  std::optional<std::string> found(std::int64_t after, std::int64_t& last) const {
    const Journal::View view = world->journal().view(after);
    last = view.last;
    JsonArray requests;
    std::int64_t count = 0;
    for (const auto& entry : view.entries) {
      if (count == limit) break;
      if (!matcher->matches(view_of(*entry))) continue;
      ++count;
      requests.add(json_of(*entry, offset_minutes));
    }
    return count == 0 ? std::nullopt : std::optional(text(view, requests));
  }

  // With the entry, if there is one.
  std::string other(const JournalEntry* entry) const {
    JsonArray requests;
    if (entry != nullptr) requests.add(json_of(*entry, offset_minutes));
    return text(world->journal().view(kMost), requests);
  }

  static std::string text(const Journal::View& view, const JsonArray& requests) {
    return JsonObject().add("evicted", view.evicted).add("last", view.last).add("requests", requests).text();
  }
};

// The criteria among the parameters of the query, as a JSON object would have them.
Matcher filter_of(const AdminCall& call) {
  JsonValue criteria;
  criteria.kind = JsonKind::Object;
  for (const std::string_view key : Matcher::keys(Matcher::Use::Filter)) {
    const auto text = call.parameter(key);
    if (!text) continue;
    JsonValue value;
    const bool is_boolean = key == "clientLeft" && (*text == "true" || *text == "false");
    value.kind = is_boolean ? JsonKind::Boolean : key == "status" ? JsonKind::Integer : JsonKind::String;
    value.text = *text;
    criteria.set({std::string(key), {}, std::move(value)});
  }
  try {
    JsonFields fields(criteria);
    return Matcher::parse(fields, Matcher::Use::Filter, call.facts(true));
  } catch (const JsonFieldError& error) {
    throw AdminProblem(400, std::string(error.text()));
  }
}

std::chrono::milliseconds parse_wait(const std::string& text) {
  const auto duration = parse_duration(text);
  const bool good = duration && *duration >= Duration{} && *duration <= Duration{kLongestWait.count() / 1000, 0};
  if (!good) {
    throw AdminProblem(
        400, fmt::format("wait is '{}'; it must be an ISO 8601 duration such as PT10S, at most PT1M", printable(text)));
  }
  return std::chrono::milliseconds(duration->second * 1000 + duration->nano / 1'000'000);
}

// Is made ready by an entry that matches, by the end of the time or of the world. Place in the journal and timer go
// with the answer, so with the client too.
http::Response wait_for_request(const AdminCall& call, const Listing& listing, std::int64_t after,
                                std::chrono::milliseconds time) {
  struct Held {
    Listing listing;  // its world outlives what follows
    std::unique_ptr<Journal::Wait> wait = {};
    Scheduler::Timer timer = {};
  };
  const auto held = std::make_shared<Held>(Held{listing});
  http::Response later;
  later.deferred = std::make_shared<http::DeferredResponse>([held, after] {
    const auto entry = held->wait->entry();
    std::int64_t last = 0;
    // All that have come by now; the one that has woken it may be gone from the journal.
    if (const auto found = entry ? held->listing.found(after, last) : std::nullopt) return json_response(*found);
    return json_response(held->listing.other(entry.get()));
  });
  held->wait = listing.world->journal().wait(listing.matcher, after, later.deferred);
  if (!held->wait) {
    throw AdminProblem(503, fmt::format("{} calls wait for requests of this world, which is the most; end some first",
                                        Journal::kMostWaits));
  }
  // One may have come between the first look and the wait.
  std::int64_t last = 0;
  if (const auto found = listing.found(after, last)) return json_response(*found);
  held->timer = call.worlds.scheduler().wake_after(time, nullptr, later.deferred);
  return later;
}

}  // namespace

// The entries that the filters of the query leave, from a sequence on.
http::Response get_requests(const AdminCall& call) {
  const Listing listing{call.world(), std::make_shared<const Matcher>(filter_of(call)),
                        call.integer("limit").value_or(kMost), call.options.offset_minutes};
  const auto wait_text = call.parameter("wait");
  const auto wait = wait_text ? std::optional(parse_wait(*wait_text)) : std::nullopt;
  if (wait && listing.limit == 0) throw AdminProblem(400, "limit is 0, so there is nothing to wait for");
  std::int64_t last = 0;
  const std::int64_t since = call.integer("since").value_or(0);
  if (const auto found = listing.found(since, last)) return json_response(*found);
  if (!wait || !call.may_wait || call.worlds.scheduler().stopping()) return json_response(listing.other(nullptr));
  return wait_for_request(call, listing, std::max(since, last), *wait);
}

http::Response delete_requests(const AdminCall& call) {
  call.world()->journal().clear();
  return {204, {}, ""};
}

http::Response verify(const AdminCall& call) {
  const auto world = call.world();
  const JsonValue question = call.body();
  return json_response(verify_requests(world->journal(), question, call.options.offset_minutes, call.facts(true),
                                       note_of_path(question, *call.options.router, *world->origin())));
}

http::Response get_violations(const AdminCall& call) {
  const Journal::View view = call.world()->journal().view();
  JsonArray requests;
  for (const auto& entry : view.entries) {
    if (!entry->violations.empty()) requests.add(json_of(*entry, call.options.offset_minutes));
  }
  return json_response(JsonObject().add("evicted", view.evicted).add("requests", requests));
}

}  // namespace ocp_mock::admin_calls
