#include "control/matcher.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;

namespace {

const Headers kHeaders{{"X-Ocp-A", "1"}, {"Accept", "b"}, {"accept", "a"}};
const RequestView kRequest{"GET", "/api/v2/%6fb/5/x", "status=B&status=A&page=1&q=a+b", kHeaders, "admin", 200};

Matcher parse(const std::string& json, Matcher::Use use = Matcher::Use::Question) {
  const JsonValue value = read_json_text(json);
  JsonFields fields(value);
  const Matcher matcher = Matcher::parse(fields, use);
  fields.refuse_others();
  return matcher;
}

std::string refusal(const std::string& json, Matcher::Use use) {
  try {
    parse(json, use);
  } catch (const JsonFieldError& error) {
    return std::string(error.text());
  }
  return "";
}

}  // namespace

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

TEST_CASE("matcher: what no request can match is refused, with what would be right") {
  constexpr auto kFault = Matcher::Use::Fault;
  constexpr auto kQuestion = Matcher::Use::Question;
  const std::string long_path = "/" + std::string(4096, 'x');
  const struct {
    std::string json;
    std::string text;
  } both[] = {
      {R"({"method":5})", "method must be a string"},
      {R"({"method":""})", "method is ''; it must be one word, such as GET"},
      {R"({"method":"GET /x"})", "method is 'GET /x'; it must be one word, such as GET"},
      {R"({"method":" GET"})", "method is ' GET'; it must be one word"},
      {R"({"method":"get"})", "method is 'get'; methods are compared letter for letter, so it must be 'GET'"},
      {R"({"method":"Patch"})", "so it must be 'PATCH'"},
      {R"({"path":""})", "path is ''; it must begin with '/'"},
      {R"({"path":"api/status"})", "path is 'api/status'; it must begin with '/': '/api/status'"},
      {R"({"path":"http://h:8080/api/status"})",
       "path is 'http://h:8080/api/status'; it must begin with '/': '/api/status', without scheme and host"},
      {R"({"path":"/x?status=A%20B&page=1"})",
       R"(path is '/x?status=A%20B&page=1'; a path ends before '?': '/x', with "query":{"status":"A B","page":"1"})"},
      {R"({"path":"/x?"})", "path is '/x?'; a path ends before '?': '/x' ('%3F' stands for the character itself)"},
      {R"({"path":"/x#top"})",
       "path is '/x#top'; a client never sends what follows '#' ('%23' stands for the character itself)"},
      {R"({"path":"/api/*"})", "path is '/api/*'; '*' leaves nothing open; pathPrefix leaves the end open"},
      {R"({"path":"/api/{id}"})", "path is '/api/{id}'; placeholders belong in pathTemplate ('%7B' stands for"},
      {R"({"path":"/api/:id"})", "path is '/api/:id'; a placeholder is written '{name}', in a pathTemplate"},
      {R"({"path":"/a\u0000"})", "path has the character U+0000, which no request can have"},
      {R"({"path":"/__admin"})", "path is '/__admin'; admin calls meet no faults and are in no journal"},
      {R"({"path":"/__admin/faults"})", "admin calls meet no faults and are in no journal"},
      {R"({"path":"/%5F_admin/faults"})", "admin calls meet no faults and are in no journal"},
      {R"({"pathPrefix":"api"})", "pathPrefix is 'api'; it must begin with '/': '/api'"},
      {R"({"pathPrefix":"/api?"})", "pathPrefix is '/api?'; a path ends before '?'"},
      {R"({"pathPrefix":"/__admin/"})", "admin calls meet no faults"},
      {R"({"pathPrefix":"/a/{id}/"})", "placeholders belong in pathTemplate"},
      {R"({"pathTemplate":"{id}"})", "pathTemplate is '{id}'; it must begin with '/': '/{id}'"},
      {R"({"pathTemplate":"/a/*"})", "pathTemplate is '/a/*'; '*' leaves nothing open"},
      {R"({"pathTemplate":"/a/:id"})", "a placeholder is written '{name}'"},
      {R"({"pathTemplate":"/a/{id"})", "'{id' is no placeholder: '{name}' must be a whole segment"},
      {R"({"pathTemplate":"/a/id}"})", "'id}' is no placeholder"},
      {R"({"pathTemplate":"/a/}"})", "'}' is no placeholder"},
      {R"({"pathTemplate":"/a/{"})", "'{' is no placeholder"},
      {R"({"pathTemplate":"/{a}{b}"})", "'{a}{b}' is no placeholder"},
      {R"({"pathTemplate":"/{a}.json"})", "'{a}.json' is no placeholder"},
      {R"({"pathTemplate":"/{a{b}}"})", "'{a{b}}' is no placeholder"},
      {R"({"pathTemplate":"/a//b"})", "no segment may be empty"},
      {R"({"pathTemplate":"//"})", "no segment may be empty"},
      {R"({"pathTemplate":"/__admin/{x}"})", "admin calls meet no faults"},
      {R"({"path":"/a","pathPrefix":"/"})", "of path, pathPrefix and pathTemplate one may stand here"},
      {R"({"pathPrefix":"/","pathTemplate":"/{a}"})", "of path, pathPrefix and pathTemplate one may stand here"},
      {R"({"query":[]})", "query must be an object"},
      {R"({"query":{"a":[]}})", "query.a is an empty array; null asks for a parameter that is not there"},
      {R"({"query":{"a":[{}]}})", R"(query.a must be a value, an array of values, {"anyOrder":[...]} or null)"},
      {R"({"query":{"a":["\u0000"]}})", "query.a has the character U+0000"},
      {R"({"query":{"a":"1","%61":"2"}})", "query.a stands twice, once encoded"},
      {R"({"query":{"a":{}}})", "query.a must have the member anyOrder, an array of one word or more"},
      {R"({"query":{"a":{"anyOrder":[]}}})", "query.a must have the member anyOrder, an array of one word or more"},
      {R"({"query":{"a":{"anyOrder":"A"}}})", "query.a must have the member anyOrder, an array of one word or more"},
      {R"({"query":{"a":{"anyorder":["A"]}}})",
       "'anyorder' is unknown here; known are anyOrder; did you mean 'anyOrder'?"},
      {R"({"query":{"a":{"anyOrder":["A"],"x":1}}})", "'x' is unknown here; known are anyOrder"},
      {R"({"query":{"a":{"anyOrder":["A,B"]}}})",
       "query.a: 'A,B' is no word of anyOrder, for words are split at commas"},
      {R"({"query":{"a":{"anyOrder":["A "]}}})", "query.a: 'A ' is no word of anyOrder"},
      {R"({"query":{"a":{"anyOrder":[""]}}})", "query.a: '' is no word of anyOrder"},
      {R"({"query":{"a":{"anyOrder":[["A"]]}}})", "query.a must be a value"},
      {R"({"headers":{"a":[]}})", "headers.a must be a value or null"},
      {R"({"headers":{"X Y":"1"}})", "headers.X Y is no name of a header"},
      {R"({"headers":{"":"1"}})", "headers. is no name of a header"},
      {R"({"headers":{"Accept:":"1"}})", "headers.Accept: is no name of a header"},
      {R"({"headers":{"Accept":"1","accept":"1"}})",
       "headers.accept stands twice; names of headers are the same in any case"},
      {R"({"headers":{"a":" 1"}})", "headers.a begins or ends with a blank"},
      {R"({"headers":{"a":"1\t"}})", "headers.a begins or ends with a blank"},
      {R"({"headers":{"a":"1\r\n2"}})", "headers.a has a line break or another control character"},
      {R"({"headers":{"a":"1\u007f"}})", "headers.a has a line break or another control character"},
      {R"({"user":5})", "user must be a string"},
      {R"({"user":"\u0000"})", "credentials with a control character are refused"},
      {R"({"user":"a\tb"})", "credentials with a control character are refused"},
      {R"({"user":"a:b"})", "user is 'a:b'; no user's name has a colon: credentials are split at the first one"},
      {R"({"pathTemplat":"/x"})", "did you mean 'pathTemplate'?"},
      {R"({"header":{}})", "did you mean 'headers'?"},
  };
  for (const auto& [json, text] : both) {
    for (const auto use : {kFault, kQuestion}) {
      CAPTURE(json);
      const std::string said = refusal(json, use);
      CAPTURE(said);
      CHECK(said.find(text) != std::string::npos);
    }
  }

  const struct {
    Matcher::Use use;
    std::string json;
    std::string text;  // empty: it is right
  } cases[] = {
      {kQuestion, R"({"headers":{"Authorization":null}})",
       "Authorization is not kept in the journal, for it may be a secret; user tells who asked"},
      {kFault, R"({"headers":{"Authorization":"Basic YTpi"}})", ""},
      {kQuestion, R"({"path":"//user:geheim@host/x"})",
       "path begins with '//' and has an '@': the journal keeps nothing"},
      {kFault, R"({"path":"//user:geheim@host/x"})", ""},
      {kQuestion, R"({"path":"//x"})", ""},
      {kQuestion, R"({"path":")" + long_path + "\"}", "path has 4097 bytes, of which the journal keeps 4096"},
      {kFault, R"({"path":")" + long_path + "\"}", ""},
      {kQuestion, R"({"query":{"a":")" + long_path + "\"}}", "query.a has a value of 4097 bytes"},
      {kQuestion, R"({"headers":{"a":")" + long_path + "\"}}", "headers.a has a value of 4097 bytes"},
      {kQuestion, R"({"user":")" + long_path + "\"}", "user has 4097 bytes"},
      {kQuestion, R"({"user":""})", ""},
      {kFault, R"({"user":""})", ""},
      {kQuestion, R"({"method":"PURGE"})", ""},
      {kQuestion, R"({"pathPrefix":"/__adminx"})", ""},
      {kQuestion, R"({"status":42})", "status is the number 42; it must be 200 or an integer from 400 to 599, which"},
      {kQuestion, R"({"status":600})", "status is the number 600; it must be"},
      {kQuestion, R"({"status":-1})", "status is the number -1; it must be"},
      {kQuestion, R"({"status":200.0})", "status is the number 200.0; it must be"},
      {kQuestion, R"({"status":"200"})", "status is the string \"200\"; it must be"},
      {kQuestion, R"({"status":99999999999999999999})", "it must be"},
      {kQuestion, R"({"status":0})", ""},
      {kQuestion, R"({"status":100})", "status is the number 100; it must be 200 or an integer from 400 to 599, which"},
      {kQuestion, R"({"status":201})", "which are all that this server answers with"},
      {kQuestion, R"({"status":302})", "which are all that this server answers with"},
      {kQuestion, R"({"status":399})", "which are all that this server answers with"},
      {kQuestion, R"({"status":200})", ""},
      {kQuestion, R"({"status":400})", ""},
      {kQuestion, R"({"clientLeft":true,"status":0})", ""},
      {kQuestion, R"({"clientLeft":false,"status":200})", ""},
      {kQuestion, R"({"clientLeft":true,"status":200})",
       "clientLeft is true, and a client that has left got no answer: status must be 0 or absent"},
      {kQuestion, R"({"clientLeft":1})", "clientLeft must be true or false"},
      {kFault, R"({"clientLeft":true})", "'clientLeft' is unknown here"},
      {kQuestion, R"({"method":"CONNECT"})", ""},
      {kFault, R"({"method":"CONNECT"})",
       "method is 'CONNECT'; this server is no proxy, and refuses such a request before any fault"},
      {kQuestion, R"({"status":599})", ""},
      {kFault, R"({"status":200})",
       "'status' is unknown here; known are body, headers, method, path, pathPrefix, pathTemplate, query, user"},
      {Matcher::Use::Filter, R"({"status":42})", "status is '42'; it must be 200 or an integer from 400 to 599"},
      {Matcher::Use::Filter, R"({"path":"/x?a=1"})",
       "path is '/x?a=1'; a path ends before '?': '/x' ('%3F' stands for the character itself)"},
      {Matcher::Use::Filter, R"({"query":{}})",
       "'query' is unknown here; known are clientLeft, method, path, pathPrefix, pathTemplate, status"},
  };
  for (const auto& [use, json, text] : cases) {
    CAPTURE(json.substr(0, 100));
    const std::string said = refusal(json, use);
    CAPTURE(said);
    if (text.empty()) {
      CHECK(said.empty());
    } else {
      CHECK(said.find(text) != std::string::npos);
    }
  }
  // Where, for an editor.
  CHECK_THROWS_WITH(parse(R"({"headers":{"Authorization":null}})"),
                    doctest::Contains("1:13: Authorization is not kept"));
  // No value of a header is shown: it may be a secret.
  CHECK(refusal(R"({"headers":{"Authorization":" geheim"}})", kFault).find("geheim") == std::string::npos);
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

TEST_CASE("matcher: criteria that no request of this server can meet together are refused") {
  constexpr auto kFault = Matcher::Use::Fault;
  constexpr auto kQuestion = Matcher::Use::Question;
  constexpr auto kFilter = Matcher::Use::Filter;
  const std::string longer(200, 'x');
  const RequestFacts small{.head_bytes = 100};
  const RequestFacts checked{.guarded = &ocp_catalogue()};
  const RequestFacts of_a{.user = "a"};
  const RequestFacts replayed{.any_status = true};
  const std::string too_long = "makes the head of a request longer than 100 bytes, the most that --max-head allows";
  const struct {
    RequestFacts facts;
    Matcher::Use use;
    std::string json;
    std::string text;  // empty: it is right
  } cases[] = {
      {small, kFault, R"({"path":"/)" + longer + "\"}", "path " + too_long},
      {small, kQuestion, R"({"pathPrefix":"/)" + longer + "\"}", "pathPrefix " + too_long},
      {small, kFilter, R"({"pathTemplate":"/{x}/)" + longer + "\"}", "pathTemplate " + too_long},
      {small, kFault, R"({"query":{"a":")" + longer + "\"}}", "query " + too_long},
      {small, kFault, R"({"query":{"a":{"anyOrder":[")" + longer + "\"]}}}", "query " + too_long},
      {small, kFault, R"({"headers":{"a":")" + longer + "\"}}", "headers " + too_long},
      {small, kFault, R"({"method":")" + longer + "\"}", "method " + too_long},
      {small, kFault, R"({"user":")" + longer + "\"}", "user " + too_long},
      {small, kFault, R"({"path":"/)" + longer.substr(0, 60) + R"(","user":")" + longer.substr(0, 60) + "\"}",
       "user " + too_long},
      {small, kFault, R"({"path":"/)" + longer.substr(0, 60) + "\"}", ""},
      {checked, kFault, R"({"user":"","path":"/api/status"})",
       "user is ''; without --auth off a request without credentials is refused with 401 and meets no fault; only "
       "/api/v2/time and / are open to all"},
      {checked, kFault, R"({"user":"","pathPrefix":"/api/v2/ob/"})", "is refused with 401"},
      {checked, kFault, R"({"user":"","path":"/api/v2/time"})", ""},
      {checked, kFault, R"({"user":""})", ""},
      {checked, kQuestion, R"({"user":"","path":"/api/status","status":200})", "is refused with 401; only"},
      {checked, kQuestion, R"({"user":"","path":"/api/status","status":401})", ""},
      {checked, kQuestion, R"({"user":"","path":"/api/status"})", ""},
      {{}, kFault, R"({"user":"","path":"/api/status"})", ""},
      {of_a, kFault, R"({"user":"b"})",
       "user is 'b'; under --isolate-by user, requests of that user are in another world: ask with ?user=b"},
      {of_a, kQuestion, R"({"user":"b c"})", "ask with ?user=b%20c"},
      {of_a, kQuestion, R"({"user":""})", "ask without ?user"},
      {of_a, kFault, R"({"user":"a"})", ""},
      {replayed, kQuestion, R"({"status":302})", ""},
      {replayed, kQuestion, R"({"status":0})", ""},
      {replayed, kQuestion, R"({"status":199})",
       "status is the number 199; it must be an integer from 200 to 599, which"},
  };
  for (const auto& [facts, use, json, text] : cases) {
    CAPTURE(json);
    std::string said;
    try {
      const JsonValue value = read_json_text(json);
      JsonFields fields(value);
      Matcher::parse(fields, use, facts);
    } catch (const JsonFieldError& error) {
      said = error.text();
    }
    CAPTURE(said);
    CHECK(said.empty() == text.empty());
    CHECK(said.find(text) != std::string::npos);
  }
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

TEST_CASE("matcher: criteria for bodies that nothing can match are refused, and no secret is shown") {
  constexpr auto kQuestion = Matcher::Use::Question;
  for (const std::string body :
       {R"({})", R"({"equal":1,"contains":1})", R"({"equal":1,"text":"1"})", R"({"text":null})"}) {
    CAPTURE(body);
    for (const Matcher::Use use : {Matcher::Use::Fault, kQuestion}) {
      CHECK(refusal(R"({"body":)" + body + "}", use) ==
            "body must have one of equal (a value), contains (a value) and text (a string)");
    }
  }
  CHECK(refusal(R"({"body":"a=b"})", kQuestion) == "body must be an object");
  CHECK(refusal(R"({"body":{"text":5}})", kQuestion) == "text must be a string");
  CHECK(refusal(R"({"body":{"equals":5}})", kQuestion).find("equals") != std::string::npos);
  const std::string long_text = R"({"body":{"text":")" + std::string(16385, 'x') + R"("}})";
  CHECK(refusal(long_text, kQuestion) ==
        "body has a text of 16385 bytes, and the journal keeps no body of more than 16384 whole");
  CHECK(refusal(long_text, Matcher::Use::Fault).empty());
  for (const std::string criterion : {R"({"equal":{"password":"geheim"}})", R"({"contains":{"a":{"tokenB":"geheim"}}})",
                                      R"({"text":"a=b&secret=geheim"})", R"({"text":"{\"password\":\"geheim\"}"})"}) {
    CAPTURE(criterion);
    CHECK(refusal(R"({"body":)" + criterion + "}", kQuestion) ==
          "body asks for what the journal does not keep, for it may be a secret; \"***\" stands for any value of such "
          "a name, and a fault may match the value");
    CHECK(refusal(R"({"body":)" + criterion + "}", Matcher::Use::Fault).empty());
  }
  CHECK(refusal(R"({"body":{"contains":{"password":"***","token":null}}})", kQuestion).empty());
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
  CHECK(all.path().segments() == std::vector<Segment>{{"", false}, {"a", false}, {"", true}});
  CHECK_FALSE(all.path().is_open());
  CHECK(all.method() == "GET");
  CHECK(all.status() == 503);
  CHECK(all.others() == parse(R"({"clientLeft":false,"user":"u","path":"/b"})").others());
  CHECK(all.others() != parse(R"({"user":"u"})").others());
  CHECK(parse(R"({"query":{"a":["1","2"]}})").others() != parse(R"({"query":{"a":{"anyOrder":["1","2"]}}})").others());
  CHECK(parse("{}").path().is_open());
  CHECK(parse("{}").others() == "");
}
