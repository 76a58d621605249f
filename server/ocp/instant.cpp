#include "ocp/instant.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ocp_mock {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int32_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kLongestDuration = std::int64_t{10'000} * 366 * 86'400;  // seconds

// Takes texts apart from the left; once a piece does not fit, everything after it fails too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  void literal(char expected) {
    if (!skip(expected)) fail();
  }

  bool skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // One to nine digits, as nanoseconds.
  int fraction() {
    int value = 0;
    std::size_t count = 0;
    while (count < 9 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    if (count == 0) return fail();
    for (; count < 9; ++count) value *= 10;
    return value;
  }

  int fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }

  // One to twelve digits.
  std::int64_t number() {
    std::int64_t value = 0;
    std::size_t count = 0;
    for (; count < 12 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return count == 0 ? fail() : value;
  }

  bool at_end() const { return rest_.empty(); }

  bool complete() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// YYYY-MM-DDThh:mm:ss as seconds of a calendar without offset. Fails the scanner for what no calendar or clock has.
std::int64_t scan_date_time(Scanner& scanner, bool lower_case_too) {
  const int year = scanner.digits(4);
  scanner.literal('-');
  const int month = scanner.digits(2);
  scanner.literal('-');
  const int day = scanner.digits(2);
  if (!(lower_case_too && scanner.skip('t'))) scanner.literal('T');
  const int hour = scanner.digits(2);
  scanner.literal(':');
  const int minute = scanner.digits(2);
  scanner.literal(':');
  const int second = scanner.digits(2);

  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return scanner.fail();
  return sys_days{date}.time_since_epoch() / std::chrono::seconds{1} + hour * 3600 + minute * 60 + second;
}

// ±hh:mm as minutes, or also ±hhmm.
enum class Colon { Required, Optional };
int scan_offset(Scanner& scanner, Colon colon) {
  const bool negative = scanner.skip('-');
  if (!negative) scanner.literal('+');
  const int hours = scanner.digits(2);
  if (!scanner.skip(':') && colon == Colon::Required) scanner.fail();
  const int minutes = scanner.digits(2);
  if (hours > 23 || minutes > 59) return scanner.fail();
  return (negative ? -1 : 1) * (hours * 60 + minutes);
}

constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct CivilTime {
  year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
  std::chrono::weekday weekday;
};

// The last digits, with leading zeros. fmt would take ten times as long, twice in each answer.
void append_digits(std::string& out, unsigned value, std::size_t count) {
  out.append(count, '0');
  for (auto digit = out.rbegin(); count != 0; ++digit, --count, value /= 10) {
    *digit = static_cast<char>('0' + value % 10);
  }
}

void append_year(std::string& out, const CivilTime& civil) {
  const auto year = static_cast<int>(civil.date.year());
  if (year >= 0 && year <= 9999) {
    append_digits(out, static_cast<unsigned>(year), 4);
  } else {
    fmt::format_to(std::back_inserter(out), "{:04}", year);
  }
}

void append_time(std::string& out, const CivilTime& civil) {
  append_digits(out, static_cast<unsigned>(civil.time.hours().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(civil.time.minutes().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(civil.time.seconds().count()), 2);
}

CivilTime to_civil(std::int64_t second) {
  const std::chrono::sys_seconds point{std::chrono::seconds{second}};
  const auto day = std::chrono::floor<days>(point);
  return {year_month_day{day}, std::chrono::hh_mm_ss{point - day}, std::chrono::weekday{day}};
}

}  // namespace

Instant to_instant(std::chrono::system_clock::time_point time) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch - seconds);
  return {seconds.count(), static_cast<std::int32_t>(nanos.count())};
}

Duration operator+(Duration left, Duration right) {
  const std::int32_t nano = left.nano + right.nano;
  return {left.second + right.second + nano / kNanosPerSecond, nano % kNanosPerSecond};
}

Instant operator+(Instant instant, Duration distance) {
  const Duration sum = Duration{instant.second, instant.nano} + distance;
  return {sum.second, sum.nano};
}

std::optional<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<char, std::int64_t>, 5> kUnits{
      {{'W', 7 * 86'400}, {'D', 86'400}, {'H', 3600}, {'M', 60}, {'S', 1}}};
  static constexpr std::size_t kFirstTimeUnit = 2;
  Scanner scanner(text);
  const bool negative = scanner.skip('-');
  if (!negative) scanner.skip('+');
  scanner.literal('P');
  Duration sum;
  std::size_t next = 0;  // each unit may stand once, in their order
  std::size_t end = kFirstTimeUnit;
  bool has_part = false;
  bool has_fraction = false;
  while (!scanner.at_end()) {
    if (end == kFirstTimeUnit && scanner.skip('T')) {
      next = kFirstTimeUnit;
      end = kUnits.size();
      has_part = false;
      continue;
    }
    const std::int64_t number = scanner.number();
    has_fraction = scanner.skip('.');
    if (has_fraction) sum.nano = scanner.fraction();
    while (next < end && !scanner.skip(kUnits.at(next).first)) ++next;
    if (next == end || (has_fraction && kUnits.at(next).first != 'S')) return std::nullopt;
    sum.second += number * kUnits.at(next++).second;
    has_part = true;
  }
  if (!scanner.complete() || !has_part || sum.second > kLongestDuration) return std::nullopt;
  if (!negative) return sum;
  return sum.nano == 0 ? Duration{-sum.second, 0} : Duration{-sum.second - 1, kNanosPerSecond - sum.nano};
}

std::optional<Instant> parse_query_time(std::string_view text) {
  if (text.starts_with("0000")) return std::nullopt;
  Scanner scanner(text);
  const std::int64_t second = scan_date_time(scanner, false);
  scanner.literal('Z');
  if (!scanner.complete()) return std::nullopt;
  return Instant{second, 0};
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Scanner scanner(text);
  Instant instant{scan_date_time(scanner, true), 0};
  if (scanner.skip('.')) instant.nano = scanner.fraction();
  if (!scanner.skip('Z') && !scanner.skip('z')) instant.second -= scan_offset(scanner, Colon::Optional) * 60;
  if (!scanner.complete()) return std::nullopt;
  return instant;
}

std::string flaw_of_rfc3339(std::string_view text) {
  struct Part {
    std::string_view name;
    std::size_t at;
    int least;
    int most;
  };
  static constexpr std::array<Part, 5> kParts{
      {{"month", 5, 1, 12}, {"day", 8, 1, 31}, {"hour", 11, 0, 23}, {"minute", 14, 0, 59}, {"second", 17, 0, 59}}};
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  const auto shape = [](std::string_view piece) {
    std::string form(piece);
    for (char& c : form) c = c >= '0' && c <= '9' ? '0' : c == 't' ? 'T' : c;
    return form;
  };
  if (shape(text.substr(0, kForm.size())) != kForm) return "";
  const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  for (const Part& part : kParts) {
    const int value = number(part.at);
    if (value < part.least || value > part.most) return fmt::format("its {} is {:02}", part.name, value);
  }
  if (!parse_rfc3339(std::string(text.substr(0, kForm.size())) + 'Z')) return "its month has no such day";
  const auto sign = text.find_first_of("+-", kForm.size());
  if (sign == std::string_view::npos || shape(text.substr(sign + 1)) != "00:00") return "";
  const bool is_offset = number(sign + 1) <= 23 && number(sign + 4) <= 59;
  return is_offset ? "" : fmt::format("its offset is {}, and 23:59 is the most", text.substr(sign));
}

std::optional<int> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  Scanner scanner(text);
  const int minutes = scan_offset(scanner, Colon::Required);
  if (!scanner.complete()) return std::nullopt;
  return minutes;
}

std::string format_iso_offset(Instant instant, int offset_minutes) {
  const CivilTime civil = to_civil(instant.second + offset_minutes * 60);
  std::string text;
  text.reserve(32);
  append_year(text, civil);
  text += '-';
  append_digits(text, static_cast<unsigned>(civil.date.month()), 2);
  text += '-';
  append_digits(text, static_cast<unsigned>(civil.date.day()), 2);
  text += 'T';
  append_time(text, civil);
  if (const int milliseconds = instant.nano / 1'000'000; milliseconds != 0) {
    text += '.';
    append_digits(text, static_cast<unsigned>(milliseconds), 3);
    text.erase(text.find_last_not_of('0') + 1);
  }
  if (offset_minutes == 0) return text + 'Z';
  const auto distance = static_cast<unsigned>(offset_minutes < 0 ? -offset_minutes : offset_minutes);
  text += offset_minutes < 0 ? '-' : '+';
  append_digits(text, distance / 60, 2);
  text += ':';
  append_digits(text, distance % 60, 2);
  return text;
}

std::int64_t delay_between(Instant checkpoint, Instant now) {
  constexpr std::int32_t kNanos = kNanosPerSecond / 10'000;
  // Half a unit of the fraction that is taken away counts for nothing, so the difference is rounded up there.
  return (now.second - checkpoint.second) * 10'000 - (checkpoint.nano + (kNanos / 2 - 1)) / kNanos;
}

void append_delay(std::string& out, std::int64_t ten_thousandths) {
  if (ten_thousandths < 0) out += '-';
  const auto units = static_cast<std::uint64_t>(ten_thousandths < 0 ? -ten_thousandths : ten_thousandths);
  out += std::to_string(units / 10'000);
  out += '.';
  append_digits(out, static_cast<unsigned>(units % 10'000), 4);
}

std::optional<Instant> parse_http_date(std::string_view text) {
  if (text.size() != 29) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const auto instant = parse_query_time(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month - kMonths.begin() + 1,
                                                    text.substr(5, 2), text.substr(17, 8)));
  if (!instant || format_http_date(*instant) != text) return std::nullopt;
  return instant;
}

std::string format_http_date(Instant instant) {
  const CivilTime civil = to_civil(instant.second);
  std::string text;
  text.reserve(32);
  text.append(kWeekdays.at(civil.weekday.c_encoding())).append(", ");
  append_digits(text, static_cast<unsigned>(civil.date.day()), 2);
  text.append(" ").append(kMonths.at(static_cast<unsigned>(civil.date.month()) - 1)).append(" ");
  append_year(text, civil);
  text += ' ';
  append_time(text, civil);
  return text.append(" GMT");
}

}  // namespace ocp_mock
