#include "app/app.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fixtures/forms.h"
#include "http/deferred_response.h"
#include "log_backup_tasks.h"
#include "ocp/digest.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;

namespace {

const std::string kBasic = "Basic YWRtaW46c2VjcmV0";  // admin:secret
const std::string kPath = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

std::shared_ptr<const Dataset> dataset() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json",
                    R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"}])",
                    *builder);
  return builder->finish();
}

class BrokenDataset : public Dataset {
 public:
  const Catalogue& catalogue() const override { return ocp_catalogue(); }
  std::variant<Page, SlowPage> list(const Request&) const override {
    throw std::runtime_error("SELECT secret FROM sqlite_master");
  }
  std::optional<std::size_t> find_missing(const Request&) const override { return std::nullopt; }
  Explanation explain(const Request&) const override { return {}; }
  CapturedEnvelope envelope() const override { return {}; }
  Outline outline(const Resource&) const override { return {}; }
  Outline keys(const Resource&) const override { return {}; }
  bool has_timelines() const override { return false; }
  bool has_exchanges() const override { return false; }
  std::optional<StoredExchange> find_exchange(const std::string&, const std::string&) const override { return {}; }
  std::optional<std::string> find_exchange_of_path(const std::string&, const std::string&) const override { return {}; }
  void each_exchange(const std::function<void(const StoredExchange&)>&) const override {}
  void each_row(const Resource&, const RowSelection&, const std::function<void(const StoredRow&)>&) const override {}
  std::unique_ptr<DatasetBuilder> copy() const override { return DatasetBuilder::in_memory(ocp_catalogue()); }
  std::vector<std::string> query_plan(const SqlQuery&) const override { return {}; }
};

// Another one that holds whoever copies it, until it lets go.
class HeldDataset : public Dataset {
 public:
  explicit HeldDataset(std::shared_ptr<const Dataset> inner) : inner_(std::move(inner)) {}
  const Catalogue& catalogue() const override { return inner_->catalogue(); }
  std::variant<Page, SlowPage> list(const Request& request) const override { return inner_->list(request); }
  std::optional<std::size_t> find_missing(const Request& request) const override {
    return inner_->find_missing(request);
  }
  Explanation explain(const Request&) const override { return {}; }
  CapturedEnvelope envelope() const override { return {}; }
  Outline outline(const Resource&) const override { return {}; }
  Outline keys(const Resource&) const override { return {}; }
  bool has_timelines() const override { return inner_->has_timelines(); }
  bool has_exchanges() const override { return false; }
  std::optional<StoredExchange> find_exchange(const std::string&, const std::string&) const override { return {}; }
  std::optional<std::string> find_exchange_of_path(const std::string&, const std::string&) const override { return {}; }
  void each_exchange(const std::function<void(const StoredExchange&)>&) const override {}
  void each_row(const Resource& resource, const RowSelection& selection,
                const std::function<void(const StoredRow&)>& visit) const override {
    inner_->each_row(resource, selection, visit);
  }
  std::unique_ptr<DatasetBuilder> copy() const override {
    ++copies;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (held && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (fails) throw DatasetError("the dataset is damaged: held");
    return inner_->copy();
  }
  std::vector<std::string> query_plan(const SqlQuery&) const override { return {}; }

  mutable std::atomic<int> copies{0};
  std::atomic<bool> held{true};
  std::atomic<bool> fails{false};

 private:
  const std::shared_ptr<const Dataset> inner_;
};

std::shared_ptr<HeldDataset> held_timeline() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json",
                    R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING",)"
                    R"("$timeline":[{"at":"PT10S","status":"FAILED"},{"at":"PT20S","status":"STOPPED"}]}])",
                    *builder);
  return std::make_shared<HeldDataset>(builder->finish());
}

// An App at a fixed time, with what it logs.
class Fixed {
 public:
  explicit Fixed(AppOptions options = {}, std::shared_ptr<const Dataset> data = dataset(), WorldOptions worlds = {})
      : worlds_(at(std::move(worlds)), std::move(data)),
        app_(std::move(options), {[this] { return real_now; }, [] { return std::string("0123456789abcdef"); }, logger_},
             ocp_router(), worlds_) {}

  // With credentials, where the headers have none.
  http::Response get(const std::string& target, Headers headers = {}) {
    http::Request request{"GET", target, std::move(headers), "", {}};
    if (!request.header("Authorization")) request.headers.add("Authorization", kBasic);
    return app_.handle(request);
  }
  http::Response handle(const http::Request& request) { return app_.handle(request); }
  std::string log() const { return log_.str(); }
  Worlds& worlds() { return worlds_; }
  void set_level(spdlog::level::level_enum level) { logger_->set_level(level); }

  Instant now{1723190762, 740'000'000};
  Instant real_now{1893456000, 0};  // Tue, 01 Jan 2030 00:00:00 GMT

 private:
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> logger_ =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
  WorldOptions at(WorldOptions worlds) const {
    worlds.real_now = [this] { return now; };
    return worlds;
  }

  Worlds worlds_;
  App app_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// More than are sorted while the request waits.
std::shared_ptr<const Dataset> many_tasks() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  std::string tasks;
  for (int i = 0; i < 2001; ++i) {
    tasks += R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","delay":)" +
             std::to_string(i) + "}\n";
  }
  load_fixture_text(ocp_router(), "logBackupTasks.ndjson", tasks, *builder);
  return builder->finish();
}

http::Response finished(const http::Response& later) {
  REQUIRE(later.deferred);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!later.deferred->is_complete()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  return later.deferred->take();
}

// The envelope's duration is the one value that no test can fix: it must be a whole number.
std::string without_duration(std::string body) {
  const auto at = body.find("\"duration\":") + 11;
  const auto end = body.find(',', at);
  CHECK(body.find_first_not_of("0123456789", at) == end);
  return body.replace(at, end - at, "N");
}

}  // namespace

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

TEST_CASE("app: a log line cannot be forged by a request") {
  Fixed app;
  app.get("/a\nb\x7F\xFF", {{"x-trace-id", "evil\xE9"}});
  CHECK(contains(app.log(), "GET /a%0Ab%7F%FF 400 "));
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

TEST_CASE("app: at log level debug a refused access key shows the string that the server signed, and no secret") {
  AppOptions options;
  add_access_key(options.credentials, "AK", {"geheim", "AK"});
  Fixed app(options);
  app.set_level(spdlog::level::debug);
  const Headers headers{{"Host", "h"},
                        {"Date", "Tue, 01 Jan 2030 00:00:00 GMT"},
                        {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:" + sign("other", "x")}};
  CHECK(app.get(kPath + "?page=1", headers).status == 401);
  CHECK(contains(app.log(), "the string that the server signed, trace id 0123456789abcdef: \"GET\\n\\n\\n"));
  CHECK(contains(app.log(), "Tue, 01 Jan 2030 00:00:00 GMT\\nh\\n\\n" + kPath + "?page=1\"\n"));
  CHECK_FALSE(contains(app.log(), "geheim"));
  CHECK_FALSE(contains(app.log(), sign("other", "x")));
}

TEST_CASE("app: the log shows no password of a target in absolute form") {
  Fixed app;
  app.get("http://admin:geheim@ocp.example" + kPath + "?page=1");
  CHECK(contains(app.log(), "GET " + kPath + "?page=1 200 "));
  for (const std::string target : {"//admin:geheim@h/api/status", "http:admin:geheim@h/", "admin:geheim@h:80",
                                   "https://admin:geheim@h", "//admin:geheim@h/%zz"}) {
    CHECK_FALSE(contains(app.get(target).body, "geheim"));
  }
  CHECK_FALSE(contains(app.log(), "geheim"));
  app.get("/a@b");
  CHECK(contains(app.log(), "GET /a@b 404 "));
}

TEST_CASE("app: after a point of a timeline data are made on another thread, once, and only who needs them waits") {
  const auto data = held_timeline();
  WorldOptions worlds;
  worlds.isolate_by_user = true;
  Fixed app({}, data, worlds);
  const auto as_user = [&](const std::string& user) {
    return app.get(kPath, {{"Authorization", "Basic " + base64_encode(user + ":x")}});
  };
  CHECK(contains(finished(as_user("a")).body, "RUNNING"));
  CHECK(data->copies == 0);
  CHECK_FALSE(as_user("a").deferred);
  app.now.second += 10;
  const http::Response first = as_user("a");
  REQUIRE(first.deferred);
  const http::Response second = as_user("a");
  REQUIRE(second.deferred);
  CHECK(app.get("/api/v2/time").status == 200);
  CHECK(app.get("/api/v2/info").status == 200);
  CHECK(app.worlds().find("a")->origin() == data);
  CHECK_FALSE(app.worlds().find("a")->ready_snapshot());
  CHECK_FALSE(first.deferred->is_complete());
  CHECK_FALSE(second.deferred->is_complete());
  data->held = false;
  CHECK(contains(finished(second).body, "FAILED"));
  CHECK(contains(finished(first).body, "FAILED"));
  CHECK(data->copies == 1);
  const http::Response later = as_user("a");
  CHECK_FALSE(later.deferred);
  CHECK(contains(later.body, "FAILED"));

  // One that goes on from there; the origin is not copied again.
  app.now.second += 10;
  CHECK(contains(finished(as_user("a")).body, "STOPPED"));
  CHECK(data->copies == 1);
  app.now.second -= 10;
  data->fails = true;
  CHECK(finished(as_user("a")).status == 500);
  CHECK(contains(app.log(), "the dataset is damaged: held"));
  data->fails = false;
  CHECK(contains(finished(as_user("a")).body, "FAILED"));
}

TEST_CASE("app: many tasks are sorted on another thread, once, and then the request is answered") {
  WorldOptions worlds;
  worlds.keeps_journal = true;
  Fixed app({}, many_tasks(), worlds);
  const std::string target = kPath + "?sort=delay,desc&size=1&unknown=1";

  const http::Response later = app.get(target);
  REQUIRE(later.deferred);
  CHECK(app.worlds().base().journal().view().in_flight == 1);
  const http::Response response = finished(later);
  CHECK_FALSE(response.deferred);
  CHECK(response.status == 200);
  CHECK(contains(response.body, "\"delay\":2000,"));
  CHECK(contains(response.body, "\"totalElements\":2001,"));
  const Journal::View journal = app.worlds().base().journal().view();
  CHECK(journal.in_flight == 0);
  REQUIRE(journal.entries.size() == 1);
  CHECK(journal.entries[0]->violations.size() == 1);

  const http::Response again = app.get(target + "&page=2");
  CHECK_FALSE(again.deferred);
  CHECK(contains(again.body, "\"delay\":1999,"));
  CHECK_FALSE(app.get(kPath + "?sort=delay,desc&status=FAILED").deferred);
}

TEST_CASE("app: a client that leaves while its tasks are sorted is in the journal and in the log as one that has") {
  WorldOptions worlds;
  worlds.keeps_journal = true;
  Fixed app({}, many_tasks(), worlds);
  {
    const http::Response later = app.get(kPath + "?sort=delay,desc&size=1");
    REQUIRE(later.deferred);
    CHECK(later.deferred->has_head());
    later.deferred->abandon();
    // The worker holds it until it has looked at it.
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (app.worlds().base().journal().view().in_flight != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  const Journal::View journal = app.worlds().base().journal().view();
  REQUIRE(journal.entries.size() == 1);
  CHECK(journal.entries[0]->client_left);
  CHECK(journal.entries[0]->status == 0);
  CHECK(contains(app.log(), "GET " + kPath + "?sort=delay,desc&size=1 - 0B "));
  CHECK(contains(app.log(), "us 0123456789abcdef | the client left before its answer"));
}

TEST_CASE("app: what is awaited has no head where a fault will send none") {
  Fixed app;
  const std::pair<std::string, bool> actions[] = {
      {R"({"delayMs":1})", true},
      {R"({"delayMs":1,"status":503})", true},
      {R"({"delayMs":1,"truncateAt":1})", true},
      {R"({"delayMs":1,"fault":"MALFORMED_RESPONSE_CHUNK"})", true},
      {R"({"delayMs":1,"fault":"RANDOM_DATA_THEN_CLOSE"})", false},
      {R"({"delayMs":1,"fault":"EMPTY_RESPONSE"})", false},
      {R"({"delayMs":1,"fault":"CONNECTION_RESET_BY_PEER"})", false},
  };
  for (const auto& [action, has_head] : actions) {
    CAPTURE(action);
    app.worlds().base().faults().clear();
    app.worlds().base().faults().add(read_json_text("{\"action\":" + action + "}"));
    const http::Response later = app.get(kPath);
    REQUIRE(later.deferred);
    CHECK(later.deferred->has_head() == has_head);
  }
}

TEST_CASE("app: requests that wait for a sort are answered from the data that they began with, however many they are") {
  Fixed app({}, many_tasks());
  std::vector<http::Response> waiting;
  for (int i = 0; i < 300; ++i) {
    waiting.push_back(app.get(kPath + "?size=1&sort=delay,desc&startTime=2024-01-01T00:" + (i / 60 < 10 ? "0" : "") +
                              std::to_string(i / 60) + ":" + (i % 60 < 10 ? "0" : "") + std::to_string(i % 60) + "Z"));
    REQUIRE(waiting.back().deferred);
  }
  app.worlds().reload(dataset());
  for (const http::Response& later : waiting) {
    const http::Response response = finished(later);
    REQUIRE_FALSE(response.deferred);
    CHECK(contains(response.body, "\"delay\":2000,"));
    CHECK(contains(response.body, "\"totalElements\":2001,"));
  }
  CHECK(contains(app.get(kPath + "?sort=delay,desc").body, "\"totalElements\":1,"));
}

namespace {

// Its delay is computed from 08:04:21.810084 UTC.
const std::string kComputedTask =
    R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING",)"
    R"("checkpoint":"2024-08-09T16:04:21.810084+08:00","$delay":"computed"})";

std::shared_ptr<const Dataset> load(const std::string& text) {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "logBackupTasks.ndjson", text, *builder);
  return builder->finish();
}

}  // namespace

TEST_CASE("app: a computed delay is that of the timestamp beside it") {
  Instant now{1723190762, 0};
  WorldOptions world;
  world.real_now = [&] {
    now = now + Duration{0, 300'000'000};
    return now;
  };
  Worlds worlds(world, load(kComputedTask));
  const App app({}, {world.real_now, [] { return std::string("t"); }, std::make_shared<spdlog::logger>("quiet")},
                ocp_router(), worlds);
  for (int i = 0; i < 30; ++i) {
    const std::string body = app.handle({"GET", kPath, {{"Authorization", kBasic}}, "", {}}).body;
    CAPTURE(body);
    const Instant time = *parse_rfc3339(body.substr(body.find("\"timestamp\":\"") + 13,
                                                    body.find("\",\"traceId") - body.find("\"timestamp\":\"") - 13));
    CHECK(contains(body, "\"delay\":" + std::to_string(time.second - 1723190662) + ".1899,"));
  }
}

TEST_CASE("app: with frozen values a computed delay is that of their timestamp, whatever the clock") {
  AppOptions options;
  options.frozen = EnvelopeValues{79, "s", "2024-08-09T16:06:02.743+08:00", "t"};
  Fixed app(options, load(kComputedTask));
  CHECK(contains(app.get(kPath).body, "\"delay\":100.1899,"));
  app.now.second += 1000;
  app.worlds().base().clock().stand_at({0, 0});
  CHECK(contains(app.get(kPath).body, "\"delay\":100.1899,"));
  // Without them it is the clock's.
  Fixed running({}, load(kComputedTask));
  running.worlds().base().clock().stand_at({1723190663, 0});
  CHECK(contains(running.get(kPath).body, "\"delay\":1.1899,"));
}

TEST_CASE("app: a request that waits for a sort by computed delays is answered as of the time that it was sorted for") {
  std::string tasks = kComputedTask + "\n";
  for (int i = 0; i < 2001; ++i) {
    tasks += R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","delay":101})"
             "\n";
  }
  Fixed app({}, load(tasks));
  app.worlds().base().clock().stand_at({1723190762, 0});
  const std::string target = kPath + "?sort=delay&size=1";
  const http::Response later = app.get(target);
  REQUIRE(later.deferred);
  app.worlds().base().clock().stand_at({1723190764, 0});
  const std::string body = finished(later).body;
  CHECK(contains(body, "\"delay\":100.1899,"));
  CHECK(contains(body, "\"timestamp\":\"2024-08-09T16:06:02+08:00\""));
  // Two seconds later it is no longer the least.
  const std::string then = finished(app.get(target)).body;
  CHECK(contains(then, "\"delay\":101,"));
  CHECK(contains(then, "\"timestamp\":\"2024-08-09T16:06:04+08:00\""));
  CHECK(contains(finished(app.get(kPath + "?sort=delay,desc&size=1")).body, "\"delay\":102.1899,"));
}

TEST_CASE("app: the journal keeps a beginning of each text, and no user of a URL") {
  Fixed app;
  const std::string long_text(5000, 'x');
  const std::string cut_text = std::string(4096, 'x') + "...";
  app.get("/" + long_text + "?q=" + long_text, {{"x-trace-id", long_text},
                                                {"Authorization", "Basic " + base64_encode(long_text + ":secret")},
                                                {"X-Long", long_text},
                                                {"Referer", "https://user:geheim@host/" + long_text}});
  app.get("/short", {{"Referer", "https://user:geheim@host/a?b=c@d"}, {"X-From", "me@host"}, {"Origin", "http://h"}});
  const Journal::View view = app.worlds().base().journal().view();
  REQUIRE(view.entries.size() == 2);
  const JournalEntry& entry = *view.entries[0];
  CHECK(entry.trace_id == cut_text);
  CHECK(entry.user == cut_text);
  CHECK(entry.path == "/" + std::string(4095, 'x') + "...");
  CHECK(entry.query == "q=" + std::string(4094, 'x') + "...");
  CHECK(entry.headers.find("X-Long") == cut_text);
  CHECK(entry.headers.find("Referer")->starts_with("https://***@host/xxx"));
  CHECK(entry.headers.find("Referer")->size() == 4099);
  const auto parts = [](auto... part) { return (static_cast<unsigned>(part) | ...); };
  CHECK(entry.cut == parts(RequestPart::Path, RequestPart::Query, RequestPart::Headers, RequestPart::User));
  const JournalEntry& other = *view.entries[1];
  CHECK(other.cut == 0);
  CHECK(other.headers.find("Referer") == "https://***@host/a?b=c@d");
  CHECK(other.headers.find("X-From") == "me@host");
  CHECK(other.headers.find("Origin") == "http://h");
  Headers many;
  for (int i = 0; i < 150; ++i) many.add("X-" + std::to_string(i), "y");
  app.get("/many", many);
  const auto last = app.worlds().base().journal().view().entries.back();
  CHECK(last->headers.size() == 100);
  CHECK(last->cut == parts(RequestPart::Headers));
}

TEST_CASE("app: nothing in the log steers a terminal or hides what follows") {
  Fixed app;
  app.get("/a\u009b2J\u202eb", {{"x-trace-id", "t\u2028\u200b"}});
  app.set_level(spdlog::level::debug);
  const std::string log = app.log();
  CHECK(contains(log, "/a%C2%9B2J%E2%80%AEb"));
  CHECK(contains(log, "t%E2%80%A8%E2%80%8B"));
  for (const std::string sign : {"\u009b", "\u202e", "\u2028", "\u200b"}) CHECK_FALSE(contains(log, sign));
}

TEST_CASE("app: neither journal nor log has a password of a URL in a query") {
  Fixed app;
  app.get(kPath + "?status=https://user:geheim@host/&u=https%3A%2F%2Fuser%3Ageheim%40host%2F",
          {{"X-Back", "http://h/?u=https%3A%2F%2Fuser%3Ageheim%40host%2F"}});
  const auto entry = app.worlds().base().journal().view().entries.back();
  CHECK(entry->query == "status=https://***@host/&u=https%3A%2F%2F***%40host%2F");
  CHECK(entry->headers.find("X-Back") == "http://h/?u=https%3A%2F%2F***%40host%2F");
  CHECK(contains(app.log(), "?status=https://***@host/&u=https%3A%2F%2F***%40host%2F"));
  CHECK(contains(app.log(), "Parameter 'status' is 'https://***@host/'"));
  CHECK_FALSE(contains(app.log(), "geheim"));
}

TEST_CASE("app: a refusal is in its log line once") {
  AppOptions options;
  options.strict = true;
  Fixed app(options);
  app.get(kPath + "?pagesize=1&other=2");
  const std::string log = app.log();
  const std::string refusal = "Parameter 'pagesize' is unknown;";
  CHECK(contains(log, refusal));
  CHECK(log.find(refusal) == log.rfind(refusal));
  CHECK(contains(log, "Parameter 'other' is unknown;"));
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

TEST_CASE("app: a client that leaves while its answer is dribbled has no status, and the log says so") {
  Fixed app;
  app.worlds().base().faults().add(
      read_json_text(R"({"action":{"chunkedDribble":{"numberOfChunks":2,"totalDuration":1000}}})"));
  const http::Response response = app.get("/api/status");
  REQUIRE(response.on_departed);
  response.on_departed(false, 2);
  const auto entry = app.worlds().base().journal().view().entries.back();
  CHECK(entry->status == 0);
  CHECK(entry->client_left);
  CHECK(entry->bytes == 2);
  CHECK(contains(app.log(), "GET /api/status - 2B "));
  CHECK(contains(app.log(), " | the client left before it had the whole answer"));
}
