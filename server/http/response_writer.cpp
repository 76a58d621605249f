#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/ascii.h"

namespace ocp_mock::http {
namespace {

// The final statuses of the IANA registry. 413 has the name of RFC 7231, which clients have long known.
// clang-format off
constexpr std::pair<int, std::string_view> kReasons[]{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};
// clang-format on

bool comes_before(std::string_view name, std::string_view other) {
  return std::ranges::lexicographical_compare(name, other, {}, to_lower_ascii, to_lower_ascii);
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::ranges::lower_bound(kReasons, status, {}, &std::pair<int, std::string_view>::first);
  return found != std::end(kReasons) && found->first == status ? found->second : reason_phrase(500);
}

std::vector<HeaderField> head_fields(const Response& response, ConnectionMode mode, std::string& length) {
  std::vector<HeaderField> fields;
  fields.reserve(response.headers.size() + 3);
  const auto add = [&](HeaderField field) {
    const auto behind = std::ranges::upper_bound(fields, field.name, comes_before, &HeaderField::name);
    fields.insert(behind, field);
  };
  for (const auto& [name, value] : response.headers) add({name, value.substr(0, value.find_first_of("\r\n"))});
  if (!response.header("Content-Type") && !response.body.empty()) add({"Content-Type", "text/plain"});
  length = std::to_string(response.body.size());
  // RFC 9110, 8.6: a 204 has no length.
  if (!response.header("Transfer-Encoding") && response.status != 204) add({"Content-Length", length});
  if (mode == ConnectionMode::Close) add({"Connection", "close"});
  if (mode == ConnectionMode::KeepAliveHttp10) add({"Connection", "keep-alive"});
  return fields;
}

void write_response(const Response& response, Part part, ConnectionMode mode, std::string& out) {
  std::string length;
  const std::vector<HeaderField> fields = head_fields(response, mode, length);
  out.append(kHeadBegin).append(std::to_string(response.status)).append(" ").append(reason_phrase(response.status));
  for (const auto& [name, value] : fields) out.append("\r\n").append(name).append(": ").append(value);
  out.append("\r\n\r\n");
  if (part == Part::Whole) out += response.body;
}

}  // namespace ocp_mock::http
