// The body of a request, by the endpoint's row of the catalogue.
// Input: the endpoint, the Content-Type, the query and the body as sent. Output: its value, or an ApiError.
// Rules: the wire contract's section 8. Scalars are taken as Jackson takes them: a number or boolean as a string where
// it reads as one, and any scalar for a string.
#pragma once

#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"
#include "catalogue/request.h"
#include "json/reader.h"

namespace ocp_mock {

// Throws ApiError 415 for a media type that the endpoint does not take, and 400 for a body that does not parse and for
// the first member, in the order of the catalogue, that is missing or does not fit; its message has the member's path,
// "zones[0].name". Appends members that are not known, and leaves them out. An empty body has no members; an endpoint
// without a body has null. Members have the types of the catalogue: the number of a form is a number. Of a part of a
// multipart body that is a file it is the file's name.
JsonValue read_body(const Endpoint& endpoint, std::string_view content_type, std::string_view query,
                    std::string_view body, std::vector<Violation>& violations);

}  // namespace ocp_mock
