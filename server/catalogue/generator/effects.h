// Templates of values and the steps that use them, see schema/api/README.md.
// Input: JSON values, and where they stand. Output: a JsonFieldError for the first one that does not hold together;
// what they refer to is marked as used in the Source.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "catalogue/generator/reading.h"

namespace ocp_mock::generator {

// Where a template stands, and so what it may refer to.
struct Scope {
  Source& source;
  const SourceEndpoint* endpoint = nullptr;            // null: there is no request
  std::set<std::string, std::less<>>* with = nullptr;  // takes the names that are used; null: nothing is passed
  const SourceMade* made = nullptr;                    // by the steps; null: not known here
  Index row{};                                         // the resource of the row that a set changes
  Index found{};                                       // the resource of what was found
  bool has_item = false;
  bool is_answer = false;
  bool has_failure = false;
};

void check_template(const Scope& scope, const JsonValue& value);

// An object of templates by the names of fields, which rows are compared by; all of them have columns then.
void check_where(const Scope& scope, std::size_t resource, JsonFields& keys);

// The resource that a member names.
std::size_t required_resource(const Scope& scope, JsonFields& keys, std::string_view key);

// An object of templates by any names.
const JsonValue& required_object(JsonFields& keys, std::string_view key);

}  // namespace ocp_mock::generator
