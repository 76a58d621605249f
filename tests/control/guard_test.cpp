#include "control/guard.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kHosts{"mock.example.com", "MOCK.Upper.Example.", "*.Of.certificate.example"};

std::string refusal(const Headers& headers, const std::string& target = "/__admin/reset") {
  const http::Request request{"POST", target, headers, "", {}};
  const auto refused = refuse_stranger(request, kHosts);
  if (!refused) return "";
  CHECK(refused->status == 403);
  return refused->detail;
}

std::string refusal_of_body(const Headers& headers, bool takes_lines = false, const std::string& body = "{}") {
  const http::Request request{"POST", "/__admin/faults", headers, body, {}};
  const auto refused = refuse_body(request, takes_lines);
  if (!refused) return "";
  CHECK(refused->status == 415);
  return refused->detail;
}

}  // namespace

TEST_CASE("guard: hosts that no public name server gives away may be asked for admin calls") {
  for (const std::string host : {"127.0.0.1",
                                 "127.0.0.1:8080",
                                 "10.1.2.3:80",
                                 "127.1",
                                 "0.0.0.0:8080",
                                 "[::1]",
                                 "[::1]:8080",
                                 "[FE80::1%25eth0]:8080",
                                 "[::ffff:127.0.0.1]:1",
                                 "localhost",
                                 "LocalHost:8080",
                                 "localhost.",
                                 "localhost.:8080",
                                 "h",
                                 "mock",
                                 "ocp-mock_1:8080",
                                 "a.localhost",
                                 "a.b.localhost:1",
                                 "printer.local",
                                 "host.docker.internal:8080",
                                 "x.TEST",
                                 "mock.default.svc",
                                 "mock.default.svc.cluster.local:8080",
                                 "mock.example.com",
                                 "Mock.Example.COM.:8080",
                                 "mock.upper.example",
                                 "one.of.certificate.example",
                                 ""}) {
    CAPTURE(host);
    CHECK(refusal({{"Host", host}}) == "");
  }
  CHECK(refusal({}) == "");  // HTTP/1.0
}

TEST_CASE("guard: every other host is refused, with what would be right") {
  for (const std::string host :
       {"evil.example", "evil.example:8080", "EVIL.example.", "mock.example.com.evil", "amock.example.com",
        "x.mock.example.com", "evil.com.", "127.0.0.1.nip.io", "localhost.evil.com", "a.locale", "a.svc.evil",
        "local.com", "127.0.0.1.", "1.example", "of.certificate.example", "a.b.of.certificate.example"}) {
    CAPTURE(host);
    const std::string said = refusal({{"Host", host}});
    // An address with a dot at its end is still one.
    if (host == "127.0.0.1.") {
      CHECK(said == "");
      continue;
    }
    CHECK(said.starts_with("the Host is '" + host + "', a name that anybody's name server could give to this address"));
    CHECK(said.find("or start the server with --admin-host ") != std::string::npos);
  }
  for (const std::string host : {"evil@127.0.0.1",
                                 "127.0.0.1:80a",
                                 "::1",
                                 "::1:8080",
                                 "[::1",
                                 "[::1]x",
                                 "[::1]:x",
                                 "a/b",
                                 "a b",
                                 "127.0.0.1, evil.example",
                                 "[evil.example]",
                                 "[::1%]",
                                 "[1:2]",
                                 "[::g]",
                                 "h:65536",
                                 "h:123456",
                                 "a..local",
                                 ".local",
                                 ".of.certificate.example",
                                 ".",
                                 "h%41",
                                 "a\"b",
                                 "<h>",
                                 "h\\evil.example",
                                 "é"}) {
    CAPTURE(host);
    CHECK(refusal({{"Host", host}}).starts_with("the Host is '"));
  }
  // An absolute target names a host as well.
  CHECK(refusal({{"Host", "localhost"}}, "http://evil.example/__admin/reset") != "");
  CHECK(refusal({{"Host", "localhost"}}, "http://localhost:8080/__admin/reset") == "");
  CHECK(refusal({{"Host", "localhost"}}, "/__admin/explain?request=http://evil.example/") == "");
}

TEST_CASE("guard: what a page of another origin sends is refused, and what one of this server sends is not") {
  const struct {
    std::string host;
    std::string origin;
    bool passes;
  } cases[] = {
      {"127.0.0.1:8080", "http://127.0.0.1:8080", true},
      {"127.0.0.1:8080", "HTTP://127.0.0.1:8080", true},
      {"LOCALHOST:8080", "http://localhost:8080", true},
      {"localhost.:8080", "http://localhost:8080", true},
      {"localhost", "http://localhost", true},
      {"localhost", "http://localhost:80", true},
      {"localhost:80", "http://localhost", true},
      {"localhost", "https://localhost", true},
      {"localhost:443", "https://localhost", true},
      {"[::1]:8080", "http://[::1]:8080", true},
      {"127.0.0.1:8080", "null", false},
      {"127.0.0.1:8080", "", false},
      {"127.0.0.1:8080", "http://127.0.0.1", false},
      {"127.0.0.1:8080", "http://127.0.0.1:8081", false},
      {"127.0.0.1:8080", "http://localhost:8080", false},
      {"127.0.0.1:8080", "http://evil.example", false},
      {"127.0.0.1:8080", "http://127.0.0.1:8080.evil.example", false},
      {"127.0.0.1:8080", "http://evil.example@127.0.0.1:8080", false},
      {"127.0.0.1:8080", "http://evil.example/127.0.0.1:8080", false},
      {"127.0.0.1:8080", "127.0.0.1:8080", false},
      {"127.0.0.1:8080", "file://", false},
      {"127.0.0.1:8080", "chrome-extension://127.0.0.1:8080", false},
      {"localhost:80", "https://localhost", false},
      {"", "http://", false},
  };
  for (const auto& [host, origin, passes] : cases) {
    CAPTURE(host + " " + origin);
    const std::string said = refusal({{"Origin", origin}, {"Host", host}});
    CHECK(said.empty() == passes);
    if (!passes) CHECK(said.starts_with("a page of another origin has sent this (Origin: " + origin + ")"));
  }
  // One that is right does not make another one right.
  CHECK(refusal({{"Host", "h"}, {"Origin", "http://h"}, {"Origin", "http://evil.example"}}) != "");
}

TEST_CASE("guard: what a browser says it was sent by counts") {
  const Headers host{{"Host", "localhost"}};
  for (const std::string site : {"same-origin", "none", "None"}) {
    CAPTURE(site);
    CHECK(refusal({{"Host", "localhost"}, {"sec-fetch-site", site}}) == "");
  }
  for (const std::string site : {"cross-site", "same-site", "CROSS-SITE", "", "anything"}) {
    CAPTURE(site);
    CHECK(refusal({{"Host", "localhost"}, {"Sec-Fetch-Site", site}})
              .starts_with("a page of another site has sent this (Sec-Fetch-Site: " + site + ")"));
  }
}

TEST_CASE("guard: bodies are JSON, or what curl -d makes of it") {
  for (const std::string type :
       {"application/json", "Application/JSON", "application/json;charset=UTF-8", "application/json ; x=y", "",
        "application/vnd.ocp+json", "application/problem+JSON", "application/x-www-form-urlencoded"}) {
    CAPTURE(type);
    CHECK(refusal_of_body({{"Content-Type", type}}) == "");
  }
  CHECK(refusal_of_body({}) == "");
  for (const std::string type :
       {"text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "text/json", "application/jsonx",
        "application/octet-stream", "application/x-ndjson", "+json", "text/x+json"}) {
    CAPTURE(type);
    CHECK(refusal_of_body({{"Content-Type", type}}) ==
          "the Content-Type is '" + type + "'; it must be application/json, or absent");
    CHECK(refusal_of_body({{"Content-Type", type}}, false, "") == "");  // no body, so none of a type
  }
  CHECK(refusal_of_body({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}) != "");
  CHECK(refusal_of_body({{"Content-Type", "application/x-ndjson"}}, true) == "");
  CHECK(refusal_of_body({{"Content-Type", "application/jsonl"}}, true) == "");
  CHECK(refusal_of_body({{"Content-Type", "text/plain"}}, true) ==
        "the Content-Type is 'text/plain'; it must be application/json, application/x-ndjson for a row a line, or "
        "absent");
  CHECK(refusal_of_body({{"Content-Encoding", "identity"}}) == "");
  CHECK(refusal_of_body({{"content-encoding", "gzip"}}) ==
        "the Content-Encoding is 'gzip'; admin calls take bodies as they are, without one");
  CHECK(refusal_of_body({{"Content-Encoding", "br"}}, true) != "");
}

TEST_CASE("guard: wrong tokens of an address wait longer and longer, and the memory of them is bounded") {
  WrongTokens tokens;
  const WrongTokens::Time start{1h};
  for (int i = 0; i < WrongTokens::kFree; ++i) CHECK(tokens.add("10.0.0.1", start) == 0ms);
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    CHECK(tokens.add("10.0.0.1", start) == expected);
  }
  CHECK(tokens.add("10.0.0.2", start) == 0ms);
  CHECK(tokens.add("10.0.0.1", start + 9min) == 5000ms);
  CHECK(tokens.add("10.0.0.1", start + 18min) == 5000ms);
  CHECK(tokens.add("10.0.0.1", start + 28min) == 0ms);  // forgotten after ten minutes of peace

  for (int i = 0; i < WrongTokens::kFree; ++i) tokens.add("10.0.0.3", start + 1h);
  CHECK(tokens.add("10.0.0.3", start + 1h) == 100ms);
  // It is the latest, so others are forgotten for those that come.
  for (std::size_t i = 0; i + 1 < WrongTokens::kMostAddresses; ++i) tokens.add(std::to_string(i), start + 1h + 1s);
  CHECK(tokens.add("10.0.0.3", start + 1h + 1s) == 200ms);
  // It is the oldest.
  for (std::size_t i = 0; i < WrongTokens::kMostAddresses; ++i) tokens.add("a" + std::to_string(i), start + 1h + 2s);
  CHECK(tokens.add("10.0.0.3", start + 1h + 2s) == 0ms);
}
