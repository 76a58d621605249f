// What a dataset holds, below each parent: keys, labels and counts.
// Input: a reader and a resource. Output: an Outline. Reads all rows of the resource and of its parents. Throws
// DatasetError where a row has a parent that there is not. Of this module only.
#pragma once

#include "store/database.h"

namespace ocp_mock {

// See Dataset::outline() and Dataset::keys().
Outline read_outline(Reader& reader, const Tables& tables, const Resource& resource);
Outline read_keys(Reader& reader, const Tables& tables, const Resource& resource);

}  // namespace ocp_mock
