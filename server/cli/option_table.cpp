#include "cli/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "cli/environment.h"
#include "http/certificate.h"
#include "ocp/instant.h"

namespace ocp_mock {
namespace {

using Serve = ServeOptions;
using Text = std::string;
using http::ParserLimits;

// A value is wrong; the text says what would be right, such as "it must be any or off".
[[noreturn]] void refuse(const Text& text) { throw std::invalid_argument(text); }

// These check and convert values. They throw std::invalid_argument.

Text text(const Text& text) { return text; }

Text path(const Text& text) {
  if (text.empty() || text.starts_with("--")) refuse("it must be a path");
  return text;
}

// A path where a secret may stand by mistake.
Text secret_path(const Text& text) {
  const bool is_text = text.find_first_of("{\n") != std::string::npos || text.starts_with("-----");
  std::error_code ignored;
  const bool is_pair = text.find(':') != std::string::npos && !std::filesystem::exists(text, ignored);
  if (is_text || is_pair) refuse("it must be the path of a file, not what the file holds");
  return path(text);
}

Text utf8(const Text& text) {
  if (!is_utf8(text)) refuse("it must be UTF-8 text");
  return text;
}

Text token(const Text& text) {
  const bool good = !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
  if (!good) refuse("it must be ASCII text without blanks, and not empty");
  return text;
}

template <typename Number, Number least, Number most>
Number number(const Text& text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // 010 may be meant as eight.
  const bool octal = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || stop != end || octal || value < least || value > most) {
    refuse(fmt::format("it must be a number from {} to {}", least, most));
  }
  return value;
}

template <std::size_t least>
std::size_t count_from(const Text& text) {
  return number<std::size_t, least, 1'000'000>(text);
}

// A number with a unit.
struct Quantity {
  std::string_view rule;
  std::int64_t least;
  std::int64_t most;
  std::span<const std::pair<std::string_view, std::int64_t>> units;

  // In the unit whose factor is 1.
  std::int64_t parse(const Text& text) const {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit(stop, text.data() + text.size());
    for (const auto& [known, factor] : units) {
      if (error != std::errc{} || unit != known || value > most / factor || value * factor < least) continue;
      return value * factor;
    }
    refuse(fmt::format("it must be {}", rule));
  }
};

// clang-format off
constexpr std::pair<std::string_view, std::int64_t> kBytes[]{
    {"", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
constexpr std::pair<std::string_view, std::int64_t> kMilliseconds[]{
    {"ms", 1}, {"s", 1000}, {"m", 60'000}};
constexpr Quantity kHead{"a number of bytes, or one with KiB, MiB or GiB, from 256 to 1GiB", 256, 1 << 30, kBytes};
constexpr Quantity kBody{"a number of bytes, or one with KiB, MiB or GiB, from 0 to 1GiB", 0, 1 << 30, kBytes};
constexpr Quantity kTime{"a number with ms, s or m, from 1ms to 1440m", 1, 1440 * 60'000, kMilliseconds};
constexpr Quantity kTaskTime{"a number with ms, s or m, from 0s to 1440m", 0, 1440 * 60'000, kMilliseconds};
// clang-format on

template <const Quantity& quantity>
std::size_t size(const Text& text) {
  return static_cast<std::size_t>(quantity.parse(text));
}

std::chrono::milliseconds duration(const Text& text) { return std::chrono::milliseconds(kTime.parse(text)); }
std::chrono::milliseconds task_time(const Text& text) { return std::chrono::milliseconds(kTaskTime.parse(text)); }

int offset(const Text& text) {
  const auto minutes = parse_offset(text);
  if (!minutes) refuse("it must be +hh:mm, -hh:mm or Z, the offset from UTC, at most 23:59");
  return *minutes;
}

// Without its V.
Text version(const Text& text) {
  if (!is_utf8(text)) refuse("it must be UTF-8 text");
  const std::string_view numbers =
      std::string_view(text).substr(text.starts_with('V') || text.starts_with('v') ? 1 : 0);
  std::string_view rest = numbers;
  for (int i = 0; i < 3; ++i) {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const bool is_followed = i == 2 ? digits == rest.size() || std::string_view(".-_").find(rest[digits]) != Text::npos
                                    : digits < rest.size() && rest[digits] == '.';
    if (digits == 0 || !is_followed) refuse("it must be a version such as 4.3.1, V4.3.1 or 4.3.1-20240513");
    rest.remove_prefix(std::min(digits + 1, rest.size()));
  }
  return Text(numbers);
}

RateLimit rate_limit(const Text& text) {
  const auto limit = parse_rate_limit(text);
  if (!limit)
    refuse(fmt::format("it must be N/WINDOW, N from 1 to {}, the window 10s, 1m, 1h or 1d", kMaximumRateLimit));
  return *limit;
}

Text host_name(const Text& text) {
  const bool good = !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
  if (!good) refuse("it must be the name of a host such as mock.example.com, without scheme and port");
  return text;
}

Text certificate_name(const Text& text) {
  if (!http::is_certificate_name(text)) {
    refuse("it must be a DNS name in ASCII such as ocp.test or *.ocp.test, or an IP address");
  }
  return text;
}

// What each word of an option means.
template <typename Meaning>
using Words = std::pair<std::string_view, Meaning>;

template <const auto& words>
auto word(const Text& text) {
  const auto found = std::ranges::find(words, text, [](const auto& one) { return one.first; });
  if (found != std::end(words)) return found->second;
  std::string list;
  for (const auto& one : words) {
    list += fmt::format("{}{}", list.empty() ? "" : &one == std::end(words) - 1 ? " or " : ", ", one.first);
  }
  refuse(fmt::format("it must be {}", list));
}

template <const auto& words>
std::vector<std::string_view> all_of() {
  std::vector<std::string_view> all;
  for (const auto& one : words) all.push_back(one.first);
  return all;
}

// clang-format off
constexpr Words<WordMatch> kMatches[]{{"meaning", WordMatch::Meaning}, {"exact", WordMatch::Exact}};
constexpr Words<Window> kWindows[]{{"createTime", Window::CreateTime}, {"overlap", Window::Overlap}};
constexpr Words<AuthMode> kAuthModes[]{{"any", AuthMode::Any}, {"off", AuthMode::Off}};
constexpr Words<http::Engine> kEngines[]{{"epoll", http::Engine::Epoll}, {"httplib", http::Engine::Httplib}};
constexpr Words<bool> kIsolations[]{{"user", true}};
constexpr Words<const char*> kLogLevels[]{
    {"trace", "trace"}, {"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}, {"off", "off"}};
// clang-format on

// These put a value into the member that is reached by way of the members named.

template <auto parse, auto... members>
void set(Serve& serve, const Text& text) {
  (serve.*....*members) = parse(text);
}

template <auto parse, auto member>
constexpr auto rule = set<parse, &Serve::rules, member>;
template <auto parse, auto member>
constexpr auto limit = set<parse, &Serve::limits, member>;
template <const Quantity& quantity, auto member>
constexpr auto size_limit = set<size<quantity>, &Serve::limits, &http::Limits::parser, member>;

template <auto parse, auto member>
void append(Serve& serve, const Text& text) {
  (serve.*member).emplace_back(parse(text));
}

template <bool value, auto member>
void turn(Serve& serve, const Text&) {
  serve.*member = value;
}

void set_watch_poll(Serve& serve, const Text& text) {
  serve.watch_poll = duration(text);
  serve.watch = true;
}

void add_user_of(Serve& serve, const Text& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) refuse("it must be NAME:PASSWORD; the colon is missing");
  add_user(serve.credentials, text.substr(0, colon), text.substr(colon + 1));
}

void add_access_key_of(Serve& serve, const Text& text) {
  const auto first = text.find(':');
  if (first == std::string::npos) refuse("it must be AK:SK or AK:SK:USER; the colon is missing");
  const auto second = std::min(text.find(':', first + 1), text.size());
  const bool has_user = second != text.size();
  if (has_user && text.find(':', second + 1) != std::string::npos) {
    refuse("it must be AK:SK or AK:SK:USER; a secret key with a colon goes into --credentials");
  }
  add_access_key(serve.credentials, text.substr(0, first),
                 {text.substr(first + 1, second - first - 1),
                  text.substr(has_user ? second + 1 : 0, has_user ? std::string::npos : first)});
}

// clang-format off
constexpr Option kOptions[]{
    {"--fixtures",        "PATH",          "",           append<path, &Serve::fixtures>,               kByColons,
     "File or folder of fixtures, or installation, which is compiled in; may be repeated. Default: installation"},
    {"--db",              "FILE",          "",           set<path, &Serve::db>,                        kOnce,
     "Keep the loaded fixtures in this SQLite file; without --fixtures serve the file as it is, read-only"},
    {"--host",            "HOST",          "127.0.0.1",  set<text, &Serve::host>,                      kHealthcheck,
     "Address to listen on"},
    {"--port",            "PORT",          "8080",       set<number<int, 0, 65535>, &Serve::port>,     kHealthcheck,
     "Port to listen on; 0 picks a free one"},
    {"--port-file",       "FILE",          "",           set<path, &Serve::port_file>,                 kHealthcheck,
     "Write the port to this file once the server is ready; the file is removed when it stops"},
    {"--end-with-parent", "",              "",           turn<true, &Serve::end_with_parent>,          kOnce,
     "Stop when the process that has started the server ends, however it ends"},
    {"--pretty",          "",              "",           turn<true, &Serve::pretty>,                   kOnce,
     "Lay answers out as OCP's documentation does, two spaces per level"},
    {"--frozen",          "",              "",           turn<true, &Serve::frozen>,                   kOnce,
     "Same request, same bytes: timestamp, duration, server and trace id are constant"},
    {"--strict",          "",              "",           turn<true, &Serve::strict>,                   kOnce,
     "Refuse what breaks OCP's rules and would otherwise be answered and logged at warn: with 400 unknown, empty and "
     "repeated parameters, sizes over the maximum and raw characters in a query, with 406 an Accept that excludes JSON"},
    {"--read-only",       "",              "",           turn<true, &Serve::read_only>,                kOnce,
     "Refuse what changes data with 403, but for admin calls"},
    {"--task-duration",   "TIME",          "2s",         set<task_time, &Serve::task_duration>,        kOnce,
     "How long a task that a request starts runs, by the world's clock; 0s ends it at once"},
    {"--status-match",    "HOW",           "meaning",    rule<word<kMatches>, &ListRules::word_match>, kOnce,
     "Which tasks a status finds: all that mean the same (RUNNING also finds INPROGRESS), or only this very word", all_of<kMatches>},
    {"--window",          "HOW",           "createTime", rule<word<kWindows>, &ListRules::window>,     kOnce,
     "Which tasks startTime and endTime find: those created between the two, or those whose interval from createTime "
     "to checkpoint overlaps the window", all_of<kWindows>},
    {"--timezone",        "+hh:mm",        "+08:00",     set<offset, &Serve::offset_minutes>,          kOnce,
     "UTC offset of the answers' timestamps"},
    {"--server-name",     "NAME",          "",           set<utf8, &Serve::server_name>,               kOnce,
     "The server name in answers. Default: a24d13ce67"},
    {"--log-level",       "LEVEL",         "info",       set<word<kLogLevels>, &Serve::log_level>,     kOnce,
     "How much goes to standard error: trace, debug, info, warn, error or off", all_of<kLogLevels>},
    {"--ocp-version",     "VERSION",       "4.3.3",      set<version, &Serve::ocp_version>,            kOnce,
     "The OCP that answers: the buildVersion of /api/v2/info, and no endpoint that came later"},
    {"--auth",            "MODE",          "any",        set<word<kAuthModes>, &Serve::auth>,          kSecret,
     "any: well-formed credentials pass, or only those named below; off: nothing is checked", all_of<kAuthModes>},
    {"--user",            "NAME:PASSWORD", "",           add_user_of,                                  kAgain | kSecret,
     "A user who may log in with HTTP Basic; may be repeated"},
    {"--access-key",      "AK:SK[:USER]",  "",           add_access_key_of,                            kAgain | kSecret,
     "An access key, its secret key and the user it acts for, by default named like the key; may be repeated"},
    {"--credentials",     "FILE",          "",           set<secret_path, &Serve::credentials_file>,   kSecret,
     "JSON file of users and access keys"},
    {"--rate-limit",      "N/WINDOW",      "",           set<rate_limit, &Serve::rate_limit>,          kOnce,
     "Requests that each user may make in 10s, 1m, 1h or 1d, then 429"},
    {"--tls-cert",        "FILE",          "",           set<secret_path, &Serve::tls_certificate>,
     kSecret | kHealthcheck,
     "Serve HTTPS with this certificate (PEM, with its chain)"},
    {"--tls-key",         "FILE",          "",           set<secret_path, &Serve::tls_key>,            kSecret,
     "The key of --tls-cert (PEM)"},
    {"--tls-self-signed", "",              "",           turn<true, &Serve::tls_self_signed>,          kHealthcheck,
     "Serve HTTPS with a certificate for localhost, 127.0.0.1, ::1 and --host, created at start"},
    {"--tls-name",        "NAME",          "",           append<certificate_name, &Serve::tls_names>,  kByCommas,
     "Another DNS name, such as ocp.test or *.ocp.test, or IP address for this certificate; may be repeated"},
    {"--tls-ca-out",      "FILE",          "",           set<path, &Serve::tls_ca_out>,                kOnce,
     "Write the CA that clients must trust to this file (PEM)"},
    {"--http-engine",     "ENGINE",        "epoll",      set<word<kEngines>, &Serve::http_engine>,     kOnce,
     "What carries HTTP: epoll, or httplib, which has no wire faults and a thread for each connection", all_of<kEngines>},
    {"--max-head",        "SIZE",          "64KiB",      size_limit<kHead, &ParserLimits::head_bytes>, kOnce,
     "Request line and headers, then 414 or 431"},
    {"--max-body",        "SIZE",          "64MiB",      size_limit<kBody, &ParserLimits::body_bytes>, kOnce,
     "Body of a request, then 413"},
    {"--request-timeout", "TIME",          "30s",        limit<duration, &http::Limits::request_time>, kOnce,
     "From the first byte of a request to its last, then 408; also for a TLS handshake"},
    {"--idle-timeout",    "TIME",          "75s",        limit<duration, &http::Limits::idle_time>,    kOnce,
     "Without a request, then the connection is closed"},
    {"--write-timeout",   "TIME",          "30s",        limit<duration, &http::Limits::write_time>,   kOnce,
     "Without the client reading a byte of its answer, then the connection is closed"},
    {"--max-connections", "N",             "",           set<count_from<1>, &Serve::max_connections>,  kOnce,
     "Open at a time; others wait. Default: what the limit of open files allows"},
    {"--admin-token",     "TOKEN",         "",           set<token, &Serve::admin_token>,              kSecret,
     "Admin calls need this token (Authorization: Bearer TOKEN)"},
    {"--admin-host",      "NAME",          "",           append<host_name, &Serve::admin_hosts>,       kByCommas,
     "Another name, besides --host, under which admin calls are accepted; may be repeated"},
    {"--no-admin",        "",              "",           turn<false, &Serve::admin>,                   kOnce,
     "No admin calls under /__admin, and no journal"},
    {"--isolate-by",      "user",          "",           set<word<kIsolations>, &Serve::isolate_by_user>, kOnce,
     "Each user has a world of its own: data, clock, faults and journal", all_of<kIsolations>},
    {"--max-worlds",      "N",             "1000",       set<count_from<1>, &Serve::max_worlds>,       kOnce,
     "Worlds of users at a time, then 503"},
    {"--journal-size",    "N",             "1000",       set<count_from<0>, &Serve::journal_size>,     kOnce,
     "Requests that the journal of a world keeps; 0 for none"},
    {"--watch",           "",              "",           turn<true, &Serve::watch>,                    kOnce,
     "Load --fixtures again when their files change"},
    {"--watch-poll",      "TIME",          "",           set_watch_poll,                               kOnce,
     "Like --watch, and also look at the files at this interval, for mounts that report no changes"},
    {"--init",            "FILE",          "",           set<path, &Serve::init>,                      kOnce,
     "Admin calls to make at start: a JSON array of {\"method\",\"path\",\"body\"}"},
};

using Kind = OptionRule::Kind;
constexpr OptionRule kRules[]{
    {"--tls-self-signed", Kind::Contradicts,  "--tls-cert"},
    {"--tls-self-signed", Kind::Contradicts,  "--tls-key"},
    {"--tls-cert",        Kind::IsHalfOf,     "--tls-key"},
    {"--tls-key",         Kind::IsHalfOf,     "--tls-cert"},
    {"--tls-name",        Kind::Needs,        "--tls-self-signed"},
    {"--tls-ca-out",      Kind::Needs,        "--tls-self-signed"},
    {"--user",            Kind::IdleBeside,   "--auth", "off"},
    {"--admin-token",     Kind::IdleBeside,   "--no-admin"},
    {"--admin-host",      Kind::IdleBeside,   "--no-admin"},
    {"--journal-size",    Kind::IdleBeside,   "--no-admin"},
    {"--init",            Kind::IdleBeside,   "--no-admin"},
    {"--max-worlds",      Kind::Needs,        "--isolate-by"},
    {"--watch-poll",      Kind::Contradicts,  "--watch", "false"},
    {"--watch",           Kind::Needs,        "--fixtures"},
    {"--watch",           Kind::IdleBeside,   "--db"},
    {"--watch-poll",      Kind::Needs,        "--fixtures"},
    {"--watch-poll",      Kind::IdleBeside,   "--db"},
    {"--max-head",        Kind::NeedsDefault, "--http-engine", "httplib"},
    {"--max-connections", Kind::NeedsDefault, "--http-engine", "httplib"},
};
// clang-format on

}  // namespace

std::string Option::variable() const {
  std::string variable(kVariablePrefix);
  for (const char c : flag.substr(2)) variable += c == '-' ? '_' : to_upper_ascii(c);
  return variable;
}

std::span<const Option> option_table() { return kOptions; }

const Option& option_of(std::string_view flag) { return *std::ranges::find(kOptions, flag, &Option::flag); }

std::span<const OptionRule> option_rules() { return kRules; }

}  // namespace ocp_mock
