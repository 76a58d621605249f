#include "control/admin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "control/admin_call.h"
#include "json/fields.h"
#include "ocp/digest.h"
#include "ocp/path_template.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kShortBody = 64 * 1024;  // bytes of a body, or of bodies, that a connection's thread may parse
constexpr std::string_view kWorldPath = "/__admin/worlds/{user}";
constexpr std::string_view kFaultPath = "/__admin/faults/{id}";

// What the cost of a call grows with: nothing, the rows of the data, or the bodies in the journal.
enum class Cost { Little, Rows, Bodies };
using enum Cost;

}  // namespace

struct Admin::Row {
  Route route;
  http::Response (*function)(const AdminCall&);
  Cost cost;
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
    {{"GET",    kAdminPath},                 admin_calls::welcome_page,    Little, {}},
    {{"GET",    "/__admin/health"},          admin_calls::health,          Little, {}},
    {{"GET",    "/__admin/openapi.json"},    admin_calls::openapi,         Little, {}},
    {{"GET",    "/__admin/api"},             admin_calls::list_api,        Little, {}},
    {{"GET",    "/__admin/worlds"},          admin_calls::list_worlds,     Little, {}},
    {{"PUT",    kWorldPath},                 admin_calls::put_world,       Little, {}},
    {{"DELETE", kWorldPath},                 admin_calls::delete_world,    Little, {}},
    {{"GET",    "/__admin/clock"},           admin_calls::get_clock,       Little},
    {{"PUT",    "/__admin/clock"},           admin_calls::put_clock,       Little},
    {{"GET",    "/__admin/fixtures"},        admin_calls::get_fixtures,    Rows},
    {{"PUT",    "/__admin/fixtures"},        admin_calls::put_fixtures,    Rows,  {"user"}, true},
    {{"POST",   "/__admin/fixtures"},        admin_calls::post_fixtures,   Rows,  {"user"}, true},
    {{"POST",   "/__admin/fixtures/reload"}, admin_calls::reload_fixtures, Rows,  {}},
    {{"PATCH",  "/__admin/rows"},            admin_calls::patch_rows,      Rows},
    {{"DELETE", "/__admin/rows"},            admin_calls::delete_rows,     Rows},
    {{"PATCH",  "/__admin/tasks"},           admin_calls::patch_tasks,     Rows},  // the older name of rows
    {{"DELETE", "/__admin/tasks"},           admin_calls::delete_tasks,    Rows},
    {{"POST",   "/__admin/reset"},           admin_calls::reset,           Little},
    {{"GET",    "/__admin/faults"},          admin_calls::get_faults,      Little},
    {{"POST",   "/__admin/faults"},          admin_calls::post_fault,      Little},
    {{"DELETE", "/__admin/faults"},          admin_calls::delete_faults,   Little},
    {{"POST",   "/__admin/faults/verify"},   admin_calls::verify_faults,   Little},
    {{"DELETE", kFaultPath},                 admin_calls::delete_fault,    Little},
    {{"GET",    "/__admin/requests"},        admin_calls::get_requests,    Bodies,
     with_filters({"user", "since", "limit", "wait"})},
    {{"DELETE", "/__admin/requests"},        admin_calls::delete_requests, Little},
    {{"POST",   "/__admin/requests/verify"}, admin_calls::verify,          Bodies},
    {{"GET",    "/__admin/violations"},      admin_calls::get_violations,  Bodies},
    {{"GET",    "/__admin/explain"},         admin_calls::explain,         Rows,  {"user", "request", "method", "body"}},
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
  if (found && found->row->function == admin_calls::welcome_page) return answer(request, true);
  if (!shows_token(request)) {
    if (options_.token && !(found && found->row->function == admin_calls::health)) return refuse_token(request);
    if (const auto refusal = refuse_stranger(request, options_.hosts)) {
      return problem_response(refusal->status, refusal->detail);
    }
  }
  if (!found) return answer(request, true);
  if (const auto refusal = refuse_body(request, found->row->takes_lines)) {
    return problem_response(refusal->status, refusal->detail);
  }
  const bool parses_much = found->row->cost == Bodies && bodies_asked_for(request) > kShortBody;
  const bool is_slow = found->row->cost == Rows || request.body.size() > kShortBody || parses_much;
  if (!is_slow) return answer(request, true);
  // What the worker makes of it; the connection takes it once it is ready.
  auto made = std::make_shared<http::Response>();
  http::Response later;
  later.deferred = std::make_shared<http::DeferredResponse>([made] { return std::move(*made); });
  const bool added =
      (parses_much ? journal_worker_ : data_worker_).add([this, request, made, pending = later.deferred] {
        if (pending->abandoned()) return;
        *made = answer(request, true);
        pending->complete();
      });
  if (!added) return problem_response(503, "too many calls wait for their turn; ask again later");
  return later;
}

// The bytes of the bodies in the journal that the request is about.
std::size_t Admin::bodies_asked_for(const http::Request& request) const {
  std::shared_ptr<World> world;
  for (const QueryPair& pair : split_query(split_target(request.target).query)) {
    const auto user = pair.name == "user" ? percent_decode(pair.value, Plus::IsBlank) : std::nullopt;
    if (user) world = worlds_.find(*user);
  }
  return (world ? *world : worlds_.base()).journal().body_bytes();
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
      throw AdminProblem(400, fmt::format("'{}' in the path does not decode to UTF-8 text", printable(found->place)));
    const Route& route = found->row->route;
    const bool looks = route.method == "GET" || route.path.ends_with("/verify");
    AdminCall call{request, options_, worlds_, may_wait, looks, *place, {}};
    for (const QueryPair& pair : split_query(split_target(request.target).query)) {
      const auto name = percent_decode(pair.name, Plus::IsBlank);
      const auto value = percent_decode(pair.value, Plus::IsBlank);
      if (!name || !value) throw AdminProblem(400, "a query parameter does not decode to UTF-8 text");
      const auto& known = found->row->parameters;
      if (std::ranges::find(known, *name) == known.end()) {
        throw AdminProblem(400, fmt::format("the parameter '{}' is unknown here; known are {}{}", printable(*name),
                                            known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
                                            did_you_mean(*name, known)));
      }
      if (!call.query.emplace(*name, *value).second) {
        throw AdminProblem(400, fmt::format("the parameter '{}' is given twice; give it once", *name));
      }
    }
    return found->row->function(call);
  } catch (const AdminProblem& problem) {
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
    throw AdminProblem(
        405, fmt::format("{} does not take {}; it takes {}", printable(path), printable(request.method), methods),
        methods);
  }
  throw AdminProblem(404, fmt::format("there is no admin call {} {}; {}GET /__admin/openapi.json lists them",
                                      printable(request.method), printable(path), meant_instead_of(path)));
}

// "did you mean '/__admin/faults'? ", or nothing.
std::string Admin::meant_instead_of(std::string_view path) {
  // Calls of which only the end was given: /__admin/verify.
  const std::string_view end = path.substr(kAdminPath.size());
  std::vector<std::string> meant;
  std::vector<std::string_view> ends;
  for (const Row& row : kRows) {
    ends.push_back(row.route.path.substr(kAdminPath.size()));
    if (end.size() > 1 && row.route.path.ends_with(end)) meant.push_back(fmt::format("'{}'", row.route.path));
  }
  if (meant.empty()) {
    if (const auto one = nearest(end, ends)) meant.push_back(fmt::format("'{}{}'", kAdminPath, *one));
  }
  return meant.empty() ? "" : fmt::format("did you mean {}? ", fmt::join(meant, " or "));
}

}  // namespace ocp_mock
