// A filter written as an expression: `@avgCpuTime > 20 and (@executions > 100 or @dbName = 'test')`.
// Input: the text of a parameter, Match::Expression. Output: its parts in their order, checked. Knows no SQL.
//
//   expression  comparison, or (expression), or two expressions joined by and, which binds tighter, or by or
//   comparison  @FIELD, one of = == != <> > >= < <=, and a number, a text in ' or ", in which the quote stands twice,
//   or
//               true or false, as the field needs; a field of true or false is compared by = and != only
//
// Words are of either case. Blanks stand anywhere but inside names, numbers and operators.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "catalogue/request.h"

namespace ocp_mock {

// Keeps the expression's SQL within what SQLite takes.
inline constexpr std::size_t kMostComparisons = 100;
inline constexpr std::size_t kMostParentheses = 20;  // one in the other

struct ExpressionPart {
  enum class Kind { Open, Close, And, Or, Comparison };

  Kind kind;
  // Of a comparison.
  const Field* field = nullptr;
  std::size_t operation = 0;  // as the index of a word of Match::Comparison
  Value operand = {};         // as the field's values are stored
};

// Throws ApiError 400 for a text that is no such expression, with the place where it stops being one.
std::vector<ExpressionPart> read_expression(const Resource& resource, const Parameter& parameter,
                                            std::string_view text);

// Whether requests may compare the field by name: its rows tell it, and it is a number or a text.
bool is_compared_by_name(const Field& field);

}  // namespace ocp_mock
