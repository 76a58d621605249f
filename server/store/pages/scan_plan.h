// Which statements find a page or a total of a time-ordered list, by its sparse index. Executes nothing.
// Input: filters that a PartitionFilter can say, and what the index counts. Output: scans, which become SQL text and
// values.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/request.h"
#include "store/pages/sparse_index.h"
#include "store/query.h"

namespace ocp_mock {

// The rows of one set of parents, between two instants of the first order field, with some words of the indexed field.
struct PartitionFilter {
  const Resource* resource = nullptr;
  std::vector<Value> parents;    // keys, outermost first
  std::optional<Instant> from;   // inclusive
  std::optional<Instant> until;  // inclusive
  WordSet words = 0;             // 0: any

  // What a request asks for; nothing where its filters are of another kind. Bounds that a row lasts into are left out
  // of it: the rows of such a window are among those that began by its end.
  static std::optional<PartitionFilter> of(const Request& request);

  bool operator==(const PartitionFilter&) const = default;
};

struct HashOfPartitionFilter {
  std::size_t operator()(const PartitionFilter& filter) const;
};

// What is known of a filter. The data never changes, so it stays true.
struct PartitionFacts {
  // What the index alone tells; total and newer are to be counted.
  PartitionFacts(const PartitionFilter& filter, std::shared_ptr<const SparseIndex> index);

  std::shared_ptr<const SparseIndex> index;
  WordSet words = 0;       // those of the filter that some row has; 0 also where all rows have them
  std::int64_t total = 0;  // rows between the filter's bounds
  std::int64_t newer = 0;  // rows of these words that are newer than the filter's end
};

// The rows after the first `offset` ones of an order, `count` at most.
struct PageRange {
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

// The page of a list of `total` rows; empty past the last page.
PageRange page_range(const Request& request, std::int64_t total);

// The form of a scan, which makes its SQL text. The parameters, each only where the form has one: the parents; second,
// nanosecond and id of the beginning; second and nanosecond of the oldest instant that counts; the words; limit,
// offset.
struct ScanShape {
  enum class Result : std::uint8_t {
    Rows,   // row_columns()
    Keys,   // second and nanosecond of the time, and the id
    Count,  // one row: how many; without limit and offset
    OneRow  // no scan: row_sql()
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
  bool computes = false;  // some rows have computed values; Rows and OneRow only
  std::size_t cut = 0;  // the field, from 1 on, whose text is cut after as many characters as the last parameter says;
                        // 0: none; OneRow only

  // Of shapes of a catalogue's resources, each another.
  std::uint64_t key(std::size_t resource) const {
    return static_cast<std::uint64_t>(resource) << 32 | static_cast<std::uint64_t>(cut) << 16 |
           static_cast<std::uint64_t>(words) << 8 | static_cast<std::uint64_t>(computes) << 6 |
           static_cast<std::uint64_t>(result) << 4 | static_cast<std::uint64_t>(begin) << 1 |
           static_cast<std::uint64_t>(merged);
  }
};

std::string scan_sql(const Resource& resource, const ScanShape& shape);

// A part of a partition's default order.
struct Scan {
  ScanShape shape;
  TimeKey begin = {};
  TimeKey end = {};
  std::int64_t limit = 0;
  std::int64_t offset = 0;

  // Calls next with each value, an integer or a text, in the order of the shape's parameters.
  template <typename Next>
  void each_value(const PartitionFilter& filter, WordSet words, const Next& next) const {
    for (const Value& parent : filter.parents) {
      if (const auto* integer = std::get_if<std::int64_t>(&parent)) {
        next(*integer);
      } else {
        next(std::string_view(std::get<std::string>(parent)));
      }
    }
    if (shape.begin != ScanShape::Begin::Newest) {
      next(begin.second);
      next(begin.nano);
    }
    if (shape.begin == ScanShape::Begin::InsideTie) next(begin.id);
    if (shape.result == ScanShape::Result::Count) {
      next(end.second);
      next(end.nano);
    }
    for (WordSet rest = words; rest != 0; rest &= rest - 1) {
      next(filter.resource->indexed_words->words->words[static_cast<std::size_t>(std::countr_zero(rest))].word);
    }
    if (shape.result == ScanShape::Result::Count) return;
    next(limit);
    next(offset);
  }
};

// A number of rows: those that are counted already, and those that a scan must count.
struct CountPlan {
  std::int64_t known = 0;
  std::optional<Scan> rest = {};
};

// How many rows of the partition with the filter's words are not older than an instant.
CountPlan plan_count(const PartitionFacts& facts, std::int64_t second, std::int64_t nano);

// The two that make total and newer, where the filter has such a bound.
struct BoundPlans {
  std::optional<CountPlan> from;
  std::optional<CountPlan> newer;
};
BoundPlans plan_bounds(const PartitionFilter& filter, const PartitionFacts& facts);

// Rows of a range, in the default order.
struct RowsPlan {
  Scan first;
  std::optional<Scan> rest = {};  // goes on where the first one ends, with the rows that are missing then
};

// The result is Rows or Keys; where the plan says Keys though it was asked for Rows, the rows are then read by their
// ids, for they come from several indexes.
RowsPlan plan_rows(const PartitionFilter& filter, const PartitionFacts& facts, PageRange range,
                   ScanShape::Result result, bool computes);

// What a page of the order with the oldest row first needs of the default order: its rows and one at either end, which
// may tie with them.
PageRange range_around(const PartitionFacts& facts, PageRange page);

// The SQL of total and newer; nothing for what the index tells.
std::vector<SqlQuery> count_queries(const PartitionFilter& filter, const PartitionFacts& facts);

// The SQL of a page. Rows that are read by their ids, which the first query finds then as its third column, are the
// last one, without the id. Rows of one instant at the page's edges may take more of the same.
std::vector<SqlQuery> page_queries(const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                                   bool oldest_first, bool computes);

}  // namespace ocp_mock
