// The commands of the program, put together from the rooms below.
// Enters: checked options. Leaves: the exit code; what goes wrong before or after the serving is thrown, as a
// std::exception whose text is for the user.
#pragma once

#include <functional>
#include <memory>

#include "app.h"
#include "cli/options.h"

namespace ocp_mock {

// Thrown by a load that is given up.
struct Stopped {};

// Loads the fixtures that the options name, or opens their --db file. Throws FixtureError or DatasetError, and Stopped
// at the next task once stopped() is true.
std::shared_ptr<const Dataset> load_dataset(
    const ServeOptions& options, spdlog::logger& logger, const std::function<bool()>& stopped = [] { return false; });

// What the options ask of the App that answers from the dataset; their credentials file is not looked at.
AppOptions app_options(const ServeOptions& options, const Dataset& dataset);

// Serves until SIGTERM or SIGINT. Prints one line of JSON on standard output once connections are accepted.
int run_serve(ServeOptions options);

// Validates fixtures and prints what they hold.
int run_check(const CheckOptions& options);

}  // namespace ocp_mock
