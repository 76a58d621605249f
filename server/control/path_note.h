// What a test should know of the path that its criteria ask for.
// Input: criteria, what is there. Output: a sentence where nothing answers under that path. It is no mistake: a client
// may ask for what is not there, and a test may want to see that it does.
#pragma once

#include <optional>
#include <string>

#include "catalogue/router.h"
#include "json/reader.h"
#include "store/dataset.h"

namespace ocp_mock {

// Of the members path and pathTemplate of an object, which Matcher has accepted. Nothing where it has neither.
std::optional<std::string> note_of_path(const JsonValue& criteria, const Router& router, const Dataset& dataset);

}  // namespace ocp_mock
