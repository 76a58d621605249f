#include "app.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "ocp/endpoints.h"
#include "ocp/json_text.h"
#include "ocp/params.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

const std::string kAllowed = "GET, HEAD";
const std::string kChallenge = R"(Basic realm="OCP", charset="UTF-8")";
const std::string kJson = "application/json";
const std::string kJsonUtf8 = "application/json;charset=UTF-8";  // of a 401, as OCP Express does
const std::string kText = "text/plain;charset=UTF-8";
constexpr std::size_t kViolationsLogged = 10;

// The refusal of a request that did not arrive as HTTP.
ApiError refusal(http::Defect defect, const AppOptions& options) {
  using http::Defect;
  switch (defect) {
    case Defect::MalformedRequestLine: return ApiError(Message::MalformedRequestLine);
    case Defect::VersionNotSupported: return ApiError(Message::VersionNotSupported);
    case Defect::TargetTooLong:
      return ApiError(Message::TargetTooLong, {std::to_string(options.limits.parser.head_bytes)});
    case Defect::MalformedHeader: return ApiError(Message::MalformedHeader);
    case Defect::HeadTooLarge:
      return ApiError(Message::HeadTooLarge, {std::to_string(options.limits.parser.head_bytes)});
    case Defect::HostHeader: return ApiError(Message::HostHeader);
    case Defect::BadContentLength: return ApiError(Message::BadContentLength);
    case Defect::UnsupportedTransferEncoding: return ApiError(Message::UnsupportedTransferEncoding);
    case Defect::BadChunk: return ApiError(Message::BadChunk);
    case Defect::BodyTooLarge:
      return ApiError(Message::BodyTooLarge, {std::to_string(options.limits.parser.body_bytes)});
    case Defect::ExpectationFailed: return ApiError(Message::ExpectationFailed);
    case Defect::PlainHttp: return ApiError(Message::PlainHttp);
    case Defect::Timeout:
      return ApiError(Message::RequestTimeout,
                      {fmt::format("{}", static_cast<double>(options.limits.request_time.count()) / 1000)});
  }
  return ApiError(Message::MalformedRequestLine);
}

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

// A target for the log.
std::string shown_target(const http::Request& request) {
  const auto [path, query] = split_target(request.target);
  if (request.target.empty()) return "";
  return shown(fmt::format("{}{}{}", without_user(path), query.empty() ? "" : "?", query), 2000);
}

Language language_of(const http::Request& request) {
  std::string ranges;
  for (const auto& [name, value] : request.headers) {
    if (equals_ignoring_case(name, "Accept-Language")) ranges.append(ranges.empty() ? "" : ",").append(value);
  }
  return choose_language(ranges);
}

std::string describe(const std::vector<Violation>& violations) {
  std::string text;
  for (std::size_t i = 0; i < violations.size() && i < kViolationsLogged; ++i) {
    text.append(" | ").append(violations[i].text(Language::English));
  }
  if (violations.size() > kViolationsLogged)
    text += fmt::format(" | and {} more", violations.size() - kViolationsLogged);
  return text;
}

// Whole units since then.
template <typename Unit>
auto elapsed(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Unit>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

App::App(AppOptions options, AppContext context, std::shared_ptr<const Dataset> dataset)
    : options_(std::move(options)),
      context_(std::move(context)),
      dataset_(std::move(dataset)),
      authenticator_(options_.auth, options_.credentials),
      throttle_(options_.rate_limit ? std::make_unique<Throttle>(*options_.rate_limit) : nullptr) {}

http::Response App::handle(const http::Request& request) const {
  Exchange exchange{std::chrono::steady_clock::now(), envelope_values(request), {}, {}, {}};
  http::Response response;
  try {
    response = answer(request, exchange);
  } catch (const ApiError& error) {
    response = refuse(error, request, exchange);
    if (error.status() == 401) response.headers.emplace_back("WWW-Authenticate", kChallenge);
    if (error.status() == 405) response.headers.emplace_back("Allow", kAllowed);
  } catch (const std::exception& error) {
    context_.logger->error("{} {} failed, trace id {}: {}", shown(request.method), shown_target(request),
                           exchange.values.trace_id, error.what());
    response = refuse(ApiError(Message::Unexpected), request, exchange);
  }
  if (options_.pretty && response.header("Content-Type") != kText) response.body = pretty_json(response.body);
  if (throttle_) {
    const Throttle::Decision admission = exchange.admission.value_or(throttle_->uncounted());
    response.headers.emplace_back("RateLimit-Limit", std::to_string(throttle_->limit().requests));
    response.headers.emplace_back("RateLimit-Remaining", std::to_string(admission.remaining));
    response.headers.emplace_back("RateLimit-Reset", std::to_string(admission.reset));
  }
  response.headers.emplace_back("Date", date());
  const auto level = exchange.violations.empty() ? spdlog::level::info : spdlog::level::warn;
  if (context_.logger->should_log(level)) {
    context_.logger->log(level, "{} {} {} {}B {}us {}{}{}{}", shown(request.method), shown_target(request),
                         response.status, response.body.size(), elapsed<std::chrono::microseconds>(exchange.start),
                         shown(exchange.values.trace_id), exchange.refusal.empty() ? "" : " | ", exchange.refusal,
                         describe(exchange.violations));
  }
  return response;
}

http::Response App::answer(const http::Request& request, Exchange& exchange) const {
  if (request.defect) throw refusal(*request.defect, options_);
  const auto [path, query] = split_target(request.target);
  const std::optional<PathMatch> route = match_path(path);
  if (!route || !route->companion || !route->companion->open) {
    const std::string user =
        authenticate({request.method, path, query, request.headers, request.body}, exchange.values.trace_id);
    if (throttle_) {
      exchange.admission = throttle_->admit(user, context_.now());
      if (!exchange.admission->passes) {
        throw ApiError(Message::RateLimited, {std::to_string(throttle_->limit().requests), throttle_->limit().window,
                                              std::to_string(exchange.admission->reset)});
      }
    }
  }
  if (!route) throw refusal_of_path(path);
  if (request.method != "GET" && request.method != "HEAD") {
    throw ApiError(Message::MethodNotAllowed, {shown(request.method), shown(without_user(path)), kAllowed});
  }
  if (route->endpoint) return {200, {{"Content-Type", kJson}}, list(*route, query, exchange)};

  parse_no_parameters(query, exchange.violations);
  refuse_violations(exchange.violations);
  stamp(exchange);
  switch (route->companion->answer) {
    case Companion::Answer::Time: return {200, {{"Content-Type", kText}}, exchange.values.timestamp};
    case Companion::Answer::Info: return {200, {{"Content-Type", kJson}}, info_answer(options_.ocp_version)};
    case Companion::Answer::Status: return {200, {{"Content-Type", kText}}, "okay"};
  }
  throw std::logic_error("a companion without an answer");
}

std::string App::authenticate(const SignedRequest& request, std::string_view trace_id) const {
  try {
    return authenticator_.authenticate(request, context_.real_now());
  } catch (const AccessKeyRefused&) {
    if (!context_.logger->should_log(spdlog::level::debug)) throw;
    std::string message;
    append_json_string(message, signed_message(signed_parts(request)));
    context_.logger->debug("the string that the server signed, trace id {}: {}", shown(trace_id), message);
    throw;
  }
}

std::string App::list(const PathMatch& route, std::string_view query, Exchange& exchange) const {
  const ListRequest list = parse_list_request(route, query, exchange.violations);
  refuse_violations(exchange.violations);
  const ListResult found = dataset_->list(*route.endpoint, list);
  if (!found.cluster_exists) throw ApiError(Message::UnknownCluster, {std::to_string(list.cluster_id)});
  if (!found.tenant_exists) {
    throw ApiError(Message::UnknownTenant, {std::to_string(list.tenant_id), std::to_string(list.cluster_id)});
  }
  stamp(exchange);
  return page_envelope({found.contents, list.page, list.size, found.total}, exchange.values);
}

void App::refuse_violations(const std::vector<Violation>& violations) const {
  if (options_.strict && !violations.empty()) throw ApiError(violations.front());
}

http::Response App::refuse(const ApiError& error, const http::Request& request, Exchange& exchange) const {
  stamp(exchange);
  exchange.refusal = error.what();
  return {error.status(),
          {{"Content-Type", error.status() == 401 ? kJsonUtf8 : kJson}},
          error_envelope(error, language_of(request), exchange.values)};
}

// The answer's time is when it was made, not when it was asked for (OCP's page of the endpoint).
void App::stamp(Exchange& exchange) const {
  if (options_.frozen) return;
  exchange.values.duration = elapsed<std::chrono::milliseconds>(exchange.start);
  exchange.values.timestamp = format_iso_offset(context_.now(), options_.offset_minutes);
}

EnvelopeValues App::envelope_values(const http::Request& request) const {
  if (options_.frozen) return *options_.frozen;
  const auto given = request.header("x-trace-id");
  return {0, options_.server, "", given && !given->empty() ? header_text(*given) : context_.next_trace_id()};
}

std::string App::date() const {
  if (options_.frozen) {
    if (const auto instant = parse_rfc3339(options_.frozen->timestamp)) return format_http_date(*instant);
  }
  return format_http_date(context_.now());
}

EnvelopeValues frozen_values(const CapturedEnvelope& captured, const std::optional<std::string>& server) {
  return {captured.duration.value_or(79), server ? *server : captured.server.value_or(std::string(kDefaultServer)),
          captured.timestamp.value_or("2024-08-09T16:06:02.743+08:00"), captured.trace_id.value_or("8e1e79e260d12bba")};
}

}  // namespace ocp_mock
