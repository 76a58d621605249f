// The signature of a request with an access key (OCP API reference, AK/SK rules), and why one does not match.
// Input: the request as it was sent, the secret key. Output: the text that is signed, the signature, or the parts that
// the client seems to have signed differently. Knows no HTTP library.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/headers.h"
#include "ocp/error.h"

namespace ocp_mock {

// What a signature covers, all as it was sent.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   // still encoded
  std::string_view query;  // without the question mark; empty without one
  const Headers& headers;
  std::string_view body;

  // The first header of a name, in any case; empty without one.
  std::string_view header(std::string_view name) const { return headers.find(name).value_or(""); }
};

// The header that says when the request was signed: Date, or x-ocp-date where there is no Date or an empty one (OCP API
// reference). Without either the value is empty.
HeaderField signing_date(const SignedRequest& request);

// In the order of the message: method, hash of the body, Content-Type, Date, Host, x-ocp headers, path and query.
using SignedParts = std::array<std::string, 7>;
inline constexpr std::size_t kDatePart = 3;

SignedParts signed_parts(const SignedRequest& request);

// The parts joined by line feeds, which is what gets signed.
std::string signed_message(const SignedParts& parts);

// Base64 of HMAC-SHA1.
std::string sign(std::string_view secret_key, std::string_view message);

// What the client probably signed in place of the parts of its request, given a signature that does not match: at most
// two of the usual mistakes. SignedUnexplained where they do not explain it.
std::vector<Sentence> explain_signature(const SignedRequest& request, const SignedParts& parts,
                                        std::string_view access_key, std::string_view secret_key,
                                        std::string_view signature);

}  // namespace ocp_mock
