#include "http/response_writer.h"

#include <doctest/doctest.h>

#include <string>

using namespace ocp_mock;
using namespace ocp_mock::http;

namespace {

std::string written(ResponseWriter& writer, const Response& response, Part part = Part::Whole,
                    Persistence persistence = Persistence::KeepAlive) {
  std::string out = "before";
  writer.write(response, part, persistence, out);
  REQUIRE(out.starts_with("before"));
  return out.substr(6);
}

}  // namespace

TEST_CASE("response writer: a head has the values of its own response, whatever was written before") {
  ResponseWriter writer;
  const struct {
    Response response;
    Part part;
    Persistence persistence;
    std::string expected;
  } cases[]{
      {{200, {{"Content-Type", "a/b"}, {"Date", "now"}}, "xyz"},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: a/b\r\nDate: now\r\n\r\nxyz"},
      {{200, {{"Content-Type", "c/d"}, {"Date", ""}}, "long text"},
       Part::Head,
       Persistence::KeepAlive,
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: c/d\r\nDate: \r\n\r\n"},
      {{200, {{"Date", "now"}, {"Content-Type", "a/b"}}, "x"},
       Part::Whole,
       Persistence::Close,
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\nContent-Type: a/b\r\nDate: now\r\n\r\nx"},
      {{200, {{"Content-Type", "a/b"}}, "x"},
       Part::Whole,
       Persistence::KeepAliveHttp10,
       "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\nContent-Type: a/b\r\n\r\nx"},
      {{500, {}, ""},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
      {{500, {}, "x"},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\nContent-Type: text/plain\r\n\r\nx"},
      {{204, {{"Date", "now"}}, ""},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n"},
      {{200, {{"Transfer-Encoding", "chunked"}}, ""},
       Part::Head,
       Persistence::KeepAlive,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {{200, {{"x", "1"}, {"X", "2"}, {"x", "3"}}, ""},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx: 1\r\nX: 2\r\nx: 3\r\n\r\n"},
      {{200, {{"A", "1\r\nB: 2"}, {"C", "3\n"}}, ""},
       Part::Whole,
       Persistence::KeepAlive,
       "HTTP/1.1 200 OK\r\nA: 1\r\nC: 3\r\nContent-Length: 0\r\n\r\n"},
  };
  // Twice: laid out, then from what is kept.
  for (int round = 0; round < 2; ++round) {
    for (const auto& [response, part, persistence, expected] : cases) {
      CHECK(written(writer, response, part, persistence) == expected);
    }
  }
}

TEST_CASE("response writer: more kinds of heads than it keeps are right as well") {
  ResponseWriter writer;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      const std::string name = "N" + std::to_string(i);
      CHECK(written(writer, {200, {{name, "v"}}, ""}) ==
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + name + ": v\r\n\r\n");
    }
  }
}
