// The members of a JSON object as a caller wants them, one by one.
// Input: a parsed object. Output: typed values, or a JsonFieldError with the position of what is wrong. Errors never
// show a value: it may be a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"

namespace ocp_mock {

// What it says is "LINE:COLUMN: ", then the text.
class JsonFieldError : public std::runtime_error {
 public:
  JsonFieldError(Position position, std::string_view text);
  Position position() const { return position_; }
  std::string_view text() const { return what() + text_; }

 private:
  Position position_;
  std::size_t text_;
};

class JsonFields {
 public:
  // Throws if the value is no object. It must outlive the fields.
  explicit JsonFields(const JsonValue& value);

  // Nothing where the member is absent or null; throws where it is of another type or out of range.
  std::optional<std::string> text(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<bool> boolean(std::string_view key);
  const std::vector<JsonValue>* array(std::string_view key);
  const JsonValue* object(std::string_view key);

  // A member of any type, or null.
  const JsonValue* any(std::string_view key);

  std::string required_text(std::string_view key);

  // Throws if the object has members that nobody has asked for.
  void refuse_others() const;

  [[noreturn]] void refuse(std::string_view key, std::string_view text) const;
  Position position() const { return value_.position; }

  // Of the member; of the object where there is none.
  Position position_of(std::string_view key) const;

 private:
  const JsonMember* find(std::string_view key);
  const JsonValue* find(std::string_view key, JsonKind kind, std::string_view rule);

  const JsonValue& value_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace ocp_mock
