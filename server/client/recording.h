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
#include "client/redact.h"
#include "client/upstream.h"

namespace ocp_mock {

struct RecordingOptions {
  std::filesystem::path out;  // a folder
  bool redact = true;         // sessions that differ in it must not meet in a folder
  std::optional<std::filesystem::path> redact_rules;
};

class Recording {
 public:
  static constexpr std::string_view kFile = "recorded.json";
  static constexpr std::size_t kLargestBody = 16 << 20;

  // Makes the folder, or opens it and reads what an earlier session has left. Throws std::runtime_error if that cannot
  // be read or is no recording, if the folder has something else, and for rules that are wrong. Brings what a process
  // that was killed had kept into the file.
  Recording(const RecordingOptions& options, const Router& router);
  // Leaves what was not written to a later session.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // One text for all requests that ask for the same; nothing for a request that no exchange can tell.
  static std::optional<std::string> key_of(const PassedRequest& request);

  // Whether this session or an earlier one has kept an answer, and that answer; of an earlier one it is as the file has
  // it, so with stand-ins. The second one reads a file: throws std::system_error.
  bool has(const std::string& key) const;
  UpstreamAnswer answer(const std::string& key) const;

  // Keeps the answer in place of one that it has of the same request; from then on it outlives the process. Returns why
  // it cannot; empty if it is kept.
  std::string keep(const std::string& key, const PassedRequest& request, const UpstreamAnswer& answer);

  // Whether something was kept since the last write().
  bool has_news() const;

  // Writes the file. One that is redacted only this user may read, for what is learned later may still stand in it.
  // Throws std::runtime_error.
  void write();
  // The same for the last time: what was learned stands in no text of the file. Gives the file its usual mode.
  void finish();

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
  using Id = std::string;  // a digest of what the file says of the request
  struct Earlier {
    SpoolFile::Place place;
    bool is_object = false;
  };

  // Of requests that the file says otherwise, with stand-ins: a digest of what was sent, with the key of the stand-ins.
  using Requests = std::map<std::string, Id>;

  void read_earlier();
  void read_requests();
  void recover();
  std::string digest_of(const std::string& key) const;
  const Earlier* find_earlier(const std::string& key) const;
  std::string without_learned(Redactor& redactor, std::string text, Requests& requests) const;
  void write_requests(const Requests& requests) const;
  Kind classified(const PassedExchange& exchange) const;
  void put(const std::string& key, Kind kind, ExchangeLog::Place place);
  void drop_replaced();

  const RecordingOptions options_;
  const Router& router_;
  const CaptureState state_;
  const std::string stand_in_key_;
  std::map<Id, Earlier> earlier_;
  Requests requests_;
  std::size_t recovered_ = 0;
  std::optional<std::filesystem::perms> usual_mode_;  // of the file, once it is written
  mutable std::mutex mutex_;                          // of the rest
  ExchangeLog log_;                                   // of kept_
  SpoolFile earlier_texts_;
  std::map<std::string, Kept> kept_;
  std::uint64_t last_ = 0;
  std::uint64_t written_ = 0;
  std::size_t in_file_ = 0;
  std::string replaced_;
};

}  // namespace ocp_mock
