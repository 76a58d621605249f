// Which requests a test means.
// Enters: a JSON object such as {"method":"GET","path":"/api/status","query":{"page":"1"},"user":"admin"}; then
// requests. Leaves: whether a request matches, and what differs where it does not. The table of criteria, and the rules
// that each must keep, are in matcher.cpp: what no request can ever match is refused, for a test would take silence for
// an answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/headers.h"
#include "json/fields.h"

namespace ocp_mock {

// What a criterion looks at.
enum class RequestPart : unsigned {
  Method = 1,
  Path = 2,
  Query = 4,
  Headers = 8,
  User = 16,
  Status = 32,
};

// A request as matchers see it, all as sent.
struct RequestView {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  const Headers& headers;
  std::string_view user;
  std::optional<int> status;  // of the answer, where there is one; 0 if the request has got none
  unsigned cut = 0;           // the parts that are not there as a whole, RequestPart by RequestPart
};

// A path as criteria compare it: each segment decoded, or as sent where it does not decode.
std::string decoded_path(std::string_view path);

struct Difference {
  std::string field;     // "query.page"
  std::string expected;  // as JSON
  std::string actual;    // as JSON
};

class Matcher {
 public:
  // What asks, for not every criterion makes sense to all.
  enum class Use {
    Fault,     // requests that are not answered yet
    Question,  // entries of the journal
    Filter,    // entries of the journal, by texts alone
  };

  // Matches every request.
  Matcher() = default;

  // Takes the criteria out of the object: those of keys(use).
  //   method, user: letter for letter. path, pathPrefix, pathTemplate, of which one may stand: decoded, as all texts of
  //   queries are; %XX in a criterion stands for its character. query: a name has its value, an array of all its values
  //   in any order, {"anyOrder":[...]} of all its words however they were spelled, or null for none. headers: a value,
  //   or null. status: of the answer, 0 for none.
  // Throws JsonFieldError if a criterion has the wrong form, or one that no request can match.
  static Matcher parse(JsonFields& fields, Use use);
  static std::vector<std::string_view> keys(Use use);

  bool matches(const RequestView& request) const;
  std::vector<Difference> differences(const RequestView& request) const;

  // Whether what is cut off the request could change that it matches, or that it does not.
  bool is_unsure(const RequestView& request) const;

  // The criteria as a text; the same for matchers that match the same requests by the same criteria.
  const std::string& text() const { return text_; }

  // What decoded_path() of each request that matches begins with.
  const std::string& path_beginning() const { return path_beginning_; }

  // The user that is asked for.
  const std::optional<std::string>& user() const { return user_; }

 private:
  class Parser;

  struct Criterion {
    RequestPart part;
    std::string field;
    std::string expected;  // as JSON
    std::function<bool(const RequestView&)> meets;
    std::function<std::string(const RequestView&)> actual;  // as JSON
  };

  std::vector<Criterion> criteria_;
  std::string text_;
  std::string path_beginning_;
  std::optional<std::string> user_;
};

}  // namespace ocp_mock
