#include "store/dataset.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "store/database.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCountsPerDataset = 4096;

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

  std::unique_ptr<DatasetBuilder> copy() const override {
    const std::lock_guard lock(copyist_mutex_);
    return copy_of(*copyist_);
  }

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
// Tells a file from the one that takes its place. Throws DatasetError if there is none.
std::pair<dev_t, ino_t> inode_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw DatasetError(
        fmt::format("cannot read the dataset {}: {}", file.string(), std::generic_category().message(errno)));
  }
  return {status.st_dev, status.st_ino};
}

}  // namespace

std::shared_ptr<const Dataset> dataset_of(const std::string& uri) { return std::make_shared<SqliteDataset>(uri); }

std::shared_ptr<const Dataset> Dataset::open(const fs::path& file) {
  refuse_special_file(file);
  try {
    // Another process may replace the file while it is identified and its readers are opened; then all is done again.
    for (;;) {
      const auto before = inode_of(file);
      const DatabaseIdentity identity = identify(file);
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

}  // namespace ocp_mock
