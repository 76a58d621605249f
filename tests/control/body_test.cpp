#include "control/body.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;

TEST_CASE("body: an object contains the members of another, at any depth") {
  const struct {
    std::string whole;
    std::string part;
    bool contains;
  } cases[] = {
      {R"({"a":1,"b":2})", R"({"a":1.0})", true},
      {R"({"a":1,"b":2})", R"({})", true},
      {R"({"a":1})", R"({"a":2})", false},
      {R"({"a":1})", R"({"a":"1"})", false},
      {R"({"a":1})", R"({"b":1})", false},
      {R"({"a":1})", R"({"b":null})", true},
      {R"({"b":null})", R"({"b":null})", true},
      {R"({"b":1})", R"({"b":null})", false},
      {R"({"b":null})", R"({"b":1})", false},
      {R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"c":2}})", true},
      {R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2}})", false},
      {R"({"a":{"b":1}})", R"({"a":1})", false},
      {R"({"a":1})", R"({"a":{}})", false},
      {R"({"a":[1,2]})", R"({"a":[1,2]})", true},
      {R"({"a":[1,2]})", R"({"a":[1]})", false},
      {R"({"a":[2,1]})", R"({"a":[1,2]})", false},
      {R"({"a":[{"b":1,"c":2}]})", R"({"a":[{"b":1}]})", false},
      {R"([1])", R"([1])", true},
      {R"([1])", R"({})", false},
      {R"("x")", R"("x")", true},
  };
  for (const auto& [whole, part, contains] : cases) {
    CAPTURE(whole);
    CAPTURE(part);
    CHECK(contains_json(read_json_text(whole), read_json_text(part)) == contains);
  }
}

TEST_CASE("body: only one whole JSON document is JSON") {
  const std::string deep(201, '[');
  const std::string texts[] = {"",
                               " ",
                               "a=b",
                               "{",
                               "{}{}",
                               R"({"a":1,"a":1})",
                               R"({"a":1}x)",
                               std::string("{}\0", 3),
                               std::string("\0{}", 3),
                               "{\"a\":\"\xff\"}",
                               R"("\ud83d")",
                               deep + std::string(201, ']'),
                               std::string(1'000'000, '['),
                               "{'a':1}",
                               "NaN"};
  for (const std::string& text : texts) {
    CAPTURE(text.substr(0, 100));
    CHECK(RequestBody(text).json() == nullptr);
  }
  CHECK(RequestBody(deep.substr(1) + std::string(200, ']')).json() != nullptr);
  const RequestBody body(" [1] ");
  REQUIRE(body.json() != nullptr);
  CHECK(body.json()->items.size() == 1);
  CHECK(body.json() == body.json());
}

TEST_CASE("body: secrets are masked wherever they are, and all else is kept as it was sent") {
  const struct {
    std::string sent;
    std::string kept;
    bool has_secret;
  } cases[] = {
      {R"({ "name" : "b", "a": 1.0, "n":null })", R"({ "name" : "b", "a": 1.0, "n":null })", false},
      {R"({"password":"geheim"})", R"({"password":"***"})", true},
      {R"({ "b":null, "a":1.0, "rootSysPassword" : "geheim" })", R"({"a":1.0,"b":null,"rootSysPassword":"***"})", true},
      {R"({"pwd":"geheim","pin":1234,"cookies":["a=b"]})", R"({"cookies":"***","pin":"***","pwd":"***"})", true},
      {R"({"saveToCredential":true,"credentials":[{"a":1}],"bypass":"x"})",
       R"({"saveToCredential":true,"credentials":[{"a":1}],"bypass":"x"})", false},
      {"ak=geheim&task=1", "ak=***&task=1", true},
      {R"({"PassPhrase":"geheim"})", R"({"PassPhrase":"***"})", true},
      {R"({"accessKey":"geheim"})", R"({"accessKey":"***"})", true},
      {R"({"url":"oss://b/p?host=h&access_id=i&access_key=geheim&x=1"})",
       R"({"url":"oss://b/p?host=h&access_id=***&access_key=***&x=1"})", true},
      {R"({"urls":["s3://b?secret_key=geheim"]})", R"({"urls":["s3://b?secret_key=***"]})", true},
      {R"({"url":"s3://b?access%5Fkey=geheim"})", R"({"url":"s3://b?access%5Fkey=***"})", true},
      {R"({"url":"s3://b?access_key=***"})", R"({"url":"s3://b?access_key=***"})", false},
      {R"({"text":"what is an access_key?"})", R"({"text":"what is an access_key?"})", false},
      {R"({"client_SECRET":"geheim"})", R"({"client_SECRET":"***"})", true},
      {R"({"accessTokens":["geheim",{"x":"geheim"}]})", R"({"accessTokens":"***"})", true},
      {R"({"dbPasswd":12})", R"({"dbPasswd":"***"})", true},
      {R"({"p\u0061ssword":"geheim"})", R"({"password":"***"})", true},
      {R"([{"a":[{"b":{"password":"geheim"}}]}])", R"([{"a":[{"b":{"password":"***"}}]}])", true},
      {R"({"password":null})", R"({"password":null})", false},
      {R"({"password":"***"})", R"({"password":"***"})", false},
      {R"({"a":"https://me:geheim@h/x"})", R"({"a":"https://***@h/x"})", false},
      {R"({"a":"https%3A%2F%2Fme:geheim%40h"})", R"({"a":"https%3A%2F%2F***%40h"})", false},
      {R"("the password")", R"("the password")", false},
      {"a=b&password=geheim&c=d", "a=b&password=***&c=d", true},
      {"a=b&&c", "a=b&&c", false},
      {"userPassword=geheim%3D=x", "userPassword=***", true},
      {"pass%77ord=geheim", "pass%77ord=***", true},
      {"password=", "password=***", true},
      {"password=***", "password=***", false},
      {"note=my+secret+is+geheim", "note=***", true},
      {"u=https://me:geheim@h", "u=https://***@h", false},
      {R"({"password":"a&b=geheim)", "***", true},
      {R"(a=b&{"token":"x&geheim=c")", "***", true},
      {"--x\r\nname=\"password\"\r\n\r\ngeheim", "***", true},
      // Escapes in what is no document hide no name.
      {R"({"a":1,"a":2,"p\u0061ssword":"geheim"})", "***", true},
      {R"({"\U0070assword":"geheim"})", "***", true},
      {R"([1,{"%70assword":"geheim)", "***", true},
      {"text pass%77ord geheim", "***", true},
      {"pass%77ord%=geheim&a=%zz", "pass%77ord%=***&a=%zz", true},
      {std::string("p\0a\0s\0s\0w\0o\0r\0d\0=\0x", 19), "***", true},
      {R"({"pass%77ord":"geheim"})", R"({"pass%77ord":"***"})", true},
      {R"(\u00zz 100% %)", R"(\u00zz 100% %)", false},
      // Documents in strings.
      {R"({"payload":"{\"password\":\"geheim\",\"a\":1.0}"})", R"({"payload":"{\"a\":1.0,\"password\":\"***\"}"})",
       true},
      {R"(["[{\"x\":\"{\\\"token\\\":1}\"}]"])", R"(["[{\"x\":\"{\\\"token\\\":\\\"***\\\"}\"}]"])", true},
      {R"("{\"password\":\"geheim\"}")", R"("{\"password\":\"***\"}")", true},
      {R"({"note":"[urgent] change the password"})", R"({"note":"[urgent] change the password"})", false},
      // A form in a form.
      {"data=%7B%22password%22%3A%22geheim%22%7D&a=b", "data=***&a=b", true},
      {"user[password]=geheim&user%5Btoken%5D=geheim", "user[password]=***&user%5Btoken%5D=***", true},
      {"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nplain\r\n--x--",
       "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nplain\r\n--x--", false},
      {std::string("a\0b\xff\xfe", 5), std::string("a\0b\xff\xfe", 5), false},
      {std::string(1, '\0'), std::string(1, '\0'), false},
      {"***", "***", false},
      {"", "", false},
      {"plain text", "plain text", false},
  };
  for (const auto& [sent, kept, has_secret] : cases) {
    CAPTURE(sent);
    const MaskedBody masked = masked_body(sent);
    CHECK(masked.text == kept);
    CHECK(masked.has_secret == has_secret);
    // What is kept is kept as it is.
    CHECK(masked_body(masked.text).text == masked.text);
    CHECK_FALSE(masked_body(masked.text).has_secret);
  }
}
