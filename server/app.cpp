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

constexpr std::string_view kAllowed = "GET, HEAD";
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
    case Defect::Timeout:
      return ApiError(Message::RequestTimeout,
                      {std::to_string(std::chrono::ceil<std::chrono::seconds>(options.limits.request_time).count())});
  }
  return ApiError(Message::MalformedRequestLine);
}

PathMatch find_route(const http::Request& request, std::string_view path) {
  auto match = match_path(path);
  if (!match) {
    std::string known;
    for (const Endpoint& endpoint : endpoints()) known.append(known.empty() ? "" : ", ").append(endpoint.path);
    throw ApiError(Message::UnknownPath, {shown(path), known});
  }
  if (request.method != "GET" && request.method != "HEAD") {
    throw ApiError(Message::MethodNotAllowed, {shown(request.method), shown(path), std::string(kAllowed)});
  }
  return std::move(*match);
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
    text.append(" | ").append(violations[i].refusal().what());
  }
  if (violations.size() > kViolationsLogged)
    text += fmt::format(" | and {} more", violations.size() - kViolationsLogged);
  return text;
}

}  // namespace

App::App(AppOptions options, AppContext context, std::shared_ptr<const Dataset> dataset)
    : options_(std::move(options)), context_(std::move(context)), dataset_(std::move(dataset)) {}

http::Response App::handle(const http::Request& request) const {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::steady_clock::now() - start; };
  EnvelopeValues values = envelope_values(request);
  // The answer's time is when it was made, not when it was asked for (OCP's page of the endpoint).
  const auto stamp = [&] {
    if (options_.frozen) return;
    values.duration = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed()).count();
    values.timestamp = format_iso_offset(context_.now(), options_.offset_minutes);
  };
  const auto refuse = [&](const ApiError& error) {
    stamp();
    return http::Response{error.status(), {}, error_envelope(error, language_of(request), values)};
  };

  http::Response response;
  std::vector<Violation> violations;
  try {
    if (request.defect) throw refusal(*request.defect, options_);
    const auto [path, query] = split_target(request.target);
    // Authentication and throttling stand here, before any parameter is looked at.
    const PathMatch route = find_route(request, path);
    const ListRequest list = parse_list_request(route, query, violations);
    if (options_.strict && !violations.empty()) throw violations.front().refusal();
    const ListResult found = dataset_->list(*route.endpoint, list);
    if (!found.cluster_exists) throw ApiError(Message::UnknownCluster, {std::to_string(list.cluster_id)});
    if (!found.tenant_exists) {
      throw ApiError(Message::UnknownTenant, {std::to_string(list.tenant_id), std::to_string(list.cluster_id)});
    }
    stamp();
    response.body = page_envelope({found.contents, list.page, list.size, found.total}, values);
  } catch (const ApiError& error) {
    response = refuse(error);
    if (error.status() == 405) response.headers.emplace_back("Allow", kAllowed);
  } catch (const std::exception& error) {
    context_.logger->error("{} {} failed, trace id {}: {}", shown(request.method), shown(request.target),
                           values.trace_id, error.what());
    response = refuse(ApiError(Message::Unexpected));
  }
  if (options_.pretty) response.body = pretty_json(response.body);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Date", date());
  const auto level = violations.empty() ? spdlog::level::info : spdlog::level::warn;
  if (context_.logger->should_log(level)) {
    context_.logger->log(level, "{} {} {} {}B {}us {}{}", shown(request.method), shown(request.target, 2000),
                         response.status, response.body.size(),
                         std::chrono::duration_cast<std::chrono::microseconds>(elapsed()).count(),
                         shown(values.trace_id), describe(violations));
  }
  return response;
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
