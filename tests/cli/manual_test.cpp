#include "cli/manual.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/option_table.h"
#include "parse.h"
#include "process.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

std::string text_of(Words words) {
  const Exit exit = std::get<Exit>(parse(std::move(words)));
  CHECK(exit.code == 0);
  CHECK(exit.error.empty());
  return exit.out;
}

// What bash offers for the last of the words.
std::string offered(const TemporaryFolder& folder, const std::string& words) {
  const auto script = folder.write("completion", text_of({"completion", "bash"}));
  const std::string ask = "set -eu; . ./completion; compopt() { :; }; COMP_WORDS=(" + words +
                          "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ocp_mock_server; echo \"${COMPREPLY[@]-}\"";
  Process bash("/bin/bash", {"--norc", "-c", ask}, {}, folder.path().string());
  std::string out = bash.read_out();
  CHECK(bash.read_error().empty());
  CHECK(bash.wait() == 0);
  return out;
}

}  // namespace

TEST_CASE("manual: each option is in the page of man(1) and in all completions, with its text") {
  const std::string man = text_of({"man"});
  const std::string bash = text_of({"completion", "bash"});
  const std::string zsh = text_of({"completion", "zsh"});
  const std::string fish = text_of({"completion", "fish"});
  for (const Option& option : option_table()) {
    CAPTURE(option.flag);
    std::string in_roff;
    for (const char c : option.flag) in_roff += c == '-' ? std::string("\\-") : std::string(1, c);
    CHECK(man.find("\n.BR \"" + in_roff + "\"") != std::string::npos);
    CHECK(man.find("\n[" + option.variable()) != std::string::npos);
    const bool is_in_bash = bash.find(fmt::format(" {} ", option.flag)) != std::string::npos ||
                            bash.find(fmt::format(" {}'", option.flag)) != std::string::npos;
    CHECK(is_in_bash);
    CHECK(zsh.find(fmt::format("'*{}{}[", option.flag, option.is_switch() ? "" : "=")) != std::string::npos);
    CHECK(fish.find(fmt::format(" -l {} ", option.flag.substr(2))) != std::string::npos);
  }
  for (const std::string command : {"serve", "exec", "check", "healthcheck", "help", "version", "completion", "man"}) {
    CHECK(man.find("\n.SS \"" + command) != std::string::npos);
    CHECK(bash.find("\n    " + command + ") options='--help") != std::string::npos);
    CHECK(zsh.find("\n      " + command + ")\n") != std::string::npos);
    CHECK(fish.find(" -a " + command + " -d ") != std::string::npos);
  }
}

TEST_CASE("manual: bash completes commands, options, words and files") {
  const TemporaryFolder folder;
  folder.write("fixtures/a.json", "[]");
  CHECK(offered(folder, "ocp-mock-server he") == "healthcheck help\n");
  CHECK(offered(folder, "ocp-mock-server --pr") == "--pretty\n");
  CHECK(offered(folder, "ocp-mock-server exec --end") == "--end-with-parent\n");
  CHECK(offered(folder, "ocp-mock-server healthcheck --tls") == "--tls-cert --tls-self-signed\n");
  CHECK(offered(folder, "ocp-mock-server --log-level wa") == "warn\n");
  CHECK(offered(folder, "ocp-mock-server --log-level = wa") == "warn\n");
  CHECK(offered(folder, "ocp-mock-server --log-level =") == "trace debug info warn error off\n");
  CHECK(offered(folder, "ocp-mock-server --fixtures fix") == "fixtures\n");
  CHECK(offered(folder, "ocp-mock-server check fixtures/") == "fixtures/a.json\n");
  CHECK(offered(folder, "ocp-mock-server --port 8") == "\n");
  CHECK(offered(folder, "ocp-mock-server ma") == "man\n");
  CHECK(offered(folder, "ocp-mock-server completion ''") == "bash zsh fish\n");
  CHECK(offered(folder, "ocp-mock-server help ma") == "man\n");
  CHECK(offered(folder, "ocp-mock-server record --mode ''") == "always once missing\n");
  CHECK(offered(folder, "ocp-mock-server exec -- fixt") == "fixtures\n");
}

TEST_CASE("manual: zsh and fish know the words of options and arguments") {
  const std::string zsh = text_of({"completion", "zsh"});
  CHECK(zsh.find("(bash zsh fish)'") != std::string::npos);
  CHECK(zsh.find("(always once missing)'") != std::string::npos);
  CHECK(zsh.find("(serve exec check ") != std::string::npos);
  const std::string fish = text_of({"completion", "fish"});
  CHECK(fish.find("_from completion' -a 'bash zsh fish'\n") != std::string::npos);
  CHECK(fish.find(" -l mode -x -a 'always once missing' ") != std::string::npos);
  CHECK(fish.find("_from help' -a 'serve exec check ") != std::string::npos);
}

TEST_CASE("manual: completion says which shells there are") {
  CHECK(mistake({"completion"}) == "completion needs the name of a shell: bash, zsh or fish");
  CHECK(mistake({"completion", "tcsh"}) == "completion needs the name of a shell: bash, zsh or fish");
}
