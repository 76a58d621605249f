#include "control/criteria_rules.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "control/criteria.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

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
       "/api/v2/time and /services and / are open to all"},
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
