// What passes as a fixture file has it: {"replay":...,"request":{...},"response":{...}}.
// Input: a request and its answer, a redactor. Output: the text of the exchange, redacted. Knows no file.
#pragma once

#include <string>
#include <string_view>

#include "catalogue/router.h"
#include "client/exchange_log.h"
#include "client/redact.h"
#include "json/reader.h"

namespace ocp_mock {

std::string content_type_of(const UpstreamAnswer& answer);

// The exchange as an object. replay: see kReplay. With a redactor, which has learned from it, it is redacted; null: as
// it passed. Requires a request and an answer in UTF-8, and JSON where the answer says so.
std::string recorded_text(const Router& router, const PassedExchange& exchange, std::string_view replay,
                          Redactor* redactor);

// Lets the redactor learn what is to be replaced.
void learn_exchange(Redactor& redactor, const Router& router, const PassedExchange& exchange);

// Replaces what the redactor has learned, and nothing else, in an exchange as recorded_text() makes it.
void replace_learned(Redactor& redactor, const Router& router, JsonValue& recorded);

}  // namespace ocp_mock
