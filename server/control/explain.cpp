#include "control/explain.h"

#include <fmt/format.h>

#include "json/text.h"
#include "ocp/url.h"
#include "store/query.h"

namespace ocp_mock {
namespace {

template <typename Items, typename Text>
std::string array_of(const Items& items, const Text& text) {
  std::string out;
  for (const auto& item : items) out.append(out.empty() ? "" : ",").append(text(item));
  return "[" + out + "]";
}

std::string json_of(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return json_string(*text);
  return "null";
}

std::string json_of(const SqlQuery& query, const Dataset& dataset) {
  return fmt::format("{{\"plan\":{},\"sql\":{},\"values\":{}}}", array_of(dataset.query_plan(query), json_string),
                     json_string(query.sql),
                     array_of(query.values, [](const SqlValue& value) { return json_of(value); }));
}

std::string time_of(const std::optional<Instant>& instant) {
  return instant ? json_string(format_iso_offset(*instant, 0)) : "null";
}

}  // namespace

std::string explain_request(std::string_view target, const Dataset& dataset, Instant now, bool strict,
                            const ListRules& rules) {
  const auto [path, query] = split_target(target);
  const auto error_of = [](const ApiError& error) {
    return fmt::format("{{\"error\":{{\"code\":{},\"message\":{},\"status\":{}}}}}", error.code(),
                       json_string(error.what()), error.status());
  };
  std::vector<Violation> violations;
  const auto is_refused = [&] { return strict && !violations.empty(); };
  note_raw_characters(query, violations);
  if (is_refused()) return error_of(ApiError(violations.front()));
  const auto route = match_path(path);
  if (!route) return error_of(refusal_of_path(path));
  if (route->companion != nullptr) return fmt::format("{{\"path\":{}}}", json_string(route->companion->path));
  ListRequest request;
  try {
    request = parse_list_request(*route, query, violations, rules);
    request.now = now;
    if (is_refused()) return error_of(ApiError(violations.front()));
  } catch (const ApiError& error) {
    return error_of(error);
  }
  const Endpoint& endpoint = *route->endpoint;

  // Each filter is added to those before it.
  ListRequest step;
  step.cluster_id = request.cluster_id;
  step.tenant_id = request.tenant_id;
  const ListResult of_tenant = dataset.list(endpoint, step);
  if (!of_tenant.cluster_exists) return error_of(ApiError(Message::UnknownCluster, {std::to_string(step.cluster_id)}));
  if (!of_tenant.tenant_exists) {
    return error_of(
        ApiError(Message::UnknownTenant, {std::to_string(step.tenant_id), std::to_string(step.cluster_id)}));
  }
  step.start_time = request.start_time;
  step.end_time = request.end_time;
  step.window = request.window;
  const std::int64_t in_window = dataset.list(endpoint, step).total;
  const ListResult found = dataset.list(endpoint, request);

  const Executed executed = dataset.explain(endpoint, request);
  const auto queries_of = [&](const std::vector<SqlQuery>& queries) {
    return array_of(queries, [&](const SqlQuery& one) { return json_of(one, dataset); });
  };
  const auto sort = array_of(request.sort, [](const SortKey& key) {
    return json_string(fmt::format("{},{}", key.field->name, key.descending ? "desc" : "asc"));
  });
  return fmt::format(
      R"({{"count":{},"page":{},"parameters":{{"clusterId":{},"endTime":{},"page":{},"size":{},"sort":{},)"
      R"("startTime":{},"status":{},"tenantId":{},"window":"{}"}},"path":{},"tasks":{{"afterStatus":{},"afterTimes":{},"ofTenant":{}}},)"
      R"("violations":{}}})",
      queries_of(executed.count), queries_of(executed.page), request.cluster_id, time_of(request.end_time),
      request.page, request.size, sort, time_of(request.start_time),
      array_of(endpoint.words_of(request.statuses), json_string), request.tenant_id,
      request.window == Window::Overlap ? "overlap" : "createTime", json_string(endpoint.path), found.total, in_window,
      of_tenant.total,
      array_of(violations, [](const Violation& violation) { return json_string(violation.text(Language::English)); }));
}

}  // namespace ocp_mock
