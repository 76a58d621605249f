#include "behaviour/behaviour.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "ocp/url.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;

namespace {

std::shared_ptr<const Dataset> dataset_of_text(const std::string& text) {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", text, *builder);
  return builder->finish();
}

// The contents of the answer, or the refusal.
std::string answer(const std::string& fixtures, std::string_view path, std::string_view query = "",
                   std::int64_t now = 2'000'000'000) {
  const auto dataset = dataset_of_text(fixtures);
  const auto route = ocp_router().find("GET", path);
  REQUIRE(route);
  std::vector<Violation> violations;
  try {
    Request request = read_parameters(*route->endpoint, route->values, query, {}, violations);
    request.now = {now, 0};
    const Outcome outcome = perform(request, dataset);
    return std::get<AnswerData>(outcome).page.contents;
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + std::to_string(error.code()) + " " + error.what();
  }
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

const std::string kHour = "startTime=2020-11-03T19:00:00Z&endTime=2020-11-03T20:00:00Z";

// Which of the SQL statements a, b and c are in an answer; a refusal as it is.
std::string ids_in(const std::string& text) {
  if (text.starts_with("4")) return text;
  std::string ids;
  for (const char id : {'a', 'b', 'c'}) {
    if (count(text, std::string("\"sqlId\":\"") + id) == 1) ids += id;
  }
  return ids;
}

}  // namespace

TEST_CASE("get: a second field tells rows with one key apart") {
  const std::string path = "/api/v2/ob/clusters/1/tenants/2/users/";
  const auto user = [](const std::string& members) { return R"({"clusterId":1,"tenantId":2,)" + members + "}"; };
  const std::string near = user(R"("username":"a","hostName":"10.0.0.%","isLocked":true)");
  const std::string far = user(R"("username":"a","hostName":"%")");
  const std::string untold = user(R"("username":"b")");
  const auto users = [](const std::string& rows) { return "{\"users\":[" + rows + "]}"; };
  const std::string all = users(near + "," + far + "," + untold);
  CHECK(answer(all, path + "a", "hostName=%25") == R"({"hostName":"%","username":"a"})");
  CHECK(answer(all, path + "a", "hostName=10.0.0.%25") == R"({"hostName":"10.0.0.%","isLocked":true,"username":"a"})");
  CHECK(answer(all, path + "a").find("10.0.0") != std::string::npos);
  CHECK(answer(all, path + "a", "hostName=::1").starts_with("404 10002 Database user 'a' does not exist"));
  // Captured users do not tell their host, so they are found by any.
  CHECK(answer(all, path + "b", "hostName=::1") == R"({"username":"b"})");
  const std::pair<std::string, std::string> taken[] = {
      {near,
       R"(username is "a" and hostName "10.0.0.%", and another database user with clusterId 1 and tenantId 2 has)"},
      {untold,
       R"(username is "b" and hostName null, and another database user with clusterId 1 and tenantId 2 has it)"},
  };
  for (const auto& [row, problem] : taken) {
    std::string refusal;
    try {
      dataset_of_text(users(row + "," + row));
    } catch (const FixtureError& error) {
      refusal = error.what();
    }
    CHECK(refusal.find(problem) != std::string::npos);
  }
}

TEST_CASE("series: points stand at multiples of the step, between the bounds and not after the answer") {
  const std::string path = "/api/v2/monitor/metric";
  const std::string rest = "&metrics=a,b&groupBy=x&labels=y:1&";
  const std::string times = "startTime=2026-01-01T00:00:30Z&endTime=2026-01-01T00:05:00Z";
  const std::string five = answer("[]", path, times + rest + "interval=60");
  CHECK(count(five, "\"timestamp\":") == 5);
  CHECK(five.starts_with("{\"a\":"));
  CHECK(count(five, "\"timestamp\":1767225660}") == 1);
  CHECK(count(five, "\"timestamp\":1767225900}") == 1);
  // The same each time, whatever the window.
  CHECK(answer("[]", path, times + rest + "interval=60") == five);
  const std::string last =
      answer("[]", path, "startTime=2026-01-01T00:05:00Z&endTime=2026-01-01T00:05:30Z" + rest + "interval=60");
  CHECK(five.ends_with(last));
  const std::pair<std::string, std::size_t> counts[] = {
      {"interval=120", 2},
      {"interval=60&minStep=120", 2},
      {"interval=1&maxPoints=3", 3},
      {"interval=0", 271},
      {"interval=60&maxPoints=0", 1},
      {"interval=9223372036854775807", 0},
      {"interval=-9223372036854775808&maxPoints=2", 2},
  };
  for (const auto& [query, points] : counts) {
    CAPTURE(query);
    CHECK(count(answer("[]", path, times + rest + query), "\"timestamp\":") == points);
  }
  CHECK(count(answer("[]", path, times + rest + "interval=60", 1767225720), "\"timestamp\":") == 2);
  CHECK(answer("[]", path, times + rest + "interval=60", 0).empty());
  CHECK(
      answer("[]", path, "startTime=2026-01-01T00:00:00Z&endTime=2025-01-01T00:00:00Z" + rest + "interval=1").empty());
  CHECK(answer("[]", path, times + rest).starts_with("400 0 Parameter 'interval' is missing"));
  CHECK(answer("[]", path, times + rest + "interval=x").starts_with("400 0 Parameter 'interval' is 'x'"));
}

TEST_CASE("series: there is a series for each combination of the values of the labels that are grouped by") {
  const std::string path = "/api/v2/monitor/metricsWithLabel";
  const std::string query = "startTime=2026-01-01T00:00:00Z&end_time=2026-01-01T00:01:00Z&metrics=m&interval=60&";
  const std::string text = answer("[]", path, query + "groupBy=c,\"d\",e&labels=c:1,c:2,\"d\"=OB,e");
  CHECK(text.starts_with("{\"c\":\"1\",\"\\\"d\\\"\":\"OB\",\"data\":[{\"m\":"));
  CHECK(count(text, "\"c\":\"2\"") == 1);
  CHECK(count(text, "\"data\":[{\"m\":") == 2);
  CHECK(count(text, "\"timestamp\":1767225660") == 2);
  // A label that is not grouped by has no series of its own, and the values depend on it.
  const std::string one = answer("[]", path, query + "groupBy=c&labels=c:1,d:1");
  CHECK(one.starts_with("{\"c\":\"1\",\"data\":[{\"m\":"));
  CHECK(count(one, "\"data\":") == 1);
  CHECK(one != answer("[]", path, query + "groupBy=c&labels=c:1,d:2"));
  CHECK(answer("[]", path, query + "groupBy=x&labels=c:1").starts_with("{\"data\":[{\"m\":"));
}

TEST_CASE("series: values depend on the labels where the answer does not name them") {
  const auto of = [](const std::string& labels) {
    return answer(
        "[]", "/api/v2/monitor/metric",
        "startTime=2026-01-01T00:00:00Z&endTime=2026-01-01T00:01:00Z&metrics=m&groupBy=x&interval=60&labels=" + labels);
  };
  CHECK(of("a:1") == of("a=1"));
  CHECK(of("a:1") != of("a:2"));
  CHECK(of("a:1,b:1") != of("a:1"));
}

TEST_CASE("series: many metrics and labels make no answer without bounds") {
  const auto list = [](std::string_view prefix, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::string(prefix) + std::to_string(i);
    return text;
  };
  const std::string window = "startTime=2026-01-01T00:00:00Z&endTime=2026-01-02T00:00:00Z&groupBy=a,b,c&interval=1";
  const std::string path = "/api/v2/monitor/metricsWithLabel";
  const std::string wide = answer("[]", path, window + "&metrics=" + list("m", 1000) + "&labels=" + list("a:", 1000));
  CHECK(count(wide, "\"data\":[") == 100);
  CHECK(count(wide, "\"timestamp\":") <= 200);
  const std::string deep = answer("[]", path, window + "&metrics=m&labels=a:1,a:2,b:1,b:2,b:3,c=1");
  CHECK(count(deep, "\"data\":[") == 6);
  CHECK(deep.starts_with(R"({"a":"1","b":"1","c":"1","data":[)"));
  CHECK(count(deep, R"({"a":"2","b":"3","c":"1","data":[)") == 1);
  CHECK(answer("[]", path, window + "&labels=a:1&metrics=" + list("m", 1001))
            .starts_with("400 0 Parameter 'metrics' has more than 1000 values"));
}

TEST_CASE("document: a field of a row is the answer") {
  const std::string path = "/api/v2/ob/clusters/1/performance/workload/reports";
  const std::string rows = R"({"workloadReports":[{"clusterId":1,"id":7,"name":"a","content":"<p>\u78c1</p>"},)"
                           R"({"clusterId":1,"id":8,"name":"b"}]})";
  CHECK(answer(rows, path + "/7") == "<p>\xe7\xa3\x81</p>");
  CHECK(answer(rows, path + "/8").empty());
  CHECK(answer(rows, path + "/9") ==
        "404 10002 Workload report '9' does not exist in cluster '1'; ask for a workload report that "
        "the fixtures name.");
  CHECK(answer(rows, "/api/v2/ob/clusters/2/performance/workload/reports/7").starts_with("404 10002 Cluster '2'"));
  // It is hidden in the list.
  CHECK(answer(rows, path) == R"({"id":8,"name":"b"},{"id":7,"name":"a"})");
}

TEST_CASE("hidden fields select rows and are not answered") {
  const std::string rows = R"({"databases":[{"clusterId":1,"tenantId":2,"dbName":"a","readonly":false},)"
                           R"({"clusterId":1,"tenantId":3,"dbName":"b","size":1.50}]})";
  CHECK(answer(rows, "/api/v2/ob/clusters/1/tenants/2/databases") == R"({"dbName":"a","readonly":false})");
  CHECK(answer(rows, "/api/v2/ob/clusters/1/tenants/3/databases") == R"({"dbName":"b","size":1.50})");
  CHECK(answer(rows, "/api/v2/ob/clusters/1/tenants/4/databases").starts_with("404 60002 Tenant '4'"));
}

TEST_CASE("filters look into objects and the items of arrays, and a list may have a limit") {
  const std::string hosts = R"({"hosts":[{"id":1,"services":[{"type":"OB_CLUSTER"},{"type":"OB_PROXY"}]},)"
                            R"({"id":2,"services":[]},{"id":3,"services":[{"type":"OMS"}]},{"id":4}]})";
  const auto ids = [&](const std::string& query) {
    std::string text = answer(hosts, "/api/v2/compute/hosts", query);
    std::string found;
    for (auto at = text.find("\"id\":"); at != std::string::npos; at = text.find("\"id\":", at + 1))
      found += text[at + 5];
    return found;
  };
  CHECK(ids("") == "4321");
  CHECK(ids("includedServiceType=OB_PROXY") == "1");
  CHECK(ids("includedServiceType=OB_PROXY,OMS") == "31");
  CHECK(ids("excludedServiceType=OB_PROXY") == "432");
  CHECK(ids("includedServiceType=OMS&excludedServiceType=OB_CLUSTER") == "3");
  const std::string slow =
      R"({"slowSqls":[{"clusterId":1,"tenantId":2,"sqlId":"a"},{"clusterId":1,"tenantId":2,"sqlId":"b"}]})";
  const std::string path = "/api/v2/ob/clusters/1/tenants/2/slowSql";
  const std::string times = "startTime=2026-01-01T00:00:00Z&endTime=2026-01-02T00:00:00Z";
  CHECK(answer(slow, path, times) == R"({"sqlId":"a","tenantId":2},{"sqlId":"b","tenantId":2})");
  CHECK(answer(slow, path, times + "&limit=1") == R"({"sqlId":"a","tenantId":2})");
  CHECK(answer(slow, path, times + "&limit=5") == R"({"sqlId":"a","tenantId":2},{"sqlId":"b","tenantId":2})");
}

TEST_CASE("an object without a key is the only one of its parents") {
  const std::string rows = R"({"clusters":[{"id":2}],"clusterStats":[{"clusterId":1,"cpuTotal":8.00}]})";
  CHECK(answer(rows, "/api/v2/ob/clusters/1/stats") == R"({"clusterId":1,"cpuTotal":8.00})");
  CHECK(answer(rows, "/api/v2/ob/clusters/2/stats").starts_with("404 10002 "));
  CHECK(answer(rows, "/api/v2/ob/clusters/3/stats").starts_with("404 10002 Cluster '3'"));
}

TEST_CASE("a list is filtered by a field that the request names") {
  const std::string rows = R"({"topSqls":[{"clusterId":1,"tenantId":2,"sqlId":"a","executions":5,"avgCpuTime":0.5},)"
                           R"({"clusterId":1,"tenantId":2,"sqlId":"b","executions":50,"avgCpuTime":7},)"
                           R"({"clusterId":1,"tenantId":2,"sqlId":"c"}]})";
  const auto found = [&](const std::string& query) {
    return ids_in(answer(rows, "/api/v2/ob/clusters/1/tenants/2/topSql", kHour + query));
  };
  const struct {
    std::string query, ids;
  } cases[] = {
      {"&searchAttr=executions&searchOp=EQ&searchVal=5", "a"},
      {"&searchAttr=executions&searchOp=NE&searchVal=5", "b"},
      {"&searchAttr=executions&searchOp=GT&searchVal=5", "b"},
      {"&searchAttr=executions&searchOp=GE&searchVal=5.0", "ab"},
      {"&searchAttr=executions&searchOp=LT&searchVal=50", "a"},
      {"&searchAttr=executions&searchOp=LE&searchVal=50", "ab"},
      {"&searchAttr=avgCpuTime&searchOp=GT&searchVal=0.4", "ab"},
      {"&searchAttr=sqlId&searchOp=GT&searchVal=a", "bc"},
      {"&searchVal=b&searchOp=EQ&searchAttr=sqlId", "b"},
      // One of the three is missing.
      {"&searchAttr=executions&searchOp=EQ", "abc"},
      {"&searchAttr=executions&searchVal=5", "abc"},
      {"&searchOp=EQ&searchVal=5", "abc"},
      {"", "abc"},
  };
  for (const auto& [query, ids] : cases) {
    CAPTURE(query);
    CHECK(found(query) == ids);
  }
  CHECK(found("&searchAttr=executions&searchOp=EQ&searchVal=many") ==
        "400 0 Parameter 'searchVal' is 'many'; it must be a number in decimal digits.");
  CHECK(found("&searchAttr=executons&searchOp=EQ&searchVal=5").ends_with("Did you mean 'executions'?"));
  CHECK(found("&searchAttr=clusterId&searchOp=EQ&searchVal=1").starts_with("400 0 Parameter 'searchAttr'"));
  CHECK(found("&searchAttr=executions&searchOp=EQUAL&searchVal=5").starts_with("400 0 Parameter 'searchOp'"));
}

TEST_CASE("a list is filtered by an expression") {
  const std::string rows =
      R"({"slowSqls":[{"clusterId":1,"tenantId":2,"sqlId":"a","executions":5,"avgCpuTime":0.5,"inner":true},)"
      R"({"clusterId":1,"tenantId":2,"sqlId":"b","executions":50,"avgCpuTime":7,"dbName":"it's"},)"
      R"({"clusterId":1,"tenantId":2,"sqlId":"c","inner":false}]})";
  const auto found = [&](const std::string& expression) {
    return ids_in(answer(rows, "/api/v2/ob/clusters/1/tenants/2/slowSql",
                         kHour + "&filterExpression=" + percent_encode(expression)));
  };
  const struct {
    std::string expression, ids;
  } cases[] = {
      {"", "abc"},
      {"@avgCpuTime > 0.4 and @executions > 10", "b"},
      {"@avgCpuTime>0.4 AND(@executions<=5)", "a"},
      {"@executions = 5", "a"},
      {"@executions == 5.0", "a"},
      {"@executions != 5", "b"},
      {"@executions <> 5", "b"},
      {"@executions >= -5e1", "ab"},
      {"@executions < 50", "a"},
      {"@sqlId = 'c' or @executions = 5 and @avgCpuTime > 1", "c"},
      {"(@sqlId = 'c' or @executions = 5) and @avgCpuTime < 1", "a"},
      {"@sqlId = \"c\" Or ( ( @sqlId='a' ) )", "ac"},
      {"@dbName = 'it''s'", "b"},
      {"@sqlId = '' or @sqlId = 'a'') OR (1=1'", ""},
      {"@inner = true", "a"},
      {"@inner != TRUE", "c"},
  };
  for (const auto& [expression, ids] : cases) {
    CAPTURE(expression);
    CHECK(found(expression) == ids);
  }
  const auto list = [](const std::string& part, const std::string& link, int count) {
    std::string text = part;
    for (int i = 1; i < count; ++i) text += link + part;
    return text;
  };
  const std::string one = "@executions > 0";
  CHECK(found(list(one, " and ", 100)) == "ab");
  CHECK(found(list("(", "", 20) + one + list(")", "", 20)) == "ab");
  const struct {
    std::string expression, problem;
  } refused[] = {
      {"executions > 5", "at character 1 there must be '@' and the name of a field, or '('."},
      {" ", "at character 2 there must be '@' and the name of a field, or '('."},
      {"@executions > 5 and", "at character 20 there must be '@' and the name of a field, or '('."},
      {"@executions => 5", "at character 14 there must be a number, which executions is."},
      {"@executions ~ 5", "at character 13 there must be one of =, !=, <>, >, >=, <, <=."},
      {"@executions > 5x", "at character 15 there must be a number, which executions is."},
      {"@executions > 1e999", "at character 15 there must be a number, which executions is."},
      {"@sqlId = a", "at character 10 there must be a text in quotes."},
      {"@sqlId = '\u78c1", "at character 12 there must be the quote ' that ends its text."},
      {"@dbName = '\u78c1' nor", "at character 15 there must be 'and', 'or' or its end."},
      {"(@executions > 5", "at character 17 there must be 'and', 'or' or ')'."},
      {"@executions > 5)", "at character 16 there must be 'and', 'or' or its end."},
      {"@inner > true", "at character 8 there must be = or !=."},
      {"@inner = 1", "at character 10 there must be true or false."},
      {list(one, " or ", 101), "there must be no more than 100 comparisons."},
      {list("(", "", 21), "at character 21 there must be no more than 20 open parentheses."},
  };
  for (const auto& [expression, problem] : refused) {
    CAPTURE(expression);
    const std::string text = found(expression);
    CHECK(text.starts_with("400 0 Parameter 'filterExpression' is '"));
    CHECK(text.ends_with(problem));
  }
  CHECK(found("@executons > 5").ends_with(" Did you mean 'executions'?"));
  CHECK(found("@clusterId > 5").find("at character 2 there must be one of tenantId, avgAffectedRows, ") !=
        std::string::npos);
}

TEST_CASE("a list cuts the texts of a field where it is asked to") {
  const std::string rows =
      "{\"slowSqls\":[{\"avgCpuTime\":1.50,\"clusterId\":1,\"sqlTextShort\":\"\u78c1\u76d8\\t\\\"d\",\"tenantId\":2},"
      "{\"clusterId\":1,\"sqlId\":\"none\",\"tenantId\":2}]}";
  const auto found = [&](const std::string& length) {
    return answer(rows, "/api/v2/ob/clusters/1/tenants/2/slowSql", kHour + "&sqlTextLength=" + length);
  };
  const auto cut = [](const std::string& text) {
    return "{\"avgCpuTime\":1.50,\"sqlTextShort\":\"" + text + "\",\"tenantId\":2},{\"sqlId\":\"none\",\"tenantId\":2}";
  };
  CHECK(found("1") == cut("\u78c1"));
  CHECK(found("4") == cut("\u78c1\u76d8\\t\\\""));
  CHECK(found("5") == cut("\u78c1\u76d8\\t\\\"d"));
  CHECK(found("65535") == found("5"));
  for (const std::string_view wrong : {"0", "-1"}) {
    CHECK(found(std::string(wrong)).find("it must be a 64-bit integer of at least 1") != std::string::npos);
  }
  CHECK(found("x").starts_with("400 0 Parameter 'sqlTextLength' is 'x'"));
}

TEST_CASE("rows that do not tell a field pass the filters that let them") {
  const std::string rows =
      R"({"topSqls":[)"
      R"({"clusterId":1,"tenantId":2,"sqlId":"a","serverId":5,"timestamp":"2026-01-01T01:00:00Z"},)"
      R"({"clusterId":1,"tenantId":2,"sqlId":"b","serverId":6,"timestamp":"2026-01-01T03:00:00Z"},)"
      R"({"clusterId":1,"tenantId":2,"sqlId":"c"}]})";
  const auto found = [&](std::string_view from, std::string_view until, std::string_view rest = "") {
    return answer(rows, "/api/v2/ob/clusters/1/tenants/2/topSql",
                  fmt::format("startTime=2026-01-01T{}:00Z&endTime=2026-01-01T{}:00Z{}", from, until, rest));
  };
  CHECK(found("01:00", "03:00") == R"({"sqlId":"a"},{"sqlId":"b"},{"sqlId":"c"})");
  CHECK(found("01:01", "03:00") == R"({"sqlId":"b"},{"sqlId":"c"})");
  CHECK(found("01:00", "02:59") == R"({"sqlId":"a"},{"sqlId":"c"})");
  CHECK(found("01:00", "03:00", "&serverId=6") == R"({"sqlId":"b"},{"sqlId":"c"})");
  CHECK(found("01:00", "03:00", "&serverId=7") == R"({"sqlId":"c"})");
  CHECK(found("03:00", "01:00").starts_with("400 10005 Parameter 'startTime'"));
}

TEST_CASE("a fixed answer needs the rows of its path") {
  const auto dataset = dataset_of_text(R"({"clusters":[{"id":1}]})");
  const auto ask = [&](std::string_view path) {
    const auto route = ocp_router().find("POST", path);
    std::vector<Violation> violations;
    const Request request = read_parameters(*route->endpoint, route->values, "", {}, violations);
    try {
      return std::get<AnswerData>(perform(request, dataset)).form == Form::Nothing ? std::string("nothing") : "data";
    } catch (const ApiError& error) {
      return std::to_string(error.code());
    }
  };
  CHECK(ask("/api/v2/ob/clusters/1/changePassword") == "nothing");
  CHECK(ask("/api/v2/ob/clusters/3/changePassword") == "10002");
}

TEST_CASE("router: an endpoint is newer than versions before its own") {
  CHECK_FALSE(is_newer("", "4.0.0"));
  CHECK_FALSE(is_newer("V4.3.1", "4.3.1"));
  CHECK_FALSE(is_newer("V4.3.1", "4.3.1-20240101"));
  CHECK_FALSE(is_newer("V4.3.1", "4.10.0"));
  CHECK_FALSE(is_newer("V4.3.1", "5"));
  CHECK(is_newer("V4.3.1", "4.3.0"));
  CHECK(is_newer("V4.3.1", "4.3"));
  CHECK(is_newer("V4.3.1", "3.9.9"));
  CHECK_FALSE(is_newer("V4.3.1", "unknown"));
}
