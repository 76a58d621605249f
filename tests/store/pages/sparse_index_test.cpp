#include "store/pages/sparse_index.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using namespace ocp_mock;

namespace {

struct Row {
  std::int64_t second;
  std::size_t status;
};

Milestones of(const std::vector<Row>& rows) {
  Milestones made(2);
  std::int64_t id = 0;
  for (const Row& row : rows) made.add({row.second, 0, ++id}, row.status);
  made.finish();
  return made;
}

// Newest first, so many rows an instant.
Milestones of_groups(const std::vector<std::int64_t>& groups) {
  std::vector<Row> rows;
  std::int64_t second = 0;
  for (const std::int64_t size : groups) {
    --second;
    for (std::int64_t i = 0; i < size; ++i) rows.push_back({second, static_cast<std::size_t>(i) % 2});
  }
  return of(rows);
}

std::vector<std::int64_t> places_of(const Milestones& milestones) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < milestones.size(); ++i) places.push_back(milestones.before(i, 0));
  return places;
}

constexpr std::int64_t kStep = Milestones::kStep;

}  // namespace

TEST_CASE("milestones: they stand where an instant begins, and within one that many tasks share") {
  using Places = std::vector<std::int64_t>;
  CHECK(places_of(of({})).empty());
  CHECK(places_of(of_groups({1})) == Places{0});
  CHECK(places_of(of_groups(Places(kStep, 1))) == Places{0});
  CHECK(places_of(of_groups(Places(kStep + 1, 1))) == Places{0, kStep});
  CHECK(places_of(of_groups({kStep - 1, 10, 1})) == Places{0, kStep + 9});
  CHECK(places_of(of_groups({2 * kStep})) == Places{0});
  CHECK(places_of(of_groups({5 * kStep})) == Places{0, 2 * kStep, 4 * kStep});
  CHECK(places_of(of_groups({4 * kStep + 1, 3})) == Places{0, 2 * kStep, 4 * kStep, 4 * kStep + 1});

  const Milestones milestones = of_groups({4 * kStep + 1, 3});
  CHECK_FALSE(milestones.is_inside(0));
  CHECK(milestones.is_inside(1));
  CHECK(milestones.is_inside(2));
  CHECK_FALSE(milestones.is_inside(3));
}

TEST_CASE("milestones: they tell how many rows of any statuses come before") {
  const Milestones milestones = of({{9, 0}, {8, Milestones::kUnlisted}, {7, 1}, {6, 0}});
  CHECK(milestones.total(0) == 4);
  CHECK(milestones.total(0b01) == 2);
  CHECK(milestones.total(0b10) == 1);
  CHECK(milestones.total(0b11) == 3);

  const Milestones half = of_groups(std::vector<std::int64_t>(10 * kStep, 2));
  CHECK(half.last_before(0, 0) == 0);
  CHECK(half.last_before(kStep - 1, 0) == 0);
  CHECK(half.last_before(kStep, 0) == 1);
  CHECK(half.last_before(kStep, 0b10) == 2);
  CHECK(half.last_before(1'000'000, 0) == half.size() - 1);
  CHECK(half.count_until(0, 0) == 0);
  CHECK(half.count_until(-1, 0) == 1);
  CHECK(half.count_until(-1, 1) == 0);
  CHECK(half.count_until(-1'000'000, 0) == half.size());
}

TEST_CASE("milestones: their bytes are read again, and damaged ones are refused") {
  const Milestones made = of_groups({3 * kStep, 5, 7, 2 * kStep});
  const std::string bytes = made.bytes();
  const Milestones read = Milestones::of_bytes(2, bytes);
  CHECK(read.bytes() == bytes);
  CHECK(places_of(read) == places_of(made));
  for (std::size_t i = 0; i < made.size(); ++i) {
    CHECK(read.key(i).second == made.key(i).second);
    CHECK(read.key(i).id == made.key(i).id);
    CHECK(read.is_inside(i) == made.is_inside(i));
  }
  CHECK_THROWS_AS(Milestones::of_bytes(3, bytes), std::runtime_error);
  CHECK_THROWS_AS(Milestones::of_bytes(2, bytes.substr(1)), std::runtime_error);
  CHECK_THROWS_AS(Milestones::of_bytes(2, bytes + "x"), std::runtime_error);
  CHECK_THROWS_AS(Milestones::of_bytes(2, ""), std::runtime_error);

  // Counts that do not grow as tasks do, and places out of their order, are no milestones of tasks.
  constexpr std::size_t kPlace = 4;
  constexpr std::size_t kPlaceBytes = 8 + 4 + 8 + 1;
  const std::size_t counts = kPlace + made.size() * kPlaceBytes;
  constexpr std::size_t kCountBytes = 3 * 4;
  const struct {
    const char* what;
    std::size_t at;
    char byte;
  } cases[]{
      {"more places than there are", 0, static_cast<char>(made.size() + 1)},
      {"as many as no file has", 3, 0x7F},
      {"a time after the one before", kPlace + 2 * kPlaceBytes + 7, 0x7F},
      {"a nanosecond that there is not", kPlace + 8 + 3, 0x7F},
      {"the first place within an instant", kPlace + kPlaceBytes - 1, 1},
      {"an id before the one before, in one instant", kPlace + kPlaceBytes + 12, 0},
      {"an instant shared, and not told", kPlace + 2 * kPlaceBytes - 1, 0},
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
    CHECK_THROWS_AS(Milestones::of_bytes(2, damaged), std::runtime_error);
  }
}
