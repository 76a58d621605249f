#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/paced_response.h"

using namespace ocp_mock::http;
using namespace std::chrono_literals;
using Fault = WireBehavior::Fault;

namespace {

struct Piece {
  std::chrono::milliseconds time;
  std::string bytes;

  bool operator==(const Piece&) const = default;
};

std::string text_of(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += std::to_string(piece.time.count()) + " [" + piece.bytes + "]\n";
  return text;
}

}  // namespace

TEST_CASE("paced response: a response becomes a head, pieces with their times, and an end") {
  struct Client {
    bool head_only = false;
    bool http_1_0 = false;
  };
  const Client get, head{true, false}, old{false, true};
  enum class Head { None, Length, Chunked };
  const std::string malformed(kMalformedChunk), random(kRandomData);
  const struct {
    std::string name;
    WireBehavior wire;
    std::string body;
    Client client;
    Head head;
    std::vector<Piece> pieces;
    CloseMode ending;
  } cases[] = {
      // clang-format off
      {"reset",                     {Fault::ResetConnection, {}, 0, 0ms}, "0123456789", get,  Head::None,    {}, CloseMode::Reset},
      {"reset of HEAD",             {Fault::ResetConnection, {}, 0, 0ms}, "0123456789", head, Head::None,    {}, CloseMode::Reset},
      {"empty",                     {Fault::EmptyResponse, {}, 0, 0ms},   "0123456789", get,  Head::None,    {}, CloseMode::Close},
      {"random",                    {Fault::RandomData, {}, 0, 0ms},      "0123456789", get,  Head::None,    {{0ms, random}}, CloseMode::Close},
      {"random for HEAD",           {Fault::RandomData, {}, 0, 0ms},      "0123456789", head, Head::None,    {{0ms, random}}, CloseMode::Close},
      {"malformed",                 {Fault::MalformedChunk, {}, 0, 0ms},  "0123456789", get,  Head::Chunked, {{0ms, malformed}}, CloseMode::Close},
      {"malformed for HEAD",        {Fault::MalformedChunk, {}, 0, 0ms},  "0123456789", head, Head::Chunked, {}, CloseMode::Close},
      {"a fault goes first",        {Fault::RandomData, 3, 2, 10ms},      "0123456789", get,  Head::None,    {{0ms, random}}, CloseMode::Close},

      {"truncated",                 {Fault::None, 3, 0, 0ms},             "0123456789", get,  Head::Length,  {{0ms, "012"}}, CloseMode::BreakOff},
      {"truncated for HTTP/1.0",    {Fault::None, 3, 0, 0ms},             "0123456789", old,  Head::Length,  {{0ms, "012"}}, CloseMode::BreakOff},
      {"truncated at once",         {Fault::None, 0, 0, 0ms},             "0123456789", get,  Head::Length,  {}, CloseMode::BreakOff},
      {"truncated before the last", {Fault::None, 9, 0, 0ms},             "0123456789", get,  Head::Length,  {{0ms, "012345678"}}, CloseMode::BreakOff},
      {"truncated at the end",      {Fault::None, 10, 0, 0ms},            "0123456789", get,  Head::Length,  {{0ms, "0123456789"}}, CloseMode::AsPromised},
      {"truncated behind the end",  {Fault::None, 99, 0, 0ms},            "0123456789", get,  Head::Length,  {{0ms, "0123456789"}}, CloseMode::AsPromised},
      {"truncated without a body",  {Fault::None, 0, 0, 0ms},             "",           get,  Head::Length,  {}, CloseMode::AsPromised},
      {"truncated for HEAD",        {Fault::None, 3, 0, 0ms},             "0123456789", head, Head::Length,  {}, CloseMode::AsPromised},

      {"one chunk",                 {Fault::None, {}, 1, 50ms},           "0123456789", get,  Head::Chunked, {{50ms, "a\r\n0123456789\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"two chunks",                {Fault::None, {}, 2, 50ms},           "0123456789", get,  Head::Chunked, {{25ms, "5\r\n01234\r\n"}, {50ms, "5\r\n56789\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"uneven chunks and times",   {Fault::None, {}, 3, 100ms},          "01234",      get,  Head::Chunked, {{33ms, "2\r\n01\r\n"}, {66ms, "2\r\n23\r\n"}, {100ms, "1\r\n4\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"more chunks than bytes",    {Fault::None, {}, 9, 30ms},           "012",        get,  Head::Chunked, {{10ms, "1\r\n0\r\n"}, {20ms, "1\r\n1\r\n"}, {30ms, "1\r\n2\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"chunks without time",       {Fault::None, {}, 2, 0ms},            "0123",       get,  Head::Chunked, {{0ms, "2\r\n01\r\n"}, {0ms, "2\r\n23\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"negative time is none",     {Fault::None, {}, 1, -5ms},           "0123",       get,  Head::Chunked, {{0ms, "4\r\n0123\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"a long time is a year",     {Fault::None, {}, 1, std::chrono::milliseconds::max()}, "0", get, Head::Chunked, {{24h * 365, "1\r\n0\r\n0\r\n\r\n"}}, CloseMode::AsPromised},
      {"dribbled without a body",   {Fault::None, {}, 2, 50ms},           "",           get,  Head::Length,  {}, CloseMode::AsPromised},
      {"dribbled for HEAD",         {Fault::None, {}, 2, 50ms},           "0123456789", head, Head::Length,  {}, CloseMode::AsPromised},
      {"dribbled for HTTP/1.0",     {Fault::None, {}, 2, 50ms},           "0123456789", old,  Head::Length,  {{25ms, "01234"}, {50ms, "56789"}}, CloseMode::AsPromised},
      {"dribbled and truncated",    {Fault::None, 3, 2, 50ms},            "0123456789", get,  Head::Length,  {{25ms, "01"}, {50ms, "2"}}, CloseMode::BreakOff},
      // clang-format on
  };
  for (const auto& [name, wire, body, client, head_kind, pieces, ending] : cases) {
    CAPTURE(name);
    CHECK_FALSE(is_default(wire));
    PacedResponse paced({200, {{"A", "b"}}, body, wire}, client.head_only, client.http_1_0);
    CHECK(paced.has_head() == (head_kind != Head::None));
    if (paced.has_head()) {
      const auto encoding = paced.response().header("Transfer-Encoding");
      CHECK(encoding.has_value() == (head_kind == Head::Chunked));
      // Content-Length is made of it.
      if (head_kind == Head::Length) CHECK(paced.response().body == body);
    }
    std::vector<Piece> left;
    while (!paced.done()) {
      const auto time = paced.next_time();
      std::string bytes;
      paced.take(bytes);
      left.push_back({time, bytes});
    }
    CHECK(text_of(left) == text_of(pieces));
    CHECK(paced.close_mode() == ending);
  }
}

TEST_CASE("paced response: a body of which each byte is a piece comes together again") {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += std::to_string(i);
  for (const std::size_t pieces : {1UL, 2UL, 7UL, 999UL, 2889UL, 2890UL, 1'000'000'000UL}) {
    CAPTURE(pieces);
    PacedResponse paced({200, {}, body, {Fault::None, {}, pieces, 1000ms}}, false, true);
    std::string all;
    std::chrono::milliseconds last{0};
    while (!paced.done()) {
      CHECK(paced.next_time() >= last);
      last = paced.next_time();
      paced.take(all);
    }
    CHECK(all == body);
    CHECK(last == 1000ms);
  }
}

TEST_CASE("paced response: bytes that are taken ahead leave all bytes and their times as they are") {
  const WireBehavior deliveries[] = {
      {Fault::None, {}, 1, 50ms}, {Fault::None, {}, 3, 50ms}, {Fault::None, {}, 99, 50ms},
      {Fault::None, 3, 2, 50ms},  {Fault::None, 9, 0, 0ms},   {Fault::RandomData, {}, 0, 0ms},
  };
  for (const WireBehavior& wire : deliveries) {
    for (const std::size_t most : {1UL, 2UL, 100UL}) {
      const bool http_1_0 = most == 2;
      CAPTURE(wire.dribble_chunks);
      CAPTURE(most);
      const Response response{200, {}, "0123456789abcdefg", wire};
      PacedResponse plain(response, false, http_1_0);
      PacedResponse ahead(response, false, http_1_0);
      std::string expected;
      std::string all;
      while (!plain.done()) {
        CHECK(ahead.next_time() == plain.next_time());
        CHECK(ahead.body_taken() == plain.body_taken());
        const std::size_t before = all.size();
        for (std::size_t i = 0; i < most && ahead.take_byte(all); ++i) {
        }
        plain.take(expected);
        const std::size_t size = expected.size() - before;
        CHECK(all == expected.substr(0, before + std::min(most, std::max<std::size_t>(size - 1, 1))));
        ahead.take(all);
        CHECK(all == expected);
      }
      CHECK(ahead.done());
    }
  }
}

TEST_CASE("paced response: without a WireBehavior an answer leaves whole") { CHECK(is_default({})); }

TEST_CASE("paced response: the random data is 64 bytes without an end of a line") {
  CHECK(kRandomData.size() == 64);
  CHECK(kRandomData.find_first_of("\r\n") == std::string_view::npos);
}
