// What signals do to the built program.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include "http/socket_client.h"
#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using ocp_mock::test::contains;
using ocp_mock::test::kBinary;
using ocp_mock::test::kCredentials;
using ocp_mock::test::kExample;
using ocp_mock::test::Process;
using ocp_mock::test::RunningProgram;
using ocp_mock::test::SocketClient;
using ocp_mock::test::TemporaryFolder;

TEST_CASE("binary: SIGTERM and SIGINT end it with code 0, after the requests in flight") {
  for (const int number : {SIGTERM, SIGINT}) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "port";
    RunningProgram server({"--port-file", file.string()});
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
    RunningProgram server({"--log-level", "off"});
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

TEST_CASE("binary: SIGTERM ends delays and waits at once") {
  RunningProgram server({});
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
  RunningProgram server({"--fixtures", (folder.path() / "fx").string()});
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

  RunningProgram plain({});
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
