#include <fmt/format.h>

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

std::string_view word_of(BodyType type) {
  switch (type) {
    case BodyType::Integer: return "integer";
    case BodyType::Number: return "number";
    case BodyType::Boolean: return "boolean";
    case BodyType::String: return "string";
    case BodyType::Word: return "word";
    case BodyType::Time: return "time";
    case BodyType::Array: return "array";
    case BodyType::Object: return "object";
    case BodyType::Any: return "any";
  }
  return "";
}

std::string_view word_of(Media media) {
  switch (media) {
    case Media::Json: return "json";
    case Media::Form: return "form";
    case Media::Multipart: return "multipart";
    case Media::Query: return "query";
  }
  return "";
}

JsonArray words_of(const WordList& list) {
  return {list.words, [](const Word& word) { return word.word; }};
}

// Only members have a name, and items are as many as there are.
enum class Place { Body, Member, Item };

JsonObject json_of(const BodyField& field, Place place) {
  JsonObject object;
  if (!field.alias.empty()) object.add("alias", field.alias);
  if (field.type == BodyType::Array && !field.fields.empty())
    object.add("items", json_of(field.fields.front(), Place::Item));
  if (field.least != kNoLeast) object.add("least", RawJson{fmt::format("{}", field.least)});
  if (field.type == BodyType::Object && !field.fields.empty()) {
    object.add("members",
               JsonArray(field.fields, [](const BodyField& member) { return json_of(member, Place::Member); }));
  }
  if (place == Place::Member) object.add("name", field.name);
  if (place != Place::Item) object.add("required", field.required);
  object.add("type", word_of(field.type));
  if (field.words != nullptr) object.add("words", words_of(*field.words));
  return object;
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
    if (!parameter.alias.empty()) object.add("alias", parameter.alias);
    object.add("in", "query")
        .add("match", word_of(parameter.match))
        .add("name", parameter.name)
        .add("repeats", parameter.repeats || is_sort)
        .add("required", parameter.required)
        .add("type", word_of(is_sort ? ParameterType::String : parameter.type));
    if (parameter.words != nullptr) object.add("words", words_of(*parameter.words));
    parameters.add(object);
  }
  return parameters;
}

JsonObject json_of(const Endpoint& endpoint) {
  JsonObject object;
  if (!endpoint.aliases.empty()) object.add("aliases", JsonArray(endpoint.aliases, [](auto path) { return path; }));
  if (!endpoint.media.empty()) object.add("body", json_of(endpoint.body, Place::Body));
  object.add("does", word_of(endpoint.does)).add("form", word_of(endpoint.form)).add("method", endpoint.method);
  object.add("open", endpoint.open).add("parameters", parameters_of(endpoint)).add("path", endpoint.path);
  if (endpoint.resource != nullptr) object.add("resource", endpoint.resource->name);
  if (!endpoint.since.empty()) object.add("since", endpoint.since);
  if (!endpoint.media.empty()) object.add("takes", JsonArray(endpoint.media, [](Media one) { return word_of(one); }));
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
