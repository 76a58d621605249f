#include "store/touched_partitions.h"

#include <fmt/format.h>

#include <optional>

namespace ocp_mock {

std::string TouchedPartitions::columns(const Resource& resource) {
  std::string columns;
  for (const std::string& column : parent_columns(resource)) columns += column + ", ";
  const std::vector<std::string> time = columns_of(*resource.order.front().field);
  return fmt::format("{}{}, {}, id, {}", columns, time[0], time[1], resource.indexed_words->column);
}

void TouchedPartitions::note(sqlite3* database, const Resource& resource, std::int64_t id, bool added) {
  if (all_ || resource.indexed_words == nullptr) return;
  auto found = rows_.find(&resource);
  if (found == rows_.end()) {
    const std::string sql = fmt::format("SELECT {} FROM {} WHERE id = ?1", columns(resource), resource.table);
    found = rows_.try_emplace(&resource, database, sql).first;
  }
  Statement& row = found->second;
  const Use use(row);
  row.bind(id);
  if (row.step()) add(resource, row, added);
}

void TouchedPartitions::note_removed(const Resource& resource, const Statement& row) { add(resource, row, false); }

void TouchedPartitions::add(const Resource& resource, const Statement& row, bool added) {
  const auto first = static_cast<int>(resource.parents.size());
  std::vector<SqlValue> parents;
  for (int i = 0; i < first; ++i) parents.push_back(row.value(i));
  Partition& partition = partitions_[{&resource, std::move(parents)}];
  if (partition.must_be_read) return;
  partition.changes.push_back({{row.integer(first), row.integer(first + 1), row.integer(first + 2)},
                               resource.indexed_words->words->find(row.bytes(first + 3)),
                               added});
  if (partition.changes.size() <= kMostAdjusted) return;
  partition.must_be_read = true;
  partition.changes = {};
}

void TouchedPartitions::store(sqlite3* database, const Catalogue& catalogue, const Tables& tables) {
  if (all_) return write_sparse_indexes(database, catalogue, tables);
  if (partitions_.empty()) return;
  const std::string_view which = " WHERE resource = ?1 AND parents = ?2";
  Statement select(database, fmt::format("SELECT entries FROM sparse_index{}", which));
  Statement remove(database, fmt::format("DELETE FROM sparse_index{}", which));
  Statement insert(database, "INSERT OR REPLACE INTO sparse_index VALUES (?1, ?2, ?3)");
  for (const auto& [key, partition] : partitions_) {
    const Resource& resource = *key.first;
    const std::string parents = partition_text(key.second);
    const auto bind = [&](Statement& statement) {
      statement.bind(resource.table);
      statement.bind(std::string_view(parents));
    };
    std::optional<SparseIndex> index;
    bool stored = false;
    {
      const Use use(select);
      bind(select);
      stored = select.step();
      if (stored && !partition.must_be_read) {
        index = SparseIndex::of_bytes(resource.indexed_words->words->words.size(), select.bytes(0));
        if (!index->apply(partition.changes)) index.reset();
      }
    }
    if (!index) index = make_sparse_index(database, resource, key.second);
    if (index->total(0) > SparseIndex::kMinStoredRows) {
      const std::string entries = index->bytes();
      const Use use(insert);
      bind(insert);
      insert.bind_blob(entries);
      insert.step();
    } else if (stored) {
      const Use use(remove);
      bind(remove);
      remove.step();
    }
  }
}

void TouchedPartitions::clear() {
  rows_.clear();
  partitions_.clear();
}

}  // namespace ocp_mock
