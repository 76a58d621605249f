#include "client/upstream.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <thread>
#include <utility>

#include "base/ascii.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "http/socket.h"
#include "ocp/digest.h"
#include "ocp/instant.h"
#include "ocp/signature.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstWait{200};
constexpr milliseconds kLongestBackOff{15'000};
constexpr int kTriesOfStrangers = 3;
constexpr seconds kConnectTime{10};
constexpr seconds kReadTime{120};

struct Address {
  bool tls = false;
  std::string host;  // without brackets
  int port = 0;
  std::string prefix;  // of all paths; without a slash at its end
  std::string name;    // the Host header
};

// Returns what is wrong.
std::string parse_url(std::string_view url, Address& address) {
  constexpr std::string_view kRule = "it must be http://HOST[:PORT] or https://HOST[:PORT]";
  address.tls = url.starts_with("https://");
  if (!address.tls && !url.starts_with("http://")) return std::string(kRule);
  std::string_view rest = url.substr(url.find("://") + 3);
  const auto path = std::min(rest.find('/'), rest.size());
  address.prefix = rest.substr(path);
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  if (rest.find_first_of("?#") != std::string_view::npos) return fmt::format("{}, without a query", kRule);
  rest = rest.substr(0, path);
  if (rest.find('@') != std::string_view::npos) {
    return fmt::format("{}; user and password are given by --credentials or --user", kRule);
  }
  address.name = rest;
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  address.host = rest.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  address.port = address.tls ? 443 : 80;
  if (colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size() || address.port < 1 || address.port > 65535) {
      return fmt::format("{}, PORT from 1 to 65535", kRule);
    }
  }
  const auto is_good = [](char c) { return c > ' ' && c < 0x7F; };
  if (address.host.empty() || !std::ranges::all_of(url, is_good)) return std::string(kRule);
  return "";
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// What the answer says of when to come again.
std::optional<seconds> asked_wait(const Headers& headers, std::chrono::system_clock::time_point now) {
  for (const std::string_view name : {"RateLimit-Reset", "Retry-After"}) {
    const auto value = headers.find(name);
    if (!value) continue;
    if (const auto count = whole_number(*value)) return seconds(*count);
    if (const auto date = parse_http_date(*value)) {
      return seconds(std::max<std::int64_t>(0, date->second - to_instant(now).second));
    }
  }
  return std::nullopt;
}

constexpr std::string_view kOfConnection[] = {"Connection",
                                              "Keep-Alive",
                                              "Proxy-Connection",
                                              "Proxy-Authenticate",
                                              "Proxy-Authorization",
                                              "TE",
                                              "Trailer",
                                              "Transfer-Encoding",
                                              "Upgrade",
                                              "Content-Length",
                                              "Expect"};
// The body is asked for plain and whole.
constexpr std::string_view kOfLess[] = {"Accept-Encoding", "If-None-Match", "If-Modified-Since", "If-Range", "Range"};

// Whether the field means this connection alone (RFC 9110, 7.6.1).
bool is_of_connection(std::string_view name, const Headers& headers) {
  const auto is_name = [&](std::string_view other) { return equals_ignoring_case(name, other); };
  if (std::ranges::any_of(kOfConnection, is_name)) return true;
  for (const HeaderField field : headers) {
    if (!equals_ignoring_case(field.name, "Connection")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      std::string_view option = rest.substr(0, end);
      while (option.starts_with(' ')) option.remove_prefix(1);
      while (option.ends_with(' ')) option.remove_suffix(1);
      if (is_name(option)) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return false;
}

bool may_pass(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

std::string reason(httplib::Error error, const std::string& host) {
  switch (error) {
    case httplib::Error::Connection:
      // The library does not tell a name that nobody knows apart.
      try {
        http::addresses_of(host);
        return "the connection cannot be made";
      } catch (const std::runtime_error& unknown) {
        return unknown.what();
      }
    case httplib::Error::ConnectionTimeout: return "the connection is not made in time";
    case httplib::Error::Read: return "the connection broke before the answer was whole";
    case httplib::Error::Write: return "the connection broke before the request was sent";
    case httplib::Error::SSLConnection: return "TLS cannot be agreed on; is this a port for HTTPS?";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted; name who has signed it by --ca FILE, and the host as the certificate "
             "does";
    default: return httplib::to_string(error);
  }
}

}  // namespace

std::string flaw_of_url(std::string_view url) {
  Address ignored;
  return parse_url(url, ignored);
}

std::optional<milliseconds> Patience::wait_after(int status, const Headers& headers,
                                                 std::chrono::system_clock::time_point now) {
  const auto asked = asked_wait(headers, now);
  if (asked && *asked > kLongestWait) return std::nullopt;
  int& count = status == 429 ? refusals_ : tries_;
  if (++count >= (status == 429 ? kMostRefusals : kMostTries)) return std::nullopt;
  // A window that ends within this second still counts for the rest of it.
  if (asked) return std::max<milliseconds>(*asked, kFirstWait);
  return std::min(kLongestBackOff, kFirstWait * (1 << std::min(count - 1, 10)));
}

struct Upstream::Connection {
  explicit Connection(const UpstreamOptions& options) : credentials(options.credentials) {
    parse_url(options.url, address);
    if (address.tls) {
      auto tls = std::make_unique<httplib::SSLClient>(address.host, address.port);
      tls->enable_server_certificate_verification(true);
      client = std::move(tls);
      if (options.ca) {
        const std::string text = read_text_file(*options.ca, "the CA file");
        if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
          throw std::runtime_error(
              fmt::format("the CA file {} holds no certificate; it must be a PEM file", options.ca->string()));
        }
        client->set_ca_cert_path(options.ca->string());
      }
    } else {
      client = std::make_unique<httplib::ClientImpl>(address.host, address.port);
    }
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
    // The target is sent as it is: it was encoded, and signed so.
    client->set_url_encode(false);
    client->set_follow_location(false);
    client->set_connection_timeout(kConnectTime);
    client->set_read_timeout(kReadTime);
  }

  httplib::Headers headers_for(const std::string& target) const {
    ocp_mock::Headers own{{"Host", address.name}, {"Accept", "application/json"}};
    add_login(own, "GET", target, "");
    httplib::Headers headers{{"Accept-Encoding", "identity"}};
    for (const HeaderField field : own) headers.emplace(std::string(field.name), std::string(field.value));
    return headers;
  }

  void add_login(ocp_mock::Headers& own, std::string_view method, const std::string& target,
                 std::string_view body) const {
    if (!credentials.passwords.empty()) {
      const auto& [name, password] = *credentials.passwords.begin();
      own.add("Authorization", fmt::format("Basic {}", base64_encode(fmt::format("{}:{}", name, password))));
    } else if (!credentials.access_keys.empty()) {
      own.erase_if([](const HeaderField& field) {
        return equals_ignoring_case(field.name, "Date") || equals_ignoring_case(field.name, "x-ocp-date");
      });
      own.add("Date", format_http_date(to_instant(std::chrono::system_clock::now())));
      const auto& [key, secret] = *credentials.access_keys.begin();
      const Target parts = split_target(target);
      const SignedRequest request{method, parts.path, parts.query, own, body};
      own.add("Authorization", fmt::format("OCP-ACCESS-KEY-HMACSHA1 {}:{}", key,
                                           sign(secret.secret_key, signed_message(signed_parts(request)))));
    }
  }

  // Throws CannotAsk.
  UpstreamAnswer pass(const PassedRequest& passed) {
    httplib::Request request;
    request.method = passed.method;
    request.path = address.prefix + passed.target;
    request.body = passed.body;
    ocp_mock::Headers own{{"Host", address.name}};
    for (const HeaderField field : passed.headers) {
      const auto is_name = [&](std::string_view other) { return equals_ignoring_case(field.name, other); };
      const bool is_replaced = is_name("Host") || (is_name("Authorization") && !credentials.empty());
      if (is_replaced || is_of_connection(field.name, passed.headers) || std::ranges::any_of(kOfLess, is_name))
        continue;
      own.add(field.name, field.value);
    }
    add_login(own, passed.method, request.path, passed.body);
    request.headers.emplace("Accept-Encoding", "identity");
    for (const HeaderField field : own) request.headers.emplace(std::string(field.name), std::string(field.value));
    request.progress = [](std::uint64_t, std::uint64_t length) { return length <= kLargestAnswer; };

    const bool is_safe = passed.method == "GET" || passed.method == "HEAD";
    // On a connection that was idle, nobody could tell whether the OCP has got the request when that breaks.
    if (!is_safe) client->stop();
    if (interrupted) throw CannotAsk(fmt::format("cannot ask {}: this process ends", origin()));
    httplib::Result result = client->send(request);
    const auto broke = [&] {
      return result.error() == httplib::Error::Read || result.error() == httplib::Error::Write;
    };
    if (!result && is_safe && broke() && !interrupted) result = client->send(request);
    if (!result) {
      throw CannotAsk(fmt::format("cannot ask {}: {}", origin(),
                                  result.error() == httplib::Error::Canceled
                                      ? std::string("its answer is longer than 1 GiB")
                                      : reason(result.error(), address.host)));
    }
    UpstreamAnswer answer{result->status, {}, std::move(result->body)};
    ocp_mock::Headers all;
    for (const auto& [name, value] : result->headers) all.add(name, value);
    for (const HeaderField field : all) {
      // The HTTP library has decoded the body.
      if (is_of_connection(field.name, all) || equals_ignoring_case(field.name, "Content-Encoding")) continue;
      const bool is_own = equals_ignoring_case(field.name, "Location") && field.value.starts_with(origin() + "/");
      // What the OCP says of itself would lead past whoever passes this on.
      answer.headers.add(field.name, is_own ? field.value.substr(origin().size()) : field.value);
    }
    return answer;
  }

  // Status 0 if there is no answer; why is the body then. Throws CannotAsk where no further try can help.
  UpstreamAnswer ask(const std::string& target) {
    const httplib::Result result = client->Get(target, headers_for(target));
    if (!result) {
      const std::string why = reason(result.error(), address.host);
      if (result.error() == httplib::Error::SSLServerVerification) {
        throw CannotAsk(fmt::format("cannot ask {}: {}", origin(), why));
      }
      return {0, {}, why};
    }
    UpstreamAnswer answer{result->status, {}, result->body};
    for (const auto& [name, value] : result->headers) answer.headers.add(name, value);
    return answer;
  }

  std::string origin() const { return fmt::format("{}://{}", address.tls ? "https" : "http", address.name); }

  const Credentials credentials;
  Address address;
  bool has_answered = false;
  std::atomic<bool> interrupted{false};
  std::unique_ptr<httplib::ClientImpl> client;
};

Upstream::Upstream(const UpstreamOptions& options, Say say)
    : connection_(std::make_unique<Connection>(options)), say_(std::move(say)) {}

Upstream::~Upstream() = default;

UpstreamAnswer Upstream::pass(const PassedRequest& request) { return connection_->pass(request); }

std::string Upstream::origin() const { return connection_->origin(); }

void Upstream::interrupt() {
  connection_->interrupted = true;
  connection_->client->stop();
}

UpstreamAnswer Upstream::get(const std::string& target, const std::function<bool(const UpstreamAnswer&)>& is_whole) {
  Patience patience;
  int failures = 0;
  for (;;) {
    UpstreamAnswer answer = connection_->ask(connection_->address.prefix + target);
    std::string why;
    connection_->has_answered = connection_->has_answered || answer.status != 0;
    if (answer.status == 0) {
      why = answer.body;
    } else if (may_pass(answer.status)) {
      why = fmt::format("it answers {}", answer.status);
    } else if (!is_whole(answer)) {
      why = "its answer is not whole";
    } else {
      return answer;
    }
    const auto wait = patience.wait_after(may_pass(answer.status) ? answer.status : 0, answer.headers,
                                          std::chrono::system_clock::now());
    // A server that has never answered is probably another one than was meant.
    const bool is_hopeless = !connection_->has_answered && ++failures >= kTriesOfStrangers;
    if (!wait || is_hopeless) {
      throw CannotAsk(fmt::format("cannot ask {}{}: {}", connection_->origin(), printable(target, 300), why));
    }
    say_(fmt::format("{}; asking again in {}.{} s", why, wait->count() / 1000, wait->count() % 1000 / 100));
    std::this_thread::sleep_for(*wait);
  }
}

}  // namespace ocp_mock
