#include "control/admin_call.h"

#include <fmt/format.h>

#include <charconv>

#include "base/utf8.h"

namespace ocp_mock {
namespace {

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

}  // namespace

http::Response json_response(const JsonObject& object, int status) { return json_response(object.text(), status); }

http::Response json_response(std::string body, int status) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

http::Response problem_response(int status, std::string_view detail) {
  http::Response response{status,
                          {{"Content-Type", "application/problem+json"}},
                          JsonObject()
                              .add("detail", detail)
                              .add("status", status)
                              .add("title", title_of(status))
                              .add("type", "about:blank")
                              .text()};
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"ocp-mock-server admin\"");
  return response;
}

std::int64_t parse_integer(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value < 0) {
    throw AdminProblem(400, fmt::format("{} is '{}'; it must be an integer, 0 or more", name, printable(text)));
  }
  return value;
}

std::optional<std::string> AdminCall::parameter(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> AdminCall::integer(std::string_view name) const {
  const auto text = parameter(name);
  return text ? std::optional(parse_integer(name, *text)) : std::nullopt;
}

void AdminCall::need_isolation() const {
  if (!worlds.options().isolate_by_user) {
    throw AdminProblem(400, "the server runs without --isolate-by user, so the base is the only world");
  }
}

std::shared_ptr<World> AdminCall::world() const {
  const auto user = parameter("user");
  if (!user) return worlds.of_user("");
  need_isolation();
  if (user->empty()) throw AdminProblem(400, "the parameter user is empty");
  if (looks && !worlds.find(*user))
    throw AdminProblem(404, fmt::format("user '{}' has no world yet", printable(*user)));
  auto world = worlds.of_user(*user);
  if (!world) throw_too_many();
  return world;
}

void AdminCall::throw_too_many() const {
  throw AdminProblem(
      503, fmt::format("the limit of --max-worlds ({}) is reached; delete a world first", worlds.options().max_worlds));
}

RequestFacts AdminCall::facts(bool of_journal) const {
  RequestFacts facts{options.head_bytes, options.needs_credentials ? &options.router->catalogue() : nullptr,
                     world()->origin()->has_exchanges()};
  facts.router = options.router;
  if (!worlds.options().isolate_by_user) return facts;
  facts.user = parameter("user");
  if (!facts.user && of_journal) facts.user = "";
  return facts;
}

JsonValue AdminCall::body() const {
  return read_json_text(request.body.empty() ? "{}" : std::string_view(request.body));
}

}  // namespace ocp_mock
