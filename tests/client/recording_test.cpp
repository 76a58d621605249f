// Several sessions of a recorder in one folder.
#include "client/recording.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "catalogue/catalogue.h"
#include "client/capture_run.h"
#include "client/recorder.h"
#include "http/deferred_response.h"
#include "http/running_server.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

namespace fs = std::filesystem;

const std::string kTenants = "/api/v2/ob/clusters/1000005/tenants/createTenant";
const std::string kTenant = R"({"tenantName":"order_center","rootPassword":"Tr0ub4dor"})";

// An OCP that refuses to do the same again, and whose texts are those of a test.
class Ocp {
 public:
  Ocp()
      : server_(
            2, {}, [this](const http::Request& request) { return answer(request); }, std::chrono::seconds(3)) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  int asked() const { return asked_; }

 private:
  http::Response answer(const http::Request& request) {
    const bool is_first = asked_++ == 0;
    if (request.method == "POST") {
      return {is_first ? 200 : 400,
              {{"Content-Type", "application/json"}},
              is_first ? R"({"data":{"id":7,"tenantName":"order_center"},"successful":true})"
                       : R"({"error":{"code":1},"successful":false})"};
    }
    return {200, {{"Content-Type", "application/json"}}, R"({"data":{"note":"pw is Tr0ub4dor"},"successful":true})"};
  }

  std::atomic<int> asked_ = 0;
  RunningServer server_;
};

class Session {
 public:
  Session(const Ocp& ocp, const fs::path& out, RecordMode mode, bool redact) : router_(ocp_catalogue()) {
    RecordOptions options;
    options.upstream.url = ocp.url();
    options.mode = mode;
    options.recording = {out, redact, std::nullopt};
    recorder_ = std::make_unique<Recorder>(options, router_, [](const std::string&) {});
  }

  http::Response ask(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Response response = recorder_->handle({method, target, {{"Host", "h"}}, body, {}});
    if (const auto deferred = response.deferred) {
      std::promise<void> completed;
      if (!deferred->on_complete([&] { completed.set_value(); })) completed.get_future().wait();
      response = deferred->take();
    }
    return response;
  }
  Recorder& recorder() { return *recorder_; }

 private:
  const Router router_;
  std::unique_ptr<Recorder> recorder_;
};

std::size_t exchanges_in(const std::string& file) {
  std::size_t count = 0;
  for (auto at = file.find("\"replay\""); at != std::string::npos; at = file.find("\"replay\"", at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("record: a later session answers from the recording of an earlier one, a write with names and secrets too") {
  for (const RecordMode mode : {RecordMode::Once, RecordMode::Missing}) {
    for (const bool redact : {false, true}) {
      CAPTURE(redact);
      const TemporaryFolder folder;
      const Ocp ocp;
      std::string kept;
      for (int session = 0; session < 3; ++session) {
        CAPTURE(session);
        Session one(ocp, folder.path(), mode, redact);
        const http::Response answer = one.ask("POST", kTenants, kTenant);
        CHECK(answer.status == 200);
        CHECK(answer.header("Content-Type") == "application/json");
        CHECK(contains(answer.body, "order_center") == (session == 0 || !redact));
        one.recorder().finish();
        const std::string file = read_file(folder.path() / Recording::kFile);
        if (session == 0) kept = file;
        CHECK(file == kept);
      }
      CHECK(ocp.asked() == 1);
      CHECK(exchanges_in(kept) == 1);
      CHECK(contains(kept, "\"redacted\":true") == redact);
      CHECK(contains(kept, "Tr0ub4dor") != redact);
    }
  }
}

TEST_CASE("record: always replaces the answer of an earlier session, whatever stand-ins the request has got") {
  const TemporaryFolder folder;
  const Ocp ocp;
  const std::string asks = "/api/v9/notes?about=is%20Tr0ub4dor%20good";
  // Only the second session learns the password, which is in the text; the third one knows it no longer.
  for (const bool is_learned : {false, true, false}) {
    Session one(ocp, folder.path(), RecordMode::Always, true);
    one.ask("GET", asks);
    if (is_learned) one.ask("POST", kTenants, kTenant);
    one.recorder().finish();
    CHECK(exchanges_in(read_file(folder.path() / Recording::kFile)) == (ocp.asked() == 1 ? 1 : 2));
  }
}

TEST_CASE("record: what a later session learns is replaced in texts of an earlier one") {
  const TemporaryFolder folder;
  const Ocp ocp;
  const fs::path file = folder.path() / Recording::kFile;
  const std::string asks = "/api/v9/notes?about=is%20Tr0ub4dor%20good";
  {
    Session first(ocp, folder.path(), RecordMode::Always, true);
    first.ask("GET", asks);
    first.recorder().write();
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    first.recorder().finish();
    CHECK(contains(read_file(file), "pw is Tr0ub4dor"));
    CHECK(fs::status(file).permissions() != (fs::perms::owner_read | fs::perms::owner_write));
  }
  {
    Session second(ocp, folder.path(), RecordMode::Always, true);
    second.ask("POST", kTenants, kTenant);
    second.recorder().finish();
    CHECK_FALSE(contains(read_file(file), "Tr0ub4dor"));
    CHECK(contains(read_file(file), "pw is "));
  }
  // It is still the answer to what the client has asked.
  Session third(ocp, folder.path(), RecordMode::Once, true);
  CHECK(ocp.asked() == 2);
  CHECK(contains(third.ask("GET", asks).body, "pw is "));
  CHECK(third.ask("POST", kTenants, kTenant).status == 400);
  CHECK(ocp.asked() == 2);
}

TEST_CASE("record: a recording goes on with an OCP at another URL, and a folder is bound when something is kept") {
  const TemporaryFolder folder;
  {
    const Ocp ocp;
    // Nothing passes, so nothing is kept.
    Session none(ocp, folder.path(), RecordMode::Always, false);
    none.recorder().finish();
  }
  for (int session = 0; session < 2; ++session) {
    const Ocp ocp;
    Session one(ocp, folder.path(), RecordMode::Always, true);
    one.ask("GET", "/api/v9/" + std::to_string(session));
    one.recorder().finish();
    CHECK(exchanges_in(read_file(folder.path() / Recording::kFile)) == static_cast<std::size_t>(session) + 1);
  }
  const Ocp ocp;
  std::string why;
  try {
    Session(ocp, folder.path(), RecordMode::Always, false);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  CHECK(why == folder.path().string() +
                   " has 'a recording, redacted', and this is 'a recording, not redacted'; name another folder "
                   "by --out");
  Session open(ocp, folder.path(), RecordMode::Always, true);
  try {
    Session(ocp, folder.path(), RecordMode::Always, true);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  CHECK(why == "another recording is writing to " + folder.path().string());
}

TEST_CASE("record: a host that nobody knows is named, and so are files that are not the recorder's") {
  const TemporaryFolder folder;
  folder.write("out/hosts.json", "[]");
  const fs::path out = folder.path() / "out";
  RunningProgram recorder({"record", "--upstream", "http://no..name:80", "--out", out.string()});
  CHECK(contains(recorder.get("/api/v2/info"), "cannot find an address for host no..name"));
  recorder->signal(SIGTERM);
  CHECK(contains(recorder->read_error(),
                 out.string() + " has files that record did not write, and --fixtures loads them too: hosts.json\n"));
  CHECK(recorder->wait() == 0);
}
