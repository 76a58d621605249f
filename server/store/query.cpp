#include "store/query.h"

#include <fmt/format.h>

#include <limits>

namespace ocp_mock {
namespace {

class QueryBuilder {
 public:
  // Appends a value and returns its place.
  std::string bind(SqlValue value) {
    query_.values.push_back(std::move(value));
    return fmt::format("?{}", query_.values.size());
  }

  void add(std::string_view text) { query_.sql += text; }

  SqlQuery take() { return std::move(query_); }

 private:
  SqlQuery query_;
};

void add_filters(QueryBuilder& query, const Endpoint& endpoint, const ListRequest& request) {
  query.add(fmt::format(" FROM {} WHERE cluster_id = {}", endpoint.table, query.bind(request.cluster_id)));
  query.add(fmt::format(" AND tenant_id = {}", query.bind(request.tenant_id)));

  const std::vector<std::string> time = columns_of(*endpoint.find_field(endpoint.time_field));
  const auto compare_time = [&](std::string_view comparison, const std::optional<Instant>& bound) {
    if (!bound) return;
    const std::string second = query.bind(bound->second);
    const std::string nano = query.bind(std::int64_t{bound->nano});
    query.add(fmt::format(" AND ({}, {}) {} ({}, {})", time[0], time[1], comparison, second, nano));
  };
  compare_time(">=", request.start_time);
  compare_time("<=", request.end_time);

  if (request.statuses.size() == 1) {
    query.add(fmt::format(" AND status = {}", query.bind(request.statuses.front())));
  } else if (!request.statuses.empty()) {
    std::string places;
    for (const std::string& status : request.statuses) {
      if (!places.empty()) places += ", ";
      places += query.bind(status);
    }
    query.add(fmt::format(" AND status IN ({})", places));
  }
}

void add_conditions(QueryBuilder& query, const std::vector<ColumnCondition>& conditions) {
  std::string_view link = " WHERE ";
  for (const ColumnCondition& condition : conditions) {
    const bool null = std::holds_alternative<std::monostate>(condition.value);
    query.add(fmt::format("{}{} {}", link, condition.column, null ? "IS NULL" : "= " + query.bind(condition.value)));
    link = " AND ";
  }
}

std::int64_t offset_of(const ListRequest& request) {
  constexpr std::int64_t kMaximum = std::numeric_limits<std::int64_t>::max();
  const std::int64_t pages = request.page - 1;
  return pages > kMaximum / request.size ? kMaximum : pages * request.size;
}

// Rows without the field come last and rows that tie keep fixture order, in both directions.
std::string order_of(const Endpoint& endpoint, const ListRequest& request) {
  std::vector<SortKey> keys = request.sort;
  if (keys.empty()) keys.push_back({endpoint.find_field(endpoint.time_field), true});
  std::string order;
  for (const SortKey& key : keys) {
    const std::vector<std::string> columns = columns_of(*key.field);
    if (!key.field->required) order += fmt::format("{} IS NULL, ", columns[0]);
    for (const std::string& column : columns) order += fmt::format("{} {}, ", column, key.descending ? "DESC" : "ASC");
  }
  return order + "id";
}

}  // namespace

SqlQuery count_query(const Endpoint& endpoint, const ListRequest& request) {
  QueryBuilder query;
  query.add("SELECT COUNT(*)");
  add_filters(query, endpoint, request);
  return query.take();
}

SqlQuery page_query(const Endpoint& endpoint, const ListRequest& request) {
  QueryBuilder query;
  query.add("SELECT json");
  add_filters(query, endpoint, request);
  query.add(fmt::format(" ORDER BY {}", order_of(endpoint, request)));
  query.add(fmt::format(" LIMIT {}", query.bind(request.size)));
  query.add(fmt::format(" OFFSET {}", query.bind(offset_of(request))));
  return query.take();
}

SqlQuery tasks_query(const Endpoint& endpoint, const TaskSelection& selection) {
  QueryBuilder query;
  query.add(fmt::format("SELECT id, json, since, points FROM {0} {1}JOIN timeline ON resource = '{0}' AND task = id",
                        endpoint.table, selection.with_timeline ? "" : "LEFT "));
  add_conditions(query, selection.conditions);
  if (selection.conditions.empty()) query.add(" ORDER BY id");
  return query.take();
}

SqlQuery removal_query(const Endpoint& endpoint, const std::vector<ColumnCondition>& conditions) {
  QueryBuilder query;
  query.add(fmt::format("DELETE FROM {}", endpoint.table));
  add_conditions(query, conditions);
  return query.take();
}

std::vector<std::string> columns_of(const Field& field) {
  if (field.column.empty()) return {};
  if (field.type != FieldType::Time) return {std::string(field.column)};
  return {fmt::format("{}_second", field.column), fmt::format("{}_nano", field.column)};
}

}  // namespace ocp_mock
