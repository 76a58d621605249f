// OCP's answers, byte for byte.
// Input: finished texts of rows, or an error, and the values that vary. Output: the compact JSON of the answer. Keys
// stand in alphabetical order (OCP's page of the endpoint). Knows no SQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ocp/error.h"

namespace ocp_mock {

// The server of OCP's example answer; the default, so that answers do not depend on the machine.
inline constexpr std::string_view kDefaultServer = "a24d13ce67";

// What /api/v2/info says by default.
inline constexpr std::string_view kDefaultOcpVersion = "4.3.3";

struct EnvelopeValues {
  std::int64_t duration = 0;  // whole milliseconds
  std::string server;
  std::string timestamp;  // when the answer was made, see format_iso_offset
  std::string trace_id;
};

struct PageOfRows {
  std::string contents;     // JSON texts of the rows, joined by commas; empty for none
  std::int64_t number = 1;  // the page asked for
  std::int64_t size = 1;    // at least 1
  std::int64_t total = 0;   // over all pages
};

// The forms of data: contents and page; contents alone; the object itself; none.
std::string page_envelope(const PageOfRows& page, const EnvelopeValues& values);
std::string list_envelope(std::string_view contents, const EnvelopeValues& values);
std::string object_envelope(std::string_view object, const EnvelopeValues& values);
std::string empty_envelope(const EnvelopeValues& values);

// The compact JSON object of an answer with duration, server, timestamp and traceId of these values in the place of its
// own; all else, also the order of its keys, stays as it is.
std::string refreshed_envelope(std::string_view answer, const EnvelopeValues& values);

// The answer of /api/v2/info, which has no envelope (OCP API reference).
std::string info_answer(std::string_view ocp_version);

std::string error_envelope(int status, std::int64_t code, std::string_view message, const EnvelopeValues& values);
std::string error_envelope(const ApiError& error, Language language, const EnvelopeValues& values);

}  // namespace ocp_mock
