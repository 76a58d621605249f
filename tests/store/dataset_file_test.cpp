// Datasets in files.
#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/dataset_builder.h"
#include "store/named_tasks.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("dataset: a file serves the same answers when it is opened again") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "strange name%3f?#.db";
  {
    const auto builder = DatasetBuilder::in_file(file, ocp_catalogue());
    load_fixture_text(ocp_router(), "f.json", read_file("fixtures/logBackupTasks.json"), *builder);
    CHECK_FALSE(std::filesystem::exists(file));
    const auto made = builder->finish();
    CHECK(list(*made, "", 1000005, 1000012).total == 1);
  }
  const auto first = Dataset::open(file, ocp_catalogue());
  const auto second = Dataset::open(file, ocp_catalogue());
  for (const auto& dataset : {first, second}) {
    const Page result = list(*dataset, "", 1000005, 1000012);
    CHECK(result.total == 1);
    CHECK(result.contents.find("\"delay\":100.1899") != std::string::npos);
    CHECK(dataset->envelope().trace_id == "8e1e79e260d12bba");
    CHECK(dataset->envelope().duration == 79);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("dataset: a file that is replaced leaves the open one as it was") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  const auto build = [&](const std::vector<NamedTask>& tasks) {
    const auto builder = DatasetBuilder::in_file(file, ocp_catalogue());
    load_fixture_text(ocp_router(), "f.json", json(tasks), *builder);
    return builder->finish();
  };
  const auto old = build({{"old", "2024-08-01T00:00:00Z"}});
  const auto fresh = build({{"new1", "2024-08-02T00:00:00Z"}, {"new2", "2024-08-01T00:00:00Z"}});
  CHECK(names(list(*old, "")) == "old ");
  CHECK(names(list(*fresh, "")) == "new1 new2 ");
}

TEST_CASE("dataset: several builders of one file do not meet") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  const auto first = DatasetBuilder::in_file(file, ocp_catalogue());
  const auto second = DatasetBuilder::in_file(file, ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", json({{"first", "2024-08-01T00:00:00Z"}}), *first);
  load_fixture_text(ocp_router(), "f.json", json({{"second", "2024-08-01T00:00:00Z"}}), *second);
  const auto from_first = first->finish();
  const auto from_second = second->finish();
  CHECK(names(list(*from_first, "")) == "first ");
  CHECK(names(list(*from_second, "")) == "second ");
  CHECK(names(list(*Dataset::open(file, ocp_catalogue()), "")) == "second ");
}

TEST_CASE("dataset: a file behind a link is replaced, and the link stays") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("target.db", folder.path() / "link.db");
  DatasetBuilder::in_file(folder.path() / "link.db", ocp_catalogue())->finish();
  CHECK(std::filesystem::is_symlink(folder.path() / "link.db"));
  CHECK(std::filesystem::is_regular_file(folder.path() / "target.db"));
}

TEST_CASE("dataset: a load that is given up leaves the file untouched and nothing beside it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  {
    const auto builder = DatasetBuilder::in_file(file, ocp_catalogue());
    CHECK_THROWS_AS(load_fixture_text(ocp_router(), "f.json", "[{}]", *builder), FixtureError);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("dataset: a file that is something else is neither read nor replaced") {
  const TemporaryFolder folder;
  const auto refusal = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const DatasetError& error) {
      return error.what();
    }
    return "";
  };
  const auto text = folder.write("notes.txt",
                                 "a file of somebody's, longer than a header of SQLite, which has 100 bytes"
                                 " ....................................................................");
  CHECK(refusal([&] {
          Dataset::open(text, ocp_catalogue());
        }).ends_with("notes.txt is not a dataset of ocp-mock-server"));
  CHECK(refusal([&] { DatasetBuilder::in_file(text, ocp_catalogue()); }).ends_with("it is left alone"));
  CHECK(read_file(text).starts_with("a file of somebody's"));

  CHECK(refusal([&] {
          Dataset::open(folder.write("empty.db", ""), ocp_catalogue());
        }).ends_with("is not a dataset of ocp-mock-server"));
  CHECK(refusal([&] {
          DatasetBuilder::in_file(folder.path() / "no" / "where.db", ocp_catalogue());
        }).find("cannot write the dataset") == 0);

  // Fixtures may go into a file that mktemp has made.
  CHECK(refusal([&] { DatasetBuilder::in_file(folder.path() / "empty.db", ocp_catalogue())->finish(); }).empty());
}
