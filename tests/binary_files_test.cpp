// The files that the built program writes: the port, the CA, and --db.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/socket.h"
#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using ocp_mock::test::contains;
using ocp_mock::test::failure;
using ocp_mock::test::kBinary;
using ocp_mock::test::kExample;
using ocp_mock::test::Process;
using ocp_mock::test::read_file;
using ocp_mock::test::RunningProgram;
using ocp_mock::test::TemporaryFolder;

TEST_CASE("binary: the port file holds the port, whole") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "12345\n");
  const RunningProgram server({"--port-file", file.string()});
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("binary: the port file is a new file, and never takes the place of a device or a link") {
  const TemporaryFolder folder;
  const auto file = folder.write("port", "1\n");
  std::filesystem::create_hard_link(file, folder.path() / "old");
  std::filesystem::create_symlink("port", folder.path() / "link");
  const RunningProgram server({"--port-file", (folder.path() / "link").string()});
  CHECK(read_file(folder.path() / "old") == "1\n");
  CHECK(read_file(file) == std::to_string(server.port()) + "\n");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));

  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(contains(failure({"--port", "0", "--port-file", (folder.path() / "pipe").string()}),
                 "is not a regular file; it must be one"));
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
  RunningProgram first({"--port-file", file.string()});
  const std::string port = std::to_string(first.port());
  CHECK(contains(failure({"--port", port, "--port-file", file.string()}), "is in use"));
  CHECK(read_file(file) == port + "\n");
  const RunningProgram second({"--port-file", file.string()});
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

TEST_CASE("binary: a --db file is made from fixtures, and serves several processes without them") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "data.db").string();
  std::string made;
  {
    RunningProgram server({"--frozen", "--db", file, "--fixtures", "fixtures/logBackupTasks.json"});
    made = server.get(kExample);
    server->signal(SIGTERM);
    CHECK(server->wait() == 0);
  }
  CHECK(contains(made, "\"totalElements\":1"));
  const std::string bytes = read_file(file);
  {
    const RunningProgram first({"--frozen", "--db", file});
    const RunningProgram second({"--frozen", "--db", file});
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
    CHECK(contains(RunningProgram(arguments).get(kExample), "\"totalElements\":1"));
    CHECK(read_file(file).starts_with("SQLite format 3"));
    CHECK(contains(RunningProgram({"--db", file}).get(kExample), "\"totalElements\":1"));
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
    const RunningProgram other({"--db", db, "--fixtures", "fixtures/logBackupTasks.json"});
    CHECK(temporary_files() == 1);
    CHECK(::write(writer.get(), task.data(), task.size()) == static_cast<ssize_t>(task.size()));
  }
  CHECK(contains(running.read_line(), "\"event\":\"ready\""));
  CHECK(temporary_files() == 0);
  CHECK(contains(RunningProgram({"--db", db}).get("/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks"),
                 "\"totalElements\":1"));
}

TEST_CASE("binary: damage of a --db file is told at start where it shows, else by a 500 where it is met") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "data.db").string();
  RunningProgram({"--db", file, "--fixtures", "fixtures/sample.json"});
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
  RunningProgram server({"--db", file});
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
  const RunningProgram server({"--frozen", "--pretty", "--fixtures", pipe});
  writer.join();
  CHECK(server.get(kExample) == read_file("fixtures/logBackupTasks.json"));
  CHECK(
      failure({"--watch", "--log-level", "off", "--fixtures", "/dev/null"}) ==
      "1 ocp-mock-server: --watch is of no use: /dev/null is a pipe or a device, which gives its data once; --fixtures "
      "must name files or folders\n");
}
