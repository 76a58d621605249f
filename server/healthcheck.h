// Asks a server whether it is up.
// Enters: a URL, http or https. Leaves: whether it answers as this server does, or why not.
#pragma once

#include <string>

namespace ocp_mock {

// Empty if the server is up, else one sentence. Certificates are not looked at: the question is whether somebody is
// there. Gives up after five seconds.
std::string check_health(const std::string& url);

}  // namespace ocp_mock
