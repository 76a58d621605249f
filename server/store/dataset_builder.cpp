#include "store/dataset_builder.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/temporary_file.h"
#include "store/captures.h"
#include "store/database.h"
#include "store/exchanges.h"
#include "store/image.h"
#include "store/known_parents.h"
#include "store/made_keys.h"
#include "store/page_checks.h"
#include "store/touched_partitions.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// Up to so many rows indexes are kept as rows come and go; beyond, making them anew at the end costs less, if that is
// not a small part of all rows.
constexpr std::int64_t kRowsForKeptIndexes = 10'000;
constexpr std::int64_t kPartForKeptIndexes = 4;

// Of images: most tables and indexes of one are small, and each has a page of its own.
constexpr int kImagePageSize = 1024;

class SqliteBuilder : public DatasetBuilder {
 public:
  // In a file.
  SqliteBuilder(const Catalogue& catalogue, fs::path file, std::unique_ptr<TemporaryFile> temporary)
      : catalogue_(catalogue), file_(std::move(file)), temporary_(std::move(temporary)) {
    begin(uri_to_write(temporary_->path()), false);
  }

  // In memory. With a source the dataset begins as a copy of that.
  SqliteBuilder(const Catalogue& catalogue, const std::shared_ptr<const Version>& source, int page_size = 4096)
      : catalogue_(catalogue), page_size_(page_size), draft_(source) {
    begin(draft_.uri(), source != nullptr);
  }

  bool add_row(const Resource& resource, Row& row) override {
    if (const auto same = find_same_key(resource, row)) {
      // One that was only known as the parent of others has now come.
      const bool has_come = copies_ && KnownParents::may_have_stored(resource, same->json);
      if (!has_come && !is_same_row(resource, row, *same)) throw taken_key(resource, row);
      if (has_come || is_fuller(row.json, same->json)) set_row(resource, same->id, std::move(row));
      return has_come;
    }
    parents_.note(resource, row);
    if (row.computes) computing_.insert(&resource);
    guarded([&] {
      need_table(resource);
      count_change();
      Statement& insert =
          statement_for(resource, inserts_, [&] { return insert_sql(resource, all_columns(resource)); });
      const Use use(insert);
      for (const SqlValue& column : row.columns) insert.bind(column);
      insert.bind(std::string_view(row.json));
      insert.step();
      const std::int64_t id = database_->getLastInsertRowid();
      if (copies_) touched_.note(database_->getHandle(), resource, id, true);
      if (row.timeline) add_timeline(resource, id, *row.timeline);
      if (row.capture != 0) captures_.note(resource, id, row.capture);
    });
    return true;
  }

  void set_row(const Resource& resource, std::int64_t id, Row row) override {
    parents_.note(resource, row);
    if (row.computes) computing_.insert(&resource);
    row.columns.emplace_back(std::move(row.json));
    row.columns.emplace_back(id);
    guarded([&] {
      count_change();
      if (copies_) touched_.note(database_->getHandle(), resource, id, false);
      statement_for(resource, updates_, [&] {
        return update_sql(resource, all_columns(resource));
      }).execute(row.columns);
      if (copies_) touched_.note(database_->getHandle(), resource, id, true);
      remove_timeline(resource, id);
      if (row.timeline) add_timeline(resource, id, *row.timeline);
    });
  }

  void refuse_taken_key(const Resource& resource, const Row& row, std::int64_t id) override {
    const auto same = find_same_key(resource, row);
    if (same && same->id != id) throw taken_key(resource, row);
  }

  void remove_row(const Resource& resource, std::int64_t id) override {
    guarded([&] {
      count_change();
      if (copies_) touched_.note(database_->getHandle(), resource, id, false);
      statement_for(resource, deletes_, [&] {
        return fmt::format("DELETE FROM {} WHERE id = ?", resource.table);
      }).execute({id});
      remove_timeline(resource, id);
    });
  }

  void forget(const Resource& resource, const std::vector<SqlValue>& keys) override { parents_.forget(resource, keys); }

  std::int64_t remove_rows(const Resource& resource, const std::vector<ColumnCondition>& conditions) override {
    std::int64_t removed = 0;
    if (!tables_.has(resource)) return removed;
    guarded([&] {
      SqlQuery query = removal_query(resource, conditions);
      if (conditions.empty()) {
        touched_.note_all();
      } else if (resource.indexed_words != nullptr) {
        query.sql += " RETURNING " + TouchedPartitions::columns(resource);
      }
      Statement statement(database_->getHandle(), query.sql);
      statement.bind_all(query.values);
      while (statement.step()) touched_.note_removed(resource, statement);
      removed = database_->getChanges();
      Statement orphans(database_->getHandle(), fmt::format("DELETE FROM timeline WHERE resource = ?1"
                                                            " AND row_id NOT IN (SELECT id FROM {})",
                                                            resource.table));
      orphans.execute({std::string(resource.table)});
    });
    return removed;
  }

  void remove_timelines() override {
    guarded([&] { database_->exec("DELETE FROM timeline"); });
  }

  void each_row(const Resource& resource, const RowSelection& selection,
                const std::function<void(const StoredRow&)>& visit) override {
    if (!tables_.has(resource)) return;
    guarded([&] {
      const SqlQuery query = rows_query(resource, selection);
      run(query, [&](const Statement& row) { visit_row(resource, row, visit); });
    });
  }

  std::optional<DueTask> first_due() override {
    const auto query = tasks_due_query(catalogue_, tables_);
    std::optional<DueTask> due;
    if (!query) return due;
    guarded([&] { run(*query, [&](const Statement& row) { due = DueTask{row.integer(0), instant_of(row, 1)}; }); });
    return due;
  }

  std::int64_t make_key(const Resource& resource) override {
    std::int64_t made = 1;
    guarded([&] { made = next_key(database_->getHandle(), resource, tables_); });
    return made;
  }

  void keep_key(const Resource& resource, std::int64_t key) override {
    guarded([&] { store_key(database_->getHandle(), resource, key); });
  }

  void add_implied(const Resource& resource, std::span<const SqlValue> parents_and_key,
                   std::optional<std::string> label) override {
    parents_.note_declared(resource, parents_and_key, std::move(label));
  }

  void add_envelope(CapturedEnvelope envelope) override {
    if (has_envelope_) return;
    has_envelope_ = true;
    guarded([&] {
      Statement insert(database_->getHandle(), "INSERT INTO fact VALUES (?1, ?2)");
      const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) insert.execute({std::string(name), *value});
      };
      if (envelope.duration) add("envelope.duration", std::to_string(*envelope.duration));
      add("envelope.server", envelope.server);
      add("envelope.timestamp", envelope.timestamp);
      add("envelope.traceId", envelope.trace_id);
    });
  }

  void add_exchange(StoredExchange exchange) override {
    guarded([&] { store_exchange(database_->getHandle(), exchange); });
  }

  std::shared_ptr<const Dataset> finish() override {
    end_changes();
    std::shared_ptr<const Dataset> dataset;
    guarded([&] {
      database_.reset();
      if (temporary_) {
        // Opened before it is renamed: whatever takes its place later, these are the rows of this builder.
        dataset = dataset_of(Version::of_file(temporary_->path()), catalogue_);
        temporary_->commit();
      } else {
        dataset = dataset_of(draft_.finish(), catalogue_);
      }
    });
    return dataset;
  }

  // In place of finish(). Requires a builder in memory.
  std::string finish_image() {
    end_changes();
    guarded([&] { database_.reset(); });
    return draft_.finish()->image();
  }

 private:
  void end_changes() {
    guarded([&] {
      make_indexes();
      for (const Resource* resource : parents_.resources()) need_table(*resource);
      parents_.store(database_->getHandle(), keys_);
      for (const Resource* resource : computing_) {
        Statement(database_->getHandle(), "INSERT OR REPLACE INTO fact VALUES (?1, ?2)")
            .execute({computes_fact(*resource), std::string(resource->computed.field->name)});
      }
      if (!copies_) touched_.note_all();
      touched_.store(database_->getHandle(), catalogue_, tables_);
      touched_.clear();
      database_->exec("COMMIT");
    });
    inserts_.clear();
    updates_.clear();
    deletes_.clear();
    queries_.clear();
    keys_.clear();
    timeline_removal_.reset();
    guarded([&] { give_back_free_pages(); });
  }

  using Statements = std::unordered_map<const Resource*, Statement>;

  // Calls visit for each row of the answer. A statement is kept for the next time, but not while it runs, because visit
  // may ask the same.
  void run(const SqlQuery& query, const std::function<void(const Statement&)>& visit) {
    auto kept = queries_.extract(query.sql);
    Statement row = kept ? std::move(kept.mapped()) : Statement(database_->getHandle(), query.sql);
    row.bind_all(query.values);
    while (row.step()) visit(row);
    row.reset();
    queries_.insert_or_assign(query.sql, std::move(row));
  }

  std::optional<KeyLookup::Found> find_same_key(const Resource& resource, const Row& row) {
    if (resource.key == nullptr || !tables_.has(resource)) return std::nullopt;
    std::optional<KeyLookup::Found> same;
    guarded([&] { same = keys_.find(database_->getHandle(), resource, keys_of(resource, row)); });
    return same;
  }

  // Whether two files have captured one row, more or less of it.
  bool is_same_row(const Resource& resource, const Row& row, const KeyLookup::Found& same) const {
    const std::size_t capture = captures_.find(resource, same.id);
    if (row.capture == 0 || capture == 0 || row.capture == capture) return false;
    return row.json == same.json || is_fuller(row.json, same.json) || is_fuller(same.json, row.json);
  }

  void begin(const std::string& uri, bool copies) {
    guarded([&] {
      database_ = std::make_unique<SQLite::Database>(
          uri, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX);
      // Nobody else sees the database before it is whole, so nothing is ever rolled back.
      database_->exec("PRAGMA journal_mode = OFF");
      if (temporary_) {
        int reserved = kPageCheckBytes;
        sqlite3_file_control(database_->getHandle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
        // So that free pages have checks as well.
        database_->exec("PRAGMA secure_delete = ON");
      } else {
        database_->exec("PRAGMA temp_store = MEMORY");
        if (!copies) database_->exec(fmt::format("PRAGMA page_size = {}", page_size_));
      }
      database_->exec("BEGIN");
      copies_ = copies;
      if (!copies) {
        database_->exec(std::string(schema_sql()));
        database_->exec(fmt::format("PRAGMA user_version = {}", schema_version(catalogue_)));
        return;
      }
      tables_ = Tables(database_->getHandle(), catalogue_);
      has_envelope_ =
          database_->execAndGet("SELECT EXISTS(SELECT 1 FROM fact WHERE name LIKE 'envelope.%')").getInt() != 0;
    });
  }

  void need_table(const Resource& resource) {
    if (tables_.has(resource)) return;
    database_->exec(std::string(resource.sql));
    tables_.add(resource);
  }

  // What changes it later would copy them.
  void give_back_free_pages() {
    const auto pages = [&](const char* pragma) { return database_->execAndGet(pragma).getInt64(); };
    if (temporary_ || pages("PRAGMA freelist_count") * 2 <= pages("PRAGMA page_count")) return;
    database_->exec("VACUUM");
  }

  // The indexes of keys stay, for each row that comes is looked for in them.
  void count_change() {
    if (++changes_ != rows_for_kept_indexes_) return;
    if (copies_) {
      std::int64_t rows = 0;
      for (const Resource& resource : catalogue_.resources) {
        if (!tables_.has(resource)) continue;
        const auto last = database_->execAndGet(fmt::format("SELECT ifnull(max(id), 0) FROM {}", resource.table));
        rows = std::max(rows, last.getInt64());
      }
      rows_for_kept_indexes_ = rows / kPartForKeptIndexes;
      if (changes_ < rows_for_kept_indexes_) return;
    }
    std::vector<std::string> names;
    {
      Statement indexes(database_->getHandle(),
                        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
                        " AND name NOT LIKE '%!_by!_key' ESCAPE '!'");
      while (indexes.step()) {
        names.emplace_back(indexes.bytes(0));
        dropped_indexes_.emplace_back(indexes.bytes(1));
      }
    }
    for (const std::string& name : names) database_->exec(fmt::format("DROP INDEX {}", name));
  }

  void make_indexes() {
    for (const std::string& sql : dropped_indexes_) database_->exec(sql);
    dropped_indexes_.clear();
  }

  void add_timeline(const Resource& resource, std::int64_t id, const RowTimeline& timeline) {
    Statement insert(database_->getHandle(), "INSERT INTO timeline VALUES (?1, ?2, ?3, ?4)");
    insert.execute(
        {std::string(resource.table), id, timeline.since ? SqlValue(*timeline.since) : SqlValue(), timeline.points});
  }

  void remove_timeline(const Resource& resource, std::int64_t id) {
    if (!timeline_removal_) {
      timeline_removal_.emplace(database_->getHandle(), "DELETE FROM timeline WHERE resource = ?1 AND row_id = ?2");
    }
    timeline_removal_->execute({std::string(resource.table), id});
  }

  template <typename MakeSql>
  Statement& statement_for(const Resource& resource, Statements& statements, const MakeSql& sql) {
    if (const auto found = statements.find(&resource); found != statements.end()) return found->second;
    return statements.try_emplace(&resource, database_->getHandle(), sql()).first->second;
  }

  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() == SQLITE_CORRUPT) {
        throw DatasetError(fmt::format("the dataset is damaged: {}", error.getErrorStr()));
      }
      throw refusal(error.what());
    } catch (const std::system_error& error) {
      throw refusal(error.code().message());
    }
  }

  DatasetError refusal(const std::string& why) const {
    return DatasetError(fmt::format("cannot write the dataset {}: {}", temporary_ ? file_.string() : "in memory", why));
  }

  const Catalogue& catalogue_;
  const fs::path file_;
  const int page_size_ = 4096;
  const std::unique_ptr<TemporaryFile> temporary_;  // outlives the database in it
  Draft draft_;                                     // likewise; empty where there is a file
  std::unique_ptr<SQLite::Database> database_;
  Statements inserts_;
  Statements updates_;
  Statements deletes_;
  std::unordered_map<std::string, Statement> queries_;
  std::optional<Statement> timeline_removal_;
  Tables tables_{catalogue_};
  KnownParents parents_;
  Captures captures_;
  KeyLookup keys_;
  std::set<const Resource*> computing_;  // those whose rows have computed values
  TouchedPartitions touched_;
  bool copies_ = false;  // began as a copy
  bool has_envelope_ = false;
  std::int64_t changes_ = 0;
  std::int64_t rows_for_kept_indexes_ = kRowsForKeptIndexes;
  std::vector<std::string> dropped_indexes_;  // their SQL; to be made at the end
};

}  // namespace

std::unique_ptr<DatasetBuilder> copy_of(const std::shared_ptr<const Version>& source, const Catalogue& catalogue) {
  return std::make_unique<SqliteBuilder>(catalogue, source);
}

std::string make_image(const Catalogue& catalogue, const std::function<void(FixtureSink&)>& fill) {
  SqliteBuilder builder(catalogue, nullptr, kImagePageSize);
  fill(builder);
  return builder.finish_image();
}

std::shared_ptr<const Dataset> open_image(std::string_view bytes, const Catalogue& catalogue) {
  return dataset_of(Version::of_image(bytes), catalogue);
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_memory(const Catalogue& catalogue) {
  return std::make_unique<SqliteBuilder>(catalogue, nullptr);
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_file(const fs::path& file, const Catalogue& catalogue) {
  refuse_special_file(file);
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    const bool empty = fs::is_empty(file, ignored);
    if (!empty && identify(file, catalogue).application != kApplicationId) {
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
  return std::make_unique<SqliteBuilder>(catalogue, file, std::move(temporary));
}

}  // namespace ocp_mock
