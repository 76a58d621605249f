// Which requests a test means.
// Enters: a JSON object such as {"method":"GET","path":"/api/status","query":{"page":"1"},"user":"admin"}; then
// requests. Leaves: whether a request matches, and what differs where it does not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headers.h"
#include "store/json_fields.h"

namespace ocp_mock {

// A request as matchers see it, all as sent.
struct RequestView {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  const Headers& headers;
  std::string_view user;
  std::optional<int> status;  // of the answer, where there is one
};

struct Difference {
  std::string field;     // "query.page"
  std::string expected;  // as JSON
  std::string actual;    // as JSON
};

class Matcher {
 public:
  // Matches every request.
  Matcher() = default;

  // Takes the criteria out of the object: method, path, pathPrefix, pathTemplate, query, headers, user; and status, if
  // answers are matched too. Paths and queries are compared decoded. In query a name has its value, an array of all its
  // values in any order, or null for none; in headers its value or null. Throws JsonFieldError.
  static Matcher parse(JsonFields& fields, bool with_status);

  bool matches(const RequestView& request) const;
  std::vector<Difference> differences(const RequestView& request) const;

 private:
  struct Criterion {
    std::string field;
    std::string expected;
    // What the request has instead, as JSON; nothing if it matches.
    std::function<std::optional<std::string>(const RequestView&)> differs;
  };

  void add_text(JsonFields& fields, std::string_view key, std::string (*actual)(const RequestView&));

  std::vector<Criterion> criteria_;
};

}  // namespace ocp_mock
