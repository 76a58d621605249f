#include "store/dataset_builder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/named_tasks.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

std::shared_ptr<const Dataset> load(const std::string& text) {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", text, *builder);
  return builder->finish();
}

// By the exact words of the status.
Page list_exactly(const Dataset& dataset, const std::string& query) {
  return page_of(dataset, list_request(query, {.word_match = WordMatch::Exact}, path_of(1, 2)));
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("dataset: the newest task comes first, ties in the order of the fixtures") {
  const auto dataset = load(json({{"a", "2024-08-01T00:00:00Z"},
                                  {"b", "2024-08-01T08:00:00.000000001+08:00"},
                                  {"c", "2024-08-01T08:00:00+08:00"},
                                  {"d", "2024-07-31T23:59:59.999999999Z"},
                                  {"e", "9999-12-31T23:59:59Z"},
                                  {"f", "0001-01-01T00:00:00Z"}}));
  CHECK(names(list(*dataset, "")) == "e b a c d f ");
  CHECK(names(list(*dataset, "sort=createTime")) == "f d a c b e ");
}

TEST_CASE("dataset: a window of time holds both its ends, to the nanosecond") {
  const auto dataset = load(json({{"before", "2024-07-31T23:59:59.999999999Z"},
                                  {"start", "2024-08-01T00:00:00Z"},
                                  {"end", "2024-08-01T10:00:00+08:00"},
                                  {"after", "2024-08-01T02:00:00.000000001Z"}}));
  CHECK(names(list(*dataset, "startTime=2024-08-01T00:00:00Z")) == "after end start ");
  CHECK(names(list(*dataset, "endTime=2024-08-01T02:00:00Z")) == "end start before ");
  CHECK(names(list(*dataset, "startTime=2024-08-01T00:00:00Z&endTime=2024-08-01T02:00:00Z")) == "end start ");
  CHECK(names(list(*dataset, "startTime=2024-08-01T00:00:00Z&endTime=2024-08-01T00:00:00Z")) == "start ");
  CHECK(names(list(*dataset, "startTime=0001-01-01T00:00:00Z&endTime=9999-12-31T23:59:59Z&sort=createTime")) ==
        "before start end after ");
}

TEST_CASE("dataset: a window holds what was created in it, or what reaches into it") {
  const auto dataset =
      load(json({{"long", "2024-08-01T00:00:00Z", "RUNNING", R"(,"checkpoint":"2024-08-01T05:00:00Z")"},
                 {"short", "2024-08-01T01:00:00Z", "STOPPED", R"(,"checkpoint":"2024-08-01T02:00:00Z")"},
                 {"none", "2024-08-01T02:00:00Z", "STARTING"},
                 {"before", "2024-08-01T03:00:00Z", "RUNNING", R"(,"checkpoint":"2023-08-01T00:00:00Z")"},
                 {"null", "2024-08-01T04:00:00.5Z", "FAILED", R"(,"checkpoint":null)"}}));
  const auto found = [&](const std::string& query, Window window) {
    return names(page_of(*dataset, list_request("sort=createTime&" + query, {.window = window}, path_of(1, 2))));
  };
  const struct {
    std::string query;
    std::string created;
    std::string overlapping;
  } cases[] = {
      {"", "long short none before null ", "long short none before null "},
      {"startTime=2024-08-01T02:00:00Z", "none before null ", "long short none before null "},
      {"startTime=2024-08-01T02:00:01Z", "before null ", "long before null "},
      {"startTime=2024-08-01T05:00:00Z", "", "long "},
      {"startTime=2024-08-01T05:00:01Z", "", ""},
      {"endTime=2024-08-01T01:00:00Z", "long short ", "long short "},
      {"startTime=2024-08-01T01:30:00Z&endTime=2024-08-01T01:31:00Z", "", "long short "},
      {"startTime=2024-08-01T03:00:00Z&endTime=2024-08-01T03:00:00Z", "before ", "long before "},
      {"startTime=2024-08-01T03:00:01Z&endTime=2024-08-01T04:00:00Z", "", "long "},
      {"startTime=2024-08-01T04:00:01Z&endTime=2024-08-01T09:00:00Z&status=FAILED,STOPPED", "", ""},
      {"startTime=2024-08-01T01:30:00Z&endTime=2024-08-01T01:31:00Z&status=STOPPED", "", "short "},
      {"startTime=2023-01-01T00:00:00Z&endTime=2023-12-31T00:00:00Z", "", ""},
  };
  for (const auto& [query, created, overlapping] : cases) {
    CAPTURE(query);
    CHECK(found(query, Window::CreateTime) == created);
    CHECK(found(query, Window::Overlap) == overlapping);
  }
}

TEST_CASE("dataset: a status finds its meaning, or letter for letter itself") {
  const auto dataset = load(json({{"r", "2024-08-01T00:00:05Z", "RUNNING"},
                                  {"i", "2024-08-01T00:00:04Z", "INPROGRESS"},
                                  {"f", "2024-08-01T00:00:03Z", "FAILED"},
                                  {"l", "2024-08-01T00:00:02Z", "failed"},
                                  {"o", "2024-08-01T00:00:01Z", "OTHER"},
                                  {"b", "2024-08-01T00:00:00Z", "BEGINNING"}}));
  const struct {
    std::string query;
    std::string by_meaning;
    std::string exactly;
  } cases[] = {
      {"status=INPROGRESS", "r i ", "i "},
      {"status=RUNNING", "r i ", "r "},
      {"status=RUNNING,INPROGRESS", "r i ", "r i "},
      {"status=FAILED,RUNNING", "r i f ", "r f "},
      {"status=FAILED&status=INPROGRESS&startTime=2024-08-01T00:00:05Z", "r ", ""},
      {"status=STARTING", "b ", ""},
      {"status=BEGINNING", "b ", "b "},
      {"status=STOPPED", "", ""},
      {"status=", "r i f l o b ", "r i f l o b "},
  };
  for (const auto& [query, by_meaning, exactly] : cases) {
    CAPTURE(query);
    CHECK(names(list(*dataset, query)) == by_meaning);
    CHECK(names(list_exactly(*dataset, query)) == exactly);
  }
}

TEST_CASE("dataset: rows without the sort field come last, in both directions") {
  const auto dataset = load(json({{"none1", "2024-08-01T00:00:00Z"},
                                  {"ten", "2024-08-01T00:00:00Z", "A", R"(,"delay":10)"},
                                  {"nine", "2024-08-01T00:00:00Z", "B", R"(,"delay":9.5)"},
                                  {"same", "2024-08-01T00:00:00Z", "A", R"(,"delay":10.0)"},
                                  {"huge", "2024-08-01T00:00:00Z", "B", R"(,"delay":123456789012345678901)"},
                                  {"none2", "2024-08-01T00:00:00Z", "A", R"(,"delay":null)"}}));
  CHECK(names(list(*dataset, "sort=delay")) == "nine ten same huge none1 none2 ");
  CHECK(names(list(*dataset, "sort=delay,desc")) == "huge ten same nine none1 none2 ");
  CHECK(names(list(*dataset, "sort=status,desc&sort=delay")) == "none1 nine huge ten same none2 ");
}

TEST_CASE("dataset: pages are cut from the whole order and the total is of all pages") {
  std::vector<NamedTask> tasks;
  for (int i = 0; i < 25; ++i) tasks.push_back({std::to_string(i), fmt::format("2024-08-01T00:00:{:02}Z", 59 - i)});
  const auto dataset = load(json(tasks));
  CHECK(names(list(*dataset, "")) == "0 1 2 3 4 5 6 7 8 9 ");
  CHECK(names(list(*dataset, "page=3")) == "20 21 22 23 24 ");
  CHECK(names(list(*dataset, "page=2&size=24")) == "24 ");
  CHECK(names(list(*dataset, "page=2&size=25")) == "");
  CHECK(names(list(*dataset, "page=9223372036854775807&size=2000")) == "");
  for (const std::string query : {"", "page=3", "page=99"}) CHECK(list(*dataset, query).total == 25);
}

TEST_CASE("dataset: clusters and tenants are known from tasks and declarations") {
  const auto dataset = load(R"({"clusters":[{"id":1},{"id":5,"tenants":[{"id":6}]}],"logBackupTasks":)" +
                            json({{"a", "2024-08-01T00:00:00Z"}}) + "}");
  const auto known = [&](int cluster, int tenant) {
    const auto missing = dataset->find_missing(parse("", cluster, tenant));
    return fmt::format("{} {} {}", missing != 0, !missing.has_value(), list(*dataset, "", cluster, tenant).total);
  };
  CHECK(known(1, 2) == "true true 1");
  CHECK(known(1, 6) == "true false 0");
  CHECK(known(5, 6) == "true true 0");
  CHECK(known(5, 2) == "true false 0");
  CHECK(known(2, 2) == "false false 0");
}

TEST_CASE("dataset: indexes are there, and right, however many rows came or went") {
  const auto usual = load(json({{"a", "2024-08-01T00:00:00Z"}, {"b", "2024-08-01T00:00:00Z", "FAILED"}}));
  const auto plans = [&](const Dataset& dataset) {
    std::string text;
    for (const std::string query : {"", "status=FAILED"}) {
      for (const SqlQuery& run : usual->explain(parse(query)).page) {
        for (const std::string& line : dataset.query_plan(run)) text += line + "\n";
      }
    }
    return text;
  };
  CHECK(contains(plans(*usual), "log_backup_task_by_time"));
  CHECK(contains(plans(*usual), "log_backup_task_by_status"));
  std::vector<NamedTask> tasks;
  for (int i = 0; i < 25'000; ++i) {
    tasks.push_back({std::to_string(i), fmt::format("2024-08-01T00:{:02}:{:02}Z", i / 7 % 60, i % 60),
                     i % 3 == 0 ? "FAILED" : "RUNNING"});
  }
  const auto check = [&](const Dataset& dataset, std::int64_t all, std::int64_t failed) {
    CHECK(plans(dataset) == plans(*usual));
    CHECK(list(dataset, "").total == all);
    CHECK(list(dataset, "status=FAILED").total == failed);
  };
  // One fewer than makes the indexes wait, and as many.
  for (const std::size_t count : {9'999U, 10'000U, 25'000U}) {
    CAPTURE(count);
    const auto dataset = load(json({tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(count)}));
    const auto rows = static_cast<std::int64_t>(count);
    check(*dataset, rows, (rows + 2) / 3);
    const auto builder = dataset->copy();
    std::vector<std::int64_t> ids;
    dataset->each_row(log_backup_task(), {}, [&](const StoredRow& row) { ids.push_back(row.id); });
    for (const std::int64_t id : ids) builder->remove_row(log_backup_task(), id);
    load_fixture_text(ocp_router(), "f.json", json({{"z", "2024-08-01T00:00:00Z", "FAILED"}}), *builder);
    check(*builder->finish(), 1, 1);
  }
}

TEST_CASE("dataset: indexes serve every range of the default order, without sorting") {
  // Rows spread in time, then many of one instant; one word is rare.
  std::vector<NamedTask> tasks;
  for (int i = 0; i < 2000; ++i) {
    const int second = i < 1000 ? i : 1000;
    tasks.push_back({std::to_string(i), fmt::format("2024-08-01T00:{:02}:{:02}Z", second / 60, second % 60),
                     i % 900 == 0 ? "STOPPING"
                     : i % 2 == 0 ? "FAILED"
                                  : "STOPPED"});
  }
  const auto dataset = load(json(tasks));
  std::set<std::string> ranges;
  for (const std::string status :
       {"", "FAILED", "STOPPING", "FAILED,STOPPED", "STOPPING,UNKNOWN,STARTING,FAILED", "STOPPING,STARTING"}) {
    for (const std::string window : {"", "startTime=2024-08-01T00:05:10Z", "endTime=2024-08-01T00:14:10Z",
                                     "startTime=2024-08-01T00:05:10Z&endTime=2024-08-01T00:14:10Z"}) {
      for (const std::string page : {"", "page=2", "page=40", "page=34&size=30", "page=190", "size=2000"}) {
        for (const std::string sort : {"", "sort=createTime"}) {
          const Explanation run =
              dataset->explain(parse(fmt::format("status={}&{}&{}&{}", status, window, page, sort)));
          for (const auto* queries : {&run.count, &run.page}) {
            for (const SqlQuery& one : *queries) {
              if (!one.sql.ends_with("WHERE id = ?1")) ranges.insert(one.sql);
            }
          }
        }
      }
    }
  }
  const auto is_any = [&](std::string_view part) {
    return std::ranges::any_of(ranges, [&](const std::string& sql) { return contains(sql, part); });
  };
  // All that there are: texts, keys and counts; from the newest, an instant, a row of an instant, and what is older.
  for (const std::string_view part :
       {"SELECT json FROM", "SELECT create_time_second, create_time_nano, id FROM", "SELECT COUNT(*) FROM",
        "tenant_id = ?2 ORDER BY", "tenant_id = ?2 AND status = ?3 ORDER BY",
        "(create_time_second, create_time_nano) <= (", "(create_time_second, create_time_nano) < (", "id >= ?5",
        "status = ", "status IN (", " UNION ALL "}) {
    CAPTURE(part);
    CHECK(is_any(part));
  }
  for (const std::string& sql : ranges) {
    CAPTURE(sql);
    std::string plan;
    for (const std::string& line : dataset->query_plan({sql, {}})) plan += line + "\n";
    CAPTURE(plan);
    const std::string index = contains(sql, "status = ") ? "log_backup_task_by_status" : "log_backup_task_by_time";
    CHECK(contains(plan, "SEARCH log_backup_task USING "));
    CHECK_FALSE(contains(plan, "SCAN"));
    CHECK_FALSE(contains(plan, "TEMP B-TREE"));
    CHECK(contains(plan, index));
    CHECK(contains(plan, "COVERING") == !contains(sql, "SELECT json"));
    if (contains(sql, "id >= ?")) CHECK(contains(plan, "create_time_nano=? AND id>?"));
  }
}

TEST_CASE("dataset: what is run for a request is shown, the counting apart") {
  std::vector<NamedTask> tasks;
  for (int i = 0; i < 300; ++i) {
    tasks.push_back({std::to_string(i), fmt::format("2024-08-01T00:{:02}:{:02}Z", 59 - i / 60, 59 - i % 60),
                     i % 2 == 0 ? "FAILED" : "STOPPED"});
  }
  const auto dataset = load(json(tasks));
  const auto shown = [&](const std::string& query, Window window = Window::CreateTime) {
    Request request = parse(query);
    request.window = window;
    const Explanation run = dataset->explain(request);
    std::string text;
    for (const auto* queries : {&run.count, &run.page}) {
      for (const SqlQuery& one : *queries) {
        text += one.sql.substr(0, one.sql.find(" INDEXED BY")) + fmt::format(" {}; ", one.values.size());
      }
      text += "| ";
    }
    return text;
  };
  CHECK(shown("") == "| SELECT json FROM log_backup_task 4; | ");
  CHECK(shown("page=99") == "| | ");
  // Of these words one is there.
  CHECK(shown("page=10&status=FAILED,RUNNING") == "| SELECT json FROM log_backup_task 7; | ");
  CHECK(shown("startTime=2024-08-01T00:57:30Z") ==
        "SELECT COUNT(*) FROM log_backup_task 6; | SELECT json FROM log_backup_task 4; | ");
  CHECK(shown("sort=createTime") ==
        "| SELECT create_time_second, create_time_nano, id FROM log_backup_task 6; "
        "SELECT json FROM log_backup_task WHERE id = ?1 1; | ");
  CHECK(shown("sort=delay") ==
        "| SELECT id FROM log_backup_task NOT INDEXED WHERE cluster_id = ?1 AND tenant_id = ?2 ORDER BY delay IS NULL, "
        "delay, id 2; "
        "SELECT json FROM log_backup_task WHERE id = ?1 1; | ");
  // What finds the tasks that reach into a window counts them as well.
  CHECK(shown("startTime=2024-08-01T00:57:30Z", Window::Overlap) ==
        "SELECT id FROM log_backup_task NOT INDEXED WHERE cluster_id = ?1 AND "
        "tenant_id = ?2 AND ((create_time_second, create_time_nano) >= (?3, ?4) OR (checkpoint_second, "
        "checkpoint_nano) >= (?3, ?4)) ORDER BY create_time_second DESC, create_time_nano DESC, id 4; | SELECT json "
        "FROM log_backup_task WHERE id = ?1 1; | ");
  CHECK(shown("endTime=2024-08-01T00:57:30Z", Window::Overlap) == shown("endTime=2024-08-01T00:57:30Z"));
  CHECK(shown("startTime=2025-08-01T00:00:00Z&page=9", Window::Overlap).ends_with(" 4; | | "));
}

TEST_CASE("dataset: of several captured answers the first one's envelope is kept") {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "a.json", R"({"data":{"contents":[]},"duration":5,"server":"first","traceId":"a"})",
                    *builder);
  load_fixture_text(ocp_router(), "b.json",
                    R"({"data":{"contents":[]},"server":"second","timestamp":"2024-08-01T00:00:00Z"})", *builder);
  const CapturedEnvelope envelope = builder->finish()->envelope();
  CHECK(envelope.duration == 5);
  CHECK(envelope.server == "first");
  CHECK(envelope.trace_id == "a");
  CHECK_FALSE(envelope.timestamp);
}

TEST_CASE("dataset: the outline tells tasks by cluster, tenant and status") {
  const auto dataset =
      load(R"({"clusters":[{"id":1,"name":"c","tenants":[{"id":9,"name":"empty"}]}],"logBackupTasks":)" +
           json({{"a", "2024-08-01T00:00:00Z", "B"},
                 {"b", "2024-08-01T00:00:00Z", "A", R"(,"tenantName":"t")"},
                 {"c", "2024-08-01T00:00:00Z", "B"},
                 {"d", "2024-08-01T00:00:00Z", "A", "", 3}}) +
           "}");
  std::string text;
  const Outline outline = dataset->outline(log_backup_task());
  for (const Outline& cluster : outline.children) {
    text += fmt::format("{} {} {}:", std::get<std::int64_t>(cluster.key), cluster.label.value_or("-"), cluster.rows);
    for (const Outline& tenant : cluster.children) {
      text += fmt::format(" {} {}", std::get<std::int64_t>(tenant.key), tenant.label.value_or("-"));
      for (const WordCount& count : tenant.words) text += fmt::format(" {}={}", count.word, count.rows);
    }
  }
  CHECK(outline.rows == 4);
  CHECK(text == "1 c 4: 2 t A=1 B=2 3 - A=1 9 empty");
}

TEST_CASE("dataset: several threads read one dataset") {
  std::vector<NamedTask> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back({std::to_string(i), fmt::format("2024-08-01T00:{:02}:00Z", i % 60)});
  const auto dataset = load(json(tasks));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const Page result = list(*dataset, fmt::format("page={}&size={}", i % 7 + 1, t + 1));
        if (result.total != 100 || names(result).empty()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("dataset: more shapes of requests than statements are kept") {
  const auto dataset = load(json({{"a", "2024-08-01T00:00:00Z"}}));
  const std::vector<std::string> fields{"createTime", "modifyTime", "checkpoint", "delay", "status"};
  for (int shape = 0; shape < 250; ++shape) {
    const std::string query =
        fmt::format("sort={},{}&sort={},{}&sort={}", fields[shape % 5], shape % 2 ? "asc" : "desc",
                    fields[shape / 5 % 5], shape % 3 ? "asc" : "desc", fields[shape / 25 % 5]);
    CHECK(names(list(*dataset, query)) == "a ");
  }
}
