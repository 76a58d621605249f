#include "store/made_keys.h"

#include <fmt/format.h>

#include <string>

namespace ocp_mock {
namespace {

std::string fact_of(const Resource& resource) { return fmt::format("key.{}", resource.table); }

}  // namespace

std::int64_t next_key(Connection& connection, const Resource& resource, const Tables& tables) {
  const std::string largest =
      tables.has(resource) ? fmt::format("SELECT max({}) FROM {}", columns_of(*resource.key).front(), resource.table)
                           : "SELECT NULL";
  std::int64_t key = 1;
  connection.run({fmt::format("SELECT max(1, ifnull(({}), 0) + 1, ifnull((SELECT CAST(value AS INTEGER) FROM fact"
                              " WHERE name = ?1), 0))",
                              largest),
                  {fact_of(resource)}},
                 [&](const Statement& row) { key = row.integer(0); });
  return key;
}

void store_key(Connection& connection, const Resource& resource, std::int64_t key) {
  connection.execute(
      {"INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
       " WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)",
       {fact_of(resource), std::to_string(key + 1)}});
}

}  // namespace ocp_mock
