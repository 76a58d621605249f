#include "cli/options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/environment.h"
#include "temporary_folder.h"

using namespace ocp_mock;

namespace {

using Words = std::vector<const char*>;

// Variables are "NAME=value".
Command parse(Words arguments, Words variables = {}) {
  arguments.insert(arguments.begin(), "ocp-mock-server");
  variables.push_back(nullptr);
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), variables.data());
}

ServeOptions serve(Words arguments, Words variables = {}) {
  return std::get<ServeOptions>(parse(std::move(arguments), std::move(variables)));
}

// The sentence of a mistake.
std::string mistake(Words arguments, Words variables = {}) {
  const Command parsed = parse(std::move(arguments), std::move(variables));
  if (!std::holds_alternative<Exit>(parsed)) return "no mistake";
  const auto& [code, out, error] = std::get<Exit>(parsed);
  constexpr std::string_view kBegin = "ocp-mock-server: ";
  constexpr std::string_view kEnd = " (see --help)\n";
  CHECK(code == kUsageExitCode);
  CHECK(out.empty());
  REQUIRE(error.starts_with(kBegin));
  REQUIRE(error.ends_with(kEnd));
  CHECK(error.find('\n') == error.size() - 1);
  return error.substr(kBegin.size(), error.size() - kBegin.size() - kEnd.size());
}

using Paths = std::vector<std::filesystem::path>;

}  // namespace

TEST_CASE("options: the defaults") {
  const ServeOptions options = serve({});
  CHECK(options.fixtures.empty());
  CHECK_FALSE(options.db);
  CHECK(options.host == "127.0.0.1");
  CHECK(options.port == 8080);
  CHECK_FALSE(options.port_file);
  CHECK_FALSE(options.pretty);
  CHECK_FALSE(options.frozen);
  CHECK_FALSE(options.strict);
  CHECK(options.rules.word_match == WordMatch::Meaning);
  CHECK(options.rules.window == Window::CreateTime);
  CHECK(options.offset_minutes == 480);
  CHECK_FALSE(options.server_name);
  CHECK(options.log_level == "info");
}

TEST_CASE("options: flags, before or after the word serve") {
  for (const auto& arguments : std::vector<Words>{
           {"--fixtures", "a",          "--fixtures", "b:c",           "--db", "d",           "--host",
            "::1",        "--port",     "0",          "--port-file",   "f",    "--pretty",    "--frozen",
            "--strict",   "--timezone", "-03:30",     "--server-name", "s",    "--log-level", "off"},
           {"serve", "--fixtures", "a", "--fixtures=b:c", "--db=d", "--host=::1", "--port=0", "--port-file=f",
            "--pretty", "--frozen", "--strict", "--timezone=-03:30", "--server-name=s", "--log-level=off"},
           {"--fixtures", "a",      "--pretty",      "--frozen", "--strict",    "--db", "d",           "serve",
            "--fixtures", "b:c",    "--host",        "::1",      "--port",      "0",    "--port-file", "f",
            "--timezone", "-03:30", "--server-name", "s",        "--log-level", "off"}}) {
    const ServeOptions options = serve(arguments);
    CHECK(options.fixtures == Paths{"a", "b:c"});
    CHECK(options.db == "d");
    CHECK(options.host == "::1");
    CHECK(options.port == 0);
    CHECK(options.port_file == "f");
    CHECK(options.pretty);
    CHECK(options.frozen);
    CHECK(options.strict);
    CHECK(options.offset_minutes == -210);
    CHECK(options.server_name == "s");
    CHECK(options.log_level == "off");
  }
}

TEST_CASE("options: the environment beats the default, a flag beats the environment") {
  const Words environment{"OCP_MOCK_FIXTURES=a: b ::c", "OCP_MOCK_DB=d",          "OCP_MOCK_HOST=0.0.0.0",
                          "OCP_MOCK_PORT=81",           "OCP_MOCK_PORT_FILE=f",   "OCP_MOCK_PRETTY=true",
                          "OCP_MOCK_FROZEN=1",          "OCP_MOCK_STRICT=false",  "OCP_MOCK_TIMEZONE=Z",
                          "OCP_MOCK_SERVER_NAME=s",     "OCP_MOCK_LOG_LEVEL=warn"};
  const ServeOptions from_environment = serve({}, environment);
  CHECK(from_environment.fixtures == Paths{"a", " b ", "c"});
  CHECK(from_environment.db == "d");
  CHECK(from_environment.host == "0.0.0.0");
  CHECK(from_environment.port == 81);
  CHECK(from_environment.port_file == "f");
  CHECK(from_environment.pretty);
  CHECK(from_environment.frozen);
  CHECK_FALSE(from_environment.strict);
  CHECK(from_environment.offset_minutes == 0);
  CHECK(from_environment.server_name == "s");
  CHECK(from_environment.log_level == "warn");

  const ServeOptions flags = serve({"--fixtures", "x", "--port", "82", "--timezone", "+01:00", "--log-level", "debug",
                                    "--strict", "--server-name", "t"},
                                   environment);
  CHECK(flags.fixtures == Paths{"x"});
  CHECK(flags.port == 82);
  CHECK(flags.offset_minutes == 60);
  CHECK(flags.log_level == "debug");
  CHECK(flags.strict);
  CHECK(flags.server_name == "t");
}

TEST_CASE("options: how requests are read where OCP leaves it open") {
  CHECK(serve({"--status-match", "exact"}).rules.word_match == WordMatch::Exact);
  CHECK(serve({"--status-match", "meaning"}).rules.word_match == WordMatch::Meaning);
  CHECK(mistake({"--status-match", "Exact"}).starts_with("--status-match is 'Exact'; it must be "));
  CHECK(serve({"--window", "overlap"}).rules.window == Window::Overlap);
  CHECK(serve({"--window", "createTime"}).rules.window == Window::CreateTime);
  CHECK(mistake({"--window", "checkpoint"}).starts_with("--window is 'checkpoint'; it must be "));
  const Words environment{"OCP_MOCK_STATUS_MATCH=exact", "OCP_MOCK_WINDOW=overlap"};
  CHECK(serve({}, environment).rules.window == Window::Overlap);
  CHECK(serve({"--window=createTime"}, environment).rules.window == Window::CreateTime);
  CHECK(serve({}, environment).rules.word_match == WordMatch::Exact);
  CHECK(serve({"--status-match=meaning"}, environment).rules.word_match == WordMatch::Meaning);
}

TEST_CASE("options: who may ask, how often, through TLS or not, and the limits") {
  const ServeOptions defaults = serve({});
  CHECK(defaults.ocp_version == "4.3.3");
  CHECK(defaults.auth == AuthMode::Any);
  CHECK(defaults.credentials.empty());
  CHECK_FALSE(defaults.credentials_file);
  CHECK_FALSE(defaults.rate_limit);
  CHECK_FALSE(defaults.tls_certificate);
  CHECK_FALSE(defaults.tls_self_signed);
  CHECK(defaults.limits.parser.head_bytes == 65536);
  CHECK(defaults.limits.parser.body_bytes == 67108864);
  CHECK(defaults.limits.request_time == std::chrono::seconds(30));
  CHECK(defaults.limits.idle_time == std::chrono::seconds(75));
  CHECK(defaults.limits.write_time == std::chrono::seconds(30));
  CHECK_FALSE(defaults.max_connections);

  const ServeOptions given = serve({"--ocp-version",
                                    "4.2",
                                    "--auth",
                                    "any",
                                    "--user",
                                    "admin:se:cr,et",
                                    "--user",
                                    "[用户]:",
                                    "--access-key",
                                    "AK:SK",
                                    "--access-key=AK2:SK2:用户",
                                    "--credentials",
                                    "c",
                                    "--rate-limit",
                                    "5/10s",
                                    "--tls-cert",
                                    "cert",
                                    "--tls-key",
                                    "key",
                                    "--max-head",
                                    "8KiB",
                                    "--max-body",
                                    "0",
                                    "--request-timeout",
                                    "500ms",
                                    "--idle-timeout",
                                    "2m",
                                    "--write-timeout",
                                    "1s",
                                    "--max-connections",
                                    "7"});
  CHECK(given.ocp_version == "4.2");
  CHECK(given.auth == AuthMode::Any);
  CHECK(serve({"--auth", "off"}).auth == AuthMode::Off);
  CHECK(given.credentials.passwords.size() == 2);
  CHECK(given.credentials.passwords.at("admin") == "se:cr,et");
  CHECK(given.credentials.passwords.at("[用户]").empty());
  CHECK(given.credentials.access_keys.size() == 2);
  CHECK(given.credentials.access_keys.at("AK").secret_key == "SK");
  CHECK(given.credentials.access_keys.at("AK").user == "AK");
  CHECK(given.credentials.access_keys.at("AK2").secret_key == "SK2");
  CHECK(given.credentials.access_keys.at("AK2").user == "用户");
  CHECK(given.credentials_file == "c");
  REQUIRE(given.rate_limit);
  CHECK(given.rate_limit->requests == 5);
  CHECK(given.tls_certificate == "cert");
  CHECK(given.tls_key == "key");
  CHECK(given.limits.parser.head_bytes == 8192);
  CHECK(given.limits.parser.body_bytes == 0);
  CHECK(given.limits.request_time == std::chrono::milliseconds(500));
  CHECK(given.limits.idle_time == std::chrono::minutes(2));
  CHECK(given.limits.write_time == std::chrono::seconds(1));
  CHECK(given.max_connections == 7);

  const Words environment{"OCP_MOCK_OCP_VERSION=4.1",      "OCP_MOCK_AUTH=any",
                          "OCP_MOCK_USER=admin:a,b",       "OCP_MOCK_ACCESS_KEY=AK:SK:u",
                          "OCP_MOCK_CREDENTIALS=c",        "OCP_MOCK_RATE_LIMIT=1/1d",
                          "OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_NAME=ocp.test,10.0.0.1, ::1,",
                          "OCP_MOCK_TLS_CA_OUT=ca",        "OCP_MOCK_MAX_HEAD=1KiB",
                          "OCP_MOCK_MAX_BODY=1MiB",        "OCP_MOCK_REQUEST_TIMEOUT=1s",
                          "OCP_MOCK_IDLE_TIMEOUT=2s",      "OCP_MOCK_WRITE_TIMEOUT=3s",
                          "OCP_MOCK_MAX_CONNECTIONS=9"};
  const ServeOptions variables = serve({}, environment);
  CHECK(variables.ocp_version == "4.1");
  CHECK(serve({}, {"OCP_MOCK_AUTH=off"}).auth == AuthMode::Off);
  CHECK(variables.credentials.passwords.at("admin") == "a,b");
  CHECK(variables.credentials.access_keys.at("AK").user == "u");
  CHECK(variables.credentials_file == "c");
  CHECK(variables.rate_limit->seconds == 86400);
  CHECK(variables.tls_self_signed);
  CHECK(variables.tls_names == std::vector<std::string>{"ocp.test", "10.0.0.1", "::1"});
  CHECK(variables.tls_ca_out == "ca");
  CHECK(variables.warnings.empty());
  CHECK(variables.limits.parser.head_bytes == 1024);
  CHECK(variables.limits.parser.body_bytes == 1048576);
  CHECK(variables.limits.request_time == std::chrono::seconds(1));
  CHECK(variables.limits.idle_time == std::chrono::seconds(2));
  CHECK(variables.limits.write_time == std::chrono::seconds(3));
  CHECK(variables.max_connections == 9);
  const ServeOptions flags = serve({"--auth", "any", "--user", "other:x"}, environment);
  CHECK(flags.auth == AuthMode::Any);
  CHECK(flags.credentials.passwords.size() == 1);
  CHECK(flags.credentials.passwords.contains("other"));
}

TEST_CASE("options: httplib is asked for nothing that only epoll can do") {
  using ocp_mock::http::Engine;
  CHECK(serve({}).http_engine == Engine::Epoll);
  CHECK(serve({"--http-engine", "httplib"}).http_engine == Engine::Httplib);
  CHECK(serve({"--http-engine", "epoll", "--max-head", "1KiB"}, {"OCP_MOCK_HTTP_ENGINE=httplib"}).http_engine ==
        Engine::Epoll);
  CHECK(mistake({"--http-engine", "nginx"}) == "--http-engine is 'nginx'; it must be epoll or httplib");
  CHECK(mistake({"--max-head", "1KiB"}, {"OCP_MOCK_HTTP_ENGINE=httplib"}) == "--max-head needs --http-engine epoll");
  CHECK(mistake({"--http-engine", "httplib", "--max-connections", "1"}) ==
        "--max-connections needs --http-engine epoll");
  const ServeOptions passed_over = serve({"--http-engine", "httplib"}, {"OCP_MOCK_MAX_HEAD=1KiB"});
  CHECK(passed_over.limits.parser.head_bytes == 65536);
  CHECK(passed_over.warnings ==
        std::vector<std::string>{"OCP_MOCK_MAX_HEAD is passed over: it needs --http-engine epoll"});
}

TEST_CASE("options: the test's side") {
  const ServeOptions defaults = serve({});
  CHECK(defaults.admin);
  CHECK_FALSE(defaults.admin_token);
  CHECK(defaults.admin_hosts.empty());
  CHECK_FALSE(defaults.isolate_by_user);
  CHECK(defaults.max_worlds == 1000);
  CHECK(defaults.journal_size == 1000);
  CHECK_FALSE(defaults.watch);
  CHECK_FALSE(defaults.watch_poll);
  CHECK_FALSE(defaults.init);
  const ServeOptions given =
      serve({"--admin-token", "t", "--isolate-by", "user", "--max-worlds", "5", "--journal-size", "0", "--watch",
             "--fixtures", "f", "--init", "i", "--admin-host", "a.example", "--admin-host", "b.example"});
  CHECK(given.admin_hosts == std::vector<std::string>{"a.example", "b.example"});
  CHECK(given.admin_token == "t");
  CHECK(given.isolate_by_user);
  CHECK(given.max_worlds == 5);
  CHECK(given.journal_size == 0);
  CHECK(given.watch);
  CHECK_FALSE(given.watch_poll);
  const ServeOptions polled = serve({"--fixtures", "f", "--watch-poll", "1500ms"});
  CHECK(polled.watch);
  CHECK(polled.watch_poll == std::chrono::milliseconds(1500));
  CHECK(given.init == "i");
  CHECK_FALSE(serve({"--no-admin"}).admin);
  CHECK_FALSE(serve({}, {"OCP_MOCK_NO_ADMIN=true"}).admin);
  const Words environment{"OCP_MOCK_ADMIN_TOKEN=t",         "OCP_MOCK_ISOLATE_BY=user", "OCP_MOCK_MAX_WORLDS=6",
                          "OCP_MOCK_JOURNAL_SIZE=7",        "OCP_MOCK_FIXTURES=f",      "OCP_MOCK_WATCH=true",
                          "OCP_MOCK_ADMIN_HOST=a.example,b"};
  const ServeOptions variables = serve({}, environment);
  CHECK(variables.warnings.empty());
  CHECK(variables.admin_token == "t");
  CHECK(variables.admin_hosts == std::vector<std::string>{"a.example", "b"});
  CHECK(variables.isolate_by_user);
  CHECK(variables.max_worlds == 6);
  CHECK(variables.journal_size == 7);
  CHECK(variables.watch);
}

TEST_CASE("options: --tls-name may be given again") {
  CHECK(serve({}).tls_names.empty());
  CHECK(serve({"--tls-self-signed", "--tls-name", "*.ocp.test", "--tls-name=::1"}, {"OCP_MOCK_TLS_NAME=other"})
            .tls_names == std::vector<std::string>{"*.ocp.test", "::1"});
}

TEST_CASE("options: a default that help and README show is the one that counts") {
  for (const OptionText& option : option_texts()) {
    CAPTURE(option.flag);
    if (!option.fallback.empty()) {
      // An option that does nothing by itself is shown to do so by another test.
      const auto given = parse({option.flag.c_str(), option.fallback.c_str(), "--isolate-by", "user"});
      CHECK(std::get<ServeOptions>(given) == serve({"--isolate-by", "user"}));
    }
  }
}

TEST_CASE("options: healthcheck asks the server that the options and the environment describe") {
  const auto asked = [](Words arguments, Words variables = {}) {
    return std::get<HealthcheckOptions>(parse(std::move(arguments), std::move(variables)));
  };
  const HealthcheckOptions plain = asked({"healthcheck"});
  CHECK(plain.url.empty());
  CHECK_FALSE(plain.tls);
  CHECK(plain.host == "127.0.0.1");
  CHECK(plain.port == 8080);
  CHECK_FALSE(plain.port_file);
  CHECK(asked({"healthcheck", "https://h:1"}).url == "https://h:1");

  const HealthcheckOptions variables =
      asked({"healthcheck"}, {"OCP_MOCK_HOST=::", "OCP_MOCK_PORT=0", "OCP_MOCK_PORT_FILE=f", "OCP_MOCK_TLS_CERT=c"});
  CHECK(variables.tls);
  CHECK(variables.host == "::");
  CHECK(variables.port == 0);
  CHECK(variables.port_file == "f");
  CHECK(asked({"healthcheck"}, {"OCP_MOCK_TLS_SELF_SIGNED=true"}).tls);

  // Flags before and behind the word.
  CHECK(asked({"--port", "81", "healthcheck"}, {"OCP_MOCK_PORT=82"}).port == 81);
  CHECK(asked({"healthcheck", "--port", "81", "--host=h", "--tls-self-signed"}).host == "h");
  CHECK(asked({"healthcheck", "--tls-self-signed=false"}, {"OCP_MOCK_TLS_SELF_SIGNED=true"}).tls == false);

  // A Service's variables, and those of a server that healthcheck does not use.
  CHECK(asked({"healthcheck"}, {"OCP_MOCK_PORT=tcp://10.96.0.12:8080", "OCP_MOCK_STRICT=maybe"}).port == 8080);
  CHECK(asked({"healthcheck", "http://h"}, {"OCP_MOCK_PORT=banana"}).url == "http://h");

  CHECK(mistake({"healthcheck"}, {"OCP_MOCK_PORT=banana"}) ==
        "OCP_MOCK_PORT is 'banana'; it must be a number from 0 to 65535");
  CHECK(mistake({"healthcheck"}, {"OCP_MOCK_PORT=0"}) ==
        "OCP_MOCK_PORT is 0, so the port is in the server's port file only; name that with --port-file");
  CHECK(mistake({"--port", "1", "healthcheck", "http://h"}) ==
        "--port does nothing beside a URL; leave one of them out");
  CHECK(mistake({"healthcheck", "--fixtures", "f"}) == "--fixtures is no option of healthcheck");
  CHECK(mistake({"--fixtures", "f", "healthcheck"}) == "--fixtures is no option of healthcheck");
  CHECK(mistake({"healthcheck", "a", "b"}) == "'b' is not expected behind healthcheck");
}

TEST_CASE("options: no mistake shows a secret") {
  for (const Words& arguments : std::vector<Words>{
           {"--user", "geheim"},
           {"--user", "admin", "geheim"},
           {"--user", "geheim", "geheim"},
           {"--user", ":geheim"},
           {"--user", "admin:geheim\n"},
           {"--user", "admin:geheim", "--user", "admin:geheim"},
           {"--user", "admin:geheim", "--port", "x"},
           {"--usr", "admin:geheim"},
           {"--users=admin:geheim"},
           {"--access-key", "geheim"},
           {"--access-key", "AK", "geheim"},
           {"--access-key", ":geheim"},
           {"--access-key", "AK:geheim", "--access-key", "AK:geheim"},
           {"--access-key", "AK:geheim:u", "AK:geheim"},
           {"--access-key", "AK:geheim:u:v"},
           {"--user", "admin:x", "-geheim"},
           {"--user", "admin:x", "--geheim"},
           {"--user=admin:x", "--geheim", "geheim"},
           {"--user", "admin:x", "geheim", "geheim"},
           {"--password", "geheim"},
           {"-p", "geheim"},
           {"--auth", "admin:geheim"},
           {"--admin-token", "geheim geheim"},
           {"--admin-token", "a", "geheim"},
           {"--admin-token=a", "geheim"},
           {"--credentials", R"({"users":[{"name":"a","password":"geheim"}]})"},
           {"--credentials", "admin:geheim"},
           {"--tls-cert", "c", "--tls-key", "-----BEGIN PRIVATE KEY-----geheim"},
           {"--acces-key", "geheim"},
           {"-u", "admin", "geheim"},
           {"serve", "admin:geheim"},
       }) {
    const std::string text = mistake(arguments);
    CAPTURE(text);
    CHECK(text != "no mistake");
    CHECK(text.find("geheim") == std::string::npos);
  }
  CHECK(mistake({}, {"OCP_MOCK_USER=geheim"}) == "OCP_MOCK_USER: it must be NAME:PASSWORD; the colon is missing");
}

TEST_CASE("options: an empty variable counts as none") {
  CHECK(serve({}, {"OCP_MOCK_PORT=", "OCP_MOCK_FIXTURES=", "OCP_MOCK_PRETTY=", "OCP_MOCK_FIXTURE="}) == serve({}));
  CHECK(serve({}, {"OCP_MOCK_FIXTURES=:::"}) == serve({}));
}

TEST_CASE("options: check takes paths, no option of serve, and looks at no variable") {
  CHECK(std::get<CheckOptions>(parse({"check", "a", "b"})).paths == Paths{"a", "b"});
  CHECK(std::get<CheckOptions>(parse({"check", "a"}, {"OCP_MOCK_PORT=banana", "OCP_MOCK_TLS_CERT=without its key"}))
            .paths == Paths{"a"});
  CHECK(mistake({"check"}) == "check needs a file or folder of fixtures");
  CHECK(mistake({"check", "a", "--port", "1"}) == "--port is no option of check");
  CHECK(mistake({"--port", "1", "check", "a"}) == "--port is no option of check");
}

TEST_CASE("options: a mistake is one sentence that names the option") {
  const struct {
    Words arguments;
    std::string sentence;  // its beginning
  } cases[] = {
      {{"--port", "banana"}, "--port is 'banana'; it must be a number from 0 to 65535"},
      {{"--port", "65536"}, "--port is '65536'; it must be a number from 0 to 65535"},
      {{"--port", "010"}, "--port is '010'; it must be a number from 0 to 65535"},
      {{"--port", "0x10"}, "--port is '0x10'; it must be"},
      {{"--port", "+1"}, "--port is '+1'; it must be"},
      {{"--port", " 1"}, "--port is ' 1'; it must be"},
      {{"--port", "-1"}, "--port is '-1'; it must be"},
      {{"--port"}, "--port needs a value"},
      {{"--port="}, "--port needs a value"},
      {{"--port", "1", "--port", "2"}, "--port is given more than once"},
      {{"--timezone", "Asia/Shanghai"},
       "--timezone is 'Asia/Shanghai'; it must be +hh:mm, -hh:mm or Z, the offset from UTC, at most 23:59"},
      {{"--timezone", "+25:00"},
       "--timezone is '+25:00'; it must be +hh:mm, -hh:mm or Z, the offset from UTC, at most"},
      {{"--frozen", "true"}, "--frozen is a switch: give --frozen alone, or --frozen=true"},
      {{"serve", "--strict", "No"}, "--strict is a switch: give --strict alone, or --strict=No"},
      {{"serve", "fixtures/x.json"},
       "'fixtures/x.json' is not expected here; did you mean --fixtures fixtures/x.json?"},
      {{"fixtures"}, "'fixtures' is not expected here; did you mean --fixtures fixtures?"},
      {{"x.ndjson", "--port", "0"}, "'x.ndjson' is not expected here; did you mean --fixtures x.ndjson?"},
      {{"x.har", "--port", "0"}, "'x.har' is not expected here; did you mean --fixtures x.har?"},
      {{"--log-level", "loud"}, "--log-level is 'loud'; it must be trace, debug, info, warn, error or off"},
      {{"--server-name", "\xFF"}, "--server-name is '%FF'; it must be UTF-8 text"},
      {{"--pretty=banana"}, "--pretty is 'banana'; it must be true or false, 1 or 0, on or off, yes or no"},
      {{"--fixtures"}, "--fixtures needs a value"},
      {{"--fixtures", ""}, "--fixtures is ''; it must be a path"},
      {{"--fixtures", "--port", "0"}, "--fixtures needs a value, but --port follows it"},
      {{"--port-file", "--pretty"}, "--port-file needs a value, but --pretty follows it"},
      {{"--server-name", "--frozen=1"}, "--server-name needs a value, but --frozen follows it"},
      {{"--fixtures", "a", "b"}, "'b' is no command; the commands are serve, check, healthcheck, help, version"},
      {{"--unknown"}, "'--unknown' is no option"},
      {{"-x"}, "'-x' is no option"},
      {{"unknown"}, "'unknown' is no command"},
      {{"--", "unknown"}, "'unknown' is no command"},
      {{"serve", "check", "x"}, "'check' is not expected behind serve"},
      {{"version", "x"}, "'x' is not expected behind version"},
      {{"help", "x"}, "there is no help of 'x'; the commands are serve, check, healthcheck, help, version"},
      {{"--auth", "maybe"}, "--auth: it must be any or off"},
      {{"--access-key", "AK:SK:"}, "--access-key: the user of access key 'AK' must be"},
      {{"--user", "admin"}, "--user: it must be NAME:PASSWORD; the colon is missing"},
      {{"--access-key", "AK"}, "--access-key: it must be AK:SK or AK:SK:USER; the colon is missing"},
      {{"--access-key", "AK:"}, "--access-key: access key 'AK' has no secret key"},
      {{"--rate-limit", "5"}, "--rate-limit is '5'; it must be N/WINDOW, N from 1 to 1000000000, the window 10s, 1m"},
      {{"--tls-name", "a b", "--tls-self-signed"}, "--tls-name is 'a b'; it must be a DNS name in ASCII such as"},
      {{"--max-head", "255"},
       "--max-head is '255'; it must be a number of bytes, or one with KiB, MiB or GiB, from 256"},
      {{"--max-head", "64kb"}, "--max-head is '64kb'; it must be"},
      {{"--max-body", "-1"}, "--max-body is '-1'; it must be a number of bytes"},
      {{"--max-body", "2GiB"}, "--max-body is '2GiB'; it must be"},
      {{"--max-body", "9223372036854775807GiB"}, "--max-body is '9223372036854775807GiB'; it must be"},
      {{"--request-timeout", "30"},
       "--request-timeout is '30'; it must be a number with ms, s or m, from 1ms to 1440m"},
      {{"--idle-timeout", "0s"}, "--idle-timeout is '0s'; it must be"},
      {{"--write-timeout", "1441m"}, "--write-timeout is '1441m'; it must be"},
      {{"--max-connections", "0"}, "--max-connections is '0'; it must be a number from 1 to 1000000"},
      {{"--isolate-by", "key"}, "--isolate-by is 'key'; it must be user"},
      {{"--max-worlds", "0", "--isolate-by", "user"}, "--max-worlds is '0'; it must be a number from 1 to 1000000"},
      {{"--journal-size", "-1"}, "--journal-size is '-1'; it must be a number from 0 to 1000000"},
      {{"--admin-token", ""}, "--admin-token: it must be ASCII text without blanks, and not empty"},
      {{"--admin-token", "a b"}, "--admin-token: it must be ASCII text without blanks, and not empty"},
      {{"--admin-host", "http://a.example"}, "--admin-host is 'http://a.example'; it must be the name of a host"},
      {{"--admin-host", "a.example:8080"}, "--admin-host is 'a.example:8080'; it must be the name of a host"},
      {{"--admin-host", "*.example"}, "--admin-host is '*.example'; it must be the name of a host"},
  };
  for (const auto& [arguments, sentence] : cases) {
    CAPTURE(sentence);
    const std::string text = mistake(arguments);
    CAPTURE(text);
    CHECK(text.starts_with(sentence));
  }
}

TEST_CASE("options: a mistake in a variable names the variable, and a flag in its place mends it") {
  CHECK(mistake({}, {"OCP_MOCK_PORT=banana"}) == "OCP_MOCK_PORT is 'banana'; it must be a number from 0 to 65535");
  CHECK(mistake({"--port-file", "f"}, {"OCP_MOCK_PORT=banana"}).starts_with("OCP_MOCK_PORT is 'banana'"));
  CHECK(mistake({"--port", "apple"}, {"OCP_MOCK_PORT=banana"}).starts_with("--port is 'apple'"));
  CHECK(serve({"--port", "1"}, {"OCP_MOCK_PORT=banana"}).port == 1);
  CHECK(mistake({}, {"OCP_MOCK_STRICT=maybe"}) ==
        "OCP_MOCK_STRICT is 'maybe'; it must be true or false, 1 or 0, on or off, yes or no");
  CHECK_FALSE(serve({"--strict=false"}, {"OCP_MOCK_STRICT=maybe"}).strict);
  CHECK_FALSE(serve({"--strict=No"}, {"OCP_MOCK_STRICT=true"}).strict);
  CHECK(serve({}, {"OCP_MOCK_STRICT=ON"}).strict);
  CHECK(mistake({}, {"OCP_MOCK_FIXTURES=a:--b"}) == "OCP_MOCK_FIXTURES is '--b'; it must be a path");
  // As in a process whose environment names one twice.
  CHECK(serve({}, {"OCP_MOCK_PORT=1", "OCP_MOCK_PORT=2"}).port == 1);
}

TEST_CASE("options: a misspelt word is answered with the nearest right one") {
  const struct {
    Words arguments;
    std::string sentence;
  } cases[] = {
      {{"--fixture", "f"}, "'--fixture' is no option; did you mean --fixtures?"},
      {{"--Port=1"}, "'--Port...' is no option; did you mean --port?"},
      {{"-port", "1"}, "'-port' is no option; did you mean --port?"},
      {{"--vesion"}, "'--vesion' is no option; did you mean --version?"},
      {{"serve", "--tls-ca", "f"}, "'--tls-ca' is no option; did you mean --tls-cert?"},
      {{"healthcheck", "--prot", "1"}, "'--prot' is no option; did you mean --port?"},
      {{"healthcheck", "--fixture", "1"}, "'--fixture' is no option"},
      {{"chekc", "f"},
       "'chekc' is no command; the commands are serve, check, healthcheck, help, version; did you mean 'check'?"},
      {{"help", "chek"},
       "there is no help of 'chek'; the commands are serve, check, healthcheck, help, version; did you mean 'check'?"},
      // What may be a secret is not shown, but what it was meant to be is none.
      {{"--user", "a:b", "--pretyt"}, "(not shown, it may be a secret) is no option; did you mean --pretty?"},
      {{"--pretyt", "--user", "a:b"}, "'--pretyt' is no option; did you mean --pretty?"},
  };
  for (const auto& [arguments, sentence] : cases) CHECK(mistake(arguments) == sentence);
}

TEST_CASE("options: flags that do nothing together are refused") {
  const struct {
    Words arguments;
    std::string sentence;
  } cases[] = {
      {{"--tls-cert", "f"}, "--tls-cert needs --tls-key"},
      {{"--tls-key", "f"}, "--tls-key needs --tls-cert"},
      {{"--tls-self-signed", "--tls-cert", "f", "--tls-key", "f"},
       "--tls-self-signed cannot be combined with --tls-cert"},
      {{"--tls-self-signed", "--tls-key", "f"}, "--tls-self-signed cannot be combined with --tls-key"},
      {{"--tls-name", "n"}, "--tls-name does nothing without --tls-self-signed"},
      {{"--tls-ca-out", "f"}, "--tls-ca-out does nothing without --tls-self-signed"},
      {{"--tls-ca-out", "f", "--tls-self-signed=false"}, "--tls-ca-out does nothing without --tls-self-signed"},
      {{"--admin-token", "t", "--no-admin"}, "--admin-token does nothing beside --no-admin; leave one of them out"},
      {{"--journal-size", "5", "--no-admin"}, "--journal-size does nothing beside --no-admin; leave one of them out"},
      {{"--init", "f", "--no-admin"}, "--init does nothing beside --no-admin; leave one of them out"},
      {{"--max-worlds", "5"}, "--max-worlds does nothing without --isolate-by"},
      {{"--user", "a:b", "--auth", "off"}, "--user does nothing beside --auth off; leave one of them out"},
      {{"--watch-poll", "1s", "--fixtures", "f", "--watch=false"},
       "--watch-poll cannot be combined with --watch=false"},
      {{"--watch"}, "--watch does nothing without --fixtures"},
      {{"--watch", "--fixtures", "f", "--db", "d"}, "--watch does nothing beside --db; leave one of them out"},
      {{"--watch-poll", "1s"}, "--watch-poll does nothing without --fixtures"},
      {{"--watch-poll", "1s", "--fixtures", "f", "--db", "d"},
       "--watch-poll does nothing beside --db; leave one of them out"},
  };
  for (const auto& [arguments, sentence] : cases) CHECK(mistake(arguments) == sentence);
  CHECK(serve({"--watch=false"}) == serve({}));
  CHECK(serve({"--user", "a:b", "--auth", "any"}).credentials.passwords.size() == 1);
  // A key still tells whose a request is.
  CHECK(serve({"--access-key", "AK:SK:admin", "--auth", "off"}).credentials.access_keys.size() == 1);
  CHECK(serve({"--admin-token", "t", "--no-admin=false"}).admin);
}

TEST_CASE("options: of a flag and a variable that do nothing together the variable is passed over") {
  const struct {
    Words arguments;
    Words variables;
    Words same_as;  // without the variables
    std::vector<std::string> warnings;
  } cases[] = {
      {{"--no-admin"},
       {"OCP_MOCK_ADMIN_TOKEN=t", "OCP_MOCK_INIT=f"},
       {"--no-admin"},
       {"OCP_MOCK_ADMIN_TOKEN is passed over: it does nothing beside --no-admin",
        "OCP_MOCK_INIT is passed over: it does nothing beside --no-admin"}},
      {{"--admin-token", "t"},
       {"OCP_MOCK_NO_ADMIN=true"},
       {"--admin-token", "t"},
       {"OCP_MOCK_NO_ADMIN is passed over: --admin-token does nothing beside it"}},
      {{},
       {"OCP_MOCK_NO_ADMIN=1", "OCP_MOCK_JOURNAL_SIZE=5"},
       {"--no-admin"},
       {"OCP_MOCK_JOURNAL_SIZE is passed over: it does nothing beside OCP_MOCK_NO_ADMIN"}},
      {{}, {"OCP_MOCK_MAX_WORLDS=5"}, {}, {"OCP_MOCK_MAX_WORLDS is passed over: it does nothing without --isolate-by"}},
      {{"--watch", "--fixtures", "f"},
       {"OCP_MOCK_DB=d"},
       {"--watch", "--fixtures", "f"},
       {"OCP_MOCK_DB is passed over: --watch does nothing beside it"}},
      {{"--tls-self-signed"},
       {"OCP_MOCK_TLS_CERT=c", "OCP_MOCK_TLS_KEY=k"},
       {"--tls-self-signed"},
       {"OCP_MOCK_TLS_CERT is passed over: it cannot be combined with --tls-self-signed",
        "OCP_MOCK_TLS_KEY is passed over: it cannot be combined with --tls-self-signed"}},
      {{"--tls-cert", "c", "--tls-key", "k"},
       {"OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_CA_OUT=ca"},
       {"--tls-cert", "c", "--tls-key", "k"},
       {"OCP_MOCK_TLS_SELF_SIGNED is passed over: it cannot be combined with --tls-cert",
        "OCP_MOCK_TLS_CA_OUT is passed over: it does nothing without --tls-self-signed"}},
      {{"--tls-self-signed=false"},
       {"OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_CA_OUT=ca"},
       {},
       {"OCP_MOCK_TLS_CA_OUT is passed over: it does nothing without --tls-self-signed"}},
      {{"--tls-cert", "c"}, {"OCP_MOCK_TLS_KEY=k"}, {"--tls-cert", "c", "--tls-key", "k"}, {}},
      {{"--auth", "off"},
       {"OCP_MOCK_USER=a:b"},
       {"--auth", "off"},
       {"OCP_MOCK_USER is passed over: it does nothing beside --auth off"}},
      {{"--user", "a:b"},
       {"OCP_MOCK_AUTH=off"},
       {"--user", "a:b"},
       {"OCP_MOCK_AUTH=off is passed over: --user does nothing beside it"}},
      {{"--watch=false", "--fixtures", "f"},
       {"OCP_MOCK_WATCH_POLL=1s"},
       {"--fixtures", "f"},
       {"OCP_MOCK_WATCH_POLL is passed over: it cannot be combined with --watch=false"}},
      {{"--watch-poll", "1s", "--fixtures", "f"},
       {"OCP_MOCK_WATCH=false"},
       {"--watch-poll", "1s", "--fixtures", "f"},
       {"OCP_MOCK_WATCH=false is passed over: it cannot be combined with --watch-poll"}},
  };
  for (const auto& [arguments, variables, same_as, warnings] : cases) {
    ServeOptions options = serve(arguments, variables);
    CHECK(options.warnings == warnings);
    options.warnings.clear();
    CHECK(options == serve(same_as));
  }
  // To serve HTTP, or another certificate than was meant, would not be what anybody wants.
  CHECK(mistake({}, {"OCP_MOCK_TLS_CERT=c"}) == "OCP_MOCK_TLS_CERT needs OCP_MOCK_TLS_KEY");
  CHECK(mistake({"--tls-key", "k"}) == "--tls-key needs --tls-cert");
  CHECK(mistake({}, {"OCP_MOCK_TLS_CERT=c", "OCP_MOCK_TLS_KEY=k", "OCP_MOCK_TLS_SELF_SIGNED=1"}) ==
        "OCP_MOCK_TLS_SELF_SIGNED cannot be combined with OCP_MOCK_TLS_CERT");
}

TEST_CASE("options: variables of a Kubernetes Service or a Docker link are known by their form") {
  const struct {
    const char* variable;
    const char* value;
    const char* link;  // null: none
  } cases[] = {
      {"OCP_MOCK_PORT", "tcp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "udp://[fd00::1]:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "sctp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT", "8080", nullptr},
      {"OCP_MOCK_PORT", "tcp:8080", nullptr},
      {"OCP_MOCK_PORT", "http://10.96.0.12:8080", nullptr},
      {"OCP_MOCK_SERVICE_HOST", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_SERVICE_PORT", "8080", "ocp-mock"},
      {"OCP_MOCK_SERVICE_PORT_HTTP", "8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP", "tcp://10.96.0.12:8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_PROTO", "tcp", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_PORT", "8080", "ocp-mock"},
      {"OCP_MOCK_PORT_8080_TCP_ADDR", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_PORT_53_UDP_ADDR", "10.96.0.12", "ocp-mock"},
      {"OCP_MOCK_PORT_FILE", "tcp://10.96.0.12:8080", nullptr},
      {"OCP_MOCK_PORT_8080", "x", nullptr},
      {"OCP_MOCK_PORT_8080_TCPX", "x", nullptr},
      {"OCP_MOCK_HOST_SERVICE_HOST", "10.96.0.12", "ocp-mock-host"},
      {"OCP_MOCK_DB_PORT", "tcp://10.96.0.12:5432", "ocp-mock-db"},
      {"OCP_MOCK_PORT_PORT", "tcp://10.96.0.12:5432", "ocp-mock-port"},
      {"OCP_MOCK_PORT_FILE_SERVICE_PORT_X", "1", "ocp-mock-port-file"},
      {"OCP_MOCK_PORT_PORT_80_TCP_ADDR", "10.96.0.12", "ocp-mock-port"},
      {"OCP_MOCK_NAME", "/web/ocp_mock", "ocp-mock"},
      {"OCP_MOCK_SERVER_NAME", "/web/ocp-mock-server", "ocp-mock-server"},
      {"OCP_MOCK_SERVER_NAME", "/web/other", nullptr},
      {"OCP_MOCK_SERVER_NAME", "ocp-mock-server", nullptr},
      {"OCP_MOCK_ENV_PATH", "/bin", "ocp-mock"},
      {"OCP_MOCKING_SERVICE_HOST", "10.96.0.12", nullptr},
      {"OCP_SERVICE_HOST", "10.96.0.12", nullptr},
  };
  for (const auto& [variable, value, link] : cases) {
    CAPTURE(variable);
    CAPTURE(value);
    CHECK(link_of(variable, value) == (link == nullptr ? std::nullopt : std::optional<std::string>(link)));
  }
  for (const OptionText& option : option_texts()) CHECK_FALSE(link_of(option.variable, "value"));
}

TEST_CASE("options: variables that are passed over are warned about, once for each Service") {
  const ServeOptions options =
      serve({}, {"OCP_MOCK_SERVICE_HOST=10.96.0.12", "OCP_MOCK_SERVICE_PORT=8080",
                 "OCP_MOCK_PORT=tcp://10.96.0.12:8080", "OCP_MOCK_PORT_8080_TCP=tcp://10.96.0.12:8080",
                 "OCP_MOCK_DB_SERVICE_HOST=10.96.0.13", "HOME=/", "OCP_MOCK_FIXTURE=geheim", "OCP_MOCK_COLOUR=geheim",
                 "OCP_MOCK_STRICT=true", "OCP_MOCK_TOKEN=geheim", "OCP_MOCK_CA_OUT=geheim", "OCP_MOCK_HEAD=1"});
  CHECK(options.port == 8080);
  CHECK(options.strict);
  CHECK(options.warnings ==
        std::vector<std::string>{
            "OCP_MOCK_PORT and 3 more variables are passed over: a Kubernetes Service or Docker link called 'ocp-mock' "
            "has set them; rename it, or set enableServiceLinks: false in the pod",
            "OCP_MOCK_DB_SERVICE_HOST is passed over: a Kubernetes Service or Docker link called 'ocp-mock-db' has set "
            "it; rename it, or set enableServiceLinks: false in the pod",
            "OCP_MOCK_CA_OUT is passed over: this server has no such variable; did you mean OCP_MOCK_TLS_CA_OUT?",
            "OCP_MOCK_COLOUR is passed over: this server has no such variable",
            "OCP_MOCK_FIXTURE is passed over: this server has no such variable; did you mean OCP_MOCK_FIXTURES?",
            "OCP_MOCK_HEAD is passed over: this server has no such variable; did you mean OCP_MOCK_MAX_HEAD?",
            "OCP_MOCK_TOKEN is passed over: this server has no such variable; did you mean OCP_MOCK_ADMIN_TOKEN?"});
  CHECK(serve({"--port", "1"}, {"OCP_MOCK_PORT=tcp://10.96.0.12:8080"}).port == 1);
}

TEST_CASE("options: help has a line for each option, and help of each command ends with an example") {
  const auto help = [](Words arguments) {
    const Exit exit = std::get<Exit>(parse(std::move(arguments)));
    CHECK(exit.code == 0);
    CHECK(exit.error.empty());
    return exit.out;
  };
  const std::string server = help({"--help"});
  for (const OptionText& option : option_texts()) {
    CAPTURE(option.flag);
    CHECK(server.find("  " + option.flag + " " + option.value) != std::string::npos);
    CHECK(server.find("[" + option.variable + (option.fallback.empty() ? "" : ", default " + option.fallback) + "]") !=
          std::string::npos);
  }
  for (const Words& same :
       std::vector<Words>{{"serve", "--help"}, {"help"}, {"help", "serve"}, {"--port", "x", "-h"}}) {
    CHECK(help(same) == server);
  }
  CHECK(server.ends_with("Example:\n  ocp-mock-server --port 0 --port-file ocp.port --fixtures tests/fixtures\n"));
  for (const char* command : {"check", "healthcheck", "help", "version"}) {
    const std::string text = help({command, "--help"});
    CHECK(text.starts_with(text.substr(0, text.find('\n'))));
    CHECK(text.find("\nUsage: ocp-mock-server " + std::string(command)) != std::string::npos);
    CHECK(text.find("\nExample:\n  ocp-mock-server " + std::string(command)) > text.size() - 80);
    CHECK(help({"help", command}) == text);
    CHECK(server.find("\n  " + std::string(command) + " ") != std::string::npos);
  }
}

TEST_CASE("options: the version, as a flag and as a word") {
  for (const char* word : {"--version", "version"}) {
    const Exit version = std::get<Exit>(parse({word}));
    CHECK(version.code == 0);
    CHECK(version.error.empty());
    CHECK(version.out.starts_with("ocp-mock-server "));
  }
}

TEST_CASE("options: README's table has a row for each, with its variable and default") {
  const std::string readme = test::read_file("README.md");
  const auto section = readme.find("\n## Options\n");
  REQUIRE(section != std::string::npos);
  std::istringstream lines(readme.substr(section, readme.find("\n## ", section + 1) - section));
  std::vector<std::vector<std::string>> rows;  // cells of those that begin with an option
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `--")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(2));
    for (std::string cell; std::getline(row, cell, '|');) {
      cells.push_back(cell.substr(0, cell.find_last_not_of(' ') + 1));
      row >> std::ws;
    }
    rows.push_back(cells);
  }
  const auto options = option_texts();
  CHECK(rows.size() == options.size());
  for (const OptionText& option : options) {
    const std::string flag = "`" + option.flag + (option.value.empty() ? "" : " " + option.value) + "`";
    CAPTURE(flag);
    const auto row = std::ranges::find_if(rows, [&](const auto& cells) { return cells.front() == flag; });
    REQUIRE(row != rows.end());
    REQUIRE(row->size() == 4);
    CHECK((row->at(1) + ",").starts_with("`" + option.variable + "`,"));
    if (!option.fallback.empty()) CHECK(row->at(2) == "`" + option.fallback + "`");
    if (option.value.empty()) CHECK(row->at(2) == "off");
  }
}
