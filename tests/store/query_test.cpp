#include "store/query.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "log_backup_tasks.h"

using namespace ocp_mock;

namespace {

std::string text(const SqlQuery& query) {
  std::string out = query.sql;
  for (const SqlValue& value : query.values) {
    const auto* integer = std::get_if<std::int64_t>(&value);
    out += " | " + (integer != nullptr ? std::to_string(*integer) : "'" + std::get<std::string>(value) + "'");
  }
  return out;
}

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
    CHECK(text(ids_query(list_request(query + "&sort=status&sort=delay,desc"), false, false)) ==
          "SELECT id FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2" + where +
              " ORDER BY status, delay IS NULL, delay DESC, id | 1000005 | 1000012" + values);
  }
}

TEST_CASE("query: rows that last into a window") {
  const auto overlap = [](const std::string& query) {
    return text(ids_query(list_request(query, {.window = Window::Overlap}), false, false));
  };
  const std::string start =
      "SELECT id FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2"
      " AND ((create_time_second, create_time_nano) >= (?3, ?4) OR (checkpoint_second, checkpoint_nano) >= (?3, ?4))";
  CHECK(overlap("startTime=2024-08-06T00:00:00Z") ==
        start + " ORDER BY create_time_second DESC, create_time_nano DESC, id | 1000005 | 1000012 | 1722902400 | 0");
  CHECK(overlap("startTime=2024-08-06T00:00:00Z&endTime=2024-08-07T00:00:00Z&status=FAILED&sort=delay") ==
        start +
            " AND (create_time_second, create_time_nano) <= (?5, ?6) AND status = ?7 ORDER BY delay IS NULL, delay, id"
            " | 1000005 | 1000012 | 1722902400 | 0 | 1722988800 | 0 | 'FAILED'");
  // With an end alone they are those that were created by then.
  CHECK(overlap("endTime=2024-08-07T00:00:00Z&sort=delay") ==
        "SELECT id FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2 AND (create_time_second, "
        "create_time_nano) <= (?3, ?4) ORDER BY delay IS NULL, delay, id | 1000005 | 1000012 | 1722988800 | 0");
}

TEST_CASE("query: an order reads the whole table, or computes delays") {
  CHECK(text(ids_query(list_request("sort=status"), false, true)) ==
        "SELECT id FROM log_backup_task NOT INDEXED WHERE cluster_id = ?1 AND tenant_id = ?2 ORDER BY status, id"
        " | 1000005 | 1000012");
  Request request = list_request("sort=status&sort=delay,desc");
  request.now = {.second = 1723190762, .nano = 743000000};
  CHECK(text(ids_query(request, true, false)) ==
        "SELECT id FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2 ORDER BY status, delay IS NULL,"
        " CASE WHEN typeof(delay) = 'text' THEN ((?3 - checkpoint_second) * 10000 - (checkpoint_nano + 49999) / 100000)"
        " / 10000.0 ELSE delay END DESC, id | 1000005 | 1000012 | 1723190762");
  CHECK(text(ids_query(list_request("sort=status"), true, false)) ==
        text(ids_query(list_request("sort=status"), false, false)));
  CHECK(sorts_by_computed(list_request("sort=status&sort=delay")));
  CHECK_FALSE(sorts_by_computed(list_request("sort=status&sort=checkpoint")));
}

TEST_CASE("query: a row is read with what its computed value is made of") {
  CHECK(row_sql(log_backup_task(), false) == "SELECT json FROM log_backup_task WHERE id = ?1");
  CHECK(row_sql(log_backup_task(), true) ==
        "SELECT json, typeof(delay) = 'text', checkpoint_second, checkpoint_nano FROM log_backup_task WHERE id = ?1");
}

TEST_CASE("query: a path parameter is looked for below those before it") {
  const Request request = list_request("");
  CHECK(text(exists_query(request, 0)) == "SELECT EXISTS(SELECT 1 FROM cluster WHERE id_ = ?1) | 1000005");
  CHECK(text(exists_query(request, 1)) ==
        "SELECT EXISTS(SELECT 1 FROM tenant WHERE cluster_id = ?1 AND id_ = ?2) | 1000005 | 1000012");
}

TEST_CASE("query: a selection of rows binds its values") {
  CHECK(rows_query(log_backup_task(), {}).sql ==
        "SELECT id, json, since, points, cluster_id, tenant_id FROM log_backup_task"
        " LEFT JOIN timeline ON resource = 'log_backup_task' AND row_id = id ORDER BY id");
  const SqlQuery query =
      rows_query(log_backup_task(), {{{"cluster_id", std::int64_t{5}}, {"delay", {}}, {"status", "A'B"}}, true});
  CHECK(query.sql ==
        "SELECT id, json, since, points, cluster_id, tenant_id FROM log_backup_task"
        " JOIN timeline ON resource = 'log_backup_task' AND row_id = id"
        " WHERE cluster_id = ?1 AND delay IS NULL AND status = ?2");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{5}, std::string("A'B")}));
}

TEST_CASE("query: a removal binds its values") {
  CHECK(removal_query(log_backup_task(), {}).sql == "DELETE FROM log_backup_task");
  const SqlQuery query = removal_query(log_backup_task(), {{"delay", {}}, {"tenant_id", std::int64_t{7}}});
  CHECK(query.sql == "DELETE FROM log_backup_task WHERE delay IS NULL AND tenant_id = ?1");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{7}}));
}
