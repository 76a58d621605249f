// Fixture files become rows.
// Enters: paths of files and folders. Leaves: checked tasks, clusters and tenants in a FixtureSink.
// A file holds one of the forms that schema/fixture.schema.json describes, or several, one after the other: an answer
// captured from a real OCP, alone or with its request (an exchange), an array of tasks or of exchanges, a fixture set,
// tasks one a line (NDJSON). The form is told from the content. Knows no SQL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "store/fixture_sink.h"

namespace ocp_mock {

inline constexpr std::size_t kProblemsShown = 10;

// What is wrong with the fixtures: a line a problem, "FILE:LINE:COLUMN: task N: ...", the first kProblemsShown of them.
class FixtureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FixtureFile {
  std::string name;
  std::string form;  // for people, "a captured answer"
  std::int64_t tasks = 0;
  std::int64_t tasks_of_answers = 0;  // the largest total that a captured answer names, over all its pages
  std::vector<std::string> notes;     // what may not be meant so, "FILE:LINE:COLUMN: ..."
};

struct LoadedFixtures {
  std::vector<FixtureFile> files;
  std::vector<std::string> notes;  // of the files, and which files were passed over
};

// Reads the files that find_fixture_files() finds. Throws FixtureError after all files have been looked at; the sink
// must then be thrown away.
//
// An exchange makes the cluster and the tenant of its path known. One that is of no use here (of another endpoint, to
// another method than GET, an error) is passed over with a note, and is a problem if all of its file are.
LoadedFixtures load_fixtures(const std::vector<std::filesystem::path>& paths, FixtureSink& sink);

// Both ways come to the same rows and the same problems; tests compare them.
enum class FixtureReading {
  Quick,    // plain tasks by plain_json, all else by nlohmann/json
  Thorough  // all by nlohmann/json
};

// The same for one text that is compiled in. The name tells the resource as a file's name does.
FixtureFile load_fixture_text(std::string_view name, std::string_view text, FixtureSink& sink,
                              FixtureReading reading = FixtureReading::Quick);

}  // namespace ocp_mock
