// With which code the program ends where it cannot begin.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "process.h"
#include "running_program.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("usage: what the command line names and cannot be used ends with 2, before anybody is asked") {
  const TemporaryFolder folder;
  const std::string text = folder.write("text", "no folder, no rules, no certificate").string();
  const std::string out = (folder.path() / "out").string();
  const std::string below_file = text + "/out";
  // Nobody listens there.
  const std::string url = "http://127.0.0.1:1";
  using Words = std::vector<std::string>;
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const Words capture{"capture", "--from", url, "--out", out};
  const Words record{"record", "--upstream", url, "--port", "0", "--out", out};
  const struct {
    Words arguments;
    std::string sentence;
  } cases[] = {
      {{"capture"}, "capture needs --from URL"},
      {{"capture", "--from", url}, "capture needs --out DIR"},
      {{"capture", "--from", url, "--out", below_file, "hosts"}, "cannot make the folder"},
      {capture, "capture needs --cluster ID"},
      {with(capture, {"host"}), "'host' is nothing that an OCP lists"},
      {with(capture, {"/api/v2/host"}), "is no path of a list or object"},
      {with(capture, {"topSqls"}), "topSqls: it needs --query startTime=VALUE"},
      {with(capture, {"hosts", "--query", "statsu=x"}), "--query names 'statsu'"},
      {with(capture, {"hosts", "--tenant", "1"}), "--tenant needs --cluster"},
      {with(capture, {"hosts", "--redact-rules", text}), "text:1:2: "},
      {with(capture, {"hosts", "--redact-rules", out + "/none"}), "cannot read"},
      {with(capture, {"hosts", "--credentials", text}), "text:1:2: "},
      {with(capture, {"hosts", "--user", "a", "--password-file", out + "/none"}), "cannot read the password file"},
      {{"capture", "--from", "https://127.0.0.1:1", "--out", out, "hosts", "--ca", text}, text},
      {{"record"}, "record needs --upstream URL"},
      {{"record", "--upstream", url, "--port", "0", "--out", below_file}, "cannot make the folder"},
      {with(record, {"--mode", "never"}), "--mode is 'never'"},
      {with(record, {"--redact-rules", text}), "text:1:2: "},
      {with(record, {"--credentials", out + "/none"}), "cannot read"},
      {{"diff", "installation"}, "diff needs --against URL"},
      {{"diff", "installation", "--against", "ocp"}, "--against is 'ocp'"},
      {{"diff", text + "/none", "--against", url}, "cannot be read"},
      {{"generate", "--tasks", "some"}, "--tasks is 'some'"},
      {{"generate", "--out", below_file}, "cannot write " + below_file},
      {{"exec"}, "exec needs a command behind --"},
      {{"exec", "--port", "0", "sh", "-c", "true"}, "'sh' is not expected before --; exec [OPTIONS] -- COMMAND"},
      {{"exec", "--prot", "0", "--", "true"}, "'--prot' is not an option"},
  };
  for (const auto& [arguments, sentence] : cases) {
    CAPTURE(arguments[0]);
    CAPTURE(sentence);
    Process process(kBinary, arguments);
    const std::string error = process.read_error();
    CAPTURE(error);
    CHECK(process.wait() == 2);
    CHECK(error.starts_with("ocp-mock-server: "));
    CHECK(error.find(sentence) != std::string::npos);
    CHECK(process.read_out().empty());
  }
}
