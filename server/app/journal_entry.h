// What the journal and the log keep of a request.
// Input: a request, its user and its trace id. Output: a journal entry without what the answer adds, or a line's
// target. Neither has a secret. Knows nothing of worlds and answers.
#pragma once

#include <string>

#include "control/journal.h"
#include "http/message.h"

namespace ocp_mock {

// The entry of a request that is not answered: texts up to kJournalTextBytes, the first kJournalHeaders headers, its
// body up to kJournalBodyBytes.
JournalEntry journal_entry_of(const http::Request& request, const std::string& user, const std::string& trace_id);

// A target for the log.
std::string shown_target(const http::Request& request);

}  // namespace ocp_mock
