// The built program, run as its users run it.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "http/certificate.h"
#include "http/socket.h"
#include "http/socket_client.h"
#include "http/tls_client.h"
#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using ocp_mock::test::contains;
using ocp_mock::test::eventually;
using ocp_mock::test::failure;
using ocp_mock::test::kBinary;
using ocp_mock::test::kCredentials;
using ocp_mock::test::kExample;
using ocp_mock::test::Process;
using ocp_mock::test::read_file;
using ocp_mock::test::RunningProgram;
using ocp_mock::test::SocketClient;
using ocp_mock::test::TemporaryFolder;
using ocp_mock::test::TlsClient;

TEST_CASE("binary: the ready line is one line of JSON, and then connections are accepted") {
  RunningProgram server({});
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
  const RunningProgram server({"--host", "localhost"});
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
  const RunningProgram server({"--frozen", "--pretty"});
  CHECK(server.get(kExample) == read_file("fixtures/logBackupTasks.json"));
}

TEST_CASE("binary: without --frozen time, duration and trace id are those of the moment") {
  const RunningProgram server({"serve", "--timezone", "-03:30", "--server-name", "ocp-1"});
  const std::string first = server.get(kExample);
  const std::string second = server.get(kExample);
  CHECK(contains(first, "\"server\":\"ocp-1\""));
  CHECK(contains(first, "-03:30\",\"traceId\":\""));
  const auto trace = first.find("\"traceId\":\"") + 11;
  CHECK(first.find_first_not_of("0123456789abcdef", trace) == trace + 16);
  CHECK(first.substr(trace, 16) != second.substr(second.find("\"traceId\":\"") + 11, 16));
}

TEST_CASE("binary: options come from the environment too, and a flag beats it") {
  const RunningProgram server({"--server-name", "flag"}, {"OCP_MOCK_FROZEN=true", "OCP_MOCK_SERVER_NAME=environment",
                                                          "OCP_MOCK_FIXTURES=fixtures/sample.json"});
  CHECK(contains(server.get(kExample), "\"totalElements\":25"));
  CHECK(contains(server.get(kExample), "\"server\":\"flag\""));
}

TEST_CASE("binary: --status-match and --window say how requests are read, also from the environment") {
  const std::string list = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";
  const std::string running = list + "?status=INPROGRESS";
  const std::string half_an_hour = list + "?startTime=2024-07-16T05:00:00Z&endTime=2024-07-16T05:30:00Z";
  const std::vector<std::string> sample{"--fixtures", "fixtures/sample.json"};
  const auto check = [&](const RunningProgram& server, int found, int in_window) {
    CHECK(contains(server.get(running), "\"totalElements\":" + std::to_string(found) + ","));
    CHECK(contains(server.get(half_an_hour), "\"totalElements\":" + std::to_string(in_window) + ","));
  };
  check(RunningProgram(sample), 8, 0);
  check(RunningProgram({sample[0], sample[1], "--status-match", "exact", "--window", "overlap"}), 3, 1);
  check(RunningProgram(sample, {"OCP_MOCK_STATUS_MATCH=exact", "OCP_MOCK_WINDOW=overlap"}), 3, 1);
}

TEST_CASE("binary: variables of a Kubernetes Service are passed over with a warning") {
  const std::vector<std::string> variables{"OCP_MOCK_SERVICE_HOST=10.96.0.12", "OCP_MOCK_PORT=tcp://10.96.0.12:8080",
                                           "OCP_MOCK_FIXTURE=x"};
  RunningProgram server({}, variables);
  CHECK(
      server->says(" warning OCP_MOCK_PORT and 1 more variable are ignored: a Kubernetes Service or Docker link "
                   "called 'ocp-mock' has set them; rename it, or set enableServiceLinks: false in the pod\n"));
  CHECK(
      server->says(" warning OCP_MOCK_FIXTURE is ignored: this server has no such variable; did you mean "
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
  const RunningProgram server({"--frozen", "--fixtures", file.string()});
  CHECK(server.get(kExample).ends_with(
      R"("duration":5,"server":"captured","status":200,"successful":true,"timestamp":"2024-08-02T00:00:00.5+08:00",)"
      R"("traceId":"1111111111111111"})"));
}

TEST_CASE("binary: a log that nobody reads stalls neither requests nor the end") {
  RunningProgram server({});
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

TEST_CASE("binary: without fixtures it serves what it does with the word installation") {
  const RunningProgram server({"--frozen"});
  const RunningProgram with_word({"--frozen", "--fixtures", "installation"});
  const std::string all = server.get("/__admin/fixtures");
  CHECK(contains(all, "\"hostAgentProcesses\":[\n"));
  CHECK(all == with_word.get("/__admin/fixtures"));
}

TEST_CASE("binary: logs go to standard error, a line a request") {
  RunningProgram server({});
  server.get("/api/v2/ob/unknown?x=1");
  server->signal(SIGTERM);
  const std::string log = server->read_error();
  CHECK(server->wait() == 0);
  CHECK(contains(log, " info loaded installation (compiled in)\n"));
  CHECK(contains(log, " info GET /api/v2/ob/unknown?x=1 404 "));
  CHECK(contains(log, " info stopping on SIGTERM\n"));

  RunningProgram silent({"--log-level", "off"});
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
  RunningProgram server({"--user", "admin:geheim-1", "--credentials", file.string(), "--log-level", "trace"});
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
  const RunningProgram server({"--rate-limit", "2/1d"});
  CHECK(server.get("/api/status") == "okay");
  CHECK(server.get("/api/status") == "okay");
  CHECK(contains(server.get("/api/status"), "\"status\":429"));
}

TEST_CASE("binary: with --tls-self-signed the CA is written before the server is ready, and clients trust it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "ca.pem";
  RunningProgram server({"--tls-self-signed", "--tls-name", "ocp.test", "--tls-name", "*.ocp.test", "--tls-ca-out",
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
  const RunningProgram server({"--tls-cert", certificate, "--tls-key", key});
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
  RunningProgram server({"--http-engine", "httplib"});
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
  RunningProgram server({"--max-head", "1KiB", "--max-body", "10", "--request-timeout", "1s", "--idle-timeout", "1s",
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

TEST_CASE("binary: admin calls that anyone who can reach the host can make are warned of, and --admin-host names it") {
  const auto ask = [](const RunningProgram& server, const std::string& host) {
    SocketClient client(server.port());
    client.send("GET /__admin/clock HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_to_end().substr(9, 3);
  };
  const std::string warning = "anyone who can reach 0.0.0.0 can make admin calls: --admin-token TOKEN asks for a token";
  {
    RunningProgram open({"--host", "0.0.0.0", "--log-level", "warn", "--admin-host", "mock.example.com"});
    CHECK(open->says(warning));
    CHECK(ask(open, "mock.example.com") == "200");
    CHECK(ask(open, "evil.example.com") == "403");
  }
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--host", "0.0.0.0", "--admin-token", "geheim-1"},
        {"--host", "0.0.0.0", "--no-admin"},
        {}}) {
    RunningProgram server(flags);
    server->signal(SIGTERM);
    CHECK_FALSE(server->says("anyone who can reach"));
  }
  // A wrong token shows whence it came, and not itself.
  RunningProgram guarded({"--admin-token", "geheim-1"});
  SocketClient client(guarded.port());
  client.send("GET /__admin/clock HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer geheim-2\r\n\r\n");
  CHECK(client.read_answer().starts_with("HTTP/1.1 401 "));
  guarded->signal(SIGTERM);
  const std::string log = guarded->read_error();
  CHECK(contains(log, " warning a wrong admin token from 127.0.0.1: GET /__admin/clock\n"));
  CHECK_FALSE(contains(log, "geheim"));
}

TEST_CASE("binary: --init and --watch work from the command line") {
  const TemporaryFolder folder;
  const auto init =
      folder.write("init.json", R"([{"method":"PUT","path":"/__admin/clock","body":{"now":"2030-01-01T00:00:00Z"}}])");
  const RunningProgram server({"--init", init.string(), "--watch", "--fixtures", "fixtures/sample.json"});
  CHECK(server.get("/api/v2/time") == "2030-01-01T08:00:00+08:00");
  CHECK(failure({"--port", "0", "--log-level", "off", "--init", "/does/not/exist"}) ==
        "1 ocp-mock-server: cannot read the init file /does/not/exist: No such file or directory\n");
}
