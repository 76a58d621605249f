// Which names are of secrets: of members of JSON, of parameters, and of what texts show with its value.
// Input: names and texts. Output: whether a secret is named. Letters of either case are the same, and `_` and `-` in a
// name count for nothing but as the start of a word.
#pragma once

#include <string_view>

namespace ocp_mock {

// A name with a word such as password in it, or with one such as credential or pin as its end.
bool is_secret_name(std::string_view name);

// Whether a text has a word in it, such as password, whose values are secrets wherever the word stands in a name.
bool has_secret_word(std::string_view text);

}  // namespace ocp_mock
