// Templates: JSON with references to what a request has and to rows, as schema/api/README.md has them.
// Input: a template that the generator has checked, and what the references mean. Output: a value, or none; or the
// template with all that is known by now put in. Knows no HTTP.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "json/reader.h"
#include "store/edit.h"

namespace ocp_mock {

// What references mean.
class Scope {
 public:
  explicit Scope(Edit& edit) : edit_(edit) {}

  Edit& edit() { return edit_; }

  void set(std::string_view root, JsonValue value) { values_.insert_or_assign(std::string(root), std::move(value)); }
  void erase(std::string_view root);

  // Null if it has no value.
  const JsonValue* find(std::string_view root) const;

 private:
  Edit& edit_;
  std::map<std::string, JsonValue, std::less<>> values_;
};

// Gives a root another value until it ends.
class [[nodiscard]] Shadow {
 public:
  Shadow(Scope& scope, std::string_view root, JsonValue value);
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;
  ~Shadow();

 private:
  Scope& scope_;
  const std::string root_;
  std::optional<JsonValue> before_;
};

// Nothing where the template is a reference, or an operator, without a value. Throws RowRefused where an operator meets
// a value that it cannot work with.
std::optional<JsonValue> evaluate(const JsonValue& form, Scope& scope);

// The value of each member that has one.
JsonValue evaluate_members(const JsonValue& form, Scope& scope);

// The same template with the values of all references but those to late roots, or members of roots such as "with.name",
// which it keeps.
JsonValue fill_in(const JsonValue& form, Scope& scope, const std::set<std::string, std::less<>>& late);

// Whether two templates, or one without the other, say yes: the value is the other one, or is there and not false.
bool holds(const JsonValue& form, const JsonValue* is, Scope& scope);

// Throws RowRefused for a name that is none.
const Resource& named_resource(const Catalogue& catalogue, std::string_view name);

// A text as it is, any other value as JSON.
std::string text_of(const JsonValue& value);

// Small values.
JsonValue json_text(std::string_view text);
JsonValue json_integer(std::int64_t number);
JsonValue json_array();
JsonValue json_object();

}  // namespace ocp_mock
