// The loaded data: an immutable SQLite database, its statements and its counts.
// Enters: a database that a DatasetBuilder has made, now or in an earlier run; then ListRequests. Leaves: pages of JSON
// text. Safe for use by several threads at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/endpoints.h"
#include "catalogue/params.h"
#include "fixtures/sink.h"
#include "store/query.h"

namespace ocp_mock {

// A database that cannot be made or read; the text is one sentence, with the file's name where one is made or opened.
// All that a Dataset does may throw it, and what SQLite throws, where the database is not as a builder has made it.
class DatasetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ListResult {
  bool cluster_exists = true;
  bool tenant_exists = true;
  std::int64_t total = 0;  // tasks that pass the filters, over all pages
  std::string contents;    // JSON texts of the page's tasks, joined by commas
  bool is_of_now = false;  // contents or their order may depend on the request's now
};

// Queries in the order in which they were run; one that was run several times stands there once, as it was run first.
struct Executed {
  std::vector<SqlQuery> count;  // none where stored counts told the total
  std::vector<SqlQuery> page;
};

struct StatusCount {
  std::string status;
  std::int64_t tasks = 0;
};

struct TenantSummary {
  std::int64_t id = 0;
  std::optional<std::string> name;
  std::vector<StatusCount> statuses;  // in alphabetical order
};

struct ClusterSummary {
  std::int64_t id = 0;
  std::optional<std::string> name;
  std::vector<TenantSummary> tenants;  // by id
};

// A task with its place in the order of the fixtures. The views end with the call that they are passed to.
struct StoredTask {
  std::int64_t id = 0;
  std::string_view json;
  std::optional<TaskTimeline> timeline;
};

// The ids of the tasks that pass a request's filters, in its order.
using PreparedOrder = std::shared_ptr<const std::vector<std::int64_t>>;

class DatasetBuilder;

class Dataset {
 public:
  // Opens a file that an earlier run has made, read-only. The file must not be changed in place while it is open;
  // replacing it by renaming is fine. Throws DatasetError.
  static std::shared_ptr<const Dataset> open(const std::filesystem::path& file);

  virtual ~Dataset() = default;

  // Takes microseconds, unless is_slow() and without what prepare() has made for it; that must have been asked for the
  // same now.
  virtual ListResult list(const Endpoint& endpoint, const ListRequest& request,
                          const PreparedOrder& order = nullptr) const = 0;

  // Whether list() has to look through many tasks first, for another order or for those that reach into a window,
  // because prepare() has not done so or its result is no longer kept. Cheap itself.
  virtual bool is_slow(const Endpoint& endpoint, const ListRequest& request) const = 0;

  // Finds and sorts the tasks of the request's filters for all its pages. Takes some 0.5 s for a million tasks, one
  // call after the other; nothing else waits for it. Null where there is nothing to sort.
  virtual PreparedOrder prepare(const Endpoint& endpoint, const ListRequest& request) const = 0;

  // What list() runs to answer a request that it has not been asked before: first to count, then for the page.
  virtual Executed explain(const Endpoint& endpoint, const ListRequest& request) const = 0;

  // The first captured answer's, where the fixtures had one.
  virtual CapturedEnvelope envelope() const = 0;

  // What the dataset holds of an endpoint, by cluster and tenant.
  virtual std::vector<ClusterSummary> summary(const Endpoint& endpoint) const = 0;

  // Whether tasks change as time passes. If so, list() answers what they are before that; see at_time in changes.h.
  virtual bool has_timelines() const = 0;

  // Calls visit for each task of the selection. Readers of pages are not kept waiting by it; another call of this or of
  // copy() is, so visit must not make one for the same dataset.
  virtual void each_task(const Endpoint& endpoint, const TaskSelection& selection,
                         const std::function<void(const StoredTask&)>& visit) const = 0;

  // A builder in memory that holds all that this dataset holds, in the same order. Throws DatasetError.
  virtual std::unique_ptr<DatasetBuilder> copy() const = 0;

  // The lines of SQLite's EXPLAIN QUERY PLAN.
  virtual std::vector<std::string> query_plan(const SqlQuery& query) const = 0;
};

}  // namespace ocp_mock
