#include "store/dataset.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "embedded/schema_sql.h"
#include "temporary_file.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x4F43504D;  // see schema/dataset.sql
constexpr std::int64_t kSchemaVersion = 2;           // see schema/dataset.sql
constexpr std::size_t kStatementsPerReader = 64;
constexpr std::size_t kCountsPerDataset = 4096;

void bind_values(SQLite::Statement& statement, const std::vector<SqlValue>& values) {
  int place = 0;
  for (const SqlValue& value : values) {
    ++place;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      statement.bind(place, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      statement.bind(place, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      statement.bindNoCopy(place, *text);
    } else {
      statement.bind(place);
    }
  }
}

std::optional<std::string> optional_text(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getString();
}

// A connection with the statements it has prepared. Used by one thread at a time.
class Reader {
 public:
  explicit Reader(const std::string& uri)
      : database_(uri, SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX) {}

  // Calls row for each row of the answer.
  void run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row) {
    SQLite::Statement& statement = prepared(query.sql);
    // A statement that is not reset keeps its read lock and its bound values.
    const struct Reset {
      SQLite::Statement& statement;
      ~Reset() {
        statement.tryReset();
        statement.clearBindings();
      }
    } reset{statement};
    bind_values(statement, query.values);
    while (statement.executeStep()) row(statement);
  }

  sqlite3* handle() { return database_.getHandle(); }

 private:
  SQLite::Statement& prepared(const std::string& sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
    if (statements_.size() >= kStatementsPerReader) statements_.clear();
    return statements_.try_emplace(sql, database_, sql).first->second;
  }

  SQLite::Database database_;
  std::unordered_map<std::string, SQLite::Statement> statements_;
};

class SqliteDataset : public Dataset {
 public:
  // All readers are opened here, for a file may be replaced by another later.
  explicit SqliteDataset(const std::string& uri) {
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
    for (unsigned i = 0; i < count; ++i) idle_readers_.push_back(std::make_unique<Reader>(uri));
    copyist_ = std::make_unique<Reader>(uri);
    run({"SELECT EXISTS(SELECT 1 FROM timeline)", {}},
        [&](SQLite::Statement& row) { has_timelines_ = row.getColumn(0).getInt() != 0; });
  }

  ListResult list(const Endpoint& endpoint, const ListRequest& request) const override {
    ListResult result;
    result.total = count(count_query(endpoint, request));
    if (result.total == 0) {
      const SqlQuery exists{
          "SELECT EXISTS(SELECT 1 FROM cluster WHERE id = ?1),"
          " EXISTS(SELECT 1 FROM tenant WHERE cluster_id = ?1 AND id = ?2)",
          {request.cluster_id, request.tenant_id}};
      run(exists, [&](SQLite::Statement& row) {
        result.cluster_exists = row.getColumn(0).getInt() != 0;
        result.tenant_exists = row.getColumn(1).getInt() != 0;
      });
      return result;
    }
    if (request.page - 1 > (result.total - 1) / request.size) return result;  // past the last page
    run(page_query(endpoint, request), [&](SQLite::Statement& row) {
      const SQLite::Column json = row.getColumn(0);
      if (!result.contents.empty()) result.contents += ',';
      result.contents.append(json.getText(), static_cast<std::size_t>(json.getBytes()));
    });
    return result;
  }

  CapturedEnvelope envelope() const override {
    CapturedEnvelope captured;
    run({"SELECT name, value FROM fact", {}}, [&](SQLite::Statement& row) {
      const std::string name = row.getColumn(0).getString();
      if (name == "envelope.duration") captured.duration = row.getColumn(1).getInt64();
      if (name == "envelope.server") captured.server = row.getColumn(1).getString();
      if (name == "envelope.timestamp") captured.timestamp = row.getColumn(1).getString();
      if (name == "envelope.traceId") captured.trace_id = row.getColumn(1).getString();
    });
    return captured;
  }

  std::vector<ClusterSummary> summary(const Endpoint& endpoint) const override {
    std::vector<ClusterSummary> clusters;
    run({"SELECT id, name FROM cluster ORDER BY id", {}}, [&](SQLite::Statement& row) {
      clusters.push_back({row.getColumn(0).getInt64(), optional_text(row.getColumn(1)), {}});
    });
    const SqlQuery counts{fmt::format("SELECT t.cluster_id, t.id, t.name, r.status, COUNT(r.status) FROM tenant t"
                                      " LEFT JOIN {} r ON r.cluster_id = t.cluster_id AND r.tenant_id = t.id"
                                      " GROUP BY t.cluster_id, t.id, r.status ORDER BY t.cluster_id, t.id, r.status",
                                      endpoint.table),
                          {}};
    auto cluster = clusters.begin();
    run(counts, [&](SQLite::Statement& row) {
      while (cluster->id != row.getColumn(0).getInt64()) ++cluster;
      const std::int64_t tenant = row.getColumn(1).getInt64();
      if (cluster->tenants.empty() || cluster->tenants.back().id != tenant) {
        cluster->tenants.push_back({tenant, optional_text(row.getColumn(2)), {}});
      }
      if (!row.getColumn(3).isNull()) {
        cluster->tenants.back().statuses.push_back({row.getColumn(3).getString(), row.getColumn(4).getInt64()});
      }
    });
    return clusters;
  }

  bool has_timelines() const override { return has_timelines_; }

  void each_task(const Endpoint& endpoint, const TaskSelection& selection,
                 const std::function<void(const StoredTask&)>& visit) const override {
    const std::lock_guard lock(copyist_mutex_);
    copyist_->run(tasks_query(endpoint, selection), [&](SQLite::Statement& row) {
      const SQLite::Column json = row.getColumn(1);
      StoredTask task{row.getColumn(0).getInt64(), {json.getText(), static_cast<std::size_t>(json.getBytes())}, {}};
      const SQLite::Column points = row.getColumn(3);
      if (!points.isNull()) task.timeline = TaskTimeline{optional_text(row.getColumn(2)), points.getString()};
      visit(task);
    });
  }

  std::unique_ptr<DatasetBuilder> copy() const override;

  std::vector<std::string> query_plan(const SqlQuery& query) const override {
    std::vector<std::string> lines;
    run({"EXPLAIN QUERY PLAN " + query.sql, query.values},
        [&](SQLite::Statement& row) { lines.push_back(row.getColumn(3).getString()); });
    return lines;
  }

 private:
  // Lends a reader to the calling thread, which waits while all are lent.
  void run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row) const {
    std::unique_lock lock(mutex_);
    reader_returned_.wait(lock, [&] { return !idle_readers_.empty(); });
    std::unique_ptr<Reader> reader = std::move(idle_readers_.back());
    idle_readers_.pop_back();
    lock.unlock();
    const auto give_back = [&] {
      lock.lock();
      idle_readers_.push_back(std::move(reader));
      lock.unlock();
      reader_returned_.notify_one();
    };
    try {
      reader->run(query, row);
    } catch (...) {
      give_back();
      throw;
    }
    give_back();
  }

  // The data never changes, so a total that was counted once stays true.
  std::int64_t count(const SqlQuery& query) const {
    std::string key = query.sql;
    for (const SqlValue& value : query.values) {
      key += '\n';
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        key += std::to_string(*integer);
      } else {
        key += std::get<std::string>(value);
      }
    }
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = counts_.find(key); known != counts_.end()) return known->second;
    }
    std::int64_t total = 0;
    run(query, [&](SQLite::Statement& row) { total = row.getColumn(0).getInt64(); });
    const std::lock_guard lock(mutex_);
    if (counts_.size() >= kCountsPerDataset) counts_.clear();
    counts_.emplace(std::move(key), total);
    return total;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable reader_returned_;
  mutable std::vector<std::unique_ptr<Reader>> idle_readers_;
  mutable std::unordered_map<std::string, std::int64_t> counts_;

  // Reads all that there is, for changes; of its own, so that requests do not wait for it.
  mutable std::mutex copyist_mutex_;
  std::unique_ptr<Reader> copyist_;

  bool has_timelines_ = false;
};

std::string file_uri(const fs::path& file, std::string_view options) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      uri += c;
    } else {
      fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri.append(options);
}

// A name that no other database of this process has.
std::string memory_uri() {
  static std::atomic<std::uint64_t> next{0};
  return fmt::format("file:/dataset-{}?vfs=memdb", next.fetch_add(1));
}

struct Identity {
  std::int64_t application = 0;
  std::int64_t version = 0;
};

// Whether the file is a dataset, and of which version. Throws DatasetError if it cannot be read.
Identity identify(const fs::path& file) {
  try {
    Reader reader(file_uri(file, "?immutable=1"));
    Identity identity;
    const auto read = [&](const char* pragma, std::int64_t& value) {
      reader.run({pragma, {}}, [&](SQLite::Statement& row) { value = row.getColumn(0).getInt64(); });
    };
    read("PRAGMA application_id", identity.application);
    read("PRAGMA user_version", identity.version);
    return identity;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) return {};
    throw DatasetError(fmt::format("cannot read the dataset {}: {}", file.string(), error.what()));
  }
}

// Tells a file from the one that takes its place. Throws DatasetError if there is none.
std::pair<dev_t, ino_t> inode_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw DatasetError(
        fmt::format("cannot read the dataset {}: {}", file.string(), std::generic_category().message(errno)));
  }
  return {status.st_dev, status.st_ino};
}

// SQLite would wait for ever at a pipe, and say of a folder that the disk fails.
void refuse_special_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw DatasetError(fmt::format("{} is no regular file; the dataset must be one", file.string()));
  }
}

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
        has_envelope_ = database_->execAndGet("SELECT EXISTS(SELECT 1 FROM fact)").getInt() != 0;
      }
    });
  }

  void add_task(const Endpoint& endpoint, TaskRow row) override {
    merge_homes(row);
    row.columns.emplace_back(std::move(row.json));
    guarded([&] {
      execute(statement_for(endpoint, inserts_, insert_sql), row.columns);
      if (row.timeline) add_timeline(endpoint, database_->getLastInsertRowid(), *row.timeline);
    });
  }

  void set_task(const Endpoint& endpoint, std::int64_t id, TaskRow row) override {
    merge_homes(row);
    row.columns.emplace_back(std::move(row.json));
    row.columns.emplace_back(id);
    guarded([&] {
      execute(statement_for(endpoint, updates_, update_sql), row.columns);
      remove_timeline(endpoint, id);
      if (row.timeline) add_timeline(endpoint, id, *row.timeline);
    });
  }

  void remove_task(const Endpoint& endpoint, std::int64_t id) override {
    guarded([&] {
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
      // A name that the source of a copy knows stays.
      SQLite::Statement cluster(*database_,
                                "INSERT INTO cluster VALUES (?1, ?2)"
                                " ON CONFLICT DO UPDATE SET name = coalesce(name, excluded.name)");
      for (const auto& [id, names] : clusters_) execute(cluster, {id, names.best()});
      SQLite::Statement tenant(*database_,
                               "INSERT INTO tenant VALUES (?1, ?2, ?3)"
                               " ON CONFLICT DO UPDATE SET name = coalesce(name, excluded.name)");
      for (const auto& [key, names] : tenants_) execute(tenant, {key.first, key.second, names.best()});
      database_->exec("COMMIT");
    });
    inserts_.clear();
    updates_.clear();
    deletes_.clear();
    guarded([&] { give_back_free_pages(); });
    std::shared_ptr<const Dataset> dataset;
    guarded([&] {
      if (temporary_) {
        // Opened before it is renamed: whatever takes its place later, these are the rows of this builder.
        database_.reset();
        dataset = std::make_shared<SqliteDataset>(file_uri(temporary_->path(), "?immutable=1"));
        temporary_->commit();
      } else {
        // A database in memory lives as long as one connection to it does: now the readers'.
        dataset = std::make_shared<SqliteDataset>(uri_);
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

  static void merge(std::optional<std::string>& known, std::optional<std::string> name) {
    if (!known) known = std::move(name);
  }

  void merge_homes(TaskRow& row) {
    merge(clusters_[row.cluster_id].of_task, std::move(row.cluster_name));
    merge(tenants_[{row.cluster_id, row.tenant_id}].of_task, std::move(row.tenant_name));
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
    return database;
  }

  static void copy_into(SQLite::Database& database, sqlite3* source) {
    sqlite3_backup* backup = sqlite3_backup_init(database.getHandle(), "main", source, "main");
    if (backup == nullptr) throw SQLite::Exception(database.getHandle());
    sqlite3_backup_step(backup, -1);
    if (const int error = sqlite3_backup_finish(backup); error != SQLITE_OK) {
      throw SQLite::Exception(sqlite3_errstr(error), error);
    }
  }

  // A database in memory never takes less than it did once, and all its copies would be as large.
  void give_back_free_pages() {
    const auto pages = [&](const char* pragma) { return database_->execAndGet(pragma).getInt64(); };
    if (temporary_ || pages("PRAGMA freelist_count") * 2 <= pages("PRAGMA page_count")) return;
    database_->exec("PRAGMA temp_store = MEMORY");
    database_->exec("VACUUM");
    uri_ = memory_uri();
    auto small = open_empty();
    copy_into(*small, database_->getHandle());
    database_ = std::move(small);
  }

  void add_timeline(const Endpoint& endpoint, std::int64_t id, const TaskTimeline& timeline) {
    SQLite::Statement insert(*database_, "INSERT INTO timeline VALUES (?1, ?2, ?3, ?4)");
    execute(insert, {std::string(endpoint.table), id, timeline.since ? SqlValue(*timeline.since) : SqlValue(),
                     timeline.points});
  }

  void remove_timeline(const Endpoint& endpoint, std::int64_t id) {
    SQLite::Statement remove(*database_, "DELETE FROM timeline WHERE resource = ?1 AND task = ?2");
    execute(remove, {std::string(endpoint.table), id});
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

  std::string uri_;
  const fs::path file_;
  const std::unique_ptr<TemporaryFile> temporary_;  // outlives the database in it
  std::unique_ptr<SQLite::Database> database_;
  Statements inserts_;
  Statements updates_;
  Statements deletes_;
  std::map<std::int64_t, Names> clusters_;
  std::map<std::pair<std::int64_t, std::int64_t>, Names> tenants_;
  bool has_envelope_ = false;
};

std::unique_ptr<DatasetBuilder> SqliteDataset::copy() const {
  const std::lock_guard lock(copyist_mutex_);
  return std::make_unique<SqliteBuilder>(memory_uri(), fs::path(), nullptr, copyist_.get());
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::open(const fs::path& file) {
  refuse_special_file(file);
  try {
    // Another process may replace the file while it is identified and its readers are opened; then all is done again.
    for (;;) {
      const auto before = inode_of(file);
      const Identity identity = identify(file);
      if (identity.application != kApplicationId) {
        throw DatasetError(fmt::format("{} is not a dataset of ocp-mock-server", file.string()));
      }
      if (identity.version != kSchemaVersion) {
        throw DatasetError(
            fmt::format("the dataset {} has schema version {}, this server reads version {}; make it anew from its "
                        "fixtures",
                        file.string(), identity.version, kSchemaVersion));
      }
      auto dataset = std::make_shared<SqliteDataset>(file_uri(file, "?immutable=1"));
      dataset->envelope();
      for (const Endpoint& endpoint : endpoints()) dataset->query_plan(page_query(endpoint, {}));
      if (inode_of(file) == before) return dataset;
    }
  } catch (const SQLite::Exception& error) {
    throw DatasetError(fmt::format("cannot read the dataset {}: {}", file.string(), error.what()));
  }
}

std::unique_ptr<DatasetBuilder> DatasetBuilder::in_memory() {
  return std::make_unique<SqliteBuilder>(memory_uri(), fs::path(), nullptr);
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
  try {
    auto temporary = std::make_unique<TemporaryFile>(file);
    std::string uri = file_uri(temporary->path(), "");
    return std::make_unique<SqliteBuilder>(std::move(uri), file, std::move(temporary));
  } catch (const std::system_error& error) {
    throw DatasetError(fmt::format("cannot write the dataset {}: {}", file.string(), error.code().message()));
  }
}

}  // namespace ocp_mock
