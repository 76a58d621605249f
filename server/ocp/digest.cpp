#include "ocp/digest.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <iterator>
#include <stdexcept>

namespace ocp_mock {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses a digest");
  }
  return {out.begin(), out.begin() + size};
}

std::string hmac(const EVP_MD* kind, std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  if (HMAC(kind, key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(), out.data(), &size) ==
      nullptr) {
    throw std::runtime_error("OpenSSL refuses an HMAC");
  }
  return {out.begin(), out.begin() + size};
}

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
         std::string_view::npos;
}

}  // namespace

std::string md5(std::string_view bytes) { return digest(EVP_md5(), bytes); }

std::string sha256(std::string_view bytes) { return digest(EVP_sha256(), bytes); }

std::string hmac_sha1(std::string_view key, std::string_view message) { return hmac(EVP_sha1(), key, message); }

std::string hmac_sha256(std::string_view key, std::string_view message) { return hmac(EVP_sha256(), key, message); }

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("OpenSSL has no random bytes");
  }
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) fmt::format_to(std::back_inserter(text), "{:02X}", static_cast<unsigned char>(c));
  return text;
}

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it in NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text, Base64 form) {
  std::string padded;
  if (form == Base64::Lenient && text.size() % 4 > 1 && !text.ends_with('=')) {
    padded = std::string(text) + std::string(4 - text.size() % 4, '=');
    text = padded;
  }
  if (!is_base64(text)) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  // OpenSSL decodes padding to NULs and counts them.
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text), static_cast<int>(text.size()));
  for (; text.ends_with('='); text.remove_suffix(1)) bytes.pop_back();
  // Else bits that the padding leaves over are set, and two texts would mean the same.
  if (form == Base64::Exact && !base64_encode(bytes).starts_with(text)) return std::nullopt;
  return bytes;
}

bool equal_in_constant_time(std::string_view given, std::string_view expected) {
  const std::string left = digest(EVP_sha256(), given);
  const std::string right = digest(EVP_sha256(), expected);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace ocp_mock
