// A response becomes bytes, through cpp-httplib.
// response_writer.cpp is the only file that includes httplib. What httplib reads of a request is a line without
// content, because its own reading loses data (it decodes header values, splits queries, cuts targets at 8 KiB,
// compresses, answers ranges); the request that counts is the one of RequestParser.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"

namespace ocp_mock::http {

enum class Persistence { Close, KeepAlive, KeepAliveHttp10 };

// Head: without the body, but with its length.
enum class Part { Whole, Head };

// Used by one thread at a time.
class ResponseWriter {
 public:
  ResponseWriter();
  ~ResponseWriter();
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  // Appends status line, headers, body. A response with Transfer-Encoding gets no Content-Length, and its body is
  // written as it is. How and when the answer leaves is not its affair.
  void write(Response response, Part part, Persistence persistence, std::string& out);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace ocp_mock::http
