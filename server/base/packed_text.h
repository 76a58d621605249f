// A text that the program carries compressed, because it is read seldom or never.
#pragma once

#include <string>
#include <string_view>

namespace ocp_mock {

struct PackedText {
  std::string_view gzip;  // one member, RFC 1952
  std::size_t size = 0;   // of the text, in bytes
};

// The text. 250 kB take about a millisecond. Throws std::runtime_error where the bytes are not those of the text.
std::string unpack(const PackedText& packed);

}  // namespace ocp_mock
