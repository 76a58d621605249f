// What a world was asked and what it answered, the latest so many requests.
// Enters: an entry a request, without secrets. Leaves: the entries of a filter, and how many are missing because the
// ring was full. Safe for use by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "headers.h"
#include "http/pending.h"
#include "ocp/instant.h"

namespace ocp_mock {

struct JournalEntry {
  std::int64_t sequence = 0;  // from 1, in the order of the answers; never given twice in a world
  Instant time;               // of the world's clock, when the answer was made
  std::string user;           // empty for nobody
  std::string method;
  std::string path;   // as sent
  std::string query;  // as sent, without the question mark
  std::string trace_id;
  Headers headers;                      // as sent, without those that hold secrets
  int status = 0;                       // 0 if no answer left: a fault let none through, or the client had left
  bool client_left = false;             // before the answer, or before the last of its pieces
  std::size_t bytes = 0;                // of the answer's body that left
  std::int64_t microseconds = 0;        // from the request's arrival to its answer
  std::int64_t fault = 0;               // the id of the one that fired, 0 for none
  std::vector<std::string> violations;  // the rules of the contract that the client broke, in English
};

// Whether a header's value may be a secret by its name, so that it has no place in a journal.
bool is_secret_header(std::string_view name);

class Journal {
 public:
  using Entries = std::vector<std::shared_ptr<const JournalEntry>>;

  // Keeps that many entries; none for 0.
  explicit Journal(std::size_t size) : size_(size) {}

  // A request that has begun: it belongs to the journal as it is now, and not to what follows a clear().
  struct Ticket {
    std::int64_t epoch = 0;
  };
  Ticket begin();

  // Gives the entry its sequence. Each ticket is given back once, with the entry; one from before a clear() leaves
  // nothing.
  void record(Ticket ticket, JournalEntry entry);

  struct View {
    Entries entries;             // in the order of their sequence
    std::int64_t evicted = 0;    // entries that are gone since the journal was cleared, because the ring was full
    std::int64_t in_flight = 0;  // requests that have begun and are not answered yet
    std::int64_t last = 0;       // the sequence of the latest entry ever, 0 without one
  };
  // With the entries after that sequence.
  View view(std::int64_t after = 0) const;
  std::int64_t last() const;

  // Makes it ready when the next entry comes, and at once if one has come after that sequence.
  void wake_after(std::int64_t sequence, const std::shared_ptr<http::Pending>& pending);

  // Forgets all entries. Sequences go on.
  void clear();

 private:
  const std::size_t size_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const JournalEntry>> ring_;
  std::vector<std::weak_ptr<http::Pending>> waiting_;
  std::int64_t epoch_ = 0;
  std::int64_t in_flight_ = 0;
  std::int64_t last_ = 0;     // sequence
  std::int64_t cleared_ = 0;  // the last sequence when it was cleared
};

}  // namespace ocp_mock
