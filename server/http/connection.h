// One client's connection: a socket, the request being read, the answers being written.
// Enters: the events of an event loop and the time. Leaves: what the loop should watch for, or that it is over.
// Never blocks. Used by the thread of its event loop only.
// While an answer is awaited, or leaves bit by bit, no further request is read: what the client sends waits in the
// kernel. A client that resets then is seen to be gone. One that has closed and one that has only shut its sending side
// look alike, and the latter shall have its answer: so the next bytes of the answer are sent early. The kernel of a
// client that has closed answers the first of them by a reset; the other has the same bytes in the end. They leave one
// by one, at growing intervals, because a proxy between needs some until it passes the reset on. Where the answer is to
// have no byte, because of a fault, a client that has shut its side counts as gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/delivery.h"
#include "http/limits.h"
#include "http/pending.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "http/stream.h"

namespace ocp_mock::http {

using SteadyTime = std::chrono::steady_clock::time_point;

// Names a connection, or whatever else an event loop watches. Never given twice by a loop, as descriptors are.
using WatchId = std::uint64_t;

// Makes the response of a request, also of one with a defect. Called by several threads at once. Must not throw.
using Handler = std::function<Response(const Request&)>;

// What a connection needs of its event loop.
struct Service {
  const Handler& handler;
  ResponseWriter writer = {};
  std::string spare = {};  // empty; a buffer for the next answer
  // Makes what any thread may call, also when connection and loop are gone, to have on_ready() called.
  std::function<std::function<void()>(WatchId)> waker;
};

class Connection {
 public:
  Connection(WatchId id, Stream stream, std::string peer, const Limits& limits, SteadyTime now);

  int descriptor() const { return stream_.descriptor(); }

  // What came in the way of TLS, a sentence for a log; empty if nothing did.
  const std::string& failure() const { return stream_.failure(); }

  // Each returns false when the connection is over and must be destroyed.
  bool on_readable(Service& service, SteadyTime now);
  bool on_writable(Service& service, SteadyTime now);
  bool on_tick(Service& service, SteadyTime now);
  bool on_timer(Service& service, SteadyTime now);
  bool on_ready(Service& service, SteadyTime now);  // an answer may be ready that was awaited
  bool on_shut(Service& service, SteadyTime now);   // the client has shut its side, or closed

  // Answers what has arrived, then takes no further request. What leaves bit by bit leaves at once.
  bool stop(Service& service, SteadyTime now);

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

  // What an answer needs to know of its request.
  struct Asked {
    bool head_only;
    bool http_1_0;
    bool keep_alive;
    std::size_t begun = 0;  // bytes of the answer that were sent early
  };

  // An answer that is not whole in out_. Few connections have one.
  struct Later {
    explicit Later(const Asked& of) : asked(of) {}
    ~Later() {
      if (pending) pending->abandon();
      settle(false);
    }
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;

    bool was_tested() const { return test_interval != SteadyTime::duration::zero(); }

    // Tells whom it concerns that the departure is over.
    void settle(bool whole) noexcept;

    Asked asked;
    SteadyTime::duration test_interval{0};  // between the latest early byte and the next; 0 before the first
    SteadyTime next_test = SteadyTime::max();
    std::shared_ptr<Pending> pending = {};    // either it is awaited
    std::optional<Departure> departure = {};  // or it leaves bit by bit, or in a faulty way
    SteadyTime start = {};                    // of the departure
    std::function<void(bool whole, std::size_t body_bytes)> on_departed = {};
  };

  void process(std::string_view bytes, Service& service);
  void respond(Response response, const Asked& asked, Service& service);
  bool flush(Service& service, SteadyTime now);
  void return_buffer(Service& service);
  void take_due_pieces(SteadyTime now);
  bool end_departure();
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
  std::unique_ptr<Later> later_;
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t unacknowledged_ = 0;  // bytes, when the write deadline was set
  SteadyTime deadline_;
  Deadline deadline_kind_ = Deadline::Idle;
};

}  // namespace ocp_mock::http
