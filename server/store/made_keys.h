// Keys that are made, and never again: the fact key.TABLE has the least that may still be made.
// Input: a database that is being changed. Output: integers. Of this module only.
#pragma once

#include <cstdint>

#include "catalogue/catalogue.h"
#include "store/database.h"

namespace ocp_mock {

// One more than the largest key that a row has, or had when it was stored. Requires an integer key.
std::int64_t next_key(Connection& connection, const Resource& resource, const Tables& tables);

void store_key(Connection& connection, const Resource& resource, std::int64_t key);

}  // namespace ocp_mock
