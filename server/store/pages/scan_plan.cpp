#include "store/pages/scan_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace ocp_mock {
namespace {

// A row that is read through the merge of several words costs about kMergedCost rows of the plain scan, and each word
// kMergedStart rows of set-up.
constexpr std::int64_t kMergedCost = 5;
constexpr std::int64_t kMergedStart = 8;

// The time that a partition is ordered by.
const Field& time_of(const Resource& resource) { return *resource.order.front().field; }

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

SqlQuery query_of(const PartitionFilter& filter, const PartitionFacts& facts, const Scan& scan) {
  SqlQuery query{scan_sql(*filter.resource, scan.shape), {}};
  struct Add {
    std::vector<SqlValue>& values;
    void operator()(std::int64_t value) const { values.emplace_back(value); }
    void operator()(std::string_view value) const { values.emplace_back(std::string(value)); }
  };
  scan.each_value(filter, facts.words, Add{query.values});
  return query;
}

}  // namespace

std::optional<PartitionFilter> PartitionFilter::of(const Request& request) {
  const Resource& resource = *request.endpoint->resource;
  if (resource.indexed_words == nullptr || request.path.size() != resource.parents.size()) return std::nullopt;
  auto parents = parents_in_path(request);
  if (!parents) return std::nullopt;
  PartitionFilter filter;
  filter.resource = &resource;
  filter.parents = *std::move(parents);
  for (const Condition& condition : request.conditions) {
    if (condition.parameter->fields.empty()) return std::nullopt;
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

PartitionFacts::PartitionFacts(const PartitionFilter& filter, std::shared_ptr<const SparseIndex> of_partition)
    : index(std::move(of_partition)) {
  total = index->total(filter.words);
  if (total != index->total(0)) words = present(*index, filter.words);
}

PageRange page_range(const Request& request, std::int64_t total) {
  if (request.size == 0) return {0, total};
  if (total == 0 || request.page - 1 > (total - 1) / request.size) return {0, 0};
  const std::int64_t offset = (request.page - 1) * request.size;
  return {offset, std::min(request.size, total - offset)};
}

std::string scan_sql(const Resource& resource, const ScanShape& shape) {
  if (shape.result == ScanShape::Result::OneRow) {
    return row_sql(resource, shape.computes, shape.cut == 0 ? nullptr : &resource.fields[shape.cut - 1]);
  }
  const std::vector<std::string> time = columns_of(time_of(resource));
  const std::string_view words_column = resource.indexed_words->column;
  const std::vector<std::string> parents = parent_columns(resource);
  std::size_t parameters = parents.size();
  const auto parameter = [&] { return fmt::format("?{}", ++parameters); };
  std::string where = where_equal(parents);
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

CountPlan plan_count(const PartitionFacts& facts, std::int64_t second, std::int64_t nano) {
  const SparseIndex& index = *facts.index;
  const std::size_t after = index.count_not_older(second, nano);
  if (after == 0) return {};
  const std::size_t last = after - 1;
  const std::int64_t most = index.before(after, facts.words);
  if (index.splits_ties(last)) return {most};
  CountPlan plan{index.before(last, facts.words)};
  if (most == plan.known) return plan;
  const auto words = static_cast<std::size_t>(std::popcount(facts.words));
  plan.rest = Scan{.shape = {ScanShape::Result::Count, ScanShape::Begin::NotNewerThan, words},
                   .begin = index.key(last),
                   .end = {second, nano, 0}};
  return plan;
}

BoundPlans plan_bounds(const PartitionFilter& filter, const PartitionFacts& facts) {
  BoundPlans plans;
  if (filter.from) plans.from = plan_count(facts, filter.from->second, filter.from->nano);
  if (filter.until) plans.newer = plan_count(facts, filter.until->second, std::int64_t{filter.until->nano} + 1);
  return plans;
}

// It begins so that few rows are passed over: at the filter's end, or at an entry of the index.
RowsPlan plan_rows(const PartitionFilter& filter, const PartitionFacts& facts, PageRange range,
                   ScanShape::Result result, bool computes) {
  const SparseIndex& index = *facts.index;
  RowsPlan plan;
  Scan& scan = plan.first;
  scan.shape.result = result;
  scan.shape.words = static_cast<std::size_t>(std::popcount(facts.words));
  scan.limit = range.count;
  scan.offset = range.offset;
  if (filter.until) {
    scan.shape.begin = ScanShape::Begin::NotNewerThan;
    scan.begin = {filter.until->second, filter.until->nano, 0};
  }
  const std::int64_t rank = facts.newer + range.offset;
  const std::size_t entry = index.seek_rank(rank, facts.words);
  if (const std::int64_t passed = rank - index.before(entry, facts.words); passed < scan.offset) {
    scan.shape.begin = index.splits_ties(entry) ? ScanShape::Begin::InsideTie : ScanShape::Begin::NotNewerThan;
    scan.begin = index.key(entry);
    scan.offset = passed;
  }
  if (scan.shape.words > 1) {
    // Few of the rows that lie between may have these words.
    const std::size_t end = index.seek_rank(rank + range.count - 1, facts.words) + 1;
    const std::int64_t between = index.before(end, 0) - index.before(entry, 0);
    scan.shape.merged = between > kMergedCost * (scan.offset + range.count) +
                                      kMergedStart * static_cast<std::int64_t>(scan.shape.words);
    if (scan.shape.merged) scan.shape.result = ScanShape::Result::Keys;
  }
  scan.shape.computes = computes && scan.shape.result == ScanShape::Result::Rows;
  if (scan.shape.begin == ScanShape::Begin::InsideTie) {
    // All rows that were passed over have the entry's instant, and so it goes on behind that.
    plan.rest = scan;
    plan.rest->shape.begin = ScanShape::Begin::OlderThan;
    plan.rest->offset = 0;
  }
  return plan;
}

PageRange range_around(const PartitionFacts& facts, PageRange page) {
  const std::int64_t first = std::max<std::int64_t>(facts.total - page.offset - page.count - 1, 0);
  return {first, std::min(facts.total - page.offset + 1, facts.total) - first};
}

std::vector<SqlQuery> count_queries(const PartitionFilter& filter, const PartitionFacts& facts) {
  std::vector<SqlQuery> queries;
  const BoundPlans plans = plan_bounds(filter, facts);
  for (const auto& plan : {plans.from, plans.newer}) {
    if (plan && plan->rest) queries.push_back(query_of(filter, facts, *plan->rest));
  }
  return queries;
}

std::vector<SqlQuery> page_queries(const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                                   bool oldest_first, bool computes) {
  const RowsPlan plan = oldest_first
                            ? plan_rows(filter, facts, range_around(facts, page), ScanShape::Result::Keys, false)
                            : plan_rows(filter, facts, page, ScanShape::Result::Rows, computes);
  std::vector<SqlQuery> queries{query_of(filter, facts, plan.first)};
  if (plan.rest) queries.push_back(query_of(filter, facts, *plan.rest));
  if (plan.first.shape.result == ScanShape::Result::Keys) {
    queries.push_back({row_sql(*filter.resource, computes), {}});
  }
  return queries;
}

}  // namespace ocp_mock
