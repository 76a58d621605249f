// The list that most tests ask for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalogue/catalogue.h"
#include "catalogue/request.h"
#include "catalogue/router.h"
#include "store/dataset.h"

namespace ocp_mock {

inline const Router& ocp_router() {
  static const Router router(ocp_catalogue());
  return router;
}

inline const Endpoint& log_backup_tasks() {
  return *std::ranges::find_if(ocp_catalogue().endpoints, [](const Endpoint& endpoint) {
    return endpoint.path == "/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks";
  });
}

inline const Resource& log_backup_task() { return *log_backup_tasks().resource; }

// As the app reads it.
inline Request list_request(std::string_view query, const ListRules& rules = {},
                            const std::vector<std::string>& path = {"1000005", "1000012"}) {
  std::vector<Violation> violations;
  return read_parameters(log_backup_tasks(), path, query, rules, violations);
}

// The values of its path.
inline std::vector<std::string> path_of(std::int64_t cluster, std::int64_t tenant) {
  return {std::to_string(cluster), std::to_string(tenant)};
}

// The page of any list, also where it takes long.
inline Page page_of(const Dataset& dataset, const Request& request) {
  const auto found = dataset.list(request);
  if (const Page* page = std::get_if<Page>(&found)) return *page;
  return std::get<SlowPage>(found)();
}

inline bool is_slow(const Dataset& dataset, const Request& request) {
  return std::holds_alternative<SlowPage>(dataset.list(request));
}

}  // namespace ocp_mock
