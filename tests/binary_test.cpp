// The built program, run as its users run it.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/socket_client.h"
#include "http/tls_client.h"
#include "process.h"
#include "temporary_folder.h"

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

TEST_CASE("binary: the port file holds the port, whole") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "an older run's, longer than a port");
  const RunningServer server({"--port-file", file.string()});
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("binary: the port file is a new file, and never takes the place of a device or a link") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "old");
  std::filesystem::create_hard_link(file, folder.path() / "old");
  std::filesystem::create_symlink("port", folder.path() / "link");
  const RunningServer server({"--port-file", (folder.path() / "link").string()});
  CHECK(read_file(folder.path() / "old") == "old");
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));

  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(contains(failure({"--port", "0", "--port-file", (folder.path() / "pipe").string()}),
                 "is no regular file; it must be one"));
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
  CHECK(failure({"--port", "banana"}).starts_with("2 ocp-mock-server: --port"));
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
    RunningServer server({});
    SocketClient idle(server.port());
    SocketClient half(server.port());
    idle.send("GET " + kExample + " HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
    idle.read_answer();
    // The interim answer proves that the server has taken up the request.
    half.send("POST / HTTP/1.1\r\nHost: h\r\n" + kCredentials + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(half.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    server->signal(number);
    CHECK(idle.read_to_end().empty());
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
  RunningServer server(
      {"--tls-self-signed", "--tls-ca-out", file.string(), "--port-file", (folder.path() / "p").string()});
  CHECK(contains(server.ready(), "\"url\":\"https://127.0.0.1:"));
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
  CHECK(check({"healthcheck", "ftp://h"}) == "1 ocp-mock-server: 'ftp://h' is no URL such as http://127.0.0.1:8080\n");
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

TEST_CASE("binary: --init and --watch work from the command line") {
  const TemporaryFolder folder;
  const auto init =
      folder.write("init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":"2030-01-01T00:00:00Z"}}])");
  const RunningServer server({"--init", init.string(), "--watch", "--fixtures", "fixtures/sample.json"});
  CHECK(server.get("/api/v2/time") == "2030-01-01T08:00:00+08:00");
  CHECK(failure({"--port", "0", "--log-level", "off", "--init", "/does/not/exist"}) ==
        "1 ocp-mock-server: cannot read the init file /does/not/exist: No such file or directory\n");
}
