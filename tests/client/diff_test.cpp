// Where an OCP answers otherwise than fixtures.
#include "client/diff.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "catalogue/router.h"
#include "client/capture_run.h"
#include "client/diff_requests.h"
#include "fixtures/forms.h"
#include "json/reader.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const Endpoint& endpoint(const std::string& path) {
  static const Router router(ocp_catalogue());
  return *router.find("GET", path)->endpoint;
}

std::string answer(const std::string& rows, const std::string& time = "1") {
  return R"({"data":{"contents":[)" + rows + R"(],"page":{"number":1}},"duration":)" + time + R"(,"server":"s)" + time +
         R"(","status":200,"successful":true,"timestamp":"2024-08-09T16:06:0)" + time + R"(+08:00","traceId":"t)" +
         time + R"("})";
}

// "KIND PATH FIRST OURS THEIRS COUNT" of each difference.
std::string differences(const std::string& ours, const std::string& theirs,
                        const std::string& path = "/api/v2/compute/hosts") {
  std::string text;
  for (const AnswerDifference& one :
       compare_answers(&endpoint(path), {200, "application/json", "", ours}, {200, "application/json", "", theirs})) {
    text += std::string(word_of(one.kind)) + " " + one.path + " | " + one.first + " | " + one.ours + " | " +
            one.theirs + " | " + std::to_string(one.count) + "\n";
  }
  return text;
}

struct DiffRun {
  int code;
  std::string out;
  std::string error;
};

DiffRun diff_with(const RunningProgram& source, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "diff");
  arguments.insert(arguments.end(), {"--against", "http://127.0.0.1:" + std::to_string(source.port())});
  Process process(kBinary, arguments);
  std::string out = process.read_out();
  std::string error = process.read_error();
  return {process.wait(), std::move(out), std::move(error)};
}

}  // namespace

TEST_CASE("diff: the values of the envelope that differ each time are no difference, their types are") {
  CHECK(differences(answer(R"({"id":1})", "1"), answer(R"({"id":1})", "9")) == "");
  std::string other = answer(R"({"id":1})");
  other.replace(other.find("\"duration\":1"), 12, "\"duration\":\"1\"");
  CHECK(differences(answer(R"({"id":1})"), other) == "type $.duration | $.duration | number 1 | string \"1\" | 1\n");
  other = answer(R"({"id":1})");
  other.replace(other.find(",\"traceId\":\"t1\""), 15, "");
  CHECK(differences(answer(R"({"id":1})"), other) == "missing $.traceId | $.traceId | \"t1\" |  | 1\n");
  // Below the data they count.
  CHECK(differences(answer(R"({"id":1,"server":"a"})"), answer(R"({"id":1,"server":"b"})")) ==
        "value $.data.contents[*].server | $.data.contents[id=1].server | \"a\" | \"b\" | 1\n");
}

TEST_CASE("diff: members that are missing, new, of another type or value are told once for all rows") {
  CHECK(differences(answer(R"({"id":1,"a":1},{"id":2,"a":2})"), answer(R"({"id":1},{"id":2})")) ==
        "missing $.data.contents[*].a | $.data.contents[id=1].a | 1 |  | 2\n");
  CHECK(differences(answer(R"({"id":1})"), answer(R"({"id":1,"b":[{"c":null}]})")) ==
        "extra $.data.contents[*].b | $.data.contents[id=1].b |  | [{\"c\":null}] | 1\n");
  CHECK(differences(answer(R"({"id":1,"a":{"b":7}})"), answer(R"({"id":1,"a":{"b":"7"}})")) ==
        "type $.data.contents[*].a.b | $.data.contents[id=1].a.b | number 7 | string \"7\" | 1\n");
  CHECK(differences(answer(R"({"id":1,"a":null})"), answer(R"({"id":1})")) ==
        "missing $.data.contents[*].a | $.data.contents[id=1].a | null |  | 1\n");
}

TEST_CASE("diff: rows with a key are compared by it, others by their place") {
  CHECK(differences(answer(R"({"id":1,"a":1},{"id":2,"a":2})"), answer(R"({"id":3,"a":3},{"id":2,"a":2})")) ==
        "missing $.data.contents[*] | $.data.contents[id=1] | {\"id\":1,\"a\":1} |  | 1\n"
        "extra $.data.contents[*] | $.data.contents[0] |  | {\"id\":3,\"a\":3} | 1\n");
  const std::string tasks = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";
  CHECK(differences(answer(R"({"delay":1})"), answer(R"({"delay":2},{"delay":3})"), tasks) ==
        "extra $.data.contents[*] | $.data.contents[1] |  | {\"delay\":3} | 1\n"
        "value $.data.contents[*].delay | $.data.contents[0].delay | 1 | 2 | 1\n");
}

TEST_CASE("diff: the same JSON in other bytes is a difference") {
  CHECK(differences(answer(R"({"id":1,"a":100.10})"), answer(R"({"id":1,"a":100.1})")) ==
        "bytes $.data.contents[*].a | $.data.contents[id=1].a | 100.10 | 100.1 | 1\n");
  CHECK(differences(answer(R"({"a":1,"id":1})"), answer(R"({"id":1,"a":1})")).starts_with("bytes $ | $, byte 24 | "));
  CHECK(differences(answer(R"({"id":1,"a":"/"})"), answer(R"({"id":1,"a":"\/"})")).starts_with("bytes $ | $, byte "));
  CHECK(differences("okay", "okay!").starts_with("bytes $ | $, byte 5 | "));
  CHECK(differences("okay", "okay") == "");
  CHECK(differences("", "{}").starts_with("bytes $ | $, byte 1 | "));
}

TEST_CASE("diff: status and headers that matter are compared") {
  const auto found =
      compare_answers(nullptr, {200, "application/json", "", "{}"}, {401, "Application/JSON", "Basic", "{}"});
  REQUIRE(found.size() == 2);
  CHECK(found[0] == AnswerDifference{DiffKind::Status, "status", "status", "200", "401", 1});
  CHECK(found[1] == AnswerDifference{DiffKind::Header, "WWW-Authenticate", "WWW-Authenticate", "", "Basic", 1});
  CHECK(compare_answers(nullptr, {200, "application/json", "", "{}"}, {200, "text/html", "", "{}"}).size() == 1);
}

TEST_CASE("diff: a server with the same fixtures answers the same, one with others is told") {
  const TemporaryFolder folder;
  const auto set = [&](const std::string& name, const std::string& task) {
    return folder
        .write(
            name,
            R"({"hosts":[{"id":7,"name":"h7","innerIpAddress":"192.0.2.7"}],"logBackupTasks":[{"clusterId":1,"tenantId":2,)" +
                task +
                R"("createTime":"2024-08-01T00:00:00Z","status":"RUNNING"}],)"
                R"("exchanges":[{"request":{"path":"/api/v2/reports/1","query":"a=b"},"response":{"body":{"x":1}}}]})")
        .string();
  };
  const std::string same = set("same.json", R"("delay":100.10,"errorMsg":"x",)");
  const RunningProgram source({"--fixtures", same});
  const DiffRun equal = diff_with(source, {same, "--user", "a:b"});
  CHECK(equal.code == 0);
  CHECK(equal.out == "9 requests compared, none of them answered otherwise\n");
  CHECK(diff_with(source, {"installation", "--user", "a:b"}).code == 1);

  const std::string other = set("other.json", R"("delay":100.1,"errorMsg":"y","newField":1,)");
  const DiffRun different = diff_with(source, {other, "--user", "a:b"});
  CHECK(different.code == 1);
  CHECK(different.out ==
        "GET /api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks?page=1&size=100\n"
        "  $.data.contents[0].newField: missing there; here 1\n"
        "  $.data.contents[0].errorMsg: here \"y\", there \"x\"\n"
        "  $.data.contents[0].delay: the same JSON in other bytes: here 100.1, there 100.10\n"
        "9 requests compared, 1 of them answered otherwise\n");
  const DiffRun json = diff_with(source, {other, "--user", "a:b", "--json"});
  CHECK(json.code == 1);
  const JsonValue document = read_json_text(json.out);
  CHECK(document.find("compared")->value.text == "9");
  const JsonValue& first = document.find("differing")->value.items.at(0);
  CHECK(first.find("method")->value.text == "GET");
  CHECK(first.find("differences")->value.items.at(0).find("kind")->value.text == "missing");
  CHECK(first.find("differences")->value.items.at(0).find("path")->value.text == "$.data.contents[*].newField");

  const auto paths =
      folder.write("paths", "# the time differs\n\n/api/v2/info\n/api/v2/compute/hosts/7\r\n/api/v2/none?x=%20\n")
          .string();
  const DiffRun of_paths = diff_with(source, {other, "--user", "a:b", "--paths", paths});
  CHECK(of_paths.out == "3 requests compared, none of them answered otherwise\n");
  CHECK(diff_with(source, {other, "--paths", paths}).code == 0);  // refused by both sides
}

TEST_CASE("diff: a capture of one cluster is compared with that cluster, and a redacted one with nothing") {
  const RunningProgram source({});
  const TemporaryFolder folder;
  const auto one = folder.path() / "one";
  REQUIRE(capture_from(source, one, {"--cluster", "1000005", "--no-redact"}).code == 0);
  const DiffRun equal = diff_with(source, {one.string(), "--user", "a:b"});
  CHECK(equal.code == 0);
  CHECK(contains(equal.out, "none of them answered otherwise\n"));
  const auto redacted = folder.path() / "redacted";
  REQUIRE(capture_from(source, redacted, {"hosts"}).code == 0);
  const CaptureRun other = capture_from(source, redacted, {"hosts", "--no-redact"});
  CHECK(other.code == 2);
  CHECK(contains(other.error, "hosts, redacted', and this is 'http://"));
  // The files themselves say it.
  std::filesystem::remove_all(redacted / ".capture");
  const DiffRun refused = diff_with(source, {redacted.string(), "--user", "a:b"});
  CHECK(refused.code == 2);
  CHECK(contains(
      refused.error,
      "hosts.captured.json is redacted, so it differs from every OCP; compare one that was made with --no-redact\n"));
}

TEST_CASE("diff: of a recording the requests are compared that it has, and no lists that it never saw") {
  const RunningProgram source({});
  const TemporaryFolder folder;
  const auto out = folder.path() / "recorded";
  const std::string url = "http://127.0.0.1:" + std::to_string(source.port());
  const auto record = [&](const std::filesystem::path& into, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"record", "--upstream", url, "--out", into.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    RunningProgram recorder(arguments);
    recorder.get("/api/v2/ob/clusters/1000005/tenants?size=1");
    recorder.get("/api/v2/compute/hosts/1");
    recorder->signal(SIGTERM);
    CHECK(recorder->wait() == 0);
  };
  record(out, {"--no-redact"});
  const DiffRun alone = diff_with(source, {out.string(), "--user", "a:b"});
  CHECK(alone.out == "2 requests compared, none of them answered otherwise\n");
  CHECK(alone.code == 0);
  // Rows of other files are asked for, the recording's are not.
  const std::string hosts = folder.write("hosts.json", R"([{"id":1,"name":"x"}])").string();
  const DiffRun both = diff_with(source, {out.string(), hosts, "--user", "a:b"});
  CHECK(contains(both.out, "GET /api/v2/compute/hosts?"));
  CHECK_FALSE(contains(both.out, "GET /api/v2/ob/clusters/1000005/tenants?page="));

  // The file itself says that it is redacted.
  const auto redacted = folder.path() / "redacted";
  record(redacted, {});
  std::filesystem::remove_all(redacted / ".capture");
  const DiffRun refused = diff_with(source, {(redacted / "recorded.json").string(), "--user", "a:b"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.error, "recorded.json is redacted, so it differs from every OCP"));
}

TEST_CASE("diff: an OCP that cannot be asked is another matter than one that differs") {
  const TemporaryFolder folder;
  const RunningProgram source({"--user", "me:x"});
  const DiffRun wrong = diff_with(source, {"installation", "--user", "you:secret-one"});
  CHECK(wrong.code == 2);
  CHECK(contains(wrong.error, " refuses the credentials\n"));
  CHECK_FALSE(contains(wrong.error, "secret-one"));
  const DiffRun none = diff_with(source, {"installation"});
  CHECK(none.code == 2);
  CHECK(contains(none.error, " refuses requests without credentials; see --user\n"));
  const DiffRun paths = diff_with(source, {"installation", "--paths", folder.write("p", "/ok\nhosts\n").string()});
  CHECK(paths.code == 2);
  CHECK(contains(paths.error, "p:2: 'hosts' is no path; it must begin with a slash"));
  CHECK(diff_with(source, {"installation", "--paths", folder.write("e", "# nothing\n").string()}).code == 2);
  CHECK(diff_with(source, {folder.write("empty.json", "[]").string(), "--user", "me:x"}).code == 2);
  CHECK(diff_with(source, {"/does/not/exist", "--user", "me:x"}).code == 2);
  CHECK(diff_with(source, {folder.write("nothing.json", "").string(), "--user", "me:x"}).code == 2);
  CHECK(diff_with(source, {"installation", "--credentials", "/does/not/exist"}).code == 2);
}

TEST_CASE("diff: of lists with pages the first and the last page are asked for, and only so many objects") {
  std::string text = R"({"alarms":[)";
  for (int i = 1; i <= 250; ++i) text += (i == 1 ? R"({"id":)" : R"(,{"id":)") + std::to_string(i) + "}";
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(Router(ocp_catalogue()), "a.json", text + "]}", *builder);
  const DiffRequests requests = requests_of(*builder->finish(), {});
  REQUIRE(requests.targets.size() == 2 + kMostOfEndpoint);
  CHECK(requests.targets[0] == "/api/v2/alarm/alarms?page=1&size=100");
  CHECK(requests.targets[1] == "/api/v2/alarm/alarms?page=3&size=100");
  CHECK(requests.notes == std::vector<std::string>{"/api/v2/alarm/alarms/{id}: only the first 100 are asked for"});
}

TEST_CASE("diff: lists that need times are asked for those of their rows, or else for the last hour") {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  const Router router(ocp_catalogue());
  load_fixture_text(router, "sqlTrends.json",
                    R"([{"clusterId":1,"tenantId":2,"sqlId":"A","timestamp":"2024-08-09T16:06:02.743+08:00"},)"
                    R"({"clusterId":1,"tenantId":2,"sqlId":"A","timestamp":"2024-08-09T16:01:02.001+08:00"},)"
                    R"({"clusterId":1,"tenantId":2,"sqlId":"B","timestamp":"2024-08-10T00:00:00Z"}])",
                    *builder);
  load_fixture_text(router, "topSqls.json", R"([{"clusterId":1,"tenantId":2,"sqlId":"A"}])", *builder);
  const DiffRequests requests = requests_of(*builder->finish(), *parse_rfc3339("2024-09-01T01:00:00Z"));
  const std::string tenant = "/api/v2/ob/clusters/1/tenants/2";
  std::vector<std::string> with_times;
  for (const std::string& target : requests.targets) {
    if (contains(target, "Time=")) with_times.push_back(target);
  }
  std::ranges::sort(with_times);
  CHECK(with_times == std::vector<std::string>{
                          tenant + "/sqls/A/trends?startTime=2024-08-09T08%3A01%3A02Z&endTime=2024-08-09T08%3A06%3A03Z",
                          tenant + "/sqls/B/trends?startTime=2024-08-10T00%3A00%3A00Z&endTime=2024-08-10T00%3A00%3A00Z",
                          tenant + "/topSql?startTime=2024-09-01T00%3A00%3A00Z&endTime=2024-09-01T01%3A00%3A00Z"});
  CHECK(requests.notes.empty());
}
