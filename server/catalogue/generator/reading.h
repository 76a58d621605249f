// What the files of a catalogue have in common: words of tables, names that must exist, positions of mistakes.
// Input: JSON values. Output: what they mean, or a JsonFieldError, to which source.cpp adds the file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/utf8.h"
#include "catalogue/generator/source.h"
#include "json/fields.h"
#include "json/reader.h"

namespace ocp_mock::generator {

template <typename T>
struct Choice {
  std::string_view word;
  T value;
};

// clang-format off
inline constexpr Choice<FieldType> kFieldTypes[] = {
    {"integer", FieldType::Integer},
    {"number",  FieldType::Number},
    {"string",  FieldType::String},
    {"boolean", FieldType::Boolean},
    {"time",    FieldType::Time},
    {"array",   FieldType::Array},
    {"object",  FieldType::Object},
};
// clang-format on

[[noreturn]] inline void refuse(Position position, std::string_view text) { throw JsonFieldError(position, text); }

// Of the first byte; the reader tells the last one of what is neither an object nor an array.
inline Position begin_of(const JsonValue& value) {
  Position position = value.position;
  if (value.kind == JsonKind::String) position.column -= static_cast<std::int64_t>(value.text.size()) + 1;
  return position;
}

// The reader sorts members by their keys.
inline std::vector<const JsonMember*> in_order_of_the_file(const JsonValue* object) {
  std::vector<const JsonMember*> members;
  if (object == nullptr) return members;
  for (const JsonMember& member : object->members) members.push_back(&member);
  std::ranges::sort(members, {},
                    [](const JsonMember* member) { return std::pair(member->position.line, member->position.column); });
  return members;
}

template <typename T, std::size_t size>
T choose(const Choice<T> (&choices)[size], std::string_view word, Position position, std::string_view key) {
  const auto found = std::ranges::find(choices, word, &Choice<T>::word);
  if (found != std::end(choices)) return found->value;
  std::vector<std::string_view> words;
  for (const Choice<T>& choice : choices) words.push_back(choice.word);
  refuse(position, fmt::format("{} is '{}'; it must be one of {}{}", key, printable(word), fmt::join(words, ", "),
                               did_you_mean(word, words)));
}

template <typename T, std::size_t size>
T choose(const Choice<T> (&choices)[size], JsonFields& fields, std::string_view key) {
  const std::string word = fields.required_text(key);
  return choose(choices, word, fields.position_of(key), key);
}

template <typename T, std::size_t size>
std::string_view word_of(const Choice<T> (&choices)[size], T value) {
  return std::ranges::find(choices, value, &Choice<T>::value)->word;
}

// The index of the entry that is called so.
template <typename Entries>
std::size_t find_entry(const Entries& entries, std::string_view name, Position position, std::string_view kind) {
  std::vector<std::string_view> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  refuse(position, fmt::format("'{}' is no {}{}", printable(name), kind, did_you_mean(name, names)));
}

inline std::size_t find_field(const SourceResource& resource, std::string_view name, Position position) {
  return find_entry(resource.fields, name, position, fmt::format("field of {}", resource.name));
}

// The strings of an array, each with its position.
inline std::vector<std::pair<std::string, Position>> strings_of(JsonFields& fields, std::string_view key) {
  std::vector<std::pair<std::string, Position>> strings;
  const std::vector<JsonValue>* items = fields.array(key);
  if (items == nullptr) return strings;
  for (const JsonValue& item : *items) {
    if (item.kind != JsonKind::String) refuse(item.position, fmt::format("{} must be an array of strings", key));
    strings.emplace_back(item.text, begin_of(item));
  }
  return strings;
}

// "time!" for a required one.
template <typename T, std::size_t size>
std::pair<T, bool> type_of(const Choice<T> (&choices)[size], std::string_view text, Position position) {
  const bool required = text.ends_with('!');
  if (required) text.remove_suffix(1);
  return {choose(choices, text, position, "type"), required};
}

// Rows are found and ordered by it.
inline std::size_t add_column(SourceResource& resource, std::size_t field) {
  resource.fields[field].has_column = true;
  return field;
}

// A request's body, which needs the words and the members of all files.
SourceBodyField read_body(Source& source, const JsonMember& member);

// Adds members that bodies call by their name, and those after them.
void read_members(Source& source, const JsonMember& member);

// "FIELD" or "FIELD,desc", of a field that has an order.
SourceSortKey read_sort_key(SourceResource& resource, std::string_view text, Position position);

SourceWordList read_word_list(const JsonMember& member);

// A resource with its fields, which needs the words of all files.
SourceResource read_resource(const Source& source, const JsonMember& member);

// Adds what refers to fields and to other resources, which needs those of all files.
void read_links(Source& source, SourceResource& resource, const JsonMember& member);

// That each parent has a key of the right type, and that its own parents are the ones before it. No cycle passes: a
// parent has fewer parents than what is below it.
void check_parents(const Source& source, const SourceResource& resource, const JsonMember& member);

// A parameter of the query of an endpoint, of which all before its parameters are read.
SourceParameter read_parameter(Source& source, const SourceEndpoint& endpoint, const JsonValue& value);

// What the catalogue calls a match.
std::string_view word_of_match(Match match);

// The answer that is called so, which then counts as used.
std::size_t find_answer(Source& source, std::string_view name, Position position);

// Adds an endpoint, which needs the resources, the steps and the rules of tasks of all files.
void read_endpoint(Source& source, const JsonValue& value);

// Of an endpoint that writes, all else of which is read.
void read_effects(Source& source, SourceEndpoint& endpoint, JsonFields& keys);

// Adds steps that others run by name, unchecked.
void read_steps(Source& source, const JsonMember& member);

// That steps hold together, which needs those of all files.
void check_steps(Source& source, SourceSteps& steps, const JsonMember& member);

// Adds how tasks are told.
void read_task_rules(Source& source, const JsonValue& value);

}  // namespace ocp_mock::generator
