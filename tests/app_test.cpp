#include "app.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>

#include "store/fixtures.h"

using namespace ocp_mock;

namespace {

const std::string kPath = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

std::shared_ptr<const Dataset> dataset() {
  const auto builder = DatasetBuilder::in_memory();
  load_fixture_text(
      "f.json", R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"}])", *builder);
  return builder->finish();
}

class BrokenDataset : public Dataset {
 public:
  ListResult list(const Endpoint&, const ListRequest&) const override {
    throw std::runtime_error("SELECT secret FROM sqlite_master");
  }
  CapturedEnvelope envelope() const override { return {}; }
  std::vector<ClusterSummary> summary(const Endpoint&) const override { return {}; }
  std::vector<std::string> query_plan(const SqlQuery&) const override { return {}; }
};

// An App at a fixed time, with what it logs.
class Fixed {
 public:
  explicit Fixed(AppOptions options = {}, std::shared_ptr<const Dataset> data = dataset())
      : app_(std::move(options),
             {[] {
                return Instant{1723190762, 740'000'000};
              },
              [] { return std::string("0123456789abcdef"); },
              std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_))},
             std::move(data)) {}

  http::Response get(const std::string& target, http::Headers headers = {}) const {
    return app_.handle({"GET", target, std::move(headers), "", {}});
  }
  http::Response handle(const http::Request& request) const { return app_.handle(request); }
  std::string log() const { return log_.str(); }

 private:
  std::ostringstream log_;
  App app_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

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
  CHECK(response.headers ==
        http::Headers{{"Content-Type", "application/json"}, {"Date", "Fri, 09 Aug 2024 08:06:02 GMT"}});
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
    ListResult list(const Endpoint&, const ListRequest&) const override {
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
      while (std::chrono::steady_clock::now() < end) {
      }
      now_.second += 3600;
      return {};
    }

   private:
    Instant& now_;
  };
  Instant now{1723190762, 0};
  const App app({}, {[&] { return now; }, [] { return std::string("t"); }, std::make_shared<spdlog::logger>("quiet")},
                std::make_shared<SlowDataset>(now));
  const std::string body = app.handle({"GET", kPath, {}, "", {}}).body;
  CHECK(contains(body, "\"timestamp\":\"2024-08-09T17:06:02+08:00\""));
  CHECK(std::atoi(body.c_str() + body.find("\"duration\":") + 11) >= 5);
}

TEST_CASE("app: with frozen values every answer has them") {
  AppOptions options;
  options.frozen = EnvelopeValues{79, "s", "2024-08-09T16:06:02.743+08:00", "t"};
  const Fixed app(options);
  for (const std::string& target : {kPath, std::string("/unknown")}) {
    const http::Response response = app.get(target, {{"x-trace-id", "other"}});
    CHECK(contains(response.body, "\"duration\":79,"));
    CHECK(contains(response.body, "\"server\":\"s\","));
    CHECK(contains(response.body, "\"timestamp\":\"2024-08-09T16:06:02.743+08:00\",\"traceId\":\"t\"}"));
    CHECK(response.headers.back().second == "Fri, 09 Aug 2024 08:06:02 GMT");
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
  const Fixed app({}, std::make_shared<BrokenDataset>());
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
    const Fixed lenient_app;
    CHECK(lenient_app.get(kPath + "?" + query).status == 200);
    CHECK(contains(lenient_app.log(), "[warning] GET "));
    CHECK(contains(lenient_app.log(), " | " + message));
    const http::Response refused = Fixed(strict).get(kPath + "?" + query);
    CHECK(refused.status == 400);
    CHECK(contains(refused.body, "\"error\":{\"code\":0,\"message\":\"" + message + "\"}"));
  }
  CHECK(Fixed(strict).get(kPath + "?page=1&size=10&status=RUNNING").status == 200);
  const Fixed refused_anyway;
  CHECK(refused_anyway.get(kPath + "?pagesize=1&page=0").status == 400);
  CHECK(contains(refused_anyway.log(), "[warning] GET "));
  CHECK(contains(refused_anyway.log(), " | Parameter 'pagesize' is unknown;"));
  const Fixed many;
  many.get(kPath + "?a&b&c&d&e&f&g&h&i&j&k&l");
  CHECK(contains(many.log(), " | and 2 more"));
}

TEST_CASE("app: a log line cannot be forged by a request") {
  const Fixed app;
  app.get("/a\nb\x7F\xFF", {{"x-trace-id", "evil\xE9"}});
  CHECK(contains(app.log(), "GET /a%0Ab%7F%FF 400 "));
}

TEST_CASE("app: each defect of HTTP has its status and its envelope") {
  using http::Defect;
  const struct {
    Defect defect;
    int status;
  } cases[] = {
      {Defect::MalformedRequestLine, 400},
      {Defect::VersionNotSupported, 505},
      {Defect::TargetTooLong, 414},
      {Defect::MalformedHeader, 400},
      {Defect::HeadTooLarge, 431},
      {Defect::HostHeader, 400},
      {Defect::BadContentLength, 400},
      {Defect::UnsupportedTransferEncoding, 501},
      {Defect::BadChunk, 400},
      {Defect::BodyTooLarge, 413},
      {Defect::ExpectationFailed, 417},
      {Defect::Timeout, 408},
  };
  for (const auto& [defect, status] : cases) {
    const http::Response response = Fixed().handle({"", "", {}, "", defect});
    CHECK(response.status == status);
    CHECK(contains(response.body, "\"error\":{\"code\":0,\"message\":\""));
    CHECK(contains(response.body, "\"status\":" + std::to_string(status) + ",\"successful\":false"));
  }
}
