#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "catalogue/generator/reading.h"

namespace ocp_mock::generator {
namespace {

// clang-format off
constexpr Choice<ParameterType> kParameterTypes[] = {
    {"integer", ParameterType::Integer},
    {"number",  ParameterType::Number},
    {"boolean", ParameterType::Boolean},
    {"string",  ParameterType::String},
    {"word",    ParameterType::Word},
    {"utcTime", ParameterType::UtcTime},
    {"time",    ParameterType::Time},
};

constexpr Choice<Match> kMatches[] = {
    {"equal",      Match::Equal},
    {"contains",   Match::Contains},
    {"member",     Match::Member},
    {"noMember",   Match::NoMember},
    {"from",       Match::From},
    {"until",      Match::Until},
    {"attribute",  Match::Attribute},
    {"comparison", Match::Comparison},
    {"operand",    Match::Operand},
    {"expression", Match::Expression},
    {"length",     Match::Length},
    {"ignored",    Match::Ignored},
    {"page",       Match::Page},
    {"size",       Match::Size},
    {"sort",       Match::Sort},
    {"start",      Match::Start},
    {"end",        Match::End},
    {"metrics",    Match::Metrics},
    {"step",       Match::Step},
    {"leastStep",  Match::LeastStep},
    {"mostPoints", Match::MostPoints},
    {"labels",     Match::Labels},
    {"group",      Match::GroupBy},
};

// The types of parameters that compare with a field of a type; with the items of an array.
constexpr struct {
  FieldType field;
  std::initializer_list<ParameterType> parameters;
} kComparable[] = {
    {FieldType::Integer, {ParameterType::Integer}},
    {FieldType::Number,  {ParameterType::Number, ParameterType::Integer}},
    {FieldType::String,  {ParameterType::String, ParameterType::Word}},
    {FieldType::Boolean, {ParameterType::Boolean}},
    {FieldType::Time,    {ParameterType::UtcTime, ParameterType::Time}},
    {FieldType::Array,   {ParameterType::String, ParameterType::Word, ParameterType::Integer}},
    {FieldType::Object,  {}},
};

// The types of fields that a match compares with; the other matches compare with none.
constexpr struct {
  Match match;
  std::initializer_list<FieldType> fields;
} kMatching[] = {
    {Match::Equal,    {FieldType::Integer, FieldType::Number, FieldType::String, FieldType::Boolean, FieldType::Time}},
    {Match::Contains, {FieldType::String}},
    {Match::Member,   {FieldType::Array}},
    {Match::NoMember, {FieldType::Array}},
    {Match::From,     {FieldType::Integer, FieldType::Number, FieldType::Time}},
    {Match::Until,    {FieldType::Integer, FieldType::Number, FieldType::Time}},
};
// clang-format on

// The fields that a parameter compares with: field, fields, or the one that is called as the parameter is.
std::vector<std::pair<std::string, Position>> compared_fields(const SourceParameter& parameter, JsonFields& keys) {
  auto several = strings_of(keys, "fields");
  const auto one = keys.text("field");
  if (!several.empty() && one) keys.refuse("field", "must not stand beside fields");
  if (one) return {{*one, keys.position_of("field")}};
  if (several.empty()) return {{parameter.name, keys.position_of("name")}};
  if (several.size() > 1 && parameter.match != Match::Contains)
    keys.refuse("fields", "are for the match contains only");
  return several;
}

void compare(const SourceParameter& parameter, SourceResource& resource, std::size_t field, Position position) {
  const SourceField& compared = resource.fields[field];
  if (compared.type == FieldType::Object && !parameter.inside.empty()) {
    if (parameter.match != Match::Equal && parameter.match != Match::Contains) {
      refuse(position,
             fmt::format("the member {} of {} is compared by equal or contains only", parameter.inside, compared.name));
    }
    add_column(resource, field);
    return;
  }
  if (!parameter.inside.empty() && compared.type != FieldType::Array) {
    refuse(position,
           fmt::format("{} is of type {} and has nothing inside", compared.name, word_of(kFieldTypes, compared.type)));
  }
  const auto rule = std::ranges::find(kMatching, parameter.match, [](const auto& row) { return row.match; });
  if (std::ranges::find(rule->fields, compared.type) == rule->fields.end()) {
    refuse(position, fmt::format("{} is of type {}, which the match {} does not take", compared.name,
                                 word_of(kFieldTypes, compared.type), word_of(kMatches, parameter.match)));
  }
  const auto types = std::ranges::find(kComparable, compared.type, [](const auto& row) { return row.field; });
  const bool is_comparable = std::ranges::find(types->parameters, parameter.type) != types->parameters.end();
  if (!is_comparable || (parameter.match == Match::Contains && parameter.type != ParameterType::String)) {
    refuse(position, fmt::format("a parameter of type {} does not compare by {} with {}, which is of type {}",
                                 word_of(kParameterTypes, parameter.type), word_of(kMatches, parameter.match),
                                 compared.name, word_of(kFieldTypes, compared.type)));
  }
  add_column(resource, field);
}

constexpr std::size_t kComparisons = 6;

// Those that compare fields which the request names.
bool is_of_comparison(Match match) {
  return match == Match::Attribute || match == Match::Comparison || match == Match::Operand ||
         match == Match::Expression;
}

void check_comparison(const Source& source, const SourceEndpoint& endpoint, const SourceParameter& parameter,
                      const JsonFields& keys) {
  if (endpoint.does != Does::List) keys.refuse("match", "is for lists only");
  if (parameter.required || parameter.repeats) keys.refuse("match", "takes one value, which may be missing");
  const bool is_word = parameter.match == Match::Comparison;
  if (parameter.type != (is_word ? ParameterType::Word : ParameterType::String)) {
    keys.refuse("type", is_word ? "must be word" : "must be string");
  }
  if (is_word && (!parameter.words || source.word_lists[*parameter.words].words.size() != kComparisons)) {
    keys.refuse("match", "needs six words, for =, <>, >, >=, < and <=");
  }
}

// The number of characters that a list tells of a text.
void read_length(SourceParameter& parameter, const SourceEndpoint& endpoint, Source& source, JsonFields& keys) {
  if (endpoint.does != Does::List) keys.refuse("match", "is for lists only");
  if (parameter.type != ParameterType::Integer || parameter.repeats) keys.refuse("type", "must be one integer");
  const SourceResource& resource = source.resources[*endpoint.resource];
  const std::string name = keys.required_text("field");
  const std::size_t field = find_field(resource, name, keys.position_of("field"));
  if (resource.fields[field].type != FieldType::String) keys.refuse("field", "must be a string");
  parameter.fields.push_back(field);
}

// What chooses the page and the order; an endpoint has one parameter for each.
bool is_of_paging(Match match) { return match == Match::Page || match == Match::Size || match == Match::Sort; }

// Such a parameter has its type from what it does.
void read_paging_parameter(const SourceEndpoint& endpoint, SourceParameter& parameter, const JsonFields& keys) {
  parameter.type = parameter.match == Match::Sort ? ParameterType::String : ParameterType::Integer;
  parameter.repeats = parameter.match == Match::Sort;  // A list that has no pages may have a limit.
  const bool is_limit = parameter.match == Match::Size && endpoint.form == Form::List;
  if (parameter.match == Match::Sort ? endpoint.sorts.empty() : endpoint.paging == PagingKind::None && !is_limit) {
    keys.refuse("match", parameter.match == Match::Sort ? "sort needs paging with sorts" : "needs paging");
  }
}

}  // namespace

std::string_view word_of_match(Match match) { return word_of(kMatches, match); }

SourceParameter read_parameter(Source& source, const SourceEndpoint& endpoint, const JsonValue& value) {
  JsonFields keys(value);
  SourceParameter parameter{};
  parameter.name = keys.required_text("name");
  parameter.match = choose(kMatches, keys, "match");
  keys.text("source");
  const auto is_same = [&](const SourceParameter& other) {
    const bool is_one =
        is_of_paging(parameter.match) || is_of_comparison(parameter.match) || parameter.match == Match::Length;
    return other.name == parameter.name || (is_one && other.match == parameter.match);
  };
  if (std::ranges::any_of(endpoint.parameters, is_same)) {
    refuse(value.position,
           fmt::format("{}, or one that does the same, is a parameter twice", printable(parameter.name)));
  }
  if (is_of_paging(parameter.match)) {
    read_paging_parameter(endpoint, parameter, keys);
    keys.refuse_others();
    return parameter;
  }
  parameter.alias = keys.text("alias").value_or("");
  std::tie(parameter.type, parameter.required) =
      type_of(kParameterTypes, keys.required_text("type"), keys.position_of("type"));
  parameter.repeats = keys.boolean("repeats").value_or(false);
  if (const auto words = keys.text("words")) {
    parameter.words = find_entry(source.word_lists, *words, keys.position_of("words"), "list of words");
    if (parameter.type != ParameterType::Word) keys.refuse("words", "are for the type word only");
  }
  if (is_of_comparison(parameter.match)) {
    check_comparison(source, endpoint, parameter, keys);
  } else if (parameter.match == Match::Length) {
    read_length(parameter, endpoint, source, keys);
  } else if (endpoint.does == Does::Series) {
    if (parameter.match != Match::Ignored && parameter.match < Match::Start) {
      keys.refuse("match", "does not fit an endpoint that does series");
    }
  } else if (parameter.match >= Match::Start) {
    keys.refuse("match", "is for endpoints that do series");
  } else if (parameter.match != Match::Ignored) {
    if (!endpoint.resource) keys.refuse("match", "must be ignored: the endpoint has no resource");
    if (parameter.repeats && parameter.match != Match::Equal && parameter.match != Match::Member &&
        parameter.match != Match::NoMember) {
      keys.refuse("repeats", "is for the matches equal, member and ignored only");
    }
    SourceResource& resource = source.resources[*endpoint.resource];
    parameter.inside = keys.text("inside").value_or("");
    parameter.or_missing = keys.boolean("orMissing").value_or(false);
    const bool may_miss =
        parameter.match == Match::Equal || parameter.match == Match::From || parameter.match == Match::Until;
    if (parameter.or_missing && (!may_miss || !parameter.inside.empty())) {
      keys.refuse("orMissing", "is for the matches equal, from and until of a field only");
    }
    for (const auto& [name, position] : compared_fields(parameter, keys)) {
      const std::size_t field = find_field(resource, name, position);
      compare(parameter, resource, field, position);
      parameter.fields.push_back(field);
      if (parameter.type == ParameterType::Word && !parameter.words) parameter.words = resource.fields[field].words;
    }
  }
  if (parameter.type == ParameterType::Word && !parameter.words) {
    refuse(value.position, fmt::format("words of {} are missing, and its field has none", parameter.name));
  }
  keys.refuse_others();
  return parameter;
}

}  // namespace ocp_mock::generator
