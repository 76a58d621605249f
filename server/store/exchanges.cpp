#include "store/exchanges.h"

namespace ocp_mock {
namespace {

const std::string kSelect = "SELECT request, request_body, status, content_type, body, is_envelope FROM exchange";

}  // namespace

SqlQuery exchange_insertion(const StoredExchange& exchange) {
  return {"INSERT OR REPLACE INTO exchange VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
          {exchange.request, exchange.request_body, exchange.status, exchange.content_type, exchange.body,
           std::int64_t{exchange.is_envelope ? 1 : 0}}};
}

SqlQuery exchange_query(const std::string& request, const std::string& request_body) {
  return {kSelect + " WHERE request = ?1 AND request_body IN ('', ?2) ORDER BY request_body DESC LIMIT 1",
          {request, request_body}};
}

SqlQuery all_exchanges_query() { return {kSelect + " ORDER BY request, request_body", {}}; }

SqlQuery exchange_of_path_query(const std::string& method, const std::string& path) {
  return {
      "SELECT request FROM exchange"
      " WHERE substr(request, instr(request, ' ') + 1, length(?1) + 1) IN (?1, ?1 || '?')"
      " ORDER BY substr(request, 1, length(?2)) <> ?2, request LIMIT 1",
      {path, method + " "}};
}

StoredExchange exchange_of(const Statement& row) {
  return {std::string(row.bytes(0)), std::string(row.bytes(1)), row.integer(2),
          std::string(row.bytes(3)), std::string(row.bytes(4)), row.integer(5) != 0};
}

}  // namespace ocp_mock
