// Pages and totals of a time-ordered list by its sparse index: few rows are read, whatever the offset.
// Input: a reader, and filters that a PartitionFilter can say. Output: totals, ids in the list's order, and rows as
// they are answered. Throws DatasetError where the database is not as a builder made it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/database.h"
#include "store/pages/sparse_index.h"
#include "store/query.h"

namespace ocp_mock {

// The statements that were run, in the order in which they first ran, each once.
using SqlTrace = std::vector<SqlQuery>;

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
  std::int64_t total = 0;
  WordSet words = 0;       // those of the filter that some row has; 0 also where all rows have them
  std::int64_t newer = 0;  // rows of these words that are newer than the filter's end
  std::shared_ptr<const SparseIndex> index;
};

// The rows after the first `offset` ones of an order, `count` at most.
struct PageRange {
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

// The page of a list of `total` rows; empty past the last page.
PageRange page_range(const Request& request, std::int64_t total);

PartitionFacts partition_facts(Reader& reader, const PartitionFilter& filter, std::shared_ptr<const SparseIndex> index,
                               SqlTrace* trace = nullptr);

// Appends the rows with these ids.
void append_rows(Reader& reader, const Resource& resource, std::span<const std::int64_t> ids,
                 std::optional<Instant> now, std::string& contents, SqlTrace* trace = nullptr);

// Appends the page of the default order, or of that order with the oldest row first.
void append_page(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                 bool oldest_first, std::optional<Instant> now, std::string& contents, SqlTrace* trace = nullptr);

[[noreturn]] void throw_damage(std::string_view what);

}  // namespace ocp_mock
