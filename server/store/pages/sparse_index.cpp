#include "store/pages/sparse_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace ocp_mock {
namespace {

// Little-endian, so that a file may move to another machine.
template <typename Integer>
Integer ordered(Integer value) {
  if constexpr (std::endian::native == std::endian::big) {
    auto bytes = std::bit_cast<std::array<char, sizeof(Integer)>>(value);
    std::ranges::reverse(bytes);
    value = std::bit_cast<Integer>(bytes);
  }
  return value;
}

template <typename Integer>
void put(std::string& out, Integer value) {
  value = ordered(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

[[noreturn]] void refuse() { throw std::runtime_error("the dataset is damaged: its sparse index is not that of rows"); }

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  template <typename Integer>
  Integer take() {
    if (rest_.size() < sizeof(Integer)) refuse();
    Integer value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return ordered(value);
  }

  std::size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

constexpr std::size_t kEntryBytes = 8 + 4 + 8 + 1;

}  // namespace

void SparseIndex::add(const TimeKey& row, std::size_t word) {
  const std::int64_t since = entries_.empty() ? 0 : running_[0] - counts_[counts_.size() - stride_];
  const bool inside = running_[0] > 0 && row.same_instant(last_);
  const bool due = inside ? since >= 2 * kInterval : since >= kInterval || entries_.empty() || entries_.back().inside;
  if (due) {
    entries_.push_back({row, inside});
    counts_.insert(counts_.end(), running_.begin(), running_.end());
  }
  last_ = row;
  ++running_[0];
  if (word != kUnlisted) ++running_[word + 1];
}

bool SparseIndex::apply(std::span<const RowChange> changes) {
  const auto comes_before = [](const TimeKey& a, const TimeKey& b) {
    if (a.second != b.second) return a.second > b.second;
    return a.nano != b.nano ? a.nano > b.nano : a.id < b.id;
  };
  // Of each entry its own rows, up to the next entry.
  std::vector<std::uint32_t> own(counts_.size() - stride_);
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = counts_[i + stride_] - counts_[i];
  const auto insert_entry = [&](std::size_t entry, const TimeKey& key) {
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(entry), {key, false});
    own.insert(own.begin() + static_cast<std::ptrdiff_t>(entry * stride_), stride_, 0);
  };
  for (const auto& [row, word, added] : changes) {
    const auto next = std::ranges::partition_point(
        entries_, [&, &key = row](const Entry& entry) { return !comes_before(key, entry.key); });
    auto after = static_cast<std::size_t>(next - entries_.begin());  // the row lies in the entry before this
    if (added) {
      if (next != entries_.end() && next->key.same_instant(row) && !next->inside) {
        // It stands at the first row of its instant.
        next->key = row;
        ++after;
      } else if (after == 0) {
        if (entries_.empty() || own[0] >= 2 * kInterval) {
          insert_entry(0, row);
        } else {
          entries_[0].key = row;
        }
        after = 1;
      } else if (entries_[after - 1].inside && !entries_[after - 1].key.same_instant(row)) {
        // All rows there have one instant.
        insert_entry(after, row);
        ++after;
      }
    }
    if (after == 0) return false;
    std::uint32_t* const counts = own.data() + (after - 1) * stride_;
    const auto count = [&, is_added = added](std::uint32_t& rows, std::uint32_t most) {
      if (rows == (is_added ? most : 0)) return false;
      is_added ? ++rows : --rows;
      return true;
    };
    if (!count(counts[0], 2 * kInterval)) return false;
    if (word != kUnlisted && !count(counts[word + 1], 2 * kInterval)) return false;
  }
  counts_.assign(stride_, 0);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (own[i * stride_] == 0) continue;
    entries_[kept] = {entries_[i].key, kept > 0 && entries_[i].inside};
    ++kept;
    for (std::size_t j = 0; j < stride_; ++j) {
      counts_.push_back(counts_[counts_.size() - stride_] + own[i * stride_ + j]);
    }
  }
  entries_.resize(kept);
  return true;
}

SparseIndex SparseIndex::of_bytes(std::size_t words, std::string_view bytes) {
  SparseIndex made(words);
  Bytes in(bytes);
  const auto entries = in.take<std::uint32_t>();
  const std::size_t count_bytes = made.stride_ * sizeof(std::uint32_t);
  if (entries == 0 || in.size() != entries * (kEntryBytes + count_bytes) + count_bytes) refuse();
  made.entries_.resize(entries);
  for (Entry& entry : made.entries_) {
    entry.key.second = in.take<std::int64_t>();
    entry.key.nano = in.take<std::uint32_t>();
    entry.key.id = in.take<std::int64_t>();
    entry.inside = in.take<std::uint8_t>() != 0;
  }
  made.counts_.resize((entries + std::size_t{1}) * made.stride_);
  for (std::uint32_t& count : made.counts_) count = in.take<std::uint32_t>();
  if (!made.is_plausible()) refuse();
  return made;
}

// Whether entries and counts follow each other as add() has them do.
bool SparseIndex::is_plausible() const {
  const auto stands = [&](std::size_t i) {
    const TimeKey& key = entries_[i].key;
    if (key.nano < 0 || key.nano > 999'999'999) return false;
    if (i == 0) return !entries_[i].inside;
    const TimeKey& before = entries_[i - 1].key;
    if (key.same_instant(before)) return entries_[i].inside && before.id < key.id;
    return before.second > key.second || (before.second == key.second && before.nano > key.nano);
  };
  const auto grows = [&](std::size_t i) {
    const std::uint32_t* now = counts_.data() + i * stride_;
    const std::uint32_t* next = now + stride_;
    std::int64_t of_words = 0;
    for (std::size_t word = 1; word < stride_; ++word) {
      if (next[word] < now[word]) return false;
      of_words += next[word] - now[word];
    }
    const std::int64_t all = std::int64_t{next[0]} - now[0];
    return all > 0 && all <= 2 * kInterval && of_words <= all;
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!stands(i) || !grows(i)) return false;
  }
  return std::all_of(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(stride_),
                     [](std::uint32_t count) { return count == 0; });
}

std::string SparseIndex::bytes() const {
  std::string out;
  out.reserve(sizeof(std::uint32_t) * (1 + counts_.size()) + entries_.size() * kEntryBytes);
  put(out, static_cast<std::uint32_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    put(out, entry.key.second);
    put(out, static_cast<std::uint32_t>(entry.key.nano));
    put(out, entry.key.id);
    put(out, static_cast<std::uint8_t>(entry.inside));
  }
  for (const std::uint32_t count : counts_) put(out, count);
  return out;
}

std::int64_t SparseIndex::before(std::size_t i, WordSet words) const {
  const std::uint32_t* counts = counts_.data() + i * stride_;
  if (words == 0) return counts[0];
  std::int64_t sum = 0;
  for (; words != 0; words &= words - 1) sum += counts[std::countr_zero(words) + 1];
  return sum;
}

std::size_t SparseIndex::seek_rank(std::int64_t rows, WordSet words) const {
  std::size_t low = 0;
  for (std::size_t high = size(); high - low > 1;) {
    const std::size_t middle = std::midpoint(low, high);
    (before(middle, words) <= rows ? low : high) = middle;
  }
  return low;
}

std::size_t SparseIndex::count_not_older(std::int64_t second, std::int64_t nano) const {
  const auto older = std::ranges::partition_point(entries_, [&](const Entry& entry) {
    return entry.key.second != second ? entry.key.second > second : entry.key.nano >= nano;
  });
  return static_cast<std::size_t>(older - entries_.begin());
}

}  // namespace ocp_mock
