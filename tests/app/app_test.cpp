#include "app/app.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/fixed_app.h"
#include "ocp/digest.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("app: the envelope has the time, the server and a new trace id") {
  const http::Response response = Fixed().get(kPath);
  CHECK(response.status == 200);
  CHECK(without_duration(response.body) ==
        R"({"data":{"contents":[{"clusterId":1,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","tenantId":2}],)"
        R"("page":{"number":1,"size":10,"totalElements":1,"totalPages":1}},"duration":N,"server":"a24d13ce67",)"
        R"("status":200,"successful":true,"timestamp":"2024-08-09T16:06:02.74+08:00","traceId":"0123456789abcdef"})");
  CHECK(response.headers == Headers{{"Content-Type", "application/json"}, {"Date", "Fri, 09 Aug 2024 08:06:02 GMT"}});
}

TEST_CASE("app: the server's name and the offset are those of the options") {
  AppOptions options;
  options.server = "中\"";
  options.offset_minutes = 0;
  const std::string body = Fixed(options).get(kPath).body;
  CHECK(contains(body, R"("server":"中\"",)"));
  CHECK(contains(body, R"("timestamp":"2024-08-09T08:06:02.74Z",)"));
}

TEST_CASE("app: a trace id that the client sends is answered") {
  const struct {
    std::string sent;
    std::string answered;
  } cases[] = {
      {"abc", "abc"}, {"a%41 b", "a%41 b"}, {"", "0123456789abcdef"}, {"\"\\", "\\\"\\\\"}, {"中", "中"}, {"\xE9", "é"},
  };
  for (const auto& [sent, answered] : cases) {
    CAPTURE(sent);
    for (const std::string& target : {kPath, std::string("/unknown")}) {
      CHECK(contains(Fixed().get(target, {{"X-Trace-ID", sent}}).body, "\"traceId\":\"" + answered + "\"}"));
    }
  }
}

TEST_CASE("app: timestamp and duration are those of the moment when the answer was made") {
  // Takes five milliseconds of the clock that durations are measured with, and moves the other one by an hour.
  class SlowDataset : public BrokenDataset {
   public:
    explicit SlowDataset(Instant& now) : now_(now) {}
    std::variant<Page, SlowPage> list(const Request&) const override {
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
      while (std::chrono::steady_clock::now() < end) {
      }
      now_.second += 3600;
      return Page{};
    }

   private:
    Instant& now_;
  };
  Instant now{1723190762, 0};
  WorldOptions world;
  world.real_now = [&] { return now; };
  Worlds worlds(world, std::make_shared<SlowDataset>(now));
  const App app({}, {[&] { return now; }, [] { return std::string("t"); }, std::make_shared<spdlog::logger>("quiet")},
                ocp_router(), worlds);
  const std::string body = app.handle({"GET", kPath, {{"Authorization", kBasic}}, "", {}}).body;
  CHECK(contains(body, "\"timestamp\":\"2024-08-09T17:06:02+08:00\""));
  CHECK(std::atoi(body.c_str() + body.find("\"duration\":") + 11) >= 5);
}

TEST_CASE("app: with frozen values every answer has them") {
  AppOptions options;
  options.frozen = EnvelopeValues{79, "s", "2024-08-09T16:06:02.743+08:00", "t"};
  Fixed app(options);
  for (const std::string& target : {kPath, std::string("/unknown")}) {
    const http::Response response = app.get(target, {{"x-trace-id", "other"}});
    CHECK(contains(response.body, "\"duration\":79,"));
    CHECK(contains(response.body, "\"server\":\"s\","));
    CHECK(contains(response.body, "\"timestamp\":\"2024-08-09T16:06:02.743+08:00\",\"traceId\":\"t\"}"));
    CHECK(response.headers.find("Date") == "Fri, 09 Aug 2024 08:06:02 GMT");
  }
}

TEST_CASE("app: what a captured answer lacks is frozen as in the page's example") {
  const EnvelopeValues example = frozen_values({}, {});
  CHECK(example.duration == 79);
  CHECK(example.server == "a24d13ce67");
  CHECK(example.timestamp == "2024-08-09T16:06:02.743+08:00");
  CHECK(example.trace_id == "8e1e79e260d12bba");
  const EnvelopeValues mixed = frozen_values({5, "captured", "2020-01-01T00:00:00Z", "x"}, "mine");
  CHECK(mixed.duration == 5);
  CHECK(mixed.server == "mine");
  CHECK(mixed.timestamp == "2020-01-01T00:00:00Z");
  CHECK(mixed.trace_id == "x");
}

TEST_CASE("app: a defect of the mock is answered as 500 without its text, and logged with it") {
  Fixed app({}, std::make_shared<BrokenDataset>());
  const http::Response response = app.get(kPath);
  CHECK(response.status == 500);
  CHECK(
      without_duration(response.body) ==
      R"({"duration":N,"error":{"code":10010,"message":"Unexpected error; the server's log has it under this trace id."},)"
      R"("server":"a24d13ce67","status":500,"successful":false,"timestamp":"2024-08-09T16:06:02.74+08:00",)"
      R"("traceId":"0123456789abcdef"})");
  CHECK(contains(app.log(), "trace id 0123456789abcdef: SELECT secret FROM sqlite_master"));
}

TEST_CASE("app: rules that the client broke are logged, and refused under --strict") {
  const struct {
    std::string query;
    std::string message;
  } cases[] = {
      {"pagesize=1",
       "Parameter 'pagesize' is unknown; known are startTime, endTime, status, page, size, sort. OCP ignores it, "
       "--strict refuses it."},
      {"status=",
       "Parameter 'status' has an empty value in ''; give a value or leave it out. OCP ignores it, --strict "
       "refuses it."},
      {"page=1&page=2",
       "Parameter 'page' is given again as '2'; give it once. OCP takes the first, --strict refuses it."},
      {"size=2001", "Parameter 'size' is '2001'; it must be at most 2000. OCP answers 2000, --strict refuses it."},
  };
  AppOptions strict;
  strict.strict = true;
  for (const auto& [query, message] : cases) {
    CAPTURE(query);
    Fixed lenient_app;
    CHECK(lenient_app.get(kPath + "?" + query).status == 200);
    CHECK(contains(lenient_app.log(), "[warning] GET "));
    CHECK(contains(lenient_app.log(), " | " + message));
    const http::Response refused = Fixed(strict).get(kPath + "?" + query);
    CHECK(refused.status == 400);
    CHECK(contains(refused.body, "\"error\":{\"code\":0,\"message\":\"" + message + "\"}"));
  }
  CHECK(Fixed(strict).get(kPath + "?page=1&size=10&status=RUNNING").status == 200);
  Fixed refused_anyway;
  CHECK(refused_anyway.get(kPath + "?pagesize=1&page=0").status == 400);
  CHECK(contains(refused_anyway.log(), "[warning] GET "));
  CHECK(contains(refused_anyway.log(), " | Parameter 'pagesize' is unknown;"));
  Fixed many;
  many.get(kPath + "?a&b&c&d&e&f&g&h&i&j&k&l");
  CHECK(contains(many.log(), " | and 2 more"));
}

TEST_CASE("app: raw characters and an Accept without JSON are noted on every path, and refused under --strict") {
  AppOptions strict;
  strict.strict = true;
  const struct {
    std::string target;
    Headers headers;
    int status;         // without --strict
    int strict_status;  // with it
    std::string message;
  } cases[] = {
      {kPath + "?status=FAILED&x[]=1", {}, 200, 400, "The query has raw characters, [ ];"},
      {"/api/status?a=|", {}, 200, 400, "The query has raw characters, |;"},
      {"/api/v2/time?a=|", {}, 200, 400, "The query has raw characters, |;"},
      {"/unknown?a={", {}, 404, 400, "The query has raw characters, {;"},
      {kPath + "?page=0&a={", {}, 400, 400, "The query has raw characters, {;"},
      {kPath,
       {{"Accept", "application/xml"}},
       200,
       406,
       "The Accept header is 'application/xml', which excludes application/json;"},
      {kPath,
       {{"Accept", "image/*;q=1"}, {"accept", "application/json;q=0"}},
       200,
       406,
       "The Accept header is 'image/*;q=1,application/json;q=0', which excludes application/json;"},
      {kPath, {{"Accept", "text/plain"}}, 200, 406, "which excludes application/json;"},
      {"/api/v2/info", {{"Accept", "text/plain"}}, 200, 406, "which excludes application/json;"},
      {"/api/status", {{"Accept", "application/xml"}}, 200, 406, "which excludes text/plain;"},
      {"/api/v2/time", {{"Accept", "application/xml"}}, 200, 406, "which excludes text/plain;"},
      {"/unknown", {{"Accept", "text/html"}}, 404, 406, "which excludes application/json;"},
      {"/api/status?a=^", {{"Accept", "text/html"}}, 200, 400, "The query has raw characters, ^;"},
      {"/api/status", {{"Accept", "text/plain"}}, 200, 200, ""},
      {"/api/v2/time", {{"Accept", "text/*"}}, 200, 200, ""},
      {"/api/status", {{"Accept", "application/json"}}, 200, 200, ""},
      {"/api/v2/time", {{"Accept", "application/json"}}, 200, 200, ""},
      {"/api/v2/info", {{"Accept", "application/json"}}, 200, 200, ""},
      {kPath + "?status=%5B", {}, 400, 400, ""},
      {kPath, {{"Accept", ""}}, 200, 200, ""},
      {kPath, {{"Accept", "application/json, text/plain, */*"}}, 200, 200, ""},
  };
  for (const auto& [target, headers, status, strict_status, message] : cases) {
    CAPTURE(target);
    CAPTURE(headers.text());
    Fixed lenient_app;
    CHECK(lenient_app.get(target, headers).status == status);
    CHECK(contains(lenient_app.log(), message.empty() ? "[info] GET " : "[warning] GET "));
    CHECK(contains(lenient_app.log(), message));
    Fixed strict_app(strict);
    const http::Response refused = strict_app.get(target, headers);
    CHECK(refused.status == strict_status);
    if (message.empty()) continue;
    CHECK(contains(refused.body, "{\"duration\":"));
    CHECK(contains(refused.body, "\"error\":{\"code\":0,\"message\":\""));
    CHECK(contains(refused.body, message));
    CHECK(contains(refused.body, "\"status\":" + std::to_string(strict_status) + ","));
    CHECK(refused.header("Content-Type") == "application/json");
  }
  // Who may not ask hears of that first.
  CHECK(Fixed(strict).get("/api/status?a=|", {{"Authorization", "Basic x"}}).status == 401);
}

TEST_CASE("app: each defect of HTTP has its status and its envelope") {
  using http::ParseError;
  const struct {
    ParseError defect;
    int status;
  } cases[] = {
      {ParseError::MalformedRequestLine, 400},
      {ParseError::VersionNotSupported, 505},
      {ParseError::TargetTooLong, 414},
      {ParseError::MalformedHeader, 400},
      {ParseError::HeadTooLarge, 431},
      {ParseError::HostHeader, 400},
      {ParseError::BadContentLength, 400},
      {ParseError::UnsupportedTransferEncoding, 501},
      {ParseError::BadChunk, 400},
      {ParseError::BodyTooLarge, 413},
      {ParseError::ExpectationFailed, 417},
      {ParseError::Timeout, 408},
      {ParseError::PlainHttp, 400},
      {ParseError::Tls, 400},
  };
  for (const auto& [defect, status] : cases) {
    const http::Response response = Fixed().handle({"", "", {}, "", defect});
    CHECK(response.status == status);
    CHECK(contains(response.body, "\"error\":{\"code\":0,\"message\":\""));
    CHECK(contains(response.body, "\"status\":" + std::to_string(status) + ",\"successful\":false"));
  }
}

TEST_CASE("app: without credentials everything but /api/v2/time is refused, before anything else is looked at") {
  for (const std::string& target : {kPath, kPath + "?page=0&page=%zz", std::string("/unknown"), std::string("/%"),
                                    std::string("/api/v2/info"), std::string("/api/status")}) {
    CAPTURE(target);
    for (const std::string method : {"GET", "POST"}) {
      const http::Response response = Fixed().handle({method, target, {}, "", {}});
      CHECK(response.status == 401);
      CHECK(without_duration(response.body) ==
            R"({"duration":N,"error":{"code":0,"message":"The request has no credentials; it must have an )"
            R"(Authorization header, 'Basic' with user and password or 'OCP-ACCESS-KEY-HMACSHA1' with access key and )"
            R"(signature."},"server":"a24d13ce67","status":401,"successful":false,)"
            R"("timestamp":"2024-08-09T16:06:02.74+08:00","traceId":"0123456789abcdef"})");
      CHECK(response.headers == Headers{{"Content-Type", "application/json;charset=UTF-8"},
                                        {"WWW-Authenticate", "Basic realm=\"OCP\", charset=\"UTF-8\""},
                                        {"Date", "Fri, 09 Aug 2024 08:06:02 GMT"}});
    }
  }
  CHECK(Fixed().handle({"GET", "/api/v2/time", {}, "", {}}).status == 200);
  CHECK(Fixed().handle({"GET", "/api/v2/time", {{"Authorization", "nonsense"}}, "", {}}).status == 200);
  CHECK(contains(Fixed().handle({"GET", kPath, {{"Accept-Language", "zh"}}, "", {}}).body, "请求缺少认证信息"));
}

TEST_CASE("app: with --auth off nothing is checked") {
  AppOptions options;
  options.auth = AuthMode::Off;
  CHECK(Fixed(options).handle({"GET", kPath, {}, "", {}}).status == 200);
  CHECK(Fixed(options).handle({"GET", kPath, {{"Authorization", "nonsense"}}, "", {}}).status == 200);
}

TEST_CASE("app: the companions answer without an envelope, by the clock of the envelope") {
  const struct {
    std::string target;
    std::string type;
    std::string body;
  } cases[] = {
      {"/api/v2/time", "text/plain;charset=UTF-8", "2024-08-09T16:06:02.74+08:00"},
      {"/api/status", "text/plain;charset=UTF-8", "okay"},
      {"/api/v2/info", "application/json",
       R"({"artifact":"ocp-server","buildJavaVersion":"1.8","buildTime":"2024-08-09T00:00:00Z","buildVersion":"4.2\"0",)"
       R"("group":"com.oceanbase","name":"ocp-server","springBootVersion":"2.7.18"})"},
  };
  AppOptions options;
  options.ocp_version = "4.2\"0";
  for (const auto& [target, type, body] : cases) {
    CAPTURE(target);
    const http::Response response = Fixed(options).get(target);
    CHECK(response.status == 200);
    CHECK(response.header("Content-Type") == type);
    CHECK(response.body == body);
    const http::Response post = Fixed(options).handle({"POST", target, {{"Authorization", kBasic}}, "", {}});
    CHECK(post.status == 405);
    CHECK(post.header("Allow") == "GET, HEAD");
  }
  options.pretty = true;
  CHECK(Fixed(options).get("/api/status").body == "okay");
  CHECK(Fixed(options).get("/api/v2/info").body.starts_with("{\n  \"artifact\": \"ocp-server\",\n"));
  options.strict = true;
  CHECK(Fixed(options).get("/api/status").status == 200);
  CHECK(Fixed(options).get("/api/status?x=1").status == 400);
  options.frozen = EnvelopeValues{79, "s", "2020-01-01T00:00:00Z", "t"};
  CHECK(Fixed(options).get("/api/v2/time").body == "2020-01-01T00:00:00Z");
}

TEST_CASE("app: with a rate limit every answer says what is left of it, and past it comes 429") {
  WorldOptions worlds;
  worlds.rate_limit = parse_rate_limit("2/1m");
  Fixed app({}, dataset(), worlds);
  const auto limits = [](const http::Response& response) {
    return std::to_string(response.status) + " " + std::string(response.header("RateLimit-Limit").value_or("-")) + " " +
           std::string(response.header("RateLimit-Remaining").value_or("-")) + " " +
           std::string(response.header("RateLimit-Reset").value_or("-"));
  };
  const Headers other{{"Authorization", "Basic b3RoZXI6eA=="}};  // other:x
  CHECK(limits(app.get(kPath)) == "200 2 1 60");
  app.now.second += 20;
  CHECK(limits(app.get("/unknown")) == "404 2 0 40");
  CHECK(limits(app.get(kPath)) == "429 2 0 40");
  CHECK(limits(app.get("/unknown")) == "429 2 0 40");
  CHECK(
      without_duration(app.get(kPath).body)
          .starts_with(
              R"({"duration":N,"error":{"code":0,"message":"Over the rate limit of 2 per 1m; the next window begins in 40 s."},)"
              R"("server":"a24d13ce67","status":429,"successful":false,)"));
  CHECK(limits(app.get(kPath + "?page=0", other)) == "400 2 1 60");
  CHECK(limits(app.get("/api/status", other)) == "200 2 0 60");
  // Who has no user is not counted, and not refused.
  for (int i = 0; i < 5; ++i) {
    CHECK(limits(app.get("/api/v2/time")) == "200 2 2 60");
    CHECK(limits(app.get(kPath, {{"Authorization", "nonsense"}})) == "401 2 2 60");
    CHECK(limits(app.handle({"", "", {}, "", http::ParseError::MalformedRequestLine})) == "400 2 2 60");
  }
  app.now.second += 39;
  CHECK(limits(app.get(kPath)) == "429 2 0 1");
  app.now.second += 1;
  CHECK(limits(app.get(kPath)) == "200 2 1 60");
  CHECK(limits(Fixed().get(kPath)) == "200 - - -");
}

TEST_CASE("app: a path that was meant for the admin side is answered with the one that is right") {
  const struct {
    std::string path;
    std::string meant;
  } cases[] = {
      {"/_admin/clock", "/__admin/clock"},
      {"/admin", "/__admin"},
      {"/___admin/x", "/__admin/x"},
      {"/__Admin/clock", "/__admin/clock"},
  };
  for (const auto& [path, meant] : cases) {
    CAPTURE(path);
    // No credentials: those of an admin call are others.
    const http::Response response = Fixed().handle({"GET", path, {}, "", {}});
    CHECK(response.status == 404);
    CHECK(contains(response.body, "Path '" + path + "' is unknown;"));
    CHECK(contains(response.body, "Did you mean '" + meant + "'? Admin calls begin with two underscores."));
  }
  CHECK(Fixed().handle({"GET", "/administrator", {}, "", {}}).status == 401);
  AppOptions options;
  options.admin = false;
  CHECK(Fixed(options).handle({"GET", "/_admin/clock", {}, "", {}}).status == 401);
}

TEST_CASE("app: the configuration of OBProxy names the address by which the client has reached the server") {
  const auto url = [](bool tls, Headers headers) {
    AppOptions options;
    options.tls = tls;
    Fixed app(options);
    const http::Response response = finished(app.get("/services?Action=GetObProxyConfig", std::move(headers)));
    const auto begin = response.body.find("http");
    return response.body.substr(begin, response.body.find("/client") - begin);
  };
  CHECK(url(false, {{"Host", "ocp.test:1234"}}) == "http://ocp.test:1234");
  CHECK(url(true, {{"Host", "[::1]:8443"}}) == "https://[::1]:8443");
  CHECK(url(false, {}) == "http://localhost");
}
