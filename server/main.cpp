// Chooses the command and maps errors to exit codes.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <utility>

#include "cli/commands.h"
#include "cli/generate.h"
#include "cli/given_options.h"
#include "cli/options.h"
#include "cli/record.h"
#include "store/image.h"

namespace ocp_mock {

// Made by make_image.cpp when the program is built.
std::string_view installation_image();

}  // namespace ocp_mock

namespace {

// What is opened next would get the number of a standard descriptor that is closed, and the log would be written to it.
void open_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest number that is free is this one.
    if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ocp_mock;
  open_standard_descriptors();
  // What ps shows. Run by a loader, the process would have the loader's name.
  ::prctl(PR_SET_NAME, "ocp-mock-server");
  try {
    auto parsed = parse_options(argc, argv, environ);
    if (auto* serve = std::get_if<ServeOptions>(&parsed)) {
      serve->installation_image = installation_image();
      return run_serve(*serve);
    }
    if (auto* exec = std::get_if<ExecOptions>(&parsed)) {
      exec->serve.installation_image = installation_image();
      return run_exec(*exec);
    }
    if (const auto* check = std::get_if<CheckOptions>(&parsed)) return run_check(*check);
    if (const auto* generate = std::get_if<GenerateOptions>(&parsed)) return run_generate(*generate);
    if (const auto* healthcheck = std::get_if<HealthcheckOptions>(&parsed)) return run_healthcheck(*healthcheck);
    if (auto* capture = std::get_if<CaptureCommand>(&parsed)) return run_capture(std::move(*capture));
    if (auto* diff = std::get_if<DiffCommand>(&parsed)) return run_diff(std::move(*diff));
    if (auto* record = std::get_if<RecordCommand>(&parsed)) return run_record(std::move(*record));
    const Exit& exit = std::get<Exit>(parsed);
    std::fputs(exit.out.c_str(), stdout);
    std::fputs(exit.error.c_str(), stderr);
    return exit.code;
  } catch (const OptionMistake& error) {
    std::fprintf(stderr, "ocp-mock-server: %s\n", error.what());
    return kUsageExitCode;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ocp-mock-server: %s\n", error.what());
    return 1;
  }
}
