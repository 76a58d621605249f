// The built program, run as its users run it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/healthcheck.h"
#include "http/certificate.h"
#include "http/socket.h"
#include "http/socket_client.h"
#include "http/tls_client.h"
#include "process.h"
#include "temporary_folder.h"

using ocp_mock::test::eventually;
using ocp_mock::test::Process;
using ocp_mock::test::read_file;
using ocp_mock::test::SocketClient;
using ocp_mock::test::TemporaryFolder;
using ocp_mock::test::TlsClient;

namespace {

const std::string kBinary = OCP_MOCK_BINARY;
const std::string kCredentials = "Authorization: Basic YWRtaW46c2VjcmV0\r\n";  // admin:secret
const std::string kExample = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10";

// A server on a free port, ready.
class RunningServer {
 public:
  explicit RunningServer(std::vector<std::string> arguments, std::vector<std::string> variables = {})
      : process_(kBinary, with_port(std::move(arguments)), std::move(variables)), ready_(process_.read_line()) {
    const auto at = ready_.find("\"port\":");
    REQUIRE(at != std::string::npos);
    port_ = std::atoi(ready_.c_str() + at + 7);
  }

  Process* operator->() { return &process_; }
  const std::string& ready() const { return ready_; }
  int port() const { return port_; }

  std::string get(const std::string& target) const {
    SocketClient client(port_);
    client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + kCredentials + "Connection: close\r\n\r\n");
    const std::string answer = client.read_to_end();
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

 private:
  static std::vector<std::string> with_port(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--port", "0"});
    return arguments;
  }

  Process process_;
  std::string ready_;
  int port_ = 0;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What a program that ends by itself says on standard error, after its exit code.
std::string failure(const std::vector<std::string>& arguments) {
  Process process(kBinary, arguments);
  const std::string error = process.read_error();
  CHECK(process.read_out().empty());
  return std::to_string(process.wait()) + " " + error;
}

}  // namespace

TEST_CASE("binary: the ready line is one line of JSON, and then connections are accepted") {
  RunningServer server({});
  const std::string port = std::to_string(server.port());
  CHECK(server.ready() == R"({"event":"ready","url":"http://127.0.0.1:)" + port + R"(","port":)" + port + R"(,"pid":)" +
                              std::to_string(server->pid()) + "}");
  CHECK(contains(server.get(kExample), "\"successful\":true"));
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
  CHECK(server->read_out().empty());
}

TEST_CASE("binary: standard descriptors that are closed at the start are never those of something else") {
  const TemporaryFolder folder;
  const auto port_file = folder.path() / "port";
  const auto db = folder.path() / "tasks.db";
  for (const std::string closing : {"<&- >&- 2>&-", ">&-", "2>&-", "<&-", "<&- 2>&-"}) {
    CAPTURE(closing);
    std::filesystem::remove(port_file);
    std::filesystem::remove(db);
    const Process server("/bin/sh", {"-c", "exec \"$@\" " + closing, "sh", kBinary, "--port", "0", "--port-file",
                                     port_file.string(), "--db", db.string(), "--log-level", "trace"});
    REQUIRE(eventually([&] { return std::filesystem::exists(port_file); }));
    const int port = std::stoi(read_file(port_file));
    for (int i = 0; i < 10; ++i) {
      SocketClient client(port);
      client.send("GET " + kExample + " HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
      CHECK(contains(client.read_answer(), "\"successful\":true"));
    }
    const std::string descriptors = "/proc/" + std::to_string(server.pid()) + "/fd/";
    for (const auto& [descriptor, name] : {std::pair{"0", "<&-"}, std::pair{"1", " >&-"}, std::pair{"2", "2>&-"}}) {
      if (contains(" " + closing, name)) CHECK(std::filesystem::read_symlink(descriptors + descriptor) == "/dev/null");
    }
    server.signal(SIGTERM);
  }
}

TEST_CASE("binary: a host's name stands for all of its addresses") {
  const RunningServer server({"--host", "localhost"});
  for (const sockaddr_storage& address : ocp_mock::http::addresses_of("localhost")) {
    const std::string text = ocp_mock::http::address_text(address);
    CAPTURE(text);
    if (address.ss_family == AF_INET6 && !ocp_mock::test::has_ipv6()) continue;
    SocketClient client(server.port(), text);
    client.send("GET /api/v2/time HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(client.read_answer().starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_CASE("binary: with --frozen --pretty the page's example comes back byte for byte") {
  const RunningServer server({"--frozen", "--pretty"});
  CHECK(server.get(kExample) == read_file("fixtures/logBackupTasks.json"));
}

TEST_CASE("binary: without --frozen time, duration and trace id are those of the moment") {
  const RunningServer server({"serve", "--timezone", "-03:30", "--server-name", "ocp-1"});
  const std::string first = server.get(kExample);
  const std::string second = server.get(kExample);
  CHECK(contains(first, "\"server\":\"ocp-1\""));
  CHECK(contains(first, "-03:30\",\"traceId\":\""));
  const auto trace = first.find("\"traceId\":\"") + 11;
  CHECK(first.find_first_not_of("0123456789abcdef", trace) == trace + 16);
  CHECK(first.substr(trace, 16) != second.substr(second.find("\"traceId\":\"") + 11, 16));
}

TEST_CASE("binary: options come from the environment too, and a flag beats it") {
  const RunningServer server({"--server-name", "flag"}, {"OCP_MOCK_FROZEN=true", "OCP_MOCK_SERVER_NAME=environment",
                                                         "OCP_MOCK_FIXTURES=fixtures/sample.json"});
  CHECK(contains(server.get(kExample), "\"totalElements\":25"));
  CHECK(contains(server.get(kExample), "\"server\":\"flag\""));
}

TEST_CASE("binary: --status-match and --window say how requests are read, also from the environment") {
  const std::string list = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";
  const std::string running = list + "?status=INPROGRESS";
  const std::string half_an_hour = list + "?startTime=2024-07-16T05:00:00Z&endTime=2024-07-16T05:30:00Z";
  const std::vector<std::string> sample{"--fixtures", "fixtures/sample.json"};
  const auto check = [&](const RunningServer& server, int found, int in_window) {
    CHECK(contains(server.get(running), "\"totalElements\":" + std::to_string(found) + ","));
    CHECK(contains(server.get(half_an_hour), "\"totalElements\":" + std::to_string(in_window) + ","));
  };
  check(RunningServer(sample), 8, 0);
  check(RunningServer({sample[0], sample[1], "--status-match", "exact", "--window", "overlap"}), 3, 1);
  check(RunningServer(sample, {"OCP_MOCK_STATUS_MATCH=exact", "OCP_MOCK_WINDOW=overlap"}), 3, 1);
}

TEST_CASE("binary: the port file holds the port, whole") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "12345\n");
  const RunningServer server({"--port-file", file.string()});
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("binary: the port file is a new file, and never takes the place of a device or a link") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "1\n");
  std::filesystem::create_hard_link(file, folder.path() / "old");
  std::filesystem::create_symlink("port", folder.path() / "link");
  const RunningServer server({"--port-file", (folder.path() / "link").string()});
  CHECK(read_file(folder.path() / "old") == "1\n");
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));

  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(contains(failure({"--port", "0", "--port-file", (folder.path() / "pipe").string()}),
                 "is no regular file; it must be one"));
}

TEST_CASE("binary: an older port file is gone before the load begins, and the file ends with the server") {
  for (const int number : {SIGTERM, SIGINT}) {
    const TemporaryFolder folder;
    const auto file = folder.write("port", "1\n");
    const auto ca = folder.write("ca.pem", "-----BEGIN CERTIFICATE-----\nof an older run");
    const std::string pipe = (folder.path() / "logBackupTasks.json").string();
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    Process process(kBinary, {"--port", "0", "--port-file", file.string(), "--tls-self-signed", "--tls-ca-out",
                              ca.string(), "--fixtures", pipe});
    std::ofstream writer(pipe);  // opens once the server reads
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK_FALSE(std::filesystem::exists(ca));
    writer << read_file("fixtures/logBackupTasks.json");
    writer.close();
    const std::string ready = process.read_line();
    CHECK(contains(ready, "\"port\":" + read_file(file).substr(0, read_file(file).size() - 1) + ","));
    CHECK(read_file(ca).starts_with("-----BEGIN CERTIFICATE-----"));
    process.signal(number);
    CHECK(process.wait() == 0);
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(std::filesystem::exists(ca));
  }
}

TEST_CASE("binary: a server that cannot start, or that ends, leaves the port file of another one alone") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "port";
  RunningServer first({"--port-file", file.string()});
  const std::string port = std::to_string(first.port());
  CHECK(contains(failure({"--port", port, "--port-file", file.string()}), "is in use"));
  CHECK(read_file(file) == port + "\n");
  const RunningServer second({"--port-file", file.string()});
  first->signal(SIGTERM);
  CHECK(first->wait() == 0);
  CHECK(read_file(file) == std::to_string(second.port()) + "\n");
}

TEST_CASE("binary: a port file and a CA file that are mounted by themselves are written and emptied where they are") {
  if (Process("/usr/bin/unshare", {"--mount", "true"}).wait() != 0) {
    MESSAGE("not run: this user may not mount");
    return;
  }
  const TemporaryFolder folder;
  const auto port = folder.write("host/port", "1\n");
  const auto ca = folder.write("host/ca", "-----BEGIN CERTIFICATE-----\n");
  folder.write("port", "");
  folder.write("ca", "");
  Process process("/usr/bin/unshare",
                  {"--mount", "sh", "-c",
                   "mount --bind host/port port && mount --bind host/ca ca && exec \"$0\" --port 0 --port-file port "
                   "--tls-self-signed --tls-ca-out ca",
                   kBinary},
                  {}, folder.path());
  const std::string ready = process.read_line();
  CHECK(read_file(port).ends_with("\n"));
  CHECK(contains(ready, "\"port\":" + read_file(port).substr(0, read_file(port).size() - 1) + ","));
  CHECK(read_file(ca).starts_with("-----BEGIN CERTIFICATE-----"));
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
  CHECK(read_file(port).empty());
}

TEST_CASE("binary: a file that the server writes is none that it reads, or that somebody needs") {
  const TemporaryFolder folder;
  const auto at = [&](const std::string& name) { return (folder.path() / name).string(); };
  const std::string fixture = folder.write("fx/a.json", "[]").string();
  std::filesystem::create_symlink("fx", at("link"));
  std::filesystem::create_hard_link(fixture, at("hard"));
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } cases[] = {
      {{"--port-file", at("new"), "--db", at("fx/../new")},
       "--port-file " + at("new") + " and --db " + at("fx/../new")},
      {{"--db", at("link/new"), "--tls-ca-out", at("fx/new"), "--tls-self-signed"},
       "--db " + at("link/new") + " and --tls-ca-out " + at("fx/new")},
      {{"--port-file", at("hard"), "--fixtures", fixture}, "--port-file " + at("hard") + " and --fixtures " + fixture},
      {{"--db", at("link/a.json"), "--fixtures", at("fx")}, "--db " + at("link/a.json") + " and --fixtures " + fixture},
      {{"--port-file", fixture, "--init", fixture}, "--port-file " + fixture + " and --init " + fixture},
  };
  for (auto [arguments, message] : cases) {
    CAPTURE(message);
    arguments.insert(arguments.end(), {"--port", "0"});
    CHECK(failure(arguments) == "1 ocp-mock-server: " + message + " are one file; each must have a file of its own\n");
  }
  CHECK(failure({"--port", "0", "--port-file", fixture}) ==
        "1 ocp-mock-server: the port file " + fixture +
            " exists and does not hold a port; it is left alone, and another one must be named\n");
  CHECK(failure({"--port", "0", "--tls-self-signed", "--tls-ca-out", fixture}) ==
        "1 ocp-mock-server: the CA file " + fixture +
            " exists and does not hold a certificate; it is left alone, and another one must be named\n");
  CHECK(read_file(fixture) == "[]");
  // A folder that may not be written is told before the load, which would wait here.
  REQUIRE(::mkfifo(at("pipe.json").c_str(), 0600) == 0);
  CHECK(contains(failure({"--port", "0", "--port-file", "/proc/port", "--fixtures", at("pipe.json")}),
                 "cannot write the port file /proc/port: "));
}

TEST_CASE("binary: a port file where standard output goes is refused before that is touched") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "out").string();
  Process process("/bin/sh", {"-c", "exec \"$0\" --port 0 --port-file /dev/stdout > \"$1\"", kBinary, file});
  CHECK(process.read_error() ==
        "ocp-mock-server: the port file /dev/stdout is where standard output or standard error "
        "goes; it must be a file of its own\n");
  CHECK(process.wait() == 1);
  CHECK(std::filesystem::exists(file));
}

TEST_CASE("binary: variables of a Kubernetes Service are passed over with a warning") {
  const std::vector<std::string> variables{"OCP_MOCK_SERVICE_HOST=10.96.0.12", "OCP_MOCK_PORT=tcp://10.96.0.12:8080",
                                           "OCP_MOCK_FIXTURE=x"};
  RunningServer server({}, variables);
  CHECK(
      server->says(" warning OCP_MOCK_PORT and 1 more variable are passed over: a Kubernetes Service or Docker link "
                   "called 'ocp-mock' has set them; rename it, or set enableServiceLinks: false in the pod\n"));
  CHECK(
      server->says(" warning OCP_MOCK_FIXTURE is passed over: this server has no such variable; did you mean "
                   "OCP_MOCK_FIXTURES?\n"));
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
  CHECK(server->read_out().empty());

  Process check(kBinary, {"check", "fixtures"}, {"OCP_MOCK_PORT=banana", "OCP_MOCK_FIXTURE=x"});
  CHECK(check.read_error().empty());
  CHECK(check.wait() == 0);
}

TEST_CASE("binary: with --frozen the envelope is that of the captured answer") {
  const TemporaryFolder folder;
  const auto file =
      folder.write("captured.json", R"({"data":{"contents":[{"clusterId":1000005,"tenantId":1000012,"createTime":)"
                                    R"("2024-08-01T00:00:00Z","status":"RUNNING"}]},"duration":5,"server":"captured",)"
                                    R"("timestamp":"2024-08-02T00:00:00.5+08:00","traceId":"1111111111111111"})");
  const RunningServer server({"--frozen", "--fixtures", file.string()});
  CHECK(server.get(kExample).ends_with(
      R"("duration":5,"server":"captured","status":200,"successful":true,"timestamp":"2024-08-02T00:00:00.5+08:00",)"
      R"("traceId":"1111111111111111"})"));
}

TEST_CASE("binary: a port in use is said in one sentence") {
  const RunningServer server({});
  const std::string port = std::to_string(server.port());
  CHECK(
      failure({"--port", port, "--log-level", "off"}) ==
      "1 ocp-mock-server: port " + port +
          " of host 127.0.0.1 is in use by another process; choose another with --port, or --port 0 for a free one\n");
  CHECK(contains(failure({"--port", port, "--host", "0.0.0.0"}), "is in use by another process"));
}

TEST_CASE("binary: what cannot be had is said, with a code that is not zero") {
  const TemporaryFolder folder;
  const auto bad = folder.write("bad.json", "[\n{\"clusterId\":\"x\"}]").string();
  CHECK(contains(failure({"--port", "0", "--fixtures", bad}),
                 "bad.json:2:2: task 1: clusterId is the string \"x\"; it must be a 64-bit integer\n"));
  CHECK(failure({"--fixtures", "/does/not/exist"}).starts_with("1 ocp-mock-server: the fixtures have 1 problem"));
  CHECK(failure({"--port", "banana"}).starts_with("2 ocp-mock-server: --port is 'banana'; "));
  CHECK(failure({"--port", "0", "--host", "256.1.1.1"}).find("256.1.1.1") != std::string::npos);
  CHECK(failure({"--port", "0", "--db", bad}) ==
        "1 ocp-mock-server: " + bad + " is not a dataset of ocp-mock-server\n");
  CHECK(read_file(bad).starts_with("[\n"));
  CHECK(contains(failure({"--port", "0", "--port-file", "/does/not/exist/port"}),
                 "cannot write the port file /does/not/exist/port: No such file or directory"));
}

TEST_CASE("binary: check says what fixtures hold") {
  Process process(kBinary, {"check", "fixtures/logBackupTasks.json"});
  CHECK(process.read_out() ==
        "fixtures/logBackupTasks.json: a captured answer, 1 task\n"
        "logBackupTasks\n"
        "  cluster 1000005 ob_431\n"
        "    tenant 1000012 ww1144: 1 task: RUNNING 1\n");
  CHECK(process.read_error().empty());
  CHECK(process.wait() == 0);
}

TEST_CASE("binary: check notes what its user may not have meant") {
  const TemporaryFolder folder;
  const auto file = folder.write(
      "page.json", R"({"data":{"contents":[{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z",)"
                   R"("status":"Running"}],"page":{"number":1,"size":1,"totalElements":25,"totalPages":25}}})");
  Process process(kBinary, {"check", file.string()});
  CHECK(process.read_out() == file.string() +
                                  ": a captured answer, 1 task of 25; the other pages were not captured in it\n"
                                  "logBackupTasks\n"
                                  "  cluster 1\n"
                                  "    tenant 2: 1 task: Running 1 (no status that a client can ask for)\n");
  CHECK(process.wait() == 0);
}

TEST_CASE("binary: check notes captured answers without tasks and files that are passed over") {
  const TemporaryFolder folder;
  const std::string path = "/api/v2/ob/clusters/5/tenants/6/backup/task/logBackupTasks";
  folder.write("A.JSON", "x");
  folder.write("a.json", R"({"data":{"contents":[]},"successful":true})");
  folder.write("b.json", R"({"request":{"method":"GET","path":")" + path +
                             R"("},"response":{"status":200,"body":{"data":{"contents":[]},"successful":true}}})");
  Process process(kBinary, {"check", folder.path().string()});
  const std::string at = folder.path().string() + "/";
  CHECK(
      process.read_out() ==
      at + "a.json: a captured answer, no rows\n" + at + "b.json: a captured answer with its request, no rows\n" +
          "note: passed over: " + at +
          "A.JSON (its ending is not in lower case); read are files called *.json, *.ndjson, *.jsonl and *.har\n"
          "note: " +
          at +
          "a.json:1:1: the captured answer has no tasks, and so does not tell of which cluster and tenant it is; keep "
          "it "
          "with its request: {\"request\":{\"method\":\"GET\",\"path\":\"/api/v2/ob/clusters/ID/tenants/TENANT/backup/"
          "task/logBackupTasks\"},\"response\":{\"status\":200,\"body\":ANSWER}}\n"
          "logBackupTasks\n  cluster 5\n    tenant 6: 0 tasks\n");
  CHECK(process.wait() == 0);
  const auto error = folder.write(
      "c.json", R"({"duration":0,"error":{"code":60002,"message":"no such tenant"},"status":404,"successful":false})");
  CHECK(failure({"check", error.string()}) ==
        "1 ocp-mock-server: the fixtures have 1 problem, nothing was loaded:\n  " + error.string() +
            ":1:1: the captured answer is an error of OCP: status 404, code 60002, \"no such tenant\"; capture a "
            "successful one\n");
  // What the request names exists: its list is empty, not unknown.
  const RunningServer server({"--fixtures", at + "b.json"});
  CHECK(contains(server.get(path), "\"contents\":[],"));
}

TEST_CASE("binary: an IPv6 host may stand in brackets") {
  for (const std::string host : {"::1", "[::1]"}) {
    Process process(kBinary, {"--port", "0", "--host", host});
    CHECK(contains(process.read_line(), "\"url\":\"http://[::1]:"));
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
  }
}

TEST_CASE("binary: check says what is wrong, with exit code 1") {
  const TemporaryFolder folder;
  const auto bad = folder.write("bad.json", "{}").string();
  CHECK(failure({"check", "fixtures", bad})
            .starts_with("1 ocp-mock-server: the fixtures have 1 problem, nothing was "
                         "loaded:\n  " +
                         bad + ":1:1: "));
}

TEST_CASE("binary: SIGTERM and SIGINT end it with code 0, after the requests in flight") {
  for (const int number : {SIGTERM, SIGINT}) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "port";
    RunningServer server({"--port-file", file.string()});
    SocketClient idle(server.port());
    SocketClient half(server.port());
    idle.send("GET " + kExample + " HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
    idle.read_answer();
    // The interim answer proves that the server has taken up the request.
    half.send("POST / HTTP/1.1\r\nHost: h\r\n" + kCredentials + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(half.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    server->signal(number);
    CHECK(idle.read_to_end().empty());
    // Nobody is sent here any more.
    CHECK_FALSE(std::filesystem::exists(file));
    half.send("ab");
    CHECK(half.read_to_end().starts_with("HTTP/1.1 404 "));
    CHECK(server->wait() == 0);
  }
}

TEST_CASE("binary: a second signal changes nothing") {
  for (int i = 0; i < 10; ++i) {
    RunningServer server({"--log-level", "off"});
    server->signal(SIGINT);
    server->signal(SIGTERM);
    server->signal(SIGINT);
    CHECK(server->wait() == 0);
  }
}

TEST_CASE("binary: a signal ends it also while it loads, and nothing is left behind") {
  const TemporaryFolder folder;
  const std::string pipe = (folder.path() / "fixtures.ndjson").string();
  const std::string db = (folder.path() / "data.db").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Process process(kBinary, {"--port", "0", "--db", db, "--fixtures", pipe});
  std::ofstream writer(pipe);  // opens once the server reads
  const std::string task =
      R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})" + std::string("\n");
  process.signal(SIGTERM);
  // It gives up at the next task, which ends the pipe for its writer.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  ::signal(SIGPIPE, SIG_IGN);
  while (writer << task && writer.flush() && std::chrono::steady_clock::now() < deadline) {
  }
  CHECK(process.wait() == 0);
  CHECK(process.read_out().empty());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("binary: a log that nobody reads stalls neither requests nor the end") {
  RunningServer server({});
  const std::string query = "?x=" + std::string(900, 'x');
  for (int i = 0; i < 200; ++i) REQUIRE(contains(server.get("/unknown" + query), "\"status\":404"));
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
}

TEST_CASE("binary: out of descriptors it goes on once connections have ended") {
  Process process("/bin/sh", {"-c", "ulimit -n 48; exec \"$0\" --port 0", kBinary});
  const std::string ready = process.read_line();
  const int port = std::atoi(ready.c_str() + ready.find("\"port\":") + 7);
  const auto served = [](SocketClient& client) {
    client.send("GET " + kExample + " HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
    return client.read_answer().starts_with("HTTP/1.1 200 ");
  };
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(std::make_unique<SocketClient>(port));
  CHECK(served(*clients.front()));
  CHECK(process.says(" warning cannot accept a connection: 24 are open, which is the limit\n"));
  clients.erase(clients.begin(), clients.begin() + 50);
  for (const auto& client : clients) CHECK(served(*client));
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
}

TEST_CASE("binary: logs go to standard error, a line a request") {
  RunningServer server({});
  server.get("/api/v2/ob/unknown?x=1");
  server->signal(SIGTERM);
  const std::string log = server->read_error();
  CHECK(server->wait() == 0);
  CHECK(contains(log, " info loaded logBackupTasks.json (compiled in): a captured answer, 1 task\n"));
  CHECK(contains(log, " info GET /api/v2/ob/unknown?x=1 404 "));
  CHECK(contains(log, " info stopping on SIGTERM\n"));

  RunningServer silent({"--log-level", "off"});
  silent.get(kExample);
  silent->signal(SIGTERM);
  CHECK(silent->read_error().empty());
}

TEST_CASE("binary: on a terminal its start ends with a request to try, which passes") {
  const TemporaryFolder folder;
  const std::string ca = (folder.path() / "it's the CA.pem").string();
  const auto declared = folder.write("declared.json", R"({"clusters":[{"id":7},{"id":8,"tenants":[{"id":9}]}]})");
  const std::string list = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10'";
  struct Case {
    std::vector<std::string> options;
    std::string before;  // the URL
    std::string after;   // the port
    bool asks = false;   // for a password, so it is not run here
  };
  const std::vector<Case> cases{
      {{}, "curl -u admin:secret 'http://", list},
      {{"--auth", "off"}, "curl 'http://", list},
      {{"--user", "it's:pass"}, "curl -u 'it'\\''s' 'http://", list, true},
      {{"--access-key", "AK:SK"}, "curl 'http://", "/api/v2/time'"},
      {{"--tls-self-signed"}, "curl --insecure -u admin:secret 'https://", list},
      {{"--tls-self-signed", "--tls-ca-out", ca},
       "curl --cacert '" + folder.path().string() + "/it'\\''s the CA.pem' -u admin:secret 'https://",
       list},
      {{"--fixtures", declared.string()},
       "curl -u admin:secret 'http://",
       "/api/v2/ob/clusters/8/tenants/9/backup/task/logBackupTasks?page=1&size=10'"},
      {{"--fixtures", folder.write("none.json", "[]").string()}, "curl -u admin:secret 'http://", "/api/v2/info'"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.before);
    std::vector<std::string> arguments = one.options;
    arguments.insert(arguments.end(), {"--port", "0"});
    Process server(kBinary, arguments, {}, ".", Process::Errors::ToTerminal);
    const std::string ready = server.read_line();
    const auto at = ready.find("\"port\":") + 7;
    const std::string port = ready.substr(at, ready.find(',', at) - at);
    const std::string command = one.before + "127.0.0.1:" + port + one.after;
    REQUIRE(server.says(" info try from another shell: " + command + "\r\n"));
    if (!one.asks) {
      Process curl("/bin/sh", {"-c", command + " --noproxy '*' -s -o /dev/null -w '%{http_code}'"});
      CHECK(curl.read_out() == "200");
    }
    server.signal(SIGTERM);
    CHECK(server.read_out().empty());
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("binary: without a terminal, or with a log of warnings only, it proposes no request") {
  for (const auto errors : {Process::Errors::ToPipe, Process::Errors::ToTerminal}) {
    Process server(kBinary, {"--port", "0", "--log-level", errors == Process::Errors::ToPipe ? "info" : "warn"}, {},
                   ".", errors);
    server.read_line();
    server.signal(SIGTERM);
    CHECK_FALSE(server.says("curl"));
    CHECK(server.wait() == 0);
  }
}

TEST_CASE("binary: only those pass whom the options and the credentials file name, and no secret is logged") {
  const TemporaryFolder folder;
  const auto file = folder.write("c.json", R"({"users":[{"name":"filed","password":"geheim-2"}],)"
                                           R"("accessKeys":[{"accessKey":"AK","secretKey":"geheim-3"}]})");
  RunningServer server({"--user", "admin:geheim-1", "--credentials", file.string(), "--log-level", "trace"});
  const auto status = [&](const std::string& headers) {
    SocketClient client(server.port());
    client.send("GET /api/status HTTP/1.1\r\nHost: h\r\nDate: Tue, 17 Jan 2023 09:13:57 GMT\r\n" + headers + "\r\n");
    return client.read_answer().substr(9, 3);
  };
  CHECK(status("Authorization: Basic YWRtaW46Z2VoZWltLTE=\r\n") == "200");  // admin:geheim-1
  CHECK(status("Authorization: Basic ZmlsZWQ6Z2VoZWltLTI=\r\n") == "200");  // filed:geheim-2
  CHECK(status("Authorization: Basic YWRtaW46Z2VoZWltLTI=\r\n") == "401");  // admin:geheim-2
  CHECK(status("Authorization: OCP-ACCESS-KEY-HMACSHA1 AK:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n") == "401");
  CHECK(status(kCredentials) == "401");
  CHECK(status("") == "401");
  server->signal(SIGTERM);
  const std::string log = server->read_error();
  CHECK(contains(log, " debug the string that the server signed, trace id "));
  CHECK(contains(log, ": \"GET\\n\\n\\nTue, 17 Jan 2023 09:13:57 GMT\\nh\\n\\n/api/status\"\n"));
  CHECK(contains(log, " | The password of user 'admin' is wrong.\n"));
  for (const std::string secret : {"geheim", "Z2VoZWlt", "AAAAAAAA"}) CHECK_FALSE(contains(log, secret));

  CHECK(failure({"--port", "0", "--credentials", folder.write("bad.json", "{\"users\":[{}]}").string()}) ==
        "1 ocp-mock-server: " + (folder.path() / "bad.json").string() +
            ":1:11: name is missing; it must be a string\n");
  CHECK(failure({"--port", "0", "--user", "filed:x", "--credentials", file.string()}) ==
        "1 ocp-mock-server: " + file.string() + ":1:11: user 'filed' is given twice\n");
}

TEST_CASE("binary: --rate-limit counts by user in a window of real time") {
  const RunningServer server({"--rate-limit", "2/1d"});
  CHECK(server.get("/api/status") == "okay");
  CHECK(server.get("/api/status") == "okay");
  CHECK(contains(server.get("/api/status"), "\"status\":429"));
}

TEST_CASE("binary: with --tls-self-signed the CA is written before the server is ready, and clients trust it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "ca.pem";
  RunningServer server({"--tls-self-signed", "--tls-name", "ocp.test", "--tls-name", "*.ocp.test", "--tls-ca-out",
                        file.string(), "--port-file", (folder.path() / "p").string()});
  CHECK(contains(server.ready(), "\"url\":\"https://127.0.0.1:"));
  for (const std::string name : {"localhost", "ocp.test", "a.ocp.test"}) {
    TlsClient named(server.port(), {.ca = read_file(file), .name = name});
  }
  TlsClient client(server.port(), {.ca = read_file(file)});
  client.send("GET /api/v2/time HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_answer().starts_with("HTTP/1.1 200 OK\r\n"));
  // A server that cannot start leaves the file of another one alone.
  const std::string ca = read_file(file);
  CHECK(contains(failure({"--port", std::to_string(server.port()), "--tls-self-signed", "--tls-ca-out", file.string()}),
                 "is in use"));
  CHECK(read_file(file) == ca);
  // Plain HTTP is told what is wrong.
  CHECK(contains(server.get("/api/v2/time"), "\"message\":\"The request is plain HTTP, and this port speaks HTTPS;"));
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
}

TEST_CASE("binary: --tls-cert and --tls-key serve a certificate of the user's") {
  const TemporaryFolder folder;
  const auto made = ocp_mock::http::make_certificate("ocp.example");
  const std::string certificate = folder.write("cert.pem", made.certificate).string();
  const std::string key = folder.write("key.pem", made.key).string();
  const std::string ca = folder.write("ca.pem", made.ca).string();
  const RunningServer server({"--tls-cert", certificate, "--tls-key", key});
  TlsClient client(server.port(), {.ca = made.ca, .name = "ocp.example"});
  client.send("GET /api/v2/time HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_answer().starts_with("HTTP/1.1 200 OK\r\n"));

  CHECK(failure({"--port", "0", "--tls-cert", ca, "--tls-key", key}) ==
        "1 ocp-mock-server: cannot serve HTTPS with the certificate " + ca + " and the key " + key +
            ": the key is not that of the certificate\n");
  CHECK(failure({"--port", "0", "--tls-cert", "/does/not/exist", "--tls-key", key}) ==
        "1 ocp-mock-server: cannot read the certificate /does/not/exist: No such file or directory\n");
}

TEST_CASE("binary: httplib serves the same, arms no wire faults, and stops at once") {
  RunningServer server({"--http-engine", "httplib"});
  SocketClient client(server.port());
  const std::string head = " HTTP/1.1\r\nHost: h\r\n" + kCredentials;
  client.send("GET /api/status" + head + "\r\n");
  CHECK(client.read_answer().ends_with("\r\n\r\nokay"));
  const std::string fault = R"({"action":{"fault":"EMPTY_RESPONSE"}})";
  client.send("POST /__admin/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + std::to_string(fault.size()) +
              "\r\n\r\n" + fault);
  const std::string refusal = client.read_answer();
  CHECK(refusal.starts_with("HTTP/1.1 400 "));
  CHECK(contains(refusal, "need --http-engine epoll"));
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
  CHECK(client.read_to_end().empty());
}

TEST_CASE("binary: the limits of the options are kept, and the answers name them") {
  RunningServer server({"--max-head", "1KiB", "--max-body", "10", "--request-timeout", "1s", "--idle-timeout", "1s",
                        "--max-connections", "3"});
  const auto answer = [&](const std::string& request) {
    SocketClient client(server.port());
    client.send(request);
    return client.read_to_end();
  };
  const std::string head = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + kCredentials;
  CHECK(contains(answer("GET /" + std::string(2000, 'x') + head + "\r\n"),
                 "the line and all headers together may have 1024 bytes."));
  CHECK(answer("GET /" + head + "X: " + std::string(2000, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431 "));
  CHECK(answer("POST /" + head + "Content-Length: 10\r\n\r\n0123456789").starts_with("HTTP/1.1 404 "));
  CHECK(contains(answer("POST /" + head + "Content-Length: 11\r\n\r\n01234567890"), "it may have 10 bytes."));
  CHECK(contains(answer("GET /"), "did not arrive whole within 1 s."));
  CHECK(answer("").empty());
  {
    const SocketClient first(server.port());
    const SocketClient second(server.port());
    const SocketClient third(server.port());
    // It waits until one of the three is closed.
    CHECK(contains(server.get("/api/status"), "okay"));
  }
  server->signal(SIGTERM);
  CHECK(contains(server->read_error(), "3 are open, which is the limit"));
}

TEST_CASE("binary: a --db file is made from fixtures, and serves several processes without them") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "data.db").string();
  std::string made;
  {
    RunningServer server({"--frozen", "--db", file, "--fixtures", "fixtures/logBackupTasks.json"});
    made = server.get(kExample);
    server->signal(SIGTERM);
    CHECK(server->wait() == 0);
  }
  CHECK(contains(made, "\"totalElements\":1"));
  const std::string bytes = read_file(file);
  {
    const RunningServer first({"--frozen", "--db", file});
    const RunningServer second({"--frozen", "--db", file});
    CHECK(first.get(kExample) == made);
    CHECK(second.get(kExample) == made);
  }
  CHECK(read_file(file) == bytes);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("binary: an empty --db file is filled") {
  for (const std::vector<std::string>& fixtures :
       std::vector<std::vector<std::string>>{{}, {"--fixtures", "fixtures/logBackupTasks.json"}}) {
    const TemporaryFolder folder;
    const std::string file = folder.write("data.db", "").string();
    std::vector<std::string> arguments{"--db", file};
    arguments.insert(arguments.end(), fixtures.begin(), fixtures.end());
    CHECK(contains(RunningServer(arguments).get(kExample), "\"totalElements\":1"));
    CHECK(read_file(file).starts_with("SQLite format 3"));
    CHECK(contains(RunningServer({"--db", file}).get(kExample), "\"totalElements\":1"));
  }
}

TEST_CASE("binary: what a killed load has left is cleared by the next one, but not what a running load writes") {
  const TemporaryFolder folder;
  const std::string db = (folder.path() / "data.db").string();
  const std::string task =
      R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})" + std::string("\n");
  const auto temporary_files = [&] {
    return std::ranges::count_if(std::filesystem::directory_iterator(folder.path()),
                                 [](const auto& entry) { return entry.path().extension() == ".tmp"; });
  };
  const std::string pipe = (folder.path() / "tasks.ndjson").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  {
    Process killed(kBinary, {"--port", "0", "--db", db, "--fixtures", pipe});
    std::ofstream writer(pipe);  // opens once the server reads
    CHECK(temporary_files() == 1);
    killed.signal(SIGKILL);
    CHECK(killed.wait() == 128 + SIGKILL);
  }
  CHECK(temporary_files() == 1);
  Process running(kBinary, {"--port", "0", "--db", db, "--fixtures", pipe});
  {
    // No other process may keep the pipe open.
    const ocp_mock::http::Descriptor writer(::open(pipe.c_str(), O_WRONLY | O_CLOEXEC));
    CHECK(temporary_files() == 1);
    const RunningServer other({"--db", db, "--fixtures", "fixtures/logBackupTasks.json"});
    CHECK(temporary_files() == 1);
    CHECK(::write(writer.get(), task.data(), task.size()) == static_cast<ssize_t>(task.size()));
  }
  CHECK(contains(running.read_line(), "\"event\":\"ready\""));
  CHECK(temporary_files() == 0);
  CHECK(contains(RunningServer({"--db", db}).get("/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks"),
                 "\"totalElements\":1"));
}

TEST_CASE("binary: damage of a --db file is told at start where it shows, else by a 500 where it is met") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "data.db").string();
  RunningServer({"--db", file, "--fixtures", "fixtures/sample.json"});
  const std::string right = read_file(file);

  folder.write("data.db", right.substr(0, right.size() - 100));
  CHECK(failure({"--port", "0", "--db", file}) ==
        "1 ocp-mock-server: the dataset " + file + " is damaged: it has " + std::to_string(right.size() - 100) +
            " bytes, and its header tells of " + std::to_string(right.size()) +
            "; it may have been copied in part, or changed by another program. Make it anew from its fixtures\n");

  // In the text of one task.
  std::string bytes = right;
  const auto text = bytes.find("{\"agentServerIp\"");
  REQUIRE(text != std::string::npos);
  bytes[text + 20] ^= 1;
  folder.write("data.db", bytes);
  RunningServer server({"--db", file});
  const std::string tasks = kExample.substr(0, kExample.find('?')) + "?size=1&page=";
  int answered = 0;
  int failed = 0;
  for (int page = 1; page <= 25; ++page) {
    const std::string answer = server.get(tasks + std::to_string(page));
    const bool is_answer = contains(answer, "\"totalElements\":25") && contains(answer, "\"status\":200,");
    const bool is_error = contains(answer, "\"error\":{\"code\":10010,") && contains(answer, "\"status\":500,");
    CHECK(is_answer != is_error);
    ++(is_answer ? answered : failed);
  }
  CHECK(failed > 0);
  CHECK(answered > 0);
  CHECK(contains(server.get("/api/status"), "okay"));
  server->signal(SIGTERM);
  const std::string log = server->read_error();
  CHECK(contains(log, " failed, trace id "));
  CHECK(contains(log, ": database disk image is malformed"));
  CHECK(server->wait() == 0);
}

TEST_CASE("binary: a fixture may come through a pipe") {
  const TemporaryFolder folder;
  const std::string pipe = (folder.path() / "logBackupTasks.json").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << read_file("fixtures/logBackupTasks.json"); });
  const RunningServer server({"--frozen", "--pretty", "--fixtures", pipe});
  writer.join();
  CHECK(server.get(kExample) == read_file("fixtures/logBackupTasks.json"));
  CHECK(
      failure({"--watch", "--log-level", "off", "--fixtures", "/dev/null"}) ==
      "1 ocp-mock-server: --watch is of no use: /dev/null is a pipe or a device, which gives its data once; --fixtures "
      "must name files or folders\n");
}

TEST_CASE("binary: healthcheck tells by its exit code whether a server is up") {
  const auto check = [](const std::vector<std::string>& arguments) {
    Process process(kBinary, arguments);
    const std::string error = process.read_error();
    return std::to_string(process.wait()) + " " + error;
  };
  RunningServer plain({"--user", "admin:x"});
  const std::string port = std::to_string(plain.port());
  CHECK(check({"healthcheck", "http://127.0.0.1:" + port}) == "0 ");
  CHECK(check({"healthcheck", "http://localhost:" + port + "/any/path"}) == "0 ");
  CHECK(check({"--port", port, "healthcheck"}) == "0 ");
  CHECK(check({"healthcheck", "https://127.0.0.1:" + port})
            .starts_with("1 ocp-mock-server: https://127.0.0.1:" + port + " does not answer"));
  RunningServer tls({"--tls-self-signed"});
  CHECK(check({"healthcheck", "https://127.0.0.1:" + std::to_string(tls.port())}) == "0 ");
  CHECK(check({"healthcheck", "http://127.0.0.1:" + std::to_string(tls.port())})
            .starts_with("1 ocp-mock-server: http://127.0.0.1:"));
  plain->signal(SIGTERM);
  CHECK(plain->wait() == 0);
  CHECK(check({"healthcheck", "http://127.0.0.1:" + port}) ==
        "1 ocp-mock-server: cannot connect to http://127.0.0.1:" + port + ": Connection refused\n");
  // Without a URL it asks where the environment says.
  const TemporaryFolder folder;
  const auto check_there = [&](std::vector<std::string> variables) {
    Process process(kBinary, {"healthcheck"}, std::move(variables));
    const std::string error = process.read_error();
    return std::to_string(process.wait()) + " " + error;
  };
  const std::string tls_port = std::to_string(tls.port());
  CHECK(check_there({"OCP_MOCK_PORT=" + tls_port, "OCP_MOCK_TLS_SELF_SIGNED=true"}) == "0 ");
  CHECK(check_there({"OCP_MOCK_PORT=" + tls_port, "OCP_MOCK_TLS_CERT=f", "OCP_MOCK_HOST=0.0.0.0"}) == "0 ");
  CHECK(check_there({"OCP_MOCK_PORT=" + tls_port}).starts_with("1 ocp-mock-server: http://127.0.0.1:" + tls_port));
  CHECK(check_there({"OCP_MOCK_PORT=0", "OCP_MOCK_TLS_SELF_SIGNED=1",
                     "OCP_MOCK_PORT_FILE=" + folder.write("port", tls_port + "\n").string()}) == "0 ");
  const std::string half = folder.write("half", "80").string();
  CHECK(check_there({"OCP_MOCK_PORT=0", "OCP_MOCK_PORT_FILE=" + half}) ==
        "1 ocp-mock-server: the port file " + half + " names no port; the server may be starting\n");
  CHECK(check_there({"OCP_MOCK_PORT=0", "OCP_MOCK_PORT_FILE=/does/not/exist"}) ==
        "1 ocp-mock-server: cannot read the port file /does/not/exist: No such file or directory\n");
  RunningServer six({"--host", "::1"});
  CHECK(check_there({"OCP_MOCK_HOST=::", "OCP_MOCK_PORT=" + std::to_string(six.port())}) == "0 ");
  CHECK(check({"healthcheck", "ftp://h"}) == "1 ocp-mock-server: 'ftp://h' is no URL such as http://127.0.0.1:8080\n");
}

TEST_CASE("binary: healthcheck names the server as its URL does") {
  ocp_mock::http::Listener server("::1", 0, ocp_mock::http::addresses_of("::1"));
  server.listen();
  Process process(kBinary, {"healthcheck", "http://" + server.authority()});
  pollfd entry{server.descriptor(0), POLLIN, 0};
  REQUIRE(::poll(&entry, 1, 20'000) == 1);
  {
    const ocp_mock::http::Descriptor client(::accept4(server.descriptor(0), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char bytes[1024];
    while (!contains(request, "\r\n\r\n")) {
      const ssize_t count = ::recv(client.get(), bytes, sizeof bytes, 0);
      REQUIRE(count > 0);
      request.append(bytes, static_cast<std::size_t>(count));
    }
    CHECK(request == "GET /__admin/health HTTP/1.1\r\nHost: " + server.authority() + "\r\nConnection: close\r\n\r\n");
  }
  CHECK(process.read_error() == "ocp-mock-server: http://" + server.authority() + " does not answer\n");
  CHECK(process.wait() == 1);
}

TEST_CASE("healthcheck: a server is reached where it listens") {
  const struct {
    bool tls;
    const char* host;
    const char* url;
  } cases[] = {
      {false, "127.0.0.1", "http://127.0.0.1:81"}, {true, "ocp.test", "https://ocp.test:81"},
      {false, "0.0.0.0", "http://127.0.0.1:81"},   {false, "::", "http://[::1]:81"},
      {false, "[::]", "http://[::1]:81"},          {false, "0:0::0", "http://[::1]:81"},
      {true, "::1", "https://[::1]:81"},           {false, "[fd00::1]", "http://[fd00::1]:81"},
      {false, "0.0.0.1", "http://0.0.0.1:81"},
  };
  for (const auto& [tls, host, url] : cases) CHECK(ocp_mock::url_of_server(tls, host, 81) == url);
}

TEST_CASE("binary: SIGTERM ends delays and waits at once") {
  RunningServer server({});
  SocketClient admin(server.port());
  const std::string fault = R"({"action":{"delayMs":3600000}})";
  admin.send("POST /__admin/faults HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(fault.size()) +
             "\r\n\r\n" + fault);
  REQUIRE(admin.read_answer().starts_with("HTTP/1.1 201 "));
  SocketClient delayed(server.port());
  SocketClient waiting(server.port());
  delayed.send("GET " + kExample + " HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
  waiting.send("GET /__admin/requests?wait=PT1M HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string faults;
  while (!contains(faults, "\"fired\":1,")) {
    admin.send("GET /__admin/faults HTTP/1.1\r\nHost: h\r\n\r\n");
    faults = admin.read_answer();
  }
  server->signal(SIGTERM);
  CHECK(contains(delayed.read_to_end(), "\"successful\":true"));
  CHECK(contains(waiting.read_to_end(), "\"requests\":["));
  CHECK(server->wait() == 0);
}

TEST_CASE("binary: admin calls that whoever reaches the host can make are warned of, and --admin-host names it") {
  const auto ask = [](const RunningServer& server, const std::string& host) {
    SocketClient client(server.port());
    client.send("GET /__admin/clock HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_to_end().substr(9, 3);
  };
  const std::string warning = "whoever reaches 0.0.0.0 can make admin calls: --admin-token TOKEN asks for a token";
  {
    RunningServer open({"--host", "0.0.0.0", "--log-level", "warn", "--admin-host", "mock.example.com"});
    CHECK(open->says(warning));
    CHECK(ask(open, "mock.example.com") == "200");
    CHECK(ask(open, "evil.example.com") == "403");
  }
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--host", "0.0.0.0", "--admin-token", "geheim-1"},
        {"--host", "0.0.0.0", "--no-admin"},
        {}}) {
    RunningServer server(flags);
    server->signal(SIGTERM);
    CHECK_FALSE(server->says("whoever reaches"));
  }
  // A wrong token shows whence it came, and not itself.
  RunningServer guarded({"--admin-token", "geheim-1"});
  SocketClient client(guarded.port());
  client.send("GET /__admin/clock HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer geheim-2\r\n\r\n");
  CHECK(client.read_answer().starts_with("HTTP/1.1 401 "));
  guarded->signal(SIGTERM);
  const std::string log = guarded->read_error();
  CHECK(contains(log, " warning a wrong admin token from 127.0.0.1: GET /__admin/clock\n"));
  CHECK_FALSE(contains(log, "geheim"));
}

TEST_CASE("binary: SIGHUP loads the fixtures again, and ends no server without a terminal") {
  const TemporaryFolder folder;
  const std::string path = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";
  const auto tasks = [](int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) {
      text += std::string(i == 0 ? "" : ",") +
              R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})";
    }
    return text + "]";
  };
  const auto file = folder.write("fx/a.json", tasks(1));
  folder.write("fx/A.JSON", "x");
  RunningServer server({"--fixtures", (folder.path() / "fx").string()});
  CHECK(server->says("passed over: "));
  folder.write("fx/a.json", tasks(2));
  server->signal(SIGHUP);
  CHECK(server->says("the fixtures were loaded again, as was asked for"));
  CHECK(contains(server.get(path), "\"totalElements\":2,"));
  folder.write("fx/a.json", "[");
  server->signal(SIGHUP);
  CHECK(server->says(
      "the fixtures were not loaded again, as was asked for; the data stay as they are: the fixtures have"));
  CHECK(contains(server.get(path), "\"totalElements\":2,"));
  folder.write("fx/a.json", tasks(3));
  for (int i = 0; i < 20; ++i) server->signal(SIGHUP);
  while (!contains(server.get(path), "\"totalElements\":3,")) {
  }
  server->signal(SIGTERM);
  CHECK(server->wait() == 0);
  const std::string log = server->read_error();
  CHECK(contains(log, "stopping on SIGTERM"));
  CHECK(log.find("passed over: ") == log.rfind("passed over: "));  // at the start, and not again

  RunningServer plain({});
  plain->signal(SIGHUP);
  CHECK(plain->says("nothing was loaded again on SIGHUP: the server was started without --fixtures"));
  CHECK(contains(plain.get(kExample), "\"totalElements\":1,"));
  plain->signal(SIGINT);
  CHECK(plain->wait() == 0);
  CHECK(contains(plain->read_error(), "stopping on SIGINT"));
}

TEST_CASE("binary: a server whose terminal is gone stops, unless nohup keeps it") {
  // Runs the server in a terminal of its own, with this process's standard error, and closes the terminal, or sends
  // what a shell sends to its jobs then.
  const std::string run =
      "import os, pty, signal, sys\n"
      "error = os.dup(2)\n"
      "pid, terminal = pty.fork()\n"
      "if pid == 0:\n"
      "    os.dup2(error, 2)\n"
      "    if sys.argv[1] == 'nohup': signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
      "    os.execv(sys.argv[2], sys.argv[2:])\n"
      "text = b''\n"
      "while b'ready' not in text: text += os.read(terminal, 1000)\n"
      "print(pid, flush=True)\n"
      "if sys.argv[1] == 'shell': os.kill(pid, signal.SIGHUP)\n"
      "else: os.close(terminal)\n"
      "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)\n";
  for (const std::string kind : {"plain", "shell", "nohup"}) {
    CAPTURE(kind);
    const bool nohup = kind == "nohup";
    Process python("/usr/bin/python3", {"-c", run, kind, kBinary, "--port", "0"});
    const int pid = std::atoi(python.read_line().c_str());
    CHECK(python.says(nohup ? "nothing was loaded again on SIGHUP" : "stopping on SIGHUP"));
    if (nohup) ::kill(pid, SIGTERM);
    CHECK(python.read_line() == "0");
    CHECK(python.wait() == 0);
  }
}

TEST_CASE("binary: --init and --watch work from the command line") {
  const TemporaryFolder folder;
  const auto init =
      folder.write("init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":"2030-01-01T00:00:00Z"}}])");
  const RunningServer server({"--init", init.string(), "--watch", "--fixtures", "fixtures/sample.json"});
  CHECK(server.get("/api/v2/time") == "2030-01-01T08:00:00+08:00");
  CHECK(failure({"--port", "0", "--log-level", "off", "--init", "/does/not/exist"}) ==
        "1 ocp-mock-server: cannot read the init file /does/not/exist: No such file or directory\n");
}
