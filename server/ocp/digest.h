// The digests that the server needs, by OpenSSL.
// Input: bytes. Output: the texts that go over the wire.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ocp_mock {

std::string md5(std::string_view bytes);                                  // 16 bytes
std::string sha256(std::string_view bytes);                               // 32 bytes
std::string hmac_sha1(std::string_view key, std::string_view message);    // 20 bytes
std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 bytes
std::string random_bytes(std::size_t count);                              // for keys; at most a few hundred
std::string hex(std::string_view bytes);                                  // in upper case
std::string base64_encode(std::string_view bytes);                        // with padding

enum class Base64 {
  Exact,    // RFC 4648 with its padding: each text has one meaning, each meaning one text
  Lenient,  // as the JDK's decoder: the padding may be left out, and bits that are left over count for nothing
};

// Nothing for a text that is not Base64.
std::optional<std::string> base64_decode(std::string_view text, Base64 form = Base64::Exact);

// Takes a time that says nothing about where the two differ, nor how long the expected one is.
bool equal_in_constant_time(std::string_view given, std::string_view expected);

}  // namespace ocp_mock
