#include "catalogue/generator/reading.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ocp_mock::generator {
namespace {

// clang-format off
// What a series needs.
constexpr Match kSeriesMatches[] = {Match::Start, Match::End, Match::Metrics, Match::Step};

constexpr Choice<Does> kDoes[] = {
    {"list",     Does::List},
    {"get",      Does::Get},
    {"constant", Does::Constant},
    {"fixed",    Does::Fixed},
    {"series",   Does::Series},
    {"document", Does::Document},
    {"write",    Does::Write},
};

constexpr Choice<Constant> kConstants[] = {
    {"time",    Constant::Time},
    {"info",    Constant::Info},
    {"status",  Constant::Status},
    {"welcome", Constant::Welcome},
};

constexpr Choice<Form> kForms[] = {
    {"page",    Form::Page},
    {"list",    Form::List},
    {"object",  Form::Object},
    {"nothing", Form::Nothing},
    {"bare",    Form::Bare},
};

constexpr Choice<PagingKind> kPagingKinds[] = {
    {"none",     PagingKind::None},
    {"strict",   PagingKind::Strict},
    {"pageable", PagingKind::Pageable},
};

constexpr Choice<Media> kMedia[] = {
    {"json",      Media::Json},
    {"form",      Media::Form},
    {"multipart", Media::Multipart},
    {"query",     Media::Query},
};

constexpr Choice<std::string_view> kMethods[] = {
    {"GET",    "GET"},
    {"POST",   "POST"},
    {"PUT",    "PUT"},
    {"PATCH",  "PATCH"},
    {"DELETE", "DELETE"},
};
// clang-format on

// The names of a path's placeholders.
std::vector<std::string> read_path(std::string_view path, Position position) {
  const auto refuse_path = [&](std::string_view why) {
    refuse(position, fmt::format("path '{}' {}", printable(path), why));
  };
  std::vector<std::string> names;
  if (!path.starts_with('/')) refuse_path("must begin with /");
  std::string_view rest = path.substr(1);
  while (path != "/") {
    const auto end = rest.find('/');
    const std::string_view segment = rest.substr(0, end);
    if (segment.empty()) refuse_path("has an empty segment");
    const bool is_placeholder = segment.starts_with('{') && segment.ends_with('}');
    const std::string_view name = is_placeholder ? segment.substr(1, segment.size() - 2) : segment;
    if (name.empty() || name.find_first_of("{}%?#") != std::string_view::npos) {
      refuse_path(
          fmt::format("has the segment '{}'; it must be a literal that needs no encoding or a {{name}}", segment));
    }
    if (is_placeholder && std::ranges::find(names, name) != names.end())
      refuse_path(fmt::format("has {} twice", segment));
    if (is_placeholder) names.emplace_back(name);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return names;
}

// A path without the names of its placeholders.
std::string shape_of(std::string_view path) {
  std::string shape;
  bool inside = false;
  for (const char c : path) {
    if (c == '}') inside = false;
    if (!inside) shape += c;
    if (c == '{') inside = true;
  }
  return shape;
}

// A placeholder that selects rows of the endpoint's resource: by a parent's key, its own, or any other field.
SourcePathParameter placeholder_of_rows(Source& source, const SourceEndpoint& endpoint, const std::string& name,
                                        const JsonValue& value) {
  SourceResource& resource = source.resources[*endpoint.resource];
  const std::size_t field = find_field(resource, value.text, begin_of(value));
  const FieldType type = resource.fields[field].type;
  if (type != FieldType::Integer && type != FieldType::String) {
    refuse(begin_of(value), fmt::format("{} is of type {}; a placeholder selects by an integer or a string", value.text,
                                        word_of(kFieldTypes, type)));
  }
  SourcePathParameter parameter{name,
                                type == FieldType::Integer ? ParameterType::Integer : ParameterType::String,
                                add_column(resource, field),
                                {}};
  const auto parent = std::ranges::find(resource.parents, field, &SourceParent::field);
  if (parent != resource.parents.end()) parameter.resource = parent->resource;
  if (resource.key == field && endpoint.does != Does::List) parameter.resource = endpoint.resource;
  return parameter;
}

// A placeholder of an endpoint that reads no rows: the key of a resource, or a type.
SourcePathParameter placeholder_without_rows(const Source& source, const std::string& name, const JsonValue& value) {
  if (value.text == "integer") return {name, ParameterType::Integer, {}, {}};
  if (value.text == "string") return {name, ParameterType::String, {}, {}};
  const std::size_t resource =
      find_entry(source.resources, value.text, begin_of(value), "resource, and neither integer nor string");
  const SourceResource& of = source.resources[resource];
  if (!of.key) refuse(begin_of(value), fmt::format("{} has no key", of.name));
  const bool is_integer = of.fields[*of.key].type == FieldType::Integer;
  return {name, is_integer ? ParameterType::Integer : ParameterType::String, {}, resource};
}

void read_placeholders(Source& source, SourceEndpoint& endpoint, JsonFields& keys, const JsonValue& value) {
  const std::vector<std::string> names = read_path(endpoint.path, keys.position_of("path"));
  const JsonValue* placeholders = keys.object("placeholders");
  for (const JsonMember* member : in_order_of_the_file(placeholders)) {
    if (std::ranges::find(names, member->key) == names.end()) {
      refuse(member->position,
             fmt::format("the path has no {{{}}}{}", printable(member->key), did_you_mean(member->key, names)));
    }
  }
  for (const std::string& name : names) {
    const JsonMember* member = placeholders == nullptr ? nullptr : placeholders->find(name);
    if (member == nullptr) {
      refuse(placeholders == nullptr ? value.position : keys.position_of("placeholders"),
             fmt::format("placeholders must say which field {{{}}} selects by", name));
    }
    if (member->value.kind != JsonKind::String) refuse(member->position, fmt::format("{} must be a text", name));
    endpoint.path_parameters.push_back(endpoint.resource ? placeholder_of_rows(source, endpoint, name, member->value)
                                                         : placeholder_without_rows(source, name, member->value));
  }
  if (endpoint.does != Does::Get && endpoint.does != Does::Document) return;
  const Index key = source.resources[*endpoint.resource].key;
  const auto is_key = [&](const SourcePathParameter& parameter) { return parameter.resource == endpoint.resource; };
  if (key && std::ranges::none_of(endpoint.path_parameters, is_key)) {
    refuse(keys.position_of("path"), fmt::format("the path must have the key of {}, which it gets one of",
                                                 source.resources[*endpoint.resource].name));
  }
}

void read_paging(Source& source, SourceEndpoint& endpoint, JsonFields& keys) {
  const JsonValue* paging = keys.object("paging");
  if (paging == nullptr) return;
  if (endpoint.does != Does::List) keys.refuse("paging", "is for lists only");
  JsonFields fields(*paging);
  endpoint.paging = choose(kPagingKinds, fields, "kind");
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto default_size = fields.integer("default", 1, kMost);
  const auto maximum_size = fields.integer("maximum", 1, kMost);
  const bool has_pages = endpoint.paging != PagingKind::None;
  if (has_pages != default_size.has_value() || has_pages != maximum_size.has_value()) {
    keys.refuse("paging", has_pages ? "must have default and maximum" : "of kind none has neither default nor maximum");
  }
  endpoint.default_size = default_size.value_or(0);
  endpoint.maximum_size = maximum_size.value_or(0);
  if (endpoint.default_size > endpoint.maximum_size) fields.refuse("default", "must not be over maximum");
  SourceResource& resource = source.resources[*endpoint.resource];
  for (const auto& [text, position] : strings_of(fields, "sorts")) {
    if (text.find(',') != std::string::npos) refuse(position, fmt::format("'{}' must be a field", printable(text)));
    const std::size_t field = read_sort_key(resource, text, position).field;
    if (std::ranges::find(endpoint.sorts, field) != endpoint.sorts.end()) {
      refuse(position, fmt::format("{} is in sorts twice", text));
    }
    endpoint.sorts.push_back(field);
  }
  fields.refuse_others();
}

void check_form(const SourceEndpoint& endpoint, const JsonFields& keys) {
  const bool has_pages = endpoint.paging != PagingKind::None;
  const auto fits = [&] {
    switch (endpoint.does) {
      case Does::List: return has_pages ? endpoint.form == Form::Page : endpoint.form == Form::List;
      case Does::Get: return endpoint.form == Form::Object;
      case Does::Constant: return endpoint.form == Form::Bare;
      case Does::Fixed: return endpoint.form != Form::Bare;
      case Does::Write: return true;
      case Does::Series: return endpoint.form == Form::Page;
      case Does::Document: return endpoint.form == Form::Bare;
    }
    return false;
  };
  if (!fits()) {
    keys.refuse("form",
                fmt::format("{} does not fit an endpoint that does {} {} paging", word_of(kForms, endpoint.form),
                            word_of(kDoes, endpoint.does), has_pages ? "with" : "without"));
  }
  if (endpoint.does == Does::Series) {
    for (const Match match : kSeriesMatches) {
      if (std::ranges::find(endpoint.parameters, match, &SourceParameter::match) == endpoint.parameters.end()) {
        keys.refuse("does", fmt::format("series needs a parameter with the match {}", word_of_match(match)));
      }
    }
  }
  if (!has_pages) return;
  for (const Match match : {Match::Page, Match::Size}) {
    if (std::ranges::find(endpoint.parameters, match, &SourceParameter::match) == endpoint.parameters.end()) {
      keys.refuse("paging", fmt::format("needs a parameter with the match {}", word_of_match(match)));
    }
  }
}

// The data of a fixed answer, by the form that they must have.
void read_answer(Source& source, SourceEndpoint& endpoint, JsonFields& keys) {
  const auto name = keys.text("answer");
  if (endpoint.form == Form::Nothing) {
    if (name) keys.refuse("answer", "does not fit the form nothing");
    return;
  }
  if (!name) refuse(keys.position(), "answer is missing; it must be the name of a file in answers/");
  endpoint.answer = find_answer(source, *name, keys.position_of("answer"));
  const bool is_list = endpoint.form == Form::Page || endpoint.form == Form::List;
  if (!source.answers[*endpoint.answer].json.starts_with(is_list ? '[' : '{')) {
    keys.refuse("answer", is_list ? "must be an array, the contents" : "must be an object, the data");
  }
}

// Other paths with the same placeholders.
void read_aliases(const Source& source, SourceEndpoint& endpoint, JsonFields& keys) {
  const std::vector<std::string> names = read_path(endpoint.path, keys.position_of("path"));
  for (auto& [alias, position] : strings_of(keys, "aliases")) {
    if (read_path(alias, position) != names) {
      refuse(position, fmt::format("path '{}' must have the placeholders of the endpoint's own path, in their order",
                                   printable(alias)));
    }
    const auto is_same = [&, shape = shape_of(alias)](const SourceEndpoint& other) {
      return other.method == endpoint.method && shape_of(other.path) == shape;
    };
    if (std::ranges::any_of(source.endpoints, is_same)) {
      refuse(position, fmt::format("is another endpoint's path: {} {}", endpoint.method, printable(alias)));
    }
    endpoint.aliases.push_back(std::move(alias));
  }
}

void read_body_of(Source& source, SourceEndpoint& endpoint, const JsonValue& value, JsonFields& keys) {
  for (const auto& [word, position] : strings_of(keys, "takes")) {
    endpoint.media.push_back(choose(kMedia, word, position, "takes"));
  }
  if (keys.any("body") == nullptr) {
    if (!endpoint.media.empty()) keys.refuse("takes", "is for endpoints with a body");
    return;
  }
  endpoint.body = read_body(source, *value.find("body"));
  if (endpoint.body->type != BodyType::Object && endpoint.body->type != BodyType::Array) {
    keys.refuse("body", "must be of type object or array");
  }
  if (endpoint.media.empty()) endpoint.media.push_back(Media::Json);
}

bool is_version(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.starts_with('V') && std::ranges::count(text, '.') == 2 && text.find("..") == std::string_view::npos &&
         text.size() > 1 && is_digit(text[1]) && is_digit(text.back()) &&
         std::ranges::all_of(text.substr(1), [&](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace

void read_endpoint(Source& source, const JsonValue& value) {
  JsonFields keys(value);
  SourceEndpoint endpoint{};
  keys.text("source");
  endpoint.method = choose(kMethods, keys, "method");
  endpoint.path = keys.required_text("path");
  endpoint.does = choose(kDoes, keys, "does");
  endpoint.form = choose(kForms, keys, "form");
  endpoint.open = keys.boolean("open").value_or(false);
  endpoint.listed = keys.boolean("listed").value_or(true);
  endpoint.since = keys.text("since").value_or("");
  if (!endpoint.since.empty() && !is_version(endpoint.since)) keys.refuse("since", "must be a version such as V4.0.0");

  if (endpoint.does == Does::Constant) {
    endpoint.constant = choose(kConstants, keys, "constant");
  } else if (endpoint.does == Does::Fixed) {
    read_answer(source, endpoint, keys);
  } else if (endpoint.does != Does::Series && endpoint.does != Does::Write) {
    const std::string name = keys.required_text("resource");
    endpoint.resource = find_entry(source.resources, name, keys.position_of("resource"), "resource");
  }
  if (endpoint.does == Does::Document) {
    SourceResource& resource = source.resources[*endpoint.resource];
    endpoint.document = find_field(resource, keys.required_text("document"), keys.position_of("document"));
  }
  const auto is_same = [&](const SourceEndpoint& other) {
    return other.method == endpoint.method && shape_of(other.path) == shape_of(endpoint.path);
  };
  if (std::ranges::any_of(source.endpoints, is_same)) {
    keys.refuse("path", fmt::format("is another endpoint's, too: {} {}", endpoint.method, printable(endpoint.path)));
  }
  read_placeholders(source, endpoint, keys, value);
  read_paging(source, endpoint, keys);
  if (const std::vector<JsonValue>* parameters = keys.array("parameters")) {
    for (const JsonValue& parameter : *parameters) {
      endpoint.parameters.push_back(read_parameter(source, endpoint, parameter));
    }
  }
  if (endpoint.does == Does::Fixed) read_answer(source, endpoint, keys);
  check_form(endpoint, keys);
  read_aliases(source, endpoint, keys);
  read_body_of(source, endpoint, value, keys);
  if (endpoint.does == Does::Write) read_effects(source, endpoint, keys);
  if (!endpoint.sorts.empty() &&
      std::ranges::find(endpoint.parameters, Match::Sort, &SourceParameter::match) == endpoint.parameters.end()) {
    keys.refuse("paging", "has sorts, and no parameter has the match sort");
  }
  keys.refuse_others();
  source.endpoints.push_back(std::move(endpoint));
}

}  // namespace ocp_mock::generator
