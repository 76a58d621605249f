// What is captured of an OCP and served again is what the OCP answers.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"
#include "client/capture_run.h"
#include "fixtures/resources.h"
#include "json/reader.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

namespace fs = std::filesystem;

const std::string kTasks = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";
const std::vector<std::string> kTasksOnly{"--cluster", "1", "--tenant", "2", "logBackupTasks", "--no-redact"};

std::string task(int minute, const std::string& more = "") {
  return R"({"clusterId":1,"tenantId":2,"obTenantId":)" + std::to_string(minute) + R"(,"createTime":"2024-08-01T)" +
         std::to_string(100 + minute / 60).substr(1) + ":" + std::to_string(100 + minute % 60).substr(1) +
         R"(:00Z","status":"STOPPED")" + more + "}";
}

// Pages of 2000.
std::string tasks(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i)
    text += (i == 0 ? "" : ",\n") + task(i % 1440, ",\"delay\":" + std::to_string(i) + ".10");
  return text + "]";
}

std::string alarms(int first, int last) {
  std::string text = R"({"alarms":[)";
  for (int i = first; i <= last; ++i) {
    text += (i == first ? "" : ",") + std::string(R"({"id":)") + std::to_string(i) + R"(,"name":"alarm )" +
            std::to_string(i) + R"("})";
  }
  return text + "]}";
}

struct Asked {
  std::string path;
  std::string query;

  std::string target() const { return query.empty() ? path : path + "?" + query; }
};

// The requests in the fixtures of a folder.
std::vector<Asked> requests_in(const fs::path& folder) {
  std::vector<Asked> all;
  for (const auto& [name, text] : fixtures_in(folder)) {
    for (const JsonValue& exchange : read_json_text(text).items) {
      const JsonValue& request = exchange.find("request")->value;
      const JsonMember* query = request.find("query");
      all.push_back({request.find("path")->value.text, query == nullptr ? "" : query->value.text});
    }
  }
  return all;
}

bool has_page(const fs::path& out, const std::string& number) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(out, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->path().filename() == number) return true;
  }
  return false;
}

// Captures until the page is there and the source does not answer the next one, and ends it then.
void interrupt_behind_page(const RunningProgram& source, const fs::path& out, const std::vector<std::string>& more,
                           const std::string& number) {
  Process process(kBinary, capture_arguments(source, out, more));
  REQUIRE(eventually([&] { return has_page(out, number); }));
  process.signal(SIGINT);
  CHECK(process.says("interrupted; the same command goes on from here\n"));
  CHECK(process.wait() == 128 + SIGINT);
  CHECK(fixtures_in(out).empty());
}

std::string hold(const std::string& page) {
  return R"({"match":{"query":{"page":[")" + page + R"("]}},"action":{"delayMs":600000}})";
}

}  // namespace

TEST_CASE("capture: every resource of the installation, served again, answers every page with the same bytes") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  std::vector<std::string> arguments{"--no-redact"};
  // Those of which no list tells the keys are named by their paths.
  const std::set<std::string_view> by_path{"inspectionItemResults", "inspectionReports", "subtaskLogs"};
  for (const char* path : {"/api/v2/inspection/report/1000001", "/api/v2/tasks/instances/1000101/subtasks/10001011/log",
                           "/api/v2/inspection/report/info/item/1?tagId=1&objectType=OB_CLUSTER"}) {
    arguments.push_back(path);
  }
  for (const char* pair : {"startTime=2024-08-09T00:00:00Z", "endTime=2024-08-10T00:00:00Z", "type=TOP",
                           "scope=CLUSTER", "tagId=1", "objectType=OB_CLUSTER", "objectIds=1000005",
                           "inspectionObjectType=OB_CLUSTER", "scheduleStates=ACTIVE", "name=ob_431"}) {
    arguments.insert(arguments.end(), {"--query", pair});
  }
  std::set<std::string_view> resources;
  for (const Endpoint& endpoint : ocp_catalogue().endpoints) {
    if (answers_rows(endpoint)) resources.insert(endpoint.resource->name);
  }
  for (const std::string_view name : resources) {
    if (!by_path.contains(name)) arguments.emplace_back(name);
  }

  const CaptureRun run = capture_from(source, folder.path() / "out", arguments);
  CHECK(run.code == 0);
  CHECK(contains(run.error, "serve it: ocp-mock-server --fixtures " + (folder.path() / "out").string()));
  std::set<std::string_view> captured;
  const auto files = fixtures_in(folder.path() / "out");
  for (const auto& [name, text] : files) captured.insert(std::string_view(name).substr(0, name.find('.')));
  CHECK(captured == resources);

  const RunningProgram served({"--frozen", "--fixtures", (folder.path() / "out").string()});
  std::size_t compared = 0;
  for (const Asked& asked : requests_in(folder.path() / "out")) {
    std::vector<std::string> targets{asked.target()};
    if (const auto page = asked.query.find("page="); page != std::string::npos) {
      const std::string rest = page == 0 ? "" : "&" + asked.query.substr(0, page - 1);
      for (const char* small : {"?page=1&size=1", "?page=2&size=2", "?page=3&size=3"})
        targets.push_back(asked.path + small + rest);
    }
    for (const std::string& target : targets) {
      INFO(target);
      CHECK(served.get(target) == source.get(target));
      ++compared;
    }
  }
  CHECK(compared > 300);
}

TEST_CASE("capture: all below a cluster, or below one tenant of it, is captured without being named") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  const CaptureRun all = capture_from(source, folder.path() / "all", {"--cluster", "1000005", "--no-redact"});
  CHECK(all.code == 0);
  CHECK(contains(all.error, "passed over: topSqls: it needs --query startTime=VALUE --query endTime=VALUE\n"));
  const auto files = fixtures_in(folder.path() / "all");
  CHECK(files.contains("clusters.each.captured.json"));
  CHECK(files.contains("users.each.captured.json"));
  CHECK_FALSE(files.contains("hosts.captured.json"));
  CHECK(contains(files.at("logBackupTasks.captured.json"), "/tenants/1000017/"));

  CHECK(capture_from(source, folder.path() / "one", {"--cluster", "1000005", "--tenant", "1000012", "--no-redact"})
            .code == 0);
  const auto of_one = fixtures_in(folder.path() / "one");
  CHECK_FALSE(contains(of_one.at("logBackupTasks.captured.json"), "/tenants/1000017/"));

  CHECK(capture_from(source, folder.path() / "lists", {"--cluster", "1000005", "--lists-only"}).code == 0);
  CHECK_FALSE(fixtures_in(folder.path() / "lists").contains("users.each.captured.json"));
}

TEST_CASE("capture: lists without rows and of several pages are served again, with the digits that they have") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen", "--fixtures", folder.write("tasks.json", tasks(4500)).string()});
  CHECK(capture_from(source, folder.path() / "out", kTasksOnly).code == 0);
  CHECK(requests_in(folder.path() / "out").size() == 3);
  const RunningProgram served({"--frozen", "--fixtures", (folder.path() / "out").string()});
  for (const char* page : {"?page=1&size=2000", "?page=3&size=2000", "?page=450", "?status=STOPPED&size=7&page=600"}) {
    CHECK(served.get(kTasks + page) == source.get(kTasks + page));
  }

  const auto empty = folder.write("empty.json", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})").string();
  const RunningProgram empty_source({"--frozen", "--fixtures", empty});
  CHECK(capture_from(empty_source, folder.path() / "none", kTasksOnly).code == 0);
  const RunningProgram empty_served({"--frozen", "--fixtures", (folder.path() / "none").string()});
  CHECK(contains(empty_served.get(kTasks), R"("contents":[])"));
  CHECK(empty_served.get(kTasks) == empty_source.get(kTasks));
}

TEST_CASE("capture: a source that fails now and then is asked again") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen", "--fixtures", folder.write("tasks.json", tasks(4500)).string()});
  CHECK(capture_from(source, folder.path() / "whole", kTasksOnly).code == 0);
  admin_call(
      source, "POST", "/faults",
      R"({"steps":[{"status":503,"retryAfter":1},"normal",{"fault":"CONNECTION_RESET_BY_PEER"},{"truncateAt":100},)"
      R"({"status":502,"html":true},{"fault":"MALFORMED_RESPONSE_CHUNK"},{"fault":"EMPTY_RESPONSE"}]})");
  const CaptureRun run = capture_from(source, folder.path() / "out", kTasksOnly);
  CHECK(run.code == 0);
  CHECK(contains(run.error, "it answers 503; asking again in 1.0 s\n"));
  CHECK(contains(run.error, "the connection broke before the answer was whole; asking again in "));
  CHECK(contains(admin_call(source, "POST", "/faults/verify", ""), R"("result":"passed")"));
  CHECK(fixtures_in(folder.path() / "out") == fixtures_in(folder.path() / "whole"));
}

TEST_CASE("capture: a throttled source is asked again when its window ends") {
  const TemporaryFolder folder;
  const RunningProgram source(
      {"--frozen", "--rate-limit", "2/10s", "--fixtures", folder.write("tasks.json", tasks(4500)).string()});
  admin_call(source, "PUT", "/clock", R"({"now":"2024-08-01T00:00:00Z"})");
  source.get(kTasks);
  // Its window has a second left.
  admin_call(source, "PUT", "/clock", R"({"now":"2024-08-01T00:00:09Z"})");
  Process process(kBinary, capture_arguments(source, folder.path() / "out", kTasksOnly));
  CHECK(process.says("it answers 429; asking again in 1.0 s\n"));
  admin_call(source, "PUT", "/clock", R"({"now":"2024-08-01T00:00:10Z"})");
  CHECK(process.says("captured 4500 rows in 1 file"));
  CHECK(process.wait() == 0);
}

TEST_CASE("capture: one that is interrupted goes on and asks for no page again") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen", "--fixtures", folder.write("tasks.json", tasks(4500)).string()});
  CHECK(capture_from(source, folder.path() / "whole", kTasksOnly).code == 0);
  admin_call(source, "POST", "/reset", "");
  admin_call(source, "POST", "/faults", hold("2"));
  const fs::path out = folder.path() / "out";
  interrupt_behind_page(source, out, kTasksOnly, "1");
  CHECK(read_file(out / ".capture" / ".gitignore") == "*\n");
  CHECK((fs::status(out / ".capture").permissions() & fs::perms::others_all) == fs::perms::none);
  admin_call(source, "DELETE", "/faults", "");
  CHECK(capture_from(source, out, kTasksOnly).code == 0);
  CHECK(fixtures_in(out) == fixtures_in(folder.path() / "whole"));
  CHECK(contains(admin_call(source, "POST", "/requests/verify", R"({"query":{"page":["1"]},"exactly":1})"), "passed"));

  const CaptureRun again = capture_from(source, out, kTasksOnly);
  CHECK(again.code == 0);
  CHECK(contains(again.error, " is complete, nothing is asked again"));
  CHECK_FALSE(fs::exists(out / ".capture" / "walks"));
  const CaptureRun other = capture_from(source, out, {"--cluster", "1", "logBackupTasks", "--no-redact"});
  CHECK(other.code == 2);
  CHECK(contains(other.error, "name another folder by --out"));
}

TEST_CASE("capture: each row counts once, and what a server would make of the folder is said") {
  const TemporaryFolder folder;
  const RunningProgram hosts({"--frozen", "--fixtures",
                              folder
                                  .write("h.json", R"({"hosts":[
    {"id":1,"name":"a","innerIpAddress":"192.0.2.1","status":"AVAILABLE"},
    {"id":2,"name":"b","innerIpAddress":"192.0.2.2","status":"OFFLINE"}]})")
                                  .string()});
  const fs::path out = folder.path() / "out";
  const CaptureRun all = capture_from(hosts, out, {"hosts"});
  CHECK(fixtures_in(out).contains("hosts.each.captured.json"));
  CHECK(contains(all.error, "captured 2 rows in 2 files"));
  CHECK_FALSE(contains(all.error, "has only the rows of"));
  CHECK_FALSE(contains(all.error, "did not write"));

  const fs::path some = folder.path() / "some";
  fs::create_directories(some / "below");
  for (const char* name : {"mine.json", "below/other.har", "notes.txt"}) std::ofstream(some / name) << "[]";
  const CaptureRun filtered = capture_from(hosts, some, {"hosts", "--lists-only", "--query", "hosts.status=OFFLINE"});
  CHECK(filtered.code == 0);
  CHECK(contains(filtered.error, "captured 1 row in 1 file"));
  CHECK(contains(filtered.error,
                 "\nhosts.captured.json has only the rows of status=OFFLINE; served, it answers a request without that "
                 "filter with the same rows\n"));
  CHECK(contains(filtered.error, "\n" + some.string() +
                                     " has files that capture did not write, and --fixtures loads them too: "
                                     "below/other.har, mine.json\n"));
}

TEST_CASE("capture: rows that move to a page that comes are there once") {
  const TemporaryFolder folder;
  SUBCASE("rows with a key") {
    const RunningProgram source({"--frozen", "--fixtures", folder.write("a.json", alarms(1, 250)).string()});
    admin_call(source, "POST", "/faults", hold("2"));
    interrupt_behind_page(source, folder.path() / "out", {"alarms", "--lists-only"}, "1");
    admin_call(source, "DELETE", "/faults", "");
    CHECK(contains(admin_call(source, "POST", "/fixtures", alarms(251, 251)), "200 OK"));
    const CaptureRun run = capture_from(source, folder.path() / "out", {"alarms", "--lists-only"});
    CHECK(contains(run.error, "captured 250 rows in 1 file"));
    CHECK(contains(run.error, "it has changed while it was read; 250 of 251 rows were met"));
    const RunningProgram served({"--fixtures", (folder.path() / "out").string()});
    CHECK(contains(served.get("/api/v2/alarm/alarms"), R"("totalElements":250)"));
  }
  SUBCASE("rows without one") {
    const RunningProgram source({"--frozen", "--fixtures", folder.write("t.json", tasks(1440)).string()});
    CHECK(contains(admin_call(source, "POST", "/fixtures", tasks(700)), "200 OK"));
    admin_call(source, "POST", "/faults", hold("2"));
    interrupt_behind_page(source, folder.path() / "out", kTasksOnly, "1");
    admin_call(source, "DELETE", "/faults", "");
    const std::string later =
        R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-03T00:00:00Z","status":"RUNNING"}])";
    CHECK(contains(admin_call(source, "POST", "/fixtures", later), "200 OK"));
    CHECK(capture_from(source, folder.path() / "out", kTasksOnly).code == 0);
    const RunningProgram served({"--fixtures", (folder.path() / "out").string()});
    // 700 of the tasks are there twice, and so look as if they had moved.
    CHECK(contains(served.get(kTasks), R"("totalElements":1440)"));
  }
}

TEST_CASE("capture: what is not there is said, and the rest is captured") {
  const RunningProgram source({});
  const TemporaryFolder folder;
  const auto failed = [&](const std::vector<std::string>& more) {
    const CaptureRun run = capture_from(source, folder.path() / "out", more);
    return std::to_string(run.code) + " " + run.error;
  };
  CHECK(contains(failed({"--cluster", "9"}),
                 "ocp-mock-server: cluster 9 is not there: /api/v2/ob/clusters/9 answers 404"));
  fs::remove_all(folder.path() / "out");
  CHECK(contains(failed({"--cluster", "1000005", "--tenant", "9", "logBackupTasks"}), "tenant 9 is not there: "));
  CHECK(contains(failed({"logBackupTask"}),
                 "'logBackupTask' is nothing that an OCP lists; did you mean 'logBackupTasks'?"));
  CHECK(contains(failed({"/api/v2/ob/cluster"}), "is no path of a list or object that OCP's API has; did you mean "));
  CHECK(contains(failed({}), "capture needs --cluster ID"));
  CHECK(contains(failed({"topSqls"}), "topSqls: it needs --query startTime=VALUE"));
  CHECK(contains(failed({"subtaskLogs"}), "name the path itself, with its value"));
  CHECK(contains(failed({"hosts", "--query", "statsu=x"}), "--query names 'statsu'; no list needs such a parameter"));

  fs::remove_all(folder.path() / "out");
  admin_call(source, "POST", "/faults",
             R"({"match":{"path":"/api/v2/compute/idcs"},"action":{"status":403,"message":"no"}})");
  const std::string refused = failed({"hosts", "idcs", "regions", "--lists-only"});
  CHECK(refused.starts_with("1 "));
  CHECK(contains(refused, "not there: idcs: /api/v2/compute/idcs: 403, an error of OCP: status 403, code 0, \"no\"\n"));
  CHECK(fixtures_in(folder.path() / "out").size() == 2);

  CHECK(failed({"hosts", "idcs", "regions", "--lists-only"}).starts_with("1 "));

  fs::remove_all(folder.path() / "out");
  CHECK(contains(failed({"idcs", "--lists-only"}), "\nnothing was captured\n"));
  admin_call(source, "DELETE", "/faults", "");
  CHECK(failed({"idcs", "--lists-only"}).starts_with("0 "));

  fs::remove_all(folder.path() / "out");
  admin_call(source, "POST", "/faults", R"({"match":{"path":"/api/v2/compute/hosts"},"action":{"status":500}})");
  const std::string later = failed({"hosts", "regions", "--lists-only"});
  CHECK(contains(later, "not complete: 1 answer could not be asked for; the same command goes on from here\n"));
  CHECK(fixtures_in(folder.path() / "out").empty());
  admin_call(source, "DELETE", "/faults", "");
  CHECK(failed({"hosts", "regions", "--lists-only"}).starts_with("0 "));
  CHECK(fixtures_in(folder.path() / "out").size() == 2);
}
