// A request goes to the handler, and its response becomes bytes, through cpp-httplib.
// response_writer.cpp is the only file that includes httplib. What httplib reads of a request is a line without
// content, because its own reading loses data (it decodes header values, splits queries, cuts targets at 8 KiB,
// compresses, answers ranges); the request that counts is the one of RequestParser.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace ocp_mock::http {

// Makes the response of a request, also of one with a defect. Called by several threads at once. Must not throw.
using Handler = std::function<Response(const Request&)>;

enum class Persistence { Close, KeepAlive, KeepAliveHttp10 };

// Used by one thread at a time.
class ResponseWriter {
 public:
  explicit ResponseWriter(const Handler& handler);
  ~ResponseWriter();
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  // Appends the whole answer: status line, headers, body (none for HEAD).
  void answer(const Request& request, Persistence persistence, std::string& out);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace ocp_mock::http
