// Database files that are not as a builder has made them: damaged, changed, forged, or no files at all.
#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/dataset_builder.h"
#include "store/page_checks.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;
using ocp_mock::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

// 300 tasks of one tenant, so that its sparse index is stored; one is long, some have timelines.
std::string fixtures(int tasks = 300) {
  std::string text = "[";
  for (int i = 0; i < tasks; ++i) {
    text += fmt::format(R"({}{{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T{:02}:{:02}:{:02}Z",)"
                        R"("status":"{}","delay":{},"n":"{}"{}}})",
                        i == 0 ? "" : ",", i / 3600 % 24, i / 60 % 60, i % 60, i % 3 == 0 ? "FAILED" : "RUNNING", i % 7,
                        i == 5 ? std::string(20'000, 'n') : std::to_string(i),
                        i % 100 == 0 ? R"(,"$timeline":[{"at":"PT1M","status":"STOPPED"}])" : "");
  }
  return text + "]";
}

fs::path make_file(const TemporaryFolder& folder, const std::string& name = "d.db", int tasks = 300) {
  const auto builder = DatasetBuilder::in_file(folder.path() / name, ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", fixtures(tasks), *builder);
  builder->finish();
  return folder.path() / name;
}

Page list(const Dataset& dataset, const std::string& query) {
  return page_of(dataset, list_request(query, {}, path_of(1, 2)));
}

// What the action throws, empty for nothing.
std::string thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Changes a file as another program does that knows nothing of checks.
void change(const fs::path& file, const std::string& sql) {
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec(sql);
}

// Changes a file and gives its pages right checks, as nobody but a forger does.
void forge(const fs::path& file, const std::string& sql, const std::string& blob = "") {
  {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
    SQLite::Statement statement(database, sql);
    if (!blob.empty()) statement.bind(1, blob.data(), static_cast<int>(blob.size()));
    while (statement.executeStep()) {
    }
  }
  std::string bytes = read_file(file);
  const std::uint64_t mark = mark_of(std::string_view(bytes).substr(0, kPage));
  for (std::size_t at = 0; at < bytes.size(); at += kPage) put_checks(&bytes[at], kPage, at / kPage + 1, mark);
  std::ofstream(file, std::ios::binary) << bytes;
}

// The index of so many tasks of other times.
std::string index(int tasks) {
  SparseIndex made(log_backup_task().indexed_words->words->words.size());
  for (int i = 0; i < tasks; ++i) made.add({1722470400 + 86400 - i, 0, i + 1}, 0);
  made.finish();
  return made.bytes();
}

}  // namespace

TEST_CASE("damage: a byte that has changed shows, wherever it is, and nothing else is answered") {
  const TemporaryFolder folder;
  const std::string right = read_file(make_file(folder));
  REQUIRE(right.size() % kPage == 0);
  const auto whole = Dataset::open(folder.path() / "d.db", ocp_catalogue());
  const std::vector<std::string> queries{"size=100", "page=3&size=100&sort=createTime", "sort=delay&size=300",
                                         "status=FAILED&size=300", "startTime=2024-08-01T00:01:00Z&size=300"};
  std::vector<std::string> expected;
  for (const std::string& query : queries) expected.push_back(list(*whole, query).contents);
  CHECK_FALSE(thrown([&] { Dataset::open(folder.path() / "d.db", ocp_catalogue())->copy()->finish(); }).size());
  int refused = 0;
  int failed = 0;
  for (std::size_t page = 0; page < right.size() / kPage; ++page) {
    for (const std::size_t place : {0U, 5U, 1000U, 2047U, 4079U, 4080U, 4087U, 4088U, 4095U}) {
      CAPTURE(page);
      CAPTURE(place);
      std::string bytes = right;
      char& byte = bytes[page * kPage + place];
      byte = static_cast<char>(byte ^ (1 << place % 8));
      const auto file = folder.write("damaged.db", bytes);
      std::shared_ptr<const Dataset> dataset;
      if (!thrown([&] { dataset = Dataset::open(file, ocp_catalogue()); }).empty()) {
        ++refused;
        continue;
      }
      for (std::size_t i = 0; i < queries.size(); ++i) {
        std::string contents = expected[i];
        if (!thrown([&] { contents = list(*dataset, queries[i]).contents; }).empty()) ++failed;
        CHECK(contents == expected[i]);
      }
      // A change takes what it does not touch as it is, and pages are checked when they are read.
      std::shared_ptr<const Dataset> changed;
      const std::string refusal = thrown([&] { changed = dataset->copy()->finish(); });
      if (!refusal.empty()) {
        CHECK(refusal == "the dataset is damaged: database disk image is malformed");
        continue;
      }
      for (std::size_t i = 0; i < queries.size(); ++i) {
        std::string contents = expected[i];
        if (!thrown([&] { contents = list(*changed, queries[i]).contents; }).empty()) ++failed;
        CHECK(contents == expected[i]);
      }
    }
  }
  CHECK(refused > 0);
  CHECK(failed > 0);
}

TEST_CASE("damage: pages of another file of the same tasks, and pages in another place, are not taken") {
  const TemporaryFolder folder;
  const std::string first = read_file(make_file(folder, "first.db"));
  const std::string second = read_file(make_file(folder, "second.db"));
  REQUIRE(first.size() == second.size());
  const std::size_t half = first.size() / kPage / 2 * kPage;
  for (const std::string& bytes :
       {first.substr(0, half) + second.substr(half), second.substr(0, kPage) + first.substr(kPage),
        first.substr(0, half) + first.substr(half + kPage, kPage) + first.substr(half, kPage) +
            first.substr(half + 2 * kPage)}) {
    CHECK(bytes.size() == first.size());
    const auto file = folder.write("mixed.db", bytes);
    CHECK(contains(thrown([&] { export_fixtures(*Dataset::open(file, ocp_catalogue())->copy()->finish()); }),
                   "malformed"));
  }
}

TEST_CASE("damage: part of a page is checked as the whole page") {
  const TemporaryFolder folder;
  const auto file = make_file(folder);
  const auto read_part = [&](std::size_t page) {
    const auto version = Version::of_file(file);
    const Reader reader(*version, ocp_catalogue());
    sqlite3_file* opened = nullptr;
    sqlite3_file_control(reader.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &opened);
    sqlite3_exec(reader.handle(), "SELECT 1 FROM cluster", nullptr, nullptr, nullptr);
    std::string part(100, '\0');
    const auto offset = static_cast<sqlite3_int64>(page * kPage + 200);
    const int result = opened->pMethods->xRead(opened, part.data(), static_cast<int>(part.size()), offset);
    if (result == SQLITE_OK) CHECK(part == read_file(file).substr(page * kPage + 200, 100));
    return result;
  };
  CHECK(read_part(20) == SQLITE_OK);
  std::string bytes = read_file(file);
  bytes[20 * kPage + 4000] ^= 1;
  folder.write("d.db", bytes);
  CHECK(read_part(20) == SQLITE_CORRUPT);
  CHECK(read_part(21) == SQLITE_OK);
}

TEST_CASE("damage: a file that cannot be whole is refused when it is opened, with the reason") {
  const TemporaryFolder folder;
  const auto file = make_file(folder);
  const std::string right = read_file(file);
  const auto with = [&](std::size_t place, char byte) {
    std::string bytes = right;
    bytes[place] = byte;
    return bytes;
  };
  const std::string size = std::to_string(right.size());
  const std::int64_t version = schema_version(ocp_catalogue());
  const struct {
    const char* what;
    std::string bytes;
    std::string message;
  } cases[]{
      {"cut in its last page", right.substr(0, right.size() - 1), "has " + std::to_string(right.size() - 1) + " bytes"},
      {"cut between pages", right.substr(0, right.size() - kPage), "and its header tells of " + size},
      {"cut in its first page", right.substr(0, 2000), "it has 2000 bytes, and its header tells of " + size},
      {"longer", right + "x", "and its header tells of " + size},
      {"the size of its pages", with(17, 1), "and its header tells of"},
      {"its number of pages", with(31, static_cast<char>(right[31] + 1)), "and its header tells of"},
      {"in WAL mode", with(19, 2), "its first page is not as it was written"},
      {"changed since", with(27, 99), "its first page is not as it was written"},
      {"a page of zeros", right.substr(0, 100) + std::string(kPage - 100, '\0') + right.substr(kPage),
       "its first page is not as it was written"},
      {"of other tables", with(63, static_cast<char>(right[63] ^ 1)),
       fmt::format("has schema version {}, this server reads version {}; make it anew from its fixtures", version ^ 1,
                   version)},
      {"another application's", with(68, 'X'), "is not a dataset of ocp-mock-server"},
      {"not SQLite's", with(0, 'X'), "is not a dataset of ocp-mock-server"},
      {"shorter than a header", right.substr(0, 99), "is not a dataset of ocp-mock-server"},
  };
  for (const auto& [what, bytes, message] : cases) {
    CAPTURE(std::string(what));
    const auto damaged = folder.write("damaged.db", bytes);
    const std::string refusal = thrown([&] { Dataset::open(damaged, ocp_catalogue()); });
    CAPTURE(refusal);
    CHECK(contains(refusal, message));
    CHECK(contains(refusal, damaged.string()));
    // What was a dataset may be made anew.
    const bool is_dataset = !contains(refusal, "is not a dataset");
    CHECK(thrown([&] { DatasetBuilder::in_file(damaged, ocp_catalogue()); }).empty() == is_dataset);
  }
}

TEST_CASE("damage: what another program has written to a file is not served") {
  const TemporaryFolder folder;
  for (const std::string sql : {"UPDATE log_backup_task SET status = 'STOPPED'", "DELETE FROM tenant", "VACUUM",
                                "CREATE INDEX more ON log_backup_task (status)", "PRAGMA journal_mode = WAL"}) {
    CAPTURE(sql);
    const auto file = make_file(folder);
    CHECK(thrown([&] { Dataset::open(file, ocp_catalogue()); }).empty());
    change(file, sql);
    CHECK(contains(thrown([&] { Dataset::open(file, ocp_catalogue()); }), "its first page is not as it was written"));
  }
}

TEST_CASE("damage: a file is read as it stands, whatever lies beside it") {
  const TemporaryFolder folder;
  const auto file = make_file(folder);
  const std::string bytes = read_file(file);
  // The journal of a change that an interrupted program has begun.
  const std::string journal = std::string("\xD9\xD5\x05\xF9\x20\xA1\x63\xD7", 8) + std::string(5000, '\1');
  for (const std::string suffix : {"-journal", "-wal", "-shm"}) folder.write("d.db" + suffix, journal);
  CHECK(list(*Dataset::open(file, ocp_catalogue()), "").total == 300);
  CHECK(read_file(file) == bytes);
  CHECK(read_file(folder.path() / "d.db-journal") == journal);
}

TEST_CASE("damage: what is no file that can be read is named") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "folder.db");
  REQUIRE(::mkfifo((folder.path() / "pipe.db").c_str(), 0600) == 0);
  for (const std::string name : {"folder.db", "pipe.db"}) {
    CHECK(
        contains(thrown([&] { Dataset::open(folder.path() / name, ocp_catalogue()); }), name + " is no regular file"));
  }
  CHECK(contains(thrown([&] { Dataset::open(folder.path() / "none.db", ocp_catalogue()); }),
                 "none.db: No such file or directory"));
  const auto file = make_file(folder);
  fs::permissions(file, fs::perms::none);
  fs::permissions(folder.path(), fs::perms::all);
  // Root may read all.
  const uid_t user = ::geteuid();
  if (user == 0) REQUIRE(::seteuid(65534) == 0);
  const std::string refusal = thrown([&] { Dataset::open(file, ocp_catalogue()); });
  if (user == 0) REQUIRE(::seteuid(0) == 0);
  CHECK(contains(refusal, "cannot read the dataset " + file.string() + ": Permission denied"));
}

TEST_CASE("damage: a file that must not be written is served") {
  const TemporaryFolder folder;
  const auto file = make_file(folder);
  fs::permissions(file, static_cast<fs::perms>(0444));
  fs::permissions(folder.path(), static_cast<fs::perms>(0555));
  const uid_t user = ::geteuid();
  if (user == 0) REQUIRE(::seteuid(65534) == 0);
  std::int64_t total = 0;
  const std::string refusal = thrown([&] { total = list(*Dataset::open(file, ocp_catalogue()), "").total; });
  if (user == 0) REQUIRE(::seteuid(0) == 0);
  CHECK(refusal == "");
  CHECK(total == 300);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("damage: other programs read a file, and one with free pages can be copied") {
  const TemporaryFolder folder;
  // As many rows as indexes are kept for: made anew at the end they take fewer pages.
  const auto file = make_file(folder, "d.db", 10'000);
  SQLite::Database database(file.string());
  CHECK(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
  CHECK(database.execAndGet("PRAGMA freelist_count").getInt() > 0);
  CHECK(database.execAndGet("SELECT COUNT(*) FROM log_backup_task").getInt() == 10'000);
  CHECK(list(*Dataset::open(file, ocp_catalogue())->copy()->finish(), "").total == 10'000);
}

TEST_CASE("damage: a forged file with other tables, views or triggers is refused") {
  const TemporaryFolder folder;
  for (const std::string sql :
       {"CREATE TRIGGER t AFTER INSERT ON cluster BEGIN DELETE FROM tenant; END", "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE more (id)", "CREATE INDEX more ON tenant (json)", "CREATE VIRTUAL TABLE v USING fts5(a)",
        "DROP INDEX log_backup_task_by_status", "DROP TABLE timeline", "ALTER TABLE fact ADD COLUMN more",
        "ALTER TABLE sparse_index RENAME TO indexes"}) {
    CAPTURE(sql);
    const auto file = make_file(folder);
    forge(file, sql);
    const std::string refusal = thrown([&] { Dataset::open(file, ocp_catalogue()); });
    CAPTURE(refusal);
    CHECK(refusal == "cannot read the dataset " + file.string() +
                         ": its tables and indexes are not those of schema version " +
                         std::to_string(schema_version(ocp_catalogue())) + "; make it anew from its fixtures");
  }
}

TEST_CASE("damage: forged rows are an error where they are read, and nothing worse") {
  const TemporaryFolder folder;
  const auto listing = [](const char* query) {
    return [query](const std::shared_ptr<const Dataset>& dataset) { list(*dataset, query); };
  };
  const auto outline = [](const std::shared_ptr<const Dataset>& dataset) { dataset->outline(log_backup_task()); };
  const auto exporting = [](const std::shared_ptr<const Dataset>& dataset) { export_fixtures(*dataset); };
  const auto in_an_hour = [](const std::shared_ptr<const Dataset>& dataset) {
    TimelineState state;
    at_time(dataset, {0, 0}, {3600, 0}, state);
  };
  const auto set_all = [](const std::shared_ptr<const Dataset>& dataset) {
    with_rows_set(dataset, log_backup_task(), read_json_text(R"({"n":"5"})"), read_json_text("{}"));
  };
  const struct {
    std::string sql;
    std::string blob;
    std::function<void(const std::shared_ptr<const Dataset>&)> action;
    std::string message;
  } cases[]{
      {"DELETE FROM cluster", "", outline, "a row has a parent that there is not"},
      {"UPDATE log_backup_task SET json = 'x'", "", listing(""), "the text of a row is no object"},
      {"UPDATE log_backup_task SET json = ''", "", listing("sort=delay"), "the text of a row is no object"},
      {"UPDATE log_backup_task SET json = x'00'", "", exporting, "the text of a row is no object"},
      {"UPDATE log_backup_task SET json = 17", "", listing("sort=createTime"), "the text of a row is no object"},
      {"UPDATE log_backup_task SET json = '{\"}'", "", set_all, "the text of a row is not JSON"},
      {"UPDATE log_backup_task SET json = '{\"a\":1,\"a\":2}'", "", set_all, "the text of a row is not JSON"},
      {"UPDATE sparse_index SET entries = ?1", index(100'000), listing("page=10000"), "fewer rows than were counted"},
      {"UPDATE sparse_index SET entries = ?1", index(100'000), listing("sort=createTime"), "than were counted"},
      {"UPDATE sparse_index SET entries = ?1", index(2000), listing("sort=delay"), "another number of rows"},
      {"UPDATE sparse_index SET entries = ?1", index(100'000), listing("sort=delay,desc"), "another number of rows"},
      {"UPDATE sparse_index SET entries = ?1", index(10), listing("sort=delay"), "another number of rows"},
      {"UPDATE sparse_index SET entries = ?1", "x", listing(""), "its sparse index is not that of rows"},
      {"UPDATE sparse_index SET entries = 17", "", listing(""), "its sparse index is not that of rows"},
      {"UPDATE sparse_index SET entries = zeroblob(0)", "", listing(""), "its sparse index is not that of rows"},
      {"UPDATE timeline SET points = '['", "", in_an_hour, "the text of a row is not JSON"},
      {"UPDATE timeline SET points = '17'", "", in_an_hour, "the timeline of a row is invalid"},
      {"UPDATE timeline SET points = '[{}]'", "", in_an_hour, "the timeline of a row is invalid"},
      {"UPDATE timeline SET points = '[17]'", "", in_an_hour, "the timeline of a row is invalid"},
      {"UPDATE timeline SET points = '[{\"at\":\"soon\"}]'", "", in_an_hour, "the timeline of a row is invalid"},
      {"UPDATE timeline SET points = '[{\"at\":[]}]'", "", in_an_hour, "the timeline of a row is invalid"},
      {"UPDATE timeline SET since = 'once'", "", in_an_hour, "the timeline of a row is invalid"},
  };
  for (const auto& [sql, blob, action, message] : cases) {
    CAPTURE(sql);
    CAPTURE(blob.size());
    const auto file = make_file(folder);
    forge(file, sql, blob);
    const auto dataset = Dataset::open(file, ocp_catalogue());
    const std::string error = thrown([&, &act = action] { act(dataset); });
    CAPTURE(error);
    CHECK(contains(error, message));
    CHECK(contains(error, "the dataset is damaged: "));
  }
}
