#include "ocp/instant.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;

TEST_CASE("instant: a query time is exactly YYYY-MM-DDThh:mm:ssZ") {
  const struct {
    std::string text;
    std::int64_t second;
  } good[] = {
      {"1970-01-01T00:00:00Z", 0},  {"2024-08-06T00:00:00Z", 1722902400},   {"2024-02-29T23:59:59Z", 1709251199},
      {"1969-12-31T23:59:59Z", -1}, {"0001-01-01T00:00:00Z", -62135596800}, {"9999-12-31T23:59:59Z", 253402300799},
  };
  for (const auto& [text, second] : good) {
    CAPTURE(text);
    const auto instant = parse_query_time(text);
    REQUIRE(instant);
    CHECK(instant->second == second);
    CHECK(instant->nano == 0);
  }
}

TEST_CASE("instant: any other query time is refused") {
  for (const std::string text : {"",
                                 " ",
                                 "2024-08-06",
                                 "2024-08-06T00:00:00",
                                 "2024-08-06T00:00:00+08:00",
                                 "2024-08-06T00:00:00+00:00",
                                 "2024-08-06T00:00:00.5Z",
                                 "2024-08-06T00:00:00.000Z",
                                 "2024-02-30T00:00:00Z",
                                 "2023-02-29T00:00:00Z",
                                 "0000-01-01T00:00:00Z",
                                 "2024-13-01T00:00:00Z",
                                 "2024-00-01T00:00:00Z",
                                 "2024-01-00T00:00:00Z",
                                 "2024-08-06T24:00:00Z",
                                 "2024-08-06T00:60:00Z",
                                 "2024-08-06T00:00:60Z",
                                 "2024-08-06t00:00:00Z",
                                 "2024-08-06T00:00:00z",
                                 "2024-08-06 00:00:00Z",
                                 "2024-8-6T00:00:00Z",
                                 "2024-08-06T00:00:00Z ",
                                 " 2024-08-06T00:00:00Z",
                                 "2024-08-06T00:00:00ZZ",
                                 "12024-08-06T00:00:00Z",
                                 "-024-08-06T00:00:00Z",
                                 "+024-08-06T00:00:00Z",
                                 "2024-08-06T0 :00:00Z",
                                 "2024-08-06T00:00Z",
                                 "２024-08-06T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_query_time(text));
  }
}

TEST_CASE("instant: a fixture's time keeps its nanoseconds and loses its offset") {
  const struct {
    std::string text;
    Instant instant;
  } good[] = {
      {"2024-08-09T15:58:21.716899+08:00", {1723190301, 716899000}},
      {"2024-08-09T07:58:21.716899Z", {1723190301, 716899000}},
      {"2024-08-09T07:58:21Z", {1723190301, 0}},
      {"2024-08-09T15:58:21+0800", {1723190301, 0}},
      {"2024-08-08T08:28:21.357-2330", {1723190301, 357000000}},
      {"2024-08-09t07:58:21z", {1723190301, 0}},
      {"2024-08-09T07:58:21-00:00", {1723190301, 0}},
      {"2024-08-09T07:58:21.1Z", {1723190301, 100000000}},
      {"2024-08-09T07:58:21.000000001Z", {1723190301, 1}},
      {"2024-08-09T07:58:21.999999999Z", {1723190301, 999999999}},
      {"2024-08-08T08:28:21-23:30", {1723190301, 0}},
      {"1969-12-31T23:59:59.5Z", {-1, 500000000}},
      {"0000-01-01T00:00:00Z", {-62167219200, 0}},
      {"9999-12-31T23:59:59.999999999Z", {253402300799, 999999999}},
  };
  for (const auto& [text, expected] : good) {
    CAPTURE(text);
    const auto instant = parse_rfc3339(text);
    REQUIRE(instant);
    CHECK(instant->second == expected.second);
    CHECK(instant->nano == expected.nano);
  }
}

TEST_CASE("instant: what is not RFC 3339 is refused") {
  for (const std::string text : {"",
                                 "2024-08-09",
                                 "2024-08-09T15:58:21",
                                 "2024-08-09T15:58:21.",
                                 "2024-08-09T15:58:21.Z",
                                 "2024-08-09T15:58:21.1234567890Z",
                                 "2024-08-09T15:58:21+8:00",
                                 "2024-08-09T15:58:21+080",
                                 "2024-08-09T15:58:21+08000",
                                 "2024-08-09T15:58:21+2400",
                                 "2024-08-09T15:58:21+24:00",
                                 "2024-08-09T15:58:21+08:60",
                                 "2024-08-09T15:58:21 +08:00",
                                 "2024-08-09 15:58:21+08:00",
                                 "2024-02-30T15:58:21+08:00",
                                 "2024-08-09T15:58:60Z",
                                 "2024-08-09T25:58:21Z",
                                 "2024-08-09T15:58:21ZZ",
                                 "2024-08-09T15:58+08:00",
                                 "yesterday",
                                 "2024-08-09T15:58:21,5Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("instant: instants order by time, not by text") {
  CHECK(*parse_rfc3339("2024-08-09T15:58:21+08:00") == *parse_rfc3339("2024-08-09T07:58:21.000Z"));
  CHECK(*parse_rfc3339("2024-08-09T15:58:21+08:00") < *parse_rfc3339("2024-08-09T07:58:21.000000001Z"));
  CHECK(*parse_rfc3339("2024-08-09T15:58:21+08:00") < *parse_rfc3339("2024-08-09T08:00:00Z"));
}

TEST_CASE("instant: OCP's timestamps have no trailing zeros and no fraction on a whole second") {
  const struct {
    std::int32_t nano;
    std::string text;
  } cases[] = {
      {743'000'000, "2024-08-09T16:06:02.743+08:00"}, {740'000'000, "2024-08-09T16:06:02.74+08:00"},
      {700'000'000, "2024-08-09T16:06:02.7+08:00"},   {7'000'000, "2024-08-09T16:06:02.007+08:00"},
      {70'000'000, "2024-08-09T16:06:02.07+08:00"},   {0, "2024-08-09T16:06:02+08:00"},
      {999'999, "2024-08-09T16:06:02+08:00"},         {999'999'999, "2024-08-09T16:06:02.999+08:00"},
  };
  for (const auto& [nano, text] : cases) CHECK(format_iso_offset({1723190762, nano}, 480) == text);
}

TEST_CASE("instant: a timestamp stands in the offset asked for") {
  const Instant instant{1723190762, 0};
  CHECK(format_iso_offset(instant, 0) == "2024-08-09T08:06:02Z");
  CHECK(format_iso_offset(instant, -210) == "2024-08-09T04:36:02-03:30");
  CHECK(format_iso_offset(instant, -1) == "2024-08-09T08:05:02-00:01");
  CHECK(format_iso_offset(instant, 16 * 60) == "2024-08-10T00:06:02+16:00");
  CHECK(format_iso_offset({-1, 500'000'000}, 0) == "1969-12-31T23:59:59.5Z");
}

TEST_CASE("instant: offsets") {
  CHECK(parse_offset("+08:00") == 480);
  CHECK(parse_offset("-03:30") == -210);
  CHECK(parse_offset("Z") == 0);
  CHECK(parse_offset("+00:00") == 0);
  CHECK(parse_offset("+23:59") == 23 * 60 + 59);
  for (const std::string text :
       {"", "08:00", "+8:00", "+0800", "+24:00", "+08:60", "z", "UTC", "+08:00 ", "Asia/Shanghai"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_offset(text));
  }
}

TEST_CASE("instant: HTTP dates") {
  CHECK(format_http_date({784111777, 0}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(format_http_date({1709164800, 999'999'999}) == "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST_CASE("instant: the system's clock keeps its nanoseconds, also before 1970") {
  using std::chrono::nanoseconds;
  const auto at = [](std::int64_t nanos) {
    return to_instant(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(nanoseconds(nanos))));
  };
  CHECK(at(1'500'000'001) == Instant{1, 500'000'001});
  CHECK(at(-1) == Instant{-1, 999'999'999});
}

TEST_CASE("instant: a duration is one of ISO 8601, without years and months") {
  const struct {
    std::string text;
    Duration duration;
  } cases[] = {
      {"PT0S", {0, 0}},
      {"PT5M", {300, 0}},
      {"P1D", {86'400, 0}},
      {"-P1D", {-86'400, 0}},
      {"+PT1H", {3600, 0}},
      {"P2W", {1'209'600, 0}},
      {"P1W2DT3H4M5S", {604'800 + 2 * 86'400 + 3 * 3600 + 4 * 60 + 5, 0}},
      {"P1DT12H", {129'600, 0}},
      {"PT90M", {5400, 0}},
      {"PT0.5S", {0, 500'000'000}},
      {"-PT0.5S", {-1, 500'000'000}},
      {"-PT1.000000001S", {-2, 999'999'999}},
      {"PT1H0.25S", {3600, 250'000'000}},
      {"P3660000D", {316'224'000'000, 0}},
  };
  for (const auto& [text, duration] : cases) {
    CAPTURE(text);
    CHECK(parse_duration(text) == duration);
  }
  for (const std::string text : {"",
                                 "P",
                                 "PT",
                                 "P1",
                                 "1D",
                                 "P1DT",
                                 "PD",
                                 "P1Y",
                                 "P1M",
                                 "PT1M1H",
                                 "PT1M1M",
                                 "P1D1W",
                                 "PT1.5M",
                                 "PT.5S",
                                 "PT1.S",
                                 "PT1.0000000001S",
                                 "P1H",
                                 "PT1D",
                                 "P-1D",
                                 "P1D ",
                                 " P1D",
                                 "p1d",
                                 "PT1,5S",
                                 "P3660001D",
                                 "PT9999999999999S"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("instant: a duration is added with its nanoseconds") {
  CHECK(Instant{10, 600'000'000} + Duration{1, 500'000'000} == Instant{12, 100'000'000});
  CHECK(Instant{10, 0} + Duration{-1, 999'999'999} == Instant{9, 999'999'999});
  CHECK(Instant{10, 1} + Duration{-1, 999'999'999} == Instant{10, 0});
}

TEST_CASE("instant: a delay is now cut to whole seconds, less the checkpoint, with four decimals") {
  const struct {
    std::string now;
    std::string checkpoint;
    std::string delay;
  } cases[] = {
      // The published answers; the second one shows its checkpoint cut to milliseconds.
      {"2024-08-09T16:06:02.743+08:00", "2024-08-09T16:04:21.810084+08:00", "100.1899"},
      {"2021-09-23T14:34:35.149+08:00", "2021-09-23T14:33:17.3579+08:00", "77.6421"},
      {"2024-08-09T16:06:02Z", "2024-08-09T16:06:02Z", "0.0000"},
      {"2024-08-09T16:06:02.999999999Z", "2024-08-09T16:06:02Z", "0.0000"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02Z", "1.0000"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.9999Z", "0.0001"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.00001Z", "1.0000"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.99999Z", "0.0000"},
      // To the nearest, and from the middle up.
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.99995Z", "0.0001"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.999950001Z", "0.0000"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.999949999Z", "0.0001"},
      {"2024-08-09T16:06:03Z", "2024-08-09T16:06:02.12345Z", "0.8766"},
      // A checkpoint ahead, if only of the second that is cut to.
      {"2024-08-09T16:06:02.9Z", "2024-08-09T16:06:02.5Z", "-0.5000"},
      {"2024-08-09T16:06:02Z", "2024-08-09T16:06:02.0001Z", "-0.0001"},
      {"2024-08-09T16:06:02Z", "2024-08-09T16:06:02.00005Z", "0.0000"},
      {"2024-08-09T16:06:02Z", "2024-08-09T16:06:02.000050001Z", "-0.0001"},
      {"2024-08-09T16:06:02Z", "2024-08-10T16:06:02Z", "-86400.0000"},
      {"1969-12-31T23:59:58.5Z", "1969-12-31T23:59:57.25Z", "0.7500"},
      {"9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "315569519999.0000"},
      {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "-315569520000.0000"},
  };
  for (const auto& [now, checkpoint, delay] : cases) {
    CAPTURE(now);
    CAPTURE(checkpoint);
    std::string text = "x";
    append_delay(text, delay_between(*parse_rfc3339(checkpoint), *parse_rfc3339(now)));
    CHECK(text == "x" + delay);
  }
}
