#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "base/utf8.h"

namespace ocp_mock {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The program of a word that the system could not run may be there all the same, as a folder or without permission.
bool is_there(const std::string& program) {
  return program.find('/') != std::string::npos && ::access(program.c_str(), F_OK) == 0;
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Collects all that has ended, for as the first process of a container this one inherits orphans. The result is the
// child's exit code, once it has ended.
std::optional<int> collect(pid_t child) {
  std::optional<int> code;
  int status = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == child) code = exit_code_of(status);
  }
  return code;
}

}  // namespace

CannotRun::CannotRun(const std::string& program, int number)
    : std::runtime_error(fmt::format("cannot run '{}': {}", printable(program),
                                     number != ENOENT    ? std::generic_category().message(number)
                                     : is_there(program) ? "its interpreter or loader, named in the file, is not there"
                                     : program.find('/') != std::string::npos
                                         ? "there is no such file"
                                         : "there is no such program in the folders of PATH")),
      exit_code_(number == ENOENT && !is_there(program) ? 127 : 126) {}

ChildProcess::ChildProcess() {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
  ::sigaction(SIGPIPE, nullptr, &pipe_);
  ::getrlimit(RLIMIT_NOFILE, &descriptors_);
  // Whoever ignores it is told of no child.
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

int ChildProcess::run(std::vector<std::string> command, std::vector<std::string> environment) {
  const std::vector<char*> words = pointers_to(command);
  const std::vector<char*> variables = pointers_to(environment);
  int failure[2];  // gets the child's errno; closed by the program that takes its place
  if (::pipe2(failure, O_CLOEXEC) != 0) throw CannotRun(command.front(), errno);
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Other threads of this process may have held locks: system calls only.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != self) ::_exit(128 + SIGKILL);
    ::setrlimit(RLIMIT_NOFILE, &descriptors_);
    ::sigaction(SIGPIPE, &pipe_, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    ::execvpe(words.front(), words.data(), variables.data());
    const int number = errno;
    [[maybe_unused]] const ssize_t written = ::write(failure[1], &number, sizeof number);
    ::_exit(127);
  }
  int number = child < 0 ? errno : 0;
  ::close(failure[1]);
  if (child > 0 && ::read(failure[0], &number, sizeof number) != sizeof number) number = 0;
  ::close(failure[0]);
  if (number != 0) {
    if (child > 0) ::waitpid(child, nullptr, 0);
    throw CannotRun(command.front(), number);
  }

  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int one : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, one);
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&signals, &info);
    if (signal == SIGCHLD) {
      if (const auto code = collect(child)) return *code;
    } else if (signal > 0 && info.si_code != SI_KERNEL) {
      ::kill(child, signal);
    }
  }
}

}  // namespace ocp_mock
