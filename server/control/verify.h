// What a test asks of the journal.
// Input: a world's journal and the JSON of a question. Output: JSON.
#pragma once

#include <optional>
#include <string>

#include "control/journal.h"
#include "control/matcher.h"
#include "json/writer.h"

namespace ocp_mock {

// One entry as a JSON object. The offset is that of its time, in minutes.
JsonObject json_of(const JournalEntry& entry, int offset_minutes);

// Answers {"method":"GET",...,"exactly":2}: the criteria of a Matcher, and exactly, atLeast, atMost or the last two; at
// least 1 without any. The result is passed, failed with the nearest misses or the first of too many matches, or
// inconclusive, with the reason, if requests that could matter have been evicted, are not answered yet, or have lost
// what is asked for because the journal cuts long texts. Throws JsonFieldError, also for a question that passes without
// a request because the requests it means are in other worlds. The note goes into the answer as it is.
std::string verify_requests(const Journal& journal, const JsonValue& question, int offset_minutes,
                            const RequestFacts& facts = {}, const std::optional<std::string>& note = {});

}  // namespace ocp_mock
