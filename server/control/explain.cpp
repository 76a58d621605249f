#include "control/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "behaviour/behaviour.h"
#include "behaviour/replay.h"
#include "catalogue/body.h"
#include "catalogue/request.h"
#include "json/writer.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"
#include "store/query.h"

namespace ocp_mock {
namespace {

std::string json_of(const SqlValue& value) { return json_value(value); }

std::string json_of(const Value& value) {
  if (const auto* instant = std::get_if<Instant>(&value)) return json_string(format_iso_offset(*instant, 0));
  return json_value(column_values(value).front());
}

// Of SQL values, or of those of a condition.
template <typename Values>
JsonArray values_json(const Values& values) {
  JsonArray array;
  for (const auto& value : values) array.add(RawJson{json_of(value)});
  return array;
}

JsonArray queries_json(const std::vector<SqlQuery>& queries, const Dataset& dataset) {
  return {queries, [&](const SqlQuery& query) {
            return JsonObject()
                .add("plan", JsonArray(dataset.query_plan(query)))
                .add("sql", query.sql)
                .add("values", values_json(query.values));
          }};
}

// Each parameter of the endpoint as it was read, in alphabetical order; null for one that filters nothing.
JsonObject parameters_of(const Request& request) {
  const Endpoint& endpoint = *request.endpoint;
  std::map<std::string_view, std::string> texts;
  for (std::size_t i = 0; i < endpoint.path_parameters.size(); ++i) {
    texts[endpoint.path_parameters[i].name] = json_of(request.path[i]);
  }
  for (const Parameter& parameter : endpoint.parameters) {
    std::string& text = texts[parameter.name];
    switch (parameter.match) {
      case Match::Page: text = std::to_string(request.page); break;
      case Match::Size: text = std::to_string(request.size); break;
      case Match::Sort:
        text = JsonArray(request.sort, [](const SortKey& key) {
                 return fmt::format("{},{}", key.field->name, key.descending ? "desc" : "asc");
               }).text();
        break;
      default: {
        const auto condition = std::ranges::find(request.conditions, &parameter, &Condition::parameter);
        if (condition == request.conditions.end()) {
          text = parameter.repeats ? "[]" : "null";
        } else {
          text = parameter.repeats ? values_json(condition->values).text() : json_of(condition->values.front());
        }
      }
    }
  }
  JsonObject object;
  for (const auto& [name, text] : texts) object.add(name, RawJson{text});
  return object;
}

// How many rows each filter leaves, added to those before it.
JsonArray filters_of(const Request& request, const Explanation& explanation) {
  const auto filter = [](const JsonArray& names, std::int64_t rows) {
    return JsonObject().add("parameters", names).add("rows", rows);
  };
  JsonArray filters;
  filters.add(filter({request.endpoint->path_parameters, [](const PathParameter& one) { return one.name; }},
                     explanation.rows.front()));
  for (std::size_t i = 0; i < request.conditions.size(); ++i) {
    filters.add(filter(JsonArray().add(request.conditions[i].parameter->name), explanation.rows.at(i + 1)));
  }
  return filters;
}

}  // namespace

JsonObject explain_request(const ExplainedRequest& asked, const Router& router, const Dataset& dataset, Instant now,
                           bool strict, const ListRules& rules) {
  const auto [path, query] = split_target(asked.target);
  std::vector<Violation> violations;
  const auto refuse_violations = [&] {
    if (strict && !violations.empty()) throw ApiError(violations.front());
  };
  try {
    if (find_exchange(dataset, asked.method, asked.target, asked.body)) {
      return JsonObject().add("path", path).add("replayed", true);
    }
    note_raw_characters(query, violations);
    refuse_violations();
    const auto route = router.find(asked.method, path);
    if (!route || route->endpoint == nullptr) {
      throw refusal_of(router, asked.method, path, explain_missed(dataset, asked.method, asked.target));
    }
    const Endpoint& endpoint = *route->endpoint;
    if (endpoint.does == Does::Constant) return JsonObject().add("path", endpoint.path);
    Request request = read_parameters(endpoint, route->values, query, rules, violations);
    request.now = now;
    read_body(endpoint, kJsonType, query, asked.body, violations);
    refuse_violations();
    if (const auto missing = dataset.find_missing(request)) throw missing_row(request, *missing);

    const JsonArray broken(violations, [](const Violation& one) { return one.text(Language::English); });
    if (endpoint.resource == nullptr) {
      return JsonObject()
          .add("parameters", parameters_of(request))
          .add("path", endpoint.path)
          .add("violations", broken);
    }
    const Explanation explanation = dataset.explain(request);
    return JsonObject()
        .add("count", queries_json(explanation.count, dataset))
        .add("filters", filters_of(request, explanation))
        .add("page", queries_json(explanation.page, dataset))
        .add("parameters", parameters_of(request))
        .add("path", endpoint.path)
        .add("violations", broken)
        .add("window", request.window == Window::Overlap ? "overlap" : "createTime");
  } catch (const ApiError& error) {
    return JsonObject().add(
        "error", JsonObject().add("code", error.code()).add("message", error.what()).add("status", error.status()));
  }
}

}  // namespace ocp_mock
