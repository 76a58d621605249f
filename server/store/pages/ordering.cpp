#include "store/pages/ordering.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>

namespace ocp_mock {
namespace {

// A row's sort fields become words that compare as the fields do, two a field; the id is the last word.
using Word = std::uint64_t;
constexpr std::size_t kWordsPerField = 2;
constexpr std::size_t kMaximumSortKeys = 5;
constexpr Word kMissing = std::numeric_limits<Word>::max();  // no instant and no number has this as its first word

Word word_of(std::int64_t integer) {
  return static_cast<Word>(integer) ^ Word { 1 } << 63;
}

Word word_of(double real) {
  const Word bits = std::bit_cast<Word>(real == 0 ? 0.0 : real);  // there are two zeros
  return (bits >> 63) != 0 ? ~bits : bits | Word{1} << 63;
}

struct FieldWords {
  Word first;
  Word second;
};

FieldWords words_of_number(const Statement& row, int column) {
  if (row.type(column) == SQLITE_FLOAT) return {word_of(row.real(column)), word_of(std::int64_t{0})};
  // Integers compare with doubles and with each other exactly: what rounding takes away decides where doubles tie.
  const std::int64_t integer = row.integer(column);
  const double rounded = static_cast<double>(integer);
  constexpr double kBeyond = 9223372036854775808.0;
  const std::int64_t rest = rounded == kBeyond ? integer - std::numeric_limits<std::int64_t>::max() - 1
                                               : integer - static_cast<std::int64_t>(rounded);
  return {word_of(rounded), word_of(rest)};
}

// Texts get numbers as they are met; once all are known these become ranks.
class TextRanks {
 public:
  Word number_of(std::string_view text) {
    auto found = numbers_.find(text);
    if (found == numbers_.end()) found = numbers_.emplace(text, numbers_.size()).first;
    return found->second;
  }

  std::vector<Word> ranks() const {
    std::vector<Word> ranks(numbers_.size());
    Word rank = 0;
    for (const auto& [text, number] : numbers_) ranks[number] = rank++;
    return ranks;
  }

 private:
  std::map<std::string, Word, std::less<>> numbers_;
};

// As the decimal number that is answered compares.
FieldWords words_of_delay(std::int64_t ten_thousandths) {
  return {word_of(static_cast<double>(ten_thousandths) / 10'000), word_of(std::int64_t{0})};
}

// What rows are sorted by.
struct RowOrder {
  std::vector<SortKey> keys;
  const Field* computed;  // whose columns those of the end follow; null for none
  Instant now;
};

template <std::size_t kFields>
TaskIds sort_rows(Statement& row, const RowOrder& order, std::int64_t tasks) {
  const std::vector<SortKey>& sort = order.keys;
  constexpr std::size_t kId = kFields * kWordsPerField;
  std::vector<std::array<Word, kId + 1>> rows;
  rows.reserve(static_cast<std::size_t>(tasks));
  std::vector<TextRanks> texts(sort.size());
  while (row.step()) {
    auto& words = rows.emplace_back();
    words[kId] = word_of(row.integer(0));
    int column = 1;
    for (std::size_t i = 0; i < sort.size(); ++i) {
      const Field& field = *sort[i].field;
      FieldWords made{kMissing, 0};
      if (row.type(column) != SQLITE_NULL) {
        switch (field.type) {
          case FieldType::Integer:
          case FieldType::Number:
            made = row.type(column) != SQLITE_TEXT
                       ? words_of_number(row, column)
                       : words_of_delay(delay_between(
                             {row.integer(column + 1), static_cast<std::int32_t>(row.integer(column + 2))}, order.now));
            break;
          case FieldType::Time: made = {word_of(row.integer(column)), word_of(row.integer(column + 1))}; break;
          case FieldType::String: made = {texts[i].number_of(row.bytes(column)), 0}; break;
        }
        if (sort[i].descending && field.type != FieldType::String) made = {~made.first, ~made.second};
      }
      words[i * kWordsPerField] = made.first;
      words[i * kWordsPerField + 1] = made.second;
      column += field.type == FieldType::Time ? 2 : &field == order.computed ? 3 : 1;
    }
  }
  for (std::size_t i = 0; i < sort.size(); ++i) {
    if (sort[i].field->type != FieldType::String) continue;
    const std::vector<Word> ranks = texts[i].ranks();
    for (auto& words : rows) {
      Word& word = words[i * kWordsPerField];
      if (word != kMissing) word = sort[i].descending ? ranks.size() - ranks[word] : ranks[word];
    }
  }
  std::ranges::sort(rows);
  TaskIds ids;
  ids.reserve(rows.size());
  for (const auto& words : rows) ids.push_back(static_cast<std::int64_t>(words[kId] ^ Word{1} << 63));
  return ids;
}

}  // namespace

bool sorts_whole_table(const Reader& reader, const Endpoint& endpoint, std::int64_t tasks) {
  Statement last(reader.handle(), "SELECT max(id) FROM " + std::string(endpoint.table));
  // Reading the table in its own order is several times as fast for each task.
  return last.step() && last.integer(0) / 4 < tasks;
}

TaskIds sorted_ids(const Reader& reader, const Endpoint& endpoint, const ListRequest& request, std::int64_t tasks,
                   bool computes) {
  const SqlQuery query = sort_query(endpoint, request, sorts_whole_table(reader, endpoint, tasks), computes);
  Statement row(reader.handle(), query.sql);
  row.bind_all(query.values);
  const RowOrder order{sort_of(endpoint, request), computes ? endpoint.find_field(endpoint.delay_field) : nullptr,
                       request.now};
  switch (order.keys.size()) {
    case 1: return sort_rows<1>(row, order, tasks);
    case 2: return sort_rows<2>(row, order, tasks);
  }
  if (order.keys.size() > kMaximumSortKeys) throw std::length_error("more sort fields than an order has words for");
  return sort_rows<kMaximumSortKeys>(row, order, tasks);
}

std::shared_ptr<const TaskIds> OrderCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(orders_, key, [](const auto& order) { return order.first; });
  if (found == orders_.end()) return nullptr;
  orders_.splice(orders_.begin(), orders_, found);
  return found->second;
}

void OrderCache::add(const std::string& key, std::shared_ptr<const TaskIds> ids) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(orders_, key, [](const auto& order) { return order.first; }) != orders_.end()) return;
  ids_ += ids->size() + kOverhead;
  orders_.emplace_front(key, std::move(ids));
  while (ids_ > kMaximumIds && orders_.size() > 1) {
    ids_ -= orders_.back().second->size() + kOverhead;
    orders_.pop_back();
  }
}

}  // namespace ocp_mock
