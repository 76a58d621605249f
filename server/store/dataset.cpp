#include "store/dataset.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "store/database.h"
#include "store/exchanges.h"
#include "store/outline.h"
#include "store/pages/order_cache.h"
#include "store/pages/scan.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// What is kept of a reader's filters and of a dataset's partitions; then they are read again.
constexpr std::size_t kFiltersPerReader = 4096;
constexpr std::size_t kPartitionsPerDataset = 4096;

// Fewer rows are looked through while the request waits.
constexpr std::int64_t kSlowRows = 2000;

// A reader with what it knows. Used by one thread at a time.
struct ReaderSlot {
  explicit ReaderSlot(const Version& version, const Catalogue& catalogue) : reader(version, catalogue) {}

  std::mutex mutex;
  Reader reader;
  std::unordered_map<PartitionFilter, PartitionFacts, HashOfPartitionFilter> facts;
};

// A reader that is opened by the first thread that needs it.
struct LazySlot {
  std::once_flag opened;
  std::unique_ptr<ReaderSlot> slot;
};

enum class Order {
  Default,
  OldestFirst,
  Sorted,  // by ids that were found and sorted for it
};

Order order_of(const Request& request) {
  const std::span<const SortKey> order = request.endpoint->resource->order;
  if (lasts_into_window(request)) return Order::Sorted;
  if (request.sort.empty()) return Order::Default;
  if (order.empty() || request.sort.size() > 1 || request.sort.front().field != order.front().field) {
    return Order::Sorted;
  }
  return request.sort.front().descending ? Order::Default : Order::OldestFirst;
}

class SqliteDataset : public Dataset, public std::enable_shared_from_this<SqliteDataset> {
 public:
  // Readers are opened when they are needed: a change is not to wait for some that nobody may ever use.
  SqliteDataset(std::shared_ptr<const Version> version, const Catalogue& catalogue, DatasetFacts facts,
                std::unique_ptr<Writer> writer)
      : version_(std::move(version)),
        catalogue_(catalogue),
        facts_(std::move(facts)),
        slots_(std::clamp(std::thread::hardware_concurrency(), 2U, 8U)),
        writer_(std::move(writer)) {}

  const Catalogue& catalogue() const override { return catalogue_; }

  std::variant<Page, SlowPage> list(const Request& request) const override {
    const Resource& resource = *request.endpoint->resource;
    const Order order = order_of(request);
    const auto filter = PartitionFilter::of(request);
    Page page;
    page.is_of_now = computes(resource);
    if (!facts_.tables.has(resource)) return page;
    std::int64_t rows = 0;  // as the index counts them; else unknown
    ReaderSlot& slot = slot_of_thread();
    const std::lock_guard lock(slot.mutex);
    if (filter) {
      const PartitionFacts& facts = facts_of(slot, *filter);
      page.total = facts.total;
      if (facts.total == 0) return page;
      const PageRange range = page_range(request, facts.total);
      if (range.count == 0 && !lasts_into_window(request)) return page;
      if (order != Order::Sorted) {
        append_page(slot.reader, *filter, facts, range, order == Order::OldestFirst, now_of(request), page.contents);
        return page;
      }
      rows = facts.total;
    }
    if (is_by_key(request)) {
      append_sorted(slot.reader, request, *find_ids(slot.reader, request, rows), page);
      return page;
    }
    const std::string key = OrderCache::key_of(request, computes(resource));
    auto ids = orders_.find(key);
    if (ids == nullptr) {
      if ((filter ? rows : rows_of(slot.reader, resource)) > kSlowRows)
        return SlowPage([this, request, key, rows] { return slow_page(request, key, rows); });
      ids = find_ids(slot.reader, request, rows);
      orders_.add(key, ids);
    }
    append_sorted(slot.reader, request, *ids, page);
    return page;
  }

  std::optional<std::size_t> find_missing(const Request& request) const override {
    for (std::size_t i = 0; i < request.endpoint->path_parameters.size(); ++i) {
      if (request.endpoint->path_parameters[i].of == nullptr) continue;
      bool exists = false;
      if (facts_.tables.has(*request.endpoint->path_parameters[i].of)) {
        run(exists_query(request, i), [&](const Statement& row) { exists = row.integer(0) != 0; });
      }
      if (!exists) return i;
    }
    return std::nullopt;
  }

  Explanation explain(const Request& request) const override {
    if (!facts_.tables.has(*request.endpoint->resource)) {
      return {{}, {}, std::vector<std::int64_t>(request.conditions.size() + 1)};
    }
    // By the reader that no request waits for, for it may have to look at many rows.
    const std::lock_guard lock(sort_mutex_);
    Reader& reader = reader_in(sort_reader_);
    Explanation explanation;
    Request step = request;
    step.conditions.clear();
    explanation.rows.push_back(total_of(reader, step));
    for (const Condition& condition : request.conditions) {
      step.conditions.push_back(condition);
      explanation.rows.push_back(total_of(reader, step));
    }
    const std::int64_t total = explanation.rows.back();
    const PageRange range = page_range(request, total);
    const bool has_computed = computes(*request.endpoint->resource);
    const Order order = order_of(request);
    const auto filter = PartitionFilter::of(request);
    std::int64_t rows = 0;
    bool counts = false;  // by the index
    if (filter) {
      const PartitionFacts facts = partition_facts(reader, *filter, index_of(reader, *filter));
      explanation.count = count_queries(*filter, facts);
      rows = facts.total;
      counts = !lasts_into_window(request);
      if (rows == 0 || (range.count == 0 && counts)) return explanation;
      if (order != Order::Sorted) {
        explanation.page = page_queries(*filter, facts, range, order == Order::OldestFirst, has_computed);
        if (SqlQuery& rows_by_id = explanation.page.back(); rows_by_id.values.empty()) {
          reader.run(explanation.page.front(), [&](const Statement& row) { rows_by_id.values = {row.integer(2)}; });
        }
        return explanation;
      }
    }
    SqlQuery ids = sorting(reader, request, rows);
    (counts ? explanation.page : explanation.count).push_back(ids);
    if (range.count == 0) return explanation;
    ids.sql += fmt::format(" LIMIT 1 OFFSET {}", range.offset);
    const auto cut = cut_of(request);
    SqlQuery rows_by_id{row_sql(*request.endpoint->resource, has_computed, cut ? cut->field : nullptr), {}};
    reader.run(ids, [&](const Statement& row) { rows_by_id.values = {row.integer(0)}; });
    if (cut) rows_by_id.values.emplace_back(cut->characters);
    explanation.page.push_back(std::move(rows_by_id));
    return explanation;
  }

  CapturedEnvelope envelope() const override {
    CapturedEnvelope captured;
    run({"SELECT name, value FROM fact", {}}, [&](const Statement& row) {
      const std::string_view name = row.bytes(0);
      if (name == "envelope.duration") captured.duration = row.integer(1);
      if (name == "envelope.server") captured.server = row.bytes(1);
      if (name == "envelope.timestamp") captured.timestamp = row.bytes(1);
      if (name == "envelope.traceId") captured.trace_id = row.bytes(1);
    });
    return captured;
  }

  Outline outline(const Resource& resource) const override {
    const std::lock_guard lock(bulk_mutex_);
    return read_outline(reader_in(bulk_reader_), facts_.tables, resource);
  }

  Outline keys(const Resource& resource) const override {
    const std::lock_guard lock(bulk_mutex_);
    return read_keys(reader_in(bulk_reader_), facts_.tables, resource);
  }

  bool has_timelines() const override { return facts_.has_timelines; }

  bool has_exchanges() const override { return facts_.has_exchanges; }

  std::optional<Instant> next_due() const override { return facts_.next_due; }

  std::optional<StoredExchange> find_exchange(const std::string& request,
                                              const std::string& request_body) const override {
    std::optional<StoredExchange> found;
    run(exchange_query(request, request_body), [&](const Statement& row) { found = exchange_of(row); });
    return found;
  }

  std::optional<std::string> find_exchange_of_path(const std::string& method, const std::string& path) const override {
    std::optional<std::string> found;
    run(exchange_of_path_query(method, path), [&](const Statement& row) { found = row.bytes(0); });
    return found;
  }

  void each_exchange(const std::function<void(const StoredExchange&)>& visit) const override {
    const std::lock_guard lock(bulk_mutex_);
    reader_in(bulk_reader_).run(all_exchanges_query(), [&](const Statement& row) { visit(exchange_of(row)); });
  }

  void each_row(const Resource& resource, const RowSelection& selection,
                const std::function<void(const StoredRow&)>& visit) const override {
    if (!facts_.tables.has(resource)) return;
    const std::lock_guard lock(bulk_mutex_);
    reader_in(bulk_reader_).run(rows_query(resource, selection), [&](const Statement& row) {
      visit_row(resource, row, visit);
    });
  }

  std::unique_ptr<DatasetBuilder> copy() const override {
    std::unique_ptr<Writer> writer;
    {
      const std::lock_guard lock(writer_mutex_);
      writer = std::move(writer_);
    }
    const auto give_back = [dataset = weak_from_this()](std::unique_ptr<Writer> unused) {
      const auto self = dataset.lock();
      if (!self) return;
      const std::lock_guard lock(self->writer_mutex_);
      self->writer_ = std::move(unused);
    };
    return copy_of(version_, catalogue_, std::move(writer), give_back);
  }

  std::vector<std::string> query_plan(const SqlQuery& query) const override {
    std::vector<std::string> lines;
    run({"EXPLAIN QUERY PLAN " + query.sql, query.values},
        [&](const Statement& row) { lines.emplace_back(row.bytes(3)); });
    return lines;
  }

 private:
  // Threads take turns in the slots as they first come, so that few share one.
  ReaderSlot& slot_of_thread() const {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t thread = threads.fetch_add(1, std::memory_order_relaxed);
    LazySlot& lazy = slots_[thread % slots_.size()];
    std::call_once(lazy.opened, [&] { lazy.slot = std::make_unique<ReaderSlot>(*version_, catalogue_); });
    return *lazy.slot;
  }

  Reader& reader_in(std::unique_ptr<Reader>& reader) const {
    if (!reader) reader = std::make_unique<Reader>(*version_, catalogue_);
    return *reader;
  }

  void run(const SqlQuery& query, const std::function<void(const Statement&)>& row) const {
    ReaderSlot& slot = slot_of_thread();
    const std::lock_guard lock(slot.mutex);
    slot.reader.run(query, row);
  }

  bool computes(const Resource& resource) const {
    return std::ranges::find(facts_.computing, &resource) != facts_.computing.end();
  }

  std::optional<Instant> now_of(const Request& request) const {
    return computes(*request.endpoint->resource) ? std::optional(request.now) : std::nullopt;
  }

  // How many rows pass the request's filters.
  std::int64_t total_of(Reader& reader, const Request& request) const {
    const auto filter = PartitionFilter::of(request);
    if (filter && !lasts_into_window(request)) {
      return partition_facts(reader, *filter, index_of(reader, *filter)).total;
    }
    std::int64_t total = 0;
    reader.run(count_query(request), [&](const Statement& row) { total = row.integer(0); });
    return total;
  }

  // What it gives stays until the slot is asked for another filter.
  const PartitionFacts& facts_of(ReaderSlot& slot, const PartitionFilter& filter) const {
    if (const auto known = slot.facts.find(filter); known != slot.facts.end()) return known->second;
    PartitionFacts facts = partition_facts(slot.reader, filter, index_of(slot.reader, filter));
    if (slot.facts.size() >= kFiltersPerReader) slot.facts.clear();
    return slot.facts.emplace(filter, std::move(facts)).first->second;
  }

  std::shared_ptr<const SparseIndex> index_of(Reader& reader, const PartitionFilter& filter) const {
    std::pair key{filter.resource, filter.parents};
    {
      const std::lock_guard lock(indexes_mutex_);
      if (const auto known = indexes_.find(key); known != indexes_.end()) return known->second;
    }
    auto made = std::make_shared<const SparseIndex>(read_sparse_index(reader, *filter.resource, filter.parents));
    const std::lock_guard lock(indexes_mutex_);
    if (indexes_.size() >= kPartitionsPerDataset) indexes_.clear();
    return indexes_.emplace(std::move(key), std::move(made)).first->second;
  }

  // At least as many as the table has; its largest id.
  static std::int64_t rows_of(Reader& reader, const Resource& resource) {
    std::int64_t rows = 0;
    reader.run({fmt::format("SELECT max(id) FROM {}", resource.table), {}},
               [&](const Statement& row) { rows = row.integer(0); });
    return rows;
  }

  // Whether the path has the key of the row: an index finds it.
  static bool is_by_key(const Request& request) {
    const Resource* resource = request.endpoint->resource;
    return std::ranges::find(request.endpoint->path_parameters, resource, &PathParameter::of) !=
           request.endpoint->path_parameters.end();
  }

  // For a large part of a table its own order is several times as fast for each row as an index.
  SqlQuery sorting(Reader& reader, const Request& request, std::int64_t rows) const {
    const Resource& resource = *request.endpoint->resource;
    return ids_query(request, computes(resource), rows_of(reader, resource) / 4 < rows);
  }

  SortedIds find_ids(Reader& reader, const Request& request, std::int64_t rows) const {
    auto ids = std::make_shared<std::vector<std::int64_t>>();
    reader.run(sorting(reader, request, rows), [&](const Statement& row) { ids->push_back(row.integer(0)); });
    const auto filter = PartitionFilter::of(request);
    if (filter && !lasts_into_window(request) && std::ssize(*ids) != rows) {
      throw_damage("a table has another number of rows than were counted");
    }
    return ids;
  }

  static std::span<const std::int64_t> part_of(const std::vector<std::int64_t>& ids, PageRange range) {
    return std::span(ids).subspan(static_cast<std::size_t>(range.offset), static_cast<std::size_t>(range.count));
  }

  void append_sorted(Reader& reader, const Request& request, const std::vector<std::int64_t>& ids, Page& page) const {
    page.total = std::ssize(ids);
    const PageRange range = page_range(request, page.total);
    append_rows(reader, *request.endpoint->resource, part_of(ids, range), now_of(request), page.contents,
                cut_of(request));
  }

  // By the reader that nothing else waits for.
  Page slow_page(const Request& request, const std::string& key, std::int64_t rows) const {
    const std::lock_guard lock(sort_mutex_);
    Reader& reader = reader_in(sort_reader_);
    SortedIds ids = orders_.find(key);
    if (ids == nullptr) {
      ids = find_ids(reader, request, rows);
      orders_.add(key, ids);
    }
    Page page;
    page.is_of_now = computes(*request.endpoint->resource);
    append_sorted(reader, request, *ids, page);
    return page;
  }

  const std::shared_ptr<const Version> version_;  // outlives the readers
  const Catalogue& catalogue_;
  const DatasetFacts facts_;
  mutable std::vector<LazySlot> slots_;

  mutable std::mutex indexes_mutex_;
  mutable std::map<std::pair<const Resource*, std::vector<Value>>, std::shared_ptr<const SparseIndex>> indexes_;

  mutable OrderCache orders_;

  // Reads all that there is, for changes and outlines; of its own, so that requests do not wait for it.
  mutable std::mutex bulk_mutex_;
  mutable std::unique_ptr<Reader> bulk_reader_;

  mutable std::mutex sort_mutex_;
  mutable std::unique_ptr<Reader> sort_reader_;

  // Of the change before, for the first one that begins with this dataset; others open their own.
  mutable std::mutex writer_mutex_;
  mutable std::unique_ptr<Writer> writer_;
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

std::shared_ptr<const Dataset> dataset_of(std::shared_ptr<const Version> version, const Catalogue& catalogue,
                                          DatasetFacts facts, std::unique_ptr<Writer> writer) {
  return std::make_shared<SqliteDataset>(std::move(version), catalogue, std::move(facts), std::move(writer));
}

std::shared_ptr<const Dataset> Dataset::open(const fs::path& file, const Catalogue& catalogue) {
  refuse_special_file(file);
  // Another process may replace the file while it is identified and its readers are opened; then all is done again.
  for (;;) {
    const auto before = inode_of(file);
    const DatabaseIdentity identity = identify(file, catalogue);
    if (identity.application != kApplicationId) {
      throw DatasetError(fmt::format("{} is not a dataset of ocp-mock-server", file.string()));
    }
    if (identity.version != schema_version(catalogue)) {
      throw DatasetError(fmt::format(
          "the dataset {} has schema version {}, this server reads version {}; make it anew from its fixtures",
          file.string(), identity.version, schema_version(catalogue)));
    }
    if (!identity.damage.empty()) {
      throw DatasetError(
          fmt::format("the dataset {} is damaged: {}; it may have been copied in part, or changed by another program. "
                      "Make it anew from its fixtures",
                      file.string(), identity.damage));
    }
    try {
      auto version = Version::of_file(file);
      Reader reader(*version, catalogue);
      check_schema(reader, catalogue);
      auto dataset = dataset_of(std::move(version), catalogue, read_facts(reader, catalogue));
      dataset->envelope();
      if (inode_of(file) == before) return dataset;
    } catch (const std::exception& error) {
      if (inode_of(file) != before) continue;
      throw DatasetError(fmt::format("cannot read the dataset {}: {}", file.string(), error.what()));
    }
  }
}

}  // namespace ocp_mock
