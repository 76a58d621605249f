#include "cli/options.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace ocp_mock;

namespace {

std::variant<ServeOptions, CheckOptions, HealthcheckOptions, Exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ocp-mock-server");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

ServeOptions serve(std::vector<const char*> arguments) { return std::get<ServeOptions>(parse(std::move(arguments))); }

// Variables of the environment, for the time of a test.
class Environment {
 public:
  using Variables = std::vector<std::pair<const char*, const char*>>;

  explicit Environment(Variables variables) : variables_(std::move(variables)) {
    for (const auto& [name, value] : variables_) ::setenv(name, value, 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : variables_) ::unsetenv(name);
  }

 private:
  Variables variables_;
};

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
  CHECK(options.offset_minutes == 480);
  CHECK_FALSE(options.server_name);
  CHECK(options.log_level == "info");
}

TEST_CASE("options: flags, before or after the word serve") {
  for (const auto& arguments : std::vector<std::vector<const char*>>{
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
  const Environment environment(Environment::Variables{{"OCP_MOCK_FIXTURES", "a:b::c"},
                                                       {"OCP_MOCK_DB", "d"},
                                                       {"OCP_MOCK_HOST", "0.0.0.0"},
                                                       {"OCP_MOCK_PORT", "81"},
                                                       {"OCP_MOCK_PORT_FILE", "f"},
                                                       {"OCP_MOCK_PRETTY", "true"},
                                                       {"OCP_MOCK_FROZEN", "1"},
                                                       {"OCP_MOCK_STRICT", "false"},
                                                       {"OCP_MOCK_TIMEZONE", "Z"},
                                                       {"OCP_MOCK_SERVER_NAME", "s"},
                                                       {"OCP_MOCK_LOG_LEVEL", "warn"}});
  const ServeOptions from_environment = serve({});
  CHECK(from_environment.fixtures == Paths{"a", "b", "c"});
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
                                    "--strict", "--server-name", "t"});
  CHECK(flags.fixtures == Paths{"x"});
  CHECK(flags.port == 82);
  CHECK(flags.offset_minutes == 60);
  CHECK(flags.log_level == "debug");
  CHECK(flags.strict);
  CHECK(flags.server_name == "t");
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
                                    "off",
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
  CHECK(given.auth == AuthMode::Off);
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

  const Environment environment(Environment::Variables{{"OCP_MOCK_OCP_VERSION", "4.1"},
                                                       {"OCP_MOCK_AUTH", "off"},
                                                       {"OCP_MOCK_USER", "admin:a,b"},
                                                       {"OCP_MOCK_ACCESS_KEY", "AK:SK:u"},
                                                       {"OCP_MOCK_CREDENTIALS", "c"},
                                                       {"OCP_MOCK_RATE_LIMIT", "1/1d"},
                                                       {"OCP_MOCK_TLS_SELF_SIGNED", "true"},
                                                       {"OCP_MOCK_TLS_CA_OUT", "ca"},
                                                       {"OCP_MOCK_MAX_HEAD", "1KiB"},
                                                       {"OCP_MOCK_MAX_BODY", "1MiB"},
                                                       {"OCP_MOCK_REQUEST_TIMEOUT", "1s"},
                                                       {"OCP_MOCK_IDLE_TIMEOUT", "2s"},
                                                       {"OCP_MOCK_WRITE_TIMEOUT", "3s"},
                                                       {"OCP_MOCK_MAX_CONNECTIONS", "9"}});
  const ServeOptions variables = serve({});
  CHECK(variables.ocp_version == "4.1");
  CHECK(variables.auth == AuthMode::Off);
  CHECK(variables.credentials.passwords.at("admin") == "a,b");
  CHECK(variables.credentials.access_keys.at("AK").user == "u");
  CHECK(variables.credentials_file == "c");
  CHECK(variables.rate_limit->seconds == 86400);
  CHECK(variables.tls_self_signed);
  CHECK(variables.tls_ca_out == "ca");
  CHECK(variables.limits.parser.head_bytes == 1024);
  CHECK(variables.limits.parser.body_bytes == 1048576);
  CHECK(variables.limits.request_time == std::chrono::seconds(1));
  CHECK(variables.limits.idle_time == std::chrono::seconds(2));
  CHECK(variables.limits.write_time == std::chrono::seconds(3));
  CHECK(variables.max_connections == 9);
  const ServeOptions flags = serve({"--auth", "any", "--user", "other:x"});
  CHECK(flags.auth == AuthMode::Any);
  CHECK(flags.credentials.passwords.size() == 1);
  CHECK(flags.credentials.passwords.contains("other"));
}

TEST_CASE("options: the test's side") {
  const ServeOptions defaults = serve({});
  CHECK(defaults.admin);
  CHECK_FALSE(defaults.admin_token);
  CHECK_FALSE(defaults.isolate_by_user);
  CHECK(defaults.max_worlds == 1000);
  CHECK(defaults.journal_size == 1000);
  CHECK_FALSE(defaults.watch);
  CHECK_FALSE(defaults.watch_poll);
  CHECK_FALSE(defaults.init);
  const ServeOptions given = serve({"--admin-token", "t", "--isolate-by", "user", "--max-worlds", "5", "--journal-size",
                                    "0", "--watch", "--fixtures", "f", "--init", "i"});
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
  const Environment environment(Environment::Variables{{"OCP_MOCK_NO_ADMIN", "true"},
                                                       {"OCP_MOCK_ADMIN_TOKEN", "t"},
                                                       {"OCP_MOCK_ISOLATE_BY", "user"},
                                                       {"OCP_MOCK_MAX_WORLDS", "6"},
                                                       {"OCP_MOCK_JOURNAL_SIZE", "7"},
                                                       {"OCP_MOCK_FIXTURES", "f"},
                                                       {"OCP_MOCK_WATCH", "true"},
                                                       {"OCP_MOCK_WATCH_POLL", "2s"}});
  const ServeOptions variables = serve({});
  CHECK_FALSE(variables.admin);
  CHECK(variables.admin_token == "t");
  CHECK(variables.isolate_by_user);
  CHECK(variables.max_worlds == 6);
  CHECK(variables.journal_size == 7);
  CHECK(variables.watch);
  CHECK(variables.watch_poll == std::chrono::seconds(2));
}

TEST_CASE("options: healthcheck asks the server that the options and the environment describe") {
  CHECK(std::get<HealthcheckOptions>(parse({"healthcheck"})).url == "http://127.0.0.1:8080");
  CHECK(std::get<HealthcheckOptions>(parse({"healthcheck", "https://h:1"})).url == "https://h:1");
  const Environment environment(Environment::Variables{{"OCP_MOCK_PORT", "81"}, {"OCP_MOCK_TLS_SELF_SIGNED", "true"}});
  CHECK(std::get<HealthcheckOptions>(parse({"healthcheck"})).url == "https://127.0.0.1:81");
  CHECK(std::get<Exit>(parse({"healthcheck", "a", "b"})).code == kUsageExitCode);
  CHECK(std::get<Exit>(parse({"healthcheck", "--help"})).out.find("healthcheck") != std::string::npos);
}

TEST_CASE("options: no mistake shows a secret") {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--user", "geheim"},
           {"--user", "admin", "geheim"},
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
           {"--credentials", R"({"users":[{"name":"a","password":"geheim"}]})"},
           {"--credentials", "admin:geheim"},
           {"--tls-cert", "c", "--tls-key", "-----BEGIN PRIVATE KEY-----geheim"},
           {"--acces-key", "geheim"},
           {"-u", "admin", "geheim"},
           {"serve", "admin:geheim"},
       }) {
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<Exit>(parsed));
    const std::string error = std::get<Exit>(parsed).error;
    CAPTURE(error);
    CHECK(std::get<Exit>(parsed).code == kUsageExitCode);
    CHECK(error.find("geheim") == std::string::npos);
  }
  const Environment environment(Environment::Variables{{"OCP_MOCK_USER", "geheim"}});
  CHECK(std::get<Exit>(parse({})).error ==
        "ocp-mock-server: OCP_MOCK_USER: it must be NAME:PASSWORD; the colon is missing (see --help)\n");
}

TEST_CASE("options: an empty variable counts as none") {
  const Environment environment(
      Environment::Variables{{"OCP_MOCK_PORT", ""}, {"OCP_MOCK_FIXTURES", ""}, {"OCP_MOCK_PRETTY", ""}});
  CHECK(serve({}).port == 8080);
  CHECK(serve({}).fixtures.empty());
  CHECK_FALSE(serve({}).pretty);
}

TEST_CASE("options: check takes paths, and no option of serve") {
  CHECK(std::get<CheckOptions>(parse({"check", "a", "b"})).paths == Paths{"a", "b"});
  CHECK(std::get<Exit>(parse({"check"})).code == kUsageExitCode);
  CHECK(std::get<Exit>(parse({"check", "a", "--port", "1"})).code == kUsageExitCode);
  const Environment environment(Environment::Variables{{"OCP_MOCK_TLS_CERT", "without its key"}});
  CHECK(std::get<CheckOptions>(parse({"check", "a"})).paths == Paths{"a"});
}

TEST_CASE("options: a mistake is one sentence that names the option") {
  const struct {
    std::vector<const char*> arguments;
    std::string named;
  } cases[] = {
      {{"--port", "banana"}, "--port"},
      {{"--port", "65536"}, "--port"},
      {{"--port", "010"}, "--port: '010' is no port; it must be a number from 0 to 65535"},
      {{"--port", "0x10"}, "--port"},
      {{"--port", "-1"}, "--port"},
      {{"--port"}, "--port"},
      {{"--port", "1", "--port", "2"}, "--port"},
      {{"--timezone", "Asia/Shanghai"},
       "--timezone: 'Asia/Shanghai' is no offset from UTC; it must be +hh:mm, -hh:mm or Z"},
      {{"--log-level", "loud"}, "--log-level"},
      {{"--server-name", "\xFF"}, "--server-name"},
      {{"--pretty=banana"}, "--pretty"},
      {{"--fixtures"}, "--fixtures"},
      {{"--fixtures", ""}, "--fixtures: '' is no path"},
      {{"--fixtures", "--port", "0"}, "--fixtures: '--port' is no path"},
      {{"--fixtures", "a", "b"}, "b"},
      {{"--unknown"}, "--unknown"},
      {{"unknown"}, "unknown"},
      {{"serve", "check", "x"}, "check"},
      {{"--auth", "maybe"}, "--auth: it must be any or off"},
      {{"--access-key", "AK:SK:"}, "--access-key: the user of access key 'AK' must be"},
      {{"--user", "a:b", "--pretyt"}, "not expected here: (not shown, it may be a secret)"},
      {{"--pretyt", "--user", "a:b"}, "not expected here: --pretyt"},
      {{"--user", "admin"}, "--user: it must be NAME:PASSWORD; the colon is missing"},
      {{"--access-key", "AK"}, "--access-key: it must be AK:SK or AK:SK:USER; the colon is missing"},
      {{"--access-key", "AK:"}, "--access-key: access key 'AK' has no secret key"},
      {{"--rate-limit", "5"}, "--rate-limit: '5' is no rate limit; it must be N/WINDOW"},
      {{"--tls-cert", "f"}, "--tls-cert: it needs its key, --tls-key"},
      {{"--tls-key", "f"}, "--tls-key: it needs its certificate, --tls-cert"},
      {{"--tls-ca-out", "f"}, "--tls-ca-out: it needs --tls-self-signed"},
      {{"--tls-self-signed", "--tls-cert", "f", "--tls-key", "f"},
       "--tls-self-signed: it cannot stand beside --tls-cert"},
      {{"--max-head", "255"}, "--max-head: '255' is no size; it must be"},
      {{"--max-head", "64kb"}, "--max-head: '64kb' is no size; it must be"},
      {{"--max-body", "-1"}, "--max-body: '-1' is no size; it must be"},
      {{"--max-body", "2GiB"}, "--max-body: '2GiB' is no size; it must be"},
      {{"--max-body", "9223372036854775807GiB"}, "--max-body"},
      {{"--request-timeout", "30"}, "--request-timeout: '30' is no time; it must be a number with ms, s or m"},
      {{"--idle-timeout", "0s"}, "--idle-timeout"},
      {{"--write-timeout", "1441m"}, "--write-timeout"},
      {{"--max-connections", "0"}, "--max-connections"},
      {{"--isolate-by", "key"}, "--isolate-by"},
      {{"--max-worlds", "0"}, "--max-worlds"},
      {{"--journal-size", "-1"}, "--journal-size"},
      {{"--admin-token", ""}, "--admin-token: the token must be ASCII text without blanks, and not empty"},
      {{"--admin-token", "a b"}, "--admin-token: the token must be ASCII text without blanks, and not empty"},
      {{"--init", "f", "--no-admin"}, "--init: it cannot stand beside --no-admin"},
      {{"--watch"}, "--watch: it needs --fixtures"},
      {{"--watch", "--fixtures", "f", "--db", "d"}, "--watch: it cannot stand beside --db"},
      {{"--watch-poll", "1s"}, "--watch-poll: it needs --fixtures"},
      {{"--watch-poll", "1s", "--fixtures", "f", "--db", "d"}, "--watch-poll: it cannot stand beside --db"},
      {{"--watch-poll", "0s", "--fixtures", "f"}, "--watch-poll: '0s' is no time; it must be a number with ms, s or m"},
  };
  for (const auto& [arguments, named] : cases) {
    CAPTURE(named);
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<Exit>(parsed));
    const Exit& exit = std::get<Exit>(parsed);
    CAPTURE(exit.error);
    CHECK(exit.code == kUsageExitCode);
    CHECK(exit.out.empty());
    CHECK(exit.error.starts_with("ocp-mock-server: "));
    CHECK(exit.error.find(named) != std::string::npos);
    CHECK(exit.error.find('\n') == exit.error.size() - 1);
  }
  const Environment environment(Environment::Variables{{"OCP_MOCK_PORT", "banana"}});
  CHECK(std::get<Exit>(parse({})).error ==
        "ocp-mock-server: OCP_MOCK_PORT: 'banana' is no port; it must be a number from 0 to 65535 (see --help)\n");
  CHECK(std::get<Exit>(parse({"--port-file", "f"})).error.starts_with("ocp-mock-server: OCP_MOCK_PORT: "));
  CHECK(std::get<Exit>(parse({"--port", "apple"})).error ==
        "ocp-mock-server: --port: 'apple' is no port; it must be a number from 0 to 65535 (see --help)\n");
}

TEST_CASE("options: help has a line for each option, and so has serve's") {
  const Exit help = std::get<Exit>(parse({"--help"}));
  CHECK(help.code == 0);
  CHECK(help.error.empty());
  for (const std::string option : {"fixtures",
                                   "db",
                                   "host",
                                   "port",
                                   "port-file",
                                   "pretty",
                                   "frozen",
                                   "strict",
                                   "timezone",
                                   "server-name",
                                   "log-level",
                                   "ocp-version",
                                   "auth",
                                   "user",
                                   "access-key",
                                   "credentials",
                                   "rate-limit",
                                   "tls-cert",
                                   "tls-key",
                                   "tls-self-signed",
                                   "tls-ca-out",
                                   "max-head",
                                   "max-body",
                                   "request-timeout",
                                   "idle-timeout",
                                   "write-timeout",
                                   "max-connections",
                                   "admin-token",
                                   "no-admin",
                                   "isolate-by",
                                   "max-worlds",
                                   "journal-size",
                                   "watch",
                                   "watch-poll",
                                   "init"}) {
    CAPTURE(option);
    CHECK(help.out.find("--" + option + " ") != std::string::npos);
    std::string variable = "OCP_MOCK_" + option;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(c >= 'a' ? c - 32 : c);
    CHECK(help.out.find(variable) != std::string::npos);
  }
  CHECK(std::get<Exit>(parse({"serve", "--help"})).out == help.out);
  CHECK(std::get<Exit>(parse({"check", "--help"})).out.find("PATH") != std::string::npos);
}

TEST_CASE("options: the version") {
  const Exit version = std::get<Exit>(parse({"--version"}));
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("ocp-mock-server "));
}
