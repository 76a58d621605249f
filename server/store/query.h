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

// The columns that a field is stored in; none for a field that lives in the JSON only.
std::vector<std::string> columns_of(const Field& field);

}  // namespace ocp_mock
