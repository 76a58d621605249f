// A SQLite database as the dataset and its builder use it. Of this module only: no other file of store/ includes it.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/dataset_builder.h"
#include "store/pages/sparse_index.h"
#include "store/query.h"

namespace ocp_mock {

inline constexpr std::int64_t kApplicationId = 0x4F43504D;  // see schema/dataset.sql
inline constexpr std::int64_t kSchemaVersion = 4;           // see schema/dataset.sql

// The statement uses the texts of the values until it is reset.
void bind_values(SQLite::Statement& statement, const std::vector<SqlValue>& values);

std::optional<std::string> optional_text(const SQLite::Column& column);

// A prepared statement without what SQLiteCpp does for each column. Throws SQLite::Exception.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql);

  void bind(std::int64_t value) { check(sqlite3_bind_int64(statement_.get(), ++bound_, value)); }
  // The text must live until reset().
  void bind(std::string_view value);
  void bind_blob(std::string_view value);
  void bind_all(const std::vector<SqlValue>& values);

  bool step() {
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail();
    return false;
  }

  // Begins anew, with nothing bound. A statement that is not reset keeps its read lock.
  void reset() noexcept {
    sqlite3_reset(statement_.get());
    bound_ = 0;
  }

  int type(int column) const { return sqlite3_column_type(statement_.get(), column); }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  // Until the next step.
  std::string_view bytes(int column) const;

 private:
  void check(int result) const {
    if (result != SQLITE_OK) fail();
  }
  [[noreturn]] void fail() const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

// Resets a statement at the end of its use.
class [[nodiscard]] Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { statement_.reset(); }

 private:
  Statement& statement_;
};

// Where a finished database is.
struct DatabaseSource {
  std::string uri = {};  // of a file
  std::shared_ptr<const SQLite::Database> memory =
      {};  // or one in memory, made as kMemoryUri; it must not change any more
};

// A connection with the statements it has prepared. Used by one thread at a time.
class Reader {
 public:
  // The source must outlive it. Its pages are not copied.
  explicit Reader(const DatabaseSource& source);

  // Calls row for each row of the answer.
  void run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row);

  // The statement of a shape of range; made when it is first asked for.
  Statement& range(const Endpoint& endpoint, const RangeShape& shape);

  // That of task_sql().
  Statement& task(const Endpoint& endpoint, bool computes);

  sqlite3* handle() const { return database_.getHandle(); }

 private:
  SQLite::Statement& prepared(const std::string& sql);

  SQLite::Database database_;
  std::unordered_map<std::string, SQLite::Statement> statements_;
  std::unordered_map<std::uint64_t, Statement> fixed_statements_;
};

// The name of the fact that some tasks of an endpoint have computed delays, or had in a dataset that this one was made
// of.
std::string computes_fact(const Endpoint& endpoint);

// Of a file that a builder has made, to be read; it must not change. And of one that is being made.
std::string uri_to_read(const std::filesystem::path& file);
std::string uri_to_write(const std::filesystem::path& file);

// Of a new database in memory, which only its own connection sees.
inline constexpr const char* kMemoryUri = "file:dataset?vfs=memdb";

struct DatabaseIdentity {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::string damage = {};  // why the file cannot be as a builder of this version has made it; else empty
};

// Whether the file is a dataset, and of which version, by its first page and its size. Throws DatasetError if it cannot
// be read.
DatabaseIdentity identify(const std::filesystem::path& file);

// Throws DatasetError unless the database has the tables and indexes of this version, and nothing else.
void check_schema(Reader& reader);

// SQLite would wait for ever at a pipe, and say of a folder that the disk fails. Throws DatasetError.
void refuse_special_file(const std::filesystem::path& file);

// A finished database as a dataset.
std::shared_ptr<const Dataset> dataset_of(DatabaseSource source);

// Replaces the milestones of all tenants by those of the tasks that are there.
void write_milestones(SQLite::Database& database);

// Those of a tenant, stored or made now.
Milestones read_milestones(const Reader& reader, const Endpoint& endpoint, std::int64_t cluster_id,
                           std::int64_t tenant_id);

// A builder in memory that begins as a copy of what the reader reads.
std::unique_ptr<DatasetBuilder> copy_of(Reader& source);

}  // namespace ocp_mock
