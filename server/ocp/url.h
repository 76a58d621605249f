// The parts of a request target: path, query, percent-encoding (RFC 3986, and + for a blank in queries).
// Input: text as the client sent it. Output: its pieces, decoded. Knows no endpoint and no parameter.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

struct Target {
  std::string_view path;   // as sent, still encoded, at least "/" (or "*")
  std::string_view query;  // as sent, without the question mark; empty without a query
};

// Splits a request target. Of an absolute one, "http://host/path?query", the path and query count.
Target split_target(std::string_view target);

// A path for people to see. What is no path but begins with "//", a scheme or a host may name a user and a password
// before an @; "***" stands for all before it then.
std::string without_user(std::string_view path);

// A text for people to see: in each URL with a scheme, "https://user:password@host/", "***" stands for user and
// password, also where the URL is percent-encoded.
std::string without_user_info(std::string_view text);

// The same of each pair of a query.
std::string query_without_user_info(std::string_view query);

enum class Plus { Kept, IsBlank };

// Decodes %XX once, to any bytes. Nothing if an escape is broken.
std::optional<std::string> percent_decode_bytes(std::string_view text, Plus plus);

// Decodes %XX once. Nothing if an escape is broken, or if the result is not UTF-8 or holds a NUL.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

// Encodes every byte but A-Z a-z 0-9 - . _ ~, hex digits in upper case (RFC 3986).
std::string percent_encode(std::string_view bytes);

struct QueryPair {
  std::string_view name;   // as sent
  std::string_view value;  // as sent; empty without an equals sign
};

// The pairs of a query in the order sent, split at & and at the first = of each. Empty pieces are skipped.
std::vector<QueryPair> split_query(std::string_view query);

// One text for all targets that ask for the same: each segment of the path decoded once, one trailing slash accepted;
// the pairs of the query decoded and sorted by name, those of one name in the order sent, "name" as "name=". Encoded
// again, so that it is a target itself. Nothing if a part does not decode.
std::optional<std::string> canonical_target(std::string_view path, std::string_view query);

}  // namespace ocp_mock
