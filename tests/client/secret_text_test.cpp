#include "client/secret_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

namespace {

std::string with_marks(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (Piece found = find_secret(text, 0); !found.empty(); found = find_secret(text, found.end)) {
    out.append(text.substr(at, found.begin - at)).append("X");
    at = found.end;
  }
  return out.append(text.substr(at));
}

}  // namespace

TEST_CASE("secret text: the values of secrets are found, with all that belongs to them and nothing else") {
  const struct {
    const char* text;
    const char* marked;
  } cases[] = {
      {"password=a1", "password=X"},
      {"Password : a1, next", "Password : X, next"},
      {"rootPass=a1;user=b", "rootPass=X;user=b"},
      {"AK=a1 sk=a2 task=a3", "AK=X sk=X task=a3"},
      {"pwd:a1", "pwd:X"},
      {"api_key := a1", "api_key := X"},
      {"token => a1", "token => X"},
      {"password: 'two words' end", "password: 'X' end"},
      {"password: \"it's\" end", "password: \"X\" end"},
      {"password: 'open end", "password: 'X end"},
      {"{\"pwd\":\"a \\\" b\",\"n\":1}", "{\"pwd\":\"X\",\"n\":1}"},
      {"\"{\\\"pwd\\\":\\\"a1\\\"}\"", "\"{\\\"pwd\\\":\\\"X\\\"}\""},
      {"password=a1</html>", "password=X</html>"},
      {"password=a<b", "password=X"},
      {"<password>a1</password>", "<password>X</password>"},
      {"Authorization: Basic QWxhZGRpbjpvcGVu", "Authorization: Basic X"},
      {"Authorization: Digest user=\"a\", response=\"b\"\nHost: c", "Authorization: Digest X\nHost: c"},
      {"-H 'Authorization: Bearer a1' -v", "-H 'Authorization: Bearer X' -v"},
      {"Authorization=OCP-ACCESS-KEY-HMACSHA1 a:b", "Authorization=X"},
      {"{\"Authorization\": \"Basic a1\"}", "{\"Authorization\": \"Basic X\"}"},
      {"with Bearer a1.b2 there", "with Bearer X there"},
      {"the bearer token: a1", "the bearer token: X"},
      {"Cookie: JSESSIONID=a1; b=c\nHost: d", "Cookie: X\nHost: d"},
      {"set-cookie: a=b", "set-cookie: X"},
      {"JSESSIONID=a1; Path=/", "JSESSIONID=X; Path=/"},
      {"run --password a1 --user b", "run --password X --user b"},
      {"run --password --user b", "run --password --user b"},
      {"run --password=a1 b", "run --password=X b"},
      {"passwd \"a1\" is", "passwd \"X\" is"},
      {"SET PASSWORD FOR u = PASSWORD('a1')", "SET PASSWORD FOR u = PASSWORD('X')"},
      {"CREATE USER u IDENTIFIED BY 'a1'", "CREATE USER u IDENTIFIED BY 'X'"},
      {"?Expires=1&Signature=a1&b=c", "?Expires=1&Signature=X&b=c"},
      {"-----BEGIN RSA PRIVATE KEY-----\na1\nb2\n-----END RSA PRIVATE KEY-----\nend",
       "-----BEGIN RSA PRIVATE KEY-----\nX-----END RSA PRIVATE KEY-----\nend"},
      {"privateKey: -----BEGIN EC PRIVATE KEY-----\na1", "privateKey: -----BEGIN EC PRIVATE KEY-----\nX"},
      {"\\n-----BEGIN PRIVATE KEY-----\\na1\\n-----END PRIVATE KEY-----",
       "\\n-----BEGIN PRIVATE KEY-----\\X-----END PRIVATE KEY-----"},
      {"-----BEGIN CERTIFICATE-----\na1\n-----END CERTIFICATE-----",
       "-----BEGIN CERTIFICATE-----\na1\n-----END CERTIFICATE-----"},
      {"the password is wrong", "the password is wrong"},
      {"no 'password' there", "no 'password' there"},
      {"passed: 5, tasks=7, bypass=1, disk: full", "passed: 5, tasks=7, bypass=1, disk: full"},
      {"Token::next and token://x", "Token::next and token://x"},
      {"stands by 'it'", "stands by 'it'"},
      {"password=", "password="},
      {"password='", "password='"},
      {"password", "password"},
      {"--password ", "--password "},
      {"Bearer", "Bearer"},
      {"", ""},
  };
  for (const auto& [text, marked] : cases) {
    CAPTURE(text);
    CHECK(with_marks(text) == marked);
  }
}
