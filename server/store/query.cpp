#include "store/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  const std::vector<std::string> time = columns_of(*endpoint.find_field(endpoint.time_field));
  query.add(fmt::format(" WHERE cluster_id = {}", query.bind(request.cluster_id)));
  query.add(fmt::format(" AND tenant_id = {}", query.bind(request.tenant_id)));

  const auto compare_time = [&](std::string_view comparison, const std::optional<Instant>& bound) {
    if (!bound) return;
    const std::string second = query.bind(bound->second);
    const std::string nano = query.bind(std::int64_t{bound->nano});
    query.add(fmt::format(" AND ({}, {}) {} ({}, {})", time[0], time[1], comparison, second, nano));
  };
  if (reaches_into_window(request)) {
    const std::vector<std::string> end = columns_of(*endpoint.find_field(endpoint.end_field));
    const std::string second = query.bind(request.start_time->second);
    const std::string nano = query.bind(std::int64_t{request.start_time->nano});
    // An end before the beginning adds nothing, and neither does NULL.
    query.add(fmt::format(" AND (({0}, {1}) >= ({4}, {5}) OR ({2}, {3}) >= ({4}, {5}))", time[0], time[1], end[0],
                          end[1], second, nano));
  } else {
    compare_time(">=", request.start_time);
  }
  compare_time("<=", request.end_time);

  const std::vector<std::string_view> words = endpoint.words_of(request.statuses);
  if (words.size() == 1) {
    query.add(fmt::format(" AND status = {}", query.bind(std::string(words.front()))));
  } else if (!words.empty()) {
    std::string places;
    for (const std::string_view word : words) {
      if (!places.empty()) places += ", ";
      places += query.bind(std::string(word));
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

std::string task_columns(const Endpoint& endpoint, bool computes) {
  if (!computes) return "json";
  const std::vector<std::string> end = columns_of(*endpoint.find_field(endpoint.end_field));
  return fmt::format("json, typeof({}) = 'text', {}, {}", endpoint.find_field(endpoint.delay_field)->column, end[0],
                     end[1]);
}

}  // namespace

std::string range_sql(const Endpoint& endpoint, const RangeShape& shape) {
  const std::vector<std::string> time = columns_of(*endpoint.find_field(endpoint.time_field));
  int places = 0;
  const auto place = [&] { return fmt::format("?{}", ++places); };
  std::string where = fmt::format(" WHERE cluster_id = {}", place());
  where += fmt::format(" AND tenant_id = {}", place());
  const auto compare_time = [&](std::string_view comparison) {
    const std::string second = place();
    where += fmt::format(" AND ({}, {}) {} ({}, {})", time[0], time[1], comparison, second, place());
  };
  switch (shape.begin) {
    case RangeShape::Begin::Newest: break;
    case RangeShape::Begin::Until: compare_time("<="); break;
    case RangeShape::Begin::Before: compare_time("<"); break;
    case RangeShape::Begin::Within:
      where += fmt::format(" AND {} = {}", time[0], place());
      where += fmt::format(" AND {} = {}", time[1], place());
      where += fmt::format(" AND id >= {}", place());
      break;
  }
  const bool counting = shape.result == RangeShape::Result::Count;
  if (counting) compare_time(">=");

  const std::string_view index = shape.statuses == 1 || shape.merged ? "by_status" : "by_time";
  const std::string columns = counting                                    ? "COUNT(*)"
                              : shape.result == RangeShape::Result::Tasks ? task_columns(endpoint, shape.computes)
                                                                          : fmt::format("{}, {}, id", time[0], time[1]);
  const std::string select =
      fmt::format("SELECT {} FROM {} INDEXED BY {}_{}{}", columns, endpoint.table, endpoint.table, index, where);

  std::string sql = shape.merged ? "" : select;
  if (shape.merged) {
    for (std::size_t i = 0; i < shape.statuses; ++i) {
      sql += fmt::format("{}{} AND status = {}", i == 0 ? "" : " UNION ALL ", select, place());
    }
  } else if (shape.statuses == 1) {
    sql += fmt::format(" AND status = {}", place());
  } else if (shape.statuses > 1) {
    std::string list;
    for (std::size_t i = 0; i < shape.statuses; ++i) list += fmt::format("{}{}", i == 0 ? "" : ", ", place());
    sql += fmt::format(" AND status IN ({})", list);
  }
  if (counting) return sql;
  sql += fmt::format(" ORDER BY {} DESC, {} DESC, id", time[0], time[1]);
  const std::string limit = place();
  return sql + fmt::format(" LIMIT {} OFFSET {}", limit, place());
}

std::string task_sql(const Endpoint& endpoint, bool computes) {
  return fmt::format("SELECT {} FROM {} WHERE id = ?1", task_columns(endpoint, computes), endpoint.table);
}

std::vector<SortKey> sort_of(const Endpoint& endpoint, const ListRequest& request) {
  if (!request.sort.empty()) return request.sort;
  return {{endpoint.find_field(endpoint.time_field), true}};
}

bool reaches_into_window(const ListRequest& request) {
  return request.window == Window::Overlap && request.start_time.has_value();
}

bool sorts_by_delay(const Endpoint& endpoint, const ListRequest& request) {
  return std::ranges::any_of(request.sort, [&](const SortKey& key) { return key.field->name == endpoint.delay_field; });
}

SqlQuery sort_query(const Endpoint& endpoint, const ListRequest& request, bool whole_table, bool computes) {
  QueryBuilder query;
  query.add("SELECT id");
  for (const SortKey& key : sort_of(endpoint, request)) {
    for (const std::string& column : columns_of(*key.field)) query.add(", " + column);
    if (!computes || key.field->name != endpoint.delay_field) continue;
    for (const std::string& column : columns_of(*endpoint.find_field(endpoint.end_field))) query.add(", " + column);
  }
  query.add(fmt::format(" FROM {}{}", endpoint.table, whole_table ? " NOT INDEXED" : ""));
  add_filters(query, endpoint, request);
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

}  // namespace ocp_mock
