// Asks a server whether it is up.
// Input: a URL, http or https. Output: whether it answers as this server does, or why not.
#pragma once

#include <string>

namespace ocp_mock {

// Empty if the server is up, else one sentence. Certificates are not looked at: the question is whether somebody is
// there. Gives up after five seconds. Throws std::invalid_argument for what is no such URL.
std::string check_health(const std::string& url);

// The URL by which a client on this machine reaches a server that listens on the host: an address that stands for all
// is the one of this machine.
std::string url_of_server(bool tls, const std::string& host, int port);

}  // namespace ocp_mock
