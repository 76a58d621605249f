// What a recorder has kept: exchanges in one fixture file, which is replaced in one step, so that it can always be
// loaded.
// Input: requests with the answers of an OCP. Output: the answers again, as they were; a file with them, redacted
// unless told otherwise. Thread safety: any thread may call; write() by one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "catalogue/router.h"
#include "client/capture_state.h"
#include "client/redact.h"
#include "client/redact_rules.h"
#include "client/upstream.h"
#include "json/reader.h"

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
  // be read or is no recording, if the folder is another one's, and for rules that are wrong.
  Recording(const RecordingOptions& options, const Router& router);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // One text for all requests that ask for the same; nothing for a request that no exchange can tell.
  static std::optional<std::string> key_of(const PassedRequest& request);

  // The answer that this session has kept; null for none.
  std::shared_ptr<const UpstreamAnswer> find(const std::string& key) const;

  // Keeps the answer in place of one that it has of the same request. Returns why it cannot; empty if it is kept.
  std::string keep(const std::string& key, const PassedRequest& request, std::shared_ptr<const UpstreamAnswer> answer);

  // Whether something was kept since the last write().
  bool has_news() const;

  // Writes the file. Throws std::runtime_error.
  void write();

  std::filesystem::path file() const { return options_.out / kFile; }
  std::size_t kept() const;      // by this session
  std::size_t in_file() const;   // also by earlier ones, in the last write()
  std::string replaced() const;  // the redactor's report of the last write()

 private:
  struct Kept {
    PassedRequest request;  // without headers
    std::shared_ptr<const UpstreamAnswer> answer;
    std::uint64_t number = 0;  // a later one has a greater number
    bool is_object = false;    // its row may tell more than one in a list
    std::string_view replay;   // see kReplay
  };
  // Of an earlier session, as it stands in the file.
  struct Earlier {
    std::string text;
    bool is_object = false;
  };

  void read_earlier();
  void classify(Kept& kept) const;
  std::string text_of(const Kept& kept, Redactor* redactor) const;

  const RecordingOptions options_;
  const Router& router_;
  const CaptureState state_;
  std::map<std::string, Earlier> earlier_;  // by the key that it has in the file
  mutable std::mutex mutex_;                // of the rest
  std::map<std::string, Kept> kept_;
  std::uint64_t last_ = 0;
  std::uint64_t written_ = 0;
  std::size_t in_file_ = 0;
  std::string replaced_;
};

}  // namespace ocp_mock
