// The body of a request, as criteria and the journal see it.
// Input: its bytes. Output: its text, its JSON, and the text without secrets that may be kept. Knows no media type: the
// bytes alone say what they are, so that a criterion is masked as the body that it is compared with.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json/reader.h"

namespace ocp_mock {

// A body in a view of a request. The bytes must outlive it. Not safe for use by several threads at once.
class RequestBody {
 public:
  RequestBody() = default;
  explicit RequestBody(std::string_view text) : text_(text) {}

  std::string_view text() const { return text_; }

  // The one JSON document that the body is; null if it is none. Parsed at the first call.
  const JsonValue* json() const;

 private:
  std::string_view text_;
  mutable bool is_parsed_ = false;
  mutable std::optional<JsonValue> json_;
};

// Whether an object has each member of the part, at any depth; a null asks for a member that is absent or null. All but
// objects must be the same, arrays item by item (same_json).
bool contains_json(const JsonValue& whole, const JsonValue& part);

// Whether a text, such as a key, has the name of a secret in it, however it is escaped.
bool names_secret(std::string_view text);

// Puts "***" in place of the values of secret keys, whatever their type, but for null; and in place of user and
// password in URLs. True if a secret key had another value than "***".
bool mask_secrets(JsonValue& value);

struct MaskedBody {
  std::string text;
  bool has_secret = false;  // of a secret key; a URL's user is masked without it
};

// The text that may be kept. JSON without secrets and forms without secrets are as they were. JSON with them is written
// again, in compact form. In a form, a value is masked if its pair has the name of a secret in it. Any other text that
// has such a name is "***" as a whole, for nobody knows where the secret ends.
MaskedBody masked_body(std::string_view text);

}  // namespace ocp_mock
