// The exchanges of a dataset: the table of schema/exchange.sql. Of this module only.
// Input: a database; exchanges or requests. Output: rows of the table, or the exchange of a request.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "fixtures/sink.h"
#include "store/database.h"

namespace ocp_mock {

// Takes the place of one with the same request and body.
SqlQuery exchange_insertion(const StoredExchange& exchange);

// The exchange that needs the request's body, else the one that needs none.
SqlQuery exchange_query(const std::string& request, const std::string& request_body);

SqlQuery all_exchanges_query();

// Of a row of exchange_query() or all_exchanges_query().
StoredExchange exchange_of(const Statement& row);

// The request of one with this path, of this method if there is one. Reads the whole table.
SqlQuery exchange_of_path_query(const std::string& method, const std::string& path);

}  // namespace ocp_mock
