#include "behaviour/replay.h"

#include "fixtures/exchange.h"
#include "ocp/url.h"

namespace ocp_mock {

std::optional<StoredExchange> find_exchange(const Dataset& dataset, std::string_view method, std::string_view target,
                                            std::string_view body) {
  if (!dataset.has_exchanges()) return std::nullopt;
  const auto [path, query] = split_target(target);
  const auto canonical = canonical_target(path, query);
  if (!canonical) return std::nullopt;
  const std::string body_key = request_body_key(body);
  const auto find = [&](std::string_view as) {
    return dataset.find_exchange(std::string(as) + " " + *canonical, body_key);
  };
  auto found = find(method);
  return found || method != "HEAD" ? found : find("GET");
}

std::string body_of(const StoredExchange& exchange, const EnvelopeValues* values) {
  return exchange.is_envelope && values != nullptr ? refreshed_envelope(exchange.body, *values) : exchange.body;
}

}  // namespace ocp_mock
