// What a recorder has kept: exchanges in one fixture file, which is replaced in one step, so that it can always be
// loaded; and, until that is done, in a log, which no process loses that is killed. Memory has only their places.
// Input: requests with the answers of an OCP. Output: the answers again, as they were; a file with them, redacted
// unless told otherwise. Thread safety: any thread may call; write() by one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/spool_file.h"
#include "catalogue/router.h"
#include "client/capture_state.h"
#include "client/exchange_log.h"
#include "client/redact_rules.h"
#include "client/upstream.h"

namespace ocp_mock {

struct RecordingOptions {
  std::filesystem::path out;  // a folder
  std::string identity;       // what is recorded; two that differ must not meet in a folder
  bool redact = true;
  std::optional<std::filesystem::path> redact_rules;
};

class Recording {
 public:
  static constexpr std::string_view kFile = "recorded.json";
  static constexpr std::size_t kLargestBody = 16 << 20;

  // Makes the folder, or opens it and reads what an earlier session has left. Throws std::runtime_error if that cannot
  // be read or is no recording, if the folder is another one's, and for rules that are wrong. Brings what a process
  // that was killed had kept into the file.
  Recording(const RecordingOptions& options, const Router& router);
  // Leaves what was not written to a later session.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // One text for all requests that ask for the same; nothing for a request that no exchange can tell.
  static std::optional<std::string> key_of(const PassedRequest& request);

  // Whether this session has kept an answer, and that answer. The second one reads a file: throws std::system_error.
  bool has(const std::string& key) const;
  UpstreamAnswer answer(const std::string& key) const;

  // Keeps the answer in place of one that it has of the same request; from then on it outlives the process. Returns why
  // it cannot; empty if it is kept.
  std::string keep(const std::string& key, const PassedRequest& request, const UpstreamAnswer& answer);

  // Whether something was kept since the last write().
  bool has_news() const;

  // Writes the file. Throws std::runtime_error.
  void write();

  std::filesystem::path file() const { return options_.out / kFile; }
  std::size_t recovered() const { return recovered_; }  // of a process that was killed
  std::size_t kept() const;                             // by this session
  std::size_t in_file() const;                          // also by earlier ones, in the last write()
  std::string replaced() const;                         // the redactor's report of the last write()

 private:
  struct Kind {
    std::string_view replay;  // see kReplay
    bool is_object = false;   // its row may tell more than one in a list
  };
  struct Kept {
    ExchangeLog::Place place;
    std::uint64_t number = 0;  // a later one has a greater number
    Kind kind;
  };
  // Of an earlier session, as it stands in the file.
  struct Earlier {
    SpoolFile::Place place;
    bool is_object = false;
  };

  void read_earlier();
  void recover();
  Kind classified(const PassedExchange& exchange) const;
  void put(const std::string& key, Kind kind, ExchangeLog::Place place);
  void drop_replaced();

  const RecordingOptions options_;
  const Router& router_;
  const CaptureState state_;
  std::map<std::string, Earlier> earlier_;  // by the key that it has in the file
  std::size_t recovered_ = 0;
  mutable std::mutex mutex_;  // of the rest
  ExchangeLog log_;           // of kept_
  SpoolFile earlier_texts_;
  std::map<std::string, Kept> kept_;
  std::uint64_t last_ = 0;
  std::uint64_t written_ = 0;
  std::size_t in_file_ = 0;
  std::string replaced_;
};

}  // namespace ocp_mock
