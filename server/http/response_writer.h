// A response becomes bytes.
// Input: a response, and what becomes of its connection. Output: status line, headers and body, appended to a text.
// Pure. Headers leave in the order of their names, whatever order the response has them in; fields of one name keep
// theirs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace ocp_mock::http {

// What every head begins with.
inline constexpr std::string_view kHeadBegin = "HTTP/1.1 ";

enum class ConnectionMode { Close, KeepAlive, KeepAliveHttp10 };

// HeadOnly: without the body, but with its length.
enum class Part { Whole, HeadOnly };

// The text behind the status, "Not Found"; that of 500 for a status that has none.
std::string_view reason_phrase(int status);

// The headers of the response and those of its framing, in the order in which they leave: Connection as the mode has
// it, Content-Length unless the response has a Transfer-Encoding or is a 204, and text/plain for a body that has no
// Content-Type. A value ends at its first line end. The fields refer to the response and to `length`, which is set to
// the body's.
std::vector<HeaderField> head_fields(const Response& response, ConnectionMode mode, std::string& length);

// Appends the response. One with a Transfer-Encoding has its body written as it is. Its behavior on the wire and what
// it is deferred by are the caller's.
void write_response(const Response& response, Part part, ConnectionMode mode, std::string& out);

}  // namespace ocp_mock::http
