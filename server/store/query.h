// A typed request becomes SQL.
// Enters: the row of the endpoint and a ListRequest. Leaves: SQL text with numbered places, and the values for them.
// Pure; executes nothing. Values are always bound; names come from the endpoint table only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalogue/params.h"
#include "fixtures/sink.h"

namespace ocp_mock {

struct SqlQuery {
  std::string sql;
  std::vector<SqlValue> values;  // of ?1, ?2, ...
};

// A piece of a tenant's default order, as SQL text without values: what the pages and totals of requests are made of.
// Its places, each only where the shape has one: cluster, tenant; second, nanosecond and id of the beginning; second
// and nanosecond of the oldest instant that counts; the statuses; limit, offset.
struct RangeShape {
  enum class Result {
    Tasks,  // a row a task: its JSON text, and, with computes, whether its delay is computed and the columns of its end
    Keys,   // a row a task: second and nanosecond of its time, and its id
    Count,  // one row: how many; without limit and offset
  };
  enum class Begin {
    Newest,  // all tasks
    Until,   // those of an instant and older ones
    Within,  // those of an instant, from an id on
    Before,  // those older than an instant
  };
  Result result = Result::Tasks;
  Begin begin = Begin::Newest;
  std::size_t statuses = 0;  // how many; 0: any
  bool merged = false;       // several statuses, each from the index of its own; Keys only
  bool computes = false;     // some tasks have a computed delay; Tasks only
};

std::string range_sql(const Endpoint& endpoint, const RangeShape& shape);

// The task with an id, as Result::Tasks has it.
std::string task_sql(const Endpoint& endpoint, bool computes);

// The request's order, or the default one.
std::vector<SortKey> sort_of(const Endpoint& endpoint, const ListRequest& request);

// Whether the tasks of the window are those that reach into it, not those whose time lies between two instants.
bool reaches_into_window(const ListRequest& request);

// Whether the order depends on computed delays.
bool sorts_by_delay(const Endpoint& endpoint, const ListRequest& request);

// The tasks that pass the filters, in any order: id and the columns of the sort fields, each field's one after the
// other; with computes those of the end field behind that of the delay. Reads the whole table, also other tenants'
// tasks, or an index and then task by task.
SqlQuery sort_query(const Endpoint& endpoint, const ListRequest& request, bool whole_table, bool computes);

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

}  // namespace ocp_mock
