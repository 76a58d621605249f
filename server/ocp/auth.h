// Who sent a request: HTTP Basic or an access key (OCP API reference, call description and AK/SK rules).
// Input: the request as it was sent, and the real time. Output: the user's name, or a refusal that says what would be
// right and never shows a secret. Knows no HTTP library.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "ocp/error.h"
#include "ocp/instant.h"
#include "ocp/signature.h"

namespace ocp_mock {

enum class AuthMode {
  Any,  // well-formed credentials pass; once credentials are configured only those do
  Off,  // nothing is checked
};

struct AccessKey {
  std::string secret_key;
  std::string user;  // whom the key belongs to

  bool operator==(const AccessKey&) const = default;
};

struct Credentials {
  std::map<std::string, std::string, std::less<>> passwords;  // by user name
  std::map<std::string, AccessKey, std::less<>> access_keys;  // by access key

  bool empty() const { return passwords.empty() && access_keys.empty(); }
  bool operator==(const Credentials&) const = default;
};

// Adds a user or an access key. Throws std::invalid_argument, with a sentence that shows no secret, for what no client
// could send and for a name that is there already.
void add_user(Credentials& credentials, std::string name, std::string password);
void add_access_key(Credentials& credentials, std::string access_key, AccessKey key);

// An access key was refused, so what the client should have signed is of interest.
class AccessKeyRefused : public ApiError {
 public:
  explicit AccessKeyRefused(const ApiError& error) : ApiError(error) {}
};

class Authenticator {
 public:
  Authenticator(AuthMode mode, Credentials credentials) : mode_(mode), credentials_(std::move(credentials)) {}

  // Returns the user's name, or the access key if that has no user. In mode Off, returns an empty text if there are no
  // credentials that could be read. Throws ApiError 401, or AccessKeyRefused, which is one.
  std::string authenticate(const SignedRequest& request, Instant real_now) const;

 private:
  std::string name_shown(std::string_view name) const;
  std::string basic_user(std::string_view encoded) const;
  std::string access_key_user(std::string_view parameters, const SignedRequest& request, Instant real_now) const;

  const AuthMode mode_;
  const Credentials credentials_;
};

}  // namespace ocp_mock
