// An OCP that is asked over HTTP or HTTPS: one request at a time, again where it is worth it.
// Input: its URL, credentials, then targets, or requests of others. Output: whole answers, whatever their status. The
// only part of the client that knows an HTTP library, and who waits.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/headers.h"
#include "ocp/auth.h"

namespace ocp_mock {

struct UpstreamOptions {
  std::string url;          // http://HOST[:PORT] or https://HOST[:PORT], with a path that stands before all targets
  Credentials credentials;  // one user, one access key, or nothing
  std::optional<std::filesystem::path> ca;  // PEM file of who may sign its certificate; nothing: the system's
};

struct UpstreamAnswer {
  int status = 0;
  Headers headers;
  std::string body;
};

// A request of somebody else's that is passed on.
struct PassedRequest {
  std::string method;
  std::string target;  // "/api/v2/info?x=y", encoded
  Headers headers;     // as they came
  std::string body;
};

// Nobody answered, or not as an HTTP server does, or not now, however often it was tried. One sentence.
class CannotAsk : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What is wrong with a URL; empty for one that UpstreamOptions may have.
std::string flaw_of_url(std::string_view url);

// Which wait comes before the next try, and when there is none any more.
class Patience {
 public:
  // Nothing: no further try. An answer with 429, which says when to come again, is no failure of the server's; others
  // are 502, 503, 504, and 0 for a broken connection.
  std::optional<std::chrono::milliseconds> wait_after(int status, const Headers& headers,
                                                      std::chrono::system_clock::time_point now);

  static constexpr int kMostTries = 8;
  static constexpr int kMostRefusals = 100;
  static constexpr std::chrono::seconds kLongestWait{3600};

 private:
  int tries_ = 0;
  int refusals_ = 0;
};

class Upstream {
 public:
  using Say = std::function<void(const std::string& sentence)>;

  // Requires a URL without a flaw. Throws std::runtime_error if it cannot be made, as with a CA file that is none. The
  // sentences are about waits.
  Upstream(const UpstreamOptions& options, Say say);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  // The answer to GET of a target, "/api/v2/info?x=y", encoded. Tries again after 429, 502, 503, 504, a connection that
  // breaks and, with is_whole, a body that is not. Throws CannotAsk.
  UpstreamAnswer get(
      const std::string& target,
      const std::function<bool(const UpstreamAnswer&)>& is_whole = [](const UpstreamAnswer&) { return true; });

  // The answer to a request that is passed on as it is, but for the headers that belong to a connection and those that
  // ask for less than the whole answer; the upstream's credentials, if it has some, take the place of the request's.
  // The answer has no header of its framing either. A GET or HEAD is sent again once if the connection breaks, which
  // may have been closed meanwhile; others are sent once. Throws CannotAsk.
  UpstreamAnswer pass(const PassedRequest& request);

  // "https://ocp.example.com", of its URL.
  std::string origin() const;

  // Ends a request in flight, which then cannot be asked. Any thread may call it.
  void interrupt();

  static constexpr std::size_t kLargestAnswer = std::size_t{1} << 30;

 private:
  struct Connection;
  const std::unique_ptr<Connection> connection_;
  const Say say_;
};

}  // namespace ocp_mock
