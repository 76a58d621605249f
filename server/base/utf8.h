// UTF-8, and a client's text as a message or a log may show it.
// Input: bytes. Output: lengths, and text that is safe to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ocp_mock {

bool is_utf8(std::string_view bytes);

// Where the code point that starts at bytes[0] ends: 1 to 4, or 0 if the bytes there are not UTF-8. Needs a byte.
std::size_t utf8_length(std::string_view bytes);

// A client's text as a message or a log may show it: cut after the given number of characters, then "...". Bytes that
// are not UTF-8, control characters (C0 and C1) and what makes a text look other than it is, direction marks,
// characters without a width and separators of lines, are percent-encoded.
std::string printable(std::string_view text, std::size_t characters = 100);

}  // namespace ocp_mock
