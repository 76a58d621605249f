// The commands of the program, each put together from the modules below.
// Input: checked options. Output: the exit code. What goes wrong before or after the serving is thrown, as a
// std::exception whose text is for the user; as OptionMistake where the command line is to blame.
#pragma once

#include <functional>
#include <stdexcept>

#include "app/service.h"
#include "cli/options.h"

namespace spdlog {
class logger;
}

namespace ocp_mock {

// Thrown by a load that is given up.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("the server stops") {}
};

// Loads the fixtures that the options name, or opens their --db file. Throws FixtureError or DatasetError, and Stopped
// at the next row once stopped() is true.
Loaded load_dataset(
    const ServeOptions& options, const Router& router, spdlog::logger& logger,
    const std::function<bool()>& stopped = [] { return false; });

// Serves until SIGTERM or SIGINT. Prints one line of JSON on standard output once connections are accepted.
int run_serve(ServeOptions options);

// Runs a command beside a server, which is ready when the command starts and stops when it ends. Returns the command's
// exit code, 128 and the signal that has ended it, 127 or 126 where it cannot be run. What it knows of the server are
// variables of its environment; standard input and output are the command's alone.
int run_exec(ExecOptions options);

// Validates fixtures and prints what they hold.
int run_check(const CheckOptions& options);

// Asks a server whether it is up. Throws std::runtime_error if it is not.
int run_healthcheck(const HealthcheckOptions& options);

// Captures lists of an OCP, see client/capture.h.
int run_capture(CaptureCommand command);

// Compares fixtures with an OCP, see client/diff.h. Returns 0, 1 if they differ, 2 if the OCP cannot be asked.
int run_diff(DiffCommand command);

}  // namespace ocp_mock
