#include "store/changes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "store/changed_tasks.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("changes: where picks the tasks whose fields are the same JSON values") {
  const struct {
    std::string where;
    std::string picked;
  } cases[] = {
      {"{}", "abcdefghij"},
      {R"({"clusterId":1,"tenantId":2})", "abcdefghij"},
      {R"({"clusterId":1,"tenantId":3})", ""},
      {R"({"clusterId":2})", ""},
      {R"({"clusterId":"1"})", ""},
      {R"({"clusterId":1.0})", "abcdefghij"},
      {R"({"clusterId":10e-1})", "abcdefghij"},
      {R"({"clusterId":1.5})", ""},
      {R"({"clusterId":null})", ""},
      {R"({"clusterId":18446744073709551617})", ""},
      {R"({"status":"STOPPED"})", "be"},
      {R"({"status":"stopped"})", "j"},
      {R"({"status":["STOPPED"]})", ""},
      {R"({"status":"STOPPED","letter":"e"})", "e"},
      {R"({"delay":100.1})", "a"},
      {R"({"delay":1001e-1})", "a"},
      {R"({"delay":100.10000000000000000001})", ""},
      {R"({"delay":1000})", "b"},
      {R"({"delay":"1e3"})", ""},
      {R"({"delay":0})", "g"},
      {R"({"delay":0.0e5})", "g"},
      {R"({"delay":123456789012345678901.0})", "f"},
      {R"({"delay":123456789012345678902})", ""},
      {R"({"delay":null})", "cdehij"},
      {R"({"checkpoint":"2024-08-01T00:00:00Z"})", "cd"},
      {R"({"checkpoint":"2024-08-01T08:00:00+08:00"})", "cd"},
      {R"({"checkpoint":"2024-08-01T00:00:00.0Z"})", "cd"},
      {R"({"checkpoint":"2024-08-01T00:00:01Z"})", ""},
      {R"({"checkpoint":"soon"})", ""},
      {R"({"checkpoint":null,"delay":null})", "ehij"},
      {R"({"errorMsg":"1"})", "a"},
      {R"({"errorMsg":1})", ""},
      {R"({"errorMsg":""})", "j"},
      {R"({"errorMsg":"\u78c1\u76d8 \"\u6ee1\"\n\ud83d\ude00"})", "e"},
      {R"({"obTenantId":7})", "b"},
      {R"({"extra":{"y":"1","x":[1.0,2],"z":null}})", "c"},
      {R"({"extra":{"x":[1,2]}})", ""},
      {R"({"extra":{"x":[2,1],"y":"1"}})", ""},
      {R"({"extra":[1,null]})", "d"},
      {R"({"extra":[1]})", ""},
      {R"({"flag":true})", "h"},
      {R"({"flag":"true"})", "i"},
      {R"({"flag":false})", ""},
      {R"({"nobody":"x"})", ""},
      {R"({"nobody":null})", "abcdefghij"},
      {R"({"$timeline":null})", "abcdefghij"},
      {R"({"status":"x' OR '1'='1"})", ""},
  };
  const auto ten = load_tasks(kTen);
  const std::string before = everything(*ten);
  for (const auto& [where, picked] : cases) {
    CAPTURE(where);
    const Changed changed = set(ten, where, R"({"picked":1})");
    CHECK(changed.rows == static_cast<std::int64_t>(picked.size()));
    CHECK(letters(*changed.dataset) == "abcdefghij");
    std::string marked;
    const std::string contents = list(*changed.dataset, "size=2000").contents;
    for (const char letter : std::string("abcdefghij")) {
      const std::size_t at = contents.find(fmt::format("\"letter\":\"{}\"", letter));
      if (contents.find("\"picked\":1", at) < contents.find('}', at)) marked += letter;
    }
    CHECK(marked == picked);

    const Changed removed = remove(ten, where);
    CHECK(removed.rows == changed.rows);
    std::string left = "abcdefghij";
    std::erase_if(left, [&](char letter) { return picked.find(letter) != std::string::npos; });
    CHECK(letters(*removed.dataset) == left);
  }
  CHECK(everything(*ten) == before);
}

TEST_CASE("changes: set fields are answered, filtered and sorted by, and the place stays") {
  const struct {
    std::string set;
    std::string answered;  // task b
  } cases[] = {
      {R"({"status":"FAILED"})", R"("delay":1e3,"letter":"b","obTenantId":7,"status":"FAILED","tenantId":2)"},
      {R"({"delay":null,"obTenantId":null,"nobody":null})", R"("letter":"b","status":"STOPPED","tenantId":2)"},
      {R"({"delay":200.50,"errorMsg":"磁\ud83d\ude00\n","zed":{"a":null,"$b":[null,1.0]}})",
       R"("delay":200.50,"errorMsg":"磁\uD83D\uDE00\n","letter":"b","obTenantId":7,"status":"STOPPED","tenantId":2,"zed":{"$b":[null,1.0]})"},
      {"{}", R"("delay":1e3,"letter":"b","obTenantId":7,"status":"STOPPED","tenantId":2)"},
  };
  const auto ten = load_tasks(kTen);
  for (const auto& [fields, answered] : cases) {
    CAPTURE(fields);
    const Changed changed = set(ten, R"({"letter":"b"})", fields);
    CHECK(changed.rows == 1);
    const std::string expected = R"({"clusterId":1,"createTime":"2024-08-01T00:00:00Z",)" + answered + "}";
    CAPTURE(expected);
    const std::string contents = list(*changed.dataset, "size=2000").contents;
    CAPTURE(contents);
    CHECK(contents.find("}," + expected + ",{") != std::string::npos);
    CHECK(letters(*changed.dataset) == "abcdefghij");
  }
  const Changed failed = set(ten, R"({"status":"STOPPED"})", R"({"status":"FAILED","delay":1.5})");
  CHECK(failed.rows == 2);
  CHECK(letters(*failed.dataset, "status=FAILED") == "be");
  CHECK(letters(*failed.dataset, "status=STOPPED") == "");
  CHECK(list(*failed.dataset, "status=FAILED").total == 2);
  CHECK(letters(*failed.dataset, "sort=delay&size=4") == "gbea");
  CHECK(letters(*set(ten, R"({"letter":"c"})", R"({"createTime":"2024-08-01T00:00:01Z"})").dataset) == "cabdefghij");

  const Changed moved = set(ten, R"({"letter":"c"})", R"({"clusterId":8,"tenantId":9,"tenantName":"new"})");
  CHECK(letters(*moved.dataset) == "abdefghij");
  CHECK(list(*moved.dataset, "", 8, 9).total == 1);
  // Cluster 8 is there, its tenant 2 is not.
  CHECK(moved.dataset->find_missing(list_request("", {}, path_of(8, 2))) == 1);
  CHECK(moved.dataset->outline(log_backup_task()).children.at(1).children.at(0).label == "new");
}

TEST_CASE("changes: a set that breaks a rule of fixtures is refused, and the old dataset stays") {
  const struct {
    std::string set;
    std::string refusal;
  } cases[] = {
      {R"({"status":5})",
       "set has 1 problem, nothing was changed:\n  status is the number 5; it must be a string that"
       " is not empty"},
      {R"({"status":null})", "status is null; it must be a string"},
      {R"({"status":""})", "it must be a string that is not empty"},
      {R"({"clusterId":null})", "clusterId is null; it must be a 64-bit integer"},
      {R"({"tenantId":1.0})", "tenantId is the number 1.0; it must be a 64-bit integer"},
      {R"({"createTime":"2024-02-30T00:00:00Z"})", "it must be an RFC 3339 time"},
      {R"({"delay":"1","checkpoint":1})", "set has 2 problems, nothing was changed:\n  checkpoint is the number 1; "},
      {R"({"$other":1})",
       "$other is not known; of the members that begin with $, a task may have $delay, $since and $timeline"},
      {R"({"$timeline":[{"at":"PT1S","status":1}]})", "$timeline, point 1: status is the number 1; it must be"},
      {R"({"$since":"2024-08-01T00:00:00Z"})", "$since has no $timeline beside it"},
      {"[]", "set has 1 problem, nothing was changed:\n  it is an array; it must be an object"},
      {"5", "it is the number 5; it must be an object"},
  };
  const auto ten = load_tasks(kTen);
  const std::string before = everything(*ten);
  for (const auto& [fields, expected] : cases) {
    CAPTURE(fields);
    const std::string got = refusal([&, &text = fields] { set(ten, "{}", text); });
    CAPTURE(got);
    CHECK(got.find(expected) != std::string::npos);
    if (fields.find("$since") == std::string::npos) {
      CHECK(refusal([&, &text = fields] { set(ten, R"({"letter":"none"})", text); }) == got);
    }
  }
  CHECK(refusal([&] { set(ten, "[]", "{}"); }) ==
        "where has 1 problem, nothing was changed:\n  it is an array; it must be an object");
  CHECK(refusal([&] { remove(ten, "null"); }).find("it is null; it must be an object") != std::string::npos);
  CHECK(everything(*ten) == before);
}

TEST_CASE("changes: a where that can pick no task is misspelt, and so are words that nobody knows") {
  const auto said = [](const Dataset& dataset, const std::string& where, const std::string& fields = "{}") {
    const JsonValue set_value = read_json_text(fields);
    return refusal([&] { refuse_misspelt(dataset, log_backup_task(), read_json_text(where), &set_value); });
  };
  const struct {
    std::string where;
    std::string refusal;  // empty: it is right
  } cases[] = {
      {"{}", ""},
      {R"({"clusterId":"1"})", "clusterId is the string \"1\"; it must be a 64-bit integer"},
      {R"({"clusterId":1.5})", "clusterId is the number 1.5; it must be a 64-bit integer"},
      {R"({"clusterId":18446744073709551617})", "it must be a 64-bit integer"},
      {R"({"clusterId":1e400})", "it must be a 64-bit integer"},
      {R"({"clusterId":null})", "clusterId is null, and every task has one"},
      {R"({"clusterId":9})", ""},
      {R"({"clusterId":-10e-1})", ""},
      {R"({"delay":"1e3"})", "delay is the string \"1e3\"; it must be a number"},
      {R"({"delay":1.5})", ""},
      {R"({"errorMsg":1})", "errorMsg is the number 1; it must be a string"},
      {R"({"errorMsg":null})", ""},
      {R"({"checkpoint":"soon"})", "checkpoint is the string \"soon\"; it must be an RFC 3339 time"},
      {R"({"checkpoint":"2030-01-01T00:00:00Z"})", ""},
      {R"({"status":["STOPPED"]})", "status is an array; it must be a string"},
      {R"({"status":null})", "status is null, and every task has one"},
      {R"({"status":"FAILD"})", "status is the string \"FAILD\"; it must be one of "},
      {R"({"status":"FAILD"})", "or one that a task has; did you mean 'FAILED'?"},
      {R"({"status":""})", "status is the string \"\"; it must be one of"},
      {R"({"status":"x' OR '1'='1"})", "it must be one of"},
      {R"({"status":"FAILED"})", ""},   // OCP's, though no task has it
      {R"({"status":"stopped"})", ""},  // a task has it, though it is not OCP's
      {R"({"delya":1})", "delya is no field of logBackupTasks, and no task has it; did you mean 'delay'?"},
      {R"({"nobody":null})", "nobody is no field of logBackupTasks, and no task has it"},
      {R"({"extra":1,"flag":1,"letter":"z"})", ""},  // some tasks have them
      {R"({"x":1})", "x is no field of"},            // only inside another
      {R"({"$timeline":null})", "$timeline picks no task: where compares with fields that are answered"},
      {R"({"delya":1,"statsu":"X"})", "where has 2 problems, nothing was changed:\n  delya is no field of"},
  };
  const auto ten = load_tasks(kTen);
  for (const auto& [where, expected] : cases) {
    CAPTURE(where);
    const std::string got = said(*ten, where);
    CAPTURE(got);
    CHECK(got.empty() == expected.empty());
    CHECK(got.find(expected) != std::string::npos);
  }
  const std::pair<std::string, std::string> sets[] = {
      {R"({"delya":1})", "set has 1 problem, nothing was changed:\n  delya is no field of logBackupTasks"},
      {R"({"nobody":null})", "nobody is no field of"},
      {R"({"status":"FAILD"})", "did you mean 'FAILED'?"},
      {R"({"$timeline":[{"at":"PT1S","statsu":"FAILED"}]})", "statsu is no field of"},
      {R"({"$timeline":[{"at":"PT1S","status":"FAILD"}]})", "did you mean 'FAILED'?"},
      {R"({"$timeline":[{"at":"PT1S","status":"FAILED"}],"$since":"2024-08-01T00:00:00Z"})", ""},
      {R"({"status":"stopped","letter":"z","extra":null,"$timeline":null})", ""},
  };
  for (const auto& [fields, expected] : sets) {
    CAPTURE(fields);
    const std::string got = said(*ten, "{}", fields);
    CAPTURE(got);
    CHECK(got.empty() == expected.empty());
    CHECK(got.find(expected) != std::string::npos);
  }
  // What is yet to come along a timeline is known too.
  const auto waiting = load_tasks("[" + tied_task(R"("$timeline":[{"at":"PT1S","status":"ODD"}])") + "]");
  CHECK(said(*waiting, R"({"status":"ODD"})").empty());
  CHECK(said(*waiting, R"({"status":"ODDER"})").find("or one that a task has") != std::string::npos);
  const auto timed = load_tasks("[" + tied_task(R"("$timeline":[{"at":"PT1S","later":1,"o":{"inner":1}}])") + "]");
  CHECK(said(*timed, "{}", R"({"later":2})").empty());
  CHECK(said(*timed, "{}", R"({"inner":2})").find("inner is no field") != std::string::npos);
}

TEST_CASE("changes: fixtures are added behind those that are there, whole or not at all") {
  const auto ten = load_tasks(kTen);
  const std::string before = everything(*ten);
  const Changed one = with_fixtures(ocp_router(), ten, "request body",
                                    tied_task(R"("letter":"k")") + "\n" + tied_task(R"("letter":"l")"));
  CHECK(one.rows == 2);
  CHECK(letters(*one.dataset) == "abcdefghijkl");
  const Changed more = with_fixtures(
      ocp_router(), one.dataset, "request body",
      R"({"clusters":[{"id":1,"name":"late","tenants":[{"id":2,"name":"t"},{"id":5}]},{"id":6}],"logBackupTasks":[)" +
          tied_task(R"("letter":"m","clusterName":"of a task")") + "]}");
  CHECK(more.rows == 1);
  CHECK(letters(*more.dataset) == "abcdefghijklm");
  const auto clusters = more.dataset->outline(log_backup_task()).children;
  REQUIRE(clusters.size() == 2);
  CHECK(clusters[0].label == "late");
  CHECK(clusters[0].children.at(0).label == "t");
  CHECK_FALSE(more.dataset->find_missing(list_request("", {}, path_of(1, 5))));
  CHECK(with_fixtures(ocp_router(), more.dataset, "b", R"({"clusters":[{"id":1,"name":"later"}]})")
            .dataset->outline(log_backup_task())
            .children[0]
            .label == "late");

  const std::string refused = refusal([&] {
    with_fixtures(ocp_router(), ten, "request body",
                  "[" + tied_task(R"("letter":"x")") + ",\n" + tied_task(R"("delay":"x")") + "]");
  });
  CAPTURE(refused);
  CHECK(refused.find("request body:2:") != std::string::npos);
  CHECK(refused.find("task 2: delay is the string \"x\"; it must be a number") != std::string::npos);
  CHECK(refusal([&] {
          with_fixtures(ocp_router(), ten, "request body", "");
        }).find("request body: the file is empty") != std::string::npos);
  CHECK(refusal([] { from_fixtures(ocp_router(), "request body", "{"); }).find("request body:1:") != std::string::npos);
  CHECK(everything(*ten) == before);
  CHECK(from_fixtures(ocp_router(), "request body", kTen).rows == 10);
}

TEST_CASE("changes: one that changes nothing says so") {
  const auto old = load_tasks(R"({"clusters":[{"id":1,"name":"c","tenants":[{"id":2}]}],"logBackupTasks":[)" +
                              tied_task(R"("letter":"a")") + "]}");
  const struct {
    Changed changed;
    bool is_same;
  } cases[] = {
      {set(old, R"({"status":"FAILED"})", R"({"delay":1})"), true},
      {set(old, "{}", R"({"delay":1})"), false},
      {remove(old, R"({"status":"FAILED"})"), true},
      {remove(old, R"({"letter":"b"})"), true},
      {remove(old, R"({"letter":"a"})"), false},
      {remove(old, "{}"), false},
      {with_fixtures(ocp_router(), old, "f.json", "[]"), true},
      {with_fixtures(ocp_router(), old, "f.json", R"({"clusters":[{"id":1,"tenants":[{"id":2}]}]})"), true},
      {with_fixtures(ocp_router(), old, "f.json", R"({"clusters":[{"id":1,"tenants":[{"id":3}]}]})"), false},
      {with_fixtures(ocp_router(), old, "f.json", R"({"clusters":[{"id":9}]})"), false},
      {with_fixtures(ocp_router(), old, "f.json", "[" + tied_task(R"("letter":"b")") + "]"), false},
  };
  for (const auto& [changed, is_same] : cases) {
    CAPTURE(&changed - &cases[0].changed);
    CHECK((changed.dataset == old) == is_same);
    CHECK((everything(*changed.dataset) == everything(*old)) == is_same);
  }
}
