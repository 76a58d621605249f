#include "store/pages/sparse_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <tuple>
#include <vector>

using namespace ocp_mock;

namespace {

struct Row {
  std::int64_t second;
  std::size_t status;
};

SparseIndex of(const std::vector<Row>& rows) {
  SparseIndex made(2);
  std::int64_t id = 0;
  for (const Row& row : rows) made.add({row.second, 0, ++id}, row.status);
  made.finish();
  return made;
}

// Newest first, so many rows an instant.
SparseIndex of_groups(const std::vector<std::int64_t>& groups) {
  std::vector<Row> rows;
  std::int64_t second = 0;
  for (const std::int64_t size : groups) {
    --second;
    for (std::int64_t i = 0; i < size; ++i) rows.push_back({second, static_cast<std::size_t>(i) % 2});
  }
  return of(rows);
}

std::vector<std::int64_t> places_of(const SparseIndex& index) {
  std::vector<std::int64_t> entries;
  for (std::size_t i = 0; i < index.size(); ++i) entries.push_back(index.before(i, 0));
  return entries;
}

constexpr std::int64_t kInterval = SparseIndex::kInterval;

}  // namespace

TEST_CASE("sparse index: entries are where an instant begins, and within one that many tasks share") {
  using Places = std::vector<std::int64_t>;
  CHECK(places_of(of({})).empty());
  CHECK(places_of(of_groups({1})) == Places{0});
  CHECK(places_of(of_groups(Places(kInterval, 1))) == Places{0});
  CHECK(places_of(of_groups(Places(kInterval + 1, 1))) == Places{0, kInterval});
  CHECK(places_of(of_groups({kInterval - 1, 10, 1})) == Places{0, kInterval + 9});
  CHECK(places_of(of_groups({2 * kInterval})) == Places{0});
  CHECK(places_of(of_groups({5 * kInterval})) == Places{0, 2 * kInterval, 4 * kInterval});
  CHECK(places_of(of_groups({4 * kInterval + 1, 3})) == Places{0, 2 * kInterval, 4 * kInterval, 4 * kInterval + 1});

  const SparseIndex index = of_groups({4 * kInterval + 1, 3});
  CHECK_FALSE(index.splits_ties(0));
  CHECK(index.splits_ties(1));
  CHECK(index.splits_ties(2));
  CHECK_FALSE(index.splits_ties(3));
}

TEST_CASE("sparse index: it tells how many rows of any statuses come before") {
  const SparseIndex index = of({{9, 0}, {8, SparseIndex::kUnlisted}, {7, 1}, {6, 0}});
  CHECK(index.total(0) == 4);
  CHECK(index.total(0b01) == 2);
  CHECK(index.total(0b10) == 1);
  CHECK(index.total(0b11) == 3);

  const SparseIndex half = of_groups(std::vector<std::int64_t>(10 * kInterval, 2));
  CHECK(half.seek_rank(0, 0) == 0);
  CHECK(half.seek_rank(kInterval - 1, 0) == 0);
  CHECK(half.seek_rank(kInterval, 0) == 1);
  CHECK(half.seek_rank(kInterval, 0b10) == 2);
  CHECK(half.seek_rank(1'000'000, 0) == half.size() - 1);
  CHECK(half.count_not_older(0, 0) == 0);
  CHECK(half.count_not_older(-1, 0) == 1);
  CHECK(half.count_not_older(-1, 1) == 0);
  CHECK(half.count_not_older(-1'000'000, 0) == half.size());
}

TEST_CASE("sparse index: their bytes are read again, and damaged ones are refused") {
  const SparseIndex made = of_groups({3 * kInterval, 5, 7, 2 * kInterval});
  const std::string bytes = made.bytes();
  const SparseIndex read = SparseIndex::of_bytes(2, bytes);
  CHECK(read.bytes() == bytes);
  CHECK(places_of(read) == places_of(made));
  for (std::size_t i = 0; i < made.size(); ++i) {
    CHECK(read.key(i).second == made.key(i).second);
    CHECK(read.key(i).id == made.key(i).id);
    CHECK(read.splits_ties(i) == made.splits_ties(i));
  }
  CHECK_THROWS_AS(SparseIndex::of_bytes(3, bytes), std::runtime_error);
  CHECK_THROWS_AS(SparseIndex::of_bytes(2, bytes.substr(1)), std::runtime_error);
  CHECK_THROWS_AS(SparseIndex::of_bytes(2, bytes + "x"), std::runtime_error);
  CHECK_THROWS_AS(SparseIndex::of_bytes(2, ""), std::runtime_error);

  // Counts that do not grow as tasks do, and entries out of their order, are no index of tasks.
  constexpr std::size_t kPlace = 4;
  constexpr std::size_t kEntryBytes = 8 + 4 + 8 + 1;
  const std::size_t counts = kPlace + made.size() * kEntryBytes;
  constexpr std::size_t kCountBytes = 3 * 4;
  const struct {
    const char* what;
    std::size_t at;
    char byte;
  } cases[]{
      {"more entries than there are", 0, static_cast<char>(made.size() + 1)},
      {"as many as no file has", 3, 0x7F},
      {"a time after the one before", kPlace + 2 * kEntryBytes + 7, 0x7F},
      {"a nanosecond that there is not", kPlace + 8 + 3, 0x7F},
      {"the first place within an instant", kPlace + kEntryBytes - 1, 1},
      {"an id before the one before, in one instant", kPlace + kEntryBytes + 12, 0},
      {"an instant shared, and not told", kPlace + 2 * kEntryBytes - 1, 0},
      {"the first count", counts, 1},
      {"a count below the one before", counts + 2 * kCountBytes, 0},
      {"a count that grows too fast", counts + 2 * kCountBytes + 3, 1},
      {"a count of one status above that of all", counts + 2 * kCountBytes + 7, 1},
      {"the last count", counts + made.size() * kCountBytes + 3, 0x7F},
  };
  for (const auto& [what, at, byte] : cases) {
    CAPTURE(std::string(what));
    std::string damaged = bytes;
    CHECK(damaged.at(at) != byte);
    damaged.at(at) = byte;
    CHECK_THROWS_AS(SparseIndex::of_bytes(2, damaged), std::runtime_error);
  }
}

TEST_CASE("sparse index: they follow rows that come and go as if they had been made of them") {
  struct Row {
    std::int64_t second;
    std::int64_t id;
    std::size_t status;
    auto operator<=>(const Row& other) const { return std::tuple(-second, id) <=> std::tuple(-other.second, other.id); }
    bool operator==(const Row& other) const = default;
  };
  std::mt19937 random(5);
  int followed = 0;
  // From a tenant with an instant a row to one with few instants.
  for (const unsigned seconds : {100'000U, 300U, 12U, 3U}) {
    const auto any_row = [&](std::int64_t id) {
      return Row{static_cast<std::int64_t>(random() % seconds), id,
                 random() % 3 == 0 ? SparseIndex::kUnlisted : random() % 2};
    };
    for (int round = 0; round < 60; ++round) {
      std::vector<Row> rows;
      std::int64_t next_id = 0;
      for (int i = round % 7 * 100; i > 0; --i) rows.push_back(any_row(next_id += 2));
      std::ranges::sort(rows);
      SparseIndex index(2);
      for (const Row& row : rows) index.add({row.second, 0, row.id}, row.status);
      index.finish();
      for (int change = 0; change < 20; ++change) {
        std::vector<RowChange> changes;
        // Now few and now most of them go.
        for (auto i = random() % (round % 5 == 0 ? 200 : 20); i > 0; --i) {
          if (!rows.empty() && random() % 2 == 0) {
            const auto gone = rows.begin() + static_cast<std::ptrdiff_t>(random() % rows.size());
            const Row old = *gone;
            rows.erase(gone);
            changes.push_back({{old.second, 0, old.id}, old.status, false});
            if (random() % 2 == 0) continue;
            // It has changed, with its id.
            const Row changed = any_row(old.id);
            rows.insert(std::ranges::lower_bound(rows, changed), changed);
            changes.push_back({{changed.second, 0, changed.id}, changed.status, true});
          } else {
            Row added = any_row(next_id += 2);
            if (random() % 3 == 0) added.second = static_cast<std::int64_t>(seconds + random() % 3);  // the newest
            rows.insert(std::ranges::lower_bound(rows, added), added);
            changes.push_back({{added.second, 0, added.id}, added.status, true});
          }
        }
        if (!index.apply(changes)) break;
        ++followed;
        bool right = index.total(0) == std::ssize(rows);
        for (std::size_t i = 0; i < index.size(); ++i) {
          const TimeKey& key = index.key(i);
          const auto place = std::ranges::lower_bound(rows, Row{key.second, key.id, 0}) - rows.begin();
          right = right && index.before(i, 0) == place;
          right = right && index.before(i, 1) == std::count_if(rows.begin(), rows.begin() + place,
                                                               [](const Row& row) { return row.status == 0; });
          const auto end = static_cast<std::ptrdiff_t>(index.before(i + 1, 0));
          const auto has_instant = [&](const Row& row) { return row.second == key.second; };
          right = right && (index.splits_ties(i) ? std::all_of(rows.begin() + place, rows.begin() + end, has_instant)
                                                 : std::none_of(rows.begin(), rows.begin() + place, has_instant));
        }
        REQUIRE(right);
        if (rows.empty()) break;
        CHECK(SparseIndex::of_bytes(2, index.bytes()).bytes() == index.bytes());
      }
    }
  }
  CHECK(followed > 500);
}

TEST_CASE("sparse index: rows that are not there, and too many between two of them, must be read") {
  SparseIndex index = of_groups({10, 10});
  CHECK_FALSE(index.apply(std::vector<RowChange>{{{5, 0, 1}, 0, false}}));
  index = of_groups({10, 10});
  CHECK_FALSE(index.apply(std::vector<RowChange>(21, {{-2, 0, 30}, 0, false})));
  index = of_groups({10, 10});
  CHECK(index.apply(std::vector<RowChange>(2 * kInterval - 20, {{-2, 0, 30}, 0, true})));
  CHECK_FALSE(index.apply(std::vector<RowChange>{{{-2, 0, 30}, 0, true}}));
}
