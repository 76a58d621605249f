#include "control/matcher.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

namespace {

const Headers kHeaders{{"X-Ocp-A", "1"}, {"Accept", "b"}, {"accept", "a"}};
const RequestView kRequest{"GET", "/api/v2/%6fb/5/x", "status=B&status=A&page=1&q=a+b", kHeaders, "admin", 200};

Matcher parse(const std::string& json, bool with_status = true) {
  const JsonValue value = read_json_text(json);
  JsonFields fields(value);
  const Matcher matcher = Matcher::parse(fields, with_status);
  fields.refuse_others();
  return matcher;
}

}  // namespace

TEST_CASE("matcher: criteria that a request meets") {
  for (const std::string json :
       {R"({})", R"({"method":"GET"})", R"({"path":"/api/v2/ob/5/x"})", R"({"pathPrefix":"/api/v2/ob"})",
        R"({"pathTemplate":"/api/v2/ob/{id}/x"})", R"({"query":{"page":"1"}})", R"({"query":{"page":1}})",
        R"({"query":{"status":["A","B"]}})", R"({"query":{"status":["B","A"],"none":null}})",
        R"({"query":{"q":"a b"}})", R"({"headers":{"x-ocp-a":"1","none":null}})", R"({"user":"admin"})",
        R"({"status":200})", R"({"method":"GET","user":"admin","status":200})", R"({"method":null})",
        R"({"path":"/api/v2/ob/5/x"})"}) {
    CAPTURE(json);
    CHECK(parse(json).matches(kRequest));
    CHECK(parse(json).differences(kRequest).empty());
  }
}

TEST_CASE("matcher: what differs in a request that does not") {
  const struct {
    std::string json;
    std::string field;
    std::string expected;
    std::string actual;
  } cases[] = {
      {R"({"method":"POST"})", "method", "\"POST\"", "\"GET\""},
      {R"({"method":"get"})", "method", "\"get\"", "\"GET\""},
      {R"({"path":"/api"})", "path", "\"/api\"", "\"/api/v2/ob/5/x\""},
      {R"({"pathPrefix":"/api/v3"})", "pathPrefix", "\"/api/v3\"", "\"/api/v2/ob/5/x\""},
      {R"({"pathTemplate":"/api/v2/ob/{id}"})", "pathTemplate", "\"/api/v2/ob/{id}\"", "\"/api/v2/ob/5/x\""},
      {R"({"query":{"page":"2"}})", "query.page", "\"2\"", "\"1\""},
      {R"({"query":{"status":"A"}})", "query.status", "\"A\"", R"(["A","B"])"},
      {R"({"query":{"status":null}})", "query.status", "null", R"(["A","B"])"},
      {R"({"query":{"none":"1"}})", "query.none", "\"1\"", "null"},
      {R"({"headers":{"X-Ocp-A":"2"}})", "headers.X-Ocp-A", "\"2\"", "\"1\""},
      {R"({"headers":{"Accept":"a"}})", "headers.Accept", "\"a\"", R"(["a","b"])"},
      {R"({"headers":{"Accept":null}})", "headers.Accept", "null", R"(["a","b"])"},
      {R"({"user":""})", "user", "\"\"", "\"admin\""},
      {R"({"status":404})", "status", "404", "200"},
  };
  for (const auto& [json, field, expected, actual] : cases) {
    CAPTURE(json);
    CHECK_FALSE(parse(json).matches(kRequest));
    const auto differences = parse(json).differences(kRequest);
    REQUIRE(differences.size() == 1);
    CHECK(differences[0].field == field);
    CHECK(differences[0].expected == expected);
    CHECK(differences[0].actual == actual);
  }
  CHECK(parse(R"({"method":"POST","user":"x"})").differences(kRequest).size() == 2);
}

TEST_CASE("matcher: one trailing slash makes no difference, as for OCP") {
  const RequestView slash{"GET", "/api/v2/time/", "", {}, "", {}};
  CHECK(parse(R"({"path":"/api/v2/time"})").matches(slash));
  CHECK(parse(R"({"pathTemplate":"/api/v2/{x}"})").matches(slash));
}

TEST_CASE("matcher: criteria that are none are said") {
  CHECK_THROWS_WITH(parse(R"({"headers":{"Authorization":null}})"),
                    "1:13: Authorization is not kept in the journal, for it may be a secret");
  CHECK(parse(R"({"headers":{"Authorization":null}})", false).matches(kRequest));
  CHECK_THROWS_WITH(parse(R"({"method":5})"), "1:2: method must be a string");
  CHECK_THROWS_WITH(parse(R"({"query":[]})"), "1:2: query must be an object");
  CHECK_THROWS_WITH(parse(R"({"query":{"a":{}}})"), "1:11: a must be a value, an array of values, or null");
  CHECK_THROWS_WITH(parse(R"({"headers":{"a":[]}})"), "1:13: a must be a value or null");
  CHECK_THROWS_WITH(parse(R"({"status":99})"), "1:2: status must be an integer from 100 to 599");
  CHECK_THROWS_WITH(parse(R"({"status":200})", false),
                    "1:2: 'status' is unknown here; known are headers, method, path, pathPrefix, pathTemplate, query, "
                    "user");
}
