#include "http/request_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "parse_error_name.h"

using namespace ocp_mock::http;
using ocp_mock::test::name_of;
using namespace std::string_literals;

namespace {

const ParserLimits kSmall{200, 20};

std::string text(const Request& request, bool keep_alive) {
  std::string out = request.method + " " + request.target;
  for (const auto& [name, value] : request.headers) {
    out.append(" <").append(name).append(":").append(value).append(">");
  }
  if (!request.body.empty()) out += " [" + request.body + "]";
  if (request.parse_error) out += " refused: " + name_of(*request.parse_error);
  return out + (keep_alive ? " keep" : " close");
}

// The requests of the bytes, fed in pieces of a size; what follows a parse error is not read.
std::vector<std::string> parse(std::string_view bytes, std::size_t piece, const ParserLimits& limits) {
  std::vector<std::string> found;
  RequestParser parser(limits);
  while (!bytes.empty()) {
    std::string_view rest = bytes.substr(0, piece);
    bytes.remove_prefix(rest.size());
    while (!rest.empty()) {
      rest.remove_prefix(parser.feed(rest));
      if (!parser.complete()) continue;
      const bool keep = parser.keep_alive();
      const Request request = parser.request();
      parser.next();
      found.push_back(text(request, keep));
      if (request.parse_error) return found;
    }
  }
  if (!parser.idle()) found.push_back("incomplete");
  return found;
}

std::vector<std::string> parse(std::string_view bytes) { return parse(bytes, bytes.size(), kSmall); }

const std::string kHost = "Host: h\r\n";

std::string refused(ParseError error) { return " refused: " + name_of(error) + " close"; }

}  // namespace

TEST_CASE("request parser: requests are taken apart, however the bytes arrive") {
  const struct {
    std::string bytes;
    std::vector<std::string> requests;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", {"GET / <Host:h> keep"}},
      {"GET /a?b=%20c HTTP/1.1\r\nhOST:h\r\nX:\t a b \t\r\nx:\r\n\r\n", {"GET /a?b=%20c <hOST:h> <X:a b> <x:> keep"}},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", {"GET / <Host:h> <Connection:Close> close"}},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x , close\r\n\r\n", {"GET / <Host:h> <Connection:x , close> close"}},
      {"GET / HTTP/1.0\r\n\r\n", {"GET / close"}},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {"GET / <Connection:keep-alive> keep"}},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", {"GET / <Host:h> keep"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
       {"POST / <Host:h> <Content-Length:3> [abc] keep", "GET /2 <Host:h> keep"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", {"POST / <Host:h> <Content-Length:0> keep"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n12345678901234567890",
       {"POST / <Host:h> <Content-Length:20> [12345678901234567890] keep"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
       "Chunked\r\n\r\n3 ;y\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
       {"POST / <Host:h> <Transfer-Encoding:Chunked> [abc0123456789] keep"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\nHost: "
       "h\r\n\r\n",
       {"POST / <Host:h> <Transfer-Encoding:chunked> keep", "GET / <Host:h> keep"}},
      {"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", {"GET http://h/a <Host:h> keep"}},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", {"OPTIONS * <Host:h> keep"}},
      {"brew-2 /\xE4\xB8\xAD HTTP/1.1\r\nHost: h\r\n\r\n", {"brew-2 /\xE4\xB8\xAD <Host:h> keep"}},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: \xFF\r\n\r\n", {"GET / <Host:h> <X:\xFF> keep"}},
      {"GET / HTTP/1.1\r\nHo", {"incomplete"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", {"incomplete"}},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", {"incomplete"}},
      {"", {}},
  };
  for (const auto& [bytes, requests] : cases) {
    CAPTURE(bytes);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) CHECK(parse(bytes, piece, kSmall) == requests);
  }
}

TEST_CASE("request parser: what is not HTTP is refused, however the bytes arrive") {
  const struct {
    std::string bytes;
    ParseError error;
  } cases[] = {
      {"GET\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET /\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET  / HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET /a b HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET / HTTP/1.1 \r\n\r\n", ParseError::MalformedRequestLine},
      {" GET / HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"G(T / HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET /\x01 HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET /\x7F HTTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET /\0 HTTP/1.1\r\n\r\n"s, ParseError::MalformedRequestLine},
      {"GET / HTTP/1.1\n", ParseError::MalformedRequestLine},
      {"\n", ParseError::MalformedRequestLine},
      {"\x16\x03\x01\x02\x00\x01\xFC\x03\x03\n"s, ParseError::MalformedRequestLine},
      {"GET / FTP/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET / http/1.1\r\n\r\n", ParseError::MalformedRequestLine},
      {"GET / HTTP/2.0\r\n\r\n", ParseError::VersionNotSupported},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ParseError::VersionNotSupported},
      {"GET / HTTP/1.2\r\n\r\n", ParseError::VersionNotSupported},
      {"GET / HTTP/1.1\r\nHost h\r\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\n: h\r\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\nHost: h\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\nHost: h\0\r\n\r\n"s, ParseError::MalformedHeader},
      {"GET / HTTP/1.1\r\n\r\n", ParseError::HostHeader},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ParseError::HostHeader},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       ParseError::BadContentLength},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ParseError::BadContentLength},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       ParseError::UnsupportedTransferEncoding},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", ParseError::UnsupportedTransferEncoding},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       ParseError::UnsupportedTransferEncoding},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 21\r\n\r\n", ParseError::BodyTooLarge},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n", ParseError::ExpectationFailed},
      {"GET /" + std::string(200, 'a'), ParseError::TargetTooLong},
      {"GET / HTTP/1.1\r\nX: " + std::string(200, 'a'), ParseError::HeadTooLarge},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(169, 'a') + "\r\n\r\n", ParseError::HeadTooLarge},
  };
  for (const auto& [bytes, expected] : cases) {
    CAPTURE(bytes);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      const auto found = parse(bytes, piece, kSmall);
      REQUIRE(found.size() == 1);
      CHECK(found[0].ends_with(refused(expected)));
    }
  }
}

TEST_CASE("request parser: a malformed chunk is refused") {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const struct {
    std::string body;
    ParseError error;
  } cases[] = {
      {"\r\n", ParseError::BadChunk},
      {"x\r\n", ParseError::BadChunk},
      {"-1\r\n", ParseError::BadChunk},
      {"0x3\r\n", ParseError::BadChunk},
      {" 3\r\n", ParseError::BadChunk},
      {"3 \r\n", ParseError::BadChunk},
      {"0\r\nno header\r\n", ParseError::BadChunk},
      {"3\nabc", ParseError::BadChunk},
      {"3\r\nabcd\r\n", ParseError::BadChunk},
      {"3\r\nabc\n", ParseError::BadChunk},
      {"FFFFFFFFFFFFFFFFF\r\n", ParseError::BadChunk},
      {"1;" + std::string(5000, 'x'), ParseError::BadChunk},
      {"FFFFFFFFFFFFFFFF\r\n", ParseError::BodyTooLarge},
      {"15\r\n", ParseError::BodyTooLarge},
      {"14\r\n12345678901234567890\r\n1\r\n", ParseError::BodyTooLarge},
      {"0\r\n" + std::string(5000, 'x'), ParseError::BadChunk},
      {"0\r\nX: " + std::string(150, 'x') + "\r\nX: " + std::string(150, 'x') + "\r\n", ParseError::HeadTooLarge},
  };
  for (const auto& [body, expected] : cases) {
    CAPTURE(body);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, head.size() + body.size()}) {
      const auto found = parse(head + body, piece, kSmall);
      REQUIRE(found.size() == 1);
      CHECK(found[0].ends_with(refused(expected)));
    }
  }
}

TEST_CASE("request parser: a head of exactly the limit passes, one byte more does not") {
  const std::string start = "GET / HTTP/1.1\r\n" + kHost + "X: ";
  const std::string fitting = start + std::string(200 - start.size() - 4, 'a') + "\r\n\r\n";
  REQUIRE(fitting.size() == 200);
  CHECK(parse(fitting).at(0).ends_with(" keep"));
  CHECK(parse(start + "b" + fitting.substr(start.size())).at(0).ends_with(refused(ParseError::HeadTooLarge)));
}

TEST_CASE("request parser: it says once that a client waits for 100 Continue") {
  RequestParser parser(kSmall);
  parser.feed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n");
  CHECK_FALSE(parser.wants_continue());
  parser.feed("\r\n");
  CHECK(parser.wants_continue());
  CHECK_FALSE(parser.wants_continue());
  parser.feed("x");
  CHECK(parser.complete());
  CHECK_FALSE(parser.wants_continue());
  parser.next();
  parser.feed("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
  CHECK(parser.complete());
  CHECK_FALSE(parser.wants_continue());
}

TEST_CASE("request parser: a timeout keeps what was read") {
  RequestParser parser(kSmall);
  parser.feed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  CHECK_FALSE(parser.idle());
  parser.fail(ParseError::Timeout);
  REQUIRE(parser.complete());
  const Request& request = parser.request();
  CHECK(request.target == "/a");
  CHECK(request.parse_error == ParseError::Timeout);
  parser.next();
  CHECK(parser.idle());
}

TEST_CASE("request parser: a request leaves nothing behind for the next one") {
  ParserLimits limits;
  RequestParser parser(limits);
  parser.feed("POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab");
  REQUIRE(parser.complete());
  parser.next();
  CHECK_FALSE(parser.started());
  parser.feed("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  parser.fail(ParseError::Timeout);
  parser.next();
  parser.feed("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
  CHECK_FALSE(parser.wants_continue());
  parser.feed("x");
  REQUIRE(parser.complete());
  CHECK(text(parser.request(), parser.keep_alive()) ==
        text({"POST", "/c", {{"Host", "h"}, {"Content-Length", "1"}}, "x", {}}, true));
}

TEST_CASE("request parser: the memory of a large request is given back, that of a small one is used again") {
  RequestParser parser(ParserLimits{});
  const auto ask = [&](const std::string& target, const std::string& headers, const std::string& body) {
    parser.feed("POST " + target + " HTTP/1.1\r\nHost: h\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    REQUIRE(parser.complete());
    REQUIRE_FALSE(parser.request().parse_error);
    parser.next();
  };
  ask("/" + std::string(20'000, 'a'), "A: " + std::string(20'000, 'a') + "\r\n", std::string(100'000, 'a'));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a:\r\n";
  ask("/", many, "");
  const Request& request = parser.request();
  CHECK(request.target.capacity() < 10'000);
  CHECK(request.body.capacity() < 10'000);
  CHECK(request.headers.memory() < 10'000);
  ask("/" + std::string(100, 'a'), "A: " + std::string(100, 'a') + "\r\n", "");
  CHECK(request.target.capacity() >= 100);
  CHECK(request.headers.memory() >= 100);
}
