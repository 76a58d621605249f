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

constexpr int kPageSize = 4096;

// Of images: most tables and indexes of one are small, and each has a page of its own.
constexpr int kImagePageSize = 1024;

class SqliteBuilder : public DatasetBuilder {
 public:
  // In a file.
  SqliteBuilder(const Catalogue& catalogue, fs::path file, std::unique_ptr<TemporaryFile> temporary)
      : catalogue_(catalogue), file_(std::move(file)), temporary_(std::move(temporary)) {
    guarded([&] { writer_ = std::make_unique<Writer>(catalogue, temporary_->path()); });
    begin();
  }

  // In memory.
  SqliteBuilder(const Catalogue& catalogue, int page_size) : catalogue_(catalogue) {
    guarded([&] { writer_ = std::make_unique<Writer>(catalogue, nullptr, page_size); });
    begin();
  }

  using GiveBack = std::function<void(std::unique_ptr<Writer>)>;

  // In memory, and the dataset begins as a copy of the source. The writer is null or begins with it.
  SqliteBuilder(const Catalogue& catalogue, const std::shared_ptr<const Version>& source,
                std::unique_ptr<Writer> writer, GiveBack give_back)
      : catalogue_(catalogue), writer_(std::move(writer)), give_back_(std::move(give_back)), copies_(true) {
    if (!writer_) guarded([&] { writer_ = std::make_unique<Writer>(catalogue, source, 0); });
    begin();
    changes_before_ = sqlite3_total_changes64(connection().handle());
  }

  ~SqliteBuilder() override {
    if (!give_back_ || !writer_ || has_new_table_) return;
    if (sqlite3_total_changes64(connection().handle()) != changes_before_) return;
    try {
      connection().execute("COMMIT");
      give_back_(std::move(writer_));
    } catch (const std::exception&) {
      // The next change opens one of its own.
    }
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
          statement_for(RowStatement::Insert, resource, [&] { return insert_sql(resource, all_columns(resource)); });
      const Use use(insert);
      for (const SqlValue& column : row.columns) insert.bind(column);
      insert.bind(std::string_view(row.json));
      insert.step();
      const std::int64_t id = sqlite3_last_insert_rowid(connection().handle());
      if (copies_) touched_.note(connection(), resource, id, true);
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
      if (copies_) touched_.note(connection(), resource, id, false);
      statement_for(RowStatement::Update, resource, [&] {
        return update_sql(resource, all_columns(resource));
      }).execute(row.columns);
      if (copies_) touched_.note(connection(), resource, id, true);
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
      if (copies_) touched_.note(connection(), resource, id, false);
      statement_for(RowStatement::Delete, resource, [&] {
        return fmt::format("DELETE FROM {} WHERE id = ?", resource.table);
      }).execute({id});
      remove_timeline(resource, id);
    });
  }

  void forget(const Resource& resource, const std::vector<SqlValue>& keys) override { parents_.forget(resource, keys); }

  std::int64_t remove_rows(const Resource& resource, const std::vector<ColumnCondition>& conditions) override {
    std::int64_t removed = 0;
    if (!writer_->tables.has(resource)) return removed;
    guarded([&] {
      SqlQuery query = removal_query(resource, conditions);
      if (conditions.empty()) {
        touched_.note_all();
      } else if (resource.indexed_words != nullptr) {
        query.sql += " RETURNING " + TouchedPartitions::columns(resource);
      }
      connection().run(query, [&](const Statement& row) { touched_.note_removed(resource, row); });
      removed = sqlite3_changes64(connection().handle());
      connection().execute({fmt::format("DELETE FROM timeline WHERE resource = ?1"
                                        " AND row_id NOT IN (SELECT id FROM {})",
                                        resource.table),
                            {std::string(resource.table)}});
    });
    return removed;
  }

  void remove_timelines() override {
    guarded([&] { connection().execute("DELETE FROM timeline"); });
  }

  void each_row(const Resource& resource, const RowSelection& selection,
                const std::function<void(const StoredRow&)>& visit) override {
    if (!writer_->tables.has(resource)) return;
    guarded([&] {
      connection().run(rows_query(resource, selection), [&](const Statement& row) { visit_row(resource, row, visit); });
    });
  }

  std::optional<DueTask> first_due() override {
    const auto query = tasks_due_query(catalogue_, writer_->tables);
    std::optional<DueTask> due;
    if (!query) return due;
    guarded([&] {
      connection().run(*query, [&](const Statement& row) { due = DueTask{row.integer(0), instant_of(row, 1)}; });
    });
    return due;
  }

  std::int64_t make_key(const Resource& resource) override {
    std::int64_t made = 1;
    guarded([&] { made = next_key(connection(), resource, writer_->tables); });
    return made;
  }

  void keep_key(const Resource& resource, std::int64_t key) override {
    guarded([&] { store_key(connection(), resource, key); });
  }

  void add_implied(const Resource& resource, std::span<const SqlValue> parents_and_key,
                   std::optional<std::string> label) override {
    parents_.note_declared(resource, parents_and_key, std::move(label));
  }

  void add_envelope(CapturedEnvelope envelope) override {
    if (writer_->has_envelope) return;
    writer_->has_envelope = true;
    guarded([&] {
      const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) connection().execute({"INSERT INTO fact VALUES (?1, ?2)", {std::string(name), *value}});
      };
      if (envelope.duration) add("envelope.duration", std::to_string(*envelope.duration));
      add("envelope.server", envelope.server);
      add("envelope.timestamp", envelope.timestamp);
      add("envelope.traceId", envelope.trace_id);
    });
  }

  void add_exchange(StoredExchange exchange) override {
    guarded([&] { connection().execute(exchange_insertion(exchange)); });
  }

  std::shared_ptr<const Dataset> finish() override {
    end_changes();
    std::shared_ptr<const Dataset> dataset;
    guarded([&] {
      DatasetFacts facts = read_facts(connection(), catalogue_);
      if (temporary_) {
        writer_.reset();
        // Opened before it is renamed: whatever takes its place later, these are the rows of this builder.
        dataset = dataset_of(Version::of_file(temporary_->path()), catalogue_, std::move(facts));
        temporary_->commit();
        return;
      }
      auto version = writer_->draft.version();
      // Of a load it has read much, and the next change may never come.
      if (!copies_) writer_.reset();
      dataset = dataset_of(std::move(version), catalogue_, std::move(facts), std::move(writer_));
    });
    return dataset;
  }

  // In place of finish(). Requires a builder in memory.
  std::string finish_image() {
    end_changes();
    // Each table's pages come to stand together, so that a start touches few of them.
    guarded([&] { connection().execute("VACUUM"); });
    return writer_->draft.version()->image();
  }

 private:
  void end_changes() {
    guarded([&] {
      make_indexes();
      for (const Resource* resource : parents_.resources()) need_table(*resource);
      parents_.store(connection());
      for (const Resource* resource : computing_) {
        connection().execute({"INSERT OR REPLACE INTO fact VALUES (?1, ?2)",
                              {computes_fact(*resource), std::string(resource->computed.field->name)}});
      }
      if (!copies_) touched_.note_all();
      touched_.store(connection(), catalogue_, writer_->tables);
      connection().execute("COMMIT");
      give_back_free_pages();
      // The draft has all pages, and a connection may wait for long for its next change.
      sqlite3_db_release_memory(connection().handle());
    });
  }

  std::optional<FoundByKey> find_same_key(const Resource& resource, const Row& row) {
    if (resource.key == nullptr || !writer_->tables.has(resource)) return std::nullopt;
    std::optional<FoundByKey> same;
    guarded([&] { same = find_by_key(connection(), resource, keys_of(resource, row)); });
    return same;
  }

  // Whether two files have captured one row, more or less of it.
  bool is_same_row(const Resource& resource, const Row& row, const FoundByKey& same) const {
    const std::size_t capture = captures_.find(resource, same.id);
    if (row.capture == 0 || capture == 0 || row.capture == capture) return false;
    return row.json == same.json || is_fuller(row.json, same.json) || is_fuller(same.json, row.json);
  }

  void begin() {
    guarded([&] { connection().execute("BEGIN"); });
  }

  Connection& connection() { return writer_->connection; }

  void need_table(const Resource& resource) {
    if (writer_->tables.has(resource)) return;
    has_new_table_ = true;
    connection().execute(std::string(resource.sql));
    writer_->tables.add(resource);
  }

  // What changes it later would copy them.
  void give_back_free_pages() {
    if (temporary_) return;
    if (connection().integer("PRAGMA freelist_count") * 2 <= connection().integer("PRAGMA page_count")) return;
    connection().execute("VACUUM");
  }

  // The indexes of keys stay, for each row that comes is looked for in them.
  void count_change() {
    if (++changes_ != rows_for_kept_indexes_) return;
    if (copies_) {
      std::int64_t rows = 0;
      for (const Resource& resource : catalogue_.resources) {
        if (!writer_->tables.has(resource)) continue;
        rows = std::max(rows, connection().integer(fmt::format("SELECT ifnull(max(id), 0) FROM {}", resource.table)));
      }
      rows_for_kept_indexes_ = rows / kPartForKeptIndexes;
      if (changes_ < rows_for_kept_indexes_) return;
    }
    std::vector<std::string> names;
    {
      Statement indexes(connection().handle(),
                        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
                        " AND name NOT LIKE '%!_by!_key' ESCAPE '!'");
      while (indexes.step()) {
        names.emplace_back(indexes.bytes(0));
        dropped_indexes_.emplace_back(indexes.bytes(1));
      }
    }
    for (const std::string& name : names) connection().execute(fmt::format("DROP INDEX {}", name));
  }

  void make_indexes() {
    for (const std::string& sql : dropped_indexes_) connection().execute(sql);
    dropped_indexes_.clear();
  }

  void add_timeline(const Resource& resource, std::int64_t id, const RowTimeline& timeline) {
    connection().execute(
        {"INSERT INTO timeline VALUES (?1, ?2, ?3, ?4)",
         {std::string(resource.table), id, timeline.since ? SqlValue(*timeline.since) : SqlValue(), timeline.points}});
  }

  void remove_timeline(const Resource& resource, std::int64_t id) {
    connection().execute(
        {"DELETE FROM timeline WHERE resource = ?1 AND row_id = ?2", {std::string(resource.table), id}});
  }

  using RowStatement = Connection::RowStatement;

  template <typename MakeSql>
  Statement& statement_for(RowStatement kind, const Resource& resource, const MakeSql& sql) {
    return connection().row_statement(kind, resource, sql);
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
  const std::unique_ptr<TemporaryFile> temporary_;  // outlives the database in it
  std::unique_ptr<Writer> writer_;
  const GiveBack give_back_;         // of copies
  std::int64_t changes_before_ = 0;  // of the writer
  bool has_new_table_ = false;
  KnownParents parents_;
  Captures captures_;
  std::set<const Resource*> computing_;  // those whose rows have computed values
  TouchedPartitions touched_;
  const bool copies_ = false;  // began as a copy
  std::int64_t changes_ = 0;
  std::int64_t rows_for_kept_indexes_ = kRowsForKeptIndexes;
  std::vector<std::string> dropped_indexes_;  // their SQL; to be made at the end
};

}  // namespace

std::unique_ptr<DatasetBuilder> copy_of(const std::shared_ptr<const Version>& source, const Catalogue& catalogue,
                                        std::unique_ptr<Writer> writer,
                                        std::function<void(std::unique_ptr<Writer>)> give_back) {
  return std::make_unique<SqliteBuilder>(catalogue, source, std::move(writer), std::move(give_back));
}

std::string make_image(const Catalogue& catalogue, const std::function<void(FixtureSink&)>& fill) {
  SqliteBuilder builder(catalogue, kImagePageSize);
  fill(builder);
  return builder.finish_image();
}

std::shared_ptr<const Dataset> open_image(std::string_view bytes, const Catalogue& catalogue) {
  auto version = Version::of_image(bytes);
  Reader reader(*version, catalogue);
  return dataset_of(std::move(version), catalogue, read_facts(reader, catalogue));
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_memory(const Catalogue& catalogue) {
  return std::make_unique<SqliteBuilder>(catalogue, kPageSize);
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
