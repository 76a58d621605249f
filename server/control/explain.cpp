#include "control/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "behaviour/behaviour.h"
#include "behaviour/replay.h"
#include "catalogue/request.h"
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

std::string json_of(const Value& value) {
  if (const auto* instant = std::get_if<Instant>(&value)) return json_string(format_iso_offset(*instant, 0));
  return json_of(column_values(value).front());
}

// Each parameter of the endpoint as it was read, in alphabetical order; null for one that filters nothing.
std::string parameters_of(const Request& request) {
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
        text = array_of(request.sort, [](const SortKey& key) {
          return json_string(fmt::format("{},{}", key.field->name, key.descending ? "desc" : "asc"));
        });
        break;
      default: {
        const auto condition = std::ranges::find(request.conditions, &parameter, &Condition::parameter);
        const auto json = [](const Value& value) { return json_of(value); };
        if (condition == request.conditions.end()) {
          text = parameter.repeats ? "[]" : "null";
        } else {
          text = parameter.repeats ? array_of(condition->values, json) : json(condition->values.front());
        }
      }
    }
  }
  std::string out;
  for (const auto& [name, text] : texts) out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_string(name), text);
  return "{" + out + "}";
}

// How many rows each filter leaves, added to those before it.
std::string filters_of(const Request& request, const Explanation& explanation) {
  const auto filter = [](const std::string& names, std::int64_t rows) {
    return fmt::format(R"({{"parameters":{},"rows":{}}})", names, rows);
  };
  std::string out = filter(
      array_of(request.endpoint->path_parameters, [](const PathParameter& one) { return json_string(one.name); }),
      explanation.rows.front());
  for (std::size_t i = 0; i < request.conditions.size(); ++i) {
    out += "," + filter("[" + json_string(request.conditions[i].parameter->name) + "]", explanation.rows.at(i + 1));
  }
  return "[" + out + "]";
}

}  // namespace

std::string explain_request(std::string_view target, const Router& router, const Dataset& dataset, Instant now,
                            bool strict, const ListRules& rules) {
  const auto [path, query] = split_target(target);
  std::vector<Violation> violations;
  const auto refuse_violations = [&] {
    if (strict && !violations.empty()) throw ApiError(violations.front());
  };
  try {
    if (find_exchange(dataset, "GET", target, "")) {
      return fmt::format(R"({{"path":{},"replayed":true}})", json_string(path));
    }
    note_raw_characters(query, violations);
    refuse_violations();
    const auto route = router.find("GET", path);
    if (!route || route->endpoint == nullptr) {
      throw refusal_of(router, "GET", path, explain_missed(dataset, "GET", target));
    }
    const Endpoint& endpoint = *route->endpoint;
    if (endpoint.does == Does::Constant) return fmt::format("{{\"path\":{}}}", json_string(endpoint.path));
    Request request = read_parameters(endpoint, route->values, query, rules, violations);
    request.now = now;
    refuse_violations();
    if (const auto missing = dataset.find_missing(request)) throw missing_row(request, *missing);

    const Explanation explanation = dataset.explain(request);
    const auto queries_of = [&](const std::vector<SqlQuery>& queries) {
      return array_of(queries, [&](const SqlQuery& one) { return json_of(one, dataset); });
    };
    return fmt::format(
        R"({{"count":{},"filters":{},"page":{},"parameters":{},"path":{},"violations":{},"window":"{}"}})",
        queries_of(explanation.count), filters_of(request, explanation), queries_of(explanation.page),
        parameters_of(request), json_string(endpoint.path),
        array_of(violations, [](const Violation& violation) { return json_string(violation.text(Language::English)); }),
        request.window == Window::Overlap ? "overlap" : "createTime");
  } catch (const ApiError& error) {
    return fmt::format("{{\"error\":{{\"code\":{},\"message\":{},\"status\":{}}}}}", error.code(),
                       json_string(error.what()), error.status());
  }
}

}  // namespace ocp_mock
