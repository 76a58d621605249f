#include "ocp/auth.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "base/ascii.h"
#include "base/utf8.h"
#include "json/text.h"
#include "ocp/digest.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kBasic = "Basic";
constexpr std::string_view kAccessKeyScheme = "OCP-ACCESS-KEY-HMACSHA1";
constexpr std::int64_t kLongestDistance = 15 * 60;  // seconds between a request's date and the server's clock
constexpr std::int64_t kQuarter = 15 * 60;
constexpr std::size_t kSignatureBytes = 20;

struct BasicCredentials {
  std::string user;
  std::string password;
};

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

BasicCredentials parse_basic(std::string_view encoded) {
  const auto decoded = base64_decode(encoded, Base64::Lenient);
  if (!decoded || decoded->empty()) throw ApiError(Message::BasicNotBase64);
  if (has_control(*decoded) || !is_utf8(*decoded)) throw ApiError(Message::BasicNotUtf8);
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) throw ApiError(Message::BasicWithoutColon);
  if (colon == 0) throw ApiError(Message::BasicUser);
  return {decoded->substr(0, colon), decoded->substr(colon + 1)};
}

struct KeyAndSignature {
  std::string_view access_key;
  std::string_view signature;
};

KeyAndSignature parse_access_key(std::string_view parameters) {
  const auto colon = parameters.find(':');
  if (colon == std::string_view::npos || colon == 0 || has_control(parameters)) throw ApiError(Message::AccessKeyForm);
  const std::string_view signature = parameters.substr(colon + 1);
  const auto bytes = base64_decode(signature);
  if (!bytes || bytes->size() != kSignatureBytes) throw ApiError(Message::AccessKeyForm);
  return {parameters.substr(0, colon), signature};
}

void check_date(HeaderField header, Instant now) {
  const std::string server_time = format_http_date(now);
  if (header.value.empty()) throw ApiError(Message::DateMissing, {server_time});
  const std::string name(header.name);
  const auto date = parse_http_date(header.value);
  if (!date) throw ApiError(Message::DateForm, {name, printable(header.value), server_time});
  const std::int64_t ahead = date->second - now.second;
  const std::int64_t distance = ahead < 0 ? -ahead : ahead;
  if (distance > kLongestDistance) {
    std::vector<Sentence> explanation;
    // Zones differ by whole quarters of an hour, from half an hour to fourteen hours.
    const std::int64_t off = (distance + kQuarter / 2) % kQuarter - kQuarter / 2;
    if (off >= -60 && off <= 60 && distance >= 2 * kQuarter - 60 && distance <= 14 * 3600 + 60)
      explanation.push_back({Message::DateOfLocalTime, {}});
    throw ApiError(Sentence{ahead < 0 ? Message::DateBehind : Message::DateAhead,
                            {name, printable(header.value), std::to_string(distance / 60),
                             std::to_string(distance % 60), server_time}},
                   std::move(explanation));
  }
}

// Where x-ocp-date stands in for Date, OCP's reference leaves open whether the part of the Date is empty then, as that
// of any absent header, or has its value. Either passes.
bool is_signature_of(const SignedRequest& request, SignedParts parts, std::string_view secret_key,
                     std::string_view signature) {
  const auto matches = [&] { return equal_in_constant_time(signature, sign(secret_key, signed_message(parts))); };
  if (matches()) return true;
  if (!parts[kDatePart].empty()) return false;
  parts[kDatePart] = signing_date(request).value;
  return matches();
}

[[noreturn]] void throw_mistake(const std::string& text) { throw std::invalid_argument(text); }

}  // namespace

void add_user(Credentials& credentials, std::string name, std::string password) {
  if (name.empty() || name.find(':') != std::string::npos || has_control(name) || !is_utf8(name)) {
    throw_mistake("the user's name must be UTF-8 text without colon and control characters, and not empty");
  }
  if (has_control(password) || !is_utf8(password)) {
    throw_mistake("the password of user '" + printable(name) + "' must be UTF-8 text without control characters");
  }
  if (credentials.passwords.contains(name)) throw_mistake("user '" + printable(name) + "' is given twice");
  credentials.passwords.emplace(std::move(name), std::move(password));
}

void add_access_key(Credentials& credentials, std::string access_key, AccessKey key) {
  if (access_key.empty() || access_key.find_first_of(": \t") != std::string::npos || has_control(access_key)) {
    throw_mistake("the access key must be text without colon, blanks and control characters, and not empty");
  }
  if (key.secret_key.empty()) throw_mistake("access key '" + printable(access_key) + "' has no secret key");
  if (key.user.empty() || has_control(key.user) || !is_utf8(key.user)) {
    throw_mistake("the user of access key '" + printable(access_key) +
                  "' must be UTF-8 text without control characters, and not empty");
  }
  if (credentials.access_keys.contains(access_key)) {
    throw_mistake("access key '" + printable(access_key) + "' is given twice");
  }
  credentials.access_keys.emplace(std::move(access_key), std::move(key));
}

std::string Authenticator::authenticate(const SignedRequest& request, Instant real_now) const {
  std::optional<std::string_view> authorization;
  for (const auto& [name, value] : request.headers) {
    if (!equals_ignoring_case(name, "Authorization")) continue;
    if (authorization && mode_ != AuthMode::Off) throw ApiError(Message::RepeatedAuthorization);
    authorization = value;
  }
  try {
    if (!authorization || authorization->empty()) throw ApiError(Message::NoCredentials);
    const std::string_view scheme = authorization->substr(0, authorization->find(' '));
    const std::string_view parameters = trim_blanks(authorization->substr(scheme.size()));
    if (equals_ignoring_case(scheme, kBasic)) return basic_user(parameters);
    if (equals_ignoring_case(scheme, kAccessKeyScheme)) return access_key_user(parameters, request, real_now);
    throw ApiError(Message::UnknownScheme);
  } catch (const ApiError&) {
    if (mode_ != AuthMode::Off) throw;
    return "";
  }
}

// A client may have put a secret into the place of a name.
std::string Authenticator::name_shown(std::string_view name) const {
  const bool is_secret =
      std::ranges::any_of(credentials_.passwords, [&](const auto& user) { return user.second == name; }) ||
      std::ranges::any_of(credentials_.access_keys, [&](const auto& key) { return key.second.secret_key == name; });
  return is_secret ? "***" : printable(name);
}

std::string Authenticator::basic_user(std::string_view encoded) const {
  BasicCredentials given = parse_basic(encoded);
  if (mode_ == AuthMode::Off || credentials_.empty()) return std::move(given.user);
  const auto known = credentials_.passwords.find(given.user);
  if (known == credentials_.passwords.end()) {
    std::vector<Sentence> explanation;
    if (credentials_.access_keys.contains(given.user)) explanation.push_back({Message::UserIsAccessKey, {}});
    throw ApiError(Sentence{Message::UnknownUser, {name_shown(given.user)}}, std::move(explanation));
  }
  if (!equal_in_constant_time(given.password, known->second))
    throw ApiError(Message::WrongPassword, {printable(given.user)});
  return std::move(given.user);
}

std::string Authenticator::access_key_user(std::string_view parameters, const SignedRequest& request,
                                           Instant real_now) const {
  const auto [access_key, signature] = parse_access_key(parameters);
  const auto known = credentials_.access_keys.find(access_key);
  const bool is_known = known != credentials_.access_keys.end();
  if (mode_ == AuthMode::Off) return is_known ? known->second.user : std::string(access_key);
  try {
    check_date(signing_date(request), real_now);
    if (credentials_.empty()) return std::string(access_key);
    if (!is_known) throw ApiError(Message::UnknownAccessKey, {name_shown(access_key)});
    const SignedParts parts = signed_parts(request);
    if (is_signature_of(request, parts, known->second.secret_key, signature)) return known->second.user;
    auto explanation = explain_signature(request, parts, access_key, known->second.secret_key, signature);
    explanation.push_back({Message::SignatureLog, {}});
    throw ApiError(Sentence{Message::SignatureMismatch, {printable(access_key)}}, std::move(explanation));
  } catch (const ApiError& error) {
    throw AccessKeyRefused(error);
  }
}

}  // namespace ocp_mock
