// A dataset as bytes that a program has compiled in, so that it starts without loading anything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "catalogue/catalogue.h"
#include "fixtures/sink.h"
#include "store/dataset.h"

namespace ocp_mock {

// The bytes of a database with what fill hands over. Throws DatasetError.
std::string make_image(const Catalogue& catalogue, const std::function<void(FixtureSink&)>& fill);

// Requires: the bytes are of make_image() with the same catalogue, and outlive every dataset that is made of this one.
// They are not copied.
std::shared_ptr<const Dataset> open_image(std::string_view bytes, const Catalogue& catalogue);

}  // namespace ocp_mock
