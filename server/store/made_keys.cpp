#include "store/made_keys.h"

#include <fmt/format.h>

#include <string>

namespace ocp_mock {
namespace {

std::string fact_of(const Resource& resource) { return fmt::format("key.{}", resource.table); }

}  // namespace

std::int64_t next_key(sqlite3* database, const Resource& resource, const Tables& tables) {
  const std::string largest =
      tables.has(resource) ? fmt::format("SELECT max({}) FROM {}", columns_of(*resource.key).front(), resource.table)
                           : "SELECT NULL";
  Statement row(database,
                fmt::format("SELECT max(1, ifnull(({}), 0) + 1, ifnull((SELECT CAST(value AS INTEGER) FROM fact"
                            " WHERE name = ?1), 0))",
                            largest));
  const std::string fact = fact_of(resource);
  row.bind(std::string_view(fact));
  row.step();
  return row.integer(0);
}

void store_key(sqlite3* database, const Resource& resource, std::int64_t key) {
  Statement keep(database,
                 "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                 " WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)");
  keep.execute({fact_of(resource), std::to_string(key + 1)});
}

}  // namespace ocp_mock
