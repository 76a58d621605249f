#include "store/versions.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/database.h"
#include "store/page_checks.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;
using ocp_mock::test::TemporaryFolder;

namespace {

using VersionPointer = std::shared_ptr<const Version>;

SQLite::Database open_to_write(const std::string& uri) {
  SQLite::Database database(uri, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI);
  database.exec("PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY");
  return database;
}

VersionPointer changed(const VersionPointer& source, const std::string& sql) {
  Draft draft(source);
  open_to_write(draft.uri()).exec(sql);
  return draft.version();
}

SQLite::Database open_to_read(const Version& version) {
  SQLite::Database database(version.uri(), SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX);
  database.exec("PRAGMA mmap_size = 2147418112");
  return database;
}

// All rows of all tables, and whether SQLite finds the database sound.
std::string contents(SQLite::Database& database) {
  std::string text = database.execAndGet("PRAGMA integrity_check").getString();
  SQLite::Statement rows(database, "SELECT id, name, length(more) FROM t ORDER BY id");
  while (rows.executeStep()) {
    text += fmt::format("\n{} {} {}", rows.getColumn(0).getInt(), rows.getColumn(1).getString(),
                        rows.getColumn(2).getInt());
  }
  return text;
}

std::string contents(const Version& version) {
  SQLite::Database database = open_to_read(version);
  return contents(database);
}

const std::string kTable =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, more BLOB); CREATE INDEX by_name ON t (name);";

// With so many rows of some 600 bytes.
VersionPointer of_rows(int rows) {
  return changed(nullptr,
                 kTable + fmt::format("WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < {})"
                                      " INSERT INTO t SELECT i, 'n' || (i % 97), zeroblob(600) FROM c",
                                      rows));
}

void add_pages(const Version& version, std::set<const char*>& pages) {
  for (std::size_t i = 0; i < version.table().pages; ++i) pages.insert(version.table().page(i));
}

}  // namespace

TEST_CASE("versions: one does not see what is changed in a later one") {
  const VersionPointer first = changed(nullptr, kTable + "INSERT INTO t VALUES (1, 'a', x'00')");
  SQLite::Database reader = open_to_read(*first);
  CHECK(contents(reader) == "ok\n1 a 1");
  const VersionPointer second = changed(first, "UPDATE t SET name = 'b'; INSERT INTO t VALUES (2, 'c', '')");
  const VersionPointer other = changed(first, "DELETE FROM t");
  CHECK(contents(reader) == "ok\n1 a 1");
  CHECK(contents(*first) == "ok\n1 a 1");
  CHECK(contents(*second) == "ok\n1 b 1\n2 c 0");
  CHECK(contents(*other) == "ok");
}

TEST_CASE("versions: one connection makes several, and none sees what a later one has") {
  Draft draft;
  SQLite::Database writer = open_to_write(draft.uri());
  writer.exec(kTable + "INSERT INTO t VALUES (1, 'a', x'00')");
  const VersionPointer first = draft.version();
  // A page that is there changes, and some are added.
  writer.exec("UPDATE t SET name = 'b'; INSERT INTO t VALUES (2, 'c', zeroblob(20000))");
  const VersionPointer second = draft.version();
  writer.exec("DELETE FROM t WHERE id = 2; VACUUM");
  const VersionPointer third = draft.version();
  CHECK(contents(*first) == "ok\n1 a 1");
  CHECK(contents(*second) == "ok\n1 b 1\n2 c 20000");
  CHECK(contents(*third) == "ok\n1 b 1");
  CHECK(third->table().pages < second->table().pages);
  // Of the pages that did not change they have the same.
  std::set<const char*> pages;
  for (const VersionPointer& version : {first, draft.version(), third}) add_pages(*version, pages);
  CHECK(pages.size() < first->table().pages + 2 * third->table().pages);
}

TEST_CASE("versions: hundreds of them share all pages but those that were changed") {
  const VersionPointer base = of_rows(20'000);
  const std::size_t size = base->table().pages;
  REQUIRE(size > 3000);
  std::vector<VersionPointer> versions{base};
  for (int i = 1; i <= 300; ++i) {
    versions.push_back(
        changed(versions.back(), fmt::format("UPDATE t SET more = zeroblob(601) WHERE id = {}", i * 60)));
  }
  std::set<const char*> pages;
  for (const VersionPointer& version : versions) add_pages(*version, pages);
  // The header, a leaf and at times its neighbours.
  CHECK(pages.size() < size + 300 * 6);
  CHECK(contents(*base).find(" 601") == std::string::npos);
  versions.erase(versions.begin(), versions.end() - 1);
  CHECK(open_to_read(*versions.back()).execAndGet("SELECT COUNT(*) FROM t WHERE length(more) = 601").getInt() == 300);
}

TEST_CASE("versions: what random changes make is what they make in a database of SQLite's own") {
  std::mt19937 random(11);
  const auto any = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  const TemporaryFolder folder;
  // One begins in memory, one from a file, whose pages have reserved bytes.
  {
    SQLite::Database file(uri_to_write(folder.path() / "d.db"),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI);
    int reserved = kPageCheckBytes;
    sqlite3_file_control(file.getHandle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    file.exec("PRAGMA journal_mode = OFF; BEGIN;" + kTable);
    for (int i = 0; i < 500; ++i) file.exec(fmt::format("INSERT INTO t VALUES ({}, 'n{}', zeroblob(700))", i, i % 7));
    file.exec("COMMIT");
  }
  for (const bool of_file : {false, true}) {
    CAPTURE(of_file);
    VersionPointer version = of_file ? Version::of_file(folder.path() / "d.db") : changed(nullptr, kTable);
    SQLite::Database oracle(":memory:", SQLite::OPEN_READWRITE);
    oracle.exec(kTable);
    if (of_file) {
      for (int i = 0; i < 500; ++i) {
        oracle.exec(fmt::format("INSERT INTO t VALUES ({}, 'n{}', zeroblob(700))", i, i % 7));
      }
    }
    std::vector<std::pair<VersionPointer, std::string>> earlier;
    for (int step = 0; step < 150; ++step) {
      std::string sql = "BEGIN;";
      for (int i = any(20); i >= 0; --i) {
        switch (any(10)) {
          case 0: sql += fmt::format("DELETE FROM t WHERE id % {} = 1;", 2 + any(9)); break;
          case 1: sql += fmt::format("DELETE FROM t WHERE id = {};", any(1000)); break;
          case 2: sql += fmt::format("UPDATE t SET name = 'm{}' WHERE id % 11 = {};", any(50), any(11)); break;
          case 3: sql += fmt::format("UPDATE t SET more = zeroblob({}) WHERE id = {};", any(20'000), any(1000)); break;
          default:
            sql += fmt::format("INSERT OR REPLACE INTO t VALUES ({}, 'n{}', zeroblob({}));", any(1000), any(50),
                               any(any(30) == 0 ? 100'000 : 900));
        }
      }
      sql += "COMMIT;";
      const int kind = any(20);
      if (kind == 0) sql += "VACUUM;";
      if (kind == 1) sql += "DROP INDEX by_name; CREATE INDEX by_name ON t (name);";
      if (kind == 2) sql += "DELETE FROM t; VACUUM;";
      oracle.exec(sql);
      version = changed(version, sql);
      const std::string expected = contents(oracle);
      REQUIRE(contents(*version) == expected);
      if (step % 10 == 0) earlier.emplace_back(version, expected);
    }
    for (const auto& [old, expected] : earlier) CHECK(contents(*old) == expected);
  }
}

TEST_CASE("versions: old ones are read by threads while others are made of them and go") {
  const VersionPointer base = of_rows(2000);
  std::mutex mutex;
  VersionPointer latest = base;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        VersionPointer version;
        {
          const std::lock_guard lock(mutex);
          version = latest;
        }
        SQLite::Database reader = open_to_read(*version);
        // Each change moves one from a name to another.
        if (reader.execAndGet("SELECT COUNT(*) FROM t WHERE name IN ('n1', 'm')").getInt() != 21) ++wrong;
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    VersionPointer next = changed(
        latest, fmt::format("UPDATE t SET name = '{}' WHERE id = {}", i % 2 == 0 ? "m" : "n1", 1 + 97 * (i / 2 % 20)));
    const std::lock_guard lock(mutex);
    std::swap(latest, next);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("versions: a damaged page of a file is refused when it is read, and not where another took its place") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  {
    SQLite::Database database(uri_to_write(file), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI);
    int reserved = kPageCheckBytes;
    sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    database.exec("PRAGMA journal_mode = OFF; BEGIN;" + kTable);
    for (int i = 0; i < 100; ++i) database.exec(fmt::format("INSERT INTO t VALUES ({}, 'n', zeroblob(700))", i));
    database.exec("COMMIT");
  }
  const VersionPointer right = Version::of_file(file);
  const std::string expected = contents(*right);
  const VersionPointer all_changed = changed(right, "UPDATE t SET name = 'm', more = zeroblob(701)");
  std::string bytes = read_file(file);
  const std::size_t damaged = right->table().pages - 1;
  bytes[damaged * right->table().page_size + 4000] ^= 1;
  const VersionPointer version = Version::of_file(folder.write("damaged.db", bytes));
  for (std::size_t i = 0; i < damaged; ++i) CHECK(version->table().page(i) != nullptr);
  CHECK_THROWS_AS(version->table().page(damaged), DamagedPage);
  CHECK_THROWS_WITH(contents(*version), "database disk image is malformed");
  const VersionPointer copy = Draft(version).version();
  CHECK_THROWS_WITH(contents(*copy), "database disk image is malformed");
  // Those of the file that was right were looked at, and its name is another's by now.
  std::filesystem::rename(folder.path() / "damaged.db", file);
  CHECK(contents(*right) == expected);
  CHECK(contents(*all_changed).starts_with("ok\n0 m 701\n"));
  Draft draft(version);
  const std::string page(version->table().page_size, 'p');
  draft.write(damaged, page.data(), page.size());
  CHECK(draft.table().page(damaged)[0] == 'p');
  draft.truncate(damaged);
  draft.write(damaged + 1, page.data(), page.size());
  CHECK(draft.table().page(damaged) == nullptr);
}
