// A catalogue as the program compiles it in.
// Input: a Source. Output: SQL and C++.
#pragma once

#include <string>
#include <string_view>

#include "catalogue/generator/source.h"

namespace ocp_mock::generator {

// The statements that make the tables and their indexes.
std::string emit_sql(const Source& source);

// A C++ file with constant tables and "const Catalogue& NAME()" in namespace ocp_mock.
std::string emit_cpp(const Source& source, std::string_view name);

}  // namespace ocp_mock::generator
