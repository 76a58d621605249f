// What a world was asked and what it answered, the latest so many requests; and who waits for the next one.
// Input: an entry a request, without secrets. Output: the entries of a filter, and how many are missing because the
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

#include "base/headers.h"
#include "control/matcher.h"
#include "http/deferred_response.h"
#include "ocp/instant.h"

namespace ocp_mock {

inline constexpr std::size_t kJournalTextBytes = 4096;       // that are kept of each text of a request
inline constexpr std::size_t kJournalHeaders = 100;          // that are kept of a request
inline constexpr std::size_t kJournalBodyBytes = 16 * 1024;  // that are kept of a request's body

struct JournalEntry {
  std::int64_t sequence = 0;  // from 1, in the order of the answers; never given twice in a world
  Instant time;               // of the world's clock, when the answer was made
  std::string user;           // empty for nobody
  std::string method;
  std::string path;   // as sent
  std::string query;  // as sent, without the question mark
  std::string trace_id;
  Headers headers;                      // as sent, without those that hold secrets, and without user info in URLs
  std::string body;                     // as masked_body has it, at most kJournalBodyBytes
  std::size_t body_bytes = 0;           // of the whole body, as sent
  std::string body_sha256;              // of the whole body, in lower-case hex, if it was cut and nothing masked
  unsigned cut = 0;                     // the parts that are not there as a whole, RequestPart by RequestPart
  int status = 0;                       // 0 if no answer left: a fault let none through, or the client had left
  bool client_left = false;             // before the answer, or before the last of its pieces
  std::size_t bytes = 0;                // of the answer's body that left
  std::int64_t microseconds = 0;        // from the request's arrival to its answer
  std::int64_t fault = 0;               // the id of the one that fired, 0 for none
  bool replayed = false;                // by an exchange of the fixtures
  std::vector<std::string> violations;  // the rules of the contract that the client broke, in English
};

RequestView view_of(const JournalEntry& entry);

// Whether a header's value may be a secret by its name, so that it has no place in a journal.
bool is_secret_header(std::string_view name);

class Journal {
 public:
  using Entries = std::vector<std::shared_ptr<const JournalEntry>>;

  static constexpr std::size_t kMostWaits = 10'000;

  // Keeps that many entries; none for 0.
  explicit Journal(std::size_t size);
  ~Journal();

  // A request that has begun: it belongs to the journal as it is now, and not to what follows a clear().
  struct Ticket {
    std::int64_t epoch = 0;
  };
  Ticket begin();

  // Gives the entry its sequence, and wakes who waits for it. Each ticket is given back once, with the entry; one from
  // before a clear() leaves nothing. Cost: a few lookups for each segment of the path, however many wait for others.
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

  // Of the bodies in all entries together.
  std::size_t body_bytes() const;

  // A wait for an entry. It ends with this object, which the journal must outlive.
  class Wait {
   public:
    Wait(Journal& journal, std::shared_ptr<const Matcher> matcher, std::int64_t after,
         std::weak_ptr<http::DeferredResponse> pending);
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // The one that has come, kept or not; null if none has.
    std::shared_ptr<const JournalEntry> entry() const;

   private:
    friend Journal;

    Journal& journal_;
    const std::shared_ptr<const Matcher> matcher_;
    const std::int64_t after_;
    const std::weak_ptr<http::DeferredResponse> pending_;
    bool waits_ = false;  // is in the index; this and the next under the journal's mutex
    std::shared_ptr<const JournalEntry> entry_;
  };

  // Makes the answer ready when the next entry comes that matches and has a higher sequence than after, or when the
  // journal is closed. Null if kMostWaits are there.
  std::unique_ptr<Wait> wait(std::shared_ptr<const Matcher> matcher, std::int64_t after,
                             const std::shared_ptr<http::DeferredResponse>& pending);
  std::size_t waits() const;

  // Ends all waits, now and from now on: nobody will be asked here any more.
  void close();

  // Forgets all entries. Sequences go on, and so do waits.
  void clear();

 private:
  class WaitIndex;

  void wake_waits(const std::shared_ptr<const JournalEntry>& entry,
                  std::vector<std::weak_ptr<http::DeferredResponse>>& woken);
  void leave(Wait& wait);

  const std::size_t size_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const JournalEntry>> ring_;
  const std::unique_ptr<WaitIndex> index_;  // of those who wait
  std::size_t body_bytes_ = 0;              // in the ring
  bool closed_ = false;
  std::int64_t epoch_ = 0;
  std::int64_t in_flight_ = 0;
  std::int64_t last_ = 0;     // sequence
  std::int64_t cleared_ = 0;  // the last sequence when it was cleared
};

}  // namespace ocp_mock
