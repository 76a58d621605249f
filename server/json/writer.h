// Writes compact JSON, piece by piece.
// Input: items and members, in the order in which they are to stand. Output: the text of one array or object. Sorts
// nothing, and does not look for keys that are given twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "json/text.h"

namespace ocp_mock {

// A text that is JSON already. It must outlive the call that takes it.
struct RawJson {
  std::string_view text;
};

class JsonArray;
class JsonObject;

// Appends a string, an integer, a boolean, an array, an object or raw JSON; null for a std::optional without a value.
template <typename Value>
void append_json_value(std::string& out, const Value& value);

class JsonArray {
 public:
  JsonArray() = default;

  // Of the items.
  template <typename Items>
  explicit JsonArray(const Items& items) {
    for (const auto& item : items) add(item);
  }

  // Of what the function makes of each item.
  template <typename Items, typename Make>
  JsonArray(const Items& items, const Make& make) {
    for (const auto& item : items) add(make(item));
  }

  template <typename Value>
  JsonArray& add(const Value& value) {
    if (!empty()) text_ += ',';
    append_json_value(text_, value);
    return *this;
  }

  bool empty() const { return text_.size() == 1; }
  std::string text() const { return text_ + "]"; }

 private:
  std::string text_ = "[";
};

class JsonObject {
 public:
  template <typename Value>
  JsonObject& add(std::string_view key, const Value& value) {
    if (!empty()) text_ += ',';
    append_json_string(text_, key);
    text_ += ':';
    append_json_value(text_, value);
    return *this;
  }

  bool empty() const { return text_.size() == 1; }
  std::string text() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

template <typename Value>
struct IsOptional : std::false_type {};
template <typename Value>
struct IsOptional<std::optional<Value>> : std::true_type {};

template <typename Value>
void append_json_value(std::string& out, const Value& value) {
  if constexpr (IsOptional<Value>::value) {
    if (value) {
      append_json_value(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_integral_v<Value>) {
    out += std::to_string(value);
  } else if constexpr (std::is_same_v<Value, RawJson>) {
    out += value.text;
  } else if constexpr (std::is_same_v<Value, JsonArray> || std::is_same_v<Value, JsonObject>) {
    out += value.text();
  } else {
    append_json_string(out, value);
  }
}

}  // namespace ocp_mock
