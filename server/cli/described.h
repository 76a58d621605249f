// A command as manuals have it, from its help.
#pragma once

#include "cli/manual.h"

namespace CLI {
class App;
}

namespace ocp_mock {

// Its options, with the words of those that are in the option table.
CommandHelp described(const CLI::App& app);

}  // namespace ocp_mock
