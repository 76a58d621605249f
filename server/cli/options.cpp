#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/environment.h"
#include "embedded/version.h"
#include "http/certificate.h"
#include "json/text.h"
#include "ocp/error.h"
#include "ocp/instant.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kNotShown = "(not shown, it may be a secret)";

// The sentence for the user.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A value is wrong; the text says what would be right, such as "it must be any or off".
[[noreturn]] void refuse(const std::string& text) { throw std::invalid_argument(text); }

// These check and convert values. They throw std::invalid_argument.

std::string path(const std::string& text) {
  if (text.empty() || text.starts_with("--")) refuse("it must be a path");
  return text;
}

// A path where a secret may stand by mistake.
std::string path_of_secrets(const std::string& text) {
  const bool is_text = text.find_first_of("{\n") != std::string::npos || text.starts_with("-----");
  std::error_code ignored;
  const bool is_pair = text.find(':') != std::string::npos && !std::filesystem::exists(text, ignored);
  if (is_text || is_pair) refuse("it must be the path of a file, not what the file holds");
  return path(text);
}

std::string utf8(const std::string& text) {
  if (!is_utf8(text)) refuse("it must be UTF-8 text");
  return text;
}

std::string token(const std::string& text) {
  const bool good = !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
  if (!good) refuse("it must be ASCII text without blanks, and not empty");
  return text;
}

std::string one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  if (std::ranges::find(words, text) != words.end()) return text;
  const std::vector<std::string_view> first(words.begin(), words.end() - 1);
  refuse(fmt::format("it must be {}{}{}", fmt::join(first, ", "), first.empty() ? "" : " or ", *(words.end() - 1)));
}

template <typename Number>
Number number(const std::string& text, Number least, Number most) {
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

// A number with a unit.
struct Quantity {
  std::string_view rule;
  std::int64_t least;
  std::int64_t most;
  std::span<const std::pair<std::string_view, std::int64_t>> units;

  // In the unit whose factor is 1.
  std::int64_t parse(const std::string& text) const {
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
constexpr Quantity kHeadSize{"a number of bytes, or one with KiB, MiB or GiB, from 256 to 1GiB", 256, 1 << 30, kBytes};
constexpr Quantity kBodySize{"a number of bytes, or one with KiB, MiB or GiB, from 0 to 1GiB", 0, 1 << 30, kBytes};
constexpr Quantity kTime{"a number with ms, s or m, from 1ms to 1440m", 1, 1440 * 60'000, kMilliseconds};
// clang-format on

std::size_t size(const std::string& text, const Quantity& quantity) {
  return static_cast<std::size_t>(quantity.parse(text));
}

std::chrono::milliseconds duration(const std::string& text) { return std::chrono::milliseconds(kTime.parse(text)); }

int offset(const std::string& text) {
  const auto minutes = parse_offset(text);
  if (!minutes) refuse("it must be +hh:mm, -hh:mm or Z, the offset from UTC, at most 23:59");
  return *minutes;
}

RateLimit rate_limit(const std::string& text) {
  const auto limit = parse_rate_limit(text);
  if (!limit)
    refuse(fmt::format("it must be N/WINDOW, N from 1 to {}, the window 10s, 1m, 1h or 1d", kMaximumRateLimit));
  return *limit;
}

std::string host_name(const std::string& text) {
  const bool good = !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
  if (!good) refuse("it must be the name of a host such as mock.example.com, without scheme and port");
  return text;
}

std::string certificate_name(const std::string& text) {
  if (!http::is_certificate_name(text)) {
    refuse("it must be a DNS name in ASCII such as ocp.test or *.ocp.test, or an IP address");
  }
  return text;
}

void add_user_of(Credentials& credentials, const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) refuse("it must be NAME:PASSWORD; the colon is missing");
  add_user(credentials, text.substr(0, colon), text.substr(colon + 1));
}

void add_access_key_of(Credentials& credentials, const std::string& text) {
  const auto first = text.find(':');
  if (first == std::string::npos) refuse("it must be AK:SK or AK:SK:USER; the colon is missing");
  const auto second = std::min(text.find(':', first + 1), text.size());
  const bool has_user = second != text.size();
  if (has_user && text.find(':', second + 1) != std::string::npos) {
    refuse("it must be AK:SK or AK:SK:USER; a secret key with a colon goes into --credentials");
  }
  add_access_key(credentials, text.substr(0, first),
                 {text.substr(first + 1, second - first - 1),
                  text.substr(has_user ? second + 1 : 0, has_user ? std::string::npos : first)});
}

// What is special about an option: whether it may be given more than once, is a secret, or serves another command, too.
enum Trait : unsigned {
  kOnce = 0,
  kAgain = 1,         // the flag more than once
  kByColons = 3,      // so, and in the variable separated by colons
  kByCommas = 5,      // or by commas
  kSecret = 8,        // no message shows the value
  kHealthcheck = 16,  // healthcheck uses it, too
};

struct Option {
  std::string_view flag;
  std::string_view value;     // what help calls the value; empty for a switch
  std::string_view fallback;  // the value that counts without one; empty if there is none
  unsigned traits;
  void (*take)(ServeOptions&, const std::string&);  // throws std::invalid_argument; a switch's is called if it is on
  std::string_view help;

  bool has(Trait trait) const { return (traits & trait) == trait; }
};

using Serve = ServeOptions;
using Text = std::string;

// Help, variables, messages and what the README's table must say come from here.
// clang-format off
constexpr Option kOptions[]{
    {"--fixtures", "PATH", "", kByColons,
     [](Serve& serve, const Text& text) { serve.fixtures.emplace_back(path(text)); },
     "File or folder of fixtures; may be repeated. Default: OCP's own example, compiled in"},
    {"--db", "FILE", "", kOnce,
     [](Serve& serve, const Text& text) { serve.db = path(text); },
     "Keep the loaded fixtures in this SQLite file; without --fixtures serve the file as it is, read-only"},
    {"--host", "HOST", "127.0.0.1", kHealthcheck,
     [](Serve& serve, const Text& text) { serve.host = text; },
     "Address to listen on"},
    {"--port", "PORT", "8080", kHealthcheck,
     [](Serve& serve, const Text& text) { serve.port = number(text, 0, 65535); },
     "Port to listen on; 0 picks a free one"},
    {"--port-file", "FILE", "", kHealthcheck,
     [](Serve& serve, const Text& text) { serve.port_file = path(text); },
     "Write the port to this file once the server is ready; the file is removed when it stops"},
    {"--pretty", "", "", kOnce,
     [](Serve& serve, const Text&) { serve.pretty = true; },
     "Lay answers out as OCP's documentation does, two spaces per level"},
    {"--frozen", "", "", kOnce,
     [](Serve& serve, const Text&) { serve.frozen = true; },
     "Same request, same bytes: timestamp, duration, server and trace id are constant"},
    {"--strict", "", "", kOnce,
     [](Serve& serve, const Text&) { serve.strict = true; },
     "Refuse what breaks OCP's rules and would otherwise be answered and logged at warn: with 400 unknown, empty and "
     "repeated parameters, sizes over the maximum and raw characters in a query, with 406 an Accept that excludes JSON"},
    {"--status-match", "HOW", "meaning", kOnce,
     [](Serve& serve, const Text& text) {
       serve.rules.word_match = one_of(text, {"meaning", "exact"}) == "exact" ? WordMatch::Exact : WordMatch::Meaning;
     },
     "Which tasks a status finds: all that mean the same (RUNNING also finds INPROGRESS), or only this very word"},
    {"--window", "HOW", "createTime", kOnce,
     [](Serve& serve, const Text& text) {
       serve.rules.window = one_of(text, {"createTime", "overlap"}) == "overlap" ? Window::Overlap : Window::CreateTime;
     },
     "Which tasks startTime and endTime find: those created between the two, or those whose interval from createTime "
     "to checkpoint overlaps the window"},
    {"--timezone", "+hh:mm", "+08:00", kOnce,
     [](Serve& serve, const Text& text) { serve.offset_minutes = offset(text); },
     "UTC offset of the answers' timestamps"},
    {"--server-name", "NAME", "", kOnce,
     [](Serve& serve, const Text& text) { serve.server_name = utf8(text); },
     "The server name in answers. Default: a24d13ce67"},
    {"--log-level", "LEVEL", "info", kOnce,
     [](Serve& serve, const Text& text) {
       serve.log_level = one_of(text, {"trace", "debug", "info", "warn", "error", "off"});
     },
     "How much goes to standard error: trace, debug, info, warn, error or off"},
    {"--ocp-version", "VERSION", "4.3.3", kOnce,
     [](Serve& serve, const Text& text) { serve.ocp_version = utf8(text); },
     "The buildVersion of /api/v2/info"},
    {"--auth", "MODE", "any", kSecret,
     [](Serve& serve, const Text& text) {
       serve.auth = one_of(text, {"any", "off"}) == "off" ? AuthMode::Off : AuthMode::Any;
     },
     "any: well-formed credentials pass, or only those named below; off: nothing is checked"},
    {"--user", "NAME:PASSWORD", "", kAgain | kSecret,
     [](Serve& serve, const Text& text) { add_user_of(serve.credentials, text); },
     "A user who may log in with HTTP Basic; may be repeated"},
    {"--access-key", "AK:SK[:USER]", "", kAgain | kSecret,
     [](Serve& serve, const Text& text) { add_access_key_of(serve.credentials, text); },
     "An access key, its secret key and the user it acts for, by default named like the key; may be repeated"},
    {"--credentials", "FILE", "", kSecret,
     [](Serve& serve, const Text& text) { serve.credentials_file = path_of_secrets(text); },
     "JSON file of users and access keys"},
    {"--rate-limit", "N/WINDOW", "", kOnce,
     [](Serve& serve, const Text& text) { serve.rate_limit = rate_limit(text); },
     "Requests that each user may make in 10s, 1m, 1h or 1d, then 429"},
    {"--tls-cert", "FILE", "", kSecret | kHealthcheck,
     [](Serve& serve, const Text& text) { serve.tls_certificate = path_of_secrets(text); },
     "Serve HTTPS with this certificate (PEM, with its chain)"},
    {"--tls-key", "FILE", "", kSecret,
     [](Serve& serve, const Text& text) { serve.tls_key = path_of_secrets(text); },
     "The key of --tls-cert (PEM)"},
    {"--tls-self-signed", "", "", kHealthcheck,
     [](Serve& serve, const Text&) { serve.tls_self_signed = true; },
     "Serve HTTPS with a certificate for localhost, 127.0.0.1, ::1 and --host, created at start"},
    {"--tls-name", "NAME", "", kByCommas,
     [](Serve& serve, const Text& text) { serve.tls_names.push_back(certificate_name(text)); },
     "Another DNS name, such as ocp.test or *.ocp.test, or IP address for this certificate; may be repeated"},
    {"--tls-ca-out", "FILE", "", kOnce,
     [](Serve& serve, const Text& text) { serve.tls_ca_out = path(text); },
     "Write the CA that clients must trust to this file (PEM)"},
    {"--http-engine", "ENGINE", "epoll", kOnce,
     [](Serve& serve, const Text& text) {
       serve.http_engine = one_of(text, {"epoll", "httplib"}) == "httplib" ? http::Engine::Httplib : http::Engine::Epoll;
     },
     "What carries HTTP: epoll, or httplib, which has no wire faults and a thread for each connection"},
    {"--max-head", "SIZE", "64KiB", kOnce,
     [](Serve& serve, const Text& text) { serve.limits.parser.head_bytes = size(text, kHeadSize); },
     "Request line and headers, then 414 or 431"},
    {"--max-body", "SIZE", "64MiB", kOnce,
     [](Serve& serve, const Text& text) { serve.limits.parser.body_bytes = size(text, kBodySize); },
     "Body of a request, then 413"},
    {"--request-timeout", "TIME", "30s", kOnce,
     [](Serve& serve, const Text& text) { serve.limits.request_time = duration(text); },
     "From the first byte of a request to its last, then 408; also for a TLS handshake"},
    {"--idle-timeout", "TIME", "75s", kOnce,
     [](Serve& serve, const Text& text) { serve.limits.idle_time = duration(text); },
     "Without a request, then the connection is closed"},
    {"--write-timeout", "TIME", "30s", kOnce,
     [](Serve& serve, const Text& text) { serve.limits.write_time = duration(text); },
     "Without the client reading a byte of its answer, then the connection is closed"},
    {"--max-connections", "N", "", kOnce,
     [](Serve& serve, const Text& text) { serve.max_connections = number<std::size_t>(text, 1, 1'000'000); },
     "Open at a time; others wait. Default: what the limit of open files allows"},
    {"--admin-token", "TOKEN", "", kSecret,
     [](Serve& serve, const Text& text) { serve.admin_token = token(text); },
     "Admin calls need this token (Authorization: Bearer TOKEN)"},
    {"--admin-host", "NAME", "", kByCommas,
     [](Serve& serve, const Text& text) { serve.admin_hosts.push_back(host_name(text)); },
     "Another name, besides --host, under which admin calls are accepted; may be repeated"},
    {"--no-admin", "", "", kOnce,
     [](Serve& serve, const Text&) { serve.admin = false; },
     "No admin calls under /__admin, and no journal"},
    {"--isolate-by", "user", "", kOnce,
     [](Serve& serve, const Text& text) { serve.isolate_by_user = one_of(text, {"user"}) == "user"; },
     "Each user has a world of its own: data, clock, faults and journal"},
    {"--max-worlds", "N", "1000", kOnce,
     [](Serve& serve, const Text& text) { serve.max_worlds = number<std::size_t>(text, 1, 1'000'000); },
     "Worlds of users at a time, then 503"},
    {"--journal-size", "N", "1000", kOnce,
     [](Serve& serve, const Text& text) { serve.journal_size = number<std::size_t>(text, 0, 1'000'000); },
     "Requests that the journal of a world keeps; 0 for none"},
    {"--watch", "", "", kOnce,
     [](Serve& serve, const Text&) { serve.watch = true; },
     "Load --fixtures again when their files change"},
    {"--watch-poll", "TIME", "", kOnce,
     [](Serve& serve, const Text& text) {
       serve.watch_poll = duration(text);
       serve.watch = true;
     },
     "Like --watch, and also look at the files at this interval, for mounts that report no changes"},
    {"--init", "FILE", "", kOnce,
     [](Serve& serve, const Text& text) { serve.init = path(text); },
     "Admin calls to make at start: a JSON array of {\"method\",\"path\",\"body\"}"},
};

// Options that do nothing together. Of a flag and a variable the flag counts, and the variable is passed over.
struct Rule {
  enum class Kind {
    Contradicts,  // both say how the same is to be done
    IsHalfOf,     // it has no meaning without the other one, and to pass it over would not be what was meant
    Needs,        // it does nothing without the other one
    IdleBeside,   // it does nothing beside the other one
  };
  std::string_view flag;
  Kind kind;
  std::string_view other;
  std::string_view value = {};  // the other one counts with this value only, a switch that is off with "false"
};

// In this order, because an option that is passed over breaks no further rule.
constexpr Rule kRules[]{
    {"--tls-self-signed", Rule::Kind::Contradicts, "--tls-cert"},
    {"--tls-self-signed", Rule::Kind::Contradicts, "--tls-key"},
    {"--tls-cert",        Rule::Kind::IsHalfOf,    "--tls-key"},
    {"--tls-key",         Rule::Kind::IsHalfOf,    "--tls-cert"},
    {"--tls-name",        Rule::Kind::Needs,       "--tls-self-signed"},
    {"--tls-ca-out",      Rule::Kind::Needs,       "--tls-self-signed"},
    {"--user",            Rule::Kind::IdleBeside,  "--auth", "off"},
    {"--admin-token",     Rule::Kind::IdleBeside,  "--no-admin"},
    {"--admin-host",      Rule::Kind::IdleBeside,  "--no-admin"},
    {"--journal-size",    Rule::Kind::IdleBeside,  "--no-admin"},
    {"--init",            Rule::Kind::IdleBeside,  "--no-admin"},
    {"--max-worlds",      Rule::Kind::Needs,       "--isolate-by"},
    {"--watch-poll",      Rule::Kind::Contradicts, "--watch", "false"},
    {"--watch",           Rule::Kind::Needs,       "--fixtures"},
    {"--watch",           Rule::Kind::IdleBeside,  "--db"},
    {"--watch-poll",      Rule::Kind::Needs,       "--fixtures"},
    {"--watch-poll",      Rule::Kind::IdleBeside,  "--db"},
};

struct SwitchWord {
  std::string_view text;  // letters of either case
  bool is_on;
};
constexpr SwitchWord kSwitchWords[]{{"true", true},   {"1", true},  {"on", true},   {"yes", true},
                                    {"false", false}, {"0", false}, {"off", false}, {"no", false}};

// Options of --http-engine epoll alone.
constexpr std::string_view kEpollOnly[]{"--max-head", "--max-connections"};

struct CommandText {
  const char* name;
  const char* text;
  const char* example;  // of its use; help ends with it
};

constexpr CommandText kServeCommand{
    "serve", "Run the server (what happens without a command)",
    "ocp-mock-server --port 0 --port-file ocp.port --fixtures tests/fixtures"};
constexpr CommandText kCheckCommand{
    "check", "Validate fixtures and show what they contain; exit code 1 if they are wrong",
    "ocp-mock-server check fixtures/logBackupTasks.json"};
constexpr CommandText kHealthcheckCommand{
    "healthcheck", "Ask a server whether it is up; exit code 1 if it is not. For images without curl",
    "ocp-mock-server healthcheck http://127.0.0.1:8080"};
constexpr CommandText kHelpCommand{
    "help", "Print the help of the server or of a command",
    "ocp-mock-server help check"};
constexpr CommandText kVersionCommand{
    "version", "Print the version",
    "ocp-mock-server version"};
// clang-format on

std::string variable_of(const Option& option) {
  std::string variable(kVariablePrefix);
  for (const char c : option.flag.substr(2)) variable += c == '-' ? '_' : to_upper_ascii(c);
  return variable;
}

const Option& option_of(std::string_view flag) { return *std::ranges::find(kOptions, flag, &Option::flag); }

// What was given for an option.
struct Given {
  enum class From { Nowhere, Flag, Variable } from = From::Nowhere;
  std::vector<std::string> values;
  From off_from = From::Nowhere;  // of a switch that was given as off

  explicit operator bool() const { return from != From::Nowhere; }
};

// What was given for each option, and what is to be told about it.
class AllGiven {
 public:
  Given& operator[](std::string_view flag) { return operator[](option_of(flag)); }
  Given& operator[](const Option& option) { return given_[static_cast<std::size_t>(&option - kOptions)]; }

  // The option as its user knows it.
  std::string name(std::string_view flag) {
    const Option& option = option_of(flag);
    return operator[](option).from == Given::From::Variable ? variable_of(option) : std::string(flag);
  }

  // The other option of a rule, with the value that counts: "--auth off", "OCP_MOCK_WATCH=false".
  std::string name_with_value(const Rule& rule, bool is_variable) {
    const Option& option = option_of(rule.other);
    const std::string name = is_variable ? variable_of(option) : std::string(rule.other);
    if (rule.value.empty()) return name;
    return fmt::format("{}{}{}", name, is_variable || option.value.empty() ? "=" : " ", rule.value);
  }

  [[noreturn]] void refuse_value(const Option& option, const std::string& value, std::string_view rule) {
    throw Mistake(option.has(kSecret) ? fmt::format("{}: {}", name(option.flag), rule)
                                      : fmt::format("{} is '{}'; {}", name(option.flag), printable(value), rule));
  }

  // The flags beat the variable. A switch that is given as off counts as not given. Throws Mistake.
  void take(const Option& option, std::vector<std::string> flags, const Environment& environment) {
    Given& given = operator[](option);
    if (!flags.empty()) {
      given = {Given::From::Flag, std::move(flags), {}};
    } else if (const std::string* value = environment.find(variable_of(option))) {
      given = {Given::From::Variable, split(option, *value), {}};
    }
    if (given.values.empty()) given.from = Given::From::Nowhere;
    if (!given) return;
    if (option.value.empty()) {
      if (!is_on(option, given.values.back())) given = {Given::From::Nowhere, {}, given.from};
    } else if (given.values.size() > 1 && !option.has(kAgain)) {
      throw Mistake(fmt::format("{} is given more than once", option.flag));
    }
  }

  // Refuses options that do nothing together; a variable among them is passed over with a warning instead.
  void apply(const Rule& rule, std::vector<std::string>& warnings) {
    Given& one = operator[](rule.flag);
    Given& other = operator[](rule.other);
    if (!one) return;
    const bool is_off = rule.value == "false" && other.off_from != Given::From::Nowhere;
    if (!rule.value.empty() && !is_off && (!other || other.values.back() != rule.value)) return;
    const bool one_yields = one.from == Given::From::Variable;
    const bool other_yields = (is_off ? other.off_from : other.from) == Given::From::Variable;
    const std::string its = name(rule.flag);
    const std::string others = name_with_value(rule, other_yields);
    const auto pass_over = [&](Given& given, const std::string& which, const std::string& why) {
      warnings.push_back(fmt::format("{} is passed over: {}", which, why));
      given = {};
    };
    switch (rule.kind) {
      case Rule::Kind::Contradicts: {
        if (!other && !is_off) return;
        const std::string text = "cannot be combined with";
        if (one_yields == other_yields) throw Mistake(fmt::format("{} {} {}", its, text, others));
        if (one_yields) return pass_over(one, its, fmt::format("it {} {}", text, others));
        return pass_over(other, others, fmt::format("it {} {}", text, its));
      }
      case Rule::Kind::IsHalfOf:
        if (other) return;
        throw Mistake(fmt::format("{} needs {}", its, one_yields ? variable_of(option_of(rule.other)) : others));
      case Rule::Kind::Needs:
        if (other) return;
        if (one_yields) return pass_over(one, its, fmt::format("it does nothing without {}", others));
        throw Mistake(fmt::format("{} does nothing without {}", its, others));
      case Rule::Kind::IdleBeside:
        if (!other) return;
        if (one_yields) return pass_over(one, its, fmt::format("it does nothing beside {}", others));
        if (other_yields) return pass_over(other, others, fmt::format("{} does nothing beside it", its));
        throw Mistake(fmt::format("{} does nothing beside {}; leave one of them out", its, others));
    }
  }

  // Refuses what only the other engine can do; a variable is passed over with a warning instead.
  void apply_engine(std::vector<std::string>& warnings) {
    const Given& engine = operator[]("--http-engine");
    if (!engine || engine.values.back() != "httplib") return;
    for (const std::string_view flag : kEpollOnly) {
      Given& given = operator[](flag);
      if (given.from == Given::From::Flag) throw Mistake(fmt::format("{} needs --http-engine epoll", flag));
      if (given) warnings.push_back(fmt::format("{} is passed over: it needs --http-engine epoll", name(flag)));
      given = {};
    }
  }

  // Throws Mistake.
  void put_into(ServeOptions& serve) {
    for (const Option& option : kOptions) {
      for (const std::string& value : operator[](option).values) {
        try {
          option.take(serve, value);
        } catch (const std::invalid_argument& error) {
          refuse_value(option, value, error.what());
        }
      }
    }
  }

 private:
  static std::vector<std::string> split(const Option& option, std::string_view text) {
    const char separator = option.has(kByColons) ? ':' : option.has(kByCommas) ? ',' : '\0';
    if (separator == '\0') return {std::string(text)};
    std::vector<std::string> values;
    while (!text.empty()) {
      // A path may begin or end with a blank, a name does not.
      const std::string_view whole = text.substr(0, text.find(separator));
      const std::string_view trimmed = next_piece(text, separator);
      if (!trimmed.empty()) values.emplace_back(option.has(kByColons) ? whole : trimmed);
    }
    return values;
  }

  bool is_on(const Option& option, const std::string& text) {
    for (const auto& [word, is_on] : kSwitchWords) {
      if (equals_ignoring_case(text, word)) return is_on;
    }
    refuse_value(option, text, "it must be true or false, 1 or 0, on or off, yes or no");
  }

  std::array<Given, std::size(kOptions)> given_;
};

// The words of the command line, sorted by CLI11 into flags, commands and the rest.
class CommandLine {
 public:
  CommandLine(int argc, const char* const* argv)
      : arguments_(argv, static_cast<std::size_t>(argc)),
        app_("Answers OceanBase Cloud Platform's REST API from fixtures, for the tests of its clients.",
             "ocp-mock-server") {
    app_.set_version_flag("--version", version_line(), "Print the version and exit");
    app_.require_subcommand(0, 1);
    app_.get_formatter()->column_width(34);
    app_.footer(fmt::format("A flag beats its variable, the variable beats the default. Example:\n  {}",
                            kServeCommand.example));
    add_options(app_, kOnce);
    // Its options are those above; they may stand before or behind the word.
    serve_.fallthrough();
    check_.add_option("PATH", check_options_.paths, "Files or folders of fixtures")->required()->type_name("");
    healthcheck_
        .add_option("URL", healthcheck_options_.url,
                    "Of the server. Default: where a server with the options below listens")
        ->type_name("");
    add_options(healthcheck_, kHealthcheck);
    help_.add_option("COMMAND", topic_, "Default: the server's")->type_name("");
  }

  Command parse(const Environment& environment) {
    try {
      try {
        app_.parse(static_cast<int>(arguments_.size()), arguments_.data());
      } catch (const CLI::ExtrasError&) {
        refuse_missing_values();
        throw Mistake(sentence_of_extra());
      }
      refuse_missing_values();
      if (version_.parsed()) return Exit{0, version_line(), ""};
      if (help_.parsed()) return help();
      if (check_.parsed()) return check();
      if (healthcheck_.parsed()) return healthcheck(environment);
      return serve(environment);
    } catch (const CLI::CallForHelp&) {
      return Exit{0, help_of(command()), ""};
    } catch (const CLI::CallForVersion&) {
      return Exit{0, version_line(), ""};
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string_view text = error.what();
      return usage_error(fmt::format("{} needs a value", text.substr(0, text.find(':'))));
    } catch (const CLI::RequiredError&) {
      return usage_error("check needs a file or folder of fixtures");
    } catch (const std::runtime_error& error) {
      return usage_error(error.what());
    }
  }

 private:
  // CLI11 keeps what was given for each.
  static void add_options(CLI::App& app, unsigned traits) {
    for (const Option& option : kOptions) {
      if ((option.traits & traits) != traits) continue;
      const std::string origin = option.fallback.empty()
                                     ? variable_of(option)
                                     : fmt::format("{}, default {}", variable_of(option), option.fallback);
      const std::string text = fmt::format("{}\n[{}]", option.help, origin);
      const std::string flag(option.flag);
      if (option.value.empty()) {
        app.add_flag(flag, text);
      } else {
        app.add_option(flag, text)
            ->type_name(std::string(option.value))
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
    }
  }

  CLI::App& add_command(const CommandText& command) {
    CLI::App* const added = app_.add_subcommand(command.name, command.text);
    added->footer(fmt::format("Example:\n  {}", command.example));
    return *added;
  }

  static Exit usage_error(std::string_view sentence) {
    return {kUsageExitCode, "", fmt::format("ocp-mock-server: {} (see --help)\n", sentence)};
  }

  const CLI::App& command() const {
    const std::vector<CLI::App*> given = app_.get_subcommands();
    return given.empty() ? serve_ : *given.front();
  }

  // The app whose options a command has.
  const CLI::App& options_of(const CLI::App& command) const { return &command == &serve_ ? app_ : command; }

  std::string help_of(const CLI::App& command) const {
    const std::string name = &command == &serve_ ? "ocp-mock-server" : "ocp-mock-server " + command.get_name();
    return app_.get_formatter()->make_help(&options_of(command), name, CLI::AppFormatMode::Normal);
  }

  // What stands on the command line for a flag, before or behind a command.
  std::vector<std::string> values_of(const Option& option) const {
    std::vector<std::string> values;
    const auto add = [&](const CLI::App& app) {
      const CLI::Option* given = app.get_option_no_throw(std::string(option.flag));
      if (given != nullptr) values.insert(values.end(), given->results().begin(), given->results().end());
    };
    add(app_);
    add(command());
    return values;
  }

  // CLI11 takes for a value whatever follows an option.
  void refuse_missing_values() const {
    for (const Option& option : kOptions) {
      if (option.value.empty()) continue;
      for (const std::string& value : values_of(option)) {
        const std::string flag = value.substr(0, value.find('='));
        if (flag.starts_with("--") && app_.get_option_no_throw(flag) != nullptr) {
          throw Mistake(fmt::format("{} needs a value, but {} follows it", option.flag, flag));
        }
      }
    }
  }

  // Whether the word at a place may be a piece of a secret option's value, torn off by a blank.
  bool is_torn(std::size_t at) const {
    return std::ranges::any_of(kOptions, [&](const Option& option) {
      if (!option.has(kSecret)) return false;
      const std::string_view before = arguments_[at - 1];
      return before == option.flag || before.starts_with(fmt::format("{}=", option.flag)) ||
             (at > 1 && arguments_[at - 2] == option.flag);
    });
  }

  // About the first word that nothing takes. One that may be a secret is not shown, nor is what follows a colon or an
  // equals sign.
  std::string sentence_of_extra() const {
    const std::vector<std::string> extras = app_.remaining(true);
    const std::string word = *std::ranges::find_if(extras, [](const std::string& extra) { return extra != "--"; });
    bool hidden = false;
    for (std::size_t i = 1; i < arguments_.size(); ++i) hidden = hidden || (word == arguments_[i] && is_torn(i));
    const std::string name = word.substr(0, word.find_first_of(":="));
    const std::string said = hidden ? std::string(kNotShown)
                                    : fmt::format("'{}{}'", printable(name), name.size() == word.size() ? "" : "...");
    if (!word.starts_with('-')) {
      if (const std::string flag = switch_before(word); !flag.empty()) {
        return fmt::format("{} is a switch: give {} alone, or {}={}", flag, flag, flag, word);
      }
      if (!hidden && &command() == &serve_ && is_path(word)) {
        return fmt::format("{} is not expected here; did you mean --fixtures {}?", said, printable(name));
      }
      if (!app_.get_subcommands().empty())
        return fmt::format("{} is not expected behind {}", said, command().get_name());
      if (hidden) return fmt::format("{} is not expected here", said);
      return fmt::format("{} is no command; the commands are {}{}", said, fmt::join(commands(), ", "),
                         did_you_mean(name, commands()));
    }
    const CLI::App& asked = options_of(command());
    if (!hidden && &asked != &app_ && app_.get_option_no_throw(name) != nullptr) {
      return fmt::format("{} is no option of {}", name, asked.get_name());
    }
    std::vector<std::string_view> known;
    for (const CLI::Option* option : asked.get_options()) {
      for (const std::string& long_name : option->get_lnames()) known.push_back(long_name);
    }
    const auto meant =
        nearest(std::string_view(name).substr(std::min(name.find_first_not_of('-'), name.size())), known);
    return fmt::format("{} is no option{}", said, meant ? fmt::format("; did you mean --{}?", *meant) : "");
  }

  // The switch that the word stands behind, where it may be meant as its value; empty if there is none.
  std::string switch_before(const std::string& word) const {
    const bool is_value =
        std::ranges::any_of(kSwitchWords, [&](const SwitchWord& one) { return equals_ignoring_case(word, one.text); });
    for (std::size_t i = 1; is_value && i < arguments_.size(); ++i) {
      const auto option = std::ranges::find(kOptions, std::string_view(arguments_[i - 1]), &Option::flag);
      if (word == arguments_[i] && option != std::end(kOptions) && option->value.empty()) return arguments_[i - 1];
    }
    return "";
  }

  // Whether somebody may have meant fixtures.
  static bool is_path(const std::string& word) {
    std::error_code ignored;
    return word.ends_with(".json") || word.ends_with(".ndjson") || word.ends_with(".jsonl") || word.ends_with(".har") ||
           word.find('/') != std::string::npos || std::filesystem::exists(word, ignored);
  }

  std::vector<std::string> commands() const {
    std::vector<std::string> names;
    for (const CLI::App* one : app_.get_subcommands({})) names.push_back(one->get_name());
    return names;
  }

  Command help() const {
    if (topic_.empty()) return Exit{0, help_of(serve_), ""};
    for (const CLI::App* one : app_.get_subcommands({})) {
      if (one->get_name() == topic_) return Exit{0, help_of(*one), ""};
    }
    throw Mistake(fmt::format("there is no help of '{}'; the commands are {}{}", printable(topic_),
                              fmt::join(commands(), ", "), did_you_mean(topic_, commands())));
  }

  // Of the options that the command has. Throws Mistake for others.
  AllGiven given(const Environment& environment, unsigned traits) const {
    AllGiven all;
    for (const Option& option : kOptions) {
      std::vector<std::string> flags = values_of(option);
      if ((option.traits & traits) == traits) {
        all.take(option, std::move(flags), environment);
      } else {
        refuse_flags(option, flags);
      }
    }
    return all;
  }

  void refuse_flags(const Option& option, const std::vector<std::string>& flags) const {
    if (!flags.empty()) throw Mistake(fmt::format("{} is no option of {}", option.flag, command().get_name()));
  }

  Command check() const {
    for (const Option& option : kOptions) refuse_flags(option, values_of(option));
    return check_options_;
  }

  Command healthcheck(const Environment& environment) const {
    HealthcheckOptions options = healthcheck_options_;
    if (!options.url.empty()) {
      for (const Option& option : kOptions) {
        if (!option.has(kHealthcheck)) refuse_flags(option, values_of(option));
        if (values_of(option).empty()) continue;
        throw Mistake(fmt::format("{} does nothing beside a URL; leave one of them out", option.flag));
      }
      return options;
    }
    ServeOptions server;
    AllGiven all = given(environment, kHealthcheck);
    all.put_into(server);
    if (server.port == 0 && !server.port_file) {
      throw Mistake(fmt::format("{} is 0, so the port is in the server's port file only; name that with --port-file",
                                all.name("--port")));
    }
    options.tls = server.tls_self_signed || server.tls_certificate;
    options.host = server.host;
    options.port = server.port;
    options.port_file = server.port_file;
    return options;
  }

  Command serve(const Environment& environment) const {
    std::vector<std::string> variables;
    for (const Option& option : kOptions) variables.push_back(variable_of(option));
    ServeOptions options;
    options.warnings = environment.warnings(variables);
    AllGiven all = given(environment, kOnce);
    for (const Rule& rule : kRules) all.apply(rule, options.warnings);
    all.apply_engine(options.warnings);
    all.put_into(options);
    return options;
  }

  static std::string version_line() { return fmt::format("ocp-mock-server {}\n", embedded::version); }

  const std::span<const char* const> arguments_;
  CLI::App app_;
  CLI::App& serve_ = add_command(kServeCommand);
  CLI::App& check_ = add_command(kCheckCommand);
  CLI::App& healthcheck_ = add_command(kHealthcheckCommand);
  CLI::App& help_ = add_command(kHelpCommand);
  CLI::App& version_ = add_command(kVersionCommand);
  CheckOptions check_options_;
  HealthcheckOptions healthcheck_options_;
  std::string topic_;  // of help
};

}  // namespace

std::vector<OptionText> option_texts() {
  std::vector<OptionText> texts;
  for (const Option& option : kOptions) {
    texts.push_back(
        {std::string(option.flag), variable_of(option), std::string(option.value), std::string(option.fallback)});
  }
  return texts;
}

Command parse_options(int argc, const char* const* argv, const char* const* environment) {
  return CommandLine(argc, argv).parse(Environment(environment));
}

}  // namespace ocp_mock
