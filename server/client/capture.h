// Captures lists and objects of an OCP as fixtures: command `capture`.
// Input: an OCP that answers, what to ask it for, a folder. Output: exchanges in the folder, one file for each list or
// object, whose answers are those of the OCP, redacted unless told otherwise.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "client/plan.h"
#include "client/upstream.h"

namespace ocp_mock {

struct CaptureOptions {
  UpstreamOptions upstream;
  CaptureScope scope;
  std::filesystem::path out;
  bool redact = true;
  std::optional<std::filesystem::path> redact_rules;
};

// Who is told how it goes.
struct CaptureReport {
  std::function<void(const std::string& sentence)> line;  // what stays to be read
  // part: of the whole, 0 to 1; text: what is asked for now.
  std::function<void(double part, const std::string& text)> progress;
};

// Returns the exit code: 0, or 1 if something that was asked for is not there or was refused, or could not be asked for
// now; then the same call goes on. What a call has got is kept in the folder, so that the next one need not ask for it,
// also when the process is killed. Throws std::invalid_argument for what keeps it from beginning: a wrong scope, a
// folder that cannot be used or holds another capture, rules or a CA file that are wrong; std::runtime_error for a
// cluster or tenant that is not there, refused credentials, a file that cannot be written.
int capture(const CaptureOptions& options, const Catalogue& catalogue, const CaptureReport& report);

}  // namespace ocp_mock
