#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/changed_tasks.h"
#include "store/dataset_builder.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("changes: a captured envelope stays, and none takes its place") {
  const auto captured = load_tasks(read_file("fixtures/logBackupTasks.json"));
  for (const Changed& changed :
       {with_fixtures(ocp_router(), captured, "b", R"({"data":{"contents":[]},"traceId":"other"})"),
        set(captured, "{}", R"({"status":"STOPPED"})"), remove(captured, "{}")}) {
    CHECK(changed.dataset->envelope().trace_id == "8e1e79e260d12bba");
    CHECK(changed.dataset->envelope().duration == 79);
  }
}

TEST_CASE("changes: clusters and tenants outlive their tasks") {
  const auto sample = load_tasks(read_file("fixtures/sample.json"));
  const Changed none = remove(sample, "{}");
  CHECK(none.rows == 60);
  CHECK(remove(none.dataset, "{}").rows == 0);
  const auto clusters = none.dataset->outline(log_backup_task()).children;
  REQUIRE(clusters.size() == 2);
  CHECK(clusters[0].label == "ob_431");
  CHECK(clusters[0].children.at(1).label == "order_center");
  CHECK(list(*none.dataset, "", 1000005, 1000012).total == 0);
  CHECK_FALSE(none.dataset->find_missing(list_request("")));
  const Changed again = with_fixtures(ocp_router(), none.dataset, "f.json", kTen);
  CHECK(letters(*again.dataset) == "abcdefghij");
}

TEST_CASE("changes: an export loads back to the same dataset") {
  const std::string odd =
      R"({"clusters":[{"id":-9223372036854775808,"name":"","tenants":[{"id":0},{"id":9223372036854775807,"name":"\"\u0000磁\ud83d\ude00"}]},{"id":4,"name":"declared"}],"logBackupTasks":[)" +
      tied_task(R"("delay":1e3,"n":100.10,"big":123456789012345678901234567890,"zero":-0,"clusterName":"first")") +
      "," +
      tied_task(R"("delay":1E+2,"x":"\u0000\u001f\\\/😀","a":[null,{"b":null,"$c":{"$d":1}}],"clusterName":"second")") +
      "," + tied_task(R"("":1,"extra":[],"o":{},"letter":null)") + R"(]})" + "\n" +
      R"({"clusterId":4,"tenantId":1,"createTime":"0000-01-01t00:00:00z","status":" odd ","clusterName":"of a task"})";
  const std::string timed =
      "[" + tied_task(R"("letter":"a")") + "," +
      tied_task(
          R"("letter":"b","$timeline":[{"at":"PT10S","delay":null,"x":{"y":null}},{"at":"PT1M","clusterId":7}])") +
      "," + tied_task(R"("$since":"2024-08-01t00:00:00+08:00","letter":"c","$timeline":[{"at":"P1D"}])") + "]";
  const std::pair<std::string, std::string> cases[] = {
      {"the sample", read_file("fixtures/sample.json")},
      {"the default", read_file("fixtures/logBackupTasks.json")},
      {"ten", kTen},
      {"odd values", odd},
      {"timelines", timed},
      {"nothing", "[]"},
      {"a cluster alone", R"({"clusters":[{"id":1}]})"},
  };
  for (const auto& [name, text] : cases) {
    CAPTURE(name);
    const auto first = load_tasks(text);
    const std::string exported = export_fixtures(*first);
    CAPTURE(exported);
    const auto second = load_tasks(exported);
    CHECK(everything(*second) == everything(*first));
    CHECK(second->has_timelines() == first->has_timelines());
    CHECK(export_fixtures(*second) == exported);
    CHECK_NOTHROW(read_json_text(exported));
  }
  CHECK(export_fixtures(*load_tasks("[]")) == "{\"logBackupTasks\":[]}\n");
  const std::string exported = export_fixtures(*load_tasks(timed));
  CHECK(exported.find(
            R"({"$timeline":[{"at":"PT10S","delay":null,"x":{"y":null}},{"at":"PT1M","clusterId":7}],"clusterId":1)") !=
        std::string::npos);
  CHECK(exported.find(R"({"$since":"2024-08-01t00:00:00+08:00","$timeline":[{"at":"P1D"}],"clusterId":1)") !=
        std::string::npos);
  CHECK(exported.find("\"clusters\":[\n{\"id\":1},\n{\"id\":7}],\n\"tenants\":[") != std::string::npos);
  CHECK(exported.find(R"({"clusterId":7,"id":2})") != std::string::npos);
}

TEST_CASE("changes: a declared name wins over those of tasks, whichever comes first") {
  const std::string set_text = R"({"clusters":[{"id":1,"name":"declared"}]})";
  const std::string task_text = tied_task(R"("clusterName":"of a task")");
  CHECK(load_tasks(set_text + task_text)->outline(log_backup_task()).children[0].label == "declared");
  CHECK(load_tasks(task_text + set_text)->outline(log_backup_task()).children[0].label == "declared");
}

TEST_CASE("changes: a dataset in a file is changed in memory, also when the file is replaced") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "d.db";
  const auto build = [&](const std::string& text) {
    const auto builder = DatasetBuilder::in_file(file, ocp_catalogue());
    load_fixture_text(ocp_router(), "f.json", text, *builder);
    return builder->finish();
  };
  build(kTen);
  const std::string bytes = read_file(file);
  const auto old = Dataset::open(file, ocp_catalogue());
  const auto check = [&] {
    CHECK(letters(*set(old, R"({"letter":"a"})", R"({"status":"FAILED"})").dataset, "status=FAILED") == "a");
    CHECK(letters(*remove(old, R"({"status":"RUNNING"})").dataset) == "bej");
    CHECK(letters(*with_fixtures(ocp_router(), old, "f.json", tied_task(R"("letter":"k")")).dataset) == "abcdefghijk");
    CHECK(everything(*load_tasks(export_fixtures(*old))) == everything(*old));
  };
  check();
  CHECK(read_file(file) == bytes);
  build("[]");
  check();
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("changes: of two that begin with one dataset neither sees the other's, nor one that was refused") {
  const auto base = load_tasks(kTen);
  const auto add = [](const std::shared_ptr<const Dataset>& dataset, const std::string& letter) {
    return with_fixtures(ocp_router(), dataset, "f.json", tied_task(fmt::format(R"("letter":"{}")", letter))).dataset;
  };
  const auto first = add(base, "k");
  // The first goes on where the change before ended, the second anew; then again, behind a refused one.
  const auto left = add(first, "l");
  const auto right = add(first, "m");
  CHECK(refusal([&] { set(left, R"({"status":"STOPPED"})", R"({"createTime":"never"})"); }) != "");
  CHECK(refusal([&] {
          with_fixtures(ocp_router(), right, "f.json",
                        "[" + tied_task(R"("letter":"x")") + "," + tied_task("", "") + "]");
        }) != "");
  const auto left_again = add(left, "n");
  const auto right_again = add(right, "o");
  CHECK(letters(*base) == "abcdefghij");
  CHECK(letters(*first) == "abcdefghijk");
  CHECK(letters(*left) == "abcdefghijkl");
  CHECK(letters(*right) == "abcdefghijkm");
  CHECK(letters(*left_again) == "abcdefghijkln");
  CHECK(letters(*right_again) == "abcdefghijkmo");
  CHECK(everything(*load_tasks(export_fixtures(*right_again))) == everything(*right_again));
}

TEST_CASE("changes: datasets that nobody holds any more are freed, and a smaller one takes less") {
  const auto sample = load_tasks(read_file("fixtures/sample.json"));
  auto dataset = sample;
  const auto round = [&](int i) {
    dataset = set(dataset, R"({"tenantId":1000012})", fmt::format(R"({{"errorMsg":"round {:06}"}})", i)).dataset;
    dataset = with_fixtures(ocp_router(), dataset, "f.json", kTen).dataset;
    dataset = remove(dataset, R"({"clusterId":1})").dataset;
  };
  for (int i = 0; i < 5; ++i) round(i);
  const sqlite3_int64 before = sqlite3_memory_used();
  for (int i = 0; i < 100; ++i) round(i);
  CHECK(sqlite3_memory_used() < before + 64 * 1024);
  CHECK(list(*dataset, "", 1000005, 1000012).total == 25);

  std::string many;
  for (int i = 0; i < 5000; ++i) many += tied_task(fmt::format(R"("n":{},"errorMsg":"{}")", i, std::string(100, 'x')));
  dataset = load_tasks(many);
  const sqlite3_int64 full = sqlite3_memory_used();
  dataset = remove(dataset, "{}").dataset;
  CHECK(sqlite3_memory_used() < full - 1'000'000);
}

TEST_CASE("changes: readers of the old dataset go on while new ones are made") {
  const auto sample = load_tasks(read_file("fixtures/sample.json"));
  const std::string expected = list(*sample, "size=50", 1000005, 1000012).contents;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        if (list(*sample, "size=50", 1000005, 1000012).contents != expected) ++wrong;
        ++reads;
      }
    });
  }
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 30; ++i) {
        const std::string status = fmt::format("S{}-{}", t, i);
        const Changed changed = set(sample, R"({"tenantId":1000012})", fmt::format(R"({{"status":"{}"}})", status));
        const Outline outline = changed.dataset->outline(log_backup_task());
        if (outline.children.at(0).children.at(0).words != std::vector<WordCount>{{status, 25}}) ++wrong;
        if (remove(sample, R"({"clusterId":1000009})").rows != 16) ++wrong;
      }
    });
  }
  for (std::size_t t = 3; t < threads.size(); ++t) threads[t].join();
  stop = true;
  for (std::size_t t = 0; t < 3; ++t) threads[t].join();
  CHECK(wrong == 0);
  CHECK(reads > 0);
}
