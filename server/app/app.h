// The pipeline of one request, in one function: handle().
// Input: an http::Request. Output: an http::Response. The only place that catches an ApiError.
// Everything that varies is passed in, so that tests can fix it. Safe for use by several threads at once.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/worker.h"
#include "behaviour/behaviour.h"
#include "catalogue/request.h"
#include "catalogue/router.h"
#include "control/world.h"
#include "http/limits.h"
#include "http/message.h"
#include "ocp/auth.h"
#include "ocp/envelope.h"
#include "ocp/error.h"
#include "ocp/instant.h"

namespace spdlog {
class logger;
}

namespace ocp_mock {

struct AppOptions {
  bool pretty = false;     // lay answers out as OCP's documentation does
  bool strict = false;     // refuse what OCP lets pass
  bool read_only = false;  // refuse what changes data
  ListRules rules;
  int offset_minutes = 8 * 60;         // of timestamps
  std::string server{kDefaultServer};  // the envelope's server
  std::string ocp_version{kDefaultOcpVersion};
  std::optional<EnvelopeValues> frozen;  // every answer has these values, until others are frozen
  bool admin = true;                     // there are admin calls, which GET / may name
  AuthMode auth = AuthMode::Any;
  Credentials credentials;
  bool tls = false;     // which clients speak
  http::Limits limits;  // that the HTTP side keeps, for messages
};

struct AppContext {
  std::function<Instant()> real_now;           // which the Date of an access key's request is compared with
  std::function<std::string()> next_trace_id;  // 16 lower-case hex digits
  std::shared_ptr<spdlog::logger> logger;      // a line a request at info; at warn if it broke a rule
};

class App {
 public:
  // Answers from the worlds, by the router's catalogue. Both must outlive it.
  App(AppOptions options, AppContext context, const Router& router, Worlds& worlds);

  http::Response handle(const http::Request& request) const;

  // Requests that come from now on are answered with these values. Needs AppOptions::frozen.
  void freeze(EnvelopeValues values);

  // The time of an answer that is made when the world's clock shows so: with frozen values theirs.
  Instant time_of_answer(Instant now) const { return time_of_answer(frozen().get(), now); }

 private:
  // What is made on another thread; nothing where the making failed.
  struct Prepared {
    std::optional<World::Snapshot> data;
    std::optional<AnswerData> answer;
    std::optional<World::WrittenAt> written;
    std::exception_ptr refusal;  // of a write
  };

  // What --frozen answers with.
  struct Frozen {
    EnvelopeValues values;
    std::optional<Instant> time;
  };

  // What is known of a request on its way.
  struct Exchange {
    std::chrono::steady_clock::time_point start;
    std::shared_ptr<World> world;
    std::shared_ptr<const Frozen> frozen;  // null without --frozen
    EnvelopeValues values;
    Instant time = {};                // by the world's clock, when the answer was made
    std::optional<Route> route = {};  // nothing for a path that is not known
    std::string user = {};
    std::string refusal = {};  // why, in English; empty for a request that was granted
    std::vector<Violation> violations = {};
    std::optional<World::Admission> admission = {};
    std::optional<Faults::Fired> fault = {};
    bool replayed = false;  // an exchange has answered
    std::optional<Journal::Ticket> ticket = {};
    std::uint64_t releases = 0;               // of the world, before the fault
    World::Snapshot data = {};                // from the first look at the data to the answer
    std::shared_ptr<Prepared> prepared = {};  // what another thread has made
    std::function<void()> preparation = {};   // what another thread must do before there can be an answer
    Worker* preparer = nullptr;               // that thread
    bool writes = false;                      // what it prepares is a write
  };

  class Later;
  struct Handled;

  http::Response handle_now(const http::Request& request, std::chrono::steady_clock::time_point start) const;
  http::Response handle_on_worker(const http::Request& request, std::chrono::steady_clock::time_point start) const;
  void admit(const http::Request& request, Exchange& exchange) const;
  http::Response delayed(const http::Request& request, Exchange& exchange) const;
  http::Response prepared(const http::Request& request, Exchange& exchange) const;
  static std::shared_ptr<http::DeferredResponse> pending(const std::shared_ptr<Later>& later);
  http::Response conclude(const http::Request& request, Exchange& exchange) const;
  http::Response answer(const http::Request& request, Exchange& exchange) const;
  std::optional<http::Response> replay(const http::Request& request, Exchange& exchange) const;
  http::Response fail(const FaultAction& action, const http::Request& request, Exchange& exchange) const;
  std::string authenticate(const SignedRequest& request, std::string_view trace_id) const;
  http::Response answer_constant(const http::Request& request, const Endpoint& endpoint, Exchange& exchange) const;
  void prepare_write(Write write, Exchange& exchange) const;
  http::Response answer_written(Exchange& exchange) const;
  std::optional<AnswerData> answer_data(Request& request, Exchange& exchange) const;
  bool look_at_data(const Request& request, Exchange& exchange) const;
  template <typename Step>
  std::optional<http::Response> guarded(const http::Request& request, Exchange& exchange, const Step& step) const;
  http::Response refuse(const ApiError& error, const http::Request& request, Exchange& exchange) const;
  void stamp(Exchange& exchange, std::optional<Instant> now = {}) const;
  void finish(const http::Request& request, Exchange& exchange, http::Response& response) const;
  void record(const http::Request& request, const Exchange& exchange, http::Response& response) const;
  void record_leaving(const http::Request& request, Exchange& exchange) const;
  void check_form(const http::Request& request, Exchange& exchange) const;
  void refuse_violations(const std::vector<Violation>& violations) const;
  std::shared_ptr<const Frozen> frozen() const;
  static Instant time_of_answer(const Frozen* frozen, Instant now);
  EnvelopeValues envelope_values(const http::Request& request, const Frozen* frozen) const;
  static std::string date(const Exchange& exchange);
  static JournalEntry entry_of(const http::Request& request, const Exchange& exchange, const http::Response& response);

  // A connection waits for one answer at a time.
  static constexpr std::size_t kConnectionsBoundIt = std::numeric_limits<std::size_t>::max();

  const AppOptions options_;
  const AppContext context_;
  const Router& router_;
  mutable std::mutex mutex_;  // of the next
  std::shared_ptr<const Frozen> frozen_;
  Worlds& worlds_;
  const Authenticator authenticator_;
  mutable Worker sorts_{kConnectionsBoundIt};
  mutable WorkerPool timelines_{kConnectionsBoundIt};  // by world; a point that passes does not wait for a sort
  mutable WorkerPool writes_{kConnectionsBoundIt};     // by world
  mutable Worker long_bodies_{kConnectionsBoundIt};    // the last, for its jobs use all of the above
};

// The envelope values of --frozen: those of the captured answer, and for what it lacks those of the example on OCP's
// page of the endpoint. A server name given by the user wins over the captured one.
EnvelopeValues frozen_values(const CapturedEnvelope& captured, const std::optional<std::string>& server);

}  // namespace ocp_mock
