#include "store/pages/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "fixtures/computed.h"
#include "store/dataset.h"

namespace ocp_mock {
namespace {

bool is_nano(std::int64_t nano) { return nano >= 0 && nano < 1'000'000'000; }

// Appends the texts of rows to an answer, joined by commas.
class RowWriter {
 public:
  // With `now` values may have to be computed.
  RowWriter(const Resource& resource, std::optional<Instant> now, std::int64_t rows, std::string& contents)
      : resource_(resource), now_(now), rows_(rows), contents_(contents) {}

  // A row of row_columns().
  void append(const Statement& row) {
    const std::string_view json = row_text(row, 0);
    if (first_) {
      contents_.reserve((json.size() + json.size() / 8) * static_cast<std::size_t>(rows_));
    } else {
      contents_ += ',';
    }
    first_ = false;
    if (!now_ || row.integer(1) == 0) {
      contents_ += json;
    } else {
      const std::optional<ComputedText> text = split_at_computed(resource_, json);
      if (!text) throw_damage("a row has a computed value and no place for it");
      contents_ += text->before;
      append_delay(contents_, delay_between({row.integer(2), static_cast<std::int32_t>(row.integer(3))}, *now_));
      contents_ += text->after;
    }
  }

 private:
  const Resource& resource_;
  const std::optional<Instant> now_;
  const std::int64_t rows_;
  std::string& contents_;
  bool first_ = true;
};

// The statements of one filter.
class PartitionScan {
 public:
  PartitionScan(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts)
      : reader_(reader), filter_(filter), facts_(facts) {}

  std::int64_t count(const CountPlan& plan) {
    std::int64_t count = plan.known;
    if (plan.rest) run(*plan.rest, [&](const Statement& row) { count += row.integer(0); });
    return count;
  }

  void append(PageRange page, std::optional<Instant> now, std::string& contents) {
    const RowsPlan plan = plan_rows(filter_, facts_, page, ScanShape::Result::Rows, now.has_value());
    if (plan.first.shape.result == ScanShape::Result::Keys) {
      return append_rows(reader_, *filter_.resource, ids_of(keys(plan, page.count)), now, contents);
    }
    RowWriter writer(*filter_.resource, now, page.count, contents);
    read(plan, page.count, [&](const Statement& row) { writer.append(row); });
  }

  // A part of the order with the oldest first. Rows of one instant keep the order that they have in the default order,
  // and other than that it is the reverse; so only a group of rows with one instant that does not lie in the page as a
  // whole needs more than the same page from the other end.
  std::vector<TimeKey> ascending_keys(PageRange page) {
    const std::int64_t begin = facts_.total - page.offset - page.count;
    const std::int64_t end = facts_.total - page.offset;
    const PageRange range = range_around(facts_, page);
    const std::int64_t first = range.offset;
    const std::vector<TimeKey> around = keys(range);
    const auto at = [&](std::int64_t rank) -> const TimeKey& { return around[static_cast<std::size_t>(rank - first)]; };
    std::vector<TimeKey> ascending;
    ascending.reserve(static_cast<std::size_t>(page.count));
    for (std::int64_t group_end = end; group_end > begin;) {
      std::int64_t group = group_end - 1;
      while (group > begin && at(group - 1).same_instant(at(group))) --group;
      const bool begins_earlier = group == begin && first < begin && at(first).same_instant(at(group));
      const bool ends_later = group_end == end && end < facts_.total && at(end).same_instant(at(group));
      if (!begins_earlier && !ends_later) {
        for (std::int64_t i = group; i < group_end; ++i) ascending.push_back(at(i));
      } else {
        const TimeKey key = at(group);
        std::int64_t rank = group;
        if (begins_earlier) rank = count_not_older(key.second, key.nano + 1) - facts_.newer;
        if (ends_later) rank += count_not_older(key.second, key.nano) - facts_.newer - end;
        for (const TimeKey& one : keys({rank, group_end - group})) ascending.push_back(one);
      }
      group_end = group;
    }
    return ascending;
  }

  static std::vector<std::int64_t> ids_of(const std::vector<TimeKey>& keys) {
    std::vector<std::int64_t> ids;
    ids.reserve(keys.size());
    for (const TimeKey& key : keys) ids.push_back(key.id);
    return ids;
  }

 private:
  // As many as the range counts.
  std::vector<TimeKey> keys(PageRange range) {
    return keys(plan_rows(filter_, facts_, range, ScanShape::Result::Keys, false), range.count);
  }

  std::vector<TimeKey> keys(const RowsPlan& plan, std::int64_t count) {
    std::vector<TimeKey> keys;
    keys.reserve(static_cast<std::size_t>(count));
    read(plan, count, [&](const Statement& row) {
      keys.push_back({row.integer(0), row.integer(1), row.integer(2)});
      if (!is_nano(keys.back().nano)) throw_damage("an index has a time that there is not");
    });
    return keys;
  }

  std::int64_t count_not_older(std::int64_t second, std::int64_t nano) {
    return count(plan_count(facts_, second, nano));
  }

  // Calls row for each row of the answer.
  template <typename Row>
  void run(const Scan& scan, const Row& row) {
    Statement& statement = reader_.cached(scan.shape.key(reader_.index_of(*filter_.resource)),
                                          [&] { return scan_sql(*filter_.resource, scan.shape); });
    const Use use(statement);
    scan.each_value(filter_, facts_.words, [&](auto value) { statement.bind(value); });
    while (statement.step()) row(statement);
  }

  // Calls row as often as the count says.
  template <typename Row>
  void read(const RowsPlan& plan, std::int64_t count, const Row& row) {
    std::int64_t rows = 0;
    const auto counted = [&](const Statement& statement) {
      ++rows;
      row(statement);
    };
    run(plan.first, counted);
    if (plan.rest && rows < count) {
      Scan rest = *plan.rest;
      rest.limit = count - rows;
      run(rest, counted);
    }
    if (rows != count) throw_damage("an index has fewer rows than were counted");
  }

  Reader& reader_;
  const PartitionFilter& filter_;
  const PartitionFacts& facts_;
};

}  // namespace

void throw_damage(std::string_view what) { throw DatasetError(fmt::format("the dataset is damaged: {}", what)); }

std::string_view row_text(const Statement& row, int column) {
  const std::string_view json = row.bytes(column);
  if (json.size() < 2 || json.front() != '{' || json.back() != '}') throw_damage("the text of a row is no object");
  return json;
}

PartitionFacts partition_facts(Reader& reader, const PartitionFilter& filter,
                               std::shared_ptr<const SparseIndex> index) {
  PartitionFacts facts(filter, std::move(index));
  if (facts.total == 0) return facts;
  PartitionScan scan(reader, filter, facts);
  const BoundPlans plans = plan_bounds(filter, facts);
  const std::int64_t until_from = plans.from ? scan.count(*plans.from) : facts.total;
  if (plans.newer) facts.newer = scan.count(*plans.newer);
  facts.total = std::max<std::int64_t>(until_from - facts.newer, 0);
  return facts;
}

void append_rows(Reader& reader, const Resource& resource, std::span<const std::int64_t> ids,
                 std::optional<Instant> now, std::string& contents, std::optional<TextCut> cut) {
  if (ids.empty()) return;
  const std::size_t field = cut ? static_cast<std::size_t>(cut->field - resource.fields.data()) + 1 : 0;
  const ScanShape shape{.result = ScanShape::Result::OneRow, .computes = now.has_value(), .cut = field};
  Statement& statement = reader.cached(shape.key(reader.index_of(resource)), [&] { return scan_sql(resource, shape); });
  RowWriter writer(resource, now, std::ssize(ids), contents);
  for (const std::int64_t id : ids) {
    const Use use(statement);
    statement.bind(id);
    if (cut) statement.bind(cut->characters);
    if (!statement.step()) throw_damage("an index has a row that there is not");
    writer.append(statement);
  }
}

void append_page(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                 bool oldest_first, std::optional<Instant> now, std::string& contents) {
  PartitionScan scan(reader, filter, facts);
  if (oldest_first) {
    append_rows(reader, *filter.resource, PartitionScan::ids_of(scan.ascending_keys(page)), now, contents);
  } else {
    scan.append(page, now, contents);
  }
}

}  // namespace ocp_mock
