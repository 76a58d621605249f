// Path values and the raw query become a typed request.
// Enters: the row of the endpoint, the values of its path, the query as sent. Leaves: a ListRequest.
// Knows no SQL and no HTTP library. Rules: OCP's page of the endpoint and the wire contract's parameter table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "catalogue/endpoints.h"
#include "ocp/error.h"
#include "ocp/instant.h"

namespace ocp_mock {

inline constexpr std::int64_t kDefaultPageSize = 10;
inline constexpr std::int64_t kMaximumPageSize = 2000;  // OCP API reference: "maximum value: 2000"

inline constexpr std::size_t kMaximumViolations = 100;

struct SortKey {
  const Field* field;
  bool descending;
};

// A rule of the contract that the client broke and the mock lets pass, in the words of --strict: one of the messages
// that are refused under --strict only.
using Violation = Sentence;

// Which tasks a word of the status parameter finds.
enum class StatusMatch {
  Meaning,  // those with any word of its meaning
  Exact,    // those with this word, letter for letter
};

// Which tasks lie between startTime and endTime.
enum class Window {
  CreateTime,  // those whose time field does
  Overlap,     // those that had begun by endTime and have come to startTime; one without end, or with an end before its
               // beginning, is the instant of its beginning
};

// How requests are read where OCP's pages leave it open.
struct ListRules {
  StatusMatch status_match = StatusMatch::Meaning;
  Window window = Window::CreateTime;

  bool operator==(const ListRules&) const = default;
};

struct ListRequest {
  std::int64_t cluster_id = 0;
  std::int64_t tenant_id = 0;
  std::optional<Instant> start_time;     // inclusive
  std::optional<Instant> end_time;       // inclusive
  Window window = Window::CreateTime;    // how tasks lie in it
  StatusSet statuses = 0;                // to search for; 0: any
  std::int64_t page = 1;                 // at least 1, any 64-bit value
  std::int64_t size = kDefaultPageSize;  // 1 to kMaximumPageSize
  std::vector<SortKey> sort;             // empty: the default order; each field at most once
  Instant now;                           // the time of the answer, for computed fields; not of the request's text
};

// Throws ApiError 400 for the first parameter that does not fit: the path's, then the query's in the order of the
// contract's table. Appends the rules that the client broke, also before it throws: at most kMaximumViolations.
ListRequest parse_list_request(const PathMatch& path, std::string_view query, std::vector<Violation>& violations,
                               const ListRules& rules = {});

// Appends a violation where a query has characters as they are that Tomcat, in front of OCP, refuses so: all but those
// that RFC 3986 lets stand in a query. Others may go on with it as if they were encoded.
void note_raw_characters(std::string_view query, std::vector<Violation>& violations);

// The same as parse_list_request for an endpoint that has no parameters.
void parse_no_parameters(std::string_view query, std::vector<Violation>& violations);

}  // namespace ocp_mock
