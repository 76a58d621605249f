// A command beside a server, and a server that ends with its parent: the built program with real processes.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/socket.h"
#include "http/socket_client.h"
#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using ocp_mock::test::contains;
using ocp_mock::test::failure;
using ocp_mock::test::kBinary;
using ocp_mock::test::kCredentials;
using ocp_mock::test::Process;
using ocp_mock::test::read_file;
using ocp_mock::test::SocketClient;
using ocp_mock::test::TemporaryFolder;
using Words = std::vector<std::string>;

namespace {

const std::string kPython = "/usr/bin/python3";

// exec with the options before the command.
Words exec(const Words& command, const Words& options = {}) {
  Words words{"exec"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

int code_of(const Words& command) {
  Process process(kBinary, exec(command));
  process.read_out();
  process.read_error();
  return process.wait();
}

// Prints each signal that is passed on, and ends on SIGTERM with code 5.
const std::string kTellSignals = R"(
import os, signal
def tell(number, frame):
    os.write(1, (signal.Signals(number).name + "\n").encode())  # print may be interrupted
    if number == signal.SIGTERM: os._exit(5)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, tell)
print(os.getpid(), flush=True)
while True: signal.pause()
)";

// The end of a process that is no child of this one.
class Watch {
 public:
  explicit Watch(const std::string& pid)
      : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(pid.c_str()), 0))) {
    REQUIRE(descriptor_.get() >= 0);
  }

  bool ends(int milliseconds = 30'000) const {
    pollfd entry{descriptor_.get(), POLLIN, 0};
    return ::poll(&entry, 1, milliseconds) == 1;
  }

 private:
  ocp_mock::http::Descriptor descriptor_;
};

int port_of(const std::string& url) { return std::atoi(url.c_str() + url.rfind(':') + 1); }

bool is_refused(int port) {
  try {
    SocketClient client(port);
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

}  // namespace

TEST_CASE("exec: the command finds the server, and its output is all there is") {
  Process process(kBinary, exec({"sh", "-c",
                                 "curl -sS --noproxy '*' -u admin:secret \"$OCP_URL/api/v2/ob/clusters/1000005/tenants/"
                                 "1000012/backup/task/logBackupTasks?page=1&size=10\""},
                                {"--frozen", "--pretty"}));
  CHECK(process.read_out() == read_file("fixtures/logBackupTasks.json"));
  CHECK(process.read_error().empty());
  CHECK(process.wait() == 0);
}

TEST_CASE("exec: the environment has the server's addresses and its token, in place of those of another one") {
  const std::string show = "echo $OCP_URL ${OCP_MOCK_ADMIN_URL-none} ${OCP_MOCK_ADMIN_TOKEN-none} $OTHER";
  struct Case {
    Words options;
    std::string form;  // N is the port
  };
  for (const auto& [options, form] :
       {Case{{}, "http://127.0.0.1:N http://127.0.0.1:N/__admin none x=y"},
        Case{{"--host", "0.0.0.0", "--admin-token", "t"}, "http://127.0.0.1:N http://127.0.0.1:N/__admin t x=y"},
        Case{{"--host", "::1", "--tls-self-signed"}, "https://[::1]:N https://[::1]:N/__admin none x=y"},
        Case{{"--no-admin"}, "http://127.0.0.1:N none none x=y"}}) {
    Process process(kBinary, exec({"sh", "-c", show}, options),
                    {"OCP_URL=http://other", "OCP_MOCK_ADMIN_URL=http://other/__admin", "OTHER=x=y"});
    std::string line = process.read_line();
    std::set<std::string> ports;
    for (std::size_t at = 0; (at = line.find_first_of("0123456789", at)) != std::string::npos; ++at) {
      const auto end = line.find_first_not_of("0123456789", at);
      if (at == 0 || line[at - 1] != ':' || end - at < 4) continue;
      ports.insert(line.substr(at, end - at));
      line.replace(at, end - at, "N");
    }
    CHECK(line == form);
    CHECK(ports.size() == 1);
    CHECK(process.wait() == 0);
  }
}

TEST_CASE("exec: a server inside of the command takes the variables for none of its own") {
  Process process(kBinary, exec({kBinary, "exec", "--", "true"}));
  CHECK(process.read_error().empty());
  CHECK(process.wait() == 0);
}

TEST_CASE("exec: the exit code is the command's, or says why there was none") {
  const TemporaryFolder folder;
  const std::string text = folder.write("text", "echo").string();
  const std::string orphan = folder.write("orphan", "#!/does/not/exist\n").string();
  ::chmod(orphan.c_str(), 0755);
  CHECK(code_of({"true"}) == 0);
  CHECK(code_of({"sh", "-c", "exit 42"}) == 42);
  CHECK(code_of({"sh", "-c", "kill -KILL $$"}) == 137);
  CHECK(code_of({"sh", "-c", "kill -TERM $$"}) == 143);
  CHECK(failure(exec({"no-such-program"})) ==
        "127 ocp-mock-server: cannot run 'no-such-program': there is no such program in the folders of PATH\n");
  CHECK(failure(exec({"./no-such-program"})) ==
        "127 ocp-mock-server: cannot run './no-such-program': there is no such file\n");
  CHECK(failure(exec({text})) == "126 ocp-mock-server: cannot run '" + text + "': Permission denied\n");
  CHECK(failure(exec({"/"})) == "126 ocp-mock-server: cannot run '/': Permission denied\n");
  CHECK(failure(exec({orphan})) == "126 ocp-mock-server: cannot run '" + orphan +
                                       "': its interpreter or loader, named in the file, is not there\n");
  // The command does not run without the server.
  CHECK(failure(exec({"echo", "ran"}, {"--fixtures", "/does/not/exist"})).starts_with("1 ocp-mock-server: the fix"));
}

TEST_CASE("exec: words behind -- are the command's, whatever they look like") {
  Process process(kBinary, exec({"printf", "<%s>", "--port", "--", "exec", "[a,b]", "", "--help"}));
  CHECK(process.read_out() == "<--port><--><exec><[a,b]><><--help>");
  CHECK(process.wait() == 0);
}

TEST_CASE("exec: signals are passed on, and the server lives until the command ends") {
  Process process(kBinary,
                  exec({kPython, "-c", "import os; print(os.environ['OCP_URL'], flush=True)\n" + kTellSignals}));
  const int port = port_of(process.read_line());
  process.read_line();
  process.signal(SIGHUP);
  CHECK(process.read_line() == "SIGHUP");
  process.signal(SIGINT);
  CHECK(process.read_line() == "SIGINT");
  SocketClient client(port);
  client.send("GET /api/status HTTP/1.1\r\nHost: h\r\n" + kCredentials + "Connection: close\r\n\r\n");
  CHECK(client.read_to_end().ends_with("okay"));
  process.signal(SIGTERM);
  CHECK(process.read_line() == "SIGTERM");
  CHECK(process.wait() == 5);
  CHECK(is_refused(port));
}

TEST_CASE("exec: a key of the terminal reaches the command once") {
  // While exec is stopped, the command gets the terminal's signal. Then exec takes up both of its own, the lower number
  // first.
  const std::string script = R"(
import os, pty, signal, sys
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[1], [sys.argv[1], "exec", "--", sys.executable, "-c", sys.argv[2]])
output = os.fdopen(terminal, "rb", buffering=0)
def line():
    text = b""
    while not text.endswith(b"\n"): text += output.read(1)
    return text.replace(b"^C", b"").decode().strip()
line()
os.kill(child, signal.SIGSTOP)
os.write(terminal, b"\x03")
words = [line()]
os.kill(child, signal.SIGTERM)
os.kill(child, signal.SIGCONT)
words.append(line())
print(*words, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
)";
  Process process(kPython, {"-c", script, kBinary, kTellSignals});
  CHECK(process.read_out() == "SIGINT SIGTERM 5\n");
  CHECK(process.read_error().empty());
}

TEST_CASE("exec: the command has the signals and limits that exec was started with") {
  // Signals from 32 on are the C library's own.
  const std::string show =
      "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status | sed 's/[0-9a-f]\\{8\\}\\(.\\{8\\}\\)$/\\1/'; ulimit -S -n";
  const std::string begin = R"(
import os, resource, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.execvp(sys.argv[1], sys.argv[1:])
)";
  Process alone(kPython, {"-c", begin, "sh", "-c", show});
  Process beside(kPython, {"-c", begin, kBinary, "exec", "--", "sh", "-c", show});
  CHECK(beside.read_out() == alone.read_out());
}

TEST_CASE("exec: the command does not outlive it, even when it is killed") {
  Process process(kBinary, exec({kPython, "-c", kTellSignals}));
  const Watch command(process.read_line());
  CHECK_FALSE(command.ends(0));
  process.signal(SIGKILL);
  CHECK(command.ends());
  CHECK(process.wait() == 128 + SIGKILL);
}

TEST_CASE("exec: a signal while fixtures load ends it, and no command runs") {
  const TemporaryFolder folder;
  const std::string pipe = (folder.path() / "fixtures.ndjson").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Process process(kBinary, exec({"echo", "ran"}, {"--fixtures", pipe}));
  std::ofstream writer(pipe);  // opens once the server reads
  process.signal(SIGTERM);
  const std::string task =
      R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})" + std::string("\n");
  ::signal(SIGPIPE, SIG_IGN);
  while (writer << task && writer.flush()) {
  }
  CHECK(process.read_out().empty());
  CHECK(process.wait() == 143);
}

TEST_CASE("exec: many at a time have a server each") {
  std::vector<std::unique_ptr<Process>> all;
  const std::string ask = "curl -sS --noproxy '*' -u a:b \"$OCP_URL/api/status\"; echo \" $OCP_URL\"";
  for (int i = 0; i < 12; ++i)
    all.push_back(std::make_unique<Process>(kBinary, exec({"sh", "-c", ask + "; exec cat"})));
  std::set<int> ports;
  for (const auto& process : all) {
    const std::string line = process->read_line();
    CHECK(line.starts_with("okay http://127.0.0.1:"));
    ports.insert(port_of(line));
    CHECK(process->wait() == 0);
  }
  CHECK(ports.size() == all.size());
}

TEST_CASE("binary: with --end-with-parent it ends with the process that has started it, not with its thread") {
  const std::string script = R"(
import signal, subprocess, sys, threading
def start():
    server = subprocess.Popen([sys.argv[1], "--port", "0", "--end-with-parent"], stdout=subprocess.PIPE)
    print(server.pid, server.stdout.readline().decode(), end="", flush=True)
thread = threading.Thread(target=start)
thread.start()
thread.join()
print("joined", flush=True)
while True: signal.pause()
)";
  Process parent(kPython, {"-c", script, kBinary});
  const std::string line = parent.read_line();
  const Watch server(line.substr(0, line.find(' ')));
  const int port = std::atoi(line.c_str() + line.find("\"port\":") + 7);
  CHECK(parent.read_line() == "joined");
  SocketClient client(port);
  client.send("GET /api/status HTTP/1.1\r\nHost: h\r\n" + kCredentials + "\r\n");
  CHECK(client.read_answer().ends_with("okay"));
  parent.signal(SIGKILL);
  CHECK(server.ends());
  CHECK(is_refused(port));
}
