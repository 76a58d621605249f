// A filter that names its field: three parameters, Match::Attribute, Comparison and Operand.
// Input: a request with what was read of them. Output: what shall be compared with what. Knows no SQL.
#pragma once

#include <cstddef>
#include <optional>

#include "catalogue/request.h"

namespace ocp_mock {

struct Comparison {
  const Field* field;
  std::size_t operation;  // the index of the word of Match::Comparison
  const Value* operand;   // a double where the field is a number
};

// Makes a number of the operand where the field is one. Throws ApiError 400 for an attribute that is no field to
// compare, and for an operand that is no number where the field is one.
void read_comparison(Request& request);

// Nothing unless all three are given. The request must outlive it.
std::optional<Comparison> comparison_of(const Request& request);

}  // namespace ocp_mock
