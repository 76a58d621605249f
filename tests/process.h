// A program that a test runs: its output by pipes, its end by a deadline.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/socket.h"

namespace ocp_mock::test {

class Process {
 public:
  enum class Errors { ToPipe, ToTerminal };

  // Runs the program with the arguments, and beside this process's environment the variables, "NAME=value"; in this
  // process's folder or another one. What comes through a terminal has CR LF at the end of its lines.
  Process(const std::string& program, std::vector<std::string> arguments, std::vector<std::string> variables = {},
          const std::string& folder = ".", Errors errors = Errors::ToPipe) {
    int out[2];
    int error[2];
    if (::pipe2(out, O_CLOEXEC) != 0 ||
        !(errors == Errors::ToPipe ? ::pipe2(error, O_CLOEXEC) == 0 : open_terminal(error))) {
      throw std::runtime_error("cannot make pipes or a terminal");
    }
    out_ = http::Descriptor(out[0]);
    error_ = http::Descriptor(error[0]);
    const http::Descriptor out_end(out[1]);
    const http::Descriptor error_end(error[1]);

    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot run " + program);
    pidfd_ = http::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (ended_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  // One line of standard output without its line feed; throws at the end of output or of patience.
  std::string read_line() {
    while (out_text_.find('\n') == std::string::npos) {
      if (!receive(out_, out_text_)) throw std::runtime_error("the output ended: " + out_text_ + read_error());
    }
    const auto end = out_text_.find('\n');
    std::string line = out_text_.substr(0, end);
    out_text_.erase(0, end + 1);
    return line;
  }

  // Whether this comes on standard error before it ends; throws when patience ends.
  bool says(const std::string& text) {
    while (error_text_.find(text) == std::string::npos) {
      if (!receive(error_, error_text_)) return false;
    }
    return true;
  }

  // All that follows, up to the end of the program.
  std::string read_out() { return read_rest(out_, out_text_); }
  std::string read_error() { return read_rest(error_, error_text_); }

  // The exit code, or 128 and the signal that ended the program.
  int wait() {
    await(pidfd_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static bool open_terminal(int (&ends)[2]) {
    ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[0] < 0 || ::grantpt(ends[0]) != 0 || ::unlockpt(ends[0]) != 0) return false;
    ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return ends[1] >= 0;
  }

  static void await(const http::Descriptor& descriptor) {
    pollfd entry{descriptor.get(), POLLIN, 0};
    if (::poll(&entry, 1, 30'000) != 1) throw std::runtime_error("the program neither spoke nor ended in time");
  }

  static bool receive(const http::Descriptor& from, std::string& text) {
    await(from);
    char bytes[4096];
    const ssize_t count = ::read(from.get(), bytes, sizeof bytes);
    if (count > 0) text.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  static std::string read_rest(const http::Descriptor& from, std::string& text) {
    while (receive(from, text)) {
    }
    return std::move(text);
  }

  pid_t pid_ = 0;
  http::Descriptor pidfd_;
  http::Descriptor out_;
  http::Descriptor error_;
  std::string out_text_;
  std::string error_text_;
  bool ended_ = false;
};

}  // namespace ocp_mock::test
