// Stands between a client and an OCP, and keeps what passes: command `record`.
// Input: requests of clients. Output: the OCP's answers, or those that are known already; a recording. No thread of a
// connection waits for the OCP.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "client/recording.h"
#include "client/upstream.h"
#include "http/message.h"

namespace ocp_mock {

enum class RecordMode {
  Always,   // the OCP is asked for all, the latest answer is kept
  Once,     // the first answer to a request also answers it later
  Missing,  // the same, and what the fixtures answer is not asked of the OCP
};

struct RecordOptions {
  UpstreamOptions upstream;
  RecordMode mode = RecordMode::Always;
  RecordingOptions recording;
};

class Recorder {
 public:
  using Say = std::function<void(const std::string& sentence)>;
  // What the fixtures answer; nothing for what they lack. May block.
  using Fixtures = std::function<std::optional<http::Response>(const http::Request&)>;

  static constexpr std::size_t kConnections = 16;    // to the OCP
  static constexpr std::size_t kMostWaiting = 4096;  // requests, then 503

  // Throws std::runtime_error as Recording and Upstream do. `say` is called by any thread. The router must outlive it.
  Recorder(const RecordOptions& options, const Router& router, Say say, Fixtures fixtures = {});
  // Interrupts the requests in flight.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // A handler for http::Server.
  http::Response handle(const http::Request& request);

  // Writes what is kept. finish() does so for the last time. Both throw std::runtime_error.
  void write();
  void finish();

  // Lines for the user, of what was written last.
  std::string summary() const;

 private:
  struct Job {
    http::Request request;
    std::shared_ptr<http::Response> response;
    std::shared_ptr<http::DeferredResponse> deferred;
  };
  using JobPointer = std::shared_ptr<Job>;

  void ask(Upstream& upstream);
  void answer(Upstream& upstream, const JobPointer& job);
  http::Response pass(Upstream& upstream, const PassedRequest& request, const std::optional<std::string>& key);
  void keep(const PassedRequest& request, const std::optional<std::string>& key, const UpstreamAnswer& answer);
  void release(const std::string& key);
  void save();

  const RecordMode mode_;
  const std::string url_;
  const Say say_;
  const Fixtures fixtures_;
  Recording recording_;
  std::mutex writing_;

  mutable std::mutex mutex_;  // of the next ones
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<JobPointer> jobs_;
  std::map<std::string, std::vector<JobPointer>> in_flight_;  // who waits for the answer to the same request
  std::set<std::string> said_;                                // of what is not kept
  std::int64_t passed_ = 0;
  std::int64_t known_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t not_kept_ = 0;

  std::vector<std::unique_ptr<Upstream>> upstreams_;
  std::vector<std::thread> threads_;
};

}  // namespace ocp_mock
