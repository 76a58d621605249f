// Which rows of which partitions a change has touched, so that only their stored indexes are changed with them.
// Input: rows before they go and after they have come. Output: the entry table as it must be then. Of this module
// only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/database.h"

namespace ocp_mock {

class TouchedPartitions {
 public:
  // The row with the id, which must be there: before it goes or changes, and after it has come or changed. Nothing for
  // a resource without a sparse index.
  void note(Connection& connection, const Resource& resource, std::int64_t id, bool added);

  // A row that goes, with columns as columns() has them.
  void note_removed(const Resource& resource, const Statement& row);

  // Requires a sparse index.
  static std::string columns(const Resource& resource);

  // Any partition may have changed.
  void note_all() { all_ = true; }

  // Changes the stored indexes. A partition with few changes costs a look at each entry of its index, another one a
  // look at each of its rows.
  void store(Connection& connection, const Catalogue& catalogue, const Tables& tables) const;

 private:
  // More changes of one partition cost more to keep than to read its rows.
  static constexpr std::size_t kMostAdjusted = 1000;

  struct Partition {
    std::vector<RowChange> changes;
    bool must_be_read = false;
  };

  void add(const Resource& resource, const Statement& row, bool added);

  std::map<std::pair<const Resource*, std::vector<SqlValue>>, Partition> partitions_;  // resource, parents' keys
  bool all_ = false;
};

}  // namespace ocp_mock
