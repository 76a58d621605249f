// Where the rows of a partition lie in the default order: an entry every kInterval to 2 * kInterval rows, with the
// number of rows of each word before it. Input: the rows in that order, or the bytes of an earlier run. Output: between
// which entries a rank or an instant lies, and how many rows with some words come before. Pure; knows no SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

// Words of an enumeration, a bit each in the order of its list; 0 for any word, also those that it does not list.
using WordSet = std::uint64_t;

// What the default order compares: the newest comes first, and of those with one instant the lowest id.
struct TimeKey {
  std::int64_t second = 0;
  std::int64_t nano = 0;
  std::int64_t id = 0;

  bool same_instant(const TimeKey& other) const { return second == other.second && nano == other.nano; }
};

// A row that comes or goes, and the index of its word as SparseIndex::add has it.
struct RowChange {
  TimeKey row;
  std::size_t word = 0;
  bool added = false;
};

class SparseIndex {
 public:
  static constexpr std::int64_t kInterval = 64;

  // The indexes of larger partitions are stored; those of others are made when they are needed.
  static constexpr std::int64_t kMinStoredRows = 2 * kInterval;

  static constexpr std::size_t kUnlisted = static_cast<std::size_t>(-1);

  explicit SparseIndex(std::size_t words) : stride_(words + 1), running_(stride_, 0) {}

  // The next row in the default order, and the index of its word in the list or kUnlisted.
  void add(const TimeKey& row, std::size_t word);

  // To be called after the last row.
  void finish() { counts_.insert(counts_.end(), running_.begin(), running_.end()); }

  // Adjusts the counts to rows that have come and gone since, in the order in which they did; a row that changes goes
  // and comes. Requires: finish(), or of_bytes(). Costs a look at each entry. False if too many rows lie between two
  // entries then, or the changes are not those of these rows: the index must be made again, from the rows.
  bool apply(std::span<const RowChange> changes);

  // Throws std::runtime_error for bytes that bytes() cannot have made.
  static SparseIndex of_bytes(std::size_t words, std::string_view bytes);
  std::string bytes() const;

  std::size_t size() const { return entries_.size(); }

  // The first row of entry i.
  const TimeKey& key(std::size_t i) const { return entries_[i].key; }

  // Whether rows of the same instant come before it. Then all rows up to the next entry have this instant too.
  bool splits_ties(std::size_t i) const { return entries_[i].inside; }

  // Rows with these words before entry i; before(size(), ...) are all.
  std::int64_t before(std::size_t i, WordSet words) const;
  std::int64_t total(WordSet words) const { return before(size(), words); }

  // The last entry preceded by at most `rows` such rows. Requires size() > 0.
  std::size_t seek_rank(std::int64_t rows, WordSet words) const;

  // The number of entries whose rows are not older.
  std::size_t count_not_older(std::int64_t second, std::int64_t nano) const;

 private:
  bool is_plausible() const;

  struct Entry {
    TimeKey key;
    bool inside;
  };

  std::size_t stride_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> counts_;  // of each entry, then of the end: any word, then each
  std::vector<std::uint32_t> running_;
  TimeKey last_;
};

}  // namespace ocp_mock
