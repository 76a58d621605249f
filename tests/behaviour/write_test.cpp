#include "behaviour/write.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "behaviour/tasks.h"
#include "catalogue/body.h"
#include "catalogue/router.h"
#include "catalogue/synthetic.h"
#include "store/changes.h"

using namespace ocp_mock;

namespace {

constexpr std::string_view kZones = R"({
  "zones": [{"name": "z1", "title": "One"}, {"name": "z2"}],
  "hosts": [{"zone": "z1", "name": "h1", "port": 1, "disks": [{"slot": 1}]},
            {"zone": "z2", "name": "h1", "port": 2, "disks": [{"slot": 1}]}]})";

const Router& router() {
  static const Router router(synthetic_catalogue());
  return router;
}

// Data that requests change, at times of the test.
class Mock {
 public:
  explicit Mock(std::string_view fixtures = kZones) : dataset(from_fixtures(router(), "f.json", fixtures).dataset) {}

  // The data of the answer, or the refusal.
  std::string ask(std::string_view method, std::string_view path, std::string_view body = "",
                  std::optional<TaskFailure> failure = {}) {
    const auto route = router().find(method, path);
    REQUIRE(route);
    std::vector<Violation> violations;
    Write write{read_parameters(*route->endpoint, route->values, "", {}, violations),
                read_body(*route->endpoint, "application/json", "", body, violations), "", "u", std::move(failure)};
    try {
      dataset = settle_tasks(dataset, {}, now, options);
      Written written = write_rows(write, dataset, {}, now, options);
      dataset = written.dataset;
      return written.answer.page.contents;
    } catch (const ApiError& error) {
      return std::to_string(error.status()) + " " + std::to_string(error.code()) + " " + error.text(language);
    }
  }

  // The rows of a resource as fixtures have them, with what tasks have done by now.
  std::string rows(std::string_view resource) {
    dataset = settle_tasks(dataset, {}, now, options);
    std::string text;
    dataset->each_row(*synthetic_catalogue().find_resource(resource), {},
                      [&](const StoredRow& row) { text.append(row.json).append("\n"); });
    return text;
  }

  // A member of the one task, "-" if it lacks it.
  std::string task(std::string_view member) {
    const std::string text = rows("jobs");
    const JsonValue row = read_json_text(text.substr(0, text.find('\n')));
    const JsonMember* found = row.find(member);
    return found == nullptr ? "-" : found->value.text;
  }

  // Status, operation and number of runs of its subtasks.
  std::string parts() {
    const std::string text = rows("jobs");
    std::string out;
    const JsonValue row = read_json_text(text);
    for (const JsonValue& part : row.find("parts")->value.items) {
      out += part.find("state")->value.text + " " + part.find("action")->value.text + " " +
             part.find("runs")->value.text + "; ";
    }
    return out;
  }

  std::shared_ptr<const Dataset> dataset;
  Instant now{1'700'000'000, 0};
  TaskOptions options;
  Language language = Language::English;  // of refusals
};

constexpr std::string_view kStart = "/api/v1/zones/z1/jobs/start";
constexpr std::string_view kHost = "/api/v1/zones/z1/jobs/start/h1";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("write: a set changes what the body has and no other row") {
  Mock mock;
  CHECK(mock.ask("PATCH", kHost, R"({"port": 9})") == R"({"name":"h1","port":9,"zone":"z1"})");
  CHECK(mock.ask("PATCH", kHost, R"({"description": "d"})") ==
        R"({"description":"d","name":"h1","port":9,"zone":"z1"})");
  CHECK(mock.rows("hosts") ==
        "{\"description\":\"d\",\"name\":\"h1\",\"port\":9,\"zone\":\"z1\"}\n"
        "{\"name\":\"h1\",\"port\":2,\"zone\":\"z2\"}\n");
  CHECK(mock.ask("PATCH", "/api/v1/zones/z1/jobs/start/h2", "{}") ==
        "404 20001 Host 'h2' does not exist in zone 'z1'; ask for a host that the fixtures name.");
}

TEST_CASE("write: a removed row takes what is below it along, and nothing else") {
  Mock mock;
  CHECK(mock.ask("DELETE", kHost) == "");
  CHECK(mock.rows("hosts") == "{\"name\":\"h1\",\"port\":2,\"zone\":\"z2\"}\n");
  CHECK(mock.rows("disks") == "{\"host\":\"h1\",\"slot\":1,\"zone\":\"z2\"}\n");
  CHECK(mock.rows("zones") == "{\"hostCount\":0,\"name\":\"z1\",\"title\":\"One\"}\n{\"name\":\"z2\"}\n");
  CHECK(mock.ask("DELETE", kHost).starts_with("404 "));
}

TEST_CASE("write: a refusal says what is wrong and what would be right, in both languages") {
  Mock mock;
  CHECK(mock.ask("PATCH", kHost, R"({"port":0})") ==
        "400 10002 Parameter 'port' of the body is '0'; it must be 80 or 443.");
  CHECK(mock.ask("PATCH", kHost, R"({"port":1})") == "400 10002 Zone 'z1' is full; for this request it must be empty.");
  CHECK(mock.ask("PATCH", kHost, R"({"description":"gone"})") == "404 20001 Disk 'gone' does not exist.");
  mock.language = Language::Chinese;
  CHECK(mock.ask("PATCH", kHost, R"({"port":0})") == "400 10002 请求体参数 port 的值“0”无效；必须是端口。");
  CHECK(mock.ask("PATCH", kHost, R"({"port":1})").ends_with("“z1”的状态为 已满；该操作要求状态为 empty。"));
  CHECK(mock.ask("PATCH", kHost, R"({"description":"gone"})") == "404 20001 磁盘“gone”不存在。");
}

TEST_CASE("write: what is refused has changed nothing") {
  Mock mock;
  const auto before = mock.dataset;
  CHECK(mock.ask("POST", kStart, R"({"name": "h1"})") ==
        "400 10002 Host 'name h1, zone z1' exists already; the request must name another one.");
  CHECK(mock.dataset == before);
  // The failure is found when the row has been inserted.
  CHECK(
      mock.ask("POST", kStart, R"({"name": "h2"})", TaskFailure{"Stop", "why"}) ==
      "400 0 The fault that a test has armed for this request names subtask 'Stop'; the subtasks are Prepare, Start.");
  CHECK(mock.dataset == before);
}

TEST_CASE("write: a task runs by the time that it is given, and its end has its effect") {
  Mock mock;
  const std::string answer = mock.ask("POST", kStart, R"({"name": "h2", "tags": ["a"]})");
  CHECK(answer ==
        R"({"action":"do","begunAt":"2023-11-15T06:13:20+08:00","id":1,"owner":"u","parts":[)"
        R"({"ahead":[2],"behind":[],"id":1,"state":"next","title":"Prepare"},)"
        R"({"ahead":[],"behind":[1],"id":2,"state":"waiting","title":"Start"}],"state":"going","title":"Start h2"})");
  CHECK(contains(mock.rows("hosts"), R"("name":"h2","port":2882,"ready":false)"));
  CHECK(contains(mock.rows("zones"), R"("hostCount":2,"name":"z1")"));
  CHECK(mock.parts() == "going do 1; waiting do 1; ");
  mock.now.nano = 999'999'999;
  CHECK(mock.parts() == "going do 1; waiting do 1; ");
  mock.now = {1'700'000'001, 0};
  CHECK(mock.parts() == "done do 1; going do 1; ");
  CHECK(mock.task("state") == "going");
  CHECK(contains(mock.rows("hosts"), R"("ready":false)"));
  mock.now = {1'700'000'002, 0};
  CHECK(mock.task("state") == "done");
  CHECK(mock.task("doneAt") == "2023-11-15T06:13:22+08:00");
  CHECK(mock.task("upcoming") == "-");
  CHECK(contains(mock.rows("hosts"), R"("ready":true)"));
  CHECK(
      mock.rows("jobLogs") ==
      R"({"job":1,"part":1,"text":"2023-11-15T06:13:20+08:00 INFO Prepare: started\n2023-11-15T06:13:21+08:00 INFO Prepare: done\n"})"
      "\n"
      R"({"job":1,"part":2,"text":"2023-11-15T06:13:21+08:00 INFO Start: started\n2023-11-15T06:13:22+08:00 INFO Start: done\n"})"
      "\n");
  CHECK(!mock.dataset->next_due());
}

TEST_CASE("write: what a task has done by a time is the same, whoever looks when") {
  Mock one;
  Mock other;
  for (Mock* mock : {&one, &other}) mock->ask("POST", kStart, R"({"name": "h2"})");
  for (const std::int64_t second : {1, 2, 3}) {
    one.now = {1'700'000'000 + second, 500'000'000};
    one.rows("jobs");
  }
  other.now = one.now;
  for (const std::string_view resource : {"jobs", "jobLogs", "hosts", "zones"}) {
    CHECK(one.rows(resource) == other.rows(resource));
  }
}

TEST_CASE("write: keys that are made do not come again, whatever is removed") {
  Mock mock;
  mock.options.duration = std::chrono::milliseconds(0);
  mock.ask("POST", kStart, R"({"name": "h2"})");
  CHECK(mock.task("state") == "done");
  mock.dataset = without_rows(mock.dataset, *synthetic_catalogue().find_resource("jobs"), read_json_text("{}")).dataset;
  CHECK(contains(mock.ask("POST", kStart, R"({"name": "h3"})"), R"("id":2,)"));
}

TEST_CASE("write: a task that fails can be retried, rolled back, and its subtasks skipped and cancelled") {
  Mock mock;
  const auto later = [&] { mock.now.second += 60; };
  SUBCASE("retried") {
    mock.ask("POST", kStart, R"({"name": "h2"})", TaskFailure{"Start", "no room"});
    later();
    CHECK(mock.parts() == "done do 1; broken do 1; ");
    CHECK(mock.task("state") == "broken");
    CHECK(contains(mock.rows("jobLogs"), "Start: failed: no room"));
    CHECK(contains(mock.rows("hosts"), R"("ready":false)"));
    later();
    CHECK(contains(mock.ask("POST", "/api/v1/jobs/1/retry"), R"("state":"going")"));
    CHECK(mock.parts() == "done do 1; going redo 2; ");
    CHECK(mock.ask("POST", "/api/v1/jobs/1/retry") ==
          "400 10002 Task or subtask 1 is going; for this request it must be broken.");
    later();
    CHECK(mock.parts() == "done do 1; done redo 2; ");
    CHECK(mock.task("state") == "done");
    CHECK(contains(mock.rows("hosts"), R"("ready":true)"));
  }
  SUBCASE("rolled back") {
    mock.ask("POST", kStart, R"({"name": "h2"})", TaskFailure{"1", "no room"});
    later();
    CHECK(contains(mock.ask("POST", "/api/v1/jobs/1/rollback"), R"("action":"undo")"));
    CHECK(mock.parts() == "done do 1; going undo 2; ");
    later();
    CHECK(mock.parts() == "done undo 2; done undo 2; ");
    CHECK(mock.task("state") == "done");
    CHECK(!contains(mock.rows("hosts"), "h2"));
    CHECK(contains(mock.rows("zones"), R"("hostCount":1,"name":"z1")"));
  }
  SUBCASE("skipped") {
    mock.ask("POST", kStart, R"({"name": "h2"})", TaskFailure{"0", "no room"});
    later();
    CHECK(mock.ask("POST", "/api/v1/jobs/1/parts/2/skip") ==
          "400 10002 Task or subtask 2 is waiting; for this request it must be broken.");
    CHECK(mock.ask("POST", "/api/v1/jobs/1/parts/7/skip") == "404 20000 Subtask '7' does not exist in task 1.");
    mock.ask("POST", "/api/v1/jobs/1/parts/1/skip");
    CHECK(mock.parts() == "done pass 1; going do 1; ");
    later();
    CHECK(mock.task("state") == "done");
    CHECK(contains(mock.rows("hosts"), R"("ready":true)"));
  }
  SUBCASE("the last one skipped") {
    mock.ask("POST", kStart, R"({"name": "h2"})", TaskFailure{"Start", "no room"});
    later();
    CHECK(contains(mock.ask("POST", "/api/v1/jobs/1/parts/2/skip"), R"("state":"done")"));
    CHECK(contains(mock.rows("hosts"), R"("ready":true)"));
  }
  SUBCASE("cancelled") {
    mock.ask("POST", kStart, R"({"name": "h2"})");
    mock.ask("POST", "/api/v1/jobs/1/parts/1/cancel");
    CHECK(mock.parts() == "broken stop 1; waiting do 1; ");
    CHECK(mock.task("state") == "broken");
    later();
    CHECK(mock.task("state") == "broken");
    mock.ask("POST", "/api/v1/jobs/1/retry");
    later();
    CHECK(mock.task("state") == "done");
  }
}

TEST_CASE("write: a task of fixtures without a plan is retried by the order of its subtasks") {
  Mock mock(R"({"jobs": [{"id": 5, "title": "Old", "state": "broken", "action": "do", "parts": [
      {"id": 2, "title": "B", "state": "waiting", "action": "do", "runs": 1, "behind": [1], "ahead": []},
      {"id": 1, "title": "A", "state": "broken", "action": "do", "runs": 1, "behind": [], "ahead": [2]}]}]})");
  mock.ask("POST", "/api/v1/jobs/5/retry");
  CHECK(mock.parts() == "waiting do 1; going redo 2; ");
  mock.now.second += 1;
  CHECK(mock.parts() == "going do 1; done redo 2; ");
  mock.now.second += 1;
  CHECK(mock.task("state") == "done");
}

TEST_CASE("write: a row that is not there is named by its key, and by what it would be in") {
  const Resource& hosts = *synthetic_catalogue().find_resource("hosts");
  const auto message = [&](std::string_view where, Language language = Language::English) {
    return missing_rows(hosts, read_json_text(where), synthetic_catalogue()).text(language);
  };
  CHECK(message(R"({"name": "h9"})") == "Host 'h9' does not exist.");
  CHECK(message(R"({"zone": "z1", "name": "h9"})") == "Host 'h9' does not exist in zone 'z1'.");
  CHECK(message(R"({"zone": "z1", "name": "h9"})", Language::Chinese) == "zone“z1”中不存在host“h9”。");
  CHECK(message(R"({"zone": "z1"})") == "Host does not exist in zone 'z1'.");
  CHECK(message(R"({"name": "h9", "port": 7})") == "Host with name h9, port 7 does not exist.");
  CHECK(message(R"({"port": 7})", Language::Chinese) == "不存在host（port 7）。");
}

TEST_CASE("write: a task whose steps no longer fit the rows fails, and others go on") {
  Mock mock;
  mock.ask("POST", kStart, R"({"name": "h2"})");
  mock.now.second += 1;
  mock.ask("POST", kStart, R"({"name": "h3"})");
  // The end of the first one sets a host that is no longer there, which is optional; its rollback removes one.
  const Resource& jobs = *synthetic_catalogue().find_resource("jobs");
  const std::string broken_end = R"({"upcoming": {"begun": "2023-11-15T06:13:20+08:00", "first": 0, "millis": 2000,
      "next": 1, "order": [1, 2], "end": [{"set": "hosts", "where": {"name": "none"}, "to": {"port": 1}}]}})";
  mock.dataset = with_rows_set(mock.dataset, jobs, read_json_text(R"({"id": 1})"), read_json_text(broken_end)).dataset;
  mock.now.second += 60;
  const std::string rows = mock.rows("jobs");
  const JsonValue first = read_json_text(rows.substr(0, rows.find('\n')));
  const JsonValue second = read_json_text(rows.substr(rows.find('\n')));
  CHECK(first.find("state")->value.text == "broken");
  CHECK(second.find("state")->value.text == "done");
  CHECK(contains(mock.rows("jobLogs"), "failed: Host 'none' does not exist."));
}

TEST_CASE("write: it goes on from what a timeline has done, and later points stay") {
  Mock mock(R"({"zones": [{"name": "z1"}], "hosts": [{"zone": "z1", "name": "h1", "port": 1, "$since":
      "2023-11-14T22:13:10Z", "$timeline": [{"at": "PT5S", "port": 2, "ready": false}, {"at": "PT20S", "port": 3,
      "ready": true}]}]})");
  CHECK(mock.ask("PATCH", kHost, R"({"description": "d"})") ==
        R"({"description":"d","name":"h1","port":2,"ready":false,"zone":"z1"})");
  CHECK(mock.ask("PATCH", kHost, R"({"port": 7})") ==
        R"({"description":"d","name":"h1","port":7,"ready":false,"zone":"z1"})");
  mock.now.second += 60;
  // A field that was set is driven no more.
  CHECK(mock.ask("PATCH", kHost, "{}") == R"({"description":"d","name":"h1","port":7,"ready":true,"zone":"z1"})");
}

TEST_CASE("write: what runs is exported, and goes on where it is loaded") {
  Mock mock;
  mock.ask("POST", kStart, R"({"name": "h2"})");
  Mock copy(export_fixtures(*mock.dataset));
  for (Mock* one : {&mock, &copy}) one->now.second += 2;
  for (const std::string_view resource : {"jobs", "jobLogs", "hosts"}) {
    CHECK(mock.rows(resource) == copy.rows(resource));
  }
  CHECK(copy.task("state") == "done");
}

TEST_CASE("write: a plan of a fixture that names what there is not makes its task fail, and ends nothing else") {
  for (const std::string_view step :
       {R"({"insert": "nosuch", "row": {}})", R"({"insert": "hosts"})", R"({"set": "hosts", "where": {}})",
        R"({"run": "nosuch"})", R"({"operate": "retry"})", R"({"operate": "x", "task": 1})",
        R"({"refuse": "x", "when": 1,
        "resource": "hosts"})",
        R"({"nosuch": 1})", R"({"if": {"$nosuch": 1}, "then": []})", R"({"if": {"$map": [1]}})",
        R"({"if": {"$union": []}})", R"({"if": {"$file": "nosuch"}})", R"({"if": {"$count": "nosuch", "where": {}}})",
        R"({"task": null})", R"({"task": "nosuch"})", R"({"if": {"$split": "x", "by": ""}, "then": []})"}) {
    CAPTURE(step);
    Mock mock(R"({"jobs": [{"id": 1, "title": "T", "state": "going", "upcomingAt": "2023-11-14T22:13:21Z", "parts": [
        {"id": 1, "title": "A", "state": "going"}], "upcoming": {"order": [1], "next": 0, "end": [)" +
              std::string(step) + "]}}]}");
    mock.now.second += 60;
    CHECK(mock.task("state") == "broken");
    CHECK(contains(mock.rows("jobLogs"), "A: failed: "));
  }
}

TEST_CASE("write: a row that is removed does not come back with those below it") {
  Mock mock;
  const Resource& hosts = *synthetic_catalogue().find_resource("hosts");
  const Resource& disks = *synthetic_catalogue().find_resource("disks");
  Edit edit(mock.dataset, {});
  const JsonValue disk = read_json_text(R"({"zone": "z1", "host": "h1", "slot": 7})");
  edit.insert(disks, disk);
  edit.remove(hosts, edit.find(hosts, read_json_text(R"({"zone": "z1", "name": "h1"})")).at(0));
  CHECK_THROWS_WITH_AS(edit.insert(disks, disk), "host is \"h1\", and there is no such host", RowRefused);
  mock.dataset = edit.finish();
  CHECK(mock.rows("hosts") == "{\"name\":\"h1\",\"port\":2,\"zone\":\"z2\"}\n");
  CHECK(mock.rows("disks") == "{\"host\":\"h1\",\"slot\":1,\"zone\":\"z2\"}\n");
}
