// The options of the commands that ask an OCP.
#include "cli/client_options.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/parse.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

CaptureCommand capture_command(Words arguments) {
  arguments.insert(arguments.begin(), "capture");
  return std::get<CaptureCommand>(parse(std::move(arguments)));
}

}  // namespace

TEST_CASE("options: a capture is told by its flags") {
  const CaptureCommand command = capture_command({"--from", "https://ocp/x", "--user",  "u:p:q",    "--ca",
                                                  "c",      "--cluster",     "1",       "--tenant", "2",
                                                  "alarms", "hosts",         "--query", "a=b",      "--query",
                                                  "c=d",    "--lists-only",  "--out",   "o",        "--redact-rules",
                                                  "r"});
  const CaptureOptions& options = command.capture;
  CHECK(options.upstream.url == "https://ocp/x");
  CHECK(options.upstream.ca == "c");
  CHECK(command.login.given.passwords.at("u") == "p:q");
  CHECK(options.scope.cluster == "1");
  CHECK(options.scope.tenant == "2");
  CHECK(options.scope.resources == std::vector<std::string>{"alarms", "hosts"});
  CHECK(options.scope.query == std::vector<std::string>{"a=b", "c=d"});
  CHECK(options.scope.lists_only);
  CHECK(options.out == "o");
  CHECK(options.redact);
  CHECK(options.redact_rules == "r");
  CHECK_FALSE(capture_command({"--from", "http://ocp", "--out", "o", "--no-redact"}).capture.redact);
}

TEST_CASE("options: a mistake in those of a capture is one sentence that shows no secret") {
  const auto said = [](Words more) {
    Words words{"capture", "--from", "http://ocp", "--out", "o"};
    words.insert(words.end(), more.begin(), more.end());
    return mistake(std::move(words));
  };
  CHECK(mistake({"capture", "--out", "o"}) == "capture needs --from URL, the OCP to ask");
  CHECK(mistake({"capture", "--from", "http://ocp"}) == "capture needs --out DIR, the folder for the fixtures");
  CHECK(mistake({"capture", "--from", "ocp"}) ==
        "--from is 'ocp'; it must be http://HOST[:PORT] or https://HOST[:PORT]");
  CHECK(mistake({"capture", "--from", "--out", "o"}) == "--from needs a value, but --out follows it");
  CHECK(said({"--cluster", "ob_431"}) == "--cluster is 'ob_431'; it must be the id that OCP has for it, an integer");
  CHECK(said({"--cluster", "1", "--cluster", "2"}) == "--cluster is given more than once");
  CHECK(said({"--user", "secret"}) == "--user has no password; give it as NAME:PASSWORD or by --password-file");
  CHECK(said({"--user", ":secret"}) == "--user: it must be NAME:PASSWORD, or NAME with --password-file");
  CHECK(said({"--access-key", "secret"}) == "--access-key: it must be AK:SK; the colon is missing");
  CHECK(said({"--user", "a:b", "--access-key", "a:b"}) ==
        "only one of --user, --access-key and --credentials can be given");
  CHECK(said({"--user", "a:b", "--password-file", "f"}) == "--password-file needs --user NAME, without a password");
  CHECK(said({"--redact", "--no-redact"}) == "--redact cannot be combined with --no-redact");
  CHECK(said({"--no-redact", "--redact-rules", "r"}) ==
        "--redact-rules does nothing with --no-redact; leave one of them out");
  CHECK(said({"--port", "1"}) == "--port is not an option of capture");
  CHECK(mistake({"--user", "a:b", "capture"}) == "--user is not an option of capture where it stands before it");
}

TEST_CASE("options: record is told by its flags, and a mistake in them is one sentence") {
  const RecordCommand command =
      std::get<RecordCommand>(parse({"record",       "--upstream", "https://ocp", "--out",       "o", "--mode",
                                     "missing",      "--fixtures", "a",           "--fixtures",  "b", "--host",
                                     "::",           "--port",     "81",          "--port-file", "f", "--no-redact",
                                     "--access-key", "AK:SK"}));
  CHECK(command.record.upstream.url == "https://ocp");
  CHECK(command.record.mode == RecordMode::Missing);
  CHECK(command.record.recording.out == "o");
  CHECK_FALSE(command.record.recording.redact);
  CHECK(command.login.given.access_keys.contains("AK"));
  CHECK(command.fixtures == std::vector<std::filesystem::path>{"a", "b"});
  CHECK(command.host == "::");
  CHECK(command.port == 81);
  CHECK(command.port_file == "f");
  const auto said = [](Words more) {
    Words words{"record", "--upstream", "http://ocp", "--out", "o"};
    words.insert(words.end(), more.begin(), more.end());
    return mistake(std::move(words));
  };
  CHECK(mistake({"record", "--out", "o"}) == "record needs --upstream URL, the OCP to pass requests to");
  CHECK(mistake({"record", "--upstream", "http://ocp"}) == "record needs --out DIR, the folder for the fixtures");
  CHECK(said({"--mode", "twice"}) == "--mode is 'twice'; it must be always, once or missing");
  CHECK(said({"--port", "65536"}) == "--port is '65536'; it must be a number from 0 to 65535");
  CHECK(said({"--fixtures", "f"}) == "--fixtures needs --mode missing, in which they answer what they have");
  CHECK(said({"--cluster", "1"}) == "'--cluster' is not an option");
}
