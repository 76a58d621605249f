// Rows that are picked by the values of their members.
// Input: a resource, and an object whose members a row must have. Output: what SQL can tell of it, and whether a row
// has them. Of this module only.
#pragma once

#include "catalogue/catalogue.h"
#include "json/reader.h"
#include "store/query.h"

namespace ocp_mock {

struct Candidates {
  RowSelection selection;
  bool exact = true;  // else rows of the selection may still differ from where
};

Candidates candidates(const Resource& resource, const JsonValue& where);

// Whether each member of where is the same in the row: null is as absent, times are the same if they are the same
// instant, all else as same_json() has it.
bool picks(const Resource& resource, const JsonValue& where, const JsonValue& row);

}  // namespace ocp_mock
