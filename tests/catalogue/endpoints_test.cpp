#include "catalogue/endpoints.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "ocp/error.h"

using namespace ocp_mock;

namespace {

constexpr const char* kPath = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";

}  // namespace

TEST_CASE("endpoints: the path of the page's example is found, with its values") {
  const auto match = match_path(kPath);
  REQUIRE(match);
  CHECK(match->endpoint->fixture == "logBackupTasks");
  CHECK(match->values == std::vector<std::string>{"1000005", "1000012"});
}

TEST_CASE("endpoints: one trailing slash is accepted and segments are decoded once") {
  CHECK(match_path(std::string(kPath) + "/"));
  const auto match = match_path("/api/v2/ob/%63lusters/1%2F2/tenants/%2541/backup/task/logBackupTasks");
  REQUIRE(match);
  CHECK(match->values == std::vector<std::string>{"1/2", "%41"});
}

TEST_CASE("endpoints: the root is the mock's own page, and no path that OCP would be said to know") {
  const auto match = match_path("/");
  REQUIRE(match);
  CHECK(match->companion->answer == Companion::Answer::Welcome);
  CHECK(match->companion->open);
  CHECK(std::string(refusal_of_path("/x").what()).ends_with("/api/status."));
}

TEST_CASE("endpoints: other paths are unknown") {
  const std::string path = kPath;
  for (const std::string& other : {std::string(""), std::string("*"), std::string("//"), path + "//", path + "/x",
                                   "/" + path, path.substr(0, path.size() - 1), path + "%2F",
                                   std::string("/api/v2/ob/clusters//tenants/2/backup/task/logBackupTasks"),
                                   std::string("/api/v2/ob/clusters/1/tenants//backup/task/logBackupTasks"),
                                   std::string("/api/v2/ob/clusters/1/tenants/2/backup/task/logbackuptasks"),
                                   std::string("/API/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks"),
                                   std::string("/api/v2/ob/clusters/1/tenants/2/backup//task/logBackupTasks")}) {
    CAPTURE(other);
    CHECK_FALSE(match_path(other));
  }
}

TEST_CASE("endpoints: a path that does not decode is refused otherwise than an unknown one") {
  for (const std::string path : {"/%", "/a/%zz", "/a%00", "/%FF/b"}) {
    CAPTURE(path);
    CHECK_FALSE(match_path(path));
    CHECK(refusal_of_path(path).status() == 400);
  }
  for (const std::string path : {"/", "/a%20b", "*"}) {
    CAPTURE(path);
    CHECK(refusal_of_path(path).status() == 404);
  }
}

TEST_CASE("endpoints: the companions are found by their paths, and one of them is open") {
  const struct {
    std::string path;
    Companion::Answer answer;
    bool open;
  } cases[] = {
      {"/api/v2/time", Companion::Answer::Time, true},     {"/api/v2/time/", Companion::Answer::Time, true},
      {"/api/v2/info", Companion::Answer::Info, false},    {"/api/status", Companion::Answer::Status, false},
      {"/api/%73tatus", Companion::Answer::Status, false},
  };
  for (const auto& [path, answer, open] : cases) {
    CAPTURE(path);
    const auto match = match_path(path);
    REQUIRE(match);
    CHECK(match->endpoint == nullptr);
    REQUIRE(match->companion);
    CHECK(match->companion->answer == answer);
    CHECK(match->companion->open == open);
  }
}

TEST_CASE("endpoints: each row of the table holds together") {
  for (const Endpoint& endpoint : endpoints()) {
    CAPTURE(endpoint.path);
    CHECK(find_endpoint_of_fixture(endpoint.fixture) == &endpoint);
    const Field* time = endpoint.find_field(endpoint.time_field);
    REQUIRE(time);
    CHECK(time->type == FieldType::Time);
    CHECK(time->required);
    const Field* end = endpoint.find_field(endpoint.end_field);
    REQUIRE(end);
    CHECK(end->type == FieldType::Time);
    CHECK_FALSE(end->column.empty());
    const Field* delay = endpoint.find_field(endpoint.delay_field);
    REQUIRE(delay);
    CHECK(delay->type == FieldType::Number);
    CHECK_FALSE(delay->required);
    // A member that every task has comes before it, see append_fixture.
    CHECK(std::ranges::any_of(endpoint.fields,
                              [&](const Field& field) { return field.required && field.name < delay->name; }));
    for (const auto sort : endpoint.sorts) {
      CAPTURE(sort);
      const Field* field = endpoint.find_field(sort);
      REQUIRE(field);
      CHECK_FALSE(field->column.empty());
    }
    CHECK(endpoint.statuses.size() <= 32);
    for (const Status& status : endpoint.statuses) {
      CAPTURE(status.word);
      CHECK_FALSE(status.meaning.empty());
      CHECK(endpoint.words_of(endpoint.find_status(status.word)) == std::vector{status.word});
    }
    CHECK(endpoint.find_status("") == 0);
    CHECK(endpoint.words_of(0).empty());
    CHECK(endpoint.words_of(~StatusSet{0}).size() == endpoint.statuses.size());
    for (const std::string column : {"cluster_id", "tenant_id", "status"}) {
      CAPTURE(column);
      CHECK(std::ranges::count(endpoint.fields, column, &Field::column) == 1);
    }
  }
}
