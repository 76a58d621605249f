// One client's connection: a socket, the request being read, the answers being written.
// Enters: the events of an event loop and the time. Leaves: what the loop should watch for, or that it is over.
// Never blocks. Used by the thread of its event loop only.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "http/limits.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "http/stream.h"

namespace ocp_mock::http {

using SteadyTime = std::chrono::steady_clock::time_point;

class Connection {
 public:
  Connection(Stream stream, const Limits& limits, SteadyTime now);

  int descriptor() const { return stream_.descriptor(); }

  // Why TLS could not begin; empty if it could.
  const std::string& failure() const { return stream_.failure(); }

  // Each returns false when the connection is over and must be destroyed.
  bool on_readable(ResponseWriter& writer, SteadyTime now);
  bool on_writable(ResponseWriter& writer, SteadyTime now);
  bool on_tick(ResponseWriter& writer, SteadyTime now);

  // The connection has broken; only failure() remains of it.
  void on_hangup();

  // Answers what has arrived, then takes no further request.
  bool stop(ResponseWriter& writer, SteadyTime now);

  // What to watch for now, as epoll's event bits.
  unsigned interest() const;

 private:
  enum class Phase {
    Open,       // reads requests
    Finishing,  // writes what is left, then closes
    Lingering,  // has sent all and shut its side; waits for the client to do the same, so that no reset eats the answer
  };

  enum class Deadline { None, Idle, Request, Write, Linger };

  void process(std::string_view bytes, ResponseWriter& writer);
  bool flush(ResponseWriter& writer, SteadyTime now);
  bool drain();
  bool takes_requests() const;
  void choose_deadline(SteadyTime now);
  void await_write(SteadyTime now);
  void set_deadline(Deadline kind, SteadyTime at);
  std::size_t unsent() const { return out_.size() - sent_; }

  Stream stream_;
  const Limits& limits_;
  RequestParser parser_;
  Phase phase_ = Phase::Open;
  bool linger_ = false;       // the client may still be sending after its last answer
  bool input_ended_ = false;  // the client has shut its side
  bool stopping_ = false;
  std::string pending_;  // bytes read but not yet parsed, while the client does not take its answers
  std::string out_;
  std::size_t sent_ = 0;
  std::size_t unacknowledged_ = 0;  // bytes, when the write deadline was set
  SteadyTime deadline_;
  Deadline deadline_kind_ = Deadline::Idle;
};

}  // namespace ocp_mock::http
