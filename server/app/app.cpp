#include "app/app.h"

#include "catalogue/body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>

#include "app/journal_entry.h"
#include "base/utf8.h"
#include "behaviour/replay.h"
#include "control/admin.h"
#include "control/welcome.h"
#include "json/text.h"
#include "ocp/negotiation.h"
#include "ocp/parse_refusal.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

const std::string kChallenge = R"(Basic realm="OCP", charset="UTF-8")";
constexpr std::string_view kJsonUtf8 = "application/json;charset=UTF-8";  // of a 401, as OCP Express does
constexpr std::string_view kText = "text/plain;charset=UTF-8";
constexpr std::size_t kShortBody = 64 * 1024;  // bytes of a body that a connection's thread may parse

// Header values are UTF-8 here or, failing that, Latin-1, as servers of Java read them.
std::string header_text(std::string_view value) {
  if (is_utf8(value)) return std::string(value);
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return status < 500 ? "Request Refused" : "Error";
  }
}

// Of all headers of a name, as one list.
std::string joined_values(const Headers& headers, std::string_view wanted) {
  std::string values;
  for (const auto& [name, value] : headers) {
    if (equals_ignoring_case(name, wanted)) values.append(values.empty() ? "" : ",").append(value);
  }
  return values;
}

Language language_of(const http::Request& request) {
  return choose_language(joined_values(request.headers, "Accept-Language"));
}

// The admin call whose path was probably meant; empty for any other path.
std::string admin_call_meant(std::string_view path) {
  constexpr std::array<std::string_view, 5> kMisspelt{"/_admin", "/admin", "/___admin", "/_admin_", "/__Admin"};
  for (const std::string_view misspelt : kMisspelt) {
    const bool is_it = path.starts_with(misspelt) && (path.size() == misspelt.size() || path[misspelt.size()] == '/');
    if (is_it) return fmt::format("{}{}", kAdminPath, path.substr(misspelt.size()));
  }
  return "";
}

// As proxies send it when what is behind them fails.
std::string error_page(int status) {
  const std::string title = fmt::format("{} {}", status, reason_of(status));
  return fmt::format(
      "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n",
      title);
}

}  // namespace

App::App(AppOptions options, AppContext context, const Router& router, Worlds& worlds)
    : options_(std::move(options)),
      context_(std::move(context)),
      router_(router),
      worlds_(worlds),
      authenticator_(options_.auth, options_.credentials) {
  if (options_.frozen) freeze(*options_.frozen);
}

void App::freeze(EnvelopeValues values) {
  auto frozen = std::make_shared<Frozen>();
  frozen->time = parse_rfc3339(values.timestamp);
  frozen->values = std::move(values);
  const std::lock_guard lock(mutex_);
  frozen_ = std::move(frozen);
}

std::shared_ptr<const App::Frozen> App::frozen() const {
  if (!options_.frozen) return nullptr;
  const std::lock_guard lock(mutex_);
  return frozen_;
}

Instant App::time_of_answer(const Frozen* frozen, Instant now) {
  return frozen != nullptr && frozen->time ? *frozen->time : now;
}

http::Response App::handle(const http::Request& request) const {
  const auto start = std::chrono::steady_clock::now();
  return request.body.size() > kShortBody ? handle_on_worker(request, start) : handle_now(request, start);
}

http::Response App::handle_now(const http::Request& request, std::chrono::steady_clock::time_point start) const {
  const std::shared_ptr<const Frozen> frozen = this->frozen();
  Exchange exchange{
      .start = start, .world = worlds_.of_user(""), .frozen = frozen, .values = envelope_values(request, frozen.get())};
  auto refused = guarded(request, exchange, [&]() -> std::optional<http::Response> {
    admit(request, exchange);
    return std::nullopt;
  });
  if (refused) {
    finish(request, exchange, *refused);
    return std::move(*refused);
  }
  if (exchange.fault && exchange.fault->action.delay.count() > 0) return delayed(request, exchange);
  return conclude(request, exchange);
}

// Authentication and throttling, and whether a fault shall happen: before any parameter is looked at.
void App::admit(const http::Request& request, Exchange& exchange) const {
  if (const auto error = request.parse_error) {
    throw refusal_of(*error, options_.limits);
  }
  // Before authentication, for its credentials would be those for a proxy.
  if (request.method == "CONNECT") throw ApiError(Message::NotAProxy, {printable(without_user(request.target))});
  const auto [path, query] = split_target(request.target);
  // Before authentication, for admin calls need no credentials of OCP's.
  if (const std::string meant = options_.admin ? admin_call_meant(path) : ""; !meant.empty()) {
    throw refusal_of(router_, request.method, path, {{Message::MeantAdminCall, {printable(meant)}}});
  }
  const SignedRequest asked{request.method, path, query, request.headers, request.body};
  exchange.route = router_.find(request.method, path);
  const Endpoint* endpoint = exchange.route ? exchange.route->endpoint : nullptr;
  if (exchange.route && endpoint == nullptr) {
    if (const auto other = router_.find("GET", path)) endpoint = other->endpoint;
    // The mock's own page is there to be looked at; to OCP's other methods the path is unknown.
    if (endpoint != nullptr && !endpoint->listed) {
      exchange.route.reset();
      endpoint = nullptr;
    }
  }
  const bool open = endpoint != nullptr && endpoint->open;
  if (open) {
    // Whoever shows credentials that pass sees the time of their world.
    try {
      exchange.user = authenticator_.authenticate(asked, context_.real_now());
    } catch (const ApiError&) {
    }
  } else {
    exchange.user = authenticate(asked, exchange.values.trace_id);
  }
  exchange.world = worlds_.of_user(exchange.user);
  if (!exchange.world) {
    exchange.world = worlds_.of_user("");
    throw ApiError(Message::TooManyWorlds, {std::to_string(worlds_.options().max_worlds)});
  }
  if (!open) {
    exchange.admission = exchange.world->admit(exchange.user);
    if (exchange.admission && !exchange.admission->decision.passes) {
      const RateLimit& limit = *worlds_.options().rate_limit;
      throw ApiError(Message::RateLimited, {std::to_string(limit.requests), limit.window,
                                            std::to_string(exchange.admission->decision.reset)});
    }
  }
  if (worlds_.options().keeps_journal) exchange.ticket = exchange.world->journal().begin();
  exchange.releases = exchange.world->releases();
  exchange.fault = exchange.world->faults().fire({.method = request.method,
                                                  .path = path,
                                                  .query = query,
                                                  .headers = request.headers,
                                                  .user = exchange.user,
                                                  .body = RequestBody(request.body)});
}

http::Response App::conclude(const http::Request& request, Exchange& exchange) const {
  http::Response response = *guarded(request, exchange, [&] { return std::optional(answer(request, exchange)); });
  if (exchange.preparation) return prepared(request, exchange);
  if (exchange.fault) {
    const FaultAction& action = exchange.fault->action;
    if (action.retry_after) response.headers.add("Retry-After", std::to_string(*action.retry_after));
    response.wire = action.wire;
  }
  finish(request, exchange, response);
  return response;
}

// What the step answers, or what it has thrown.
template <typename Step>
std::optional<http::Response> App::guarded(const http::Request& request, Exchange& exchange, const Step& step) const {
  try {
    return step();
  } catch (const ApiError& error) {
    http::Response response = refuse(error, request, exchange);
    if (error.status() == 401) response.headers.add("WWW-Authenticate", kChallenge);
    if (error.status() == 405) {
      const std::string methods = router_.allowed_methods(split_target(request.target).path);
      response.headers.add("Allow", methods.empty() ? "GET, HEAD" : methods);
    }
    return response;
  } catch (const std::exception& error) {
    context_.logger->error("{} {} failed, trace id {}: {}", printable(request.method), shown_target(request),
                           exchange.values.trace_id, error.what());
    return refuse(ApiError(Message::Unexpected), request, exchange);
  }
}

http::Response App::answer(const http::Request& request, Exchange& exchange) const {
  if (exchange.writes) return answer_written(exchange);
  if (exchange.fault && (exchange.fault->action.answer || exchange.fault->action.html_status)) {
    return fail(exchange.fault->action, request, exchange);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (options_.read_only && !reads && exchange.route && exchange.route->endpoint != nullptr) {
    throw ApiError(Message::ReadOnly, {printable(request.method)});
  }
  if (auto replayed = replay(request, exchange)) return std::move(*replayed);
  check_form(request, exchange);
  const auto [path, query] = split_target(request.target);
  if (!exchange.route || exchange.route->endpoint == nullptr) {
    throw refusal_of(router_, request.method, path,
                     explain_missed(*exchange.world->origin(), request.method, request.target));
  }
  const Endpoint& endpoint = *exchange.route->endpoint;
  if (is_newer(endpoint.since, options_.ocp_version)) {
    const Sentence since{Message::PathSince,
                         {printable(without_user(path)), std::string(endpoint.since), printable(options_.ocp_version)}};
    exchange.violations.push_back(since);
    throw ApiError(since);
  }
  Request asked = read_parameters(endpoint, exchange.route->values, query, options_.rules, exchange.violations);
  JsonValue body =
      read_body(endpoint, request.header("Content-Type").value_or(""), query, request.body, exchange.violations);
  refuse_violations(exchange.violations);
  if (endpoint.does == Does::Constant) return answer_constant(request, endpoint, exchange);
  if (endpoint.does == Does::Write) {
    const auto host = request.header("Host").value_or("localhost");
    prepare_write({std::move(asked),
                   std::move(body),
                   std::string(query),
                   exchange.user,
                   {},
                   fmt::format("{}://{}", options_.tls ? "https" : "http", host)},
                  exchange);
    return {};
  }
  const std::optional<AnswerData> data = answer_data(asked, exchange);
  if (!data) return {};
  // Not later than a point of a timeline, or a change of a task, that has passed since.
  const bool is_of_then = data->is_of_now || exchange.data.changes_with_time;
  stamp(exchange, is_of_then ? std::optional(exchange.data.time) : std::nullopt);
  const bool is_html = endpoint.does == Does::Document;
  return {
      200, {{"Content-Type", is_html ? "text/html;charset=UTF-8" : kJsonType}}, envelope_of(*data, exchange.values)};
}

// Nothing if the data have no exchange for the request. Their timelines do not matter.
std::optional<http::Response> App::replay(const http::Request& request, Exchange& exchange) const {
  const auto found = find_exchange(*exchange.world->origin(), request.method, request.target, request.body);
  if (!found) return std::nullopt;
  exchange.replayed = true;
  stamp(exchange);
  http::Response response{
      static_cast<int>(found->status), {}, body_of(*found, exchange.frozen ? nullptr : &exchange.values)};
  if (!found->content_type.empty()) response.headers.add("Content-Type", found->content_type);
  return response;
}

http::Response App::answer_constant(const http::Request& request, const Endpoint& endpoint, Exchange& exchange) const {
  stamp(exchange);
  switch (endpoint.constant) {
    case Constant::Time: return {200, {{"Content-Type", kText}}, exchange.values.timestamp};
    case Constant::Info: return {200, {{"Content-Type", kJsonType}}, info_answer(options_.ocp_version)};
    case Constant::Status: return {200, {{"Content-Type", kText}}, "okay"};
    case Constant::Welcome: return welcome(request, router_.catalogue(), options_.ocp_version, options_.admin);
  }
  throw std::logic_error("an endpoint without an answer");
}

// The answer of a fault in place of OCP's.
http::Response App::fail(const FaultAction& action, const http::Request& request, Exchange& exchange) const {
  stamp(exchange);
  if (action.html_status) {
    return {*action.html_status, {{"Content-Type", "text/html"}}, error_page(*action.html_status)};
  }
  const bool unauthorized = action.answer->status == 401;
  const std::string message = action.answer->message
                                  ? *action.answer->message
                                  : Sentence{Message::SimulatedFailure, {}}.text(language_of(request));
  http::Response response{action.answer->status,
                          {{"Content-Type", unauthorized ? kJsonUtf8 : kJsonType}},
                          error_envelope(action.answer->status, action.answer->code, message, exchange.values)};
  if (unauthorized) response.headers.add("WWW-Authenticate", kChallenge);
  return response;
}

std::string App::authenticate(const SignedRequest& request, std::string_view trace_id) const {
  try {
    return authenticator_.authenticate(request, context_.real_now());
  } catch (const AccessKeyRefused&) {
    if (!context_.logger->should_log(spdlog::level::debug)) throw;
    const std::string message = json_string(signed_message(signed_parts(request)));
    context_.logger->debug("the string that the server signed, trace id {}: {}", printable(trace_id),
                           printable(message, message.size()));
    throw;
  }
}

void App::prepare_write(Write write, Exchange& exchange) const {
  if (exchange.fault) write.failure = exchange.fault->action.task;
  exchange.prepared = std::make_shared<Prepared>();
  exchange.writes = true;
  exchange.preparer = &writes_.of(exchange.world.get());
  exchange.preparation = [world = exchange.world, write = std::move(write), prepared = exchange.prepared] {
    try {
      prepared->written = world->write(write);
    } catch (...) {
      prepared->refusal = std::current_exception();
    }
  };
}

http::Response App::answer_written(Exchange& exchange) const {
  if (exchange.prepared->refusal) std::rethrow_exception(exchange.prepared->refusal);
  stamp(exchange, exchange.prepared->written->time);
  return {200, {{"Content-Type", kJsonType}}, envelope_of(exchange.prepared->written->answer, exchange.values)};
}

// Nothing if another thread must make something first; it is then called again.
std::optional<AnswerData> App::answer_data(Request& request, Exchange& exchange) const {
  if (exchange.prepared && exchange.prepared->answer) return exchange.prepared->answer;
  if (!exchange.data.dataset && !look_at_data(request, exchange)) return std::nullopt;
  request.now = time_of_answer(exchange.frozen.get(), exchange.data.time);
  Outcome outcome = perform(request, exchange.data.dataset);
  if (auto* data = std::get_if<AnswerData>(&outcome)) return std::move(*data);
  auto slow = std::get<SlowAnswer>(std::move(outcome));
  // A preparation that failed left nothing; then it fails again, here, and is answered so.
  if (exchange.preparer == &sorts_) return slow();
  exchange.prepared = std::make_shared<Prepared>();
  exchange.preparer = &sorts_;
  exchange.preparation = [slow = std::move(slow), prepared = exchange.prepared] { prepared->answer = slow(); };
  return std::nullopt;
}

// Takes the data of the request; false if another thread must make them first.
bool App::look_at_data(const Request& request, Exchange& exchange) const {
  if (exchange.prepared) {
    // Without data the making has failed, and here it fails again.
    exchange.data = exchange.prepared->data ? *exchange.prepared->data : exchange.world->snapshot();
    return true;
  }
  if (auto ready = exchange.world->ready_snapshot(request)) {
    exchange.data = *std::move(ready);
    return true;
  }
  exchange.prepared = std::make_shared<Prepared>();
  exchange.preparer = &timelines_.of(exchange.world.get());
  exchange.preparation = [world = exchange.world, prepared = exchange.prepared] { prepared->data = world->snapshot(); };
  return false;
}

// The rules that hold for every path, before it is looked at. Plain text is answered to those who ask for JSON, too, as
// by Spring.
void App::check_form(const http::Request& request, Exchange& exchange) const {
  note_raw_characters(split_target(request.target).query, exchange.violations);
  const Endpoint* const endpoint = exchange.route ? exchange.route->endpoint : nullptr;
  const bool is_constant = endpoint != nullptr && endpoint->does == Does::Constant;
  if (is_constant && endpoint->constant == Constant::Welcome) return;
  const bool is_text = is_constant && endpoint->constant != Constant::Info;
  if (!accepts(request.headers, kJsonType) && !(is_text && accepts(request.headers, kTextType))) {
    exchange.violations.push_back(
        {Message::NotAcceptable,
         {printable(joined_values(request.headers, "Accept")), std::string(is_text ? kTextType : kJsonType)}});
  }
  refuse_violations(exchange.violations);
}

void App::refuse_violations(const std::vector<Violation>& violations) const {
  if (options_.strict && !violations.empty()) throw ApiError(violations.front());
}

http::Response App::refuse(const ApiError& error, const http::Request& request, Exchange& exchange) const {
  stamp(exchange);
  exchange.refusal = error.what();
  return {error.status(),
          {{"Content-Type", error.status() == 401 ? kJsonUtf8 : kJsonType}},
          error_envelope(error, language_of(request), exchange.values)};
}

// The answer's time is when it was made, not when it was asked for (OCP's page of the endpoint), unless something in it
// was computed for a time.
void App::stamp(Exchange& exchange, std::optional<Instant> now) const {
  exchange.time = now ? *now : exchange.world->clock().now();
  if (exchange.frozen) return;
  exchange.values.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - exchange.start).count();
  exchange.values.timestamp = format_iso_offset(exchange.time, options_.offset_minutes);
}

EnvelopeValues App::envelope_values(const http::Request& request, const Frozen* frozen) const {
  if (frozen != nullptr) return frozen->values;
  const auto given = request.header("x-trace-id");
  return {0, options_.server, "", given && !given->empty() ? header_text(*given) : context_.next_trace_id()};
}

std::string App::date(const Exchange& exchange) {
  return format_http_date(time_of_answer(exchange.frozen.get(), exchange.time));
}

EnvelopeValues frozen_values(const CapturedEnvelope& captured, const std::optional<std::string>& server) {
  return {captured.duration.value_or(79), server ? *server : captured.server.value_or(std::string(kDefaultServer)),
          captured.timestamp.value_or("2024-08-09T16:06:02.743+08:00"), captured.trace_id.value_or("8e1e79e260d12bba")};
}

}  // namespace ocp_mock
