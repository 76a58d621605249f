#include "store/dataset_builder.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/temporary_file.h"
#include "embedded/schema_sql.h"
#include "store/database.h"
#include "store/page_checks.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// Up to so many rows indexes are kept as rows come and go; beyond, making them anew at the end costs less, if that is
// not a small part of all rows.
constexpr std::int64_t kRowsForKeptIndexes = 10'000;
constexpr std::int64_t kPartForKeptIndexes = 4;

class SqliteBuilder : public DatasetBuilder {
 public:
  // Without a file the dataset lives in memory. With a source it begins as a copy of that.
  SqliteBuilder(std::string uri, fs::path file, std::unique_ptr<TemporaryFile> temporary, Reader* source = nullptr)
      : uri_(std::move(uri)), file_(std::move(file)), temporary_(std::move(temporary)) {
    guarded([&] {
      database_ = open_empty();
      if (source != nullptr) copy_into(*database_, source->handle());
      database_->exec("BEGIN");
      if (source == nullptr) {
        database_->exec(std::string(embedded::schema_sql));
      } else {
        has_envelope_ =
            database_->execAndGet("SELECT EXISTS(SELECT 1 FROM fact WHERE name LIKE 'envelope.%')").getInt() != 0;
        for (const Endpoint& endpoint : endpoints()) {
          const auto last = database_->execAndGet(fmt::format("SELECT ifnull(max(id), 0) FROM {}", endpoint.table));
          rows_for_kept_indexes_ = std::max(rows_for_kept_indexes_, last.getInt64() / kPartForKeptIndexes);
        }
      }
    });
  }

  void add_task(const Endpoint& endpoint, TaskRow& row) override {
    merge_homes(row);
    if (row.computes) computing_.insert(&endpoint);
    guarded([&] {
      count_change();
      SQLite::Statement& insert = statement_for(endpoint, inserts_, insert_sql);
      bind_values(insert, row.columns);
      insert.bindNoCopy(static_cast<int>(row.columns.size()) + 1, row.json);
      insert.exec();
      insert.reset();
      if (row.timeline) add_timeline(endpoint, database_->getLastInsertRowid(), *row.timeline);
    });
  }

  void set_task(const Endpoint& endpoint, std::int64_t id, TaskRow row) override {
    merge_homes(row);
    if (row.computes) computing_.insert(&endpoint);
    row.columns.emplace_back(std::move(row.json));
    row.columns.emplace_back(id);
    guarded([&] {
      count_change();
      execute(statement_for(endpoint, updates_, update_sql), row.columns);
      remove_timeline(endpoint, id);
      if (row.timeline) add_timeline(endpoint, id, *row.timeline);
    });
  }

  void remove_task(const Endpoint& endpoint, std::int64_t id) override {
    guarded([&] {
      count_change();
      execute(statement_for(endpoint, deletes_, delete_sql), {id});
      remove_timeline(endpoint, id);
    });
  }

  std::int64_t remove_tasks(const Endpoint& endpoint, const std::vector<ColumnCondition>& conditions) override {
    std::int64_t removed = 0;
    guarded([&] {
      const SqlQuery query = removal_query(endpoint, conditions);
      SQLite::Statement statement(*database_, query.sql);
      bind_values(statement, query.values);
      removed = statement.exec();
      SQLite::Statement orphans(*database_, fmt::format("DELETE FROM timeline WHERE resource = ?1"
                                                        " AND task NOT IN (SELECT id FROM {})",
                                                        endpoint.table));
      execute(orphans, {std::string(endpoint.table)});
    });
    return removed;
  }

  void remove_timelines() override {
    guarded([&] { database_->exec("DELETE FROM timeline"); });
  }

  void add_cluster(std::int64_t id, std::optional<std::string> name) override {
    merge(clusters_[id].declared, std::move(name));
  }

  void add_tenant(std::int64_t cluster_id, std::int64_t id, std::optional<std::string> name) override {
    merge(tenants_[{cluster_id, id}].declared, std::move(name));
  }

  void add_envelope(CapturedEnvelope envelope) override {
    if (has_envelope_) return;
    has_envelope_ = true;
    guarded([&] {
      SQLite::Statement insert(*database_, "INSERT INTO fact VALUES (?1, ?2)");
      const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) execute(insert, {std::string(name), *value});
      };
      if (envelope.duration) add("envelope.duration", std::to_string(*envelope.duration));
      add("envelope.server", envelope.server);
      add("envelope.timestamp", envelope.timestamp);
      add("envelope.traceId", envelope.trace_id);
    });
  }

  std::shared_ptr<const Dataset> finish() override {
    guarded([&] {
      make_indexes();
      // A name that the source of a copy knows stays.
      SQLite::Statement cluster(*database_,
                                "INSERT INTO cluster VALUES (?1, ?2)"
                                " ON CONFLICT DO UPDATE SET name = coalesce(name, excluded.name)");
      for (const auto& [id, names] : clusters_) execute(cluster, {id, names.best()});
      SQLite::Statement tenant(*database_,
                               "INSERT INTO tenant VALUES (?1, ?2, ?3)"
                               " ON CONFLICT DO UPDATE SET name = coalesce(name, excluded.name)");
      for (const auto& [key, names] : tenants_) execute(tenant, {key.first, key.second, names.best()});
      SQLite::Statement computes(*database_, "INSERT OR REPLACE INTO fact VALUES (?1, ?2)");
      for (const Endpoint* endpoint : computing_) {
        execute(computes, {computes_fact(*endpoint), std::string(endpoint->delay_field)});
      }
      write_milestones(*database_);
      database_->exec("COMMIT");
    });
    inserts_.clear();
    updates_.clear();
    deletes_.clear();
    timeline_removal_.reset();
    guarded([&] { give_back_free_pages(); });
    std::shared_ptr<const Dataset> dataset;
    guarded([&] {
      if (temporary_) {
        // Opened before it is renamed: whatever takes its place later, these are the rows of this builder.
        database_.reset();
        dataset = dataset_of({uri_to_read(temporary_->path())});
        temporary_->commit();
      } else {
        dataset = dataset_of({"", std::move(database_)});
      }
    });
    return dataset;
  }

 private:
  using Statements = std::unordered_map<const Endpoint*, SQLite::Statement>;

  struct Names {
    std::optional<std::string> declared;
    std::optional<std::string> of_task;

    SqlValue best() const {
      const auto& name = declared ? declared : of_task;
      return name ? SqlValue(*name) : SqlValue();
    }
  };

  static void merge(std::optional<std::string>& known, const std::optional<std::string>& name) {
    if (!known) known = name;
  }

  void merge_homes(const TaskRow& row) {
    merge(clusters_[row.cluster_id].of_task, row.cluster_name);
    merge(tenants_[{row.cluster_id, row.tenant_id}].of_task, row.tenant_name);
    for (const auto& home : row.later_tenants) {
      clusters_.try_emplace(home.first);
      tenants_.try_emplace(home);
    }
  }

  std::unique_ptr<SQLite::Database> open_empty() const {
    auto database = std::make_unique<SQLite::Database>(
        uri_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX);
    // A database in memory may take what the machine has; SQLite stops at 1 GiB unless told otherwise.
    sqlite3_int64 limit = std::numeric_limits<sqlite3_int64>::max() / 2;
    sqlite3_file_control(database->getHandle(), "main", SQLITE_FCNTL_SIZE_LIMIT, &limit);
    // Nobody else sees the database before it is whole, so nothing is ever rolled back.
    database->exec("PRAGMA journal_mode = OFF");
    if (temporary_) {
      int reserved = kPageCheckBytes;
      sqlite3_file_control(database->getHandle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
      // So that free pages are written too, for copies read them.
      database->exec("PRAGMA secure_delete = ON");
    }
    return database;
  }

  static void copy_into(SQLite::Database& database, sqlite3* source) {
    sqlite3_backup* backup = sqlite3_backup_init(database.getHandle(), "main", source, "main");
    if (backup == nullptr) throw SQLite::Exception(database.getHandle());
    sqlite3_backup_step(backup, -1);
    const int error = sqlite3_backup_finish(backup);
    if (error == SQLITE_CORRUPT) throw DatasetError(fmt::format("the dataset is damaged: {}", sqlite3_errstr(error)));
    if (error != SQLITE_OK) throw SQLite::Exception(sqlite3_errstr(error), error);
  }

  // A database in memory never takes less than it did once, and all its copies would be as large.
  void give_back_free_pages() {
    const auto pages = [&](const char* pragma) { return database_->execAndGet(pragma).getInt64(); };
    if (temporary_ || pages("PRAGMA freelist_count") * 2 <= pages("PRAGMA page_count")) return;
    database_->exec("PRAGMA temp_store = MEMORY");
    database_->exec("VACUUM");
    auto small = open_empty();
    copy_into(*small, database_->getHandle());
    database_ = std::move(small);
  }

  void count_change() {
    if (++changes_ != rows_for_kept_indexes_) return;
    std::vector<std::string> names;
    SQLite::Statement indexes(*database_,
                              "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL");
    while (indexes.executeStep()) {
      names.push_back(indexes.getColumn(0).getString());
      dropped_indexes_.push_back(indexes.getColumn(1).getString());
    }
    indexes.reset();
    for (const std::string& name : names) database_->exec(fmt::format("DROP INDEX {}", name));
  }

  void make_indexes() {
    for (const std::string& sql : dropped_indexes_) database_->exec(sql);
    dropped_indexes_.clear();
  }

  void add_timeline(const Endpoint& endpoint, std::int64_t id, const TaskTimeline& timeline) {
    SQLite::Statement insert(*database_, "INSERT INTO timeline VALUES (?1, ?2, ?3, ?4)");
    execute(insert, {std::string(endpoint.table), id, timeline.since ? SqlValue(*timeline.since) : SqlValue(),
                     timeline.points});
  }

  void remove_timeline(const Endpoint& endpoint, std::int64_t id) {
    if (!timeline_removal_) {
      timeline_removal_.emplace(*database_, "DELETE FROM timeline WHERE resource = ?1 AND task = ?2");
    }
    execute(*timeline_removal_, {std::string(endpoint.table), id});
  }

  static void execute(SQLite::Statement& statement, const std::vector<SqlValue>& values) {
    bind_values(statement, values);
    statement.exec();
    statement.reset();
  }

  SQLite::Statement& statement_for(const Endpoint& endpoint, Statements& statements,
                                   std::string (*sql)(const Endpoint&)) {
    if (const auto found = statements.find(&endpoint); found != statements.end()) return found->second;
    return statements.try_emplace(&endpoint, *database_, sql(endpoint)).first->second;
  }

  static std::vector<std::string> columns_of_task(const Endpoint& endpoint) {
    std::vector<std::string> all;
    for (const Field& field : endpoint.fields) {
      for (std::string& column : columns_of(field)) all.push_back(std::move(column));
    }
    all.emplace_back("json");
    return all;
  }

  static std::string insert_sql(const Endpoint& endpoint) {
    const std::vector<std::string> columns = columns_of_task(endpoint);
    return fmt::format("INSERT INTO {} ({}) VALUES ({})", endpoint.table, fmt::join(columns, ", "),
                       fmt::join(std::vector<std::string>(columns.size(), "?"), ", "));
  }

  static std::string update_sql(const Endpoint& endpoint) {
    return fmt::format("UPDATE {} SET {} = ? WHERE id = ?", endpoint.table,
                       fmt::join(columns_of_task(endpoint), " = ?, "));
  }

  static std::string delete_sql(const Endpoint& endpoint) {
    return fmt::format("DELETE FROM {} WHERE id = ?", endpoint.table);
  }

  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const SQLite::Exception& error) {
      throw refusal(error.what());
    } catch (const std::system_error& error) {
      throw refusal(error.code().message());
    }
  }

  DatasetError refusal(const std::string& why) const {
    return DatasetError(fmt::format("cannot write the dataset {}: {}", temporary_ ? file_.string() : "in memory", why));
  }

  const std::string uri_;
  const fs::path file_;
  const std::unique_ptr<TemporaryFile> temporary_;  // outlives the database in it
  std::unique_ptr<SQLite::Database> database_;
  Statements inserts_;
  Statements updates_;
  Statements deletes_;
  std::optional<SQLite::Statement> timeline_removal_;
  std::map<std::int64_t, Names> clusters_;
  std::map<std::pair<std::int64_t, std::int64_t>, Names> tenants_;
  std::set<const Endpoint*> computing_;  // those whose tasks have computed delays
  bool has_envelope_ = false;
  std::int64_t changes_ = 0;
  std::int64_t rows_for_kept_indexes_ = kRowsForKeptIndexes;
  std::vector<std::string> dropped_indexes_;  // their SQL; to be made at the end
};

}  // namespace

std::unique_ptr<DatasetBuilder> copy_of(Reader& source) {
  return std::make_unique<SqliteBuilder>(kMemoryUri, fs::path(), nullptr, &source);
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_memory() {
  return std::make_unique<SqliteBuilder>(kMemoryUri, fs::path(), nullptr);
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_file(const fs::path& file) {
  refuse_special_file(file);
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    const bool empty = fs::is_empty(file, ignored);
    if (!empty && identify(file).application != kApplicationId) {
      throw DatasetError(
          fmt::format("{} exists and is not a dataset of ocp-mock-server; it is left alone", file.string()));
    }
  }
  const auto refuse = [&](const std::string& why) {
    throw DatasetError(fmt::format("cannot write the dataset {}: {}", file.string(), why));
  };
  std::unique_ptr<TemporaryFile> temporary;
  try {
    temporary = std::make_unique<TemporaryFile>(file);
  } catch (const std::system_error& error) {
    refuse(error.code().message());
  } catch (const std::runtime_error& error) {
    refuse(error.what());
  }
  std::string uri = uri_to_write(temporary->path());
  return std::make_unique<SqliteBuilder>(std::move(uri), file, std::move(temporary));
}

}  // namespace ocp_mock
