#include "json/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/nearest.h"
#include "base/utf8.h"

namespace ocp_mock {
namespace {

template <typename Number>
std::optional<Number> parse(const std::string& text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

JsonFieldError::JsonFieldError(Position position, std::string_view text)
    : std::runtime_error(fmt::format("{}:{}: {}", position.line, position.column, text)),
      position_(position),
      text_(fmt::formatted_size("{}:{}: ", position.line, position.column)) {}

JsonFields::JsonFields(const JsonValue& value) : value_(value) {
  if (value.kind != JsonKind::Object) throw JsonFieldError(value.position, "this must be an object");
}

std::optional<std::string> JsonFields::text(std::string_view key) {
  const JsonValue* value = find(key, JsonKind::String, "a string");
  return value == nullptr ? std::nullopt : std::optional(value->text);
}

std::optional<std::int64_t> JsonFields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const JsonMember* member = find(key);
  if (member == nullptr) return std::nullopt;
  const auto number = member->value.kind == JsonKind::Integer ? parse<std::int64_t>(member->value.text) : std::nullopt;
  if (!number || *number < least || *number > most) {
    refuse(key, fmt::format("must be an integer from {} to {}", least, most));
  }
  return number;
}

std::optional<double> JsonFields::number(std::string_view key, double least, double most) {
  const JsonMember* member = find(key);
  if (member == nullptr) return std::nullopt;
  const bool is_number = member->value.kind == JsonKind::Integer || member->value.kind == JsonKind::Float;
  const auto number = is_number ? parse<double>(member->value.text) : std::nullopt;
  if (!number || !std::isfinite(*number) || *number < least || *number > most) {
    refuse(key, fmt::format("must be a number from {} to {}", least, most));
  }
  return number;
}

std::optional<bool> JsonFields::boolean(std::string_view key) {
  const JsonValue* value = find(key, JsonKind::Boolean, "true or false");
  return value == nullptr ? std::nullopt : std::optional(value->text == "true");
}

const std::vector<JsonValue>* JsonFields::array(std::string_view key) {
  const JsonValue* value = find(key, JsonKind::Array, "an array");
  return value == nullptr ? nullptr : &value->items;
}

const JsonValue* JsonFields::object(std::string_view key) { return find(key, JsonKind::Object, "an object"); }

const JsonValue* JsonFields::any(std::string_view key) {
  asked_.emplace(key);
  const JsonMember* member = value_.find(key);
  return member == nullptr ? nullptr : &member->value;
}

std::string JsonFields::required_text(std::string_view key) {
  if (const auto given = text(key)) return *given;
  std::vector<std::string_view> keys;
  for (const JsonMember& member : value_.members) keys.push_back(member.key);
  const auto meant = nearest(key, keys);
  throw JsonFieldError(
      value_.position,
      fmt::format("{} is missing; it must be a string{}", key,
                  meant && *meant != key ? fmt::format("; did you mean '{}' by '{}'?", key, printable(*meant)) : ""));
}

void JsonFields::refuse_others() const {
  for (const JsonMember& member : value_.members) {
    if (!asked_.contains(member.key)) {
      throw JsonFieldError(member.position, fmt::format("'{}' is unknown here; known are {}{}", printable(member.key),
                                                        fmt::join(asked_, ", "), did_you_mean(member.key, asked_)));
    }
  }
}

void JsonFields::refuse(std::string_view key, std::string_view text) const {
  throw JsonFieldError(position_of(key), fmt::format("{} {}", key, text));
}

Position JsonFields::position_of(std::string_view key) const {
  const JsonMember* member = value_.find(key);
  return member == nullptr ? value_.position : member->position;
}

const JsonMember* JsonFields::find(std::string_view key) {
  asked_.emplace(key);
  const JsonMember* member = value_.find(key);
  return member == nullptr || member->value.kind == JsonKind::Null ? nullptr : member;
}

const JsonValue* JsonFields::find(std::string_view key, JsonKind kind, std::string_view rule) {
  const JsonMember* member = find(key);
  if (member == nullptr) return nullptr;
  if (member->value.kind != kind) refuse(key, fmt::format("must be {}", rule));
  return &member->value;
}

}  // namespace ocp_mock
