#include "store/query.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocp_mock;

namespace {

ListRequest parse(const std::string& query) {
  std::vector<Violation> violations;
  return parse_list_request({&endpoints().front(), {"1000005", "1000012"}}, query, violations);
}

std::string text(const SqlQuery& query) {
  std::string out = query.sql;
  for (const SqlValue& value : query.values) {
    const auto* integer = std::get_if<std::int64_t>(&value);
    out += " | " + (integer != nullptr ? std::to_string(*integer) : "'" + std::get<std::string>(value) + "'");
  }
  return out;
}

const Endpoint& kEndpoint = endpoints().front();

}  // namespace

TEST_CASE("query: filters become a WHERE with bound values") {
  const struct {
    std::string query;
    std::string where;
    std::string values;
  } cases[] = {
      {"", "", ""},
      {"startTime=2024-08-06T00:00:00Z", " AND (create_time_second, create_time_nano) >= (?3, ?4)",
       " | 1722902400 | 0"},
      {"endTime=2024-08-07T00:00:00Z", " AND (create_time_second, create_time_nano) <= (?3, ?4)", " | 1722988800 | 0"},
      {"startTime=2024-08-06T00:00:00Z&endTime=2024-08-07T00:00:00Z",
       " AND (create_time_second, create_time_nano) >= (?3, ?4) AND (create_time_second, create_time_nano) <= (?5, ?6)",
       " | 1722902400 | 0 | 1722988800 | 0"},
      {"status=FAILED", " AND status = ?3", " | 'FAILED'"},
      {"status=", "", ""},
      {"status=FAILED,RUNNING&status=STOPPED", " AND status IN (?3, ?4, ?5, ?6)",
       " | 'INPROGRESS' | 'STOPPED' | 'FAILED' | 'RUNNING'"},
      {"status=FAILED&startTime=0001-01-01T00:00:00Z&endTime=9999-12-31T23:59:59Z",
       " AND (create_time_second, create_time_nano) >= (?3, ?4) AND (create_time_second, create_time_nano) <= (?5, ?6)"
       " AND status = ?7",
       " | -62135596800 | 0 | 253402300799 | 0 | 'FAILED'"},
      {"page=3&size=7", "", ""},
  };
  for (const auto& [query, where, values] : cases) {
    CAPTURE(query);
    CHECK(text(sort_query(kEndpoint, parse(query + "&sort=checkpoint&sort=delay,desc"), false, false)) ==
          "SELECT id, checkpoint_second, checkpoint_nano, delay FROM log_backup_task"
          " WHERE cluster_id = ?1 AND tenant_id = ?2" +
              where + " | 1000005 | 1000012" + values);
  }
  // Tasks that reach into a window; with an end alone they are those that were created by then.
  const auto overlap = [](const std::string& query) {
    std::vector<Violation> violations;
    return text(sort_query(
        kEndpoint,
        parse_list_request({&kEndpoint, {"1000005", "1000012"}}, query, violations, {.window = Window::Overlap}), false,
        false));
  };
  const std::string start =
      " WHERE cluster_id = ?1 AND tenant_id = ?2 AND ((create_time_second, create_time_nano) >= (?3, ?4)"
      " OR (checkpoint_second, checkpoint_nano) >= (?3, ?4))";
  CHECK(overlap("startTime=2024-08-06T00:00:00Z") ==
        "SELECT id, create_time_second, create_time_nano FROM log_backup_task" + start +
            " | 1000005 | 1000012 | 1722902400 | 0");
  CHECK(overlap("startTime=2024-08-06T00:00:00Z&endTime=2024-08-07T00:00:00Z&status=FAILED&sort=delay") ==
        "SELECT id, delay FROM log_backup_task" + start +
            " AND (create_time_second, create_time_nano) <= (?5, ?6) AND status = ?7"
            " | 1000005 | 1000012 | 1722902400 | 0 | 1722988800 | 0 | 'FAILED'");
  CHECK(overlap("endTime=2024-08-07T00:00:00Z&sort=delay") ==
        "SELECT id, delay FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2"
        " AND (create_time_second, create_time_nano) <= (?3, ?4) | 1000005 | 1000012 | 1722988800 | 0");
  CHECK(text(sort_query(kEndpoint, parse("sort=status"), true, false)) ==
        "SELECT id, status FROM log_backup_task NOT INDEXED WHERE cluster_id = ?1 AND tenant_id = ?2"
        " | 1000005 | 1000012");
}

TEST_CASE("query: a range of the default order begins at an instant, within it, or behind it") {
  using Result = RangeShape::Result;
  using Begin = RangeShape::Begin;
  const std::string where = " WHERE cluster_id = ?1 AND tenant_id = ?2";
  const std::string by_time = " FROM log_backup_task INDEXED BY log_backup_task_by_time" + where;
  const std::string by_status = " FROM log_backup_task INDEXED BY log_backup_task_by_status" + where;
  const std::string keys = "SELECT create_time_second, create_time_nano, id";
  const std::string order = " ORDER BY create_time_second DESC, create_time_nano DESC, id";
  const std::string time = " AND (create_time_second, create_time_nano) ";
  const struct {
    RangeShape shape;
    std::string sql;
  } cases[] = {
      {{Result::Tasks, Begin::Newest, 0, false}, "SELECT json" + by_time + order + " LIMIT ?3 OFFSET ?4"},
      {{Result::Keys, Begin::Until, 0, false}, keys + by_time + time + "<= (?3, ?4)" + order + " LIMIT ?5 OFFSET ?6"},
      {{Result::Tasks, Begin::Before, 1, false},
       "SELECT json" + by_status + time + "< (?3, ?4) AND status = ?5" + order + " LIMIT ?6 OFFSET ?7"},
      {{Result::Tasks, Begin::Within, 2, false},
       "SELECT json" + by_time +
           " AND create_time_second = ?3 AND create_time_nano = ?4 AND id >= ?5 AND status IN (?6, ?7)" + order +
           " LIMIT ?8 OFFSET ?9"},
      {{Result::Keys, Begin::Until, 2, true},
       keys + by_status + time + "<= (?3, ?4) AND status = ?5 UNION ALL " + keys + by_status + time +
           "<= (?3, ?4) AND status = ?6" + order + " LIMIT ?7 OFFSET ?8"},
      {{Result::Count, Begin::Until, 1, false},
       "SELECT COUNT(*)" + by_status + time + "<= (?3, ?4)" + time + ">= (?5, ?6) AND status = ?7"},
  };
  for (const auto& [shape, sql] : cases) CHECK(range_sql(kEndpoint, shape) == sql);
  CHECK(task_sql(kEndpoint, false) == "SELECT json FROM log_backup_task WHERE id = ?1");

  // What computed delays are made of.
  const std::string computed = "SELECT json, typeof(delay) = 'text', checkpoint_second, checkpoint_nano";
  CHECK(range_sql(kEndpoint, {.computes = true}).starts_with(computed + " FROM log_backup_task INDEXED BY"));
  CHECK(task_sql(kEndpoint, true) == computed + " FROM log_backup_task WHERE id = ?1");
  CHECK(text(sort_query(kEndpoint, parse("sort=status&sort=delay&sort=checkpoint"), true, true)) ==
        "SELECT id, status, delay, checkpoint_second, checkpoint_nano, checkpoint_second, checkpoint_nano"
        " FROM log_backup_task NOT INDEXED WHERE cluster_id = ?1 AND tenant_id = ?2 | 1000005 | 1000012");
  CHECK(text(sort_query(kEndpoint, parse("sort=status"), true, true)) ==
        text(sort_query(kEndpoint, parse("sort=status"), true, false)));
  CHECK(sorts_by_delay(kEndpoint, parse("sort=status&sort=delay")));
  CHECK_FALSE(sorts_by_delay(kEndpoint, parse("sort=status&sort=checkpoint")));
}

TEST_CASE("query: a selection of tasks binds its values") {
  CHECK(tasks_query(kEndpoint, {}).sql ==
        "SELECT id, json, since, points FROM log_backup_task"
        " LEFT JOIN timeline ON resource = 'log_backup_task' AND task = id ORDER BY id");
  const SqlQuery query =
      tasks_query(kEndpoint, {{{"cluster_id", std::int64_t{5}}, {"delay", {}}, {"status", "A'B"}}, true});
  CHECK(query.sql ==
        "SELECT id, json, since, points FROM log_backup_task"
        " JOIN timeline ON resource = 'log_backup_task' AND task = id"
        " WHERE cluster_id = ?1 AND delay IS NULL AND status = ?2");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{5}, std::string("A'B")}));
}

TEST_CASE("query: a removal binds its values") {
  CHECK(removal_query(kEndpoint, {}).sql == "DELETE FROM log_backup_task");
  const SqlQuery query = removal_query(kEndpoint, {{"delay", {}}, {"tenant_id", std::int64_t{7}}});
  CHECK(query.sql == "DELETE FROM log_backup_task WHERE delay IS NULL AND tenant_id = ?1");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{7}}));
}
