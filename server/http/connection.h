// One client's connection: a socket, the request being read, the answers being written.
// Input: the events of an event loop, and the time. Output: what the loop should watch for, or that it is over.
// Never blocks. Thread safety: none; belongs to the thread of its event loop.
// While a response is deferred or paced we do not read, so a half-close goes unnoticed; a reset does not. A client that
// has closed and one that has only shut its sending side look alike, and the latter is still owed its response. So we
// send the next bytes of the response early: the kernel of a client that has closed answers them with a reset, and the
// other client ends up with the same bytes. They leave one by one, at growing intervals, because a proxy in between
// takes some of them before it passes the reset on. If a fault allows no byte of a response, a client that has shut its
// side counts as gone. While it is not known whether one does, nothing is sent early.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/deferred_response.h"
#include "http/limits.h"
#include "http/paced_response.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/stream.h"

namespace ocp_mock::http {

using SteadyTime = std::chrono::steady_clock::time_point;

// Names a connection, or whatever else an event loop watches. Never given twice by a loop, as descriptors are.
using WatchId = std::uint64_t;

// What a connection needs of its event loop.
struct LoopContext {
  const Handler& handler;
  std::string spare = {};  // empty; a buffer for the next response
  // Makes what any thread may call, also when connection and loop are gone, to have on_ready() called.
  std::function<std::function<void()>(WatchId)> waker;
};

class Connection {
 public:
  Connection(WatchId id, Stream stream, std::string peer, const Limits& limits, SteadyTime now);

  int descriptor() const { return stream_.descriptor(); }

  // Why TLS failed, a sentence for a log; empty if it did not.
  const std::string& failure() const { return stream_.failure(); }

  // Each returns false when the connection is over and must be destroyed.
  bool on_readable(LoopContext& loop, SteadyTime now);
  bool on_writable(LoopContext& loop, SteadyTime now);
  bool on_tick(LoopContext& loop, SteadyTime now);
  bool on_timer(LoopContext& loop, SteadyTime now);
  bool on_ready(LoopContext& loop, SteadyTime now);  // an answer may be ready that was awaited
  bool on_shut(LoopContext& loop, SteadyTime now);   // the client has shut its side, or closed

  // Answers what has arrived, then takes no further request. What leaves bit by bit leaves at once.
  bool stop(LoopContext& loop, SteadyTime now);

  // When on_timer() is to be called next.
  std::optional<SteadyTime> timer() const;

  // The connection has broken; only failure() remains of it.
  void on_hangup();

  // What to watch for now, as epoll's event bits.
  unsigned interest() const;

 private:
  enum class Phase {
    Open,       // reads requests
    Finishing,  // writes what is left, then closes
    Lingering,  // has sent all and shut its side; waits for the client to do the same, so that no reset eats the answer
  };

  enum class Deadline { None, Idle, Request, Write, Linger };

  // What a response depends on, of its request.
  struct RequestTraits {
    bool head_only;
    bool http_1_0;
    bool keep_alive;
    std::size_t begun = 0;  // bytes of the answer that were sent early
  };

  // A response that is not whole in out_. Few connections have one.
  struct PartialResponse {
    explicit PartialResponse(const RequestTraits& of) : traits(of) {}
    ~PartialResponse() {
      if (deferred) deferred->abandon();
      settle(false);
    }
    PartialResponse(const PartialResponse&) = delete;
    PartialResponse& operator=(const PartialResponse&) = delete;

    // Whether a client that shuts its side can be tested now for the first time.
    bool awaits_test() const {
      return test_interval == SteadyTime::duration::zero() && !(deferred && !deferred->has_head());
    }

    // Reports, once, that the response has left or never will.
    void settle(bool whole) noexcept;

    RequestTraits traits;
    SteadyTime::duration test_interval{0};  // between the latest early byte and the next; 0 before the first
    SteadyTime next_test = SteadyTime::max();
    std::shared_ptr<DeferredResponse> deferred = {};  // either it is awaited
    std::optional<PacedResponse> paced = {};          // or it leaves in pieces
    SteadyTime start = {};                            // of the pieces
    std::function<void(bool whole, std::size_t body_bytes)> on_departed = {};
  };

  void process(std::string_view bytes, LoopContext& loop);
  void respond(Response response, const RequestTraits& traits, LoopContext& loop);
  bool flush(LoopContext& loop, SteadyTime now);
  void return_buffer(LoopContext& loop);
  void take_due_pieces(SteadyTime now);
  bool end_paced();
  void send_early(SteadyTime now);
  void close_after_answer();
  bool drain();
  bool takes_requests() const;
  void choose_deadline(SteadyTime now);
  void await_write(SteadyTime now);
  void set_deadline(Deadline kind, SteadyTime at);
  std::size_t unsent() const { return out_.size() - sent_; }

  const WatchId id_;
  Stream stream_;
  const Limits& limits_;
  RequestParser parser_;
  Phase phase_ = Phase::Open;
  bool linger_ = false;       // the client may still be sending after its last answer
  bool input_ended_ = false;  // the client has shut its side
  bool stopping_ = false;
  std::string unparsed_;  // bytes read, while the client does not take its answers or one is not whole in out_
  std::unique_ptr<PartialResponse> partial_;
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t unacknowledged_ = 0;  // bytes, when the write deadline was set
  SteadyTime deadline_;
  Deadline deadline_kind_ = Deadline::Idle;
};

}  // namespace ocp_mock::http
