#include "store/pages/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

#include "fixtures/computed.h"
#include "store/dataset.h"

namespace ocp_mock {
namespace {

// The time that a partition is ordered by.
const Field& time_of(const Resource& resource) { return *resource.order.front().field; }

bool is_nano(std::int64_t nano) { return nano >= 0 && nano < 1'000'000'000; }

// Of a row's text, what can be seen at once.
void require_object(std::string_view json) {
  if (json.size() < 2 || json.front() != '{' || json.back() != '}') throw_damage("the text of a row is no object");
}

void record(SqlTrace* trace, std::string sql, std::vector<SqlValue> values) {
  if (trace == nullptr || std::ranges::find(*trace, sql, &SqlQuery::sql) != trace->end()) return;
  trace->push_back({std::move(sql), std::move(values)});
}

// A part of a partition's default order, as SQL text without values. Its parameters, each only where the shape has one:
// the parents; second, nanosecond and id of the beginning; second and nanosecond of the oldest instant that counts; the
// words; limit, offset.
struct ScanShape {
  enum class Result : std::uint8_t {
    Rows,   // row_columns()
    Keys,   // second and nanosecond of the time, and the id
    Count,  // one row: how many; without limit and offset
  };
  enum class Begin : std::uint8_t {
    Newest,        // all rows
    NotNewerThan,  // those of an instant and older ones
    InsideTie,     // those of an instant, from an id on
    OlderThan,     // those older than an instant
  };
  Result result = Result::Rows;
  Begin begin = Begin::Newest;
  std::size_t words = 0;  // how many; 0: any
  bool merged = false;    // several words, each from its own index; Keys only
  bool computes = false;  // some rows have computed values; Rows only

  std::uint64_t key(std::size_t resource) const {
    return static_cast<std::uint64_t>(resource) << 32 | static_cast<std::uint64_t>(words) << 8 |
           static_cast<std::uint64_t>(computes) << 6 | static_cast<std::uint64_t>(result) << 4 |
           static_cast<std::uint64_t>(begin) << 1 | static_cast<std::uint64_t>(merged);
  }
};

std::string scan_sql(const Resource& resource, const ScanShape& shape) {
  const std::vector<std::string> time = columns_of(time_of(resource));
  const std::string_view words_column = resource.indexed_words->column;
  int parameters = 0;
  const auto parameter = [&] { return fmt::format("?{}", ++parameters); };
  std::string where;
  for (const Parent& parent : resource.parents) {
    where += fmt::format("{}{} = {}", where.empty() ? " WHERE " : " AND ", parent.field->column, parameter());
  }
  const auto condition = [&](const std::string& text) { where += (where.empty() ? " WHERE " : " AND ") + text; };
  const auto compare_time = [&](std::string_view comparison) {
    const std::string second = parameter();
    condition(fmt::format("({}, {}) {} ({}, {})", time[0], time[1], comparison, second, parameter()));
  };
  switch (shape.begin) {
    case ScanShape::Begin::Newest: break;
    case ScanShape::Begin::NotNewerThan: compare_time("<="); break;
    case ScanShape::Begin::OlderThan: compare_time("<"); break;
    case ScanShape::Begin::InsideTie:
      condition(fmt::format("{} = {}", time[0], parameter()));
      condition(fmt::format("{} = {}", time[1], parameter()));
      condition(fmt::format("id >= {}", parameter()));
      break;
  }
  const bool counting = shape.result == ScanShape::Result::Count;
  if (counting) compare_time(">=");

  const std::string index = shape.words == 1 || shape.merged ? fmt::format("by_{}", words_column) : "by_time";
  const std::string columns = counting                                  ? "COUNT(*)"
                              : shape.result == ScanShape::Result::Rows ? row_columns(resource, shape.computes)
                                                                        : fmt::format("{}, {}, id", time[0], time[1]);
  const std::string select =
      fmt::format("SELECT {} FROM {} INDEXED BY {}_{}{}", columns, resource.table, resource.table, index, where);

  std::string sql = shape.merged ? "" : select;
  const std::string_view link = where.empty() ? " WHERE " : " AND ";
  if (shape.merged) {
    for (std::size_t i = 0; i < shape.words; ++i) {
      sql += fmt::format("{}{}{}{} = {}", i == 0 ? "" : " UNION ALL ", select, link, words_column, parameter());
    }
  } else if (shape.words == 1) {
    sql += fmt::format("{}{} = {}", link, words_column, parameter());
  } else if (shape.words > 1) {
    std::string list;
    for (std::size_t i = 0; i < shape.words; ++i) list += fmt::format("{}{}", i == 0 ? "" : ", ", parameter());
    sql += fmt::format("{}{} IN ({})", link, words_column, list);
  }
  if (counting) return sql;
  sql += fmt::format(" ORDER BY {} DESC, {} DESC, id", time[0], time[1]);
  const std::string limit = parameter();
  return sql + fmt::format(" LIMIT {} OFFSET {}", limit, parameter());
}

// Appends the texts of rows to an answer, joined by commas.
class RowWriter {
 public:
  // With `now` values may have to be computed.
  RowWriter(const Resource& resource, std::optional<Instant> now, std::int64_t rows, std::string& contents)
      : resource_(resource), now_(now), rows_(rows), contents_(contents) {}

  // A row of row_columns().
  void append(const Statement& row) {
    const std::string_view json = row.bytes(0);
    require_object(json);
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
  PartitionScan(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts, std::optional<Instant> now,
                SqlTrace* trace)
      : reader_(reader),
        filter_(filter),
        resource_(*filter.resource),
        facts_(facts),
        index_(*facts.index),
        now_(now),
        trace_(trace) {}

  // How many rows of the partition with the filter's words are not older.
  std::int64_t count_not_older(std::int64_t second, std::int64_t nano) {
    const std::size_t after = index_.count_not_older(second, nano);
    if (after == 0) return 0;
    const std::size_t last = after - 1;
    if (index_.splits_ties(last)) return index_.before(after, facts_.words);
    std::int64_t count = index_.before(last, facts_.words);
    if (index_.before(after, facts_.words) == count) return count;
    const Bounds bounds{.begin = index_.key(last), .end = {second, nano, 0}};
    run({ScanShape::Result::Count, ScanShape::Begin::NotNewerThan, 0, false, false}, bounds,
        [&](const Statement& row) { count += row.integer(0); });
    return count;
  }

  void append(PageRange page, std::string& contents) {
    const Start start = start_of(page);
    if (start.merged) return append_rows(reader_, resource_, ids_of(keys(page)), now_, contents, trace_);
    RowWriter writer(resource_, now_, page.count, contents);
    read(start, page.count, ScanShape::Result::Rows, [&](const Statement& row) { writer.append(row); });
  }

  // As many as the page counts.
  std::vector<TimeKey> keys(PageRange page) {
    std::vector<TimeKey> keys;
    keys.reserve(static_cast<std::size_t>(page.count));
    read(start_of(page), page.count, ScanShape::Result::Keys, [&](const Statement& row) {
      keys.push_back({row.integer(0), row.integer(1), row.integer(2)});
      if (!is_nano(keys.back().nano)) throw_damage("an index has a time that there is not");
    });
    return keys;
  }

  // A part of the order with the oldest first. Rows of one instant keep the order that they have in the default order,
  // and other than that it is the reverse; so only a group of rows with one instant that does not lie in the page as a
  // whole needs more than the same page from the other end.
  std::vector<TimeKey> ascending_keys(PageRange page) {
    const std::int64_t begin = facts_.total - page.offset - page.count;
    const std::int64_t end = facts_.total - page.offset;
    const std::int64_t first = std::max<std::int64_t>(begin - 1, 0);
    const std::vector<TimeKey> around = keys({first, std::min(end + 1, facts_.total) - first});
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
  struct Start {
    ScanShape::Begin begin = ScanShape::Begin::Newest;
    TimeKey key;
    std::int64_t offset = 0;
    bool merged = false;
  };

  struct Bounds {
    TimeKey begin = {};
    TimeKey end = {};
    std::int64_t limit = 0;
    std::int64_t offset = 0;
  };

  // Calls row for each row of the answer.
  template <typename Row>
  void run(ScanShape shape, const Bounds& bounds, const Row& row) {
    shape.words = static_cast<std::size_t>(std::popcount(facts_.words));
    shape.computes = now_ && shape.result == ScanShape::Result::Rows;
    Statement& statement =
        reader_.cached(shape.key(reader_.index_of(resource_)), [&] { return scan_sql(resource_, shape); });
    const Use use(statement);
    bind(shape, bounds, [&](auto value) { statement.bind(value); });
    if (trace_ != nullptr) {
      std::vector<SqlValue> values;
      bind(shape, bounds, [&](auto value) {
        if constexpr (std::is_same_v<decltype(value), std::string_view>) {
          values.emplace_back(std::string(value));
        } else {
          values.emplace_back(value);
        }
      });
      record(trace_, scan_sql(resource_, shape), std::move(values));
    }
    while (statement.step()) row(statement);
  }

  // In the order of scan_sql().
  template <typename Bind>
  void bind(const ScanShape& shape, const Bounds& bounds, const Bind& next) const {
    for (const Value& parent : filter_.parents) {
      if (const auto* integer = std::get_if<std::int64_t>(&parent)) {
        next(*integer);
      } else {
        next(std::string_view(std::get<std::string>(parent)));
      }
    }
    if (shape.begin != ScanShape::Begin::Newest) {
      next(bounds.begin.second);
      next(bounds.begin.nano);
    }
    if (shape.begin == ScanShape::Begin::InsideTie) next(bounds.begin.id);
    const bool counting = shape.result == ScanShape::Result::Count;
    if (counting) {
      next(bounds.end.second);
      next(bounds.end.nano);
    }
    for (WordSet rest = facts_.words; rest != 0; rest &= rest - 1) {
      next(resource_.indexed_words->words->words[static_cast<std::size_t>(std::countr_zero(rest))].word);
    }
    if (counting) return;
    next(bounds.limit);
    next(bounds.offset);
  }

  // Where to begin so that few rows are passed over: the filter's end, or an entry of the index.
  Start start_of(PageRange page) const {
    Start start;
    start.offset = page.offset;
    if (filter_.until) {
      start.begin = ScanShape::Begin::NotNewerThan;
      start.key = {filter_.until->second, filter_.until->nano, 0};
    }
    const std::int64_t rank = facts_.newer + page.offset;
    const std::size_t entry = index_.seek_rank(rank, facts_.words);
    if (const std::int64_t passed = rank - index_.before(entry, facts_.words); passed < start.offset) {
      start.begin = index_.splits_ties(entry) ? ScanShape::Begin::InsideTie : ScanShape::Begin::NotNewerThan;
      start.key = index_.key(entry);
      start.offset = passed;
    }
    if (std::popcount(facts_.words) > 1) {
      // Few of the rows that lie between may have these words.
      const std::size_t end = index_.seek_rank(rank + page.count - 1, facts_.words) + 1;
      const std::int64_t between = index_.before(end, 0) - index_.before(entry, 0);
      start.merged = between > kMergedCost * (start.offset + page.count) + kMergedStart * std::popcount(facts_.words);
    }
    return start;
  }

  // Calls row as often as the count says.
  template <typename Row>
  void read(const Start& start, std::int64_t count, ScanShape::Result result, const Row& row) {
    std::int64_t rows = 0;
    const auto counted = [&](const Statement& statement) {
      ++rows;
      row(statement);
    };
    run({result, start.begin, 0, start.merged, false},
        {.begin = start.key, .end = {}, .limit = count, .offset = start.offset}, counted);
    if (start.begin == ScanShape::Begin::InsideTie && rows < count) {
      // All rows that were passed over have the entry's instant, and so it goes on behind that.
      run({result, ScanShape::Begin::OlderThan, 0, start.merged, false},
          {.begin = start.key, .end = {}, .limit = count - rows, .offset = 0}, counted);
    }
    if (rows != count) throw_damage("an index has fewer rows than were counted");
  }

  // A row that is read through the merge of several words costs about kMergedCost rows of the plain scan, and each word
  // kMergedStart rows of set-up.
  static constexpr std::int64_t kMergedCost = 5;
  static constexpr std::int64_t kMergedStart = 8;

  Reader& reader_;
  const PartitionFilter& filter_;
  const Resource& resource_;
  const PartitionFacts& facts_;
  const SparseIndex& index_;
  const std::optional<Instant> now_;
  SqlTrace* const trace_;
};

// Without those that no row of the partition has: they would only cost, and of words with one meaning most partitions
// have one.
WordSet present(const SparseIndex& index, WordSet words) {
  WordSet found = 0;
  for (WordSet rest = words; rest != 0; rest &= rest - 1) {
    const WordSet one = WordSet{1} << std::countr_zero(rest);
    if (index.total(one) != 0) found |= one;
  }
  return found;
}

}  // namespace

void throw_damage(std::string_view what) { throw DatasetError(fmt::format("the dataset is damaged: {}", what)); }

std::optional<PartitionFilter> PartitionFilter::of(const Request& request) {
  const Resource& resource = *request.endpoint->resource;
  if (resource.indexed_words == nullptr) return std::nullopt;
  PartitionFilter filter;
  filter.resource = &resource;
  filter.parents.reserve(resource.parents.size());
  const auto path = request.endpoint->path_parameters;
  for (const Parent& parent : resource.parents) {
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i].field == parent.field) filter.parents.push_back(request.path[i]);
    }
  }
  if (filter.parents.size() != resource.parents.size() || path.size() != resource.parents.size()) return std::nullopt;
  for (const Condition& condition : request.conditions) {
    const Field* field = condition.parameter->fields.front();
    const Match match = condition.parameter->match;
    if (field == &time_of(resource) && match == Match::From && !filter.from) {
      if (!lasts_into_window(request)) filter.from = std::get<Instant>(condition.values.front());
    } else if (field == &time_of(resource) && match == Match::Until && !filter.until) {
      filter.until = std::get<Instant>(condition.values.front());
    } else if (field == resource.indexed_words && match == Match::Equal && filter.words == 0) {
      for (const Value& value : condition.values) {
        const std::size_t word = resource.indexed_words->words->find(std::get<std::string>(value));
        if (word == WordList::npos) return std::nullopt;
        filter.words |= WordSet{1} << word;
      }
    } else {
      return std::nullopt;
    }
  }
  return filter;
}

std::size_t HashOfPartitionFilter::operator()(const PartitionFilter& filter) const {
  std::uint64_t hash = filter.words;
  const auto mix = [&](std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  };
  for (const Value& parent : filter.parents) {
    if (const auto* integer = std::get_if<std::int64_t>(&parent)) {
      mix(static_cast<std::uint64_t>(*integer));
    } else {
      mix(std::hash<std::string>{}(std::get<std::string>(parent)));
    }
  }
  if (filter.from) mix(static_cast<std::uint64_t>(filter.from->second));
  if (filter.until) mix(~static_cast<std::uint64_t>(filter.until->second));
  return hash;
}

PageRange page_range(const Request& request, std::int64_t total) {
  if (request.size == 0) return {0, total};
  if (total == 0 || request.page - 1 > (total - 1) / request.size) return {0, 0};
  const std::int64_t offset = (request.page - 1) * request.size;
  return {offset, std::min(request.size, total - offset)};
}

PartitionFacts partition_facts(Reader& reader, const PartitionFilter& filter, std::shared_ptr<const SparseIndex> index,
                               SqlTrace* trace) {
  PartitionFacts facts;
  facts.index = std::move(index);
  const std::int64_t of_words = facts.index->total(filter.words);
  if (of_words != facts.index->total(0)) facts.words = present(*facts.index, filter.words);
  if (of_words == 0) return facts;
  PartitionScan scan(reader, filter, facts, std::nullopt, trace);
  const std::int64_t until_from = filter.from ? scan.count_not_older(filter.from->second, filter.from->nano) : of_words;
  if (filter.until) facts.newer = scan.count_not_older(filter.until->second, std::int64_t{filter.until->nano} + 1);
  facts.total = std::max<std::int64_t>(until_from - facts.newer, 0);
  return facts;
}

void append_rows(Reader& reader, const Resource& resource, std::span<const std::int64_t> ids,
                 std::optional<Instant> now, std::string& contents, SqlTrace* trace) {
  if (ids.empty()) return;
  const bool computes = now.has_value();
  Statement& statement =
      reader.cached(ScanShape{.result = ScanShape::Result{3}, .computes = computes}.key(reader.index_of(resource)),
                    [&] { return row_sql(resource, computes); });
  RowWriter writer(resource, now, std::ssize(ids), contents);
  for (const std::int64_t id : ids) {
    const Use use(statement);
    statement.bind(id);
    if (!statement.step()) throw_damage("an index has a row that there is not");
    writer.append(statement);
  }
  if (trace != nullptr) record(trace, row_sql(resource, computes), {ids.front()});
}

void append_page(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                 bool oldest_first, std::optional<Instant> now, std::string& contents, SqlTrace* trace) {
  PartitionScan scan(reader, filter, facts, now, trace);
  if (oldest_first) {
    append_rows(reader, *filter.resource, PartitionScan::ids_of(scan.ascending_keys(page)), now, contents, trace);
  } else {
    scan.append(page, contents);
  }
}

}  // namespace ocp_mock
