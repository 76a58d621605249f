// A short hash of text that is the same on every machine and in every build.
// Input: any bytes. Output: FNV-1a, cut so that it fits where SQLite keeps a version. No protection against forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace ocp_mock {

// 1 to 2^31 - 1.
constexpr std::uint32_t version_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  const auto version = static_cast<std::uint32_t>(hash % 0x7FFFFFFFU);
  return version == 0 ? 1 : version;
}

}  // namespace ocp_mock
