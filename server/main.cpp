// Chooses the command and maps errors to exit codes.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "cli/options.h"
#include "commands.h"

int main(int argc, char** argv) {
  using namespace ocp_mock;
  try {
    const auto parsed = parse_options(argc, argv, environ);
    if (const auto* serve = std::get_if<ServeOptions>(&parsed)) return run_serve(*serve);
    if (const auto* check = std::get_if<CheckOptions>(&parsed)) return run_check(*check);
    if (const auto* healthcheck = std::get_if<HealthcheckOptions>(&parsed)) return run_healthcheck(*healthcheck);
    const Exit& exit = std::get<Exit>(parsed);
    std::fputs(exit.out.c_str(), stdout);
    std::fputs(exit.error.c_str(), stderr);
    return exit.code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ocp-mock-server: %s\n", error.what());
    return 1;
  }
}
