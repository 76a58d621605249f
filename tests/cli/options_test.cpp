#include "cli/options.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/option_table.h"
#include "parse.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

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
                                    "V4.2.1-20240101",
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
  CHECK(given.ocp_version == "4.2.1-20240101");
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

  const Words environment{"OCP_MOCK_OCP_VERSION=4.1.0",    "OCP_MOCK_AUTH=any",
                          "OCP_MOCK_USER=admin:a,b",       "OCP_MOCK_ACCESS_KEY=AK:SK:u",
                          "OCP_MOCK_CREDENTIALS=c",        "OCP_MOCK_RATE_LIMIT=1/1d",
                          "OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_NAME=ocp.test,10.0.0.1, ::1,",
                          "OCP_MOCK_TLS_CA_OUT=ca",        "OCP_MOCK_MAX_HEAD=1KiB",
                          "OCP_MOCK_MAX_BODY=1MiB",        "OCP_MOCK_REQUEST_TIMEOUT=1s",
                          "OCP_MOCK_IDLE_TIMEOUT=2s",      "OCP_MOCK_WRITE_TIMEOUT=3s",
                          "OCP_MOCK_MAX_CONNECTIONS=9"};
  const ServeOptions variables = serve({}, environment);
  CHECK(variables.ocp_version == "4.1.0");
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
  CHECK(passed_over.warnings == std::vector<std::string>{"OCP_MOCK_MAX_HEAD is ignored: it needs --http-engine epoll"});
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

TEST_CASE("options: a default that help and docs/options.md show is the one that counts") {
  for (const Option& option : option_table()) {
    CAPTURE(option.flag);
    if (!option.fallback.empty()) {
      // An option that does nothing by itself is shown to do so by another test.
      const auto given = parse({option.flag.data(), option.fallback.data(), "--isolate-by", "user"});
      CHECK(std::get<ServeOptions>(given) == serve({"--isolate-by", "user"}));
    }
  }
}

TEST_CASE("options: exec has the server's options before --, and its command behind it") {
  const auto exec = [](Words arguments, Words variables = {}) {
    return std::get<ExecOptions>(parse(std::move(arguments), std::move(variables)));
  };
  const ExecOptions plain = exec({"exec", "--", "true"});
  CHECK(plain.serve.port == 0);
  CHECK(plain.serve.log_level == "warn");
  CHECK(plain.command == std::vector<std::string>{"true"});
  const ExecOptions given =
      exec({"--strict", "exec", "--port=81", "--server-name", "exec", "--", "a", "--", "--port", "x"},
           {"OCP_MOCK_LOG_LEVEL=info"});
  CHECK(given.serve.strict);
  CHECK(given.serve.port == 81);
  CHECK(given.serve.server_name == "exec");
  CHECK(given.serve.log_level == "info");
  CHECK(given.command == std::vector<std::string>{"a", "--", "--port", "x"});
  CHECK(exec({"exec", "--", "true"}, {"OCP_MOCK_PORT=82"}).serve.port == 0);
  CHECK(exec({"exec", "--port", "83", "--", "true"}, {"OCP_MOCK_PORT=82"}).serve.port == 83);
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
  CHECK(mistake({"--port", "1", "healthcheck", "http://h"}) == "--port does nothing with a URL; leave one of them out");
  CHECK(mistake({"healthcheck", "--fixtures", "f"}) == "--fixtures is not an option of healthcheck");
  CHECK(mistake({"--fixtures", "f", "healthcheck"}) == "--fixtures is not an option of healthcheck");
  CHECK(mistake({"healthcheck", "a", "b"}) == "'b' is not expected after healthcheck");
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
  CHECK(mistake({"check", "a", "--port", "1"}) == "--port is not an option of check");
  CHECK(mistake({"--port", "1", "check", "a"}) == "--port is not an option of check");
}

TEST_CASE("options: help has a line for each option, and help of each command ends with an example") {
  const auto help = [](Words arguments) {
    const Exit exit = std::get<Exit>(parse(std::move(arguments)));
    CHECK(exit.code == 0);
    CHECK(exit.error.empty());
    return exit.out;
  };
  const std::string server = help({"--help"});
  for (const Option& option : option_table()) {
    CAPTURE(option.flag);
    CHECK(server.find(fmt::format("  {} {}", option.flag, option.value)) != std::string::npos);
    CHECK(server.find(fmt::format("[{}{}{}]", option.variable(), option.fallback.empty() ? "" : ", default ",
                                  option.fallback)) != std::string::npos);
  }
  for (const Words& same :
       std::vector<Words>{{"serve", "--help"}, {"help"}, {"help", "serve"}, {"--port", "x", "-h"}}) {
    CHECK(help(same) == server);
  }
  CHECK(server.ends_with("Example:\n  ocp-mock-server --port 0 --port-file ocp.port --fixtures tests/fixtures\n"));
  for (const char* command : {"exec", "check", "generate", "healthcheck", "capture", "record", "diff", "help",
                              "version", "completion", "man"}) {
    const std::string text = help({command, "--help"});
    CHECK(text.starts_with(text.substr(0, text.find('\n'))));
    CHECK(text.find("\nUsage: ocp-mock-server " + std::string(command)) != std::string::npos);
    CHECK(text.find("\nExample:\n  ocp-mock-server " + std::string(command)) > text.size() - 160);
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

TEST_CASE("options: the table of docs/options.md has a row for each, with its variable and default") {
  std::istringstream lines(test::read_file("docs/options.md"));
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
  const auto options = option_table();
  CHECK(rows.size() == options.size());
  for (const Option& option : options) {
    const std::string flag = fmt::format("`{}{}{}`", option.flag, option.is_switch() ? "" : " ", option.value);
    CAPTURE(flag);
    const auto row = std::ranges::find_if(rows, [&](const auto& cells) { return cells.front() == flag; });
    REQUIRE(row != rows.end());
    REQUIRE(row->size() == 4);
    CHECK((row->at(1) + ",").starts_with("`" + option.variable() + "`,"));
    if (!option.fallback.empty()) CHECK(row->at(2) == fmt::format("`{}`", option.fallback));
    if (option.is_switch()) CHECK(row->at(2) == "off");
  }
}
