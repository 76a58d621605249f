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

void TouchedPartitions::note(Connection& connection, const Resource& resource, std::int64_t id, bool added) {
  if (all_ || resource.indexed_words == nullptr) return;
  Statement& row = connection.row_statement(Connection::RowStatement::ReadPlace, resource, [&] {
    return fmt::format("SELECT {} FROM {} WHERE id = ?1", columns(resource), resource.table);
  });
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

void TouchedPartitions::store(Connection& connection, const Catalogue& catalogue, const Tables& tables) const {
  if (all_) return write_sparse_indexes(connection.handle(), catalogue, tables);
  for (const auto& [key, partition] : partitions_) {
    const Resource& resource = *key.first;
    const std::vector<SqlValue> names{std::string(resource.table), partition_text(key.second)};
    std::optional<SparseIndex> index;
    bool stored = false;
    connection.run({"SELECT entries FROM sparse_index WHERE resource = ?1 AND parents = ?2", names},
                   [&](const Statement& row) {
                     stored = true;
                     if (partition.must_be_read) return;
                     index = SparseIndex::of_bytes(resource.indexed_words->words->words.size(), row.bytes(0));
                     if (!index->apply(partition.changes)) index.reset();
                   });
    if (!index) index = make_sparse_index(connection, resource, key.second);
    if (index->total(0) > SparseIndex::kMinStoredRows) {
      const std::string entries = index->bytes();
      Statement insert(connection.handle(), "INSERT OR REPLACE INTO sparse_index VALUES (?1, ?2, ?3)");
      insert.bind_all(names);
      insert.bind_blob(entries);
      insert.step();
    } else if (stored) {
      connection.execute({"DELETE FROM sparse_index WHERE resource = ?1 AND parents = ?2", names});
    }
  }
}

}  // namespace ocp_mock
