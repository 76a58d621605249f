// The built program says what is wrong: in fixtures, in its options, and of another server.
#include <doctest/doctest.h>
#include <poll.h>

#include <csignal>
#include <string>
#include <vector>

#include "client/healthcheck.h"
#include "http/socket.h"
#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using ocp_mock::test::contains;
using ocp_mock::test::failure;
using ocp_mock::test::kBinary;
using ocp_mock::test::Process;
using ocp_mock::test::read_file;
using ocp_mock::test::RunningProgram;
using ocp_mock::test::TemporaryFolder;

TEST_CASE("binary: a port in use is said in one sentence") {
  const RunningProgram server({});
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
  CHECK(contains(
      failure({"--port", "0", "--fixtures", bad}),
      "bad.json:2:2: task 1: clusterId is the string \"x\"; it must be a 64-bit integer; the file's name 'bad' is "
      "no resource's, so its rows are read as logBackupTasks\n"));
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
                                  "note: " +
                                  file.string() +
                                  ": 1 row of logBackupTasks has the status 'Running', which is none of STARTING, "
                                  "INPROGRESS, STOPPING, STOPPED, FAILED, INTERRUPTED, UNKNOWN, RUNNING, BEGINNING; "
                                  "did you mean 'RUNNING'?\n"
                                  "logBackupTasks\n"
                                  "  cluster 1\n"
                                  "    tenant 2: 1 task: Running 1 (no status that a client can ask for)\n");
  CHECK(process.wait() == 0);
}

TEST_CASE("binary: check tells rows that another capture has too, and pages that are missing apart from them") {
  const TemporaryFolder folder;
  const auto capture = [](const std::string& rows, int total) {
    return R"({"data":{"contents":[)" + rows + R"(],"page":{"number":1,"size":10,"totalElements":)" +
           std::to_string(total) + R"(,"totalPages":1}},"successful":true})";
  };
  const std::string first = R"({"id":1,"name":"a"})";
  folder.write("hosts.1.json", capture(R"({"alias":"x","id":1,"name":"a"},{"id":2,"name":"b"})", 2));
  folder.write("hosts.2.json", capture(first + R"(,{"id":3,"name":"c"})", 2));
  folder.write("hosts.3.json", capture(first, 1));
  folder.write("hosts.4.json", capture(first + R"(,{"id":4,"name":"d"})", 7));
  Process process(kBinary, {"check", folder.path().string()});
  const std::string at = folder.path().string() + "/hosts.";
  const std::string both = "1 host and 1 row that another capture has too";
  CHECK(process.read_out().starts_with(
      at + "1.json: a captured answer, 2 hosts\n" + at + "2.json: a captured answer, " + both + "\n" + at +
      "3.json: a captured answer, 1 row that another capture has too\n" + at + "4.json: a captured answer, " + both +
      " of 7; the other pages were not captured in it\nnote: "));
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
  const RunningProgram server({"--fixtures", at + "b.json"});
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

TEST_CASE("binary: generate writes to standard output or a file, and says what it cannot do") {
  const std::vector<std::string> words{"generate", "--tenants", "2", "--tasks", "5"};
  Process process(kBinary, words);
  const std::string expected = read_file("tests/fixtures/generated.json");
  CHECK(process.read_out() == expected);
  CHECK(process.wait() == 0);

  const TemporaryFolder folder;
  const std::string file = folder.write("out.json", "before").string();
  std::vector<std::string> to_file = words;
  to_file.insert(to_file.end(), {"--out", file});
  Process writer(kBinary, to_file);
  CHECK(writer.wait() == 0);
  CHECK(read_file(file) == expected);
  to_file.back() = "/does/not/exist/out.json";
  CHECK(failure(to_file) == "2 ocp-mock-server: cannot write /does/not/exist/out.json: No such file or directory\n");

  CHECK(failure({"generate", "--tasks", "ten"}) ==
        "2 ocp-mock-server: --tasks is 'ten'; it must be a number from 0 to 1000000000 (see --help)\n");
  CHECK(failure({"generate", "--clusters", "0"}) ==
        "2 ocp-mock-server: --clusters is '0'; it must be a number from 1 to 10000 (see --help)\n");
  CHECK(failure({"generate", "--from", "2024-13-01T00:00:00Z"}) ==
        "2 ocp-mock-server: --from is '2024-13-01T00:00:00Z'; it must be a time such as 2024-08-09T16:06:02+08:00 "
        "(see --help)\n");
  CHECK(failure({"generate", "--from", "2024-08-10T00:00:00Z"}) ==
        "2 ocp-mock-server: --from 2024-08-10T00:00:00Z is after --to 2024-08-09T16:06:02+08:00 (see --help)\n");
  CHECK(failure({"generate", "--tenants", "0"}) ==
        "2 ocp-mock-server: with --tenants 0 there is nobody to have tasks; give --tasks 0 too (see --help)\n");
  CHECK(failure({"generate", "--port", "1"}) ==
        "2 ocp-mock-server: --port is not an option of generate (see --help)\n");
}

TEST_CASE("binary: healthcheck tells by its exit code whether a server is up") {
  const auto check = [](const std::vector<std::string>& arguments) {
    Process process(kBinary, arguments);
    const std::string error = process.read_error();
    return std::to_string(process.wait()) + " " + error;
  };
  RunningProgram plain({"--user", "admin:x"});
  const std::string port = std::to_string(plain.port());
  CHECK(check({"healthcheck", "http://127.0.0.1:" + port}) == "0 ");
  CHECK(check({"healthcheck", "http://localhost:" + port + "/any/path"}) == "0 ");
  CHECK(check({"--port", port, "healthcheck"}) == "0 ");
  CHECK(check({"healthcheck", "https://127.0.0.1:" + port})
            .starts_with("1 ocp-mock-server: https://127.0.0.1:" + port + " does not answer"));
  RunningProgram tls({"--tls-self-signed"});
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
  RunningProgram six({"--host", "::1"});
  CHECK(check_there({"OCP_MOCK_HOST=::", "OCP_MOCK_PORT=" + std::to_string(six.port())}) == "0 ");
  CHECK(check({"healthcheck", "ftp://h"}) ==
        "2 ocp-mock-server: 'ftp://h' is not a URL such as http://127.0.0.1:8080\n");
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
