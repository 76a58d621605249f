// The loader must give every document of tests/schema/cases.json the verdict that stands beside it.
// tests/schema/check_schema.py holds schema/fixture.schema.json to the same verdicts, so schema and loader agree.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "store/dataset_builder.h"
#include "store/fixtures.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;

namespace {

using Json = nlohmann::json;

std::string loader_verdict(const std::string& text) {
  try {
    const auto builder = DatasetBuilder::in_memory();
    load_fixture_text("case.json", text, *builder);
    return "loaded";
  } catch (const FixtureError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("fixture schema: the loader gives every case the verdict that the schema must give it") {
  std::istringstream lines(read_file("tests/schema/cases.json"));
  std::size_t cases = 0;
  for (std::string line; std::getline(lines, line);) {
    // A case a line; its document is loaded as it stands there, for a parsed one would lose digits.
    const auto at = line.find("\"document\": ");
    if (at == std::string::npos) continue;
    ++cases;
    const std::string text = line.substr(at + 12, line.rfind('}') - at - 12);
    const Json one = Json::parse(line.substr(0, line.rfind('}') + 1));
    const std::string name = one.at("name");
    const bool valid = one.at("valid");
    const std::string verdict = loader_verdict(text);
    CAPTURE(name);
    CAPTURE(text);
    CAPTURE(verdict);
    CHECK((verdict == "loaded") == valid);
  }
  CHECK(cases == Json::parse(read_file("tests/schema/cases.json")).size());
  CHECK(cases > 40);
}

TEST_CASE("fixture schema: the shipped fixtures are valid") {
  for (const std::string file : {"fixtures/logBackupTasks.json", "fixtures/sample.json"}) {
    CAPTURE(file);
    CHECK(loader_verdict(read_file(file)) == "loaded");
  }
}
