// What is said about mistakes, and about variables that are passed over.
#include "cli/options.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "parse.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

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
      {{"--ocp-version", "latest"},
       "--ocp-version is 'latest'; it must be a version such as 4.3.1, V4.3.1 or 4.3.1-20240513"},
      {{"--ocp-version", "4.3"}, "--ocp-version is '4.3'; it must be a version"},
      {{"--ocp-version", "4.3."}, "--ocp-version is '4.3.'; it must be a version"},
      {{"--ocp-version", "4.3.x"}, "--ocp-version is '4.3.x'; it must be a version"},
      {{"--ocp-version", "4.3.1x"}, "--ocp-version is '4.3.1x'; it must be a version"},
      {{"--ocp-version", "V"}, "--ocp-version is 'V'; it must be a version"},
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
      {{"--fixtures", "a", "b"},
       "'b' is not a command; the commands are serve, exec, check, generate, healthcheck, capture, record, diff, help, "
       "version, completion, man"},
      {{"--unknown"}, "'--unknown' is not an option"},
      {{"-x"}, "'-x' is not an option"},
      {{"unknown"}, "'unknown' is not a command"},
      {{"--", "unknown"}, "'unknown' is not a command"},
      {{"serve", "check", "x"}, "'check' is not expected after serve"},
      {{"version", "x"}, "'x' is not expected after version"},
      {{"exec"}, "exec needs a command behind --, as in exec [OPTIONS] -- COMMAND [ARGUMENT...]"},
      {{"exec", "--"}, "exec needs a command behind --, as in exec [OPTIONS] -- COMMAND [ARGUMENT...]"},
      {{"exec", "pytest"},
       "'pytest' is not expected before --; exec [OPTIONS] -- COMMAND has the command and its arguments behind it"},
      {{"exec", "--strict", "true", "--", "x"}, "--strict is a switch: give --strict alone, or --strict=true"},
      {{"exec", "--fixtures", "--", "x"}, "--fixtures needs a value"},
      {{"exec", "--prt", "1", "--", "x"}, "'--prt' is not an option; did you mean --port?"},
      {{"--server-name", "exec", "--", "x"},
       "'x' is not a command; the commands are serve, exec, check, generate, healthcheck, capture, record, diff, help, "
       "version, completion, man"},
      {{"help", "x"},
       "there is no help for 'x'; the commands are serve, exec, check, generate, healthcheck, capture, record, diff, "
       "help, version, completion, man"},
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
      {{"--fixture", "f"}, "'--fixture' is not an option; did you mean --fixtures?"},
      {{"--Port=1"}, "'--Port...' is not an option; did you mean --port?"},
      {{"-port", "1"}, "'-port' is not an option; did you mean --port?"},
      {{"--vesion"}, "'--vesion' is not an option; did you mean --version?"},
      {{"serve", "--tls-ca", "f"}, "'--tls-ca' is not an option; did you mean --tls-cert?"},
      {{"healthcheck", "--prot", "1"}, "'--prot' is not an option; did you mean --port?"},
      {{"healthcheck", "--fixture", "1"}, "'--fixture' is not an option"},
      {{"chekc", "f"},
       "'chekc' is not a command; the commands are serve, exec, check, generate, healthcheck, capture, record, diff, "
       "help, version, completion, man; did you mean "
       "'check'?"},
      {{"help", "chek"},
       "there is no help for 'chek'; the commands are serve, exec, check, generate, healthcheck, capture, record, "
       "diff, help, version, completion, man; did you mean "
       "'check'?"},
      // What may be a secret is not shown, but what it was meant to be is none.
      {{"--user", "a:b", "--pretyt"}, "(not shown, it may be a secret) is not an option; did you mean --pretty?"},
      {{"--pretyt", "--user", "a:b"}, "'--pretyt' is not an option; did you mean --pretty?"},
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
      {{"--admin-token", "t", "--no-admin"}, "--admin-token does nothing with --no-admin; leave one of them out"},
      {{"--journal-size", "5", "--no-admin"}, "--journal-size does nothing with --no-admin; leave one of them out"},
      {{"--init", "f", "--no-admin"}, "--init does nothing with --no-admin; leave one of them out"},
      {{"--max-worlds", "5"}, "--max-worlds does nothing without --isolate-by"},
      {{"--user", "a:b", "--auth", "off"}, "--user does nothing with --auth off; leave one of them out"},
      {{"--watch-poll", "1s", "--fixtures", "f", "--watch=false"},
       "--watch-poll cannot be combined with --watch=false"},
      {{"--watch"}, "--watch does nothing without --fixtures"},
      {{"--watch", "--fixtures", "f", "--db", "d"}, "--watch does nothing with --db; leave one of them out"},
      {{"--watch-poll", "1s"}, "--watch-poll does nothing without --fixtures"},
      {{"--watch-poll", "1s", "--fixtures", "f", "--db", "d"},
       "--watch-poll does nothing with --db; leave one of them out"},
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
       {"OCP_MOCK_ADMIN_TOKEN is ignored: it does nothing with --no-admin",
        "OCP_MOCK_INIT is ignored: it does nothing with --no-admin"}},
      {{"--admin-token", "t"},
       {"OCP_MOCK_NO_ADMIN=true"},
       {"--admin-token", "t"},
       {"OCP_MOCK_NO_ADMIN is ignored: --admin-token does nothing with it"}},
      {{},
       {"OCP_MOCK_NO_ADMIN=1", "OCP_MOCK_JOURNAL_SIZE=5"},
       {"--no-admin"},
       {"OCP_MOCK_JOURNAL_SIZE is ignored: it does nothing with OCP_MOCK_NO_ADMIN"}},
      {{}, {"OCP_MOCK_MAX_WORLDS=5"}, {}, {"OCP_MOCK_MAX_WORLDS is ignored: it does nothing without --isolate-by"}},
      {{"--watch", "--fixtures", "f"},
       {"OCP_MOCK_DB=d"},
       {"--watch", "--fixtures", "f"},
       {"OCP_MOCK_DB is ignored: --watch does nothing with it"}},
      {{"--tls-self-signed"},
       {"OCP_MOCK_TLS_CERT=c", "OCP_MOCK_TLS_KEY=k"},
       {"--tls-self-signed"},
       {"OCP_MOCK_TLS_CERT is ignored: it cannot be combined with --tls-self-signed",
        "OCP_MOCK_TLS_KEY is ignored: it cannot be combined with --tls-self-signed"}},
      {{"--tls-cert", "c", "--tls-key", "k"},
       {"OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_CA_OUT=ca"},
       {"--tls-cert", "c", "--tls-key", "k"},
       {"OCP_MOCK_TLS_SELF_SIGNED is ignored: it cannot be combined with --tls-cert",
        "OCP_MOCK_TLS_CA_OUT is ignored: it does nothing without --tls-self-signed"}},
      {{"--tls-self-signed=false"},
       {"OCP_MOCK_TLS_SELF_SIGNED=true", "OCP_MOCK_TLS_CA_OUT=ca"},
       {},
       {"OCP_MOCK_TLS_CA_OUT is ignored: it does nothing without --tls-self-signed"}},
      {{"--tls-cert", "c"}, {"OCP_MOCK_TLS_KEY=k"}, {"--tls-cert", "c", "--tls-key", "k"}, {}},
      {{"--auth", "off"},
       {"OCP_MOCK_USER=a:b"},
       {"--auth", "off"},
       {"OCP_MOCK_USER is ignored: it does nothing with --auth off"}},
      {{"--user", "a:b"},
       {"OCP_MOCK_AUTH=off"},
       {"--user", "a:b"},
       {"OCP_MOCK_AUTH=off is ignored: --user does nothing with it"}},
      {{"--watch=false", "--fixtures", "f"},
       {"OCP_MOCK_WATCH_POLL=1s"},
       {"--fixtures", "f"},
       {"OCP_MOCK_WATCH_POLL is ignored: it cannot be combined with --watch=false"}},
      {{"--watch-poll", "1s", "--fixtures", "f"},
       {"OCP_MOCK_WATCH=false"},
       {"--watch-poll", "1s", "--fixtures", "f"},
       {"OCP_MOCK_WATCH=false is ignored: it cannot be combined with --watch-poll"}},
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
            "OCP_MOCK_PORT and 3 more variables are ignored: a Kubernetes Service or Docker link called 'ocp-mock' "
            "has set them; rename it, or set enableServiceLinks: false in the pod",
            "OCP_MOCK_DB_SERVICE_HOST is ignored: a Kubernetes Service or Docker link called 'ocp-mock-db' has set "
            "it; rename it, or set enableServiceLinks: false in the pod",
            "OCP_MOCK_CA_OUT is ignored: this server has no such variable; did you mean OCP_MOCK_TLS_CA_OUT?",
            "OCP_MOCK_COLOUR is ignored: this server has no such variable",
            "OCP_MOCK_FIXTURE is ignored: this server has no such variable; did you mean OCP_MOCK_FIXTURES?",
            "OCP_MOCK_HEAD is ignored: this server has no such variable; did you mean OCP_MOCK_MAX_HEAD?",
            "OCP_MOCK_TOKEN is ignored: this server has no such variable; did you mean OCP_MOCK_ADMIN_TOKEN?"});
  CHECK(serve({"--port", "1"}, {"OCP_MOCK_PORT=tcp://10.96.0.12:8080"}).port == 1);
}
