// Which requests a test means.
// Input: a JSON object such as {"method":"GET","path":"/api/status","query":{"page":"1"},"user":"admin"}; then
// requests. Output: whether a request matches, and what differs where it does not. The table of criteria, and the rules
// that each must keep, are in matcher.cpp: what no request can ever match is refused, for a test would take silence for
// an answer.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/headers.h"
#include "catalogue/catalogue.h"
#include "control/body.h"
#include "control/path_criterion.h"
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
  ClientLeft = 64,
  Body = 128,
};

// A request as matchers see it, all as sent.
struct RequestView {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  const Headers& headers;
  std::string_view user;
  std::optional<int> status = {};  // of the answer, where there is one; 0 if the request has got none
  unsigned cut = 0;                // the parts that are not there as a whole, RequestPart by RequestPart
  bool client_left = false;        // before it had its answer
  RequestBody body = {};
};

// What holds for all requests that a matcher will see. The default leaves all open.
struct RequestFacts {
  std::size_t head_bytes = std::numeric_limits<std::size_t>::max();  // of a request's head at most, as of --max-head
  // Whose endpoints refuse requests without a user, but those that are open to all; null: none does.
  const Catalogue* guarded = nullptr;
  bool any_status = false;               // exchanges are replayed, and may answer with any final status
  std::optional<std::string> user = {};  // the only one whose requests come to the world, empty for nobody
  const Router* router = nullptr;  // by which path and pathTemplate mean all paths of an endpoint, and names of its
                                   // parameters all names of them; null: they do not
};

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
  //   method, user: letter for letter. path, pathPrefix, pathTemplate, of which one may stand: decoded segment by
  //   segment, as all texts of queries are decoded; %XX in a criterion stands for its character. A path or pathTemplate
  //   of an endpoint means all paths of it, and the name of a parameter in query all names of it. query: a name has its
  //   value, an array of all its values in any order, {"anyOrder":[...]} of all its words however they were spelled, or
  //   null for none. headers: a value, or null. status: of the answer, 0 for none. clientLeft: true or false. body: one
  //   of equal (same_json), contains (contains_json) and text (byte for byte); the first two match no body that is no
  //   JSON.
  // Throws JsonFieldError if a criterion has the wrong form, or if no request can match all of them.
  static Matcher parse(JsonFields& fields, Use use, const RequestFacts& facts = {});
  static std::vector<std::string_view> keys(Use use);

  bool matches(const RequestView& request) const;
  std::vector<Difference> differences(const RequestView& request) const;

  // Whether what is cut off the request could change that it matches, or that it does not.
  bool is_unsure(const RequestView& request) const;

  // What is asked for. Every path fits where none is.
  const PathCriterion& path() const { return path_; }
  const std::optional<std::string>& method() const { return method_; }
  const std::optional<int>& status() const { return status_; }

  // The criteria beside these three as a text; the same for matchers by the same criteria. With the path where that
  // means others too.
  const std::string& others() const { return others_; }
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
  std::string others_;
  PathCriterion path_;
  std::optional<std::string> method_;
  std::optional<std::string> user_;
  std::optional<int> status_;
};

}  // namespace ocp_mock
