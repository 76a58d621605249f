#include "control/admin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "control/explain.h"
#include "control/verify.h"
#include "control/welcome.h"
#include "embedded/admin_openapi.h"
#include "fixtures/forms.h"
#include "fixtures/resources.h"
#include "json/text.h"
#include "ocp/digest.h"
#include "ocp/path_template.h"
#include "ocp/url.h"
#include "store/changes.h"

namespace ocp_mock {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::chrono::milliseconds kLongestWait{60'000};
constexpr std::size_t kShortBody = 64 * 1024;  // bytes that a connection's thread may parse

// What ends a call without its answer.
struct Problem : std::runtime_error {
  Problem(int status_code, const std::string& detail, std::string methods = "")
      : std::runtime_error(detail), status(status_code), allowed(std::move(methods)) {}
  int status;
  std::string allowed;  // of a 405
};

std::string_view title_of(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 415: return "Unsupported Media Type";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

http::Response json_response(std::string body, int status = 200) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

http::Response problem_response(int status, std::string_view detail) {
  http::Response response{status,
                          {{"Content-Type", "application/problem+json"}},
                          fmt::format(R"({{"detail":{},"status":{},"title":{},"type":"about:blank"}})",
                                      json_string(detail), status, json_string(title_of(status)))};
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"ocp-mock-server admin\"");
  return response;
}

std::int64_t parse_integer(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value < 0) {
    throw Problem(400, fmt::format("{} is '{}'; it must be an integer, 0 or more", name, printable(text)));
  }
  return value;
}

}  // namespace

// One call with all that its route's function needs.
struct Admin::Call {
  const http::Request& request;
  const AdminOptions& options;
  Worlds& worlds;
  bool may_wait;      // for a request; else what there is is the answer
  bool looks;         // and changes nothing
  std::string place;  // the value of the path's {place}
  std::map<std::string, std::string, std::less<>> query;

  std::optional<std::string> parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::nullopt : std::optional(found->second);
  }

  std::optional<std::int64_t> integer(std::string_view name) const {
    const auto text = parameter(name);
    return text ? std::optional(parse_integer(name, *text)) : std::nullopt;
  }

  void need_isolation() const {
    if (!worlds.options().isolate_by_user) {
      throw Problem(400, "the server runs without --isolate-by user, so the base is the only world");
    }
  }

  // That of ?user=, the base without it. Looking makes no world: a name that is wrong would otherwise prove something.
  std::shared_ptr<World> world() const {
    const auto user = parameter("user");
    if (!user) return worlds.of_user("");
    need_isolation();
    if (user->empty()) throw Problem(400, "the parameter user is empty");
    if (looks && !worlds.find(*user)) throw Problem(404, fmt::format("user '{}' has no world yet", printable(*user)));
    auto world = worlds.of_user(*user);
    if (!world) throw_too_many();
    return world;
  }

  [[noreturn]] void throw_too_many() const {
    throw Problem(503, fmt::format("the limit of --max-worlds ({}) is reached; delete a world first",
                                   worlds.options().max_worlds));
  }

  // What holds for the requests of the world: those in its journal, or those that its faults may meet. Worlds of users
  // that are yet to be made take the base's faults along.
  RequestFacts facts(bool of_journal) const {
    RequestFacts facts{options.head_bytes, options.needs_credentials ? &options.router->catalogue() : nullptr,
                       world()->origin()->has_exchanges()};
    if (!worlds.options().isolate_by_user) return facts;
    facts.user = parameter("user");
    if (!facts.user && of_journal) facts.user = "";
    return facts;
  }

  // The body as one JSON value; an empty object for no body.
  JsonValue body() const { return read_json_text(request.body.empty() ? "{}" : std::string_view(request.body)); }
};

struct Admin::Functions {
  using Call = Admin::Call;

  static http::Response welcome_page(const Call& call) {
    return welcome(call.request, call.options.router->catalogue(), true);
  }

  static http::Response health(const Call& call) {
    const std::string problem = call.options.load_problem();
    return json_response(problem.empty() ? R"({"status":"up"})"
                                         : fmt::format(R"({{"problem":{},"status":"up"}})", json_string(problem)));
  }

  static http::Response openapi(const Call&) { return json_response(std::string(embedded::admin_openapi)); }

  static http::Response list_worlds(const Call& call) {
    std::string worlds;
    for (const auto& [user, world] : call.worlds.all()) {
      worlds += fmt::format(R"({}{{"faults":{},"requests":{},"user":{}}})", worlds.empty() ? "" : ",",
                            world->faults().size(), world->journal().last(), json_string(user));
    }
    return json_response(fmt::format(R"({{"isolateByUser":{},"maxWorlds":{},"worlds":[{}]}})",
                                     call.worlds.options().isolate_by_user, call.worlds.options().max_worlds, worlds));
  }

  static http::Response put_world(const Call& call) {
    call.need_isolation();
    const JsonValue body = call.body();
    JsonFields fields(body);
    const auto from = fields.text("from");
    fields.refuse_others();
    if (call.place.empty()) throw Problem(400, "the name of the user is empty");
    if (!call.worlds.fork(call.place, from)) {
      const auto all = call.worlds.all();
      const bool is_known = !from || std::ranges::any_of(all, [&](const auto& world) { return world.first == *from; });
      if (is_known) call.throw_too_many();
      throw Problem(404, fmt::format("user '{}' has no world", printable(*from)));
    }
    return json_response(fmt::format(R"({{"user":{}}})", json_string(call.place)), 201);
  }

  static http::Response delete_world(const Call& call) {
    call.need_isolation();
    if (!call.worlds.remove(call.place))
      throw Problem(404, fmt::format("user '{}' has no world", printable(call.place)));
    return {204, {}, ""};
  }

  static http::Response get_clock(const Call& call) { return clock_of(call, *call.world()); }

  static http::Response put_clock(const Call& call) {
    const JsonValue body = call.body();
    JsonFields fields(body);
    const auto now = fields.text("now");
    const auto advance = fields.text("advance");
    const auto offset = fields.text("offset");
    fields.refuse_others();
    if (now.has_value() + advance.has_value() + offset.has_value() > 1) {
      throw Problem(400, "give only one of now, advance and offset");
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
      throw Problem(400, error.what());
    }
    return clock_of(call, *world);
  }

  static http::Response clock_of(const Call& call, World& world) {
    static constexpr std::array<std::string_view, 3> kModes{"real", "offset", "fixed"};
    return json_response(fmt::format(R"({{"mode":"{}","now":{}}})",
                                     kModes.at(static_cast<std::size_t>(world.clock().mode())),
                                     json_string(format_iso_offset(world.clock().now(), call.options.offset_minutes))));
  }

  static http::Response get_fixtures(const Call& call) {
    return json_response(export_fixtures(*call.world()->origin()));
  }

  static http::Response put_fixtures(const Call& call) {
    return changed(call.world()->change(true, [&](const std::shared_ptr<const Dataset>&) {
      return from_fixtures(*call.options.router, "request body", call.request.body);
    }));
  }

  static http::Response post_fixtures(const Call& call) {
    const auto world = call.world();
    const Instant now = world->clock().now();
    return changed(world->change(false, [&](const std::shared_ptr<const Dataset>& old) {
      return with_fixtures(*call.options.router, old, "request body", call.request.body, now);
    }));
  }

  static http::Response reload_fixtures(const Call& call) {
    const LoadedFixtures loaded = call.options.reload();
    std::string files;
    std::int64_t tasks = 0;
    for (const FixtureFile& file : loaded.files) {
      const std::string exchanges = file.exchanges == 0 ? "" : fmt::format(R"("exchanges":{},)", file.exchanges);
      files += fmt::format(R"({}{{{}"file":{},"form":{},"tasks":{}}})", files.empty() ? "" : ",", exchanges,
                           json_string(file.name), json_string(file.form), file.count());
      tasks += file.count();
    }
    std::string notes;
    for (const std::string& note : loaded.notes) notes.append(notes.empty() ? "" : ",").append(json_string(note));
    return json_response(fmt::format(R"({{"files":[{}],"notes":[{}],"tasks":{}}})", files, notes, tasks));
  }

  // The resource and the selector of a change of tasks.
  struct Selection {
    JsonValue body;
    const Resource* resource = nullptr;
    const JsonValue* where = nullptr;
    const JsonValue* set = nullptr;
  };

  static void select(const Call& call, Selection& selection, bool with_set) {
    selection.body = call.body();
    JsonFields fields(selection.body);
    const auto name = fields.text("resource");
    const Catalogue& catalogue = call.options.router->catalogue();
    const FixtureResources resources(catalogue);
    selection.resource = name ? catalogue.find_resource(*name) : &resources.default_resource();
    if (selection.resource == nullptr || resources.is_declared(*selection.resource)) {
      std::vector<std::string_view> names;
      for (const Resource& resource : catalogue.resources) {
        if (!resources.is_declared(resource)) names.push_back(resource.name);
      }
      fields.refuse("resource", fmt::format("must be the name of a resource: {}{}", fmt::join(names, ", "),
                                            did_you_mean(*name, names)));
    }
    selection.where = fields.object("where");
    if (with_set) selection.set = fields.object("set");
    fields.refuse_others();
    if (selection.where == nullptr) {
      throw Problem(400, "where is missing; it must be an object of fields and values, {} for all tasks");
    }
    if (with_set && selection.set == nullptr) {
      throw Problem(400, "set is missing; it must be an object of fields and values");
    }
  }

  static http::Response patch_tasks(const Call& call) {
    Selection selection;
    select(call, selection, true);
    return changed(call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
      refuse_misspelt(*old, *selection.resource, *selection.where, selection.set);
      return with_rows_set(old, *selection.resource, *selection.where, *selection.set);
    }));
  }

  static http::Response delete_tasks(const Call& call) {
    Selection selection;
    select(call, selection, false);
    return changed(call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
      refuse_misspelt(*old, *selection.resource, *selection.where, nullptr);
      return without_rows(old, *selection.resource, *selection.where);
    }));
  }

  static http::Response changed(const Changed& changed) {
    const std::string exchanges = changed.exchanges == 0 ? "" : fmt::format(R"("exchanges":{},)", changed.exchanges);
    return json_response(fmt::format(R"({{{}"tasks":{}}})", exchanges, changed.rows));
  }

  static http::Response reset(const Call& call) {
    call.world()->reset();
    return {204, {}, ""};
  }

  static http::Response get_faults(const Call& call) {
    std::string faults;
    for (const std::string& fault : call.world()->faults().list())
      faults.append(faults.empty() ? "" : ",").append(fault);
    return json_response("{\"faults\":[" + faults + "]}");
  }

  static http::Response post_fault(const Call& call) {
    const JsonValue body = call.body();
    return json_response(fmt::format(R"({{"id":{}}})", call.world()->faults().add(body, call.facts(false))), 201);
  }

  static http::Response delete_faults(const Call& call) {
    const auto world = call.world();
    world->faults().clear();
    world->release();
    return {204, {}, ""};
  }

  static http::Response delete_fault(const Call& call) {
    const std::int64_t id = parse_integer("the id of a fault", call.place);
    if (!call.world()->faults().remove(id)) throw Problem(404, fmt::format("there is no fault {}", id));
    return {204, {}, ""};
  }

  static http::Response verify_faults(const Call& call) {
    const auto world = call.world();
    const auto never_fired = world->faults().never_fired();
    const auto steps_left = world->faults().with_steps_left();
    const bool passed = never_fired.empty() && steps_left.empty();
    return json_response(fmt::format(R"({{"neverFired":[{}],"result":"{}","stepsLeft":[{}]}})",
                                     fmt::join(never_fired, ","), passed ? "passed" : "failed",
                                     fmt::join(steps_left, ",")));
  }

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
      std::string requests;
      std::int64_t count = 0;
      for (const auto& entry : view.entries) {
        if (count == limit) break;
        if (!matcher->matches(view_of(*entry))) continue;
        ++count;
        requests.append(requests.empty() ? "" : ",").append(json_of(*entry, offset_minutes));
      }
      return count == 0 ? std::nullopt : std::optional(text(view, requests));
    }

    // With the entry, if there is one.
    std::string other(const JournalEntry* entry) const {
      return text(world->journal().view(kMost), entry == nullptr ? "" : json_of(*entry, offset_minutes));
    }

    static std::string text(const Journal::View& view, const std::string& requests) {
      return fmt::format(R"({{"evicted":{},"last":{},"requests":[{}]}})", view.evicted, view.last, requests);
    }
  };

  // The entries that the filters of the query leave, from a sequence on.
  static http::Response get_requests(const Call& call) {
    const Listing listing{call.world(), std::make_shared<const Matcher>(filter_of(call)),
                          call.integer("limit").value_or(kMost), call.options.offset_minutes};
    const auto wait_text = call.parameter("wait");
    const auto wait = wait_text ? std::optional(parse_wait(*wait_text)) : std::nullopt;
    if (wait && listing.limit == 0) throw Problem(400, "limit is 0, so there is nothing to wait for");
    std::int64_t last = 0;
    const std::int64_t since = call.integer("since").value_or(0);
    if (const auto found = listing.found(since, last)) return json_response(*found);
    if (!wait || !call.may_wait || call.worlds.scheduler().stopping()) return json_response(listing.other(nullptr));
    return wait_for_request(call, listing, std::max(since, last), *wait);
  }

  // The criteria among the parameters of the query, as a JSON object would have them.
  static Matcher filter_of(const Call& call) {
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
      throw Problem(400, std::string(error.text()));
    }
  }

  static std::chrono::milliseconds parse_wait(const std::string& text) {
    const auto duration = parse_duration(text);
    const bool good = duration && *duration >= Duration{} && *duration <= Duration{kLongestWait.count() / 1000, 0};
    if (!good) {
      throw Problem(400, fmt::format("wait is '{}'; it must be an ISO 8601 duration such as PT10S, at most PT1M",
                                     printable(text)));
    }
    return std::chrono::milliseconds(duration->second * 1000 + duration->nano / 1'000'000);
  }

  // Is made ready by an entry that matches, by the end of the time or of the world. Place in the journal and timer go
  // with the answer, so with the client too.
  static http::Response wait_for_request(const Call& call, const Listing& listing, std::int64_t after,
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
      throw Problem(503, fmt::format("{} calls wait for requests of this world, which is the most; end some first",
                                     Journal::kMostWaits));
    }
    // One may have come between the first look and the wait.
    std::int64_t last = 0;
    if (const auto found = listing.found(after, last)) return json_response(*found);
    held->timer = call.worlds.scheduler().wake_after(time, nullptr, later.deferred);
    return later;
  }

  static http::Response delete_requests(const Call& call) {
    call.world()->journal().clear();
    return {204, {}, ""};
  }

  static http::Response verify(const Call& call) {
    return json_response(
        verify_requests(call.world()->journal(), call.body(), call.options.offset_minutes, call.facts(true)));
  }

  static http::Response get_violations(const Call& call) {
    const Journal::View view = call.world()->journal().view();
    std::string requests;
    for (const auto& entry : view.entries) {
      if (entry->violations.empty()) continue;
      requests.append(requests.empty() ? "" : ",").append(json_of(*entry, call.options.offset_minutes));
    }
    return json_response(fmt::format(R"({{"evicted":{},"requests":[{}]}})", view.evicted, requests));
  }

  static http::Response explain(const Call& call) {
    const auto target = call.parameter("request");
    if (!target) throw Problem(400, "the parameter request is missing; it must be a request target, percent-encoded");
    const World::Snapshot data = call.world()->snapshot();
    return json_response(explain_request(*target, *call.options.router, *data.dataset,
                                         call.options.time_of_answer(data.time), call.options.strict,
                                         call.options.rules));
  }
};

namespace {

constexpr std::string_view kWorldPath = "/__admin/worlds/{user}";
constexpr std::string_view kFaultPath = "/__admin/faults/{id}";

}  // namespace

struct Admin::Row {
  Route route;
  http::Response (*function)(const Call&);
  bool is_slow;  // at a million tasks: the worker's
  std::vector<std::string_view> parameters = {"user"};
  bool takes_lines = false;  // a body of NDJSON
  PathTemplate path = PathTemplate::of_template(route.path);
};

namespace {

std::vector<std::string_view> with_filters(std::vector<std::string_view> parameters) {
  for (const std::string_view key : Matcher::keys(Matcher::Use::Filter)) parameters.push_back(key);
  return parameters;
}

}  // namespace

// clang-format off
const Admin::Row Admin::kRows[] = {
    {{"GET",    kAdminPath},                 Functions::welcome_page,    false, {}},
    {{"GET",    "/__admin/health"},          Functions::health,          false, {}},
    {{"GET",    "/__admin/openapi.json"},    Functions::openapi,         false, {}},
    {{"GET",    "/__admin/worlds"},          Functions::list_worlds,     false, {}},
    {{"PUT",    kWorldPath},                 Functions::put_world,       false, {}},
    {{"DELETE", kWorldPath},                 Functions::delete_world,    false, {}},
    {{"GET",    "/__admin/clock"},           Functions::get_clock,       false},
    {{"PUT",    "/__admin/clock"},           Functions::put_clock,       false},
    {{"GET",    "/__admin/fixtures"},        Functions::get_fixtures,    true},
    {{"PUT",    "/__admin/fixtures"},        Functions::put_fixtures,    true,  {"user"}, true},
    {{"POST",   "/__admin/fixtures"},        Functions::post_fixtures,   true,  {"user"}, true},
    {{"POST",   "/__admin/fixtures/reload"}, Functions::reload_fixtures, true,  {}},
    {{"PATCH",  "/__admin/tasks"},           Functions::patch_tasks,     true},
    {{"DELETE", "/__admin/tasks"},           Functions::delete_tasks,    true},
    {{"POST",   "/__admin/reset"},           Functions::reset,           false},
    {{"GET",    "/__admin/faults"},          Functions::get_faults,      false},
    {{"POST",   "/__admin/faults"},          Functions::post_fault,      false},
    {{"DELETE", "/__admin/faults"},          Functions::delete_faults,   false},
    {{"POST",   "/__admin/faults/verify"},   Functions::verify_faults,   false},
    {{"DELETE", kFaultPath},                 Functions::delete_fault,    false},
    {{"GET",    "/__admin/requests"},        Functions::get_requests,    false,
     with_filters({"user", "since", "limit", "wait"})},
    {{"DELETE", "/__admin/requests"},        Functions::delete_requests, false},
    {{"POST",   "/__admin/requests/verify"}, Functions::verify,          false},
    {{"GET",    "/__admin/violations"},      Functions::get_violations,  false},
    {{"GET",    "/__admin/explain"},         Functions::explain,         true,  {"user", "request"}},
};
// clang-format on

Admin::Admin(AdminOptions options, Worlds& worlds) : options_(std::move(options)), worlds_(worlds) {}

bool Admin::owns(std::string_view target) {
  const std::string_view path = split_target(target).path;
  return path == kAdminPath || (path.starts_with(kAdminPath) && path[kAdminPath.size()] == '/');
}

std::vector<Admin::Route> Admin::routes() {
  std::vector<Route> routes;
  for (const Row& row : kRows) routes.push_back(row.route);
  return routes;
}

http::Response Admin::handle(const http::Request& request) {
  const auto found = find(request);
  // Nothing of it is secret, and a link to it may stand anywhere.
  if (found && found->row->function == Functions::welcome_page) return answer(request, true);
  if (!shows_token(request)) {
    if (options_.token && !(found && found->row->function == Functions::health)) return refuse_token(request);
    if (const auto refusal = refuse_stranger(request, options_.hosts)) {
      return problem_response(refusal->status, refusal->detail);
    }
  }
  if (!found) return answer(request, true);
  if (const auto refusal = refuse_body(request, found->row->takes_lines)) {
    return problem_response(refusal->status, refusal->detail);
  }
  if (!found->row->is_slow && request.body.size() <= kShortBody) return answer(request, true);
  // What the worker makes of it; the connection takes it once it is ready.
  auto made = std::make_shared<http::Response>();
  http::Response later;
  later.deferred = std::make_shared<http::DeferredResponse>([made] { return std::move(*made); });
  const bool added = worker_.add([this, request, made, pending = later.deferred] {
    if (pending->abandoned()) return;
    *made = answer(request, true);
    pending->complete();
  });
  if (!added) return problem_response(503, "too many calls wait for their turn; ask again later");
  return later;
}

http::Response Admin::perform(const http::Request& request) { return answer(request, false); }

// Without a token of its own, the server knows none that is right.
bool Admin::shows_token(const http::Request& request) const {
  const auto given = request.header("Authorization");
  constexpr std::string_view kBearer = "Bearer ";
  if (!options_.token || !given || !equals_ignoring_case(given->substr(0, kBearer.size()), kBearer)) return false;
  return equal_in_constant_time(trim_blanks(given->substr(kBearer.size())), *options_.token);
}

// Who tries one token after the other waits longer and longer; who shows none only learns that one is needed.
http::Response Admin::refuse_token(const http::Request& request) {
  http::Response refused = problem_response(
      401, "the admin calls need the header 'Authorization: Bearer TOKEN' with the token of --admin-token");
  if (!request.header("Authorization")) return refused;
  options_.warn(fmt::format("a wrong admin token from {}: {} {}",
                            request.peer.empty() ? "an unknown address" : printable(request.peer),
                            printable(request.method), printable(without_user(split_target(request.target).path))));
  const auto delay = wrong_tokens_.add(request.peer, std::chrono::steady_clock::now());
  if (delay.count() == 0) return refused;
  struct Held {
    http::Response refused;
    Scheduler::Timer timer;
  };
  const auto held = std::make_shared<Held>();
  held->refused = std::move(refused);
  http::Response later;
  later.deferred = std::make_shared<http::DeferredResponse>([held] { return std::move(held->refused); });
  held->timer = worlds_.scheduler().wake_after(delay, nullptr, later.deferred);
  return later;
}

// The row of a request, and the value of its place; nothing for a path that is none or takes other methods.
std::optional<Admin::Found> Admin::find(const http::Request& request) {
  const std::string_view path = split_target(request.target).path;
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Row& row : kRows) {
    if (row.route.method != method) continue;
    if (const auto places = row.path.values(path)) {
      return Found{&row, std::string(places->empty() ? std::string_view() : places->front())};
    }
  }
  return std::nullopt;
}

http::Response Admin::answer(const http::Request& request, bool may_wait) {
  try {
    const auto found = find(request);
    if (!found) throw_no_route(request);
    const auto place = percent_decode(found->place, Plus::Kept);
    if (!place)
      throw Problem(400, fmt::format("'{}' in the path does not decode to UTF-8 text", printable(found->place)));
    const Route& route = found->row->route;
    const bool looks = route.method == "GET" || route.path.ends_with("/verify");
    Call call{request, options_, worlds_, may_wait, looks, *place, {}};
    for (const QueryPair& pair : split_query(split_target(request.target).query)) {
      const auto name = percent_decode(pair.name, Plus::IsBlank);
      const auto value = percent_decode(pair.value, Plus::IsBlank);
      if (!name || !value) throw Problem(400, "a query parameter does not decode to UTF-8 text");
      const auto& known = found->row->parameters;
      if (std::ranges::find(known, *name) == known.end()) {
        throw Problem(400, fmt::format("the parameter '{}' is unknown here; known are {}{}", printable(*name),
                                       known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
                                       did_you_mean(*name, known)));
      }
      if (!call.query.emplace(*name, *value).second) {
        throw Problem(400, fmt::format("the parameter '{}' is given twice; give it once", *name));
      }
    }
    return found->row->function(call);
  } catch (const Problem& problem) {
    http::Response response = problem_response(problem.status, problem.what());
    if (!problem.allowed.empty()) response.headers.add("Allow", problem.allowed);
    return response;
  } catch (const JsonFieldError& error) {
    return problem_response(400, fmt::format("request body:{}", error.what()));
  } catch (const JsonSyntaxError& error) {
    return problem_response(400, fmt::format("request body:{}:{}: not JSON: {}", error.position().line,
                                             error.position().column, error.what()));
  } catch (const FixtureError& error) {
    return problem_response(400, error.what());
  } catch (const NoReload& error) {
    return problem_response(409, error.what());
  } catch (const std::exception& error) {
    return problem_response(500, error.what());
  }
}

void Admin::throw_no_route(const http::Request& request) {
  const std::string_view path = split_target(request.target).path;
  std::string methods;
  for (const Row& row : kRows) {
    if (row.path.fits(path)) methods.append(methods.empty() ? "" : ", ").append(row.route.method);
  }
  if (!methods.empty()) {
    throw Problem(405,
                  fmt::format("{} does not take {}; it takes {}", printable(path), printable(request.method), methods),
                  methods);
  }
  throw Problem(404, fmt::format("there is no admin call {} {}; {}GET /__admin/openapi.json lists them",
                                 printable(request.method), printable(path), meant_instead_of(path)));
}

// "did you mean '/__admin/faults'? ", or nothing.
std::string Admin::meant_instead_of(std::string_view path) {
  // Calls of which only the end was given: /__admin/verify.
  const std::string_view end = path.substr(kAdminPath.size());
  std::vector<std::string> meant;
  std::vector<std::string_view> paths;
  for (const Row& row : kRows) {
    paths.push_back(row.route.path);
    if (end.size() > 1 && row.route.path.ends_with(end)) meant.push_back(fmt::format("'{}'", row.route.path));
  }
  if (meant.empty()) {
    if (const auto one = nearest(path, paths)) meant.push_back(fmt::format("'{}'", *one));
  }
  return meant.empty() ? "" : fmt::format("did you mean {}? ", fmt::join(meant, " or "));
}

}  // namespace ocp_mock
