// What this server is, for who looks at it with a browser or without knowing it.
// Enters: a request. Leaves: a page of HTML if its Accept names that, else some sentences.
#pragma once

#include "http/message.h"

namespace ocp_mock {

// with_admin: it names the admin calls.
http::Response welcome(const http::Request& request, bool with_admin);

}  // namespace ocp_mock
