// What this server is, for people who look at it with a browser or without knowing it.
// Input: a request. Output: a page of HTML if its Accept names that, else some sentences.
#pragma once

#include <string_view>

#include "catalogue/catalogue.h"
#include "http/message.h"

namespace ocp_mock {

// Names the listed endpoints that this version of OCP has, in the order of their paths, and with_admin the admin calls.
http::Response welcome(const http::Request& request, const Catalogue& catalogue, std::string_view ocp_version,
                       bool with_admin);

}  // namespace ocp_mock
