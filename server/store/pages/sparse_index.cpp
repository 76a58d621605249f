#include "store/pages/sparse_index.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>

namespace ocp_mock {
namespace {

// Little-endian, so that a file may move to another machine.
template <typename Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
  }
}

[[noreturn]] void refuse() {
  throw std::runtime_error("the dataset is damaged: its milestones are not those of tasks");
}

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  template <typename Integer>
  Integer take() {
    if (rest_.size() < sizeof(Integer)) refuse();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(sizeof(Integer));
    return static_cast<Integer>(value);
  }

  std::size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

constexpr std::size_t kPlaceBytes = 8 + 4 + 8 + 1;

}  // namespace

void Milestones::add(const TimeKey& row, std::size_t status) {
  const std::int64_t since = places_.empty() ? 0 : running_[0] - counts_[counts_.size() - stride_];
  const bool inside = running_[0] > 0 && row.same_instant(last_);
  const bool due = inside ? since >= 2 * kStep : since >= kStep || places_.empty() || places_.back().inside;
  if (due) {
    places_.push_back({row, inside});
    counts_.insert(counts_.end(), running_.begin(), running_.end());
  }
  last_ = row;
  ++running_[0];
  if (status != kUnlisted) ++running_[status + 1];
}

Milestones Milestones::of_bytes(std::size_t statuses, std::string_view bytes) {
  Milestones made(statuses);
  Bytes in(bytes);
  const auto places = in.take<std::uint32_t>();
  const std::size_t count_bytes = made.stride_ * sizeof(std::uint32_t);
  if (places == 0 || in.size() != places * (kPlaceBytes + count_bytes) + count_bytes) refuse();
  made.places_.resize(places);
  for (Place& place : made.places_) {
    place.key.second = in.take<std::int64_t>();
    place.key.nano = in.take<std::uint32_t>();
    place.key.id = in.take<std::int64_t>();
    place.inside = in.take<std::uint8_t>() != 0;
  }
  made.counts_.resize((places + std::size_t{1}) * made.stride_);
  for (std::uint32_t& count : made.counts_) count = in.take<std::uint32_t>();
  if (!made.is_plausible()) refuse();
  return made;
}

// Whether places and counts follow each other as add() has them do.
bool Milestones::is_plausible() const {
  const auto stands = [&](std::size_t i) {
    const TimeKey& key = places_[i].key;
    if (key.nano < 0 || key.nano > 999'999'999) return false;
    if (i == 0) return !places_[i].inside;
    const TimeKey& before = places_[i - 1].key;
    if (key.same_instant(before)) return places_[i].inside && before.id < key.id;
    return before.second > key.second || (before.second == key.second && before.nano > key.nano);
  };
  const auto grows = [&](std::size_t i) {
    const std::uint32_t* now = counts_.data() + i * stride_;
    const std::uint32_t* next = now + stride_;
    std::int64_t of_statuses = 0;
    for (std::size_t status = 1; status < stride_; ++status) {
      if (next[status] < now[status]) return false;
      of_statuses += next[status] - now[status];
    }
    const std::int64_t all = std::int64_t{next[0]} - now[0];
    return all > 0 && all <= 2 * kStep && of_statuses <= all;
  };
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!stands(i) || !grows(i)) return false;
  }
  return std::all_of(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(stride_),
                     [](std::uint32_t count) { return count == 0; });
}

std::string Milestones::bytes() const {
  std::string out;
  put(out, static_cast<std::uint32_t>(places_.size()));
  for (const Place& place : places_) {
    put(out, place.key.second);
    put(out, static_cast<std::uint32_t>(place.key.nano));
    put(out, place.key.id);
    put(out, static_cast<std::uint8_t>(place.inside));
  }
  for (const std::uint32_t count : counts_) put(out, count);
  return out;
}

std::int64_t Milestones::before(std::size_t i, StatusSet statuses) const {
  const std::uint32_t* counts = counts_.data() + i * stride_;
  if (statuses == 0) return counts[0];
  std::int64_t sum = 0;
  for (; statuses != 0; statuses &= statuses - 1) sum += counts[std::countr_zero(statuses) + 1];
  return sum;
}

std::size_t Milestones::last_before(std::int64_t rows, StatusSet statuses) const {
  std::size_t low = 0;
  for (std::size_t high = size(); high - low > 1;) {
    const std::size_t middle = std::midpoint(low, high);
    (before(middle, statuses) <= rows ? low : high) = middle;
  }
  return low;
}

std::size_t Milestones::count_until(std::int64_t second, std::int64_t nano) const {
  const auto older = std::ranges::partition_point(places_, [&](const Place& place) {
    return place.key.second != second ? place.key.second > second : place.key.nano >= nano;
  });
  return static_cast<std::size_t>(older - places_.begin());
}

}  // namespace ocp_mock
