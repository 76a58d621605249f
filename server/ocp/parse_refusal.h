// Why a request that could not be taken as HTTP is refused.
// Input: what is wrong with it, and the limits that the server has. Output: the error of its answer.
#pragma once

#include <fmt/format.h>

#include <string>

#include "http/limits.h"
#include "ocp/error.h"

namespace ocp_mock {

inline ApiError refusal_of(http::ParseError error, const http::Limits& limits) {
  using http::ParseError;
  std::string passed;  // the limit, for the errors that have one
  switch (error) {
    case ParseError::TargetTooLong:
    case ParseError::HeadTooLarge: passed = std::to_string(limits.parser.head_bytes); break;
    case ParseError::BodyTooLarge: passed = std::to_string(limits.parser.body_bytes); break;
    case ParseError::Timeout:
      passed = fmt::format("{}", static_cast<double>(limits.request_time.count()) / 1000);
      break;
    default: break;
  }
  return ApiError(message_of(error), {passed});
}

}  // namespace ocp_mock
