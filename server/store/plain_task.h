// Rows of plain tasks, the quick way.
// Enters: a plain object. Leaves: the row that row_of_task makes of it, or nothing where that must look itself: when
// the task breaks a rule, has $ members, or has escapes in what becomes a column.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/fixture_sink.h"
#include "store/plain_json.h"

namespace ocp_mock {

class PlainTasks {
 public:
  // False if the row is row_of_task's to make; it holds anything then. A row that is used again needs no memory.
  bool read(const Endpoint& endpoint, const PlainObject& task, TaskRow& row);

 private:
  // A key of the task before, for the next task has most likely the same at this place.
  struct Key {
    std::string text;
    const Field* field = nullptr;  // null for one that is not known
  };

  struct Place {
    const Field* field = nullptr;
    std::size_t column = 0;  // the first of its columns
    const PlainMember* member = nullptr;
  };

  void learn(const Endpoint& endpoint);
  const Field* field_of(std::size_t place, std::string_view key);
  bool set_columns(const Place& place, std::vector<SqlValue>& columns) const;

  const Endpoint* endpoint_ = nullptr;
  std::vector<Key> keys_;
  std::vector<Place> places_;  // of all fields, in their order
  std::size_t columns_ = 0;
  std::size_t cluster_id_ = 0;
  std::size_t tenant_id_ = 0;
  std::size_t cluster_name_ = 0;
  std::size_t tenant_name_ = 0;
};

}  // namespace ocp_mock
