#include "base/secret_names.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"

namespace ocp_mock {
namespace {

// Anywhere in a name: clientSecretText.
constexpr std::string_view kWords[] = {
    "accesskey", "apikey",     "encryptionkey", "encryptkey", "passphrase", "passwd",
    "password",  "privatekey", "secret",        "sshkey",     "token",
};

// At the end of a name, for what else begins with them is about the secret: credentialId, sessionIdleTime.
constexpr std::string_view kEndings[] = {
    "accessid", "authorization", "connstr", "cookie",     "cookies", "credential", "credentials",
    "dsn",      "jsessionid",    "keytab",  "kubeconfig", "pwd",     "sessionid",  "signature",
};

// The same, as a word of their own, for other words end with them: bypass, disk, spin.
constexpr std::string_view kLastWords[] = {"ak", "bearer", "otp", "pass", "passcode", "pem", "pin", "sk"};

constexpr bool is_separator(char c) { return c == '_' || c == '-'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool begins_with(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (const char c : text) {
    if (is_separator(c) && found > 0) continue;
    if (to_lower_ascii(c) != word[found]) return false;
    if (++found == word.size()) return true;
  }
  return false;
}

// Where the word begins that ends the name; npos if another does.
std::size_t ending(std::string_view name, std::string_view word) {
  std::size_t left = word.size();
  for (std::size_t at = name.size(); at > 0; --at) {
    const char c = name[at - 1];
    if (is_separator(c)) continue;
    if (to_lower_ascii(c) != word[left - 1]) return std::string_view::npos;
    if (--left == 0) return at - 1;
  }
  return std::string_view::npos;
}

bool starts_word(std::string_view name, std::size_t at) {
  if (at == 0) return true;
  const char before = name[at - 1];
  if (is_upper(name[at])) return !is_upper(before);
  return !is_lower(before) && !is_upper(before) && static_cast<unsigned char>(before) < 0x80;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  return has_secret_word(name) ||
         std::ranges::any_of(kEndings, [&](auto word) { return ending(name, word) != std::string_view::npos; }) ||
         std::ranges::any_of(kLastWords, [&](auto word) {
           const std::size_t at = ending(name, word);
           return at != std::string_view::npos && starts_word(name, at);
         });
}

bool has_secret_word(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    const char first = to_lower_ascii(text.front());
    if (std::ranges::any_of(kWords, [&](auto word) { return word.front() == first && begins_with(text, word); }))
      return true;
  }
  return false;
}

}  // namespace ocp_mock
