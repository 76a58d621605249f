#include "ocp/envelope.h"

#include <algorithm>

#include "json/text.h"

namespace ocp_mock {
namespace {

// What follows data or error: from "server" to the end.
void append_tail(std::string& out, int status, const EnvelopeValues& values) {
  out += ",\"server\":";
  append_json_string(out, values.server);
  out += ",\"status\":";
  out += std::to_string(status);
  out += status == 200 ? ",\"successful\":true" : ",\"successful\":false";
  out += ",\"timestamp\":";
  append_json_string(out, values.timestamp);
  out += ",\"traceId\":";
  append_json_string(out, values.trace_id);
  out += '}';
}

// An answer whose data has a beginning, a text and an end, all of them empty where there is no data.
std::string data_envelope(std::string_view begin, std::string_view text, std::string_view end,
                          const EnvelopeValues& values) {
  std::string out;
  out.reserve(begin.size() + text.size() + end.size() + 256);
  out += '{';
  if (!begin.empty() || !text.empty()) out.append("\"data\":").append(begin).append(text).append(end).append(",");
  out += "\"duration\":";
  out += std::to_string(values.duration);
  append_tail(out, 200, values);
  return out;
}

}  // namespace

std::string page_envelope(const PageOfRows& page, const EnvelopeValues& values) {
  const std::int64_t pages = page.total / page.size + (page.total % page.size == 0 ? 0 : 1);
  std::string end = "],\"page\":{\"number\":";
  end += std::to_string(page.number);
  end += ",\"size\":";
  end += std::to_string(page.size);
  end += ",\"totalElements\":";
  end += std::to_string(page.total);
  end += ",\"totalPages\":";
  end += std::to_string(pages);
  end += "}}";
  return data_envelope("{\"contents\":[", page.contents, end, values);
}

std::string list_envelope(std::string_view contents, const EnvelopeValues& values) {
  return data_envelope("{\"contents\":[", contents, "]}", values);
}

std::string object_envelope(std::string_view object, const EnvelopeValues& values) {
  return data_envelope("", object, "", values);
}

std::string empty_envelope(const EnvelopeValues& values) { return data_envelope("", "", "", values); }

std::string refreshed_envelope(std::string_view answer, const EnvelopeValues& values) {
  std::string out;
  out.reserve(answer.size() + 64);
  const auto end_of_string = [&](std::size_t at) {
    for (++at; at < answer.size() && answer[at] != '"'; ++at) {
      if (answer[at] == '\\') ++at;
    }
    return std::min(at + 1, answer.size());
  };
  // Before each member stands the brace or the comma.
  std::size_t at = 0;
  while (at + 1 < answer.size() && answer[at + 1] == '"') {
    const std::size_t key_end = end_of_string(at + 1);
    const std::string_view key = answer.substr(at + 2, key_end - at - 3);
    std::size_t end = key_end + 1;
    for (int depth = 0; end < answer.size(); ++end) {
      const char c = answer[end];
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '"') end = end_of_string(end) - 1;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
    }
    out.append(answer.substr(at, key_end + 1 - at));
    if (key == "duration") {
      out += std::to_string(values.duration);
    } else if (key == "server") {
      append_json_string(out, values.server);
    } else if (key == "timestamp") {
      append_json_string(out, values.timestamp);
    } else if (key == "traceId") {
      append_json_string(out, values.trace_id);
    } else {
      out.append(answer.substr(key_end + 1, end - key_end - 1));
    }
    at = end;
  }
  return out.append(answer.substr(std::min(at, answer.size())));
}

std::string info_answer(std::string_view ocp_version) {
  std::string out = R"({"artifact":"ocp-server","buildJavaVersion":"1.8","buildTime":"2024-08-09T00:00:00Z",)";
  out += "\"buildVersion\":";
  append_json_string(out, ocp_version);
  out += R"(,"group":"com.oceanbase","name":"ocp-server","springBootVersion":"2.7.18"})";
  return out;
}

std::string error_envelope(int status, std::int64_t code, std::string_view message, const EnvelopeValues& values) {
  std::string out = "{\"duration\":";
  out += std::to_string(values.duration);
  out += ",\"error\":{\"code\":";
  out += std::to_string(code);
  out += ",\"message\":";
  append_json_string(out, message);
  out += '}';
  append_tail(out, status, values);
  return out;
}

std::string error_envelope(const ApiError& error, Language language, const EnvelopeValues& values) {
  return error_envelope(error.status(), error.code(), error.text(language), values);
}

}  // namespace ocp_mock
