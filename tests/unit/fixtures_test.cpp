#include "store/fixtures.h"

#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "store/fixture_files.h"
#include "store/fixture_json.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::TemporaryFolder;

namespace {

// Keeps what a load brings, as text.
class Collector : public FixtureSink {
 public:
  void add_task(const Endpoint& endpoint, TaskRow& row) override {
    tasks.push_back(std::string(endpoint.fixture) + " " + row.json);
    rows.push_back(row);
  }
  void add_cluster(std::int64_t id, std::optional<std::string> name) override {
    declared.push_back("cluster " + std::to_string(id) + " " + name.value_or("-"));
  }
  void add_tenant(std::int64_t cluster_id, std::int64_t id, std::optional<std::string> name) override {
    declared.push_back("tenant " + std::to_string(cluster_id) + "/" + std::to_string(id) + " " + name.value_or("-"));
  }
  void add_envelope(CapturedEnvelope envelope) override { envelopes.push_back(std::move(envelope)); }

  std::vector<std::string> tasks;
  std::vector<TaskRow> rows;
  std::vector<std::string> declared;
  std::vector<CapturedEnvelope> envelopes;
};

const std::string kTask = R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-09T15:58:21+08:00","status":"RUNNING"})";
const std::string kCanonicalTask =
    R"({"clusterId":1,"createTime":"2024-08-09T15:58:21+08:00","status":"RUNNING","tenantId":2})";

std::string with(const std::string& members) { return kTask.substr(0, kTask.size() - 1) + "," + members + "}"; }

FixtureFile load(const std::string& text, Collector& sink, const std::string& name = "f.json") {
  return load_fixture_text(name, text, sink);
}

// The JSON that a task with these members is answered as.
std::string canonical(const std::string& members) {
  Collector sink;
  load("[" + with(members) + "]", sink);
  return sink.rows.at(0).json;
}

// The lines of the problems; empty if the text loads.
std::string problems(const std::string& text) {
  Collector sink;
  try {
    load(text, sink);
  } catch (const FixtureError& error) {
    const std::string what = error.what();
    return what.substr(what.find('\n') + 1);
  }
  return "";
}

}  // namespace

TEST_CASE("fixtures: the forms are told from the content") {
  const struct {
    std::string text;
    std::string form;
    std::int64_t tasks;
  } cases[] = {
      {"[]", "an array of tasks", 0},
      {"[" + kTask + "," + kTask + "]", "an array of tasks", 2},
      {"\xEF\xBB\xBF[" + kTask + "]", "an array of tasks", 1},
      {kTask, "tasks one a line", 1},
      {kTask + "\n" + kTask + "\r\n\n" + kTask + "\n", "tasks one a line", 3},
      {R"({"data":{"contents":[]}})", "a captured answer", 0},
      {R"({"data":{"contents":[)" + kTask + R"(],"page":{"number":1}},"status":200,"successful":true})",
       "a captured answer", 1},
      {R"({"status":200,"traceId":"x","duration":1,"data":{"page":{},"contents":[)" + kTask + "]}}",
       "a captured answer", 1},
      {R"({"clusters":[]})", "a fixture set", 0},
      {R"({"logBackupTasks":[)" + kTask + "]}", "a fixture set", 1},
      {R"({"logBackupTasks":[)" + kTask + R"(],"clusters":[],"$schema":"x"})", "a fixture set", 1},
      {"[" + kTask + "]\n" + kTask, "several documents", 2},
  };
  for (const auto& [text, form, tasks] : cases) {
    CAPTURE(text);
    Collector sink;
    const FixtureFile file = load(text, sink);
    CHECK(file.form == form);
    CHECK(file.tasks == tasks);
    CHECK(sink.tasks == std::vector<std::string>(static_cast<std::size_t>(tasks), "logBackupTasks " + kCanonicalTask));
  }
}

TEST_CASE("fixtures: a fixture set declares clusters and tenants") {
  Collector sink;
  load(R"({"clusters":[{"id":1,"name":"a","tenants":[{"id":2,"name":"b"},{"id":3}]},{"id":-4}]})", sink);
  CHECK(sink.declared == std::vector<std::string>{"cluster 1 a", "tenant 1/2 b", "tenant 1/3 -", "cluster -4 -"});
}

TEST_CASE("fixtures: a captured answer brings its envelope") {
  Collector sink;
  load(
      R"({"data":{"contents":[]},"duration":79,"server":"s","timestamp":"2024-08-09T16:06:02.743+08:00","traceId":"t"})",
      sink);
  REQUIRE(sink.envelopes.size() == 1);
  CHECK(sink.envelopes[0].duration == 79);
  CHECK(sink.envelopes[0].server == "s");
  CHECK(sink.envelopes[0].timestamp == "2024-08-09T16:06:02.743+08:00");
  CHECK(sink.envelopes[0].trace_id == "t");
}

TEST_CASE("fixtures: a task's known fields become columns") {
  Collector sink;
  load(
      "[" + with(R"("delay":100.1899,"modifyTime":"2024-08-09T07:58:21.5Z","obTenantId":1050,"checkpoint":null)") + "]",
      sink);
  const TaskRow& row = sink.rows.at(0);
  // cluster_id, tenant_id, create_time, status, modify_time, checkpoint, delay
  const std::vector<SqlValue> expected{std::int64_t{1},          std::int64_t{2},
                                       std::int64_t{1723190301}, std::int64_t{0},
                                       std::string("RUNNING"),   std::int64_t{1723190301},
                                       std::int64_t{500000000},  std::monostate(),
                                       std::monostate(),         100.1899};
  CHECK((row.columns == expected));
}

TEST_CASE("fixtures: a task is answered in canonical form") {
  const struct {
    std::string given;
    std::string answered;
  } cases[] = {
      // numbers keep their digits
      {R"("delay":100.1899)", R"("delay":100.1899)"},
      {R"("delay":100.10)", R"("delay":100.10)"},
      {R"("delay":1e3)", R"("delay":1e3)"},
      {R"("delay":1E+03)", R"("delay":1E+03)"},
      {R"("delay":-0)", R"("delay":-0)"},
      {R"("delay":-0.0)", R"("delay":-0.0)"},
      {R"("delay":0)", R"("delay":0)"},
      {R"("delay":-17)", R"("delay":-17)"},
      {R"("delay":9223372036854775807)", R"("delay":9223372036854775807)"},
      {R"("delay":18446744073709551615)", R"("delay":18446744073709551615)"},
      {R"("delay":123456789012345678901234567890)", R"("delay":123456789012345678901234567890)"},
      {R"("delay":0.1234567890123456789012345678901234567890)",
       R"("delay":0.1234567890123456789012345678901234567890)"},
      {R"("delay":1e400)", R"("delay":1e400)"},
      {R"("delay":1)" + std::string(1000, '0'), R"("delay":1)" + std::string(1000, '0')},
      // strings are escaped as Jackson does
      {R"("errorMsg":"\u4e2d\/\u0041\u007f")", "\"errorMsg\":\"中/A\x7F\""},
      {"\"errorMsg\":\"\U0001F600\"", R"("errorMsg":"\uD83D\uDE00")"},
      {R"("errorMsg":"\ud83d\ude00")", R"("errorMsg":"\uD83D\uDE00")"},
      {R"("errorMsg":"\u001f\u0008\u0000")", R"("errorMsg":"\u001F\b\u0000")"},
      {R"("errorMsg":"\u2028")", "\"errorMsg\":\"\u2028\""},
      // null is left out, at every level but in arrays
      {R"("errorMsg":null)", ""},
      {R"("extra":{"b":null,"a":{"c":null}})", R"("extra":{"a":{}})"},
      {R"("extra":[null,{"a":null}])", R"("extra":[null,{}])"},
      // unknown fields of any kind are kept, members sorted, blanks dropped
      {R"("extra": { "b" : [ true , false ] , "a" : "x" } )", R"("extra":{"a":"x","b":[true,false]})"},
      {R"("extra":{"data":{"contents":[1]},"clusters":[]})", R"("extra":{"clusters":[],"data":{"contents":[1]}})"},
      // times keep their characters
      {R"("modifyTime":"2024-08-09t15:58:21.100z")", R"("modifyTime":"2024-08-09t15:58:21.100z")"},
  };
  for (const auto& [given, answered] : cases) {
    CAPTURE(given);
    const std::string json = canonical(given);
    if (answered.empty()) {
      CHECK(json == kCanonicalTask);
    } else {
      CHECK(json.find(answered) != std::string::npos);
      CHECK(json.size() == kCanonicalTask.size() + 1 + answered.size());
    }
  }
}

TEST_CASE("fixtures: members stand in alphabetical order, capitals first") {
  CHECK(canonical(R"("zeta":1,"Alpha":2,"é":3,"_x":4,"":5)") ==
        R"({"":5,"Alpha":2,"_x":4,"clusterId":1,"createTime":"2024-08-09T15:58:21+08:00","status":"RUNNING",)"
        R"("tenantId":2,"zeta":1,"é":3})");
}

TEST_CASE("fixtures: what is wrong is said with file, line, column, task and field") {
  const struct {
    std::string text;
    std::string line;
  } cases[] = {
      {"", "  f.json: the file is empty; it must hold a captured answer"},
      {" \n ", "  f.json: the file is empty; it must hold a captured answer"},
      {"5", "  f.json:1:1: the file holds the number 5 that is no fixture; it must hold a captured answer"},
      {"\"x\"", "  f.json:1:3: the file holds the string \"x\" that is no fixture; it must hold"},
      {"{}", "  f.json:1:1: the file holds an object that is no fixture; it must hold"},
      {"[1]", "  f.json:1:2: task 1: it is the number 1; it must be an object"},
      {"[[]]", "  f.json:1:2: task 1: it is an array; it must be an object"},
      {"[\n  " + kTask + ",\n  " + with(R"("delay":"x")") + "]",
       "  f.json:3:91: task 2: delay is the string \"x\"; it must be a number"},
      {R"([{"clusterId":"1","tenantId":2,"createTime":"2024-08-09T15:58:21Z","status":"RUNNING"}])",
       "  f.json:1:3: task 1: clusterId is the string \"1\"; it must be a 64-bit integer"},
      {R"([{"clusterId":1,"createTime":"2024-08-09T15:58:21Z","status":"RUNNING"}])",
       "  f.json:1:2: task 1: tenantId is missing; it must be a 64-bit integer"},
      {R"([{"clusterId":1,"tenantId":null,"createTime":"2024-08-09T15:58:21Z","status":"RUNNING"}])",
       "  f.json:1:17: task 1: tenantId is null; it must be a 64-bit integer"},
      {"[" + with(R"("obClusterId":1.0)") + "]",
       "  f.json:1:90: task 1: obClusterId is the number 1.0; it must be a 64-bit integer"},
      {"[" + with(R"("obClusterId":9223372036854775808)") + "]",
       "  f.json:1:90: task 1: obClusterId is the number 9223372036854775808; it must be a 64-bit integer"},
      {"[" + with(R"("checkpoint":"2024-02-30T00:00:00Z")") + "]",
       "  f.json:1:90: task 1: checkpoint is the string \"2024-02-30T00:00:00Z\"; it must be an RFC 3339 time such as"},
      {"[" + with(R"("checkpoint":1723190301)") + "]", "  f.json:1:90: task 1: checkpoint is the number 1723190301;"},
      {"[" + with(R"("errorMsg":{"a":1})") + "]", "  f.json:1:90: task 1: errorMsg is an object; it must be a string"},
      {R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-09T15:58:21Z","status":""}])",
       "  f.json:1:66: task 1: status is the string \"\"; it must be a string that is not empty"},
      {"[" + with(R"("status":"FAILED")") + "]",
       "  f.json:1:90: status stands twice in one object; it must stand once"},
      {"[" + with(R"("extra":{"a":1,"a":1})") + "]", "  f.json:1:105: a stands twice in one object"},
      {"[" + kTask, "  f.json:1:89: not JSON: "},
      {"[" + kTask + ",]", "  f.json:1:91: not JSON: "},
      {"[" + with("\"errorMsg\":\"\xFF\"") + "]", "  f.json:1:102: not JSON: "},
      {"[" + with(R"("errorMsg":"\ud83d")") + "]", "  f.json:1:108: not JSON: "},
      {"[" + with(R"("errorMsg":"\ude00")") + "]", "  f.json:1:107: not JSON: "},
      {"[" + with("\"errorMsg\":\"a\nb\"") + "]", "not JSON: "},
      {"[" + with(R"("delay":01)") + "]", "not JSON: "},
      {"[" + with(R"("delay":NaN)") + "]", "not JSON: "},
      {"[" + with(R"("delay":1e99999)") + "]", "not JSON: number overflow"},
      {"[" + with("\"extra\":" + std::string(300, '[')) + "]", "not JSON: the value is nested deeper than 200 levels"},
      {kTask + "\n" + kTask + "\nx", "  f.json:3:1: not JSON: "},
      {kTask + "\n{\"clusterId\":2,\"tenantId\":2,\"status\":\"A\"}", "  f.json:2:1: task 2: createTime is missing;"},
      {R"({"successful":false,"error":{"code":1}})",
       "  f.json:1:1: the captured answer is an error of OCP: code 1; capture a successful one"},
      {R"({"data":null,"error":{"code":60002,"message":"tenant \"t\" \u4e2d"},"status":404,"successful":false})",
       "  f.json:1:1: the captured answer is an error of OCP: status 404, code 60002, \"tenant \\\"t\\\" 中\"; "
       "capture"},
      {R"({"status":500,"error":"Internal Server Error","path":"/x"})",
       "  f.json:1:1: the captured answer is an error of OCP: status 500, \"Internal Server Error\"; capture"},
      {R"({"data":{"contents":[]},"error":{"code":[],"message":1}})",
       "  f.json:1:1: the captured answer is an error of OCP: code an array, 1; capture"},
      {R"({"data":{"contents":[]},"successful":false})", "  f.json:1:25: successful is not true;"},
      {R"({"data":{}})", "  f.json:1:2: data has no contents;"},
      {R"({"data":[]})", "  f.json:1:2: data has no contents;"},
      {R"({"data":{"contents":{}}})", "  f.json:1:2: data has no contents;"},
      {R"({"data":{"contents":[]},"timestamp":"now"})",
       "  f.json:1:25: timestamp is the string \"now\"; it must be an RFC"},
      {R"({"data":{"contents":[]},"duration":-1})",
       "  f.json:1:25: duration is the number -1; it must be a whole number"},
      {R"({"data":{"contents":[]},"server":1})", "  f.json:1:25: server is the number 1; it must be a string"},
      {R"({"data":{"contents":[]},"clusters":[]})",
       "  f.json:1:1: the object is a captured answer and a fixture set in"},
      {R"({"clusterId":1,"data":{"contents":[1]}})",
       "  f.json:1:1: the object has fields of a task and of another form;"},
      {R"({"data":{"contents":[]},"clusterId":1})",
       "  f.json:1:1: the object has fields of a task and of another form;"},
      {R"({"logBackupTasks":[],"delay":1})", "  f.json:1:1: the object has fields of a task and of another form;"},
      {R"({"clusters":{}})", "  f.json:1:2: clusters is an object; it must be an array of clusters"},
      {R"({"logBackupTasks":{}})", "  f.json:1:2: logBackupTasks is an object; it must be an array of tasks"},
      {R"({"clusters":[],"logbackupTasks":[]})",
       "  f.json:1:16: logbackupTasks is no member of a fixture set; its members are clusters, logBackupTasks"},
      {R"({"clusters":[1]})", "  f.json:1:14: a cluster is the number 1; it must be an object with an id"},
      {R"({"clusters":[{"name":"a"}]})", "  f.json:1:14: id of a cluster is missing; it must be a 64-bit integer"},
      {R"({"clusters":[{"id":"1"}]})",
       "  f.json:1:15: id of a cluster is the string \"1\"; it must be a 64-bit integer"},
      {R"({"clusters":[{"id":1,"nam":"a"}]})",
       "  f.json:1:22: nam is no member of a cluster; its members are id, name, te"},
      {R"({"clusters":[{"id":1,"tenants":[{"id":2,"tenants":[]}]}]})",
       "  f.json:1:41: tenants is no member of a tenant;"},
      {R"({"clusters":[{"id":1,"tenants":{}}]})",
       "  f.json:1:22: tenants of a cluster is an object; it must be an array"},
      {R"({"clusters":[{"id":1,"name":1}]})", "  f.json:1:22: name of a cluster is the number 1; it must be a string"},
  };
  for (const auto& [text, line] : cases) {
    CAPTURE(text);
    const std::string found = problems(text);
    CAPTURE(found);
    CHECK(found.find(line) != std::string::npos);
    CHECK(found.find('\n') == std::string::npos);
  }
}

TEST_CASE("fixtures: columns count characters") {
  CHECK(problems("[" + with(R"("errorMsg":"中文","delay":"x")") + "]").starts_with("  f.json:1:106: task 1: delay"));
}

TEST_CASE("fixtures: the first ten problems are listed, and how many more there are") {
  std::string text = "[";
  for (int i = 0; i < 25; ++i) text += with(R"("delay":"x")") + (i < 24 ? "," : "]");
  const std::string found = problems(text);
  CHECK(std::ranges::count(found, '\n') == 10);
  CHECK(found.find("task 10: ") != std::string::npos);
  CHECK(found.find("task 11: ") == std::string::npos);
  CHECK(found.ends_with("\n  and 15 more"));
}

TEST_CASE("fixtures: all problems of a task, and of several files, are listed together") {
  const TemporaryFolder folder;
  folder.write("a.json", R"([{"clusterId":true}])");
  folder.write("b.json", "[");
  folder.write("c.json", "[" + kTask + "]");
  Collector sink;
  try {
    load_fixtures({folder.path()}, sink);
    FAIL("the fixtures were taken");
  } catch (const FixtureError& error) {
    const std::string what = error.what();
    CHECK(what.starts_with("the fixtures have 5 problems, nothing was loaded:\n"));
    CHECK(what.find("a.json:1:3: task 1: clusterId is true; it must be a 64-bit integer\n") != std::string::npos);
    CHECK(what.find("a.json:1:2: task 1: status is missing; it must be a string\n") != std::string::npos);
    CHECK(what.find("b.json:1:1: not JSON: ") != std::string::npos);
  }
}

TEST_CASE("fixtures: a folder is read in alphabetical order, with what is below it") {
  const TemporaryFolder folder;
  const auto task = [](int id) {
    return R"({"clusterId":)" + std::to_string(id) +
           R"(,"tenantId":2,"createTime":"2024-08-09T15:58:21Z","status":"S"})";
  };
  folder.write("b.json", "[" + task(2) + "]");
  folder.write("a.ndjson", task(1) + "\n");
  folder.write("c/d.jsonl", task(3));
  REQUIRE(::mkfifo((folder.path() / "pipe.json").c_str(), 0600) == 0);
  folder.write("README.md", "no fixture");
  folder.write(".hidden.json", "no fixture");
  folder.write(".git/x.json", "no fixture");
  Collector sink;
  const auto loaded = load_fixtures({folder.path(), folder.path() / "b.json"}, sink);
  CHECK(loaded.files.size() == 4);
  std::vector<std::int64_t> clusters;
  for (const TaskRow& row : sink.rows) clusters.push_back(row.cluster_id);
  CHECK(clusters == std::vector<std::int64_t>{1, 2, 3, 2});
}

TEST_CASE("fixtures: links below a folder are read under their own names, and loops end") {
  const TemporaryFolder folder;
  const auto at = [&](const std::string& name) { return folder.path() / name; };
  folder.write("elsewhere/real/a.json", "[]");
  folder.write("elsewhere/b.json", "[]");
  // As a volume of a ConfigMap.
  folder.write("fx/..2024_x/c.json", "[]");
  std::filesystem::create_symlink("..2024_x", at("fx/..data"));
  std::filesystem::create_symlink("..data/c.json", at("fx/c.json"));
  std::filesystem::create_directory_symlink("../elsewhere", at("fx/one"));
  std::filesystem::create_directory_symlink(at("elsewhere"), at("fx/two"));
  std::filesystem::create_directory_symlink("..", at("elsewhere/real/up"));
  std::filesystem::create_symlink("../elsewhere/b.json", at("fx/z.json"));
  const FixtureFiles found = find_fixture_files({at("fx/")});
  std::vector<std::filesystem::path> files;
  for (const auto& file : found.files) files.push_back(file.lexically_relative(at("fx")));
  CHECK((files == std::vector<std::filesystem::path>{"c.json", "one/b.json", "one/real/a.json", "two/b.json",
                                                     "two/real/a.json", "z.json"}));
  CHECK(found.problems.empty());
  REQUIRE(found.passed_over.size() == 2);
  CHECK(found.passed_over[0].path == at("fx/one/real/up"));
  CHECK(found.passed_over[0].reason == "a link to a folder that it lies in");
  CHECK(found.passed_over[1].path == at("fx/two/real/up"));
}

TEST_CASE("fixtures: what a folder has and is not read is named once, with the reason") {
  const TemporaryFolder folder;
  const struct {
    std::string name;
    std::string reason;  // empty: not named
  } cases[] = {
      {"A.JSON", "its ending is not in lower case"},
      {"b.NdJson", "its ending is not in lower case"},
      {"c.njson", "of another name"},
      {"d.json.gz", "compressed"},
      {"e.json.zst", "compressed"},
      {"f.json~", "a backup copy"},
      {"#g.json#", "a backup copy"},
      {"h.json.BAK", "a backup copy"},
      {"json", "of another name"},
      {"README.md", "of another name"},
      {".i.json.swp", "hidden"},
      {".J.JSON", "hidden"},
      {".gitignore", ""},
      {".json.d/k.json", "hidden"},
      {".git/l.json", ""},
      {"m.json/.gitkeep", ""},
  };
  folder.write("real.json", "[]");
  REQUIRE(::mkfifo((folder.path() / "n.json").c_str(), 0600) == 0);
  std::vector<std::string> expected{"n.json (no regular file)"};
  for (const auto& [name, reason] : cases) {
    folder.write(name, "x");
    if (!reason.empty()) expected.push_back(name.substr(0, name.find('/')) + " (" + reason + ")");
  }
  std::ranges::sort(expected);
  const FixtureFiles found = find_fixture_files({folder.path()});
  std::vector<std::string> named;
  for (const auto& [path, reason] : found.passed_over) {
    named.push_back(path.lexically_relative(folder.path()).string() + " (" + std::string(reason) + ")");
  }
  CHECK(std::ranges::is_sorted(named));
  std::ranges::sort(named);
  CHECK(named == expected);

  Collector sink;
  const LoadedFixtures loaded = load_fixtures({folder.path()}, sink);
  REQUIRE(loaded.notes.size() == 1);
  const std::string first = "passed over: " + (folder.path() / "#g.json#").string() + " (a backup copy), ";
  CHECK(loaded.notes[0].starts_with(first));
  CHECK(loaded.notes[0].ends_with(" and 4 more; read are files called *.json, *.ndjson and *.jsonl"));
  CHECK(loaded.notes[0].find('\n') == std::string::npos);

  // A folder in which nothing is left tells what it has.
  std::filesystem::remove(folder.path() / "real.json");
  CHECK_THROWS_WITH(load_fixtures({folder.path()}, sink),
                    doctest::Contains(("has no *.json, *.ndjson or *.jsonl file; " + first).c_str()));
  // What is named itself is read, whatever it is called.
  CHECK(find_fixture_files({folder.path() / "json"}).files.size() == 1);
}

TEST_CASE("fixtures: of folders and files that may not be read each is named") {
  const TemporaryFolder folder;
  namespace fs = std::filesystem;
  fs::permissions(folder.path(), fs::perms::all);
  folder.write("a/good.json", "[]");
  folder.write("b/locked/deep.json", "[]");
  folder.write("c.json", "[]");
  fs::permissions(folder.path() / "b/locked", fs::perms::none);
  fs::permissions(folder.path() / "c.json", fs::perms::none);
  fs::create_symlink("d.json", folder.path() / "d.json");
  std::string what;
  std::thread([&] {
    // For root may read all. This holds for this thread alone.
    ::setfsuid(65534);
    Collector sink;
    try {
      load_fixtures({folder.path()}, sink);
    } catch (const FixtureError& error) {
      what = error.what();
    }
  }).join();
  CAPTURE(what);
  CHECK(what.starts_with("the fixtures have 3 problems"));
  CHECK(what.find("/b/locked: cannot be read: Permission denied") != std::string::npos);
  CHECK(what.find("/c.json: cannot be read: Permission denied") != std::string::npos);
  CHECK(what.find("/d.json: cannot be read: Too many levels of symbolic links") != std::string::npos);
  fs::permissions(folder.path() / "b/locked", fs::perms::owner_all);
}

TEST_CASE("fixtures: several pages of one list name its total once") {
  Collector sink;
  const std::string page = R"({"data":{"contents":[)" + kTask + R"(],"page":{"totalElements":2}}})";
  CHECK(load(page, sink).tasks_of_answers == 2);
  const FixtureFile both = load(page + page, sink);
  CHECK(both.tasks == 2);
  CHECK(both.tasks_of_answers == 2);
}

TEST_CASE("fixtures: what cannot be read is said") {
  const TemporaryFolder folder;
  const auto load_path = [](const std::filesystem::path& path) -> std::string {
    Collector sink;
    try {
      load_fixtures({path}, sink);
    } catch (const FixtureError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(load_path(folder.path() / "none.json").find("none.json: cannot be read: No such file or directory") !=
        std::string::npos);
  std::filesystem::create_symlink("nowhere", folder.path() / "link.json");
  CHECK(load_path(folder.path()).find("link.json: cannot be read: No such file or directory") != std::string::npos);
  std::filesystem::remove(folder.path() / "link.json");
  CHECK(load_path(folder.path()).find("the folder has no *.json, *.ndjson or *.jsonl file") != std::string::npos);
}

TEST_CASE("fixtures: what is no UTF-8 text is named for what it is, with what to do") {
  const std::string task = "[" + kTask + "]";
  const auto in_utf16 = [&](bool little, bool mark) {
    std::string text;
    const auto add = [&](char low, char high) {
      text += little ? low : high;
      text += little ? high : low;
    };
    if (mark) add('\xFF', '\xFE');
    for (const char c : task) add(c, '\0');
    return text;
  };
  const std::string kUtf16 = "f.json: it is UTF-16 text, no JSON; convert it to UTF-8 first, with iconv or an editor";
  const struct {
    std::string bytes;
    std::string line;
  } cases[] = {
      {in_utf16(true, true), kUtf16},
      {in_utf16(false, true), kUtf16},
      {in_utf16(true, false), kUtf16},
      {in_utf16(false, false), kUtf16},
      {std::string("\xFF\xFE\0\0[\0\0\0]\0\0\0", 12), "f.json: it is UTF-32 text, no JSON; convert it to UTF-8"},
      {std::string("\0\0\xFE\xFF\0\0\0[", 8), "f.json: it is UTF-32 text"},
      {std::string("\x1F\x8B\x08\0\0", 5), "f.json: it is compressed by gzip, no JSON; unpack it first"},
      {std::string("\x28\xB5\x2F\xFD\x24", 5), "f.json: it is compressed by zstd"},
      {std::string("\xFD\x37zXZ\0\0", 7), "f.json: it is compressed by xz"},
      {"BZh91AY", "f.json: it is compressed by bzip2"},
      {"PK\x03\x04xx", "f.json: it is a ZIP archive"},
      {std::string("SQLite format 3\0\x10\0", 18),
       "f.json: it is a SQLite database, no JSON; one that --db has made is served by --db in place of --fixtures"},
      {std::string("\0", 1), "f.json:1:1: not JSON: a NUL byte"},
      {task + std::string(3, '\0'), "f.json:1:91: not JSON: a NUL byte"},
      {"[" + std::string(1, '\0') + kTask + "]", "f.json: it is UTF-16 text"},  // hardly anything else begins so
      {"[ " + std::string(1, '\0') + kTask + "]", "f.json:1:3: not JSON: a NUL byte"},
      {"[" + with("\"errorMsg\":\"a" + std::string(1, '\0') + "\"") + "]", "f.json:1:103: not JSON: a NUL byte"},
      {"\xEF\xBB\xBF", "f.json: the file is empty"},
      {"\xEF\xBB\xBFx", "f.json:1:1: not JSON: "},
      {"\xEF\xBB[]", "f.json:1:2: not JSON: "},
      {"", "f.json: the file is empty"},
      {"\xFE[]", "f.json:1:1: not JSON: "},
  };
  const TemporaryFolder folder;
  for (const auto& [bytes, line] : cases) {
    CAPTURE(bytes);
    CAPTURE(line);
    const std::string found = problems(bytes);
    CAPTURE(found);
    CHECK(found.find("  " + line) == 0);
    CHECK(found.find('\n') == std::string::npos);
    Collector sink;
    CHECK_THROWS_WITH_AS(load_fixtures({folder.write("f.json", bytes)}, sink), doctest::Contains(line.c_str()),
                         FixtureError);
    CHECK(sink.tasks.size() <= 1);
  }
}

TEST_CASE("fixtures: a byte order mark of UTF-8 is no part of the text") {
  for (const std::string& text :
       {"[" + kTask + "]", kTask + "\n" + kTask, R"({"data":{"contents":[]}})" + std::string()}) {
    CAPTURE(text);
    Collector plain;
    Collector marked;
    CHECK(load(text, plain).form == load("\xEF\xBB\xBF" + text, marked).form);
    CHECK(plain.tasks == marked.tasks);
  }
  CHECK(problems("\xEF\xBB\xBF[" + with(R"("delay":"x")") + "]").starts_with("  f.json:1:90: task 1: delay is"));
  // Positions hold beyond the reader's window too.
  const TemporaryFolder folder;
  Collector sink;
  const auto file = folder.write("f.json", "\xEF\xBB\xBF[" + std::string(ByteSource::kWindow, ' ') + "\nx");
  CHECK_THROWS_WITH(load_fixtures({file}, sink), doctest::Contains("f.json:2:1: not JSON: "));
}

TEST_CASE("fixtures: a captured answer with its request makes its cluster and tenant known") {
  const auto exchange = [](const std::string& request, const std::string& response) {
    return R"({"request":)" + request + R"(,"response":)" + response + "}";
  };
  const std::string path = "/api/v2/ob/clusters/7/tenants/8/backup/task/logBackupTasks";
  const std::string request = R"({"method":"GET","path":")" + path + R"(","query":"page=1&size=10"})";
  const std::string answer = R"({"data":{"contents":[)" + kTask + R"(],"page":{"totalElements":5}},"server":"s"})";
  const std::string nothing = R"({"data":{"contents":[]},"successful":true})";
  const auto ok = [](const std::string& body) { return R"({"status":200,"body":)" + body + "}"; };
  const std::string one = "a captured answer with its request";
  const std::string several = "an array of captured answers with their requests";
  const struct {
    std::string text;
    std::string form;
    std::size_t tasks;
    std::size_t exchanges;
  } cases[] = {
      {exchange(request, ok(answer)), one, 1, 1},
      {exchange(request, ok(nothing)), one, 0, 1},
      {R"({"response":)" + ok(answer) + R"(,"id":1,"request":)" + request + "}", one, 1, 1},
      {exchange(R"({"path":")" + path + "\"}", R"({"body":)" + nothing + "}"), one, 0, 1},
      {exchange(R"({"method":null,"query":null,"path":")" + path + "/?page=1\",\"headers\":{}}", ok(nothing)), one, 0,
       1},
      {exchange(R"({"path":"https://user@ocp:8080)" + path + "\"}", ok(nothing)), one, 0, 1},
      {exchange(R"({"path":"/api/v2/ob/clusters/%37/tenants/8/backup/task/logBackupTasks"})", ok(nothing)), one, 0, 1},
      {"[" + exchange(request, ok(answer)) + "," + exchange(request, ok(nothing)) + "]", several, 1, 2},
      {exchange(request, ok(answer)) + "\n" + exchange(request, ok(answer)), one, 2, 2},
  };
  for (const auto& [text, form, tasks, exchanges] : cases) {
    CAPTURE(text);
    Collector sink;
    const FixtureFile file = load(text, sink);
    CHECK(file.form == form);
    CHECK(file.notes.empty());
    CHECK(file.tasks_of_answers == (tasks == 0 ? 0 : 5));
    CHECK(sink.tasks == std::vector<std::string>(tasks, "logBackupTasks " + kCanonicalTask));
    std::vector<std::string> declared;
    for (std::size_t i = 0; i < exchanges; ++i) {
      declared.emplace_back("cluster 7 -");
      declared.emplace_back("tenant 7/8 -");
    }
    CHECK(sink.declared == declared);
    CHECK(sink.envelopes.size() == exchanges);
  }
  // A task may have fields of these names.
  CHECK(canonical(R"("request":{"a":1},"response":"x")").find(R"("request":{"a":1},"response":"x")") !=
        std::string::npos);

  const struct {
    std::string text;
    std::string line;
  } refused[] = {
      {exchange("5", ok(nothing)), "1:2: request must be an object"},
      {R"({"response":)" + ok(nothing) + "}",
       "1:1: request is missing; it must be an object with method, path and query"},
      {R"({"request":)" + request + "}", "1:1: response is missing; it must be an object with status and body"},
      {exchange("{}", ok(nothing)), "1:12: path is missing; it must be a string"},
      {exchange(R"({"path":1})", ok(nothing)), "1:13: path must be a string"},
      {exchange(R"({"method":1,"path":")" + path + "\"}", ok(nothing)), "1:13: method must be a string"},
      {exchange(R"({"query":{},"path":")" + path + "\"}", ok(nothing)), "1:13: query must be a string"},
      {exchange(request, R"({"status":"200","body":{}})"), "status must be an integer from 100 to 599"},
      {exchange(request, R"({"status":200})"), "body must be the answer of OCP, an object"},
      {exchange(request, ok("[]")), "body must be the answer of OCP, an object"},
      {exchange(request, ok("{}")), "data has no contents; it must be an object with contents, an array of tasks"},
      {exchange(request, ok(R"({"data":{"contents":[5]}})")), "task 1: it is the number 5; it must be an object"},
      {exchange(R"({"path":"/api/v2/ob/clusters/x/tenants/8/backup/task/logBackupTasks"})", ok(nothing)),
       "1:13: path names 'x'; it must be a 64-bit integer"},
      {R"({"request":{},"response":{},"data":{"contents":[]}})",
       "1:1: the object has request or response and the members"},
      {R"({"request":{},"clusters":[]})", "1:1: the object has request or response and the members of another form"},
      {"[" + kTask + "," + R"({"request":{}}])", "1:91: response is missing"},
      // All that a file has is of no use.
      {exchange(R"({"path":"/api/v2/ob/clusters"})", ok(nothing)),
       "1:1: exchange 1: its path is '/api/v2/ob/clusters'; loaded are answers of /api/v2/ob/clusters/{id}/tenants/"},
      {exchange(R"({"path":"/api/v2/time"})", ok("\"now\"")), "exchange 1: its path is '/api/v2/time'"},
      {exchange(R"({"path":"https://me:secret@ocp/api/v2/time"})", ok("1")), "its path is '***"},
      {exchange(R"({"method":"POST","path":")" + path + "\"}", ok(nothing)),
       "exchange 1: its method is 'POST'; loaded are answers to GET"},
      {exchange(request, R"({"status":503,"body":"<html>"})"),
       "exchange 1: its status is 503; loaded are answers with 200"},
      {"[" + exchange(request, R"({"status":404,"body":{"error":{"code":60002,"message":"no tenant"},"status":404}})") +
           "]",
       "exchange 1: its answer is an error of OCP: status 404, code 60002, \"no tenant\"; capture a successful one"},
  };
  for (const auto& [text, line] : refused) {
    CAPTURE(text);
    const std::string found = problems(text);
    CAPTURE(found);
    CHECK(found.starts_with("  f.json:"));
    CHECK(found.find(line) != std::string::npos);
    CHECK(found.find('\n') == std::string::npos);
  }

  // What is of no use beside what is of use is passed over, with a note.
  Collector sink;
  const FixtureFile file =
      load("[" + exchange(R"({"path":"/api/v2/info"})", ok("{}")) + "," + exchange(request, ok(answer)) + "]", sink);
  CHECK(sink.tasks.size() == 1);
  REQUIRE(file.notes.size() == 1);
  CHECK(
      file.notes[0].starts_with("f.json:1:2: exchange 1: its path is '/api/v2/info'; loaded are answers of /api/v2/"));
  CHECK(file.notes[0].ends_with("logBackupTasks; it is passed over"));
}

TEST_CASE("fixtures: a captured answer without tasks tells that it does not name its tenant") {
  Collector sink;
  const FixtureFile file = load(R"({"data":{"contents":[]}})"
                                "\n"
                                R"({"data":{"contents":[)" +
                                    kTask + "]}}",
                                sink);
  REQUIRE(file.notes.size() == 1);
  CHECK(file.notes[0].starts_with(
      "f.json:1:1: the captured answer has no tasks, and so does not tell of which cluster and "
      "tenant it is; keep it with its request: {\"request\":{"));
  CHECK(load("[]", sink).notes.empty());
  CHECK(load(R"({"logBackupTasks":[]})", sink).notes.empty());
}

TEST_CASE("fixtures: a file longer than the reader's window keeps its positions, rows and order") {
  const TemporaryFolder folder;
  const auto load_file = [&](const std::string& name, const std::string& text, Collector& sink) -> std::string {
    folder.write(name, text);
    try {
      load_fixtures({folder.path() / name}, sink);
    } catch (const FixtureError& error) {
      const std::string what = error.what();
      return what.substr(what.find(name));
    }
    return "";
  };
  const int count = static_cast<int>(3 * ByteSource::kWindow / kTask.size());
  for (const std::string separator : {",\n", ", \n\t", "\n"}) {
    CAPTURE(separator);
    const bool lines = separator == "\n";
    std::string text = lines ? "" : "[\n";
    for (int i = 0; i < count; ++i) {
      // Most are plain, some are not, wherever the window ends.
      text += with("\"n\":" + std::to_string(i) + (i % 7 == 0 ? R"(,"errorMsg":"\u4e2d中")" : R"(,"errorMsg":"中")"));
      text += i < count - 1 || lines ? separator : "\n]";
    }
    Collector sink;
    CHECK(load_file("f.json", text, sink) == "");
    REQUIRE(sink.rows.size() == static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const bool right =
          sink.rows[static_cast<std::size_t>(i)].json ==
          canonical("\"n\":" + std::to_string(i) + (i % 7 == 0 ? R"(,"errorMsg":"中中")" : R"(,"errorMsg":"中")"));
      if (!right) CHECK(i == -1);
    }
    const int line = count + (lines ? 1 : 2);
    const std::string tail = lines ? "" : "\n]";
    const std::string before = lines ? text : text.substr(0, text.size() - 2) + ",\n";
    CHECK(load_file("f.json", before + with(R"("delay":"x")") + tail, sink)
              .starts_with("f.json:" + std::to_string(line) + ":89: task " + std::to_string(count + 1) + ": delay is"));
    CHECK(load_file("f.json", before + with(R"("errorMsg":"中","delay":01)"), sink)
              .starts_with("f.json:" + std::to_string(line) + ":114: not JSON: "));
  }
  Collector sink;
  const std::string message(2 * ByteSource::kWindow, 'x');
  CHECK(load_file("f.json", "[" + with("\"errorMsg\":\"" + message + "\"") + "," + kTask + "]", sink) == "");
  REQUIRE(sink.rows.size() == 2);
  CHECK(sink.rows[0].json.find(message) != std::string::npos);
  CHECK(sink.rows[1].json == kCanonicalTask);
}

TEST_CASE("fixtures: one JSON document of a text") {
  std::string out;
  append_json(out, read_json_text(" {\"b\":[null,1.50,{\"c\":null}],\"a\":\"\\ud83d\\ude00\"}\n"));
  CHECK(out == R"({"a":"\uD83D\uDE00","b":[null,1.50,{"c":null}]})");
  CHECK(read_json_text("5").text == "5");
  const struct {
    std::string text;
    std::string problem;
    std::int64_t column;
  } refused[] = {
      {"", "the text is empty", 1},
      {" \n", "the text is empty", 1},
      {"{", "unexpected end of input", 1},
      {"{} {}", "a second document follows the first", 5},
      {"{} x", "invalid literal", 4},
      {R"({"a":1,"a":1})", "a stands twice in one object", 8},
      {R"({"o":{"a":1,"a":2}})", "a stands twice in one object", 13},
      {"\"\xff\"", "invalid string", 2},
  };
  for (const auto& [text, problem, column] : refused) {
    CAPTURE(text);
    std::string got;
    try {
      read_json_text(text);
    } catch (const JsonSyntaxError& error) {
      got = error.what();
      CHECK(error.position().column == column);
    }
    CAPTURE(got);
    CHECK(got.find(problem) != std::string::npos);
  }
}

TEST_CASE("fixtures: a canonical text reads to the value that it was made of") {
  for (const std::string text : {"{}", R"({"a":1.50})", R"({"a":"x","b":true,"c":-0,"d":""})", R"({"a":"\"\\\n"})",
                                 R"({"a":"\uD83D\uDE00"})", R"({"a":[1,{"b":null}],"c":{"d":"e"}})", R"({"é":"中"})",
                                 R"({"a":1e400,"b":123456789012345678901234567890})"}) {
    CAPTURE(text);
    const JsonValue value = read_canonical_json(text);
    const JsonValue expected = read_json_text(text);
    REQUIRE(value.members.size() == expected.members.size());
    for (std::size_t i = 0; i < value.members.size(); ++i) {
      CHECK(value.members[i].value.kind == expected.members[i].value.kind);
      CHECK(value.members[i].value.text == expected.members[i].value.text);
    }
    std::string out;
    append_json(out, value);
    CHECK(out == text);
  }
}

TEST_CASE("fixtures: JSON values are the same by value") {
  const struct {
    std::string left;
    std::string right;
    bool same;
  } cases[] = {
      {"1", "1.0", true},
      {"1", "10e-1", true},
      {"1", "0.1E+1", true},
      {"0", "-0", true},
      {"0.000", "0e999999999999999999", false},  // the exponent is beyond what is compared
      {"0e99", "-0.0", true},
      {"1", "-1", false},
      {"100.1", "100.10", true},
      {"0.001", "1e-3", true},
      {"1000", "1e3", true},
      {"1000", "1e4", false},
      {"12345678901234567890123", "12345678901234567890123.0", true},
      {"12345678901234567890123", "12345678901234567890124", false},
      {"1", "\"1\"", false},
      {"1", "true", false},
      {"null", "false", false},
      {"null", "null", true},
      {"\"\\u0041\"", "\"A\"", true},
      {"\"A\"", "\"a\"", false},
      {"[]", "{}", false},
      {"[1,2]", "[1.0,2]", true},
      {"[1,2]", "[2,1]", false},
      {"[null]", "[]", false},
      {R"({"a":1,"b":null})", R"({"a":1.0})", true},
      {R"({"b":2,"a":1})", R"({"a":1,"b":2})", true},
      {R"({"a":1})", R"({"b":1})", false},
      {R"({"a":1})", R"({"a":1,"b":1})", false},
  };
  for (const auto& [left, right, same] : cases) {
    CAPTURE(left);
    CAPTURE(right);
    CHECK(same_json(read_json_text(left), read_json_text(right)) == same);
    CHECK(same_json(read_json_text(right), read_json_text(left)) == same);
  }
}
