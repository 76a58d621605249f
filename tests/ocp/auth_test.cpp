#include "ocp/auth.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ocp/digest.h"

using namespace ocp_mock;

namespace {

constexpr Instant kNow{1673946837, 0};  // Tue, 17 Jan 2023 09:13:57 GMT
const std::string kDate = "Tue, 17 Jan 2023 09:13:57 GMT";
const std::string kSecretKey = "2fc0c299cc94c6be266f2ceece765d4d";

std::string basic(const std::string& text) { return "Basic " + base64_encode(text); }

Credentials configured() {
  Credentials credentials;
  add_user(credentials, "admin", "se:cret");
  add_user(credentials, "用户", "密码 ");
  add_user(credentials, "nobody", "");
  add_access_key(credentials, "AK", {kSecretKey, "admin"});
  add_access_key(credentials, "LONELY", {"sk", "LONELY"});
  return credentials;
}

// "user" or "401 message".
std::string outcome(const Authenticator& authenticator, const Headers& headers, Instant now = kNow,
                    const std::string& query = "") {
  try {
    return authenticator.authenticate({"GET", "/api/status", query, headers, ""}, now);
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + error.what();
  }
}

std::string signature(const std::string& date, const std::string& secret_key = kSecretKey) {
  return sign(secret_key, "GET\n\n\n" + date + "\nh\n\n/api/status");
}

Headers signed_headers(const std::string& date, const std::string& access_key = "AK",
                       const std::string& secret_key = kSecretKey) {
  return {{"Host", "h"},
          {"Date", date},
          {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 " + access_key + ":" + signature(date, secret_key)}};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("auth: without configured credentials any that are well-formed pass") {
  const Authenticator any(AuthMode::Any, {});
  const std::string some_signature = base64_encode(std::string(20, 'x'));
  const struct {
    std::string authorization;
    std::string user;
  } passing[] = {
      {basic("admin:secret"), "admin"},
      {basic("admin:"), "admin"},
      {basic("a:b:c"), "a"},
      {basic("用户:密码"), "用户"},
      {basic(std::string(3000, 'u') + ":" + std::string(3000, 'p')), std::string(3000, 'u')},
      {"basic " + base64_encode("admin:x"), "admin"},
      {"Basic YWRtaW46eA", "admin"},    // without its padding, as the JDK's decoder takes it
      {"Basic YWRtaW46eHk", "admin"},   // likewise
      {"Basic YWRtaW46eB==", "admin"},  // bits are left over
      {"Basic YWRtaW46eHl", "admin"},   // both
      {"Basic   " + base64_encode("admin:x"), "admin"},
      {"OCP-ACCESS-KEY-HMACSHA1 key:" + some_signature, "key"},
      {"ocp-access-key-hmacsha1 key:" + some_signature, "key"},
  };
  for (const auto& [authorization, user] : passing) {
    CAPTURE(authorization);
    CHECK(outcome(any, {{"authorization", authorization}, {"Date", kDate}}) == user);
  }

  const struct {
    std::string authorization;
    std::string message;
  } refused[] = {
      {"", "The request has no credentials;"},
      {"Basic", "The Basic credentials are not Base64;"},
      {"Basic ", "The Basic credentials are not Base64;"},
      {"Basic admin:secret", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW46e", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW46eA=", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW46eA===", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW46eA==YQ", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW46_-8", "The Basic credentials are not Base64;"},
      {"Basic YWRtaW4", "The Basic credentials have no colon;"},
      {"Basic YWRtaW46 c2VjcmV0", "The Basic credentials are not Base64;"},
      {basic("admin"), "The Basic credentials have no colon;"},
      {basic(":secret"), "The Basic credentials have no user name"},
      {basic("admin:\xE9"), "The Basic credentials are not UTF-8"},
      {basic("ad\nmin:x"), "The Basic credentials are not UTF-8"},
      {basic(std::string("admin:\0", 7)), "The Basic credentials are not UTF-8"},
      {"Bearer abc", "The Authorization header is of no scheme that OCP knows;"},
      {"YWRtaW46c2VjcmV0", "The Authorization header is of no scheme that OCP knows;"},
      {"BasicYWRtaW46c2VjcmV0", "The Authorization header is of no scheme that OCP knows;"},
      {std::string(8192, 'x'), "The Authorization header is of no scheme that OCP knows;"},
      {"Basic " + std::string(8192, '='), "The Basic credentials are not Base64;"},
      {"OCP-ACCESS-KEY-HMACSHA1", "The access key credentials are malformed;"},
      {"OCP-ACCESS-KEY-HMACSHA1 key", "The access key credentials are malformed;"},
      {"OCP-ACCESS-KEY-HMACSHA1 :" + some_signature, "The access key credentials are malformed;"},
      {"OCP-ACCESS-KEY-HMACSHA1 key:", "The access key credentials are malformed;"},
      {"OCP-ACCESS-KEY-HMACSHA1 key:da39a3ee5e6b4b0d3255bfef95601890afd80709",
       "The access key credentials are malformed;"},
      {"OCP-ACCESS-KEY-HMACSHA1 key:" + some_signature.substr(0, 27), "The access key credentials are malformed;"},
  };
  for (const auto& [authorization, message] : refused) {
    CAPTURE(authorization);
    CHECK(outcome(any, {{"Authorization", authorization}, {"Date", kDate}}).starts_with("401 " + message));
  }
  CHECK(outcome(any, {}).starts_with("401 The request has no credentials;"));
  CHECK(outcome(any, {{"Authorization", basic("a:b")}, {"Authorization", basic("a:b")}})
            .starts_with("401 The request has several Authorization headers;"));
}

TEST_CASE("auth: once credentials are configured only those pass") {
  const Authenticator authenticator(AuthMode::Any, configured());
  const struct {
    std::string given;
    std::string outcome;
  } cases[] = {
      {"admin:se:cret", "admin"},
      {"用户:密码 ", "用户"},
      {"nobody:", "nobody"},
      {"admin:se:cre", "401 The password of user 'admin' is wrong."},
      {"admin:", "401 The password of user 'admin' is wrong."},
      {"admin:se:cret ", "401 The password of user 'admin' is wrong."},
      {"admin:" + std::string(8192, 'x'), "401 The password of user 'admin' is wrong."},
      {"用户:密码", "401 The password of user '用户' is wrong."},
      {"Admin:se:cret", "401 User 'Admin' is not known; it must be one that the server was started with."},
      {"AK:" + kSecretKey,
       "401 User 'AK' is not known; it must be one that the server was started with. There is an access key of this "
       "name; its requests carry no Basic credentials but 'OCP-ACCESS-KEY-HMACSHA1 ACCESS_KEY:SIGNATURE'."},
  };
  for (const auto& [given, expected] : cases) {
    CAPTURE(given);
    CHECK(outcome(authenticator, {{"Authorization", basic(given)}}) == expected);
  }
  CHECK(outcome(authenticator, signed_headers(kDate)) == "admin");
  CHECK(outcome(authenticator, signed_headers(kDate, "LONELY", "sk")) == "LONELY");
  CHECK(outcome(authenticator, signed_headers(kDate, "ak")) ==
        "401 Access key 'ak' is not known; it must be one that the server was started with.");
  CHECK(
      outcome(authenticator, signed_headers(kDate, "LONELY")) ==
      "401 The signature of access key 'LONELY' is not that of the request. No usual mistake explains it; perhaps the "
      "secret key is another one. At log level debug the server shows the string that it signed.");
  CHECK(
      outcome(authenticator, signed_headers(kDate), kNow, "page=1") ==
      "401 The signature of access key 'AK' is not that of the request. Part 7, path and query: the signature matches "
      "without the query, '/api/status'; it must be '/api/status?page=1'. At log level debug the server shows the "
      "string that it signed.");
}

TEST_CASE("auth: the Date of a signed request is at most 15 minutes off, in whichever mode") {
  const struct {
    std::string date;
    std::string outcome;
  } cases[] = {
      {"Tue, 17 Jan 2023 08:58:58 GMT", "admin"},  // 14:59 behind
      {"Tue, 17 Jan 2023 08:58:57 GMT", "admin"},
      {"Tue, 17 Jan 2023 08:58:56 GMT",
       "401 The Date header 'Tue, 17 Jan 2023 08:58:56 GMT' is 15 min 1 s behind the server's clock, "
       "'Tue, 17 Jan 2023 09:13:57 GMT'; it must be at most 15 minutes off."},
      {"Tue, 17 Jan 2023 09:28:56 GMT", "admin"},  // 14:59 ahead
      {"Tue, 17 Jan 2023 09:28:57 GMT", "admin"},
      {"Tue, 17 Jan 2023 09:28:58 GMT",
       "401 The Date header 'Tue, 17 Jan 2023 09:28:58 GMT' is 15 min 1 s ahead of the server's clock, "
       "'Tue, 17 Jan 2023 09:13:57 GMT'; it must be at most 15 minutes off."},
      {"Tue, 17 Jan 2023 17:13:57 GMT",
       "401 The Date header 'Tue, 17 Jan 2023 17:13:57 GMT' is 480 min 0 s ahead of the server's clock, "
       "'Tue, 17 Jan 2023 09:13:57 GMT'; it must be at most 15 minutes off. It looks like local time; it must be GMT."},
      {"",
       "401 The request has no Date header and no x-ocp-date header; a request with an access key must have one of "
       "them, such as "
       "'Tue, 17 Jan 2023 09:13:57 GMT'."},
      {"yesterday",
       "401 The Date header is 'yesterday'; it must be a date of RFC 1123 in GMT, such as "
       "'Tue, 17 Jan 2023 09:13:57 GMT'."},
  };
  Credentials credentials;
  add_access_key(credentials, "AK", {kSecretKey, "admin"});
  const Authenticator configured_keys(AuthMode::Any, credentials);
  const Authenticator any(AuthMode::Any, {});
  for (const auto& [date, expected] : cases) {
    CAPTURE(date);
    CHECK(outcome(configured_keys, signed_headers(date)) == expected);
    CHECK(outcome(any, signed_headers(date)) == (expected == "admin" ? "AK" : expected));
  }
  for (const std::string date :
       {"2023-01-17T09:13:57Z", "Mon, 17 Jan 2023 09:13:57 GMT", "Tue, 17 Jan 2023 09:13:57 +0000",
        "Tue, 17 Jan 2023 09:13:57 CST", "Tuesday, 17-Jan-23 09:13:57 GMT", "Tue Jan 17 09:13:57 2023", "1673946837",
        "Tue, 17 Jan 2023 24:13:57 GMT", "tue, 17 jan 2023 09:13:57 gmt", "Tue, 17 Jan 2023 9:13:57 GMT"}) {
    CAPTURE(date);
    CHECK(outcome(any, signed_headers(date)).starts_with("401 The Date header is '" + date + "';"));
  }
}

TEST_CASE("auth: x-ocp-date stands in for the Date") {
  const std::string late = "Tue, 17 Jan 2023 10:13:57 GMT";
  // As the client sends and signs them; nothing for a header that it does not send.
  const struct {
    std::string name;
    std::optional<std::string> date;
    std::optional<std::string> ocp_date;
    std::string signed_date;
    std::string outcome;
  } cases[] = {
      {"alone, the Date's line empty", std::nullopt, kDate, "", "admin"},
      {"alone, signed as the Date too", std::nullopt, kDate, kDate, "admin"},
      {"beside an empty Date", "", kDate, "", "admin"},
      {"beside a Date", kDate, kDate, kDate, "admin"},
      {"beside a Date, which counts", kDate, late, kDate, "admin"},
      {"too late", std::nullopt, late, "", "401 The x-ocp-date header '" + late + "' is 60 min 0 s ahead"},
      {"right, beside a Date that is not", late, kDate, late, "401 The Date header '" + late + "' is 60 min 0 s ahead"},
      {"of another form", std::nullopt, "2023-01-17T09:13:57Z", "", "401 The x-ocp-date header is '2023-01-17T"},
      {"empty", std::nullopt, "", "", "401 The request has no Date header and no x-ocp-date header;"},
      {"signed in the place of a Date that is there", kDate, "Tue, 17 Jan 2023 09:13:58 GMT",
       "Tue, 17 Jan 2023 09:13:58 GMT",
       "401 The signature of access key 'AK' is not that of the request. Part 4, Date: the signature matches with "
       "'Tue, 17 Jan 2023 09:13:58 GMT'; it must be '" +
           kDate + "'"},
      {"alone, another date signed", std::nullopt, kDate, "Tue, 17 Jan 2023 09:13:58 GMT",
       "401 The signature of access key 'AK' is not that of the request. Part 4, Date: the signature matches with "
       "'Tue, 17 Jan 2023 09:13:58 GMT'; it must be ''"},
  };
  Credentials keys;
  add_access_key(keys, "AK", {kSecretKey, "admin"});
  const Authenticator authenticator(AuthMode::Any, keys);
  for (const auto& [name, date, ocp_date, signed_date, expected] : cases) {
    CAPTURE(name);
    Headers headers{{"Host", "h"}};
    if (date) headers.add("Date", *date);
    if (ocp_date) headers.add("X-OCP-Date", *ocp_date);
    const std::string message =
        "GET\n\n\n" + signed_date + "\nh\n" + (ocp_date ? "x-ocp-date:" + *ocp_date : std::string()) + "\n/api/status";
    headers.add("Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:" + sign(kSecretKey, message));
    const std::string got = outcome(authenticator, headers);
    CHECK(got.substr(0, expected.size()) == expected);
  }
  // Whatever the date, the headers themselves are signed.
  const Headers unsigned_date{
      {"Host", "h"},
      {"x-ocp-date", kDate},
      {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:" + sign(kSecretKey, "GET\n\n\n\nh\n\n/api/status")}};
  CHECK(contains(outcome(authenticator, unsigned_date), "Part 6, the x-ocp headers:"));
}

TEST_CASE("auth: off checks nothing, and still tells users apart") {
  const Authenticator off(AuthMode::Off, configured());
  CHECK(outcome(off, {}).empty());
  CHECK(outcome(off, {{"Authorization", "nonsense"}}).empty());
  CHECK(outcome(off, {{"Authorization", basic("admin:wrong")}}) == "admin");
  CHECK(outcome(off, signed_headers("long ago")) == "admin");
  CHECK(outcome(off, signed_headers("long ago", "OTHER")) == "OTHER");
}

TEST_CASE("auth: with access keys only no user passes, and with users only no access key") {
  Credentials keys;
  add_access_key(keys, "AK", {kSecretKey, "admin"});
  const Authenticator keys_only(AuthMode::Any, keys);
  CHECK(outcome(keys_only, {{"Authorization", basic("admin:x")}}).starts_with("401 User 'admin' is not known;"));
  CHECK(outcome(keys_only, signed_headers(kDate)) == "admin");
  const Authenticator users_only(AuthMode::Any, {{{"admin", "x"}}, {}});
  CHECK(outcome(users_only, {{"Authorization", basic("admin:x")}}) == "admin");
  CHECK(outcome(users_only, signed_headers(kDate)).starts_with("401 Access key 'AK' is not known;"));
}

TEST_CASE("auth: every character of a signature counts") {
  Credentials keys;
  add_access_key(keys, "AK", {kSecretKey, "admin"});
  const Authenticator authenticator(AuthMode::Any, keys);
  const std::string bytes = hmac_sha1(kSecretKey, "GET\n\n\n" + kDate + "\nh\n\n/api/status");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 1);
    const Headers headers{
        {"Host", "h"}, {"Date", kDate}, {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:" + base64_encode(other)}};
    CHECK(outcome(authenticator, headers).starts_with("401 The signature of access key 'AK' is not that"));
  }
}

TEST_CASE("auth: off takes the last of several Authorization headers") {
  const Authenticator off(AuthMode::Off, {});
  CHECK(outcome(off, {{"Authorization", basic("a:x")}, {"Authorization", basic("b:x")}}) == "b");
}

TEST_CASE("auth: a refused access key is told from other refusals") {
  const Authenticator authenticator(AuthMode::Any, configured());
  for (const Headers& headers :
       {signed_headers(kDate, "LONELY"), signed_headers(kDate, "unknown"), signed_headers("yesterday")}) {
    CHECK_THROWS_AS(authenticator.authenticate({"GET", "/api/status", "", headers, ""}, kNow), AccessKeyRefused);
  }
}

TEST_CASE("auth: no refusal shows a secret") {
  const Authenticator authenticator(AuthMode::Any, configured());
  const std::string secret = "Geheimnis";
  for (const std::string& authorization :
       {secret, "Basic " + secret, "Basic " + base64_encode(secret), basic("admin:" + secret), basic(":" + secret),
        "Bearer " + secret, "OCP-ACCESS-KEY-HMACSHA1 " + secret, "OCP-ACCESS-KEY-HMACSHA1 AK:" + secret,
        "OCP-ACCESS-KEY-HMACSHA1 AK:" + signature(kDate, secret)}) {
    CAPTURE(authorization);
    const std::string text = outcome(authenticator, {{"Authorization", authorization}, {"Host", "h"}, {"Date", kDate}});
    CHECK(text.starts_with("401 "));
    CHECK_FALSE(contains(text, secret));
    CHECK_FALSE(contains(text, base64_encode(secret)));
    CHECK_FALSE(contains(text, kSecretKey));
    CHECK_FALSE(contains(text, signature(kDate)));
  }
}

TEST_CASE("auth: credentials that no client could send, or that come twice, are mistakes") {
  Credentials credentials = configured();
  CHECK_THROWS_WITH(add_user(credentials, "", "geheim"),
                    "the user's name must be UTF-8 text without colon and control characters, and not empty");
  CHECK_THROWS_WITH(add_user(credentials, "a:b", "geheim"),
                    "the user's name must be UTF-8 text without colon and control characters, and not empty");
  CHECK_THROWS_WITH(add_user(credentials, "a", "ge\xFFheim"),
                    "the password of user 'a' must be UTF-8 text without control characters");
  CHECK_THROWS_WITH(add_user(credentials, "admin", "geheim"), "user 'admin' is given twice");
  CHECK_THROWS_WITH(add_access_key(credentials, "", {"geheim", ""}),
                    "the access key must be text without colon, blanks and control characters, and not empty");
  CHECK_THROWS_WITH(add_access_key(credentials, "B", {"", "u"}), "access key 'B' has no secret key");
  CHECK_THROWS_WITH(add_access_key(credentials, "B", {"geheim", "a\nb"}),
                    "the user of access key 'B' must be UTF-8 text without control characters, and not empty");
  CHECK_THROWS_WITH(add_access_key(credentials, "AK", {"geheim", "u"}), "access key 'AK' is given twice");
}
