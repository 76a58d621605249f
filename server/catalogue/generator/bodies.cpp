#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

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

std::vector<SourceBodyField> read_members(const Source& source, const JsonValue& object) {
  std::vector<SourceBodyField> members;
  for (const JsonMember* member : in_order_of_the_file(&object)) members.push_back(read_body(source, *member));
  return members;
}

}  // namespace

SourceBodyField read_body(const Source& source, const JsonMember& member) {
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
  field.least = keys.integer("least", 0, std::numeric_limits<std::int64_t>::max());
  const bool has_least =
      field.type == BodyType::Integer || field.type == BodyType::String || field.type == BodyType::Array;
  if (field.least && !has_least) keys.refuse("least", "is for the types integer, string and array only");
  if (field.least && field.type == BodyType::String && *field.least != 1) {
    keys.refuse("least", "must be 1 for a string: it is not empty then");
  }
  if (const JsonValue* fields = keys.object("fields")) {
    if (field.type != BodyType::Object) keys.refuse("fields", "are for the type object only");
    field.fields = read_members(source, *fields);
  }
  if (keys.any("items") != nullptr) {
    if (field.type != BodyType::Array) keys.refuse("items", "is for the type array only");
    field.fields.push_back(read_body(source, *member.value.find("items")));
    field.fields.front().name.clear();
  }
  keys.refuse_others();
  return field;
}

}  // namespace ocp_mock::generator
