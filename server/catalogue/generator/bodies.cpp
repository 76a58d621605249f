#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catalogue/generator/reading.h"

namespace ocp_mock::generator {
namespace {

// clang-format off
constexpr Choice<BodyType> kBodyTypes[] = {
    {"integer", BodyType::Integer},
    {"number",  BodyType::Number},
    {"boolean", BodyType::Boolean},
    {"string",  BodyType::String},
    {"word",    BodyType::Word},
    {"time",    BodyType::Time},
    {"array",   BodyType::Array},
    {"object",  BodyType::Object},
    {"any",     BodyType::Any},
};
// clang-format on

constexpr std::int64_t kMostLeast = std::int64_t{1} << std::numeric_limits<double>::digits;

// The members of an object, or those that a text names.
std::vector<SourceBodyField> fields_of(Source& source, const JsonValue& fields) {
  if (fields.kind == JsonKind::String) {
    SourceMembers& named =
        source.members[find_entry(source.members, fields.text, begin_of(fields), "name of members that come before")];
    named.is_used = true;
    return named.fields;
  }
  std::vector<SourceBodyField> members;
  for (const JsonMember* member : in_order_of_the_file(&fields)) members.push_back(read_body(source, *member));
  return members;
}

std::optional<double> least_of(const SourceBodyField& field, JsonFields& keys) {
  if (field.type == BodyType::Number) return keys.number("least", 0, static_cast<double>(kMostLeast));
  const auto least = keys.integer("least", 0, kMostLeast);
  const bool has_least =
      field.type == BodyType::Integer || field.type == BodyType::String || field.type == BodyType::Array;
  if (least && !has_least) keys.refuse("least", "is for the types integer, number, string and array only");
  if (least && field.type == BodyType::String && *least != 1) {
    keys.refuse("least", "must be 1 for a string: it is not empty then");
  }
  return least ? std::optional(static_cast<double>(*least)) : std::nullopt;
}

}  // namespace

SourceBodyField read_body(Source& source, const JsonMember& member) {
  SourceBodyField field{};
  field.name = member.key;
  if (member.value.kind == JsonKind::String) {
    std::tie(field.type, field.required) = type_of(kBodyTypes, member.value.text, begin_of(member.value));
    if (field.type == BodyType::Word) refuse(begin_of(member.value), "the type word needs an object with words");
    return field;
  }
  if (member.value.kind != JsonKind::Object) {
    refuse(member.position, fmt::format("{} must be a type, or an object with a type", printable(field.name)));
  }
  JsonFields keys(member.value);
  std::tie(field.type, field.required) = type_of(kBodyTypes, keys.required_text("type"), keys.position_of("type"));
  keys.text("source");
  field.alias = keys.text("alias").value_or("");
  if (const auto words = keys.text("words")) {
    if (field.type != BodyType::Word) keys.refuse("words", "are for the type word only");
    field.words = find_entry(source.word_lists, *words, keys.position_of("words"), "list of words");
  } else if (field.type == BodyType::Word) {
    refuse(keys.position(), "words are missing");
  }
  field.least = least_of(field, keys);
  if (const auto end = keys.text("keepsBefore")) {
    if (field.type != BodyType::String) keys.refuse("keepsBefore", "is for the type string only");
    if (end->empty()) keys.refuse("keepsBefore", "must not be empty");
    field.keeps_before = *end;
  }
  if (const JsonValue* fields = keys.any("fields")) {
    if (field.type != BodyType::Object) keys.refuse("fields", "are for the type object only");
    if (fields->kind != JsonKind::Object && fields->kind != JsonKind::String) {
      keys.refuse("fields", "must be an object, or the name of members");
    }
    field.fields = fields_of(source, *fields);
  }
  if (keys.any("items") != nullptr) {
    if (field.type != BodyType::Array) keys.refuse("items", "is for the type array only");
    field.fields.push_back(read_body(source, *member.value.find("items")));
    field.fields.front().name.clear();
  }
  keys.refuse_others();
  return field;
}

void read_members(Source& source, const JsonMember& member) {
  if (std::ranges::find(source.members, member.key, &SourceMembers::name) != source.members.end()) {
    refuse(member.position, fmt::format("there are two members '{}'", printable(member.key)));
  }
  if (member.value.kind != JsonKind::Object) {
    refuse(member.position, fmt::format("{} must be an object", printable(member.key)));
  }
  source.members.push_back({member.key, fields_of(source, member.value)});
}

}  // namespace ocp_mock::generator
