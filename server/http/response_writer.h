// A response becomes bytes.
// response_writer.cpp is the only file that includes httplib. httplib lays out a head once for each status and set of
// headers, given a request without content, because its own reading of requests loses data (it decodes header values,
// splits queries, cuts targets at 8 KiB, compresses, answers ranges); the request that counts is the one of
// RequestParser. After that only the values are put into their places.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace ocp_mock::http {

// What every head begins with.
inline constexpr std::string_view kHeadBegin = "HTTP/1.1 ";

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
  // written as it is. A value ends at its first line end. How and when the answer leaves is not its affair.
  void write(const Response& response, Part part, Persistence persistence, std::string& out);

 private:
  class Engine;

  // A text, then the value of the header with this index; behind the last header is the length of the body.
  struct Piece {
    std::string text;
    std::size_t value;
  };

  struct Layout {
    int status;
    Persistence persistence;
    bool has_body;
    std::vector<std::string> names;
    std::vector<Piece> pieces;
    std::string rest;

    bool fits(const Response& response, Persistence wanted) const;
  };

  const Layout& layout(const Response& response, Persistence persistence);

  std::unique_ptr<Engine> engine_;
  std::vector<Layout> layouts_;
};

}  // namespace ocp_mock::http
