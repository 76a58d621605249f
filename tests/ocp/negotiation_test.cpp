#include "ocp/negotiation.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;

TEST_CASE("negotiation: Accept-Language chooses by q-value") {
  const struct {
    std::string header;
    Language language;
  } cases[] = {
      {"", Language::English},
      {"en", Language::English},
      {"zh", Language::Chinese},
      {"zh-CN", Language::Chinese},
      {"ZH-cn", Language::Chinese},
      {"zh_CN", Language::Chinese},
      {"zh_Hans_CN;q=0.9, en_US;q=0.8", Language::Chinese},
      {"en_US, zh_CN;q=0.9", Language::English},
      {"_zh", Language::English},
      {"zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese},
      {"en;q=0.8, zh;q=0.9", Language::Chinese},
      {"en;q=0.9, zh;q=0.8", Language::English},
      {"en, zh", Language::English},
      {"zh, en", Language::Chinese},
      {"fr, zh;q=0.1", Language::Chinese},
      {"fr", Language::English},
      {"*", Language::English},
      {"zh;q=0", Language::English},
      {"zh;q=0, *", Language::English},
      {"zh;q=0.001", Language::Chinese},
      {" zh ; q = 0.5 , en ; q = 0.4 ", Language::Chinese},
      {"zh;level=1;q=0.2,en;q=0.3", Language::English},
      {"zh;q=2", Language::English},
      {"zh;q=abc", Language::English},
      {"zh;q=", Language::English},
      {"zh;q=-1", Language::English},
      {"zh;q=nan", Language::English},
      {",,;;=,zh", Language::Chinese},
      {"zhx", Language::English},
  };
  for (const auto& [header, language] : cases) {
    CAPTURE(header);
    CHECK(choose_language(header) == language);
  }
}

TEST_CASE("negotiation: of Accept the most specific range decides, and what is malformed excludes nothing") {
  const struct {
    std::vector<std::string> headers;
    bool json;
    bool text;
  } cases[] = {
      {{}, true, true},
      {{""}, true, true},
      {{" , ,"}, true, true},
      {{"*/*"}, true, true},
      {{"application/json"}, true, false},
      {{"Application/JSON"}, true, false},
      {{"text/plain"}, false, true},
      {{"application/*"}, true, false},
      {{"text/*"}, false, true},
      {{"application/xml"}, false, false},
      {{"application/jsonp"}, false, false},
      {{"text/json"}, false, false},
      {{"application/json, text/plain, */*"}, true, true},
      {{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, true, true},
      {{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, true, true},
      {{"image/*;q=1, application/json;q=0"}, false, false},
      {{"application/json;q=0, */*"}, false, true},
      {{"*/*, application/json;q=0"}, false, true},
      {{"application/*;q=0, */*;q=0.1"}, false, true},
      {{"application/*;q=0, application/json;q=0.001"}, true, false},
      {{"application/json;q=0, application/json"}, true, false},
      {{"*/*;q=0"}, false, false},
      {{"*/*;q=0.000"}, false, false},
      {{"application/json;q=1.000"}, true, false},
      {{"application/json ; Q = 0"}, false, false},
      {{"application/json;charset=UTF-8"}, true, false},
      {{"application/json;version=2;q=0, application/json"}, true, false},
      {{"application/json;note=\"a,b;q=0\""}, true, false},
      {{"application/json;note=\"\\\";q=0,\""}, true, false},
      {{"application/xml;note=\"a, */*\""}, false, false},
      {{"application/vnd.ocp+json"}, true, false},
      {{"application/*+json"}, true, false},
      {{"application/vnd.ocp+json;q=0, */*"}, true, true},
      {{"application/vnd.ocp+xml"}, false, false},
      {{"application/+json"}, false, false},
      {{"application/xml", "application/json"}, true, false},
      {{"application/xml", "text/*"}, false, true},
      {{"*/*", "application/json;q=0"}, false, true},
      {{"json"}, true, true},
      {{"/"}, true, true},
      {{"application/"}, true, true},
      {{"/json"}, true, true},
      {{"*/json"}, true, true},
      {{"application/xml/json"}, true, true},
      {{"application/xml text/html"}, true, true},
      {{"application/xml;q=abc"}, true, true},
      {{"application/xml;q="}, true, true},
      {{"application/json;q=2"}, true, true},
      {{"application/json;q=-1"}, true, true},
      {{"application/json;q=nan"}, true, true},
      {{"application/xml, broken"}, true, true},
      {{"application/xml;note=\"open"}, false, false},
      {{"application/xml;note=\"open\\"}, false, false},
      {{";q=0"}, true, true},
  };
  for (const auto& [values, json, text] : cases) {
    Headers headers{{"Accept-Language", "zh"}};
    for (const std::string& value : values) headers.add("accept", value);
    CAPTURE(headers.text());
    CHECK(accepts(headers, kJsonType) == json);
    CHECK(accepts(headers, kTextType) == text);
  }
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a/b;q=0.1,";
  CHECK_FALSE(accepts({{"Accept", many}}, kJsonType));
  CHECK(accepts({{"Accept", many + kJsonType.data()}}, kJsonType));
}

TEST_CASE("negotiation: JSON is application/json and what has the suffix +json") {
  for (const std::string type : {"application/json", "Application/JSON ; charset=utf-8", "application/problem+json",
                                 "application/vnd.x+JSON;a=b"}) {
    CAPTURE(type);
    CHECK(is_json_type(type));
  }
  for (const std::string type : {"", "text/html", "application/jsonp", "+json", "text/plain; a=application/json"}) {
    CAPTURE(type);
    CHECK_FALSE(is_json_type(type));
  }
}
