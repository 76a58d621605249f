// What passes between a client and an OCP is kept, and served again is what the OCP answers.
#include "client/recorder.h"

#include <doctest/doctest.h>

#include <csignal>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "catalogue/catalogue.h"
#include "client/capture_run.h"
#include "http/deferred_response.h"
#include "http/running_server.h"
#include "json/reader.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const std::string kTasks = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";

std::string url_of(int port) { return "http://127.0.0.1:" + std::to_string(port); }

std::vector<std::string> record_arguments(const std::string& url, const std::filesystem::path& out,
                                          const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"record", "--upstream", url, "--out", out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string post(const RunningProgram& server, const std::string& target, const std::string& body) {
  SocketClient client(server.port());
  client.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + kCredentials +
              "Content-Type: application/json\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  const std::string answer = client.read_to_end();
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string end(RunningProgram& recorder) {
  recorder->signal(SIGTERM);
  std::string said = recorder->read_error();
  CHECK(recorder->wait() == 0);
  return said;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A recorder in this process, before a server that answers as the test says.
class Between {
 public:
  explicit Between(http::Handler upstream, RecordMode mode = RecordMode::Once)
      : router_(ocp_catalogue()), upstream_(2, {}, std::move(upstream), std::chrono::seconds(3)) {
    RecordOptions options;
    options.upstream.url = url_of(upstream_.port());
    options.mode = mode;
    options.recording = {folder_.path(), false, std::nullopt};
    recorder_ = std::make_unique<Recorder>(options, router_, [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      said_.insert(text);
    });
  }

  http::Response ask(http::Request request) {
    http::Response response = recorder_->handle(request);
    if (const auto deferred = response.deferred) {
      std::promise<void> completed;
      if (!deferred->on_complete([&] { completed.set_value(); })) completed.get_future().wait();
      response = deferred->take();
    }
    return response;
  }
  http::Response get(const std::string& target) { return ask({"GET", target, {{"Host", "h"}}, "", {}}); }

  bool has_said(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return said_.contains(text);
  }
  int upstream_port() const { return upstream_.port(); }
  Recorder& recorder() { return *recorder_; }
  std::string file() const {
    const auto path = folder_.path() / Recording::kFile;
    return std::filesystem::exists(path) ? read_file(path) : "";
  }

 private:
  const TemporaryFolder folder_;
  const Router router_;
  RunningServer upstream_;
  std::mutex mutex_;
  std::set<std::string> said_;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace

TEST_CASE("record: what passes, served again, is answered with the same bytes") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  RunningProgram recorder(record_arguments(url_of(source.port()), out, {"--no-redact"}));
  const std::vector<std::string> targets{
      kExample,
      kTasks + "?page=2&size=1",
      kTasks + "?size=20&status=RUNNING",
      kTasks + "?size=x",
      "/api/v2/ob/clusters",
      "/api/v2/ob/clusters/1000005",
      "/api/v2/ob/clusters/1000005/tenants?size=1",
      "/api/v2/ob/clusters/1000005/tenants?size=2",
      "/api/v2/ob/clusters/7",
      "/api/v2/compute/hosts?page=1&size=1",
      "/api/v2/time",
      "/api/v2/info",
      "/api/status",
      "/api/v2/unknown?a=b%20c",
  };
  std::vector<std::string> answers;
  for (const std::string& target : targets) {
    CAPTURE(target);
    answers.push_back(source.get(target));
    CHECK(recorder.get(target) == answers.back());
  }
  const std::string wrong = post(source, "/api/v2/ob/clusters/1000005/tenants", R"({"b":[1.10],"a":null})");
  CHECK(post(recorder, "/api/v2/ob/clusters/1000005/tenants", R"({"b":[1.10],"a":null})") == wrong);
  const std::string said = end(recorder);
  CHECK(contains(said, "passed 15 requests to " + url_of(source.port()) +
                           ", answered 0 requests without it\nkept 15 "
                           "exchanges, 15 in " +
                           (out / "recorded.json").string()));
  CHECK_FALSE(contains(said, "not kept"));

  const RunningProgram again({"--frozen", "--fixtures", out.string()});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    CAPTURE(targets[i]);
    CHECK(again.get(targets[i]) == answers[i]);
  }
  CHECK(post(again, "/api/v2/ob/clusters/1000005/tenants", R"({"a":null, "b":[1.10]})") == wrong);
  // Of the rows, also others are answered, and each of them stands in several recorded answers but is there once.
  CHECK(contains(again.get("/api/v2/ob/clusters/1000005/tenants?size=9"), R"("totalElements":2)"));
  CHECK(again.get("/api/v2/ob/clusters/1000005/tenants/1000012") ==
        source.get("/api/v2/ob/clusters/1000005/tenants/1000012"));

  // A later session adds to the file.
  RunningProgram later(record_arguments(url_of(source.port()), out, {"--no-redact"}));
  later.get("/api/v2/ob/clusters");
  later.get("/api/v2/alarm/alarms");
  CHECK(contains(end(later), "kept 2 exchanges, 16 in "));
}

TEST_CASE("record: the file has none of the names, addresses and secrets that have passed") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  RunningProgram recorder(record_arguments(url_of(source.port()), out));
  const std::string tasks = recorder.get(kExample);
  CHECK(tasks == source.get(kExample));
  // A name in a path that is no OCP's, a query and a text, before it is learned from rows.
  recorder.get("/api/v9/ww1144/x?note=ww1144&password=pass-in-query");
  recorder.get("/api/v2/ob/clusters/1000005/tenants");
  post(recorder, "/api/v2/ob/clusters/1000005/tenants/1000012/changePassword",
       R"({"newPassword":"new-Pass-17","oldPassword":"old-Pass-18"})");
  const std::string said = end(recorder);
  CHECK(contains(said, "replaced:\n  "));
  CHECK(contains(said, " of kind secret, "));

  const std::string file = read_file(out / "recorded.json");
  const JsonValue answer = read_json_text(tasks);
  const JsonValue& row = answer.find("data")->value.find("contents")->value.items.at(0);
  for (const char* field : {"agentServerIp", "backupUri", "clusterName", "tenantName"}) {
    const JsonMember* member = row.find(field);
    if (member == nullptr) continue;
    CAPTURE(field);
    CHECK(contains(tasks, member->value.text));
    CHECK_FALSE(contains(file, member->value.text));
  }
  for (const char* secret : {"ww1144", "new-Pass-17", "old-Pass-18", "pass-in-query", "admin:secret", "YWRtaW46c2Vj"}) {
    CAPTURE(secret);
    CHECK_FALSE(contains(file, secret));
  }
  CHECK(contains(file, "\"status\":\"RUNNING\""));
  const RunningProgram again({"--frozen", "--fixtures", out.string()});
  CHECK(contains(again.get(kExample), R"("totalElements":)"));
}

TEST_CASE("record: once answers with the first, missing with what fixtures have, also when the OCP is gone") {
  const TemporaryFolder folder;
  const auto fixtures = folder.write("f/hosts.json", R"([{"id":1,"name":"own-host"}])");
  std::optional<RunningProgram> source(std::in_place, std::vector<std::string>{"--frozen"});
  const std::string url = url_of(source->port());
  const std::string clusters = source->get("/api/v2/ob/clusters");
  const std::string hosts = source->get("/api/v2/compute/hosts");
  RunningProgram always(record_arguments(url, folder.path() / "always"));
  RunningProgram once(record_arguments(url, folder.path() / "once", {"--mode", "once"}));
  RunningProgram missing(record_arguments(url, folder.path() / "missing",
                                          {"--mode", "missing", "--fixtures", fixtures.parent_path().string()}));
  for (const RunningProgram* one : {&always, &once, &missing}) CHECK(one->get("/api/v2/ob/clusters") == clusters);
  CHECK(once.get("/api/v2/compute/hosts") == hosts);
  CHECK(contains(missing.get("/api/v2/compute/hosts"), "own-host"));
  source.reset();

  // The answer to this very request is known; redacted it is in the file only.
  CHECK(once.get("/api/v2/ob/clusters") == clusters);
  CHECK(missing.get("/api/v2/ob/clusters") == clusters);
  CHECK(contains(missing.get("/api/v2/compute/hosts"), "own-host"));
  for (const RunningProgram* one : {&always, &once, &missing}) {
    const std::string refused = one->get("/api/v2/ob/clusters?size=3");
    CHECK(contains(refused, R"("error":{"code":0,"message":"ocp-mock-server record: cannot ask )" + url +
                                ": the connection cannot be made\"}"));
    CHECK(contains(refused, R"("status":502,"successful":false)"));
  }
  CHECK(contains(always.get("/api/v2/ob/clusters"), "\"status\":502"));
  CHECK(contains(end(always), "; 2 could not be passed"));
  CHECK_FALSE(contains(read_file(folder.path() / "always" / "recorded.json"), "cannot be made"));
  CHECK(contains(end(missing), ", answered 3 requests without it; 1 could not be passed"));
  end(once);
}

TEST_CASE("record: always keeps the latest answer") {
  int count = 0;
  Between between(
      [&](const http::Request&) {
        return http::Response{200, {{"Content-Type", "text/plain"}}, std::to_string(++count)};
      },
      RecordMode::Always);
  CHECK(between.get("/api/v2/time").body == "1");
  CHECK(between.get("/api/v2/time").body == "2");
  between.recorder().write();
  CHECK(contains(between.file(), R"("body":"2")"));
  CHECK_FALSE(contains(between.file(), R"("body":"1")"));
}

TEST_CASE("record: 16 clients at once get their answers, and one request is asked once") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  RunningProgram recorder(record_arguments(url_of(source.port()), folder.path() / "out", {"--mode", "once"}));
  const std::string expected = source.get(kTasks + "?size=8");
  const std::string same = source.get(kTasks + "?size=100");
  std::vector<std::future<bool>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::async(std::launch::async, [&, i] {
      const std::string own = kTasks + "?size=" + std::to_string(200 + i);
      bool good = true;
      for (int round = 0; round < 5; ++round) {
        good = good && recorder.get(kTasks + "?size=7&x=same") == recorder.get(kTasks + "?x=same&size=7");
        good = good && contains(recorder.get(own), "\"size\":" + std::to_string(200 + i));
      }
      return good;
    }));
  }
  for (auto& client : clients) CHECK(client.get());
  const std::string journal = admin_call(source, "GET", "/requests?limit=1000", "");
  REQUIRE(count_of(journal, "size=8") > 0);
  CHECK(count_of(journal, "x=same") == count_of(journal, "size=215"));
  CHECK(contains(end(recorder), "passed 17 requests to "));
}

TEST_CASE("record: what a killed recorder leaves can be loaded") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  RunningProgram recorder(record_arguments(url_of(source.port()), out));
  int asked = 0;
  REQUIRE(eventually([&] {
    recorder.get(kTasks + "?size=" + std::to_string(++asked));
    return std::filesystem::exists(out / "recorded.json") && asked > 50;
  }));
  recorder->signal(SIGKILL);
  recorder->wait();
  Process check(kBinary, {"check", out.string()});
  CHECK(contains(check.read_out(), "an array of captured answers with their requests"));
  CHECK(check.wait() == 0);
  RunningProgram later(record_arguments(url_of(source.port()), out));
  later.get("/api/v2/time");
  end(later);
  CHECK(fixtures_in(out).size() == 1);
}

TEST_CASE("record: a recorder that is killed loses nothing that was answered") {
  const RunningProgram source({"--frozen"});
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  const auto log = out / ".capture" / "passed";
  const auto file = out / "recorded.json";
  constexpr int kAsked = 40;
  {
    RunningProgram recorder(record_arguments(url_of(source.port()), out));
    for (int i = 1; i <= kAsked; ++i) recorder.get(kTasks + "?size=" + std::to_string(i));
    recorder->signal(SIGKILL);
    recorder->wait();
    CHECK(std::filesystem::exists(log));
  }
  // They are there for all that a session answers from, and so for --mode missing.
  RunningProgram later(record_arguments(url_of(source.port()), out, {"--mode", "missing"}));
  CHECK(count_of(read_file(file), "\"replay\":\"also\"") == kAsked);
  later.get(kTasks + "?size=" + std::to_string(kAsked));
  later.get("/api/v2/compute/hosts");
  const std::string said = end(later);
  CHECK(contains(said, "40 exchanges of a recorder that was killed are in " + file.string() + " now\n"));
  CHECK(contains(said, "passed 1 request to "));
  CHECK(contains(said, "\nkept 1 exchange, 41 in "));
  CHECK_FALSE(std::filesystem::exists(log));
  const RunningProgram served({"--frozen", "--fixtures", out.string()});
  CHECK(contains(served.get(kTasks + "?size=7"), R"("totalElements":)"));
}

TEST_CASE("record: a request passes as it is, but for its connection") {
  std::promise<http::Request> passed;
  Between between([&](const http::Request& request) {
    passed.set_value(request);
    return http::Response{302,
                          {{"Content-Type", "text/html"},
                           {"Location", "http://" + std::string(*request.header("Host")) + "/login"},
                           {"Set-Cookie", "a=1"},
                           {"Set-Cookie", "b=2"}},
                          "<p>"};
  });
  const http::Response answer = between.ask({"PUT",
                                             "http://else/a%2Fb?c=d+e",
                                             {{"Host", "else"},
                                              {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:x"},
                                              {"Connection", "keep-alive, X-Mine"},
                                              {"X-Mine", "1"},
                                              {"Range", "bytes=0-1"},
                                              {"x-ocp-data", "2"},
                                              {"Content-Type", "text/x"}},
                                             "body",
                                             {}});
  const http::Request seen = passed.get_future().get();
  CHECK(seen.method == "PUT");
  CHECK(seen.target == "/a%2Fb?c=d+e");
  CHECK(seen.body == "body");
  CHECK(seen.header("Host") == "127.0.0.1:" + std::to_string(between.upstream_port()));
  CHECK(seen.header("Authorization") == "OCP-ACCESS-KEY-HMACSHA1 AK:x");
  CHECK(seen.header("x-ocp-data") == "2");
  CHECK(seen.header("Content-Type") == "text/x");
  CHECK_FALSE(seen.header("X-Mine"));
  CHECK_FALSE(seen.header("Range"));
  CHECK(answer.status == 302);
  CHECK(answer.header("Location") == "/login");
  CHECK(contains(answer.headers.text(), "Set-Cookie: a=1\r\n"));
  CHECK(contains(answer.headers.text(), "Set-Cookie: b=2\r\n"));
  between.recorder().write();
  CHECK(contains(between.file(), R"("request":{"method":"PUT","path":"/a%2Fb","query":"c=d+e","body":"body"},)"
                                 R"("response":{"status":302,"headers":{"Content-Type":"text/html"},"body":"<p>"}})"));
}

TEST_CASE("record: what no exchange can say passes, and is told") {
  Between between([&](const http::Request& request) -> http::Response {
    const std::string json = "application/json";
    if (request.target == "/binary") return {200, {{"Content-Type", "application/zip"}}, "PK\xFF"};
    if (request.target == "/json") return {200, {{"Content-Type", json}}, R"({"a":1,"a":2})"};
    if (request.target == "/long") return {200, {{"Content-Type", "text/plain"}}, std::string((16 << 20) + 1, 'x')};
    if (request.target == "/login") return {401, {{"Content-Type", json}}, "{}"};
    // Rows that the mock would refuse.
    return {200, {{"Content-Type", json}}, R"({"data":{"contents":[{"status":5}]},"successful":true})"};
  });
  const struct {
    const char* target;
    int status;
    std::size_t size;
    const char* why;
  } cases[] = {{"/binary", 200, 3, "its answer is binary"},
               {"/json", 200, 13,
                "its answer is application/json, but no valid JSON: a stands twice in one object; it must stand once"},
               {"/long", 200, (16 << 20) + 1, "its answer is longer than 16 MiB"},
               {"/login", 401, 2, "it is refused for its credentials"}};
  for (const auto& [target, status, size, why] : cases) {
    CAPTURE(target);
    const http::Response answer = between.get(target);
    CHECK(answer.status == status);
    CHECK(answer.body.size() == size);
    CHECK(between.has_said(std::string("not kept: GET ") + target + ": " + why));
  }
  between.recorder().write();
  CHECK(between.file().empty());
  CHECK(contains(between.recorder().summary(), "; 4 answers not kept\nnothing was kept"));

  between.get(kTasks);
  between.recorder().write();
  CHECK(contains(between.file(), R"([
{"replay":"only","request":{"method":"GET","path":")" +
                                     kTasks));
}

TEST_CASE("record: a login of its own takes the place of the client's, and signs again") {
  const RunningProgram source({"--access-key", "AK:SK", "--user", "me:mine"});
  const TemporaryFolder folder;
  const std::string url = url_of(source.port());
  RunningProgram plain(record_arguments(url, folder.path() / "a"));
  RunningProgram user(record_arguments(url, folder.path() / "b", {"--user", "me:mine"}));
  RunningProgram key(record_arguments(url, folder.path() / "c", {"--access-key", "AK:SK"}));
  CHECK(contains(plain.get("/api/v2/info?a=b"), "\"status\":401"));
  CHECK(contains(user.get("/api/v2/info?a=b"), "buildVersion"));
  CHECK(contains(key.get("/api/v2/info?a=b"), "buildVersion"));
  CHECK_FALSE(contains(post(key, "/api/v2/ob/clusters/1000005/tenants", R"({"a":1})"), "\"status\":401"));
  CHECK(contains(end(plain), "not kept: GET /api/v2/info: it is refused for its credentials\n"));
  end(user);
  end(key);
}

TEST_CASE("record: an OCP over HTTPS is trusted by its CA only") {
  const TemporaryFolder folder;
  const auto ca = folder.path() / "ca.pem";
  const RunningProgram source({"--frozen", "--tls-self-signed", "--tls-ca-out", ca.string()});
  const std::string url = "https://127.0.0.1:" + std::to_string(source.port());
  RunningProgram trusts(record_arguments(url, folder.path() / "a", {"--ca", ca.string()}));
  RunningProgram doubts(record_arguments(url, folder.path() / "b"));
  CHECK(contains(trusts.get("/api/v2/info"), "buildVersion"));
  CHECK(contains(doubts.get("/api/v2/info"), "its certificate is not trusted; name who has signed it by --ca FILE"));
  end(trusts);
  CHECK(
      contains(end(doubts), "passed 0 requests to " + url + ", answered 0 requests without it; 1 could not be passed"));
}
