// A catalogue of the shapes that OCP's own does not have yet: synthetic.json.
#pragma once

#include "catalogue/catalogue.h"

namespace ocp_mock {

const Catalogue& synthetic_catalogue();

}  // namespace ocp_mock
