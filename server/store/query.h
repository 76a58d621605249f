// A typed request becomes SQL.
// Enters: the row of the endpoint and a ListRequest. Leaves: SQL text with numbered places, and the values for them.
// Pure; executes nothing. Values are always bound; names come from the endpoint table only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ocp/params.h"

namespace ocp_mock {

// A value of a column or of a place in a statement.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct SqlQuery {
  std::string sql;
  std::vector<SqlValue> values;  // of ?1, ?2, ...
};

// One row: how many tasks pass the filters.
SqlQuery count_query(const Endpoint& endpoint, const ListRequest& request);

// A row a task of the asked page, in order: its JSON text.
SqlQuery page_query(const Endpoint& endpoint, const ListRequest& request);

// What a column must hold; nothing in it where the value is nothing.
struct ColumnCondition {
  std::string column;
  SqlValue value;
};

// Which tasks of an endpoint, of all clusters and tenants.
struct TaskSelection {
  std::vector<ColumnCondition> conditions;  // all must be met
  bool with_timeline = false;               // only those
};

// A row a task: its id, its JSON text, and since and points of its timeline, or nothing. In the order of the fixtures
// where there is no condition.
SqlQuery tasks_query(const Endpoint& endpoint, const TaskSelection& selection);

// Deletes the tasks that meet all conditions.
SqlQuery removal_query(const Endpoint& endpoint, const std::vector<ColumnCondition>& conditions);

// The columns that a field is stored in; none for a field that lives in the JSON only.
std::vector<std::string> columns_of(const Field& field);

}  // namespace ocp_mock
