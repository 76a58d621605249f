// Where the rows of a tenant lie in the default order: counts at places that are kStep to twice as many rows apart.
// Enters: the rows in that order, or the bytes of an earlier run. Leaves: between which places a position or an instant
// lies, and how many rows of which statuses come before. Pure; knows no SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/endpoints.h"

namespace ocp_mock {

// What the default order compares: the newest comes first, and of those with one instant the lowest id.
struct TimeKey {
  std::int64_t second = 0;
  std::int64_t nano = 0;
  std::int64_t id = 0;

  bool same_instant(const TimeKey& other) const { return second == other.second && nano == other.nano; }
};

class Milestones {
 public:
  static constexpr std::int64_t kStep = 64;

  // Tenants with more rows have their milestones stored; those of others are made when they are needed.
  static constexpr std::int64_t kUnstoredRows = 2 * kStep;

  static constexpr std::size_t kUnlisted = static_cast<std::size_t>(-1);

  explicit Milestones(std::size_t statuses) : stride_(statuses + 1), running_(stride_, 0) {}

  // The next row in the default order, and the place of its status in the endpoint's list or kUnlisted.
  void add(const TimeKey& row, std::size_t status);

  // To be called after the last row.
  void finish() { counts_.insert(counts_.end(), running_.begin(), running_.end()); }

  // Throws std::runtime_error for bytes that bytes() cannot have made.
  static Milestones of_bytes(std::size_t statuses, std::string_view bytes);
  std::string bytes() const;

  std::size_t size() const { return places_.size(); }

  // The row at which milestone i stands.
  const TimeKey& key(std::size_t i) const { return places_[i].key; }

  // Whether rows of the same instant come before it. Then all rows up to the next milestone have this instant too.
  bool is_inside(std::size_t i) const { return places_[i].inside; }

  // Rows of these statuses before milestone i; before(size(), ...) are all.
  std::int64_t before(std::size_t i, StatusSet statuses) const;
  std::int64_t total(StatusSet statuses) const { return before(size(), statuses); }

  // The last milestone with no more such rows before it than so many. There must be one milestone at least.
  std::size_t last_before(std::int64_t rows, StatusSet statuses) const;

  // The number of milestones at rows that are not older.
  std::size_t count_until(std::int64_t second, std::int64_t nano) const;

 private:
  bool is_plausible() const;

  struct Place {
    TimeKey key;
    bool inside;
  };

  std::size_t stride_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> counts_;  // of each place, then of the end: any status, then each
  std::vector<std::uint32_t> running_;
  TimeKey last_;
};

}  // namespace ocp_mock
