// Pages and totals of a time-ordered list by its sparse index: few rows are read, whatever the offset.
// Input: a reader, and filters that a PartitionFilter can say. Output: totals, and rows as they are answered. Throws
// DatasetError where the database is not as a builder made it. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/database.h"
#include "store/pages/scan_plan.h"

namespace ocp_mock {

PartitionFacts partition_facts(Reader& reader, const PartitionFilter& filter, std::shared_ptr<const SparseIndex> index);

// Appends the rows with these ids.
void append_rows(Reader& reader, const Resource& resource, std::span<const std::int64_t> ids,
                 std::optional<Instant> now, std::string& contents, std::optional<TextCut> cut = std::nullopt);

// Appends the page of the default order, or of that order with the oldest row first.
void append_page(Reader& reader, const PartitionFilter& filter, const PartitionFacts& facts, PageRange page,
                 bool oldest_first, std::optional<Instant> now, std::string& contents);

// The text of a row; it must be an object, as far as can be seen at once.
std::string_view row_text(const Statement& row, int column);

[[noreturn]] void throw_damage(std::string_view what);

}  // namespace ocp_mock
