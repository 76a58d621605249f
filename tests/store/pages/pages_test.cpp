// Pages, totals and orders against a plain search through the same tasks; and how little of a dataset they read.
#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "fixtures/computed.h"
#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/database.h"
#include "store/dataset_builder.h"
#include "store/pages/order_cache.h"
#include "store/step_counter.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::StepCounter;
using ocp_mock::test::TemporaryFolder;

namespace {

struct Task {
  std::int64_t tenant;
  Instant created;
  std::string status;
  std::optional<Instant> modified;
  std::optional<Instant> checkpoint;
  std::optional<std::int64_t> delay;
  std::string json;       // without what tells its home
  bool computes = false;  // the delay, from the checkpoint
};

// In ten-thousandths, rounded to the nearest, from the middle up.
std::optional<std::int64_t> delay_of(const Task& task, Instant now) {
  if (!task.computes) return task.delay ? std::optional(*task.delay * 10'000) : std::nullopt;
  const std::int64_t nanos = (now.second - task.checkpoint->second) * 1'000'000'000 - task.checkpoint->nano + 50'000;
  return nanos / 100'000 - (nanos % 100'000 < 0 ? 1 : 0);
}

std::string json_of(const Task& task, Instant now) {
  if (!task.computes) return task.json;
  const std::int64_t delay = *delay_of(task, now);
  const std::int64_t size = delay < 0 ? -delay : delay;
  return fmt::format("{{\"delay\":{}{}.{:04},{}", delay < 0 ? "-" : "", size / 10'000, size % 10'000,
                     task.json.substr(1));
}

Row row_of(const Task& task) {
  Row row;
  const auto time = [&](const std::optional<Instant>& instant) {
    row.columns.emplace_back(instant ? SqlValue(instant->second) : SqlValue());
    row.columns.emplace_back(instant ? SqlValue(std::int64_t{instant->nano}) : SqlValue());
  };
  row.columns = {std::int64_t{1}, task.tenant};
  time(task.created);
  row.columns.emplace_back(task.status);
  time(task.modified);
  time(task.checkpoint);
  row.columns.emplace_back(task.computes ? SqlValue(std::string(kComputed))
                           : task.delay  ? SqlValue(*task.delay)
                                         : SqlValue());
  row.json = task.computes ? "{\"delay\":null," + task.json.substr(1) : task.json;
  row.computes = task.computes;
  return row;
}

void add(DatasetBuilder& builder, const Task& task) {
  Row row = row_of(task);
  builder.add_row(log_backup_task(), row);
}

std::shared_ptr<const Dataset> load(const std::vector<Task>& tasks) {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  for (const Task& task : tasks) add(*builder, task);
  return builder->finish();
}

int compare(const std::optional<Instant>& a, const std::optional<Instant>& b) { return a < b ? -1 : b < a ? 1 : 0; }

// Below 0 where a comes first.
int compare(const Task& a, const Task& b, const SortKey& key, Instant now) {
  const auto missing_last = [](bool a_there, bool b_there) { return a_there == b_there ? 0 : a_there ? -1 : 1; };
  int order = 0;
  if (key.field->name == "createTime") {
    order = compare(a.created, b.created);
  } else if (key.field->name == "modifyTime") {
    if (const int last = missing_last(a.modified.has_value(), b.modified.has_value()); last != 0) return last;
    order = compare(a.modified, b.modified);
  } else if (key.field->name == "checkpoint") {
    if (const int last = missing_last(a.checkpoint.has_value(), b.checkpoint.has_value()); last != 0) return last;
    order = compare(a.checkpoint, b.checkpoint);
  } else if (key.field->name == "delay") {
    const auto of_a = delay_of(a, now);
    const auto of_b = delay_of(b, now);
    if (const int last = missing_last(of_a.has_value(), of_b.has_value()); last != 0) return last;
    order = of_a < of_b ? -1 : of_b < of_a ? 1 : 0;
  } else if (key.field->name == "status") {
    order = a.status.compare(b.status);
  }
  return key.descending ? -order : order;
}

// The values of the parameter's condition; none where the request has no such condition.
std::vector<Value> values_of(const Request& request, std::string_view parameter) {
  for (const Condition& condition : request.conditions) {
    if (condition.parameter->name == parameter) return condition.values;
  }
  return {};
}

std::optional<Instant> instant_of(const Request& request, std::string_view parameter) {
  const std::vector<Value> values = values_of(request, parameter);
  return values.empty() ? std::nullopt : std::optional(std::get<Instant>(values.front()));
}

// Sets, changes or, without values, removes the parameter's condition.
void set_values(Request& request, std::string_view name, std::vector<Value> values) {
  std::vector<Condition> conditions;
  for (const Parameter& parameter : request.endpoint->parameters) {
    std::vector<Value> own = parameter.name == name ? values : values_of(request, parameter.name);
    if (!own.empty()) conditions.push_back({&parameter, std::move(own)});
  }
  request.conditions = std::move(conditions);
}

// All that pass the filters, in order.
std::vector<const Task*> search(const std::vector<Task>& tasks, const Request& request) {
  const std::optional<Instant> start_time = instant_of(request, "startTime");
  const std::optional<Instant> end_time = instant_of(request, "endTime");
  const std::vector<Value> statuses = values_of(request, "status");
  std::vector<const Task*> found;
  for (const Task& task : tasks) {
    if (Value(task.tenant) != request.path.at(1)) continue;
    const Instant end = request.window == Window::Overlap
                            ? std::max(task.checkpoint.value_or(task.created), task.created)
                            : task.created;
    if (start_time && end < *start_time) continue;
    if (end_time && task.created > *end_time) continue;
    if (!statuses.empty() && std::ranges::find(statuses, Value(task.status)) == statuses.end()) continue;
    found.push_back(&task);
  }
  std::vector<SortKey> keys = request.sort;
  if (keys.empty()) keys.push_back({log_backup_task().find_field("createTime"), true});
  std::ranges::stable_sort(found, [&](const Task* a, const Task* b) {
    for (const SortKey& key : keys) {
      if (const int order = compare(*a, *b, key, request.now); order != 0) return order < 0;
    }
    return false;
  });
  return found;
}

std::string expected_page(const std::vector<const Task*>& found, const Request& request) {
  std::string contents;
  const std::int64_t end = std::min(request.page * request.size, std::ssize(found));
  for (std::int64_t i = (request.page - 1) * request.size; i < end; ++i) {
    if (!contents.empty()) contents += ',';
    contents += json_of(*found[static_cast<std::size_t>(i)], request.now);
  }
  return contents;
}

struct Shape {
  std::int64_t tasks;
  std::int64_t seconds;  // over so many seconds are they spread
  int nanos;             // so many instants a second
  int tenants;
  bool computes = false;  // the delays of some tasks
};

std::vector<Task> random_tasks(const Shape& shape, std::mt19937& random) {
  const auto below = [&](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random);
  };
  const std::string_view common[] = {"STOPPED", "FAILED", "INTERRUPTED", "OTHER"};
  std::vector<Task> tasks;
  for (std::int64_t i = 0; i < shape.tasks; ++i) {
    Task task;
    task.tenant = below(shape.tenants);
    task.created = {below(shape.seconds) - shape.seconds / 2, static_cast<std::int32_t>(below(shape.nanos))};
    // Some are rare, and UNKNOWN is there at no time.
    task.status = below(50) == 0   ? "RUNNING"
                  : below(50) == 0 ? "INPROGRESS"
                  : below(20) == 0 ? "STARTING"
                                   : common[below(4)];
    if (below(4) != 0) task.modified = Instant{below(5) - 2, static_cast<std::int32_t>(below(3))};
    if (below(4) != 0) task.delay = below(9) - 4;
    // Mostly after the task was created, sometimes at once or before, sometimes never.
    const std::int64_t reach = below(3) == 0 ? below(3) - 1 : below(shape.seconds + 1);
    if (below(5) != 0) {
      task.checkpoint = Instant{task.created.second + reach, static_cast<std::int32_t>(below(shape.nanos))};
    }
    task.computes = shape.computes && task.checkpoint && below(2) == 0;
    task.json = fmt::format("{{\"n\":{}}}", i);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Request parse(const std::string& query, std::int64_t tenant) { return list_request(query, {}, path_of(1, tenant)); }

Request random_request(const Shape& shape, std::mt19937& random) {
  const auto below = [&](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random);
  };
  Request request = parse("", below(shape.tenants));
  const auto second = [&] { return below(shape.seconds + 2) - shape.seconds / 2 - 1; };
  std::optional<Instant> start_time;
  std::optional<Instant> end_time;
  if (below(3) == 0) start_time = Instant{second(), 0};
  if (below(3) == 0) end_time = Instant{second(), static_cast<std::int32_t>(below(4) == 0 ? below(3) : 0)};
  if (start_time && end_time && *end_time < *start_time) std::swap(start_time, end_time);
  if (start_time) set_values(request, "startTime", {*start_time});
  if (end_time) set_values(request, "endTime", {*end_time});
  if (below(2) == 0) request.window = Window::Overlap;
  if (below(2) == 0) {
    std::vector<Value> statuses;
    for (const Word& word : log_backup_task().indexed_words->words->words) {
      if (below(2) == 0) statuses.emplace_back(std::string(word.word));
    }
    set_values(request, "status", std::move(statuses));
  }
  const std::string sorts[] = {"",
                               "",
                               "",
                               "sort=createTime",
                               "sort=createTime",
                               "sort=createTime,desc",
                               "sort=delay",
                               "sort=delay,desc",
                               "sort=modifyTime,desc",
                               "sort=status,desc",
                               "sort=checkpoint",
                               "sort=status&sort=delay,desc",
                               "sort=delay&sort=status,desc&sort=createTime,desc&sort=modifyTime&sort=checkpoint"};
  request.sort = parse(sorts[below(std::size(sorts))], 0).sort;
  request.now = {below(4) - 2, static_cast<std::int32_t>(below(1'000'000'000))};
  const std::int64_t sizes[] = {1, 2, 7, 10, SparseIndex::kInterval, 100, 2000};
  request.size = sizes[below(std::size(sizes))];
  return request;
}

std::string text_of(const Request& request) {
  std::string text =
      fmt::format("tenant {} page {} size {}", std::get<std::int64_t>(request.path.at(1)), request.page, request.size);
  if (request.window == Window::Overlap) text += " overlap";
  for (const std::string_view bound : {"startTime", "endTime"}) {
    if (const auto instant = instant_of(request, bound)) {
      text += fmt::format(" {} {}.{}", bound, instant->second, instant->nano);
    }
  }
  for (const Value& status : values_of(request, "status")) text += fmt::format(" {}", std::get<std::string>(status));
  for (const SortKey& key : request.sort) text += fmt::format(" {},{}", key.field->name, key.descending);
  return text;
}

// Pages of random requests: the first, the last, those around, and one somewhere.
void check_against_search(const Dataset& dataset, const std::vector<Task>& tasks, const Shape& shape, int requests,
                          std::mt19937& random) {
  for (int i = 0; i < requests; ++i) {
    Request request = random_request(shape, random);
    const std::vector<const Task*> all = search(tasks, request);
    const std::int64_t pages = (std::ssize(all) + request.size - 1) / request.size;
    for (const std::int64_t page : {std::int64_t{1}, std::int64_t{2}, pages / 2, pages - 1, pages, pages + 1}) {
      if (page < 1) continue;
      request.page = page;
      const std::string expected = expected_page(all, request);
      const Page found = page_of(dataset, request);
      if (found.total == std::ssize(all) && found.contents == expected) continue;
      CAPTURE(text_of(request));
      CHECK(found.total == std::ssize(all));
      CHECK(found.contents == expected);
      return;
    }
  }
}

constexpr std::int64_t kInterval = SparseIndex::kInterval;

}  // namespace

TEST_CASE("pages: neither a first total nor a page anywhere walks through the dataset") {
  std::mt19937 random(11);
  const StepCounter counter;
  for (const Shape& shape : {Shape{200 * kInterval, 1'000'000, 1'000'000'000, 1}, Shape{200 * kInterval, 1, 1, 1},
                             Shape{200 * kInterval, 1, 1'000'000'000, 1}, Shape{200 * kInterval, 100, 1, 1}}) {
    std::vector<Task> tasks = random_tasks(shape, random);
    for (std::size_t i = 0; i < tasks.size(); i += 1500) tasks[i].status = "INPROGRESS";
    const auto dataset = load(tasks);
    for (const std::string query :
         {"", "status=FAILED", "status=RUNNING", "status=UNKNOWN", "status=RUNNING,UNKNOWN",
          "status=INPROGRESS,UNKNOWN", "status=FAILED,STOPPED",
          "status=STARTING,INPROGRESS,STOPPING,STOPPED,FAILED,INTERRUPTED,UNKNOWN,RUNNING", "sort=createTime",
          "sort=createTime&status=RUNNING", "sort=createTime&status=FAILED,RUNNING"}) {
      for (const std::int64_t windows : {0, 1, 2, 3}) {
        Request request = parse(query, 0);
        if ((windows & 1) != 0) set_values(request, "startTime", {Instant{-shape.seconds / 3, 0}});
        if ((windows & 2) != 0) set_values(request, "endTime", {Instant{shape.seconds / 3, 0}});
        const std::vector<const Task*> all = search(tasks, request);
        for (const std::int64_t page : {std::int64_t{1}, std::ssize(all) / 2, std::ssize(all)}) {
          request.page = std::max<std::int64_t>(page / request.size, 1);
          Page found;
          const int steps = StepCounter::of([&] { found = page_of(*dataset, request); });
          CAPTURE(text_of(request));
          CAPTURE(shape.seconds);
          CAPTURE(shape.nanos);
          CHECK(found.contents == expected_page(all, request));
          CHECK(steps < 150 * kInterval);  // a walk takes at least one a task
        }
      }
    }
  }
}

TEST_CASE("pages: they are what a plain search finds") {
  const std::int64_t sizes[] = {0,
                                1,
                                kInterval - 1,
                                kInterval,
                                kInterval + 1,
                                2 * kInterval,
                                2 * kInterval + 1,
                                3 * kInterval + 7,
                                9 * kInterval};
  std::mt19937 random(20240809);
  for (const std::int64_t size : sizes) {
    for (const Shape& shape : {Shape{size, 1, 1, 1}, Shape{size, 5, 1, 1}, Shape{size, 1, 3, 1}, Shape{size, 30, 2, 3},
                               Shape{size, 1'000'000, 1'000'000'000, 2}, Shape{size, 5, 1'000'000'000, 1, true},
                               Shape{size, 8, 1, 2, true}}) {
      CAPTURE(shape.tasks);
      CAPTURE(shape.seconds);
      CAPTURE(shape.nanos);
      const std::vector<Task> tasks = random_tasks(shape, random);
      check_against_search(*load(tasks), tasks, shape, 30, random);
    }
  }
}

TEST_CASE("pages: they are right after changes of a copy, and when they are read from a file") {
  std::mt19937 random(17);
  const Shape shape{6 * kInterval, 40, 2, 2, true};
  std::vector<Task> tasks = random_tasks(shape, random);
  const auto builder = load(tasks)->copy();
  for (std::size_t i = 0; i < tasks.size(); i += 7) {
    Task other = random_tasks({1, shape.seconds, shape.nanos, shape.tenants, true}, random).front();
    other.json = tasks[i].json;
    tasks[i] = other;
    builder->set_row(log_backup_task(), static_cast<std::int64_t>(i) + 1, row_of(other));
  }
  builder->remove_rows(log_backup_task(), {{"status", std::string("FAILED")}});
  std::erase_if(tasks, [](const Task& task) { return task.status == "FAILED"; });
  for (const Task& task : random_tasks({kInterval, shape.seconds, shape.nanos, shape.tenants, true}, random)) {
    tasks.push_back(task);
    add(*builder, task);
  }
  check_against_search(*builder->finish(), tasks, shape, 200, random);

  const TemporaryFolder folder;
  const auto in_file = DatasetBuilder::in_file(folder.path() / "d.db", ocp_catalogue());
  for (const Task& task : tasks) add(*in_file, task);
  in_file->finish();
  check_against_search(*Dataset::open(folder.path() / "d.db", ocp_catalogue()), tasks, shape, 100, random);
}

TEST_CASE("pages: tasks that reach into a window are found once, for all pages and the total") {
  std::mt19937 random(29);
  const Shape shape{6000, 3000, 2, 1};
  const std::vector<Task> tasks = random_tasks(shape, random);
  const auto dataset = load(tasks);
  Request request = parse("size=7", 0);
  request.window = Window::Overlap;
  CHECK_FALSE(is_slow(*dataset, request));
  set_values(request, "endTime", {Instant{1400, 0}});
  CHECK_FALSE(is_slow(*dataset, request));  // those that were created by then
  set_values(request, "startTime", {Instant{1390, 0}});
  const std::vector<const Task*> all = search(tasks, request);
  REQUIRE(all.size() > 100);
  REQUIRE(all.size() < 2000);
  CHECK(is_slow(*dataset, request));
  request.page = 1'000'000;  // past the last: the total has to be found all the same
  CHECK(is_slow(*dataset, request));
  CHECK(page_of(*dataset, request).total == std::ssize(all));
  CHECK_FALSE(is_slow(*dataset, request));
  for (request.page = 1; request.page <= std::ssize(all) / 7 + 1; ++request.page) {
    const Page found = page_of(*dataset, request);
    CHECK(found.total == std::ssize(all));
    CHECK(found.contents == expected_page(all, request));
  }
  request.window = Window::CreateTime;
  CHECK(page_of(*dataset, request).total == std::ssize(search(tasks, request)));
  // Each has orders of its own.
  request.sort = parse("sort=delay", 0).sort;
  request.page = 2;
  for (const Window window : {Window::Overlap, Window::CreateTime, Window::Overlap}) {
    request.window = window;
    CHECK(page_of(*dataset, request).contents == expected_page(search(tasks, request), request));
  }
  // A window that no task reaches, and one that all have left.
  request.window = Window::Overlap;
  request.page = 1;
  set_values(request, "startTime", {Instant{10'000, 0}});
  set_values(request, "endTime", {});
  CHECK(page_of(*dataset, request).total == 0);
  CHECK(page_of(*dataset, request).contents.empty());
  CHECK_FALSE(dataset->find_missing(request));
  for (const std::string_view bound : {"startTime", "endTime"}) set_values(request, bound, {Instant{-10'000, 0}});
  CHECK(page_of(*dataset, request).total == 0);
  CHECK_FALSE(is_slow(*dataset, request));
  request.path.at(1) = std::int64_t{9};
  CHECK(dataset->find_missing(request) == 1);
}

TEST_CASE("pages: an order that is sorted once serves all pages, also those of other threads") {
  std::mt19937 random(3);
  const Shape shape{6000, 50, 2, 1};
  const std::vector<Task> tasks = random_tasks(shape, random);
  const auto dataset = load(tasks);
  const Request by_delay = parse("sort=delay&size=7&page=300", 0);
  CHECK(is_slow(*dataset, by_delay));
  CHECK_FALSE(is_slow(*dataset, parse("sort=delay&size=2000&page=4", 0)));  // past the last page
  CHECK_FALSE(is_slow(*dataset, parse("sort=delay&status=RUNNING", 0)));    // few
  CHECK_FALSE(is_slow(*dataset, parse("sort=createTime", 0)));
  CHECK_FALSE(is_slow(*dataset, parse("", 0)));
  CHECK_FALSE(is_slow(*dataset, parse("sort=delay", 9)));
  std::thread([&] { page_of(*dataset, by_delay); }).join();
  CHECK_FALSE(is_slow(*dataset, by_delay));
  CHECK_FALSE(is_slow(*dataset, parse("sort=delay", 0)));
  CHECK(is_slow(*dataset, parse("sort=delay,desc", 0)));
  CHECK(page_of(*dataset, by_delay).contents == expected_page(search(tasks, by_delay), by_delay));
  const Request unprepared = parse("sort=modifyTime,desc&sort=delay&size=100&page=30", 0);
  CHECK(page_of(*dataset, unprepared).contents == expected_page(search(tasks, unprepared), unprepared));
  CHECK_FALSE(is_slow(*dataset, unprepared));
}

TEST_CASE("pages: numbers are sorted exactly, whichever way they are written") {
  const std::vector<std::pair<std::string, int>> numbers = {{"-1e300", 0},
                                                            {"-9223372036854775808", 1},
                                                            {"-2.5", 2},
                                                            {"-0.0", 3},
                                                            {"0", 3},
                                                            {"0.5", 4},
                                                            {"9007199254740992", 5},
                                                            {"9007199254740992.0", 5},
                                                            {"9007199254740993", 6},
                                                            {"9007199254740994.0", 7},
                                                            {"9223372036854775806", 8},
                                                            {"9223372036854775807", 9},
                                                            {"9223372036854775808", 10},
                                                            {"1e300", 11}};
  std::vector<std::size_t> entries(numbers.size());
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = i;
  std::shuffle(entries.begin(), entries.end(), std::mt19937(5));
  std::string text = "[";
  for (const std::size_t place : entries) {
    text +=
        fmt::format(R"({}{{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"A","delay":{}}})",
                    text.size() > 1 ? "," : "", numbers[place].first);
  }
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", text + "]", *builder);
  const auto dataset = builder->finish();
  for (const bool descending : {false, true}) {
    std::ranges::stable_sort(entries, [&](std::size_t a, std::size_t b) {
      return descending ? numbers[a].second > numbers[b].second : numbers[a].second < numbers[b].second;
    });
    std::string expected;
    for (const std::size_t place : entries) expected += numbers[place].first + " ";
    const Page found = page_of(*dataset, parse(descending ? "sort=delay,desc&size=50" : "sort=delay&size=50", 2));
    std::string delays;
    for (std::size_t at = 0; (at = found.contents.find("\"delay\":", at)) != std::string::npos;) {
      at += 8;
      delays += found.contents.substr(at, found.contents.find_first_of(",}", at) - at) + " ";
    }
    CHECK(delays == expected);
  }
}

TEST_CASE("pages: the orders that were used last are kept") {
  OrderCache cache;
  const auto ids = [](std::size_t count) { return std::make_shared<const std::vector<std::int64_t>>(count); };
  cache.add("a", ids(OrderCache::kMaximumIds / 3));
  cache.add("b", ids(OrderCache::kMaximumIds / 3));
  CHECK(cache.find("a") != nullptr);
  cache.add("c", ids(OrderCache::kMaximumIds / 2));
  CHECK(cache.find("a") != nullptr);
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("c") != nullptr);
  cache.add("large", ids(OrderCache::kMaximumIds + 1));
  CHECK(cache.find("a") == nullptr);
  CHECK(cache.find("large") != nullptr);
}
