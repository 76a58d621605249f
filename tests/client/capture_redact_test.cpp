// A capture that is redacted tells nothing of the original's, and is served all the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "client/capture_run.h"
#include "json/reader.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

namespace fs = std::filesystem;

// The texts of members with these names, wherever they stand.
void collect(const JsonValue& value, const std::set<std::string>& names, std::set<std::string>& texts) {
  for (const JsonValue& item : value.items) collect(item, names, texts);
  for (const JsonMember& member : value.members) {
    if (member.value.kind == JsonKind::String && names.contains(member.key)) texts.insert(member.value.text);
    collect(member.value, names, texts);
  }
}

std::string all_files(const fs::path& folder) {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) text += entry.path().filename().string() + "\n" + read_file(entry.path());
  }
  return text;
}

}  // namespace

TEST_CASE("capture: a redacted capture holds none of the names, addresses and URIs of the installation") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen"});
  const fs::path out = folder.path() / "out";
  const std::vector<std::string> what{
      "clusters",          "tenants",   "users",  "hosts", "logBackupTasks", "dataBackupTasks", "restoreTasks",
      "clusterParameters", "databases", "alarms", "units", "zones",          "servers"};
  const CaptureRun run = capture_from(source, out, what);
  REQUIRE(run.code == 0);
  CHECK(contains(run.error, "logBackupTasks.agentServerIp: "));

  const JsonValue installation = read_json_text(read_file("fixtures/installation.json"));
  std::set<std::string> secrets;
  collect(installation,
          {"clusterName", "tenantName", "backupUri", "restoreUri", "innerIpAddress", "svrIp", "serverIp", "clientIp",
           "hostInnerIpAddress", "connectionString"},
          secrets);
  for (const char* resource : {"clusters", "tenants", "hosts"}) {
    for (const JsonValue& row : installation.find(resource)->value.items) secrets.insert(row.find("name")->value.text);
  }
  collect(installation.find("users")->value, {"username"}, secrets);
  for (const char* of_all : {"sys", "root", "SYS", "mysql -h192.0.2.11 -P2881 -uroot@sys -p"}) secrets.erase(of_all);
  CHECK(secrets.size() > 30);
  const std::string captured = all_files(out);
  for (const std::string& secret : secrets) {
    INFO(secret);
    CHECK_FALSE(contains(captured, secret));
  }
  CHECK_FALSE(contains(captured, "192.0.2."));
  CHECK_FALSE(contains(captured, "obbackup"));
  CHECK_FALSE(contains(captured, "a24d13ce67"));

  const RunningProgram served({"--fixtures", out.string()});
  const JsonValue tenants = read_json_text(served.get("/api/v2/ob/clusters/1000005/tenants"));
  const JsonValue cluster = read_json_text(served.get("/api/v2/ob/clusters/1000005"));
  const JsonValue& tenant = tenants.find("data")->value.find("contents")->value.items.at(0);
  CHECK(tenant.find("clusterName")->value.text == cluster.find("data")->value.find("name")->value.text);
  const std::string user = read_json_text(served.get("/api/v2/ob/clusters/1000005/tenants/1000012/users"))
                               .find("data")
                               ->value.find("contents")
                               ->value.items.at(1)
                               .find("username")
                               ->value.text;
  CHECK(user.size() == std::string("shop_app").size());
  CHECK(contains(served.get("/api/v2/ob/clusters/1000005/tenants/1000012/users/" + user),
                 "\"username\":\"" + user + "\""));
}

TEST_CASE("capture: stand-ins depend on the key in the folder") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen"});
  const fs::path one = folder.path() / "one";
  const fs::path two = folder.path() / "two";
  const fs::path three = folder.path() / "three";
  CHECK(capture_from(source, one, {"hosts", "--lists-only"}).code == 0);
  CHECK(capture_from(source, two, {"hosts", "--lists-only"}).code == 0);
  CHECK(fixtures_in(one) != fixtures_in(two));
  // As a run that goes on has it.
  fs::create_directories(three / ".capture");
  fs::copy_file(one / ".capture" / "key", three / ".capture" / "key");
  CHECK(capture_from(source, three, {"hosts", "--lists-only"}).code == 0);
  CHECK(fixtures_in(one) == fixtures_in(three));
}

TEST_CASE("capture: own rules are taken, and wrong ones refused before anything is asked") {
  const TemporaryFolder folder;
  const RunningProgram source({"--frozen"});
  const auto wrong = folder.write("wrong.json", R"({"rules":[{"field":"name","as":"x"}]})").string();
  const CaptureRun refused = capture_from(source, folder.path() / "out", {"hosts", "--redact-rules", wrong});
  CHECK(refused.code == 2);
  CHECK(contains(refused.error, "wrong.json:1:"));
  CHECK_FALSE(fs::exists(folder.path() / "out"));
  const auto rules = folder.write("rules.json", R"({"rules":[{"field":"hosts.name","as":"keep"}]})").string();
  CHECK(capture_from(source, folder.path() / "out", {"hosts", "--redact-rules", rules, "--lists-only"}).code == 0);
  CHECK(contains(all_files(folder.path() / "out"), "\"name\":\"sh1-db-01\""));
}
