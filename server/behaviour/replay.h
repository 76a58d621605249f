// Exchanges: a request that was captured gets the answer that was captured, whatever the catalogue says.
// Input: a request as sent, and the data. Output: the exchange, and its body with the values of today. Knows no HTTP
// library.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/sink.h"
#include "ocp/envelope.h"
#include "ocp/error.h"
#include "store/dataset.h"

namespace ocp_mock {

// The exchange of this method, path, query and body; for HEAD also that of GET. Costs nothing without exchanges, else a
// look-up, and the reading of the body where there is one.
std::optional<StoredExchange> find_exchange(const Dataset& dataset, std::string_view method, std::string_view target,
                                            std::string_view body);

// What the refusal of a request says that an exchange of the same path has missed; nothing if there is none.
std::vector<Sentence> explain_missed(const Dataset& dataset, std::string_view method, std::string_view target);

// The bytes of its answer. Without values those that were captured.
std::string body_of(const StoredExchange& exchange, const EnvelopeValues* values);

}  // namespace ocp_mock
