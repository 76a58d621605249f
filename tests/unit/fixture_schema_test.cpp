// schema/fixture.schema.json and the loader must give every document of tests/schema/cases.json the same verdict.
#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "store/dataset_builder.h"
#include "store/fixtures.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;

namespace {

using Json = nlohmann::json;

// valijson reads integers from 2^63 on as negative ones; as doubles they are beyond the range, which is the truth.
Json parse_for_valijson(const std::string& text) {
  return Json::parse(text, [](int, Json::parse_event_t event, Json& value) {
    const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (event == Json::parse_event_t::value && value.is_number_unsigned() && value.get<std::uint64_t>() > largest) {
      value = value.get<double>();
    }
    return true;
  });
}

class FixtureSchema {
 public:
  FixtureSchema() : document_(Json::parse(read_file("schema/fixture.schema.json"))) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document_), schema_);
  }

  bool accepts(const std::string& text) {
    const Json document = parse_for_valijson(text);
    return valijson::Validator().validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), nullptr);
  }

 private:
  Json document_;
  valijson::Schema schema_;
};

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

TEST_CASE("fixture schema: the schema and the loader agree on every case") {
  FixtureSchema schema;
  std::istringstream lines(read_file("tests/schema/cases.json"));
  std::size_t cases = 0;
  for (std::string line; std::getline(lines, line);) {
    // A case a line; its document goes to both as it stands there, for a parsed one would lose digits.
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
    CHECK(schema.accepts(text) == valid);
    CHECK((verdict == "loaded") == valid);
  }
  CHECK(cases == Json::parse(read_file("tests/schema/cases.json")).size());
  CHECK(cases > 40);
}

TEST_CASE("fixture schema: the shipped fixtures are valid") {
  FixtureSchema schema;
  for (const std::string file : {"fixtures/logBackupTasks.json", "fixtures/sample.json"}) {
    CAPTURE(file);
    CHECK(schema.accepts(read_file(file)));
    CHECK(loader_verdict(read_file(file)) == "loaded");
  }
}
