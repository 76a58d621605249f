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

const std::string kFrom = " FROM log_backup_task WHERE cluster_id = ?1 AND tenant_id = ?2";
const std::string kDefaultOrder = " ORDER BY create_time_second DESC, create_time_nano DESC, id";

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
      {"status=FAILED,RUNNING&status=STOPPED", " AND status IN (?3, ?4, ?5)", " | 'FAILED' | 'RUNNING' | 'STOPPED'"},
      {"status=FAILED&startTime=0001-01-01T00:00:00Z&endTime=9999-12-31T23:59:59Z",
       " AND (create_time_second, create_time_nano) >= (?3, ?4) AND (create_time_second, create_time_nano) <= (?5, ?6)"
       " AND status = ?7",
       " | -62135596800 | 0 | 253402300799 | 0 | 'FAILED'"},
      {"page=3&size=7&sort=delay", "", ""},
  };
  for (const auto& [query, where, values] : cases) {
    CAPTURE(query);
    CHECK(text(count_query(endpoints().front(), parse(query))) ==
          "SELECT COUNT(*)" + kFrom + where + " | 1000005 | 1000012" + values);
  }
}

TEST_CASE("query: a page becomes LIMIT and OFFSET, without overflow") {
  const struct {
    std::string query;
    std::string values;
  } cases[] = {
      {"", " | 10 | 0"},
      {"page=1&size=2000", " | 2000 | 0"},
      {"page=3&size=7", " | 7 | 14"},
      {"size=2001", " | 2000 | 0"},
      {"page=9223372036854775807&size=1", " | 1 | 9223372036854775806"},
      {"page=9223372036854775807&size=2000", " | 2000 | 9223372036854775807"},
      {"page=4611686018427387905&size=2", " | 2 | 9223372036854775807"},
      {"page=4611686018427387904&size=2", " | 2 | 9223372036854775806"},
  };
  for (const auto& [query, values] : cases) {
    CAPTURE(query);
    CHECK(text(page_query(endpoints().front(), parse(query))) ==
          "SELECT json" + kFrom + kDefaultOrder + " LIMIT ?3 OFFSET ?4 | 1000005 | 1000012" + values);
  }
}

TEST_CASE("query: sort fields become an ORDER BY that ends with the order of the fixtures") {
  const struct {
    std::string query;
    std::string order;
  } cases[] = {
      {"", "create_time_second DESC, create_time_nano DESC, id"},
      {"sort=createTime", "create_time_second ASC, create_time_nano ASC, id"},
      {"sort=createTime,desc", "create_time_second DESC, create_time_nano DESC, id"},
      {"sort=status,desc", "status DESC, id"},
      {"sort=delay", "delay IS NULL, delay ASC, id"},
      {"sort=delay,desc", "delay IS NULL, delay DESC, id"},
      {"sort=checkpoint,desc", "checkpoint_second IS NULL, checkpoint_second DESC, checkpoint_nano DESC, id"},
      {"sort=status&sort=modifyTime,desc",
       "status ASC, modify_time_second IS NULL, modify_time_second DESC, modify_time_nano DESC, id"},
  };
  for (const auto& [query, order] : cases) {
    CAPTURE(query);
    CHECK(text(page_query(endpoints().front(), parse(query))) ==
          "SELECT json" + kFrom + " ORDER BY " + order + " LIMIT ?3 OFFSET ?4 | 1000005 | 1000012 | 10 | 0");
  }
}

TEST_CASE("query: a selection of tasks binds its values") {
  const Endpoint& endpoint = endpoints().front();
  CHECK(tasks_query(endpoint, {}).sql ==
        "SELECT id, json, since, points FROM log_backup_task"
        " LEFT JOIN timeline ON resource = 'log_backup_task' AND task = id ORDER BY id");
  const SqlQuery query =
      tasks_query(endpoint, {{{"cluster_id", std::int64_t{5}}, {"delay", {}}, {"status", "A'B"}}, true});
  CHECK(query.sql ==
        "SELECT id, json, since, points FROM log_backup_task"
        " JOIN timeline ON resource = 'log_backup_task' AND task = id"
        " WHERE cluster_id = ?1 AND delay IS NULL AND status = ?2");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{5}, std::string("A'B")}));
}

TEST_CASE("query: a removal binds its values") {
  const Endpoint& endpoint = endpoints().front();
  CHECK(removal_query(endpoint, {}).sql == "DELETE FROM log_backup_task");
  const SqlQuery query = removal_query(endpoint, {{"delay", {}}, {"tenant_id", std::int64_t{7}}});
  CHECK(query.sql == "DELETE FROM log_backup_task WHERE delay IS NULL AND tenant_id = ?1");
  CHECK((query.values == std::vector<SqlValue>{std::int64_t{7}}));
}
