#include "catalogue/body.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "catalogue/router.h"
#include "catalogue/synthetic.h"

using namespace ocp_mock;

namespace {

constexpr const char* kJson = "application/json";

const Endpoint& endpoint(std::string_view method, std::string_view path) {
  static const Router router(synthetic_catalogue());
  return *router.find(method, path)->endpoint;
}

// "accepted", with what was noted, or the refusal.
std::string verdict(const Endpoint& of, std::string_view type, std::string_view body, std::string_view query = "") {
  std::vector<Violation> violations;
  try {
    read_body(of, type, query, body, violations);
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + error.what();
  }
  std::string text = "accepted";
  for (const Violation& violation : violations) text += "; " + violation.text(Language::English);
  return text;
}

std::string text_of_json(const JsonValue& value) {
  std::string text;
  append_json(text, value);
  return text;
}

std::string verdict(std::string_view body, std::string_view type = kJson, std::string_view query = "") {
  return verdict(endpoint("POST", "/api/v1/zones/z/hosts"), type, body, query);
}

}  // namespace

TEST_CASE("body: members are checked in the order of the catalogue, each by its type") {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"name":"a"})", "accepted"},
      {R"({"name":"a","port":1,"load":1.5,"ready":true,"since":"2024-08-01T00:00:00+08:00","kind":"K01","tags":["x"],)"
       R"("disks":[{"path":"/"}],"limits":{"cpu":1},"extra":[{}]})",
       "accepted"},
      {R"({"name":null})", "400 Parameter 'name' is missing; it must be given."},
      {R"({"port":"x"})", "400 Parameter 'name' is missing; it must be given."},
      {"", "400 Parameter 'name' is missing; it must be given."},
      {R"({"name":"a","port":"x"})", "400 Parameter 'port' of the body is the string \"x\"; it must be an integer."},
      {R"({"name":"a","port":1.5})", "400 Parameter 'port' of the body is the number 1.5; it must be an integer."},
      {R"({"name":"a","port":99999999999999999999})",
       "400 Parameter 'port' of the body is the number 99999999999999999999; it must be an integer."},
      {R"({"name":["a"]})", "400 Parameter 'name' of the body is an array; it must be a string."},
      {R"({"name":"a","ready":"maybe"})",
       "400 Parameter 'ready' of the body is the string \"maybe\"; it must be true or false."},
      {R"({"name":"a","since":"yesterday"})",
       "400 Parameter 'since' of the body is the string \"yesterday\"; it must be a time of RFC 3339, such as "
       "2024-07-10T00:00:00+08:00."},
      {R"({"name":"a","tags":"x"})", "400 Parameter 'tags' of the body is the string \"x\"; it must be an array."},
      {R"({"name":"a","tags":["x",{}]})", "400 Parameter 'tags[1]' of the body is an object; it must be a string."},
      {R"({"name":"a","disks":[{"path":"/"},{"size":1}]})",
       "400 Parameter 'disks[1].path' is missing; it must be given."},
      {R"({"name":"a","limits":{}})", "400 Parameter 'limits.cpu' is missing; it must be given."},
      {R"([])", "400 The body is an array; it must be an object."},
      {R"("x")", "400 The body is the string \"x\"; it must be an object."},
      {R"({"name":"a")",
       "400 The body is not JSON: line 1, column 11, syntax error while parsing object - unexpected end of input; "
       "expected '}'."},
      // Jackson takes these.
      {R"({"name":5,"port":"5","load":"1.5","ready":"TRUE"})", "accepted"},
      {R"({"name":"a","nmae":1,"disks":[{"path":"/","free":1}]})",
       "accepted; Parameter 'disks[0].free' of the body is not known here, and OCP ignores it; --strict refuses it. "
       "Those that are: path, size.; Parameter 'nmae' of the body is not known here, and OCP ignores it; --strict "
       "refuses "
       "it. Those that are: name, port, load, ready, since, kind, tags, disks, limits, extra, label, weight, slots, "
       "url."},
      {R"({"name":"a","label":"x","weight":2,"slots":[7]})", "accepted"},
      {R"({"name":"","label":""})",
       "400 Parameter 'label' of the body is an empty string; it must be a string that is not empty."},
      {R"({"name":"a","weight":"1"})",
       "400 Parameter 'weight' of the body is the string \"1\"; it must be an integer of at least 2."},
      {R"({"name":"a","weight":-9223372036854775808})",
       "400 Parameter 'weight' of the body is the number -9223372036854775808; it must be an integer of at least 2."},
      {R"({"name":"a","load":0.5})", "accepted"},
      {R"({"name":"a","load":0.49})",
       "400 Parameter 'load' of the body is the number 0.49; it must be a number of at least 0.5."},
      {R"({"name":"a","url":["x"]})", "400 Parameter 'url' of the body is an array; it must be a string."},
      {R"({"name":"a","slots":[]})",
       "400 Parameter 'slots' of the body is an empty array; it must be an array of at least 1 item."},
      {R"({"name":"a","slot":[7]})", "accepted"},
      {R"({"name":"a","slot":["x"]})",
       "400 Parameter 'slots[0]' of the body is the string \"x\"; it must be an integer."},
      {R"({"name":"a","slot":["x"],"slots":[7]})", "accepted"},
      {R"({"name":"a","slot":["x"],"slots":null})",
       "400 Parameter 'slots[0]' of the body is the string \"x\"; it must be an integer."},
  };
  for (const auto& [body, expected] : cases) {
    CAPTURE(body);
    CHECK(verdict(body) == expected);
  }
  CHECK(
      verdict(R"({"name":"a","kind":"K0O"})").starts_with("400 Parameter 'kind' is 'K0O'; it must be one of K00, K01"));
  CHECK(verdict(R"({"name":"a","kind":"K0O"})").ends_with("K00'?"));
}

TEST_CASE("body: of a URL that has secrets only what stands before them is kept") {
  const Endpoint& post = endpoint("POST", "/api/v1/zones/z/hosts");
  std::vector<Violation> violations;
  for (const std::string url : {"oss://b/d", "oss://b/d?", "oss://b/d?key=SECRET&x=?"}) {
    CAPTURE(url);
    const JsonValue body = read_body(post, kJson, "", R"({"name":"a?b","url":")" + url + R"("})", violations);
    CHECK(text_of_json(body) == R"({"name":"a?b","url":"oss://b/d"})");
  }
}

TEST_CASE("body: members that are not known are left out, unless none is told") {
  std::vector<Violation> violations;
  const JsonValue body =
      read_body(endpoint("POST", "/api/v1/zones/z/hosts"), kJson, "",
                R"({"name":"a","secret":1,"disks":[{"path":"/","secret":2}],"extra":{"any":3}})", violations);
  CHECK(text_of_json(body) == R"({"disks":[{"path":"/"}],"extra":{"any":3},"name":"a"})");
  CHECK(violations.size() == 2);
}

TEST_CASE("body: a body that is an array has items") {
  const Endpoint& put = endpoint("PUT", "/api/v1/regions");
  CHECK(verdict(put, kJson, R"([{"name":"a"},{"name":"b"}])") == "accepted");
  CHECK(verdict(put, kJson, "[]") == "accepted");
  CHECK(verdict(put, kJson, R"([{"name":"a"},{}])") == "400 Parameter '[1].name' is missing; it must be given.");
  CHECK(verdict(put, kJson, R"({"name":"a"})") == "400 The body is an object; it must be an array.");
  CHECK(verdict(put, "text/plain", "[]") ==
        "415 The body's Content-Type is 'text/plain'; it must be application/json.");
}

TEST_CASE("body: an endpoint without a body looks at none") {
  CHECK(verdict(endpoint("GET", "/api/v1/regions"), "text/plain", "x") == "accepted");
}

TEST_CASE("body: media other than JSON, for endpoints that take them") {
  const std::string parts =
      "--b\r\nContent-Disposition: form-data; name=\"name\"; filename=\"a.rpm\"\r\n\r\n\x01\x02\r\n"
      "--b--\r\n";
  CHECK(verdict("name=a&port=5", "application/x-www-form-urlencoded") == "accepted");
  CHECK(verdict("name=a&port=x", "application/x-www-form-urlencoded; charset=UTF-8") ==
        "400 Parameter 'port' of the body is the string \"x\"; it must be an integer.");
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "x" + std::to_string(i) + "=1&";
  CHECK(verdict(many + "name=a", "application/x-www-form-urlencoded").starts_with("accepted; Parameter 'x"));
  CHECK(verdict(many + "port=5", "application/x-www-form-urlencoded") ==
        "400 Parameter 'name' is missing; it must be given.");
  CHECK(verdict("name=%zz", "application/x-www-form-urlencoded").starts_with("400 The query parameter 'name=%zz'"));
  CHECK(verdict(parts, "multipart/form-data; boundary=b") == "accepted");
  CHECK(verdict(parts, "multipart/form-data; boundary=\"b\"") == "accepted");
  CHECK(verdict(parts, "multipart/form-data; boundary=c") == "400 Parameter 'name' is missing; it must be given.");
  CHECK(verdict(parts, "multipart/form-data") == "400 Parameter 'name' is missing; it must be given.");
  CHECK(verdict("", kJson, "name=a&other=1") == "accepted");
  // An array is given again, or with commas, by either of its names.
  const Endpoint& post = endpoint("POST", "/api/v1/zones/z/hosts");
  std::vector<Violation> violations;
  const JsonValue in_query = read_body(post, kJson, "name=a&slot=1,2&slots=%203,&tags=x", "", violations);
  CHECK(text_of_json(in_query) == R"({"name":"a","slots":[1,2,3],"tags":["x"]})");
  CHECK(verdict("", kJson, "name=a&slots=,") ==
        "400 Parameter 'slots' of the body is an empty array; it must be an array of at least 1 item.");
  std::string again = "name=a";
  for (int i = 0; i < 200'000; ++i) again += "&slots=1";
  CHECK(verdict("", kJson, again) == "accepted");
  CHECK(verdict("", kJson, "port=1") == "400 Parameter 'name' is missing; it must be given.");
  // Without a Content-Type it is read as JSON.
  CHECK(verdict(R"({"name":"a"})", "") == "accepted");
  CHECK(verdict(R"({"name":"a"})", "application/xml") ==
        "415 The body's Content-Type is 'application/xml'; it must be application/json, "
        "application/x-www-form-urlencoded, multipart/form-data.");
}
