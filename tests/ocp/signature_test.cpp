#include "ocp/signature.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "ocp/digest.h"

using namespace ocp_mock;

namespace {

const std::string kSecretKey = "2fc0c299cc94c6be266f2ceece765d4d";
const std::string kDate = "Tue, 17 Jan 2023 09:13:57 GMT";

// The message of a GET with nothing but Date and Host, up to its path.
const std::string kHead = "GET\n\n\n" + kDate + "\nocp.example:8080\n\n";

// A request that owns its texts.
struct Asked {
  std::string method = "GET";
  std::string path = "/api/status";
  std::string query = {};
  Headers headers = {{"Date", kDate}, {"Host", "ocp.example:8080"}};
  std::string body = {};

  SignedRequest request() const { return {method, path, query, headers, body}; }
};

Headers with(const Headers& more) {
  Headers headers = Asked().headers;
  for (const auto& [name, value] : more) headers.add(name, value);
  return headers;
}

// The message with another line in the place of one, counted from 0.
std::string replaced_line(std::string message, int line, const std::string& text) {
  std::size_t begin = 0;
  for (; line > 0; --line) begin = message.find('\n', begin) + 1;
  return message.replace(begin, message.find('\n', begin) - begin, text);
}

// OCP API reference, the example of the AK/SK rules.
Asked published_example() {
  return {
      "POST",
      "/api/v2/compute/idcs",
      "",
      {{"Content-Type", "application/json"}, {"Date", kDate}, {"Host", "ocp.alibaba.net:8080"}, {"x-ocp-data", "A,1"}},
      R"({"name":"test01","description":"test","regionId":1})"};
}

}  // namespace

TEST_CASE("signature: the published example") {
  const Asked asked = published_example();
  const std::string message = signed_message(signed_parts(asked.request()));
  CHECK(message ==
        "POST\n"
        "186974DB33A090A16D3E2CA35F547B56\n"
        "application/json\n"
        "Tue, 17 Jan 2023 09:13:57 GMT\n"
        "ocp.alibaba.net:8080\n"
        "x-ocp-data:A,1\n"
        "/api/v2/compute/idcs");
  CHECK(sign(kSecretKey, message) == "XN8P+O+v3vUabB16ZCooq5wMJoY=");
}

// OCP API reference, the example of a GET. A comma or a plus sign that is meant is encoded in a query.
TEST_CASE("signature: the second published example") {
  const std::string date = "Mon, 15 Apr 2024 09:25:02 GMT";
  const std::string query =
      "startTime=2024-04-15T14:29:55%2B08:00&endTime=2024-04-15T14:30:55%2B08:00&metrics=host_disk_total"
      "&labels=svr_ip:127.0.0.1&groupBy=app,svr_ip,device,mount_point&maxPoints=360";
  const Asked asked{
      "GET",
      "/api/v2/monitor/top",
      query,
      {{"Content-Type", "application/json"}, {"Date", date}, {"Host", "127.0.0.1:8080"}, {"x-ocp-origin", "for-test"}},
      ""};
  const std::string message = signed_message(signed_parts(asked.request()));
  CHECK(message ==
        "GET\n"
        "\n"
        "application/json\n"
        "Mon, 15 Apr 2024 09:25:02 GMT\n"
        "127.0.0.1:8080\n"
        "x-ocp-origin:for-test\n"
        "/api/v2/monitor/top?endTime=2024-04-15T14%3A30%3A55%2B08%3A00&groupBy=app%2Csvr_ip%2Cdevice%2Cmount_point"
        "&labels=svr_ip%3A127.0.0.1&maxPoints=360&metrics=host_disk_total"
        "&startTime=2024-04-15T14%3A29%3A55%2B08%3A00");
  CHECK(sign("d75332c5eed8d440a84a35ac6248d397", message) == "To11kg1EsB/dPWyDnnpuUzIUoQk=");
}

// The signatures were made by Python's hmac module; "printf MESSAGE | openssl dgst -sha1 -hmac SECRET_KEY -binary |
// base64" makes them too.
TEST_CASE("signature: the message of a request and its signature") {
  // clang-format off
  const struct {
    std::string name;
    Asked asked;
    std::string message;
    std::string signature;
  } cases[] = {
      {"no body", {},
       kHead + "/api/status", "yh1jGJJU4eqcAO7/SsBr1yQrwK4="},
      {"an empty body, with its Content-Type", {.method = "POST", .headers = with({{"Content-Type", "application/json"}})},
       "POST\n\napplication/json\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "hlSb7VTbxAWHZYBiccAWnRjRZZM="},
      {"a body", {.method = "POST", .body = "{}"},
       "POST\n99914B932BD37A50B983C5E7C90AE93B\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "eW1JpEUib0NiQtz4ODNleQ8ne/c="},
      {"a body that is UTF-8", {.method = "POST", .body = "中文"},
       "POST\nA7BAC2239FCDCB3A067903D8077C4A07\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "UzIUYmx5WQ7D4mxUy4kAkbTxUG0="},
      {"a body of a blank", {.method = "POST", .body = " "},
       "POST\n7215EE9C7D9DC229D2921A40E899EC5F\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "pQh1jYjnOFDS1tcN8iuDJJPO1+o="},
      {"a method in lower case", {.method = "get"},
       kHead + "/api/status", "yh1jGJJU4eqcAO7/SsBr1yQrwK4="},
      {"HEAD", {.method = "HEAD"},
       "HEAD\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "LlVxRsYRaXITPWXjrFU2FSpL9jg="},
      {"a Content-Type with a charset", {.method = "POST", .headers = with({{"Content-Type", "application/json; charset=UTF-8"}}), .body = "{}"},
       "POST\n99914B932BD37A50B983C5E7C90AE93B\napplication/json; charset=UTF-8\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "R5JzB1TaXS1jDJT7tFad3cll+uw="},
      {"a Content-Type without a body", {.headers = with({{"content-type", "text/plain"}})},
       "GET\n\ntext/plain\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\n\n/api/status", "6rUSxlS8vtp5LCivYQveMHAp0XU="},
      {"a host without port", {.headers = {{"Date", kDate}, {"Host", "ocp.example"}}},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example\n\n/api/status", "PD+lbl1MYEnH4s3Z8wnpXArz+1Q="},
      {"a host with port 80", {.headers = {{"Date", kDate}, {"Host", "ocp.example:80"}}},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:80\n\n/api/status", "d5U6FvL9I9bGsq1gDlwPYBds6WA="},
      {"an IPv6 host", {.headers = {{"Date", kDate}, {"Host", "[::1]:8080"}}},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\n[::1]:8080\n\n/api/status", "Fwjl1IRkyECVcNDaaj0hk4exigQ="},
      {"header names in mixed case", {.headers = {{"dATE", kDate}, {"HOST", "ocp.example:8080"}, {"X-Ocp-Data", "A,1"}}},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\nx-ocp-data:A,1\n/api/status", "c7FTKmTRuRmQIe4ldNH8Otcwj40="},
      {"several x-ocp headers", {.headers = with({{"x-ocp-b", "2"}, {"x-ocp-a", "1"}, {"x-ocp-a-b", "3"}})},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\nx-ocp-a:1\nx-ocp-a-b:3\nx-ocp-b:2\n/api/status", "xSxdk9geWNIAdF85HXbZ4qX5VFo="},
      {"several values of one x-ocp header", {.headers = with({{"x-ocp-a", "b"}, {"X-OCP-A", "a"}, {"x-ocp-a", "C"}})},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\nx-ocp-a:C,a,b\n/api/status", "hzIt37K6X9SOeEwG8IRT/0UBrJY="},
      {"an x-ocp header without a value", {.headers = with({{"x-ocp-a", ""}})},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\nx-ocp-a:\n/api/status", "f0cOqGQ5P4J6hLnVt+pe+bQhWCk="},
      {"an x-ocp header that is UTF-8", {.headers = with({{"x-ocp-a", "中"}})},
       "GET\n\n\nTue, 17 Jan 2023 09:13:57 GMT\nocp.example:8080\nx-ocp-a:中\n/api/status", "HvNc6986KJrQOtnsquwaeCTgw/Y="},
      {"other x- headers", {.headers = with({{"x-ocpdata", "1"}, {"x-trace-id", "2"}, {"y-x-ocp-a", "3"}})},
       kHead + "/api/status", "yh1jGJJU4eqcAO7/SsBr1yQrwK4="},
      {"parameters out of order", {.query = "b=2&a=1&B=3"},
       kHead + "/api/status?B=3&a=1&b=2", "56Db9RH7mUpfn53TV45stSYLdmo="},
      {"several values of one parameter", {.query = "a=2&b=3&a=1"},
       kHead + "/api/status?a=1%2C2&b=3", "eOsAPF3G5vIxGcYCFxJ8zKEUfxs="},
      {"the same value twice", {.query = "a=1&a=1"},
       kHead + "/api/status?a=1%2C1", "QC2Ydzy4xex5UTUOZE51UV4Zh/4="},
      {"a comma in a value", {.query = "status=B,A"},
       kHead + "/api/status?status=B%2CA", "yeymzczavOzsZoyyx8Z3/h1MeFc="},
      {"an encoded comma in a value", {.query = "status=B%2cA"},
       kHead + "/api/status?status=B%2CA", "yeymzczavOzsZoyyx8Z3/h1MeFc="},
      {"a comma in one of several values", {.query = "a=c&a=b,d"},
       kHead + "/api/status?a=b%2Cd%2Cc", "KPAJ7yjnf/xibqAPsKiXWNfhh2w="},
      {"a parameter without a value", {.query = "a&b="},
       kHead + "/api/status?a=&b=", "ST2Ps5KB+KKzu/AQwOF7VlHua2Q="},
      {"a parameter without a name", {.query = "=1"},
       kHead + "/api/status?=1", "3EtbUtl/Qafn/hY3Y3kaySfFVgs="},
      {"a question mark alone", {.query = ""},
       kHead + "/api/status", "yh1jGJJU4eqcAO7/SsBr1yQrwK4="},
      {"empty pieces of a query", {.query = "&&a=1&"},
       kHead + "/api/status?a=1", "kQ93S9dfPDn3w5MaHzvKhqgmR94="},
      {"a plus sign is a blank", {.query = "a=b+c"},
       kHead + "/api/status?a=b%20c", "CMZsa5lSMftQ11loGXTXLqwILS4="},
      {"a blank as %20", {.query = "a=b%20c"},
       kHead + "/api/status?a=b%20c", "CMZsa5lSMftQ11loGXTXLqwILS4="},
      {"an encoded plus sign", {.query = "a=b%2Bc"},
       kHead + "/api/status?a=b%2Bc", "AU2wouZ6xwDbEpOSqN2rEgaGIDA="},
      {"an asterisk and a tilde", {.query = "a=*~"},
       kHead + "/api/status?a=%2A~", "57g84vvP/DjQCgcn4Fuj6DvtXD8="},
      {"all that is unreserved", {.query = "a=%41z0-._~"},
       kHead + "/api/status?a=Az0-._~", "wiQPQv2royH/0vntdFevearGbdY="},
      {"a time", {.query = "startTime=2024-08-06T00:00:00Z"},
       kHead + "/api/status?startTime=2024-08-06T00%3A00%3A00Z", "huYYENHwI6HMwLddlf7At/AQl1s="},
      {"UTF-8 in a value, encoded", {.query = "a=%e4%b8%ad"},
       kHead + "/api/status?a=%E4%B8%AD", "DuMtVcf3LvURY+PAQAOntSPatpk="},
      {"UTF-8 in a value, raw", {.query = "a=中"},
       kHead + "/api/status?a=%E4%B8%AD", "DuMtVcf3LvURY+PAQAOntSPatpk="},
      {"UTF-8 in a name", {.query = "%E4%B8%AD=1"},
       kHead + "/api/status?%E4%B8%AD=1", "seB0qLIIncZZzAYVTTPcmcH+mWY="},
      {"an equals sign in a value", {.query = "a=x=y"},
       kHead + "/api/status?a=x%3Dy", "yzzehqjl/yYa5pxs4bGBSgcd0FE="},
      {"a slash and a question mark in a value", {.query = "a=/?"},
       kHead + "/api/status?a=%2F%3F", "0fapsqf8BaTlVjBACpjGRUPMlZ8="},
      {"a broken escape", {.query = "a=%zz"},
       kHead + "/api/status?a=%25zz", "O4dj3vswpYpQrXzGkBQw7aVoQDE="},
      {"bytes that are not UTF-8", {.query = "a=%FF"},
       kHead + "/api/status?a=%FF", "mz1q3h4KXHw2j3qqaUwmPSsBPqk="},
      {"a path with an encoded character", {.path = "/api/%73tatus/%2f"},
       kHead + "/api/%73tatus/%2f", "AWCMXA/0WxFj5Id25lKHxKQFMD8="},
      {"a path with a trailing slash", {.path = "/api/status/"},
       kHead + "/api/status/", "Zv3ebb7sXU2y06l2XrsvCbxxvX8="},
  };
  // clang-format on
  for (const auto& [name, asked, message, signature] : cases) {
    CAPTURE(name);
    CHECK(signed_message(signed_parts(asked.request())) == message);
    CHECK(sign(kSecretKey, message) == signature);
  }
}

TEST_CASE("signature: a refused one is explained by what was signed in its place") {
  const std::string empty_hash = "D41D8CD98F00B204E9800998ECF8427E";
  const std::string head = kHead + "/api/status";
  Asked post = published_example();
  post.headers = {{"Content-Type", "application/json;charset=UTF-8"},
                  {"Date", kDate},
                  {"Host", "ocp.alibaba.net:8080"},
                  {"x-ocp-data", "A,1"}};
  Asked query;
  query.query = "status=B&status=A&x=a+b&t=1:2&e";
  Asked two_headers;
  two_headers.headers = with({{"X-Ocp-B", "2"}, {"x-ocp-a", "z"}, {"x-ocp-a", "y"}});
  const std::string post_message = signed_message(signed_parts(post.request()));
  const std::string query_head = kHead + "/api/status?";

  const struct {
    std::string name;
    Asked asked;
    std::string signed_by_client;
    std::vector<Message> messages;
  } cases[] = {
      {"method in lower case", {}, "get" + head.substr(3), {Message::SignedMethod}},
      {"another method", {.method = "HEAD"}, head, {Message::SignedMethod}},
      {"hash of an empty body", {}, "GET\n" + empty_hash + head.substr(4), {Message::SignedEmptyBodyHash}},
      {"body left out", post, "POST\n" + post_message.substr(37), {Message::SignedBody}},
      {"hash in lower case",
       post,
       "POST\n186974db33a090a16d3e2ca35f547b56" + post_message.substr(37),
       {Message::SignedBody}},
      {"Content-Type without its charset",
       post,
       signed_message(signed_parts(published_example().request())),
       {Message::SignedContentType}},
      {"Content-Type that was not sent", {}, "GET\n\napplication/json" + head.substr(5), {Message::SignedContentType}},
      {"Date left out", {}, "GET\n\n\n\nocp.example:8080\n\n/api/status", {Message::SignedDate}},
      {"Date of a second earlier",
       {},
       "GET\n\n\nTue, 17 Jan 2023 09:13:56 GMT\nocp.example:8080\n\n/api/status",
       {Message::SignedDate}},
      {"host without its port", {}, "GET\n\n\n" + kDate + "\nocp.example\n\n/api/status", {Message::SignedHost}},
      {"x-ocp headers left out", two_headers, head, {Message::SignedHeaders}},
      {"x-ocp names as sent",
       two_headers,
       "GET\n\n\n" + kDate + "\nocp.example:8080\nX-Ocp-B:2\nx-ocp-a:y,z\n/api/status",
       {Message::SignedHeaders}},
      {"x-ocp values not in order",
       two_headers,
       "GET\n\n\n" + kDate + "\nocp.example:8080\nx-ocp-a:z,y\nx-ocp-b:2\n/api/status",
       {Message::SignedHeaders}},
      {"query left out", query, head, {Message::SignedWithoutQuery}},
      {"query as sent", query, query_head + query.query, {Message::SignedPath}},
      {"query not in order", query, query_head + "status=A%2CB&x=a%20b&t=1%3A2&e=", {Message::SignedPath}},
      {"values not joined", query, query_head + "e=&status=A&status=B&t=1%3A2&x=a%20b", {Message::SignedPath}},
      {"comma not encoded", query, query_head + "e=&status=A,B&t=1%3A2&x=a%20b", {Message::SignedPath}},
      {"colon not encoded", query, query_head + "e=&status=A%2CB&t=1:2&x=a%20b", {Message::SignedPath}},
      {"blank as plus", query, query_head + "e=&status=A%2CB&t=1%3A2&x=a+b", {Message::SignedPath}},
      {"hex in lower case", query, query_head + "e=&status=A%2cB&t=1%3a2&x=a%20b", {Message::SignedPath}},
      {"no equals sign", query, query_head + "e&status=A%2CB&t=1%3A2&x=a%20b", {Message::SignedPath}},
      {"parameter without a value left out", query, query_head + "status=A%2CB&t=1%3A2&x=a%20b", {Message::SignedPath}},
      {"a whole URL", {}, kHead + "http://ocp.example:8080/api/status", {Message::SignedPath}},
      {"path decoded", {.path = "/a%20b"}, kHead + "/a b", {Message::SignedPath}},
      {"line feed at the end", {}, head + "\n", {Message::SignedOtherLines}},
      {"the body's line left out", {}, "GET\n\n" + head.substr(6), {Message::SignedOtherLines}},
      {"the line of the x-ocp headers left out",
       {},
       "GET\n\n\n" + kDate + "\nocp.example:8080\n/api/status",
       {Message::SignedOtherLines}},
      {"Date of local time",
       {},
       "GET\n\n\nTue, 17 Jan 2023 17:13:57 GMT\nocp.example:8080\n\n/api/status",
       {Message::SignedDate}},
      {"Date of five seconds later",
       {},
       "GET\n\n\nTue, 17 Jan 2023 09:14:02 GMT\nocp.example:8080\n\n/api/status",
       {Message::SignedDate}},
      {"x-ocp names in upper case",
       two_headers,
       "GET\n\n\n" + kDate + "\nocp.example:8080\nX-OCP-A:y,z\nX-OCP-B:2\n/api/status",
       {Message::SignedHeaders}},
      {"plus sign taken for itself", query, query_head + "e=&status=A%2CB&t=1%3A2&x=a%2Bb", {Message::SignedPath}},
      {"only the joining comma not encoded", {.query = "a=1,2&a=3"}, query_head + "a=1%2C2,3", {Message::SignedPath}},
      {"one of several values", query, query_head + "e=&status=A&t=1%3A2&x=a%20b", {Message::SignedPath}},
      {"Java's encoding", {.query = "a=b+c*~"}, query_head + "a=b+c*%7E", {Message::SignedPath}},
      {"encoded twice", {.query = "t=1:2"}, query_head + "t=1%253A2", {Message::SignedPath}},
      {"names in order whatever their case", {.query = "B=1&a=2"}, query_head + "a=2&B=1", {Message::SignedPath}},
      {"path without its slash", {}, kHead + "api/status", {Message::SignedPath}},
      {"host before the path", {}, kHead + "ocp.example:8080/api/status", {Message::SignedPath}},
      {"absent parts left out", {}, "GET\n" + kDate + "\nocp.example:8080\n/api/status", {Message::SignedOtherLines}},
      {"host of this machine", {}, "GET\n\n\n" + kDate + "\nlocalhost:8080\n\n/api/status", {Message::SignedHost}},
      {"a blank after the colon",
       two_headers,
       "GET\n\n\n" + kDate + "\nocp.example:8080\nx-ocp-a: y,z\nx-ocp-b: 2\n/api/status",
       {Message::SignedHeaders}},
      {"Content-Type of a form",
       post,
       replaced_line(post_message, 2, "application/x-www-form-urlencoded"),
       {Message::SignedContentType}},
      {"the body itself", post, replaced_line(post_message, 1, post.body), {Message::SignedBody}},
      {"a Base64 hash", post, replaced_line(post_message, 1, base64_encode(md5(post.body))), {Message::SignedBody}},
      {"two mistakes",
       query,
       "GET\n" + empty_hash + head.substr(4),
       {Message::SignedEmptyBodyHash, Message::SignedWithoutQuery}},
      {"host and query",
       query,
       "GET\n\n\n" + kDate + "\nocp.example\n\n/api/status?" + query.query,
       {Message::SignedHost, Message::SignedPath}},
      {"something else", {}, "nothing", {Message::SignedUnexplained}},
  };
  for (const auto& [name, asked, signed_by_client, messages] : cases) {
    CAPTURE(name);
    const std::vector<Sentence> found = explain_signature(asked.request(), signed_parts(asked.request()), "AK",
                                                          kSecretKey, sign(kSecretKey, signed_by_client));
    std::vector<Message> found_messages;
    for (const Sentence& sentence : found) found_messages.push_back(sentence.message);
    CHECK(found_messages == messages);
  }
}

TEST_CASE("signature: an explanation shows what was signed and what must be, not the secret key") {
  const Asked asked;
  const std::string message = kHead + "/api/status";
  const auto text = [&](const std::string& signature) {
    const auto sentences =
        explain_signature(asked.request(), signed_parts(asked.request()), "AK", kSecretKey, signature);
    REQUIRE(sentences.size() == 1);
    return sentences.front().text(Language::English);
  };
  CHECK(text(sign(kSecretKey, "get" + message.substr(3))) ==
        "Part 1, the method: the signature matches with 'get'; it must be 'GET'.");
  CHECK(text(sign("AK", message)) ==
        "The signature matches with another form of the key; the key of the HMAC must be the text of the secret key as "
        "it stands.");
  Asked two_headers;
  two_headers.headers = with({{"x-ocp-b", "2"}, {"x-ocp-a", "1"}});
  const auto lines = explain_signature(two_headers.request(), signed_parts(two_headers.request()), "AK", kSecretKey,
                                       sign(kSecretKey, message));
  REQUIRE(lines.size() == 1);
  CHECK(lines.front().arguments == std::vector<Argument>{"", "x-ocp-a:1\\nx-ocp-b:2"});
  const std::string key_bytes = "\x2f\xc0\xc2\x99\xcc\x94\xc6\xbe\x26\x6f\x2c\xee\xce\x76\x5d\x4d";
  CHECK(text(sign(key_bytes, message)).starts_with("The signature matches with another form of the key;"));
}

TEST_CASE("signature: a long message is explained too, without trying pairs of mistakes") {
  Asked asked;
  for (int i = 0; i < 2000; ++i) asked.query += "&name" + std::to_string(i) + "=%2C+value";
  const auto explanation = explain_signature(asked.request(), signed_parts(asked.request()), "AK", kSecretKey,
                                             sign(kSecretKey, kHead + "/api/status"));
  REQUIRE(explanation.size() == 1);
  CHECK(explanation.front().message == Message::SignedWithoutQuery);
  CHECK(explanation.front().arguments.at(1).english.size() == 303);
}

TEST_CASE("digest: Base64 is that of RFC 4648, with padding") {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xFF\xFE", "//4="}};
  for (const auto& [bytes, text] : cases) {
    CAPTURE(text);
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
  CHECK(base64_decode("AAAA") == std::string(3, '\0'));
  for (const std::string text : {"Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", " Zg==", "Zg== ", "Zg==\n",
                                 "Z-_A", "Zg==Zg==", "Zm9v=", "中中"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("digest: lenient Base64 is what the JDK's decoder takes") {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},           {"Zg==", "f"},        {"Zg", "f"},   {"Zm8=", "fo"}, {"Zm8", "fo"}, {"Zm9v", "foo"},
      {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"Zh==", "f"}, {"Zh", "f"},    {"Zm9", "fo"}, {"Zm9=", "fo"}};
  for (const auto& [text, bytes] : cases) {
    CAPTURE(text);
    CHECK(base64_decode(text, Base64::Lenient) == bytes);
  }
  for (const std::string text : {"Z", "Zm9vY", "Zg=", "Zg===", "=", "==", "===", "====", "Z===", "Zm8==", "Zm9v=",
                                 "Zm9v==", "Zg==Zg==", " Zg", "Zg ", "Zg\n", "Z-_A", "Z_", "中中"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text, Base64::Lenient));
  }
}

TEST_CASE("digest: a comparison takes texts of any length") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("secret", "secret"));
  for (const std::string other : {"", "secre", "secreT", "secret ", "xecret"}) {
    CAPTURE(other);
    CHECK_FALSE(equal_in_constant_time(other, "secret"));
  }
}
