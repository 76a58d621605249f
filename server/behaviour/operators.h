// The operators of templates: objects with a member that begins with $, as schema/api/README.md has them.
// Input: the object, and that member. Output: a value, or none. Of this module only.
#pragma once

#include <optional>

#include "behaviour/template.h"
#include "json/reader.h"

namespace ocp_mock {

// Throws RowRefused where it meets a value that it cannot work with.
std::optional<JsonValue> evaluate_operator(const JsonValue& form, const JsonMember& operation, Scope& scope);

}  // namespace ocp_mock
