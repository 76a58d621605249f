#include "control/matcher.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "control/criteria.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("matcher: criteria that a request meets") {
  for (const std::string json :
       {R"({})",
        R"({"method":"GET"})",
        R"({"path":"/api/v2/ob/5/x"})",
        R"({"path":"/api/v2/ob/5/x/"})",
        R"({"path":"/api/v2/%6Fb/5/%78"})",
        R"({"pathPrefix":"/api/v2/ob"})",
        R"({"pathPrefix":"/api/v2/%6f"})",
        R"({"pathPrefix":"/"})",
        R"({"pathTemplate":"/api/v2/ob/{id}/x"})",
        R"({"pathTemplate":"/{a}/{}/%6fb/{id}/x/"})",
        R"({"query":{"page":"1"}})",
        R"({"query":{"page":1}})",
        R"({"query":{"status":["A","B"]}})",
        R"({"query":{"status":["B","A"],"none":null}})",
        R"({"query":{"q":"a b"}})",
        R"({"query":{"q":"a%20b","p%61ge":"1"}})",
        R"({"query":{"status":{"anyOrder":["B","A"]}}})",
        R"({"headers":{"x-ocp-a":"1","none":null}})",
        R"({"user":"admin"})",
        R"({"status":200})",
        R"({"method":"GET","user":"admin","status":200})",
        R"({"method":null,"path":null,"pathPrefix":null,"query":null,"headers":null,"user":null,"status":null})"}) {
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
      {R"({"path":"/api"})", "path", "\"/api\"", "\"/api/v2/ob/5/x\""},
      {R"({"path":"/%61pi/"})", "path", "\"/api\"", "\"/api/v2/ob/5/x\""},
      {R"({"pathPrefix":"/api/v3"})", "pathPrefix", "\"/api/v3\"", "\"/api/v2/ob/5/x\""},
      {R"({"pathTemplate":"/api/v2/ob/{id}"})", "pathTemplate", "\"/api/v2/ob/{id}\"", "\"/api/v2/ob/5/x\""},
      {R"({"pathTemplate":"/api/v2/ob/{id}/x/{more}"})", "pathTemplate", "\"/api/v2/ob/{id}/x/{more}\"",
       "\"/api/v2/ob/5/x\""},
      {R"({"query":{"page":"2"}})", "query.page", "\"2\"", "\"1\""},
      {R"({"query":{"status":"A"}})", "query.status", "\"A\"", R"(["A","B"])"},
      {R"({"query":{"status":null}})", "query.status", "null", R"(["A","B"])"},
      {R"({"query":{"none":"1"}})", "query.none", "\"1\"", "null"},
      {R"({"query":{"status":{"anyOrder":["A"]}}})", "query.status", R"({"anyOrder":["A"]})", R"(["A","B"])"},
      {R"({"query":{"none":{"anyOrder":["A","A"]}}})", "query.none", R"({"anyOrder":["A"]})", "null"},
      {R"({"headers":{"X-Ocp-A":"2"}})", "headers.X-Ocp-A", "\"2\"", "\"1\""},
      {R"({"headers":{"Accept":"a"}})", "headers.Accept", "\"a\"", R"(["a","b"])"},
      {R"({"headers":{"Accept":null}})", "headers.Accept", "null", R"(["a","b"])"},
      {R"({"user":""})", "user", "\"\"", "\"admin\""},
      {R"({"status":404})", "status", "404", "200"},
      {R"({"status":0})", "status", "0", "200"},
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
  const RequestView none{"GET", "/api/v2/time", "", {}, "", {}};
  for (const RequestView& request : {slash, none}) {
    CHECK(parse(R"({"path":"/api/v2/time"})").matches(request));
    CHECK(parse(R"({"path":"/api/v2/time/"})").matches(request));
    CHECK(parse(R"({"pathTemplate":"/api/v2/{x}"})").matches(request));
    CHECK(parse(R"({"pathTemplate":"/api/v2/{x}/"})").matches(request));
  }
  const RequestView root{"GET", "/", "", {}, "", {}};
  CHECK(parse(R"({"path":"/"})").matches(root));
  CHECK(parse(R"({"pathTemplate":"/"})").matches(root));
  CHECK_FALSE(parse(R"({"pathTemplate":"/{x}"})").matches(root));
}

TEST_CASE("matcher: anyOrder matches a set of words however it was spelled") {
  const Matcher two = parse(R"({"query":{"status":{"anyOrder":["FAILED","STOPPED"]}}})");
  const Matcher same = parse(R"({"query":{"status":{"anyOrder":["STOPPED","FAILED","STOPPED"]}}})");
  const auto request = [](const std::string& query) { return RequestView{"GET", "/", query, kHeaders, "", {}}; };
  for (const std::string query :
       {"status=FAILED,STOPPED", "status=STOPPED,FAILED", "status=FAILED&status=STOPPED",
        "status=STOPPED&x=1&status=FAILED", "status=FAILED%2CSTOPPED", "status=FAILED,+STOPPED",
        "status=+FAILED%20,STOPPED%09", "status=FAILED,STOPPED,FAILED", "status=,FAILED,,STOPPED,",
        "status=&status=FAILED,STOPPED", "%73tatus=FAILED,STOPPED"}) {
    CAPTURE(query);
    CHECK(two.matches(request(query)));
    CHECK(same.matches(request(query)));
  }
  for (const std::string query :
       {"", "status=", "status=FAILED", "status=FAILED,STOPPED,RUNNING", "status=FAILEDSTOPPED",
        "status=FAILED STOPPED", "status=failed,STOPPED", "Status=FAILED,STOPPED", "status=FAILED;STOPPED"}) {
    CAPTURE(query);
    CHECK_FALSE(two.matches(request(query)));
  }
}

TEST_CASE("matcher: a criterion may be written as in a URL, and every text that can be sent can be asked for") {
  const struct {
    std::string path;
    std::string query;
    std::string json;
  } cases[] = {
      {"/a%3Fb", "", R"({"path":"/a%3Fb"})"},
      {"/a%23b/%2A", "", R"({"path":"/a%23b/%2A"})"},
      {"/%7Bid%7D", "", R"({"path":"/%7Bid%7D"})"},
      {"/{id}", "", R"({"pathTemplate":"/%7Bid%7D"})"},
      {"/%E6%97%A5", "", R"({"path":"/日"})"},
      {"/%e6%97%a5", "", R"({"pathTemplate":"/%E6%97%A5"})"},
      {"/%2541", "", R"({"path":"/%2541"})"},
      {"/100%25", "", R"({"path":"/100%"})"},
      {"/%zz", "", R"({"path":"/%zz"})"},
      {"/%41/%zz", "", R"({"pathTemplate":"/A/{x}"})"},
      {"/%41/%zz", "", R"({"pathPrefix":"/A/"})"},
      {"/a%20b", "", R"({"path":"/a b"})"},
      {"*", "", R"({"path":"*"})"},
      {"/", "a%26b=c%3Dd", R"({"query":{"a&b":"c=d"}})"},
      {"/", "=1", R"({"query":{"":"1"}})"},
      {"/", "a%2520b=x", R"({"query":{"a%2520b":"x"}})"},
      {"/", "t=2024-08-09T16:06:02%2B08:00", R"({"query":{"t":"2024-08-09T16:06:02+08:00"}})"},
      {"/", "a=%0A", R"({"query":{"a":"\n"}})"},
  };
  for (const auto& [path, query, json] : cases) {
    CAPTURE(path + "?" + query + " " + json);
    CHECK(parse(json).matches({"GET", path, query, kHeaders, "", {}}));
  }
}

TEST_CASE("matcher: what is cut off a request leaves a doubt, where it is asked for") {
  RequestView request = kRequest;
  CHECK_FALSE(parse(R"({"query":{"page":"2"}})").is_unsure(request));
  request.cut = static_cast<unsigned>(RequestPart::Query);
  CHECK(parse(R"({"query":{"page":"1"}})").is_unsure(request));
  CHECK(parse(R"({"query":{"page":"2"}})").is_unsure(request));
  CHECK(parse(R"({"query":{"page":"1"},"user":"admin"})").is_unsure(request));
  CHECK_FALSE(parse(R"({"query":{"page":"1"},"user":"other"})").is_unsure(request));
  CHECK_FALSE(parse(R"({"user":"admin"})").is_unsure(request));
  CHECK_FALSE(parse("{}").is_unsure(request));
}

TEST_CASE("matcher: an encoded slash is a character of its segment") {
  const auto matches = [](const std::string& json, const std::string& path) {
    return parse(json).matches({"GET", path, "", kHeaders, "", {}});
  };
  CHECK(matches(R"({"path":"/a%2Fb"})", "/a%2fb"));
  CHECK_FALSE(matches(R"({"path":"/a%2Fb"})", "/a/b"));
  CHECK_FALSE(matches(R"({"path":"/a/b"})", "/a%2Fb"));
  CHECK_FALSE(matches(R"({"pathPrefix":"/a/"})", "/a%2Fb"));
  CHECK(matches(R"({"pathPrefix":"/a%2F"})", "/a%2Fb/c"));
  CHECK(matches(R"({"pathTemplate":"/{x}/c"})", "/a%2Fb/c"));
  const auto differences = parse(R"({"path":"/a/b"})").differences({"GET", "/a%2fb", "", kHeaders, "", {}});
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].actual == R"("/a%2Fb")");
}

TEST_CASE("matcher: users and passwords of URLs are compared as the journal keeps them") {
  const std::string json = R"({"query":{"u":"https://a:geheim@h/"}})";
  CHECK(parse(json).matches({"GET", "/", "u=https%3A%2F%2F***@h%2F", kHeaders, "", {}}));
  CHECK(parse(json, Matcher::Use::Fault).matches({"GET", "/", "u=https://a:geheim@h/", kHeaders, "", {}}));
}

TEST_CASE("matcher: a client that has left can be asked for") {
  RequestView left = kRequest;
  left.status = 0;
  left.client_left = true;
  CHECK(parse(R"({"clientLeft":true})").matches(left));
  CHECK_FALSE(parse(R"({"clientLeft":false})").matches(left));
  CHECK(parse(R"({"clientLeft":false})").matches(kRequest));
  const auto differences = parse(R"({"clientLeft":true})").differences(kRequest);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].expected == "true");
  CHECK(differences[0].actual == "false");
}

TEST_CASE("matcher: a body is compared as JSON, in part or whole, or as a text") {
  const struct {
    std::string body;
    std::string criterion;
    std::string field;  // that differs; empty if the body matches
    std::string expected;
    std::string actual;
  } cases[] = {
      {R"({"a":1.0,"b":[2]})", R"({"equal":{"b":[2],"a":1,"c":null}})", "", "", ""},
      {R"({"a":1,"b":2})", R"({"equal":{"a":1}})", "body.equal", R"({"a":1})", R"({"a":1,"b":2})"},
      {R"({"a":1,"b":2})", R"({"contains":{"a":1}})", "", "", ""},
      {R"({"a":1,"b":2})", R"({"contains":{"a":2}})", "body.contains", R"({"a":2})", R"({"a":1,"b":2})"},
      {"null", R"({"equal":null})", "", "", ""},
      {"", R"({"equal":null})", "body.equal", "null", "null"},
      {"a=b", R"({"contains":{}})", "body.contains", "{}", R"("a=b")"},
      {"a=b", R"({"text":"a=b"})", "", "", ""},
      {"a=c", R"({"text":"a=b"})", "body.text", R"("a=b")", R"("a=c")"},
      {R"({"a": 1})", R"({"text":"{\"a\": 1}"})", "", "", ""},
      {R"({"a":1})", R"({"text":"{\"a\": 1}"})", "body.text", R"("{\"a\": 1}")", R"({"a":1})"},
      {"", R"({"text":""})", "", "", ""},
  };
  for (const auto& [body, criterion, field, expected, actual] : cases) {
    for (const Matcher::Use use : {Matcher::Use::Fault, Matcher::Use::Question}) {
      CAPTURE(body);
      CAPTURE(criterion);
      RequestView request = kRequest;
      request.body = RequestBody(body);
      const Matcher matcher = parse(R"({"body":)" + criterion + "}", use);
      CHECK(matcher.matches(request) == field.empty());
      const std::vector<Difference> found = matcher.differences(request);
      REQUIRE(found.size() == (field.empty() ? 0 : 1));
      if (field.empty()) continue;
      CHECK(found[0].field == field);
      CHECK(found[0].expected == expected);
      CHECK(found[0].actual == actual);
    }
  }
}

TEST_CASE("matcher: users and passwords of URLs in bodies are compared as the journal keeps them") {
  RequestView request = kRequest;
  request.body = RequestBody(R"({"u":"http://***@h/"})");
  CHECK(parse(R"({"body":{"equal":{"u":"http://me:geheim@h/"}}})").matches(request));
  CHECK(parse(R"({"body":{"text":"{\"u\":\"http://me:geheim@h/\"}"}})").matches(request));
}

TEST_CASE("matcher: what a wait is found by") {
  const Matcher all =
      parse(R"({"method":"GET","pathTemplate":"/%61/{x}/","status":503,"user":"u","clientLeft":false})");
  using Segment = PathTemplate::Segment;
  const auto& paths = all.path().templates();
  REQUIRE(paths.size() == 1);
  CHECK(paths[0].segments() == std::vector<Segment>{{"", false}, {"a", false}, {"", true}});
  CHECK_FALSE(paths[0].is_open());
  CHECK(all.method() == "GET");
  CHECK(all.status() == 503);
  CHECK(all.others() == parse(R"({"clientLeft":false,"user":"u","path":"/b"})").others());
  CHECK(all.others() != parse(R"({"user":"u"})").others());
  CHECK(parse(R"({"query":{"a":["1","2"]}})").others() != parse(R"({"query":{"a":{"anyOrder":["1","2"]}}})").others());
  CHECK(parse("{}").path().templates().at(0).is_open());
  CHECK(parse("{}").others() == "");
}
