// OCP's time texts and exact instants.
// Input: the text of a time, or an instant and an offset. Output: the other of the two.
// Knows no clock: a caller that needs the current time passes it in.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocp_mock {

// A point in time: whole seconds since 1970-01-01T00:00:00Z (negative before) and nanoseconds, 0 to 999,999,999, after
// them. Two integers, because one 64-bit count of nanoseconds ends in the year 2262.
struct Instant {
  std::int64_t second = 0;
  std::int32_t nano = 0;

  auto operator<=>(const Instant&) const = default;
};

// A distance in time, in the same form: -1 ns is second -1 and nano 999,999,999.
struct Duration {
  std::int64_t second = 0;
  std::int32_t nano = 0;

  auto operator<=>(const Duration&) const = default;
};

Duration operator+(Duration left, Duration right);
Instant operator+(Instant instant, Duration distance);

// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds: "PT5M", "-P1DT12H", "PT0.5S", at most 10,000
// years long. Nothing for any other text, and for years and months, whose length depends on the calendar.
std::optional<Duration> parse_duration(std::string_view text);

// What messages say of its form.
inline constexpr std::string_view kDurationForm =
    "an ISO 8601 duration of weeks, days, hours, minutes and seconds (PT1M is a minute; P1M would be a month, which "
    "has "
    "no fixed length)";

Instant to_instant(std::chrono::system_clock::time_point time);

// Reads a time of a query parameter: exactly YYYY-MM-DDThh:mm:ssZ, years 0001 to 9999 (OCP's page of the endpoint:
// "UTC only"). Nothing for any other text and for a date that no calendar has.
std::optional<Instant> parse_query_time(std::string_view text);

// Reads a time of a fixture: RFC 3339, years 0000 to 9999, with an offset and up to nine digits of fraction; T and Z in
// either case. The offset may lack its colon, +0800, as in some of OCP's answers. Nothing for any other text; a 60th
// second is refused, for OCP's Java cannot hold one.
std::optional<Instant> parse_rfc3339(std::string_view text);

// What no calendar or clock has in a text of that form, "its month is 13"; empty for any other text.
std::string flaw_of_rfc3339(std::string_view text);

// Reads an offset from UTC, "+08:00", "-03:30" or "Z", as minutes. Nothing for any other text.
std::optional<int> parse_offset(std::string_view text);

// Writes an instant as OCP does, in milliseconds, rounded down: no trailing zeros in the fraction and no fraction on a
// whole second; "Z" for the offset zero (Java's ISO_OFFSET_DATE_TIME).
std::string format_iso_offset(Instant instant, int offset_minutes);

// How far a backup is behind, as OCP has it: from the checkpoint to now, cut to whole seconds. In ten-thousandths of a
// second, rounded to the nearest, of two equally near ones to the later; negative if the checkpoint lies ahead. In both
// of OCP's published answers the delay is this: 16:06:02.743 and 16:04:21.810084 give 100.1899, 14:34:35.149 and
// 14:33:17.3579 give 77.6421. Rounding down would give the same there, rounding up would not.
std::int64_t delay_between(Instant checkpoint, Instant now);

// Writes ten-thousandths with their four decimals.
void append_delay(std::string& out, std::int64_t ten_thousandths);

// Reads a date of RFC 1123 as format_http_date writes it. Nothing for any other text, for a date that no calendar has
// and for a wrong day of the week.
std::optional<Instant> parse_http_date(std::string_view text);

// Writes an instant as an HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 1123, RFC 9110).
std::string format_http_date(Instant instant);

}  // namespace ocp_mock
