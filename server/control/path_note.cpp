#include "control/path_note.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "ocp/path_template.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// A placeholder of the criterion may stand for a literal of an endpoint's path.
bool fits_endpoint(const Catalogue& catalogue, const std::string& text) {
  const PathTemplate wanted = PathTemplate::of_template(text);
  const auto fits = [&](std::string_view path) { return wanted.fits(path); };
  return std::ranges::any_of(catalogue.endpoints, [&](const Endpoint& endpoint) {
    return fits(endpoint.path) || std::ranges::any_of(endpoint.aliases, fits);
  });
}

}  // namespace

std::optional<std::string> note_of_path(const JsonValue& criteria, const Router& router, const Dataset& dataset) {
  const JsonMember* path = criteria.find("path");
  const bool is_template = path == nullptr;
  if (is_template) path = criteria.find("pathTemplate");
  if (path == nullptr || path->value.kind != JsonKind::String || path->value.text == "*") return std::nullopt;
  const std::string& text = path->value.text;
  if (router.find("GET", text) || (is_template && fits_endpoint(router.catalogue(), text))) return std::nullopt;
  if (dataset.has_exchanges()) {
    const auto target = canonical_target(text, "");
    if (is_template || (target && dataset.find_exchange_of_path("GET", *target))) return std::nullopt;
  }
  const auto nearest = router.nearest(text);
  return fmt::format("no endpoint has the {} '{}'{}", path->key, printable(text),
                     nearest.empty() ? "" : fmt::format("; the nearest is '{}'", nearest.front()));
}

}  // namespace ocp_mock
