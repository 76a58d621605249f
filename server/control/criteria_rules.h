// What the texts of criteria must be, so that some request can have them.
// Input: an object of criteria. Output: texts that can be compared with those of requests, or a JsonFieldError that
// says what would be right. What the criteria do is matcher.cpp's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/matcher.h"
#include "json/fields.h"
#include "ocp/url.h"

namespace ocp_mock {

using Texts = std::vector<std::string>;

// Decoded, or as it is where it does not decode.
std::string decoded(std::string_view text, Plus plus);

// The words of values, however they were spelled: given again, separated by commas, with blanks around them.
Texts words_of(const Texts& values);

class CriteriaRules {
 public:
  using Use = Matcher::Use;

  // All must outlive it.
  CriteriaRules(JsonFields& fields, Use use, const RequestFacts& facts) : fields_(fields), use_(use), facts_(facts) {}

 protected:
  // Adds bytes that the head of each request that matches has.
  void count(std::string_view key, std::size_t bytes);

  void check_user(std::string_view user);
  void check_length(std::string_view key, std::string_view text) const;

  // No text of a request that decodes has a NUL.
  static void check_no_nul(std::string_view field, std::string_view text, Position position);

  // A value that a request can have; it may be a secret, and is not shown.
  static void check_header_value(const std::string& field, std::string_view value, Position position);

  [[noreturn]] void refuse(std::string_view key, std::string_view value, std::string_view why) const;

  // The text of a criterion for paths, still encoded.
  std::optional<std::string> text_of_path(std::string_view key);

  // The values that a member asks for, as they stand; none for null.
  Texts values_of(std::string_view field, const JsonMember& member, bool of_query) const;

  // The words of {"anyOrder":[...]}.
  Texts any_order(const std::string& field, const JsonValue& value) const;

  // Of a body, as the journal keeps it. It may be a secret, and is not shown.
  std::string kept_text(const std::string& text) const;
  JsonValue kept_value(JsonValue value) const;

  JsonFields& fields_;
  const Use use_;
  const RequestFacts& facts_;

 private:
  [[noreturn]] void refuse_secret() const;

  bool has_path_ = false;
  std::size_t head_bytes_ = 0;  // that a request must have to match
};

}  // namespace ocp_mock
