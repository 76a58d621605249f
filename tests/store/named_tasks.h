// Tasks with names, and lists of them.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "log_backup_tasks.h"

namespace ocp_mock::test {

struct NamedTask {
  std::string name;
  std::string create_time;
  std::string status = "RUNNING";
  std::string more = "";
  int tenant = 2;
};

inline std::string json(const std::vector<NamedTask>& tasks) {
  std::string text = "[";
  for (const NamedTask& task : tasks) {
    text += fmt::format(R"({}{{"clusterId":1,"tenantId":{},"n":"{}","createTime":"{}","status":"{}"{}}})",
                        text.size() > 1 ? "," : "", task.tenant, task.name, task.create_time, task.status, task.more);
  }
  return text + "]";
}

inline Request parse(const std::string& query, int cluster = 1, int tenant = 2) {
  return list_request(query, {}, path_of(cluster, tenant));
}

inline Page list(const Dataset& dataset, const std::string& query, int cluster = 1, int tenant = 2) {
  return page_of(dataset, parse(query, cluster, tenant));
}

// The values of "n" in the contents, in order.
inline std::string names(const Page& result) {
  std::string found;
  for (std::size_t at = 0; (at = result.contents.find("\"n\":\"", at)) != std::string::npos;) {
    at += 5;
    found += result.contents.substr(at, result.contents.find('"', at) - at) + " ";
  }
  return found;
}

}  // namespace ocp_mock::test
