#include "behaviour/replay.h"

#include "base/utf8.h"
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

std::vector<Sentence> explain_missed(const Dataset& dataset, std::string_view method, std::string_view target) {
  const auto path = dataset.has_exchanges() ? canonical_target(split_target(target).path, "") : std::nullopt;
  const auto found = path ? dataset.find_exchange_of_path(std::string(method), *path) : std::nullopt;
  if (!found) return {};
  return {{Message::CapturedOtherwise, {printable(*found, 300)}}};
}

std::string body_of(const StoredExchange& exchange, const EnvelopeValues* values) {
  return exchange.is_envelope && values != nullptr ? refreshed_envelope(exchange.body, *values) : exchange.body;
}

}  // namespace ocp_mock
