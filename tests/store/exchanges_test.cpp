#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "behaviour/replay.h"
#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/changes.h"
#include "store/dataset_builder.h"
#include "store/exchanges.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::TemporaryFolder;

namespace {

std::string exchange(const std::string& method, const std::string& path, const std::string& asked,
                     const std::string& answer) {
  return R"({"request":{"method":")" + method + R"(","path":")" + path + "\"" +
         (asked.empty() ? "" : ",\"body\":" + asked) + R"(},"response":{"body":)" + answer + "}}";
}

std::shared_ptr<const Dataset> dataset_of_text(const std::string& text) {
  return from_fixtures(ocp_router(), "f.json", text).dataset;
}

// The body of the exchange that answers; empty if there is none.
std::string found(const Dataset& dataset, const std::string& method, const std::string& target,
                  const std::string& body = "") {
  const auto exchange = find_exchange(dataset, method, target, body);
  return exchange ? exchange->body : "";
}

const std::string kExchangesOfTest = "[" + exchange("GET", "/a?x=1&y=2", "", "1") + "," +
                                     exchange("POST", "/a", R"({"k":1,"l":null})", "2") + "," +
                                     exchange("POST", "/a", "", "3") + "," + exchange("POST", "/b", "\"t=1\"", "4") +
                                     "," + exchange("HEAD", "/c", "", "5") + "," + exchange("GET", "/c", "", "6") + "]";

}  // namespace

TEST_CASE("exchanges: the one that needs the request's body answers before the one that needs none") {
  const auto dataset = dataset_of_text(kExchangesOfTest);
  CHECK(dataset->has_exchanges());
  const struct {
    std::string method;
    std::string target;
    std::string body;
    std::string answer;
  } cases[] = {
      {"GET", "/a?y=2&x=1", "", "1"},
      {"GET", "http://h/a/?y=%32&x=1", "", "1"},
      {"GET", "/a?y=2&x=1", "ignored", "1"},
      {"HEAD", "/a?y=2&x=1", "", "1"},
      {"GET", "/a?x=1", "", ""},
      {"GET", "/a?x=1&y=2&z=3", "", ""},
      {"GET", "/A?y=2&x=1", "", ""},
      {"GET", "/a%zz", "", ""},
      {"POST", "/a", R"({ "k" : 1 })", "2"},
      {"POST", "/a", R"({"l":null,"k":1})", "2"},
      {"POST", "/a", R"({"k":2})", "3"},
      {"POST", "/a", "no JSON", "3"},
      {"POST", "/a", "", "3"},
      {"POST", "/b", "t=1", "4"},
      {"POST", "/b", "\"t=1\"", "4"},
      {"POST", "/b", "t=2", ""},
      {"POST", "/b", "", ""},
      {"PUT", "/a", "", ""},
      {"HEAD", "/c", "", "5"},
      {"GET", "/c", "", "6"},
  };
  for (const auto& [method, target, body, answer] : cases) {
    CAPTURE(method);
    CAPTURE(target);
    CAPTURE(body);
    CHECK(found(*dataset, method, target, body) == answer);
  }
}

TEST_CASE("exchanges: a look-up uses the table's key") {
  const auto dataset = dataset_of_text(kExchangesOfTest);
  const std::vector<std::string> plan = dataset->query_plan(exchange_query("GET /c", ""));
  REQUIRE(!plan.empty());
  CHECK(plan[0] == "SEARCH exchange USING PRIMARY KEY (request=? AND request_body=?)");
}

TEST_CASE("exchanges: of one path that of the method is found first, and none of a longer path") {
  const auto dataset =
      dataset_of_text("[" + exchange("GET", "/a", "", "1") + "," + exchange("PUT", "/a?x=1", "", "2") + "," +
                      exchange("PUT", "/a/b", "", "3") + "," + exchange("PUT", "/ab", "", "4") + "]");
  CHECK(dataset->find_exchange_of_path("PUT", "/a") == "PUT /a?x=1");
  CHECK(dataset->find_exchange_of_path("GET", "/a") == "GET /a");
  CHECK(dataset->find_exchange_of_path("POST", "/a") == "GET /a");
  CHECK(dataset->find_exchange_of_path("PUT", "/") == std::nullopt);
  CHECK(dataset->find_exchange_of_path("PUT", "/a/b/c") == std::nullopt);
}

TEST_CASE("exchanges: an export, a file, a copy and a timeline keep them") {
  const std::string text = R"({"exchanges":)" + kExchangesOfTest +
                           R"(,"logBackupTasks":[{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z",)"
                           R"("status":"RUNNING","$timeline":[{"at":"PT1S","status":"FAILED"}]}]})";
  const auto dataset = dataset_of_text(text);
  const std::string exported = export_fixtures(*dataset);
  CHECK(exported.find(R"("exchanges":[)") != std::string::npos);
  CHECK(export_fixtures(*dataset_of_text(exported)) == exported);
  CHECK(export_fixtures(*dataset_of_text("[]")).find("exchanges") == std::string::npos);

  const TemporaryFolder folder;
  const auto builder = DatasetBuilder::in_file(folder.path() / "data.db", ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json", text, *builder);
  builder->finish();
  CHECK(export_fixtures(*Dataset::open(folder.path() / "data.db", ocp_catalogue())) == exported);

  TimelineState state;
  const auto later = at_time(dataset, {0, 0}, {5, 0}, state);
  REQUIRE(later != dataset);
  CHECK(found(*later, "GET", "/c") == "6");
}

TEST_CASE("exchanges: what is added replaces what has the same request, and leaves the old data as they are") {
  const auto before = dataset_of_text(kExchangesOfTest);
  const Changed after = with_fixtures(ocp_router(), before, "f.json", exchange("GET", "/c", "", "60"));
  CHECK(after.rows == 0);
  CHECK(after.exchanges == 1);
  CHECK(found(*after.dataset, "GET", "/c") == "60");
  CHECK(found(*after.dataset, "POST", "/a") == "3");
  CHECK(found(*before, "GET", "/c") == "6");
  CHECK(with_fixtures(ocp_router(), before, "f.json", "[]").dataset == before);
  CHECK(!dataset_of_text("[]")->has_exchanges());
}
