#include "behaviour/write.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "ocp/error.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// Who creates things where nobody logs in.
constexpr std::string_view kNobody = "admin";

JsonValue json_of(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return json_integer(*integer);
  return json_text(std::get<std::string>(value));
}

JsonValue path_of(const Request& request) {
  JsonValue path = json_object();
  for (std::size_t i = 0; i < request.path.size(); ++i) {
    path.set({std::string(request.endpoint->path_parameters[i].name), {}, json_of(request.path[i])});
  }
  return path;
}

// The endpoint's parameters that the query has, the first value of each.
JsonValue query_of(const Endpoint& endpoint, std::string_view query) {
  JsonValue object = json_object();
  for (const QueryPair& pair : split_query(query)) {
    const auto name = percent_decode(pair.name, Plus::IsBlank);
    const auto value = percent_decode(pair.value, Plus::IsBlank);
    if (!name || !value) continue;
    const auto parameter = std::ranges::find_if(endpoint.parameters, [&](const Parameter& one) {
      return one.name == *name || (!one.alias.empty() && one.alias == *name);
    });
    if (parameter == endpoint.parameters.end() || object.find(parameter->name) != nullptr) continue;
    JsonValue typed = json_text(*value);
    if (parameter->type == ParameterType::Integer) typed.kind = JsonKind::Integer;
    if (parameter->type == ParameterType::Boolean) typed.kind = JsonKind::Boolean;
    object.set({std::string(parameter->name), {}, std::move(typed)});
  }
  return object;
}

// The row whose key path parameter i is, below those of the parameters before it.
std::optional<JsonValue> row_of_path(const Request& request, std::size_t i, Edit& edit) {
  const auto path = request.endpoint->path_parameters;
  const Resource& resource = *path[i].of;
  JsonValue where = json_object();
  where.set({std::string(resource.key->name), {}, json_of(request.path[i])});
  for (std::size_t outer = 0; outer < i; ++outer) {
    const auto parent = std::ranges::find(resource.parents, path[outer].of, &Parent::resource);
    if (path[outer].of == nullptr || parent == resource.parents.end()) continue;
    where.set({std::string(parent->field->name), {}, json_of(request.path[outer])});
  }
  std::vector<Edit::FoundRow> found = edit.find(resource, where);
  if (found.empty()) return std::nullopt;
  return std::move(found.front().fixture);
}

AnswerData answer_of(const Endpoint& endpoint, Effects& effects) {
  AnswerData answer{endpoint.form, {"", 1, 1, 1}, false};
  if (endpoint.answers.empty()) return answer;
  const auto value = evaluate(effects.parsed(endpoint.answers), effects.scope());
  std::string& text = answer.page.contents;
  append_json(text, value ? *value : endpoint.form == Form::List ? json_array() : json_object());
  if (endpoint.form == Form::List) text = text.substr(1, text.size() - 2);
  return answer;
}

}  // namespace

Written write_rows(const Write& write, const std::shared_ptr<const Dataset>& dataset, Instant loaded, Instant now,
                   const TaskOptions& options) {
  const Request& request = write.request;
  const Endpoint& endpoint = *request.endpoint;
  Edit edit(dataset, loaded);
  edit.settle_timelines(now);
  Scope scope(edit);
  for (std::size_t i = 0; i < request.path.size(); ++i) {
    if (endpoint.path_parameters[i].of == nullptr) continue;
    auto row = row_of_path(request, i, edit);
    if (!row) throw missing_row(request, i);
    scope.set(endpoint.path_parameters[i].of->name, *std::move(row));
  }
  scope.set("path", path_of(request));
  scope.set("query", query_of(endpoint, write.query));
  scope.set("body", write.body);
  scope.set("user", json_text(write.user.empty() ? kNobody : write.user));
  scope.set("origin", json_text(write.origin));
  try {
    Effects effects(scope, options, now, write.failure);
    effects.run(effects.parsed(endpoint.effects));
    AnswerData answer = answer_of(endpoint, effects);
    return {edit.finish(), std::move(answer)};
  } catch (const RowRefused& error) {
    throw ApiError(Message::RowRefused, {error.what()});
  } catch (const DuplicateRow& error) {
    throw ApiError(Message::RowRefused, {error.what()});
  }
}

}  // namespace ocp_mock
