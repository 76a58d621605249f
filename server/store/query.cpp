#include "store/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "catalogue/comparison.h"
#include "catalogue/expression.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

class QueryBuilder {
 public:
  // Appends a value and returns its parameter.
  std::string bind(SqlValue value) {
    query_.values.push_back(std::move(value));
    return fmt::format("?{}", query_.values.size());
  }

  void add(std::string_view text) { query_.sql += text; }

  SqlQuery take() { return std::move(query_); }

 private:
  SqlQuery query_;
};

// "column" or "(second, nano)".
std::string tuple_of(const std::vector<std::string>& items) {
  return items.size() == 1 ? items.front() : fmt::format("({})", fmt::join(items, ", "));
}

std::string tuple_of(QueryBuilder& query, const Value& value) {
  std::vector<std::string> parameters;
  for (SqlValue& column : column_values(value)) parameters.push_back(query.bind(std::move(column)));
  return tuple_of(parameters);
}

std::string compare(QueryBuilder& query, const Field& field, std::string_view comparison, const Value& value) {
  const std::string left = tuple_of(columns_of(field));
  return fmt::format("{} {} {}", left, comparison, tuple_of(query, value));
}

// Of an item or a column of JSON, or of a member in it.
std::string inside(std::string_view json, std::string_view member) {
  return member.empty() ? std::string(json) : fmt::format("json_extract({}, '$.{}')", json, member);
}

std::string list_of(QueryBuilder& query, const std::vector<Value>& values) {
  std::vector<std::string> parameters;
  for (const Value& value : values) parameters.push_back(tuple_of(query, value));
  return fmt::format("({})", fmt::join(parameters, ", "));
}

std::string equals(QueryBuilder& query, const Field& field, const std::vector<Value>& values) {
  if (values.size() == 1) return compare(query, field, "=", values.front());
  std::vector<std::string> alternatives;
  if (field.type == FieldType::Time) {
    for (const Value& value : values) alternatives.push_back(compare(query, field, "=", value));
    return fmt::format("({})", fmt::join(alternatives, " OR "));
  }
  for (const Value& value : values) alternatives.push_back(tuple_of(query, value));
  return fmt::format("{} IN ({})", columns_of(field)[0], fmt::join(alternatives, ", "));
}

// Those that lasted to the bound. An end before the beginning adds nothing, and neither does NULL.
std::string lasts_until(QueryBuilder& query, const Resource& resource, const Field& begin, const Value& bound) {
  const std::string value = tuple_of(query, bound);
  return fmt::format("({0} >= {2} OR {1} >= {2})", tuple_of(columns_of(begin)),
                     tuple_of(columns_of(*resource.lasts_until)), value);
}

// In the order of the words of Match::Comparison.
constexpr std::array<std::string_view, 6> kComparisons{"=", "<>", ">", ">=", "<", "<="};

// Of a field that may have no column. A row without it is in no relation to anything.
std::string comparison_sql(QueryBuilder& query, const Field& field, std::size_t operation, const Value& operand) {
  return fmt::format("{} {} {}", inside("json", field.name), kComparisons.at(operation), tuple_of(query, operand));
}

// And binds tighter than or in SQL too.
std::string expression_sql(QueryBuilder& query, const std::vector<ExpressionPart>& parts) {
  std::string sql = "(";
  for (const ExpressionPart& part : parts) {
    switch (part.kind) {
      case ExpressionPart::Kind::Open: sql += '('; break;
      case ExpressionPart::Kind::Close: sql += ')'; break;
      case ExpressionPart::Kind::And: sql += " AND "; break;
      case ExpressionPart::Kind::Or: sql += " OR "; break;
      case ExpressionPart::Kind::Comparison:
        sql += comparison_sql(query, *part.field, part.operation, part.operand);
        break;
    }
  }
  return sql + ')';
}

std::string or_missing(const Field& field, const std::string& condition) {
  return fmt::format("({} OR {} IS NULL)", condition, columns_of(field)[0]);
}

std::string condition_sql(QueryBuilder& query, const Request& request, const Condition& condition) {
  const Parameter& parameter = *condition.parameter;
  if (parameter.fields.empty()) {
    if (parameter.match == Match::Expression) {
      return expression_sql(query, read_expression(*request.endpoint->resource, parameter,
                                                   std::get<std::string>(condition.values.front())));
    }
    // The last of the three stands for all of them.
    const auto comparison = parameter.match == Match::Operand ? comparison_of(request) : std::nullopt;
    return comparison ? comparison_sql(query, *comparison->field, comparison->operation, *comparison->operand) : "1";
  }
  const Field& field = *parameter.fields.front();
  const auto kept = [&](const std::string& sql) { return parameter.or_missing ? or_missing(field, sql) : sql; };
  switch (parameter.match) {
    case Match::Equal:
      if (!parameter.inside.empty()) {
        return fmt::format("{} IN {}", inside(columns_of(field)[0], parameter.inside),
                           list_of(query, condition.values));
      }
      if (&field == request.endpoint->resource->qualifier) {
        return or_missing(field, equals(query, field, condition.values));
      }
      return kept(equals(query, field, condition.values));
    case Match::From:
      if (lasts_into_window(request) && &field == request.endpoint->resource->order.front().field) {
        return lasts_until(query, *request.endpoint->resource, field, condition.values.front());
      }
      return kept(compare(query, field, ">=", condition.values.front()));
    case Match::Until: return kept(compare(query, field, "<=", condition.values.front()));
    case Match::Member:
    case Match::NoMember:
      return fmt::format("{}EXISTS (SELECT 1 FROM json_each({}) AS item WHERE {} IN {})",
                         parameter.match == Match::NoMember ? "NOT " : "", columns_of(field)[0],
                         inside("item.value", parameter.inside), list_of(query, condition.values));
    case Match::Contains: {
      // SQLite's lower() changes ASCII letters only.
      const std::string text = tuple_of(query, condition.values.front());
      std::vector<std::string> alternatives;
      for (const Field* one : parameter.fields) {
        alternatives.push_back(
            fmt::format("instr(lower({}), lower({})) > 0", inside(columns_of(*one)[0], parameter.inside), text));
      }
      return fmt::format("({})", fmt::join(alternatives, " OR "));
    }
    default: break;
  }
  return "1";
}

void add_filters(QueryBuilder& query, const Request& request) {
  std::string_view link = " WHERE ";
  const auto add = [&](const std::string& condition) {
    query.add(link);
    query.add(condition);
    link = " AND ";
  };
  const auto& path = request.endpoint->path_parameters;
  for (std::size_t i = 0; i < path.size(); ++i) {
    add(compare(query, *path[i].field, "=", request.path[i]));
  }
  for (const Condition& condition : request.conditions) add(condition_sql(query, request, condition));
}

// In ten-thousandths of a second, as delay_between() has it.
std::string computed_sql(QueryBuilder& query, const ComputedField& computed, Instant now) {
  const std::vector<std::string> from = columns_of(*computed.from);
  return fmt::format(
      "CASE WHEN typeof({0}) = 'text' THEN (({3} - {1}) * 10000 - ({2} + 49999) / 100000) / 10000.0 ELSE {0} END",
      computed.field->column, from[0], from[1], query.bind(now.second));
}

void add_order(QueryBuilder& query, const Request& request, bool computes) {
  query.add(" ORDER BY ");
  for (const SortKey& key : sort_of(request)) {
    const std::string_view direction = key.descending ? " DESC" : "";
    if (!key.field->required) query.add(fmt::format("{} IS NULL, ", columns_of(*key.field)[0]));
    if (computes && key.field == request.endpoint->resource->computed.field) {
      query.add(
          fmt::format("{}{}, ", computed_sql(query, request.endpoint->resource->computed, request.now), direction));
      continue;
    }
    for (const std::string& column : columns_of(*key.field)) query.add(fmt::format("{}{}, ", column, direction));
  }
  query.add("id");
}

void add_conditions(QueryBuilder& query, const std::vector<ColumnCondition>& conditions) {
  std::string_view link = " WHERE ";
  for (const ColumnCondition& condition : conditions) {
    const bool null = std::holds_alternative<std::monostate>(condition.value);
    query.add(fmt::format("{}{} {}", link, condition.column, null ? "IS NULL" : "= " + query.bind(condition.value)));
    link = " AND ";
  }
}

}  // namespace

std::vector<SqlValue> column_values(const Value& value) {
  if (const auto* instant = std::get_if<Instant>(&value)) return {instant->second, std::int64_t{instant->nano}};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return {*integer};
  if (const auto* real = std::get_if<double>(&value)) return {*real};
  return {std::get<std::string>(value)};
}

std::string json_value(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return json_string(*text);
  return "null";
}

std::vector<std::string> parent_columns(const Resource& resource) {
  std::vector<std::string> columns;
  for (const Parent& parent : resource.parents) columns.emplace_back(parent.field->column);
  return columns;
}

std::vector<std::string> key_columns(const Resource& resource) {
  std::vector<std::string> columns = parent_columns(resource);
  columns.emplace_back(resource.key->column);
  return columns;
}

std::vector<std::string> all_columns(const Resource& resource) {
  std::vector<std::string> all;
  for (const Field& field : resource.fields) {
    for (std::string& column : columns_of(field)) all.push_back(std::move(column));
  }
  all.emplace_back("json");
  return all;
}

std::string insert_sql(const Resource& resource, const std::vector<std::string>& columns) {
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", resource.table, fmt::join(columns, ", "),
                     fmt::join(std::vector<std::string>(columns.size(), "?"), ", "));
}

std::string update_sql(const Resource& resource, const std::vector<std::string>& columns) {
  return fmt::format("UPDATE {} SET {} = ? WHERE id = ?", resource.table, fmt::join(columns, " = ?, "));
}

std::string where_equal(const std::vector<std::string>& columns) {
  std::string where;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    where += fmt::format("{}{} = ?{}", i == 0 ? " WHERE " : " AND ", columns[i], i + 1);
  }
  return where;
}

std::string row_columns(const Resource& resource, bool computes, const Field* cut) {
  std::string json = "json";
  for (const Field& field : resource.fields) {
    if (field.hidden) json = fmt::format("json_remove({}, '$.{}')", json, field.name);
  }
  if (cut != nullptr) {
    json = fmt::format("json_replace({0}, '$.{1}', substr(json ->> '$.{1}', 1, ?2))", json, cut->name);
  }
  if (!computes) return json;
  const std::vector<std::string> from = columns_of(*resource.computed.from);
  return fmt::format("{}, typeof({}) = 'text', {}, {}", json, resource.computed.field->column, from[0], from[1]);
}

std::optional<TextCut> cut_of(const Request& request) {
  const auto found = std::ranges::find(request.conditions, Match::Length,
                                       [](const Condition& condition) { return condition.parameter->match; });
  if (found == request.conditions.end()) return std::nullopt;
  return TextCut{found->parameter->fields.front(), std::get<std::int64_t>(found->values.front())};
}

std::string row_sql(const Resource& resource, bool computes, const Field* cut) {
  return fmt::format("SELECT {} FROM {} WHERE id = ?1", row_columns(resource, computes, cut), resource.table);
}

std::span<const SortKey> sort_of(const Request& request) {
  if (!request.sort.empty()) return request.sort;
  return request.endpoint->resource->order;
}

std::optional<std::vector<Value>> parents_in_path(const Request& request) {
  const auto parameters = request.endpoint->path_parameters;
  std::vector<Value> keys;
  keys.reserve(request.endpoint->resource->parents.size());
  for (const Parent& parent : request.endpoint->resource->parents) {
    const auto found = std::ranges::find(parameters, parent.field, &PathParameter::field);
    if (found == parameters.end()) return std::nullopt;
    keys.push_back(request.path[static_cast<std::size_t>(found - parameters.begin())]);
  }
  return keys;
}

bool lasts_into_window(const Request& request) {
  const Resource& resource = *request.endpoint->resource;
  return request.window == Window::Overlap && resource.lasts_until != nullptr && !resource.order.empty() &&
         std::ranges::any_of(request.conditions, [&](const Condition& condition) {
           return condition.parameter->match == Match::From &&
                  condition.parameter->fields.front() == resource.order.front().field;
         });
}

bool sorts_by_computed(const Request& request) {
  const ComputedField& computed = request.endpoint->resource->computed;
  return computed.field != nullptr &&
         std::ranges::find(sort_of(request), computed.field, &SortKey::field) != sort_of(request).end();
}

SqlQuery ids_query(const Request& request, bool computes, bool whole_table) {
  QueryBuilder query;
  query.add(fmt::format("SELECT id FROM {}{}", request.endpoint->resource->table, whole_table ? " NOT INDEXED" : ""));
  add_filters(query, request);
  add_order(query, request, computes);
  return query.take();
}

SqlQuery count_query(const Request& request) {
  QueryBuilder query;
  query.add(fmt::format("SELECT COUNT(*) FROM {}", request.endpoint->resource->table));
  add_filters(query, request);
  return query.take();
}

SqlQuery exists_query(const Request& request, std::size_t i) {
  const PathParameter& parameter = request.endpoint->path_parameters[i];
  const Resource& of = *parameter.of;
  QueryBuilder query;
  query.add(fmt::format("SELECT EXISTS(SELECT 1 FROM {} WHERE ", of.table));
  for (std::size_t parent = 0; parent < of.parents.size(); ++parent) {
    for (std::size_t other = 0; other < i; ++other) {
      if (request.endpoint->path_parameters[other].of != of.parents[parent].resource) continue;
      query.add(compare(query, *of.parents[parent].field, "=", request.path[other]));
      query.add(" AND ");
    }
  }
  query.add(compare(query, *of.key, "=", request.path[i]));
  query.add(")");
  return query.take();
}

SqlQuery rows_query(const Resource& resource, const RowSelection& selection) {
  QueryBuilder query;
  std::string keys;
  for (const std::string& column : resource.key == nullptr ? parent_columns(resource) : key_columns(resource)) {
    keys += ", " + column;
  }
  query.add(
      fmt::format("SELECT id, json, since, points{1} FROM {0} {2}JOIN timeline ON resource = '{0}' AND row_id = id",
                  resource.table, keys, selection.with_timeline ? "" : "LEFT "));
  add_conditions(query, selection.conditions);
  if (selection.conditions.empty()) query.add(" ORDER BY id");
  return query.take();
}

SqlQuery removal_query(const Resource& resource, const std::vector<ColumnCondition>& conditions) {
  QueryBuilder query;
  query.add(fmt::format("DELETE FROM {}", resource.table));
  add_conditions(query, conditions);
  return query.take();
}

}  // namespace ocp_mock
