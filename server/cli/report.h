// What people read of loaded data, by `check`, in the log and on a terminal.
// Input: files, resources and datasets. Output: lines of text, without a secret.
#pragma once

#include <string>

#include "app/serve_options.h"
#include "fixtures/forms.h"
#include "store/dataset.h"

namespace ocp_mock {

// "FILE: a captured answer, 1 task"
std::string describe(const FixtureFile& file);

// The resource, with a line below it for each parent that its rows have. Each line ends in a line feed.
std::string describe(const Resource& resource, const Outline& outline);

// A command line with a request that passes: a page of a list where the dataset has one. It has no password in it, curl
// asks for that.
std::string request_to_try(const ServeOptions& options, const std::string& url, const Dataset& dataset);

}  // namespace ocp_mock
