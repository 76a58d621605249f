#include "http/response_writer.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;
using namespace ocp_mock::http;

TEST_CASE("response writer: a response is these bytes, behind what the text holds already") {
  const struct {
    const char* what;
    Response response;
    Part part;
    ConnectionMode mode;
    std::string expected;
  } cases[]{
      {"whole",
       {200, {{"Content-Type", "a/b"}, {"Date", "now"}}, "xyz"},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: a/b\r\nDate: now\r\n\r\nxyz"},
      {"the head alone, with the length of the body",
       {200, {{"Content-Type", "c/d"}, {"Date", ""}}, "long text"},
       Part::HeadOnly,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: c/d\r\nDate: \r\n\r\n"},
      {"headers in the order of their names",
       {200, {{"Date", "now"}, {"Content-Type", "a/b"}}, "x"},
       Part::Whole,
       ConnectionMode::Close,
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\nContent-Type: a/b\r\nDate: now\r\n\r\nx"},
      {"a connection of HTTP/1.0 that is kept",
       {200, {{"Content-Type", "a/b"}}, "x"},
       Part::Whole,
       ConnectionMode::KeepAliveHttp10,
       "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\nContent-Type: a/b\r\n\r\nx"},
      {"no body, no type",
       {500, {}, ""},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
      {"a body without a type",
       {500, {}, "x"},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\nContent-Type: text/plain\r\n\r\nx"},
      {"204 has no length",
       {204, {{"Date", "now"}}, ""},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n"},
      {"what leaves in chunks has no length",
       {200, {{"Transfer-Encoding", "chunked"}}, ""},
       Part::HeadOnly,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"fields of one name keep their order",
       {200, {{"x", "1"}, {"X", "2"}, {"x", "3"}, {"a", "4"}}, ""},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 200 OK\r\na: 4\r\nContent-Length: 0\r\nx: 1\r\nX: 2\r\nx: 3\r\n\r\n"},
      {"a value cannot add a header",
       {200, {{"A", "1\r\nB: 2"}, {"C", "3\n"}}, ""},
       Part::Whole,
       ConnectionMode::KeepAlive,
       "HTTP/1.1 200 OK\r\nA: 1\r\nC: 3\r\nContent-Length: 0\r\n\r\n"},
  };
  for (const auto& [what, response, part, mode, expected] : cases) {
    CAPTURE(std::string(what));
    std::string out = "before";
    write_response(response, part, mode, out);
    CHECK(out == "before" + expected);
  }
}

TEST_CASE("response writer: a status has the reason of its table, and one that it does not have that of 500") {
  const std::pair<int, std::string> cases[] = {
      {200, "OK"},
      {404, "Not Found"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {505, "HTTP Version Not Supported"},
      {511, "Network Authentication Required"},
      {199, "Internal Server Error"},
      {499, "Internal Server Error"},
      {600, "Internal Server Error"},
  };
  for (const auto& [status, reason] : cases) CHECK(reason_phrase(status) == reason);
}
