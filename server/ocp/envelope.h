// OCP's answers, byte for byte.
// Enters: a page of finished task texts, or an error, and the values that vary. Leaves: the compact JSON of the answer.
// Keys stand in alphabetical order (OCP's page of the endpoint). Knows no SQL.
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

struct PageOfTasks {
  std::string contents;     // JSON texts of the tasks, joined by commas; empty for none
  std::int64_t number = 1;  // the page asked for
  std::int64_t size = 1;    // at least 1
  std::int64_t total = 0;   // over all pages
};

std::string page_envelope(const PageOfTasks& page, const EnvelopeValues& values);
// The answer of /api/v2/info, which has no envelope (OCP API reference).
std::string info_answer(std::string_view ocp_version);

std::string error_envelope(int status, std::int64_t code, std::string_view message, const EnvelopeValues& values);
std::string error_envelope(const ApiError& error, Language language, const EnvelopeValues& values);

}  // namespace ocp_mock
