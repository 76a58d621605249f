#include <string>

#include "catalogue/catalogue.h"
#include "control/admin_call.h"

namespace ocp_mock::admin_calls {
namespace {

// The words of schema/api/.
std::string_view word_of(Does does) {
  switch (does) {
    case Does::List: return "list";
    case Does::Get: return "get";
    case Does::Constant: return "constant";
    case Does::Fixed: return "fixed";
    case Does::Series: return "series";
    case Does::Document: return "document";
    case Does::Write: return "write";
  }
  return "";
}

std::string_view word_of(Form form) {
  switch (form) {
    case Form::Page: return "page";
    case Form::List: return "list";
    case Form::Object: return "object";
    case Form::Nothing: return "nothing";
    case Form::Bare: return "bare";
  }
  return "";
}

std::string_view word_of(Match match) {
  switch (match) {
    case Match::Equal: return "equal";
    case Match::Contains: return "contains";
    case Match::Member: return "member";
    case Match::NoMember: return "noMember";
    case Match::From: return "from";
    case Match::Until: return "until";
    case Match::Attribute: return "attribute";
    case Match::Comparison: return "comparison";
    case Match::Operand: return "operand";
    case Match::Expression: return "expression";
    case Match::Length: return "length";
    case Match::Ignored: return "ignored";
    case Match::Page: return "page";
    case Match::Size: return "size";
    case Match::Sort: return "sort";
    case Match::Start: return "start";
    case Match::End: return "end";
    case Match::Metrics: return "metrics";
    case Match::Step: return "step";
    case Match::LeastStep: return "leastStep";
    case Match::MostPoints: return "mostPoints";
    case Match::Labels: return "labels";
    case Match::GroupBy: return "group";
  }
  return "";
}

std::string_view word_of(ParameterType type) {
  switch (type) {
    case ParameterType::Integer: return "integer";
    case ParameterType::Number: return "number";
    case ParameterType::Boolean: return "boolean";
    case ParameterType::String: return "string";
    case ParameterType::Word: return "word";
    case ParameterType::UtcTime: return "utcTime";
    case ParameterType::Time: return "time";
  }
  return "";
}

JsonArray parameters_of(const Endpoint& endpoint) {
  JsonArray parameters;
  for (const PathParameter& parameter : endpoint.path_parameters) {
    parameters.add(JsonObject()
                       .add("in", "path")
                       .add("match", word_of(Match::Equal))
                       .add("name", parameter.name)
                       .add("required", true)
                       .add("type", word_of(parameter.type)));
  }
  for (const Parameter& parameter : endpoint.parameters) {
    // The catalogue gives it no type of its own.
    const bool is_sort = parameter.match == Match::Sort;
    JsonObject object;
    object.add("in", "query")
        .add("match", word_of(parameter.match))
        .add("name", parameter.name)
        .add("repeats", parameter.repeats || is_sort)
        .add("required", parameter.required)
        .add("type", word_of(is_sort ? ParameterType::String : parameter.type));
    if (parameter.words != nullptr) {
      object.add("words", JsonArray(parameter.words->words, [](const Word& word) { return word.word; }));
    }
    parameters.add(object);
  }
  return parameters;
}

JsonObject json_of(const Endpoint& endpoint) {
  JsonObject object;
  if (!endpoint.aliases.empty()) object.add("aliases", JsonArray(endpoint.aliases, [](auto path) { return path; }));
  object.add("does", word_of(endpoint.does)).add("form", word_of(endpoint.form)).add("method", endpoint.method);
  object.add("open", endpoint.open).add("parameters", parameters_of(endpoint)).add("path", endpoint.path);
  if (endpoint.resource != nullptr) object.add("resource", endpoint.resource->name);
  if (!endpoint.since.empty()) object.add("since", endpoint.since);
  return object;
}

}  // namespace

http::Response list_api(const AdminCall& call) {
  JsonArray endpoints;
  for (const Endpoint& endpoint : call.options.router->catalogue().endpoints) {
    const bool is_there = endpoint.listed && !is_newer(endpoint.since, call.options.ocp_version);
    if (is_there) endpoints.add(json_of(endpoint));
  }
  return json_response(JsonObject().add("endpoints", endpoints));
}

}  // namespace ocp_mock::admin_calls
