// A typed request becomes SQL.
// Input: a resource, and requests or conditions on its columns. Output: SQL text with numbered parameters, and the
// values for them. Pure; executes nothing. Values are always bound; names come from the catalogue only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/request.h"
#include "fixtures/sink.h"

namespace ocp_mock {

struct SqlQuery {
  std::string sql;
  std::vector<SqlValue> values;  // of ?1, ?2, ...
};

// The columns of the keys of a resource's parents, outermost first; and these with that of its own key, which it must
// have.
std::vector<std::string> parent_columns(const Resource& resource);
std::vector<std::string> key_columns(const Resource& resource);

// All columns of a row but its id.
std::vector<std::string> all_columns(const Resource& resource);

// Statements for a row with values for these columns, in their order; the last parameter of an update is the id.
std::string insert_sql(const Resource& resource, const std::vector<std::string>& columns);
std::string update_sql(const Resource& resource, const std::vector<std::string>& columns);

// " WHERE a = ?1 AND b = ?2", or nothing for no columns.
std::string where_equal(const std::vector<std::string>& columns);

// The columns that a row is read by: its JSON text, and, with computes, whether its computed field is computed and the
// columns of the field that it is computed from. With cut the text of that field ends after ?2 characters.
std::string row_columns(const Resource& resource, bool computes, const Field* cut = nullptr);

// What Match::Length makes of the texts of a field.
struct TextCut {
  const Field* field;
  std::int64_t characters;
};
std::optional<TextCut> cut_of(const Request& request);

// The row with an id, ?1. With cut the text of that field ends after ?2 characters.
std::string row_sql(const Resource& resource, bool computes, const Field* cut = nullptr);

// The request's order, or the default one.
std::span<const SortKey> sort_of(const Request& request);

// The keys of the resource's parents, outermost first, where the path has them all.
std::optional<std::vector<Value>> parents_in_path(const Request& request);

// Whether the order depends on the time of the answer, where the resource has computed values.
bool sorts_by_computed(const Request& request);

// Whether the rows of the window are those that last into it, not those whose time lies between its bounds.
bool lasts_into_window(const Request& request);

// The ids of all rows that pass the request's filters, in its order; rows without a sort field come last, and rows that
// tie keep the order of the fixtures, in both directions. With computes some values are computed, and compare as they
// are at request.now. With whole_table no index is used.
SqlQuery ids_query(const Request& request, bool computes, bool whole_table);

// One row: how many rows pass the request's filters.
SqlQuery count_query(const Request& request);

// Whether there is a row of path parameter i, below those of the parameters before it: one row with 0 or 1.
SqlQuery exists_query(const Request& request, std::size_t i);

// What a column must hold; NULL where the value is nothing.
struct ColumnCondition {
  std::string column;
  SqlValue value;
};

// Which rows of a resource, of all parents.
struct RowSelection {
  std::vector<ColumnCondition> conditions;  // all must be met
  bool with_timeline = false;               // only those
};

// A row each: its id, its JSON text, since and points of its timeline or NULL, the keys of its parents and its own. In
// the order of the fixtures where there is no condition.
SqlQuery rows_query(const Resource& resource, const RowSelection& selection);

// Deletes the rows that meet all conditions.
SqlQuery removal_query(const Resource& resource, const std::vector<ColumnCondition>& conditions);

// The values of a field's columns.
std::vector<SqlValue> column_values(const Value& value);

// The value as JSON has it: a number, a string or null.
std::string json_value(const SqlValue& value);

}  // namespace ocp_mock
