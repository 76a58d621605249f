// A command that this process runs, and passes its signals on to.
// Input: the words and the environment of the command, signals of this process. Output: the exit code, as a shell has
// it.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

namespace ocp_mock {

class ChildProcess {
 public:
  // To be made before any other thread, and before this process changes its signals or limits: the command gets those
  // of now. Blocks SIGCHLD in this thread, and so in those that are made later.
  ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Runs the command with these variables, "NAME=value", and the standard descriptors of this process, and waits for
  // its end. The result is its exit code, or 128 and the number of the signal that has ended it. SIGTERM, SIGINT and
  // SIGHUP are passed on, unless a terminal has sent them, for then the command has them already. The command is killed
  // when this process ends before it, however that happens; what it has started itself is not. Throws CannotRun.
  // Requires: the thread is the first of the process, all threads block these signals, and the command has a word.
  int run(std::vector<std::string> command, std::vector<std::string> environment);

 private:
  sigset_t mask_;
  struct sigaction pipe_;
  rlimit descriptors_;
};

// Its text names the command and the reason.
class CannotRun : public std::runtime_error {
 public:
  // The number is that of errno.
  CannotRun(const std::string& program, int number);

  // What a shell says: 127 where there is no such program, 126 where it is there and cannot be run.
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace ocp_mock
