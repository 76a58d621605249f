// What a client accepts as an answer: Accept-Language and Accept (RFC 9110, 12.5).
// Input: the headers' values. Output: the language of messages, and whether a media type may be answered. Malformed
// values exclude nothing.
#pragma once

#include <string_view>

#include "base/headers.h"
#include "ocp/error.h"

namespace ocp_mock {

// Reads Accept-Language with its q-values; zh, zh-CN and zh_CN are Chinese. English where the client names neither
// language (OCP API reference, call description).
Language choose_language(std::string_view accept_language);

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain";

// Whether a Content-Type is that of JSON: application/json or one with the suffix +json.
bool is_json_type(std::string_view content_type);

// Whether all Accept headers together let a type pass, given in lower case. Of the ranges that fit it the most specific
// one decides, by its q-value, of several equally specific ones the best; a type that none fits is excluded. Parameters
// of a range are not compared, and a type with the suffix +json asks for JSON, as in Spring. Without an Accept header,
// with an empty one, and where a range is malformed all pass.
bool accepts(const Headers& headers, std::string_view type);

}  // namespace ocp_mock
