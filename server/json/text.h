// JSON as bytes: the strings of OCP's Jackson and the layout of OCP's examples.
// Input: UTF-8 text or compact JSON. Output: the exact bytes of an answer. Builds no documents.
#pragma once

#include <string>
#include <string_view>

namespace ocp_mock {

// Appends a string with its quotes as Jackson writes it to bytes (checked with Jackson 2.14): characters beyond U+FFFF
// as two \u escapes, control characters by their short escape or as \u00XX, hex digits in upper case, all else as it
// is. A byte that is not UTF-8 becomes U+FFFD, so the result is JSON whatever comes in.
void append_json_string(std::string& out, std::string_view utf8);
std::string json_string(std::string_view utf8);

// Lays out one compact JSON text as OCP's example answers are: two blanks a level, a blank after a colon, empty arrays
// and objects as [] and {}. No newline at the end.
std::string pretty_json(std::string_view compact);

}  // namespace ocp_mock
