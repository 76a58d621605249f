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
#include "store/versions.h"

namespace ocp_mock {

inline constexpr std::int64_t kApplicationId = 0x4F43504D;  // see schema/dataset.sql

// Of all tables, the catalogue's among them: a file of another version has other tables.
std::int64_t schema_version(const Catalogue& catalogue);

// What makes the tables that each dataset has. The catalogue's come with the first row of a resource, so that a dataset
// of few resources costs no more for the others.
std::string_view schema_sql();

class Connection;

// The resources that have tables. Those without have no rows.
class Tables {
 public:
  explicit Tables(const Catalogue& catalogue) : catalogue_(&catalogue), has_(catalogue.resources.size()) {}

  // Those of a database.
  Tables(Connection& connection, const Catalogue& catalogue);

  bool has(const Resource& resource) const { return has_[index_of(resource)]; }
  void add(const Resource& resource) { has_[index_of(resource)] = true; }

 private:
  std::size_t index_of(const Resource& resource) const {
    return static_cast<std::size_t>(&resource - catalogue_->resources.data());
  }

  const Catalogue* catalogue_;
  std::vector<bool> has_;
};

// A prepared statement without what SQLiteCpp does for each column. Throws SQLite::Exception.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql);

  void bind(std::int64_t value) { check(sqlite3_bind_int64(statement_.get(), ++bound_, value)); }
  // The text must live until reset().
  void bind(std::string_view value);
  void bind_blob(std::string_view value);
  void bind(const SqlValue& value);
  void bind_all(const std::vector<SqlValue>& values);

  // Runs a statement that answers no row, and resets it. Returns how many rows it changed.
  std::int64_t execute(const std::vector<SqlValue>& values);

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

  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  // Until the next step.
  std::string_view bytes(int column) const;
  std::optional<std::string> optional_text(int column) const;
  SqlValue value(int column) const;

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

// A connection with the statements it has prepared. Used by one thread at a time. Throws SQLite::Exception.
class Connection {
 public:
  Connection(const std::string& uri, int flags, const Catalogue& catalogue);

  // Calls visit for each row of the answer. The statement is kept for the next time, but not while it runs, because
  // visit may ask the same.
  void run(const SqlQuery& query, const std::function<void(const Statement&)>& visit);

  // As Statement::execute(), with a statement that is kept.
  std::int64_t execute(const SqlQuery& query);

  // Of statements that are not worth keeping.
  void execute(const std::string& sql) { database_.exec(sql); }
  std::int64_t integer(const std::string& sql) { return database_.execAndGet(sql).getInt64(); }

  // The statement of a key; its SQL is made when it is first asked for.
  template <typename MakeSql>
  Statement& cached(std::uint64_t key, const MakeSql& sql) {
    const auto found = fixed_statements_.find(key);
    if (found != fixed_statements_.end()) return found->second;
    return fixed_statements_.try_emplace(key, handle(), sql()).first->second;
  }

  // The resource's index in the catalogue.
  std::size_t index_of(const Resource& resource) const {
    return static_cast<std::size_t>(&resource - catalogue_.resources.data());
  }

  // What is done with one row of a resource.
  enum class RowStatement : std::uint8_t { Insert, Update, Delete, FindKey, ReadPlace };

  template <typename MakeSql>
  Statement& row_statement(RowStatement kind, const Resource& resource, const MakeSql& sql) {
    return cached(static_cast<std::uint64_t>(index_of(resource)) << 8 | static_cast<std::uint64_t>(kind), sql);
  }

  sqlite3* handle() const { return database_.getHandle(); }

 private:
  SQLite::Database database_;
  const Catalogue& catalogue_;
  std::unordered_map<std::string, Statement> statements_;
  std::unordered_map<std::uint64_t, Statement> fixed_statements_;
};

// A connection that only reads.
class Reader : public Connection {
 public:
  // The version must outlive it. Its pages are not copied.
  Reader(const Version& version, const Catalogue& catalogue);
};

// A connection that makes one version after the other, each of what the one before has.
struct Writer {
  // Begins with what the source has, or with tables that each dataset has and nothing in them.
  Writer(const Catalogue& catalogue, const std::shared_ptr<const Version>& source, int page_size);

  // Begins with these tables in a file that is not there or empty.
  Writer(const Catalogue& catalogue, const std::filesystem::path& file);

  Draft draft;  // empty where there is a file
  Connection connection;
  Tables tables;
  bool has_envelope = false;

 private:
  void make_tables(const Catalogue& catalogue);
};

// The name of the fact that some rows of a resource have computed values, or had in a dataset that this one was made
// of.
std::string computes_fact(const Resource& resource);

// Calls visit with a row of rows_query().
void visit_row(const Resource& resource, const Statement& row, const std::function<void(const StoredRow&)>& visit);

// The id and the time of the task that changes first; nothing where there can be none.
std::optional<SqlQuery> tasks_due_query(const Catalogue& catalogue, const Tables& tables);

// Of two columns.
Instant instant_of(const Statement& row, int column);

// Of a file that is being made.
std::string uri_to_write(const std::filesystem::path& file);

struct DatabaseIdentity {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::string damage = {};  // why the file cannot be as a builder of this version has made it; else empty
};

// Whether the file is a dataset, and of which version, by its first page and its size. Throws DatasetError if it cannot
// be read.
DatabaseIdentity identify(const std::filesystem::path& file, const Catalogue& catalogue);

// Throws DatasetError unless the database has the tables and indexes of this version, and nothing else.
void check_schema(Connection& connection, const Catalogue& catalogue);

// SQLite would wait for ever at a pipe, and say of a folder that the disk fails. Throws DatasetError.
void refuse_special_file(const std::filesystem::path& file);

// What a dataset knows of its database from the start.
struct DatasetFacts {
  Tables tables;
  bool has_timelines = false;
  bool has_exchanges = false;
  std::optional<Instant> next_due;
  std::vector<const Resource*> computing;  // those whose rows may have computed values
};
DatasetFacts read_facts(Connection& connection, const Catalogue& catalogue);

// A finished database as a dataset. The writer is one whose next version begins with this one; null where there is
// none.
std::shared_ptr<const Dataset> dataset_of(std::shared_ptr<const Version> version, const Catalogue& catalogue,
                                          DatasetFacts facts, std::unique_ptr<Writer> writer = nullptr);

// Replaces the sparse indexes of all partitions by those of the rows that are there.
void write_sparse_indexes(sqlite3* database, const Catalogue& catalogue, const Tables& tables);

// The keys of a partition's parents as the entry table has them.
std::string partition_text(const std::vector<SqlValue>& parents);

// That of a partition, made of its rows.
SparseIndex make_sparse_index(Connection& connection, const Resource& resource, const std::vector<SqlValue>& parents);

// That of a partition, stored or made now.
SparseIndex read_sparse_index(Connection& connection, const Resource& resource, const std::vector<Value>& parents);

// A builder in memory that begins as a copy. Takes some ten microseconds, fewer with a writer that begins with it. A
// builder that changes nothing gives its writer back.
std::unique_ptr<DatasetBuilder> copy_of(const std::shared_ptr<const Version>& source, const Catalogue& catalogue,
                                        std::unique_ptr<Writer> writer,
                                        std::function<void(std::unique_ptr<Writer>)> give_back);

}  // namespace ocp_mock
