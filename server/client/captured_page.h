// One answer of a capture: what it says of pages, and its rows.
// Input: the body of an answer. Output: its parts, and the body again with some rows taken out or changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "catalogue/catalogue.h"
#include "json/reader.h"

namespace ocp_mock {

class CapturedPage {
 public:
  // Throws JsonSyntaxError. Whether it has rows says what_is_wrong().
  CapturedPage(const Endpoint& endpoint, std::string_view body);

  // Why it is no successful answer with data of the endpoint's form; empty if it is.
  std::string what_is_wrong() const;

  // Requires that nothing is wrong. Of an object the only row.
  std::size_t rows() const;
  void for_each_row(const std::function<void(const JsonValue& row)>& take) const;

  std::optional<std::int64_t> total_elements() const { return number_of_page(kTotalElements); }
  // Whether no page follows this one, the number-th of this size.
  bool is_last(int number, std::int64_t size) const;

  // Changes the rows in place, and takes out those for which the function says so.
  void change_rows(const std::function<bool(JsonValue& row)>& keep);
  // The text of a member of the envelope, or null.
  std::string* envelope_text(std::string_view key);

  // Compact, members and digits as they came.
  std::string body() const;

 private:
  static constexpr std::string_view kTotalElements = "totalElements";
  static constexpr std::string_view kTotalPages = "totalPages";

  std::optional<std::int64_t> number_of_page(std::string_view key) const;
  const JsonValue* contents() const;

  const Endpoint& endpoint_;
  JsonValue value_;
};

// Which rows of one list have come before, as on the page before if the list has changed meanwhile.
class RepeatedRows {
 public:
  // moves: whether the list has changed while it was read. If not, rows that have no key are never the same.
  RepeatedRows(const Resource& resource, bool moves) : resource_(resource), moves_(moves) {}

  bool is_new(const JsonValue& row);

 private:
  bool identifies(const Field* field) const;

  const Resource& resource_;
  const bool moves_;
  std::unordered_set<std::string> seen_;
};

// The error.code of an answer; nothing for one that has none.
std::optional<std::int64_t> error_code_of(std::string_view body);

// "404, an error of OCP: code 60002, ...", or the beginning of another body.
std::string describe_refusal(int status, std::string_view body);

}  // namespace ocp_mock
