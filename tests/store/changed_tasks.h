// Changes of log backup tasks, and what can be seen of a dataset then.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "log_backup_tasks.h"
#include "store/changes.h"

namespace ocp_mock::test {

inline Page list(const Dataset& dataset, const std::string& query, std::int64_t cluster = 1, std::int64_t tenant = 2) {
  return page_of(dataset, list_request(query, {}, path_of(cluster, tenant)));
}

// All that can be seen of a dataset: clusters, tenants, names, counts, and pages in several orders.
inline std::string everything(const Dataset& dataset) {
  std::string text;
  for (const Outline& cluster : dataset.outline(log_backup_task()).children) {
    const auto cluster_id = std::get<std::int64_t>(cluster.key);
    text += fmt::format("cluster {} {}\n", cluster_id, cluster.label.value_or("-"));
    for (const Outline& tenant : cluster.children) {
      const auto tenant_id = std::get<std::int64_t>(tenant.key);
      text += fmt::format("tenant {} {}\n", tenant_id, tenant.label.value_or("-"));
      for (const WordCount& count : tenant.words) text += fmt::format("{} {}\n", count.word, count.rows);
      for (const std::string query :
           {"size=3", "size=3&page=2", "size=2000", "sort=status&size=2000", "sort=delay,desc&size=2000",
            "sort=checkpoint&size=2000", "sort=modifyTime&status=RUNNING,STOPPED&size=2000",
            "startTime=2024-07-10T00:00:00Z&endTime=2024-07-20T00:00:00Z&size=2000"}) {
        const Page result = list(dataset, query, cluster_id, tenant_id);
        text += fmt::format("{}: {}\n{}\n", query, result.total, result.contents);
      }
    }
  }
  return text;
}

// The letters of the tasks of tenant 2 in the order of the fixtures: they were all created at one time.
inline std::string letters(const Dataset& dataset, const std::string& query = "size=2000") {
  std::string found;
  const std::string contents = list(dataset, query).contents;
  for (std::size_t at = 0; (at = contents.find("\"letter\":\"", at)) != std::string::npos;) found += contents[at += 10];
  return found;
}

inline std::string tied_task(const std::string& members, const std::string& status = "RUNNING") {
  return fmt::format(R"({{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"{}",{}}})", status,
                     members);
}

inline std::shared_ptr<const Dataset> load_tasks(const std::string& text) {
  return from_fixtures(ocp_router(), "f.json", text).dataset;
}

inline Changed set(const std::shared_ptr<const Dataset>& dataset, std::string_view where, std::string_view fields) {
  return with_rows_set(dataset, log_backup_task(), read_json_text(where), read_json_text(fields));
}

inline Changed remove(const std::shared_ptr<const Dataset>& dataset, std::string_view where) {
  return without_rows(dataset, log_backup_task(), read_json_text(where));
}

template <typename Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const FixtureError& error) {
    return error.what();
  }
  return "";
}

// Ten tasks that tie, with fields to be picked by.
inline const std::string kTen =
    "[" + tied_task(R"("letter":"a","delay":100.10,"errorMsg":"1")") + "," +
    tied_task(R"("letter":"b","delay":1e3,"obTenantId":7)", "STOPPED") + "," +
    tied_task(R"("letter":"c","checkpoint":"2024-08-01T08:00:00+08:00","extra":{"x":[1,2.0],"y":"1"})") + "," +
    tied_task(R"("letter":"d","checkpoint":"2024-08-01T00:00:00Z","extra":[1,null])") + "," +
    tied_task(R"("letter":"e","errorMsg":"磁盘 \"满\"\n😀")", "STOPPED") + "," +
    tied_task(R"("letter":"f","delay":123456789012345678901)") + "," + tied_task(R"("letter":"g","delay":-0)") + "," +
    tied_task(R"("letter":"h","flag":true)") + "," + tied_task(R"("letter":"i","flag":"true")") + "," +
    tied_task(R"("letter":"j","errorMsg":"")", "stopped") + "]";

}  // namespace ocp_mock::test
