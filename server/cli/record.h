// The command record.
// Input: the options of its command line. Output: a running recorder, until SIGTERM or SIGINT.
#pragma once

#include "cli/client_options.h"
#include "cli/options.h"

namespace ocp_mock {

// Throws std::runtime_error with one sentence.
RecordCommand record_command(ClientOptions options);

// Serves until SIGTERM or SIGINT. Prints one line of JSON on standard output once requests are taken, and a summary on
// standard error at the end. Returns the exit code. Throws std::exception with a text for the user.
int run_record(RecordCommand command);

}  // namespace ocp_mock
