// Matchers as tests write them.
#pragma once

#include <string>

#include "control/matcher.h"

namespace ocp_mock::test {

inline const Headers kHeaders{{"X-Ocp-A", "1"}, {"Accept", "b"}, {"accept", "a"}};
inline const RequestView kRequest{"GET", "/api/v2/%6fb/5/x", "status=B&status=A&page=1&q=a+b", kHeaders, "admin", 200};

inline Matcher parse(const std::string& json, Matcher::Use use = Matcher::Use::Question) {
  const JsonValue value = read_json_text(json);
  JsonFields fields(value);
  const Matcher matcher = Matcher::parse(fields, use);
  fields.refuse_others();
  return matcher;
}

inline std::string refusal(const std::string& json, Matcher::Use use) {
  try {
    parse(json, use);
  } catch (const JsonFieldError& error) {
    return std::string(error.text());
  }
  return "";
}

}  // namespace ocp_mock::test
