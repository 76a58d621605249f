// Path values and the raw query become a typed request, by the endpoint's row of the catalogue.
// Input: the endpoint, the values of its path, the query as sent. Output: a Request. Knows no SQL and no HTTP library.
// Rules: OCP's page of the endpoint and the wire contract's parameter table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalogue/catalogue.h"
#include "ocp/error.h"
#include "ocp/instant.h"

namespace ocp_mock {

inline constexpr std::size_t kMaximumViolations = 100;

// Different values of one array parameter: what is looked for in a list, and made in a series, stays bounded.
inline constexpr std::size_t kMaximumValues = 1000;

// A rule of the contract that the client broke and the mock lets pass, in the words of --strict: one of the messages
// that are refused under --strict only.
using Violation = Sentence;

// Which rows a word of an enumeration finds.
enum class WordMatch {
  Meaning,  // those with any word of its meaning
  Exact,    // those with this word, letter for letter
};

// Which rows lie between the bounds of the order's field.
enum class Window {
  CreateTime,  // those whose time does
  Overlap,  // those that began by the upper bound and lasted to the lower one; one without end, or with an end before
            // its beginning, is the instant of its beginning
};

// How requests are read where OCP's pages leave it open.
struct ListRules {
  WordMatch word_match = WordMatch::Meaning;
  Window window = Window::CreateTime;

  bool operator==(const ListRules&) const = default;
};

// A value to compare with; its type is that of the field: an Integer's and a Boolean's is int64_t (0 or 1), a Time's is
// an Instant.
using Value = std::variant<std::int64_t, double, std::string, Instant>;

// One parameter's filter. Rows must pass all of them.
struct Condition {
  const Parameter* parameter;
  std::vector<Value> values;  // one, or the alternatives of Equal and Member; of words with one meaning all of them

  bool operator==(const Condition&) const = default;
};

struct Request {
  const Endpoint* endpoint = nullptr;
  std::vector<Value> path;            // of the endpoint's path parameters, in their order
  std::vector<Condition> conditions;  // in the order of the endpoint's parameters
  Window window = Window::CreateTime;
  std::int64_t page = 1;      // at least 1, any 64-bit value
  std::int64_t size = 0;      // 1 to the endpoint's maximum; 0 without paging: all rows
  std::vector<SortKey> sort;  // empty: the default order; each field at most once
  Instant now;                // the time of the answer, for computed fields; not of the request's text
};

// Reads the values of the path's placeholders and the query's parameters, of an endpoint without parameters too. Throws
// ApiError 400 for the first one that does not fit: the path's, then the query's in the order of the endpoint's
// parameters. Appends the rules that the client broke, also before it throws: at most kMaximumViolations.
Request read_parameters(const Endpoint& endpoint, const std::vector<std::string>& path, std::string_view query,
                        const ListRules& rules, std::vector<Violation>& violations);

// Appends a violation where a query has characters as they are that Tomcat, in front of OCP, refuses so: all but those
// that RFC 3986 lets stand in a query. Others may go on with it as if they were encoded.
void note_raw_characters(std::string_view query, std::vector<Violation>& violations);

}  // namespace ocp_mock
