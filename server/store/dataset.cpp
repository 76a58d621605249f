#include "store/dataset.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "fixtures/row_rules.h"
#include "store/database.h"
#include "store/pages/ordering.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// What is kept of a reader's filters and of a dataset's tenants; then they are read anew.
constexpr std::size_t kFiltersPerReader = 4096;
constexpr std::size_t kTenantsPerDataset = 4096;

// Fewer tasks are sorted while the request waits.
constexpr std::int64_t kSlowTasks = 2000;

using TenantKey = std::tuple<const Endpoint*, std::int64_t, std::int64_t>;  // endpoint, cluster, tenant

// Which tasks a request is about, whatever the page and the order.
struct FilterKey {
  const Endpoint* endpoint;
  std::int64_t cluster_id;
  std::int64_t tenant_id;
  std::optional<Instant> start_time;
  std::optional<Instant> end_time;
  StatusSet statuses;

  bool operator==(const FilterKey&) const = default;
};

struct HashOfFilter {
  std::size_t operator()(const FilterKey& key) const {
    std::uint64_t hash = key.statuses;
    const auto mix = [&](std::int64_t value) {
      hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15;
      hash ^= hash >> 32;
    };
    mix(key.cluster_id);
    mix(key.tenant_id);
    if (key.start_time) mix(key.start_time->second);
    if (key.end_time) mix(~key.end_time->second);
    return hash;
  }
};

// What is known of a filter. The data never changes, so it stays true.
struct Filter {
  bool cluster_exists = true;
  bool tenant_exists = true;
  std::int64_t total = 0;
  StatusSet statuses = 0;  // that are there; 0 also where the tenant has no others
  std::int64_t newer = 0;  // tasks of these statuses that are newer than the window
  std::shared_ptr<const Milestones> milestones;
};

// A piece of the filter's default order: after so many of its tasks, at most so many.
struct Piece {
  std::int64_t offset;
  std::int64_t count;
};

// A reader with what it knows. Used by one thread at a time.
struct Lane {
  explicit Lane(const DatabaseSource& source) : reader(source) {}

  std::mutex mutex;
  Reader reader;
  std::unordered_map<FilterKey, Filter, HashOfFilter> filters;
  std::vector<SqlQuery>* executed = nullptr;  // notes the queries of ranges and tasks, where explain() wants them
};

// Has a lane note what it runs, while it lives.
class [[nodiscard]] Noting {
 public:
  Noting(Lane& lane, std::vector<SqlQuery>& queries) : lane_(lane) { lane.executed = &queries; }
  Noting(const Noting&) = delete;
  Noting& operator=(const Noting&) = delete;
  ~Noting() { lane_.executed = nullptr; }

 private:
  Lane& lane_;
};

DatasetError damage(std::string_view what) { return DatasetError(fmt::format("the dataset is damaged: {}", what)); }

bool is_nano(std::int64_t nano) { return nano >= 0 && nano < 1'000'000'000; }

// Of a task's text, what can be seen at once.
void require_object(std::string_view json) {
  if (json.size() < 2 || json.front() != '{' || json.back() != '}') throw damage("the text of a task is no object");
}

enum class Order {
  Default,
  Ascending,
  Sorted,  // any other, and any of the tasks that reach into a window: by ids that were sorted for it
};

Order order_of(const Endpoint& endpoint, const ListRequest& request) {
  if (reaches_into_window(request)) return Order::Sorted;
  if (request.sort.empty()) return Order::Default;
  if (request.sort.size() > 1 || request.sort.front().field->name != endpoint.time_field) return Order::Sorted;
  return request.sort.front().descending ? Order::Default : Order::Ascending;
}

// The page's piece of all tasks of the filter; empty past the last page.
Piece piece_of(const ListRequest& request, std::int64_t total) {
  if (total == 0 || request.page - 1 > (total - 1) / request.size) return {0, 0};
  const std::int64_t offset = (request.page - 1) * request.size;
  return {offset, std::min(request.size, total - offset)};
}

void note(Lane& lane, std::string sql, std::vector<SqlValue> values) {
  if (std::ranges::find(*lane.executed, sql, &SqlQuery::sql) != lane.executed->end()) return;
  lane.executed->push_back({std::move(sql), std::move(values)});
}

// The queries of one filter, run by one lane.
class FilterQueries {
 public:
  // With a time delays may have to be computed.
  FilterQueries(Lane& lane, const Endpoint& endpoint, const FilterKey& key, const Filter& filter,
                std::optional<Instant> now = {})
      : lane_(lane), endpoint_(endpoint), key_(key), filter_(filter), milestones_(*filter.milestones), now_(now) {}

  // How many tasks of the tenant with the filter's statuses are not older.
  std::int64_t count_until(std::int64_t second, std::int64_t nano) {
    const std::size_t after = milestones_.count_until(second, nano);
    if (after == 0) return 0;
    const std::size_t last = after - 1;
    if (milestones_.is_inside(last)) return milestones_.before(after, filter_.statuses);
    std::int64_t count = milestones_.before(last, filter_.statuses);
    if (milestones_.before(after, filter_.statuses) == count) return count;
    Run run(*this, {RangeShape::Result::Count, RangeShape::Begin::Until, 0, false});
    run.values.begin = milestones_.key(last);
    run.values.end = {second, nano, 0};
    run.each([&](const Statement& row) { count += row.integer(0); });
    return count;
  }

  void append(Piece piece, std::string& contents) {
    const Start start = start_of(piece);
    if (start.merged) return append_tasks(keys(piece), contents);
    bool first = true;
    read(start, piece.count, RangeShape::Result::Tasks, [&](const Statement& row) {
      append_task(row, piece.count, first, contents);
      first = false;
    });
  }

  // As many as the piece counts.
  std::vector<TimeKey> keys(Piece piece) {
    std::vector<TimeKey> keys;
    keys.reserve(static_cast<std::size_t>(piece.count));
    read(start_of(piece), piece.count, RangeShape::Result::Keys, [&](const Statement& row) {
      keys.push_back({row.integer(0), row.integer(1), row.integer(2)});
      if (!is_nano(keys.back().nano)) throw damage("an index has a time that there is not");
    });
    return keys;
  }

  // A piece of the order with the oldest first. Tasks of one instant keep the order that they have in the default
  // order, and other than that it is the reverse; so only a group of tasks with one instant that does not lie in the
  // piece as a whole needs more than the same piece from the other end.
  std::vector<TimeKey> ascending_keys(Piece piece) {
    const std::int64_t begin = filter_.total - piece.offset - piece.count;
    const std::int64_t end = filter_.total - piece.offset;
    const std::int64_t first = std::max<std::int64_t>(begin - 1, 0);
    const std::vector<TimeKey> around = keys({first, std::min(end + 1, filter_.total) - first});
    const auto at = [&](std::int64_t place) -> const TimeKey& {
      return around[static_cast<std::size_t>(place - first)];
    };
    std::vector<TimeKey> ascending;
    ascending.reserve(static_cast<std::size_t>(piece.count));
    for (std::int64_t group_end = end; group_end > begin;) {
      std::int64_t group = group_end - 1;
      while (group > begin && at(group - 1).same_instant(at(group))) --group;
      const bool begins_earlier = group == begin && first < begin && at(first).same_instant(at(group));
      const bool ends_later = group_end == end && end < filter_.total && at(end).same_instant(at(group));
      if (!begins_earlier && !ends_later) {
        for (std::int64_t i = group; i < group_end; ++i) ascending.push_back(at(i));
      } else {
        const TimeKey key = at(group);
        std::int64_t place = group;
        if (begins_earlier) place = count_until(key.second, key.nano + 1) - filter_.newer;
        if (ends_later) place += count_until(key.second, key.nano) - filter_.newer - end;
        for (const TimeKey& one : keys({place, group_end - group})) ascending.push_back(one);
      }
      group_end = group;
    }
    return ascending;
  }

  void append_tasks(const std::vector<TimeKey>& keys, std::string& contents) {
    append_each(
        keys, [](const TimeKey& key) { return key.id; }, contents);
  }

  void append_tasks(std::span<const std::int64_t> ids, std::string& contents) {
    append_each(
        ids, [](std::int64_t id) { return id; }, contents);
  }

 private:
  struct Start {
    RangeShape::Begin begin = RangeShape::Begin::Newest;
    TimeKey key;
    std::int64_t offset = 0;
    bool merged = false;
  };

  // A statement with its values; bound and noted when it is run.
  class Run {
   public:
    Run(FilterQueries& queries, RangeShape shape) : queries_(queries), shape_(shape) {
      shape_.statuses = static_cast<std::size_t>(std::popcount(queries.filter_.statuses));
      shape_.computes = queries.now_ && shape_.result == RangeShape::Result::Tasks;
    }

    struct Values {
      TimeKey begin;
      TimeKey end;
      std::int64_t limit = 0;
      std::int64_t offset = 0;
    } values;

    // Calls row for each row of the answer.
    template <typename Row>
    void each(const Row& row) const {
      Statement& statement = queries_.lane_.reader.range(queries_.endpoint_, shape_);
      const Use use(statement);
      bind([&](auto value) { statement.bind(value); });
      if (queries_.lane_.executed != nullptr) {
        std::vector<SqlValue> noted;
        bind([&](auto value) {
          if constexpr (std::is_same_v<decltype(value), std::string_view>) {
            noted.emplace_back(std::string(value));
          } else {
            noted.emplace_back(value);
          }
        });
        note(queries_.lane_, range_sql(queries_.endpoint_, shape_), std::move(noted));
      }
      while (statement.step()) row(statement);
    }

   private:
    // In the order of range_sql().
    template <typename Bind>
    void bind(const Bind& next) const {
      next(queries_.key_.cluster_id);
      next(queries_.key_.tenant_id);
      if (shape_.begin != RangeShape::Begin::Newest) {
        next(values.begin.second);
        next(values.begin.nano);
      }
      if (shape_.begin == RangeShape::Begin::Within) next(values.begin.id);
      const bool counting = shape_.result == RangeShape::Result::Count;
      if (counting) {
        next(values.end.second);
        next(values.end.nano);
      }
      for (StatusSet rest = queries_.filter_.statuses; rest != 0; rest &= rest - 1) {
        next(queries_.endpoint_.statuses[static_cast<std::size_t>(std::countr_zero(rest))].word);
      }
      if (counting) return;
      next(values.limit);
      next(values.offset);
    }

    FilterQueries& queries_;
    RangeShape shape_;
  };

  // Where to begin so that few tasks are passed over: the window's end, or a milestone.
  Start start_of(Piece piece) const {
    Start start;
    start.offset = piece.offset;
    if (key_.end_time) {
      start.begin = RangeShape::Begin::Until;
      start.key = {key_.end_time->second, key_.end_time->nano, 0};
    }
    const StatusSet statuses = filter_.statuses;
    const std::int64_t place = filter_.newer + piece.offset;
    const std::size_t milestone = milestones_.last_before(place, statuses);
    if (const std::int64_t passed = place - milestones_.before(milestone, statuses); passed < start.offset) {
      start.begin = milestones_.is_inside(milestone) ? RangeShape::Begin::Within : RangeShape::Begin::Until;
      start.key = milestones_.key(milestone);
      start.offset = passed;
    }
    if (std::popcount(statuses) > 1) {
      // Few of the tasks that lie between may have these statuses.
      const std::size_t end = milestones_.last_before(place + piece.count - 1, statuses) + 1;
      const std::int64_t between = milestones_.before(end, 0) - milestones_.before(milestone, 0);
      start.merged = between > kMergedCost * (start.offset + piece.count) + kMergedStart * std::popcount(statuses);
    }
    return start;
  }

  // Calls row as often as the count says.
  template <typename Row>
  void read(const Start& start, std::int64_t count, RangeShape::Result result, const Row& row) {
    std::int64_t rows = 0;
    const auto counted = [&](const Statement& statement) {
      ++rows;
      row(statement);
    };
    Run run(*this, {result, start.begin, 0, start.merged});
    run.values.begin = start.key;
    run.values.limit = count;
    run.values.offset = start.offset;
    run.each(counted);
    if (start.begin == RangeShape::Begin::Within && rows < count) {
      // All tasks that were passed over have the milestone's instant, and so it goes on behind that.
      Run rest(*this, {result, RangeShape::Begin::Before, 0, start.merged});
      rest.values.begin = start.key;
      rest.values.limit = count - rows;
      rest.each(counted);
    }
    if (rows != count) throw damage("an index has fewer tasks than were counted");
  }

  template <typename Items, typename Id>
  void append_each(const Items& items, const Id& id_of, std::string& contents) {
    Statement& statement = lane_.reader.task(endpoint_, now_.has_value());
    bool first = true;
    for (const auto& item : items) {
      const Use use(statement);
      statement.bind(id_of(item));
      if (!statement.step()) throw damage("an index has a task that there is not");
      append_task(statement, std::ssize(items), first, contents);
      first = false;
    }
    if (lane_.executed != nullptr) note(lane_, task_sql(endpoint_, now_.has_value()), {id_of(items.front())});
  }

  // The row is one of Result::Tasks.
  void append_task(const Statement& row, std::int64_t tasks, bool first, std::string& contents) const {
    const std::string_view json = row.bytes(0);
    require_object(json);
    if (first) {
      contents.reserve((json.size() + json.size() / 8) * static_cast<std::size_t>(tasks));
    } else {
      contents += ',';
    }
    if (!now_ || row.integer(1) == 0) {
      contents += json;
      return;
    }
    const ComputedText text = split_at_computed(endpoint_, json).value();
    contents += text.before;
    append_delay(contents, delay_between({row.integer(2), static_cast<std::int32_t>(row.integer(3))}, *now_));
    contents += text.behind;
  }

  // A merged task costs as much as so many that are passed by in the order of all statuses, and as many more to begin.
  static constexpr std::int64_t kMergedCost = 5;
  static constexpr std::int64_t kMergedStart = 8;

  Lane& lane_;
  const Endpoint& endpoint_;
  const FilterKey& key_;
  const Filter& filter_;
  const Milestones& milestones_;
  const std::optional<Instant> now_;
};

class SqliteDataset : public Dataset {
 public:
  // All readers of a file are opened here, for it may be replaced by another later.
  explicit SqliteDataset(DatabaseSource source) : source_(std::move(source)) {
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
    for (unsigned i = 0; i < count; ++i) lanes_.push_back(std::make_unique<Lane>(source_));
    if (!source_.memory) {
      check_schema(lanes_.front()->reader);
      reader_in(copyist_);
      reader_in(sorter_);
    }
    run({"SELECT EXISTS(SELECT 1 FROM timeline)", {}},
        [&](SQLite::Statement& row) { has_timelines_ = row.getColumn(0).getInt() != 0; });
    for (const Endpoint& endpoint : endpoints()) {
      run({"SELECT 1 FROM fact WHERE name = ?1", {computes_fact(endpoint)}},
          [&](SQLite::Statement&) { computing_.push_back(&endpoint); });
    }
  }

  ListResult list(const Endpoint& endpoint, const ListRequest& request, const PreparedOrder& prepared) const override {
    const FilterKey key = key_of(endpoint, request);
    Lane& lane = lane_of_thread();
    std::unique_lock lock(lane.mutex);
    const Filter* filter = &filter_of(lane, endpoint, key);
    ListResult result;
    result.cluster_exists = filter->cluster_exists;
    result.tenant_exists = filter->tenant_exists;
    result.total = filter->total;
    result.is_of_now = computes(endpoint);
    if (!needs_tasks(request, filter->total)) return result;
    const Order order = order_of(endpoint, request);
    PreparedOrder ids = prepared;
    if (order == Order::Sorted && ids == nullptr) {
      const std::string order_key = key_of_order(key, request);
      ids = orders_.find(order_key);
      if (ids == nullptr && filter->total <= kSlowTasks) {
        ids = std::make_shared<TaskIds>(sorted_ids(lane.reader, endpoint, request, filter->total, computes(endpoint)));
        orders_.add(order_key, ids);
      } else if (ids == nullptr) {
        const std::int64_t total = filter->total;
        lock.unlock();
        ids = sorted_apart(endpoint, request, order_key, total);
        lock.lock();
        filter = &filter_of(lane, endpoint, key);
      }
    }
    if (order == Order::Sorted) result.total = std::ssize(*ids);
    const Piece piece = piece_of(request, result.total);
    if (piece.count != 0) append_page(lane, endpoint, request, *filter, ids.get(), piece, result.contents);
    return result;
  }

  bool is_slow(const Endpoint& endpoint, const ListRequest& request) const override {
    if (order_of(endpoint, request) != Order::Sorted) return false;
    const FilterKey key = key_of(endpoint, request);
    {
      Lane& lane = lane_of_thread();
      const std::lock_guard lock(lane.mutex);
      const std::int64_t total = filter_of(lane, endpoint, key).total;
      if (total <= kSlowTasks || !needs_tasks(request, total)) return false;
    }
    return orders_.find(key_of_order(key, request)) == nullptr;
  }

  PreparedOrder prepare(const Endpoint& endpoint, const ListRequest& request) const override {
    if (order_of(endpoint, request) != Order::Sorted) return nullptr;
    const FilterKey key = key_of(endpoint, request);
    std::int64_t total = 0;
    {
      Lane& lane = lane_of_thread();
      const std::lock_guard lock(lane.mutex);
      total = filter_of(lane, endpoint, key).total;
    }
    if (total == 0) return nullptr;
    return sorted_apart(endpoint, request, key_of_order(key, request), total);
  }

  Executed explain(const Endpoint& endpoint, const ListRequest& request) const override {
    const FilterKey key = key_of(endpoint, request);
    const Order order = order_of(endpoint, request);
    PreparedOrder ids;
    Executed executed;
    Lane& lane = lane_of_thread();
    std::unique_lock lock(lane.mutex);
    Filter filter;
    {
      const Noting noting(lane, executed.count);
      filter = make_filter(lane, endpoint, key);
    }
    if (!needs_tasks(request, filter.total)) return executed;
    Piece piece = piece_of(request, filter.total);
    if (order == Order::Sorted) {
      lock.unlock();
      ids = sorted_apart(endpoint, request, key_of_order(key, request), filter.total);
      lock.lock();
      auto& queries = reaches_into_window(request) ? executed.count : executed.page;
      const bool whole_table = sorts_whole_table(lane.reader, endpoint, filter.total);
      queries.push_back(sort_query(endpoint, request, whole_table, computes(endpoint)));
      piece = piece_of(request, std::ssize(*ids));
    }
    if (piece.count == 0) return executed;
    const Noting noting(lane, executed.page);
    std::string contents;
    append_page(lane, endpoint, request, filter, ids.get(), piece, contents);
    return executed;
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
    const std::lock_guard lock(copyist_mutex_);
    Reader& reader = reader_in(copyist_);
    std::vector<ClusterSummary> clusters;
    reader.run({"SELECT id, name FROM cluster ORDER BY id", {}}, [&](SQLite::Statement& row) {
      clusters.push_back({row.getColumn(0).getInt64(), optional_text(row.getColumn(1)), {}});
    });
    const SqlQuery counts{fmt::format("SELECT t.cluster_id, t.id, t.name, r.status, COUNT(r.status) FROM tenant t"
                                      " LEFT JOIN {} r ON r.cluster_id = t.cluster_id AND r.tenant_id = t.id"
                                      " GROUP BY t.cluster_id, t.id, r.status ORDER BY t.cluster_id, t.id, r.status",
                                      endpoint.table),
                          {}};
    auto cluster = clusters.begin();
    reader.run(counts, [&](SQLite::Statement& row) {
      const std::int64_t id = row.getColumn(0).getInt64();
      while (cluster != clusters.end() && cluster->id != id) ++cluster;
      if (cluster == clusters.end()) throw damage("a tenant is of a cluster that there is not");
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
    reader_in(copyist_).run(tasks_query(endpoint, selection), [&](SQLite::Statement& row) {
      const SQLite::Column json = row.getColumn(1);
      StoredTask task{row.getColumn(0).getInt64(), {json.getText(), static_cast<std::size_t>(json.getBytes())}, {}};
      require_object(task.json);
      const SQLite::Column points = row.getColumn(3);
      if (!points.isNull()) task.timeline = TaskTimeline{optional_text(row.getColumn(2)), points.getString()};
      visit(task);
    });
  }

  std::unique_ptr<DatasetBuilder> copy() const override {
    const std::lock_guard lock(copyist_mutex_);
    return copy_of(reader_in(copyist_));
  }

  std::vector<std::string> query_plan(const SqlQuery& query) const override {
    std::vector<std::string> lines;
    run({"EXPLAIN QUERY PLAN " + query.sql, query.values},
        [&](SQLite::Statement& row) { lines.push_back(row.getColumn(3).getString()); });
    return lines;
  }

 private:
  // Threads take turns in the lanes as they first come, so that few share one.
  Lane& lane_of_thread() const {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t thread = threads.fetch_add(1, std::memory_order_relaxed);
    return *lanes_[thread % lanes_.size()];
  }

  Reader& reader_in(std::unique_ptr<Reader>& place) const {
    if (!place) place = std::make_unique<Reader>(source_);
    return *place;
  }

  void run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row) const {
    Lane& lane = lane_of_thread();
    const std::lock_guard lock(lane.mutex);
    lane.reader.run(query, row);
  }

  // Of tasks that reach into a window the filter has those that began by its end: milestones tell no more.
  static FilterKey key_of(const Endpoint& endpoint, const ListRequest& request) {
    return {&endpoint,         request.cluster_id,
            request.tenant_id, reaches_into_window(request) ? std::nullopt : request.start_time,
            request.end_time,  request.statuses};
  }

  // Whether there is more to answer than the total of the filter.
  static bool needs_tasks(const ListRequest& request, std::int64_t total) {
    return total != 0 && (reaches_into_window(request) || piece_of(request, total).count != 0);
  }

  bool computes(const Endpoint& endpoint) const { return std::ranges::find(computing_, &endpoint) != computing_.end(); }

  std::string key_of_order(const FilterKey& key, const ListRequest& request) const {
    std::string text = fmt::format("{} {} {} {}", key.endpoint->table, key.cluster_id, key.tenant_id, key.statuses);
    for (const auto& time : {request.start_time, request.end_time}) {
      text += time ? fmt::format(" {}.{}", time->second, time->nano) : " -";
    }
    if (reaches_into_window(request)) text += " overlap";
    for (const SortKey& sort : request.sort)
      text += fmt::format(" {}{}", sort.field->name, sort.descending ? '-' : '+');
    // Computed delays grow as time goes on and others do not, so their order is good for a second.
    if (computes(*key.endpoint) && sorts_by_delay(*key.endpoint, request)) {
      text += fmt::format(" at {}", request.now.second);
    }
    return text;
  }

  // What it gives stays until the lane is asked for another filter.
  const Filter& filter_of(Lane& lane, const Endpoint& endpoint, const FilterKey& key) const {
    if (const auto known = lane.filters.find(key); known != lane.filters.end()) return known->second;
    Filter filter = make_filter(lane, endpoint, key);
    if (lane.filters.size() >= kFiltersPerReader) lane.filters.clear();
    return lane.filters.emplace(key, std::move(filter)).first->second;
  }

  Filter make_filter(Lane& lane, const Endpoint& endpoint, const FilterKey& key) const {
    Filter filter;
    filter.milestones = milestones_of(lane, endpoint, key);
    const Milestones& milestones = *filter.milestones;
    const std::int64_t of_statuses = milestones.total(key.statuses);
    if (of_statuses != milestones.total(0)) filter.statuses = present(milestones, key.statuses);
    if (of_statuses != 0) {
      FilterQueries queries(lane, endpoint, key, filter);
      const std::int64_t until_start =
          key.start_time ? queries.count_until(key.start_time->second, key.start_time->nano) : of_statuses;
      if (key.end_time) filter.newer = queries.count_until(key.end_time->second, std::int64_t{key.end_time->nano} + 1);
      filter.total = std::max<std::int64_t>(until_start - filter.newer, 0);
    }
    if (filter.total == 0) {
      const SqlQuery exists{
          "SELECT EXISTS(SELECT 1 FROM cluster WHERE id = ?1),"
          " EXISTS(SELECT 1 FROM tenant WHERE cluster_id = ?1 AND id = ?2)",
          {key.cluster_id, key.tenant_id}};
      lane.reader.run(exists, [&](SQLite::Statement& row) {
        filter.cluster_exists = row.getColumn(0).getInt() != 0;
        filter.tenant_exists = row.getColumn(1).getInt() != 0;
      });
    }
    return filter;
  }

  // Without those of which the tenant has no task: they would only cost, and of words with one meaning most tenants
  // have one.
  static StatusSet present(const Milestones& milestones, StatusSet statuses) {
    StatusSet found = 0;
    for (StatusSet rest = statuses; rest != 0; rest &= rest - 1) {
      const StatusSet one = StatusSet{1} << std::countr_zero(rest);
      if (milestones.total(one) != 0) found |= one;
    }
    return found;
  }

  std::shared_ptr<const Milestones> milestones_of(Lane& lane, const Endpoint& endpoint, const FilterKey& key) const {
    const TenantKey tenant{key.endpoint, key.cluster_id, key.tenant_id};
    {
      const std::lock_guard lock(milestones_mutex_);
      if (const auto known = milestones_.find(tenant); known != milestones_.end()) return known->second;
    }
    auto made =
        std::make_shared<const Milestones>(read_milestones(lane.reader, endpoint, key.cluster_id, key.tenant_id));
    const std::lock_guard lock(milestones_mutex_);
    if (milestones_.size() >= kTenantsPerDataset) milestones_.clear();
    return milestones_.emplace(tenant, std::move(made)).first->second;
  }

  // The ids in the order of the request, from the cache or by the reader that nothing else waits for.
  PreparedOrder sorted_apart(const Endpoint& endpoint, const ListRequest& request, const std::string& key,
                             std::int64_t tasks) const {
    const std::lock_guard lock(sorter_mutex_);
    if (auto known = orders_.find(key)) return known;
    auto ids =
        std::make_shared<const TaskIds>(sorted_ids(reader_in(sorter_), endpoint, request, tasks, computes(endpoint)));
    orders_.add(key, ids);
    return ids;
  }

  void append_page(Lane& lane, const Endpoint& endpoint, const ListRequest& request, const Filter& filter,
                   const TaskIds* ids, Piece piece, std::string& contents) const {
    const FilterKey key = key_of(endpoint, request);
    FilterQueries queries(lane, endpoint, key, filter, computes(endpoint) ? std::optional(request.now) : std::nullopt);
    switch (order_of(endpoint, request)) {
      case Order::Default: queries.append(piece, contents); break;
      case Order::Ascending: queries.append_tasks(queries.ascending_keys(piece), contents); break;
      case Order::Sorted:
        if (!reaches_into_window(request) && std::ssize(*ids) != filter.total) {
          throw damage("a table has another number of tasks than were counted");
        }
        queries.append_tasks(
            std::span(*ids).subspan(static_cast<std::size_t>(piece.offset), static_cast<std::size_t>(piece.count)),
            contents);
        break;
    }
  }

  const DatabaseSource source_;  // outlives the readers
  std::vector<std::unique_ptr<Lane>> lanes_;

  mutable std::mutex milestones_mutex_;
  mutable std::map<TenantKey, std::shared_ptr<const Milestones>> milestones_;

  mutable OrderCache orders_;

  // Reads all that there is, for changes and summaries; of its own, so that requests do not wait for it.
  mutable std::mutex copyist_mutex_;
  mutable std::unique_ptr<Reader> copyist_;

  mutable std::mutex sorter_mutex_;
  mutable std::unique_ptr<Reader> sorter_;

  bool has_timelines_ = false;
  std::vector<const Endpoint*> computing_;  // those whose tasks may have computed delays
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

std::shared_ptr<const Dataset> dataset_of(DatabaseSource source) {
  return std::make_shared<SqliteDataset>(std::move(source));
}

std::shared_ptr<const Dataset> Dataset::open(const fs::path& file) {
  refuse_special_file(file);
  // Another process may replace the file while it is identified and its readers are opened; then all is done again.
  for (;;) {
    const auto before = inode_of(file);
    const DatabaseIdentity identity = identify(file);
    if (identity.application != kApplicationId) {
      throw DatasetError(fmt::format("{} is not a dataset of ocp-mock-server", file.string()));
    }
    if (identity.version != kSchemaVersion) {
      throw DatasetError(fmt::format(
          "the dataset {} has schema version {}, this server reads version {}; make it anew from its fixtures",
          file.string(), identity.version, kSchemaVersion));
    }
    if (!identity.damage.empty()) {
      throw DatasetError(
          fmt::format("the dataset {} is damaged: {}; it may have been copied in part, or changed by another program. "
                      "Make it anew from its fixtures",
                      file.string(), identity.damage));
    }
    try {
      auto dataset = std::make_shared<SqliteDataset>(DatabaseSource{uri_to_read(file)});
      dataset->envelope();
      dataset->query_plan({"SELECT places FROM milestone", {}});
      for (const Endpoint& endpoint : endpoints()) dataset->query_plan({range_sql(endpoint, {}), {}});
      if (inode_of(file) == before) return dataset;
    } catch (const std::exception& error) {
      if (inode_of(file) != before) continue;
      throw DatasetError(fmt::format("cannot read the dataset {}: {}", file.string(), error.what()));
    }
  }
}

}  // namespace ocp_mock
