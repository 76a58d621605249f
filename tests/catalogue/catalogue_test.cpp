#include "catalogue/catalogue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/synthetic.h"
#include "log_backup_tasks.h"

using namespace ocp_mock;

TEST_CASE("catalogue: names are found, and what is not there is not") {
  const Catalogue& ocp = ocp_catalogue();
  const Resource* tasks = ocp.find_resource("logBackupTasks");
  REQUIRE(tasks != nullptr);
  CHECK(ocp.find_resource("logbackuptasks") == nullptr);
  CHECK(ocp.find_resource("") == nullptr);
  const Field* status = tasks->find_field("status");
  REQUIRE(status != nullptr);
  CHECK(tasks->find_field("Status") == nullptr);
  CHECK(tasks->indexed_words == status);
  REQUIRE(status->words != nullptr);
  CHECK(status->words->find("BEGINNING") == 8);
  CHECK(status->words->find("beginning") == WordList::npos);
  const Endpoint& list = log_backup_tasks();
  CHECK(list.resource == tasks);
  CHECK(list.has_placeholder("id"));
  CHECK_FALSE(list.has_placeholder("clusterId"));
}

TEST_CASE("catalogue: a log backup task has its parents, its order, and a delay computed from its checkpoint") {
  const Resource& tasks = *ocp_catalogue().find_resource("logBackupTasks");
  const Resource& clusters = *ocp_catalogue().find_resource("clusters");
  const Resource& tenants = *ocp_catalogue().find_resource("tenants");
  REQUIRE(tasks.parents.size() == 2);
  CHECK(tasks.parents[0].resource == &clusters);
  CHECK(tasks.parents[0].field->name == "clusterId");
  CHECK(tasks.parents[0].label->name == "clusterName");
  CHECK(tasks.parents[1].resource == &tenants);
  CHECK(tasks.parents[1].label->name == "tenantName");
  CHECK(tenants.parents[0].resource == &clusters);
  CHECK(tenants.key->name == "id");
  CHECK(tenants.label->name == "name");
  CHECK(tasks.key == nullptr);
  REQUIRE(tasks.order.size() == 1);
  CHECK(tasks.order[0] == SortKey{tasks.find_field("createTime"), true});
  CHECK(tasks.lasts_until->name == "checkpoint");
  CHECK(tasks.computed.field->name == "delay");
  CHECK(tasks.computed.from->name == "checkpoint");
}

TEST_CASE("catalogue: columns are numbered in the order of the fields, and what nothing compares has none") {
  for (const Catalogue* catalogue : {&ocp_catalogue(), &synthetic_catalogue()}) {
    for (const Resource& resource : catalogue->resources) {
      CAPTURE(resource.name);
      std::size_t next = 0;
      for (const Field& field : resource.fields) {
        CAPTURE(field.name);
        const std::vector<std::string> columns = columns_of(field);
        CHECK(columns.size() == (field.column.empty() ? 0 : field.type == FieldType::Time ? 2 : 1));
        if (!columns.empty()) CHECK(field.first_column == next);
        next += columns.size();
      }
      CHECK(resource.columns == next);
    }
  }
  const Resource& tasks = *ocp_catalogue().find_resource("logBackupTasks");
  CHECK(columns_of(*tasks.find_field("createTime")) ==
        std::vector<std::string>{"create_time_second", "create_time_nano"});
  CHECK(columns_of(*tasks.find_field("delay")) == std::vector<std::string>{"delay"});
  CHECK(columns_of(*tasks.find_field("backupUri")).empty());
}

TEST_CASE("catalogue: resources come after their parents, and endpoints point into them") {
  for (const Catalogue* catalogue : {&ocp_catalogue(), &synthetic_catalogue()}) {
    for (const Resource& resource : catalogue->resources) {
      for (const Parent& parent : resource.parents) CHECK(parent.resource < &resource);
    }
    for (const Endpoint& endpoint : catalogue->endpoints) {
      CAPTURE(endpoint.path);
      const bool reads_rows =
          endpoint.does == Does::List || endpoint.does == Does::Get || endpoint.does == Does::Document;
      CHECK((endpoint.resource != nullptr) == reads_rows);
      for (const PathParameter& parameter : endpoint.path_parameters) {
        CHECK((parameter.field != nullptr) == reads_rows);
        if (!reads_rows) continue;
        CHECK(endpoint.resource->find_field(parameter.field->name) == parameter.field);
        CHECK_FALSE(parameter.field->column.empty());
      }
      for (const Parameter& parameter : endpoint.parameters) {
        CHECK((parameter.words != nullptr) == (parameter.type == ParameterType::Word));
        for (const Field* field : parameter.fields) CHECK_FALSE(field->column.empty());
      }
    }
    CHECK(catalogue->version > 0);
    CHECK(catalogue->version <= std::numeric_limits<std::int32_t>::max());
  }
  CHECK(ocp_catalogue().version != synthetic_catalogue().version);
}

TEST_CASE("catalogue: the shapes that OCP's catalogue does not have yet") {
  const Catalogue& catalogue = synthetic_catalogue();
  const Resource& hosts = *catalogue.find_resource("hosts");
  const auto endpoint = [&](std::string_view method, std::string_view path) -> const Endpoint& {
    return *std::ranges::find_if(catalogue.endpoints,
                                 [&](const Endpoint& e) { return e.method == method && e.path == path; });
  };
  const Endpoint& list = endpoint("GET", "/api/v1/zones/{zoneName}/hosts");
  CHECK(list.paging.kind == PagingKind::Pageable);
  CHECK(list.paging.default_size == 5);
  CHECK(list.paging.maximum_size == 50);
  CHECK(list.paging.sorts.size() == 7);
  CHECK(list.path_parameters[0].type == ParameterType::String);
  CHECK(list.path_parameters[0].missing_code == 10002);
  CHECK(hosts.find_field("kind")->words->words.size() == 40);
  CHECK(hosts.find_field("kind")->words->words[39].meaning == 0);
  CHECK(hosts.find_field("description")->keeps_null);
  CHECK(hosts.order.size() == 2);
  const Endpoint& get = endpoint("GET", "/api/v1/zones/{zoneName}/hosts/{hostName}");
  CHECK(get.does == Does::Get);
  CHECK(get.form == Form::Object);
  CHECK(get.path_parameters[1].field == hosts.key);
  CHECK(get.path_parameters[1].of == &hosts);
  CHECK(get.path_parameters[1].missing_code == 20001);
  CHECK(endpoint("DELETE", "/api/v1/zones/{zone}/hosts/{host}").since == "V4.0.0");
  const Endpoint& regions = endpoint("GET", "/api/v1/regions");
  CHECK(regions.paging.kind == PagingKind::None);
  CHECK(regions.parameters.empty());
  const Endpoint& search = endpoint("POST", "/api/v1/regions");
  CHECK(search.parameters[0].fields.size() == 2);
  CHECK(search.parameters[1].required);
}

TEST_CASE("catalogue: what writes, with its steps, and how tasks are told") {
  const Catalogue& catalogue = synthetic_catalogue();
  const auto is_it = [](const Endpoint& e) { return e.method == "DELETE" && e.does == Does::Write; };
  const auto remove = std::ranges::find_if(catalogue.endpoints, is_it);
  REQUIRE(remove != catalogue.endpoints.end());
  CHECK(remove->effects == R"([{"remove":"hosts","where":{"name":"${path.hostName}","zone":"${path.zoneName}"}},)"
                           R"({"run":"countHosts","with":{"zone":"${path.zoneName}"}}])");
  CHECK(remove->answers.empty());
  CHECK(catalogue.find_steps("countHosts").starts_with(R"([{"set":"zones",)"));
  CHECK(catalogue.find_steps("count").empty());
  CHECK(catalogue.answers.empty());
  CHECK(ocp_catalogue().find_answer("POST_ob_clusters_id_stop").starts_with('{'));
  CHECK(ocp_catalogue().find_answer("POST_compute").empty());

  REQUIRE(catalogue.tasks != nullptr);
  const TaskRules& rules = *catalogue.tasks;
  CHECK(rules.resource == catalogue.find_resource("jobs"));
  CHECK(rules.logs == catalogue.find_resource("jobLogs"));
  CHECK(rules.due == rules.resource->find_field("upcomingAt"));
  CHECK(columns_of(*rules.due).size() == 2);
  CHECK(rules.plan == rules.resource->find_field("upcoming"));
  CHECK(rules.log == rules.logs->find_field("text"));
  for (const auto& [member, expected] :
       std::vector<std::pair<std::string_view, std::string_view>>{{rules.id, "id"},
                                                                  {rules.name, "title"},
                                                                  {rules.status, "state"},
                                                                  {rules.operation, "action"},
                                                                  {rules.run_count, "runs"},
                                                                  {rules.creator, "owner"},
                                                                  {rules.executor, "runner"},
                                                                  {rules.created, "madeAt"},
                                                                  {rules.started, "begunAt"},
                                                                  {rules.finished, "doneAt"},
                                                                  {rules.no_rollback, "final"},
                                                                  {rules.before, "behind"},
                                                                  {rules.after, "ahead"},
                                                                  {rules.pending, "waiting"},
                                                                  {rules.ready, "next"},
                                                                  {rules.running, "going"},
                                                                  {rules.cancelling, "stopping"},
                                                                  {rules.failed, "broken"},
                                                                  {rules.successful, "done"},
                                                                  {rules.execute, "do"},
                                                                  {rules.retry, "redo"},
                                                                  {rules.rollback, "undo"},
                                                                  {rules.skip, "pass"},
                                                                  {rules.cancel, "stop"}}) {
    CHECK(member == expected);
  }
  REQUIRE(rules.subtasks.size() == 2);
  CHECK(rules.subtasks[1] == "steps");
  CHECK(rules.row == R"({"owner":{"name":"${user}"},"runner":"r1","zone":"${with.zone}"})");
  CHECK(rules.answer == R"({"owner":"${user}","zone":"${with.zone}"})");
  CHECK(rules.subtask == R"({"runs":1})");
  REQUIRE(ocp_catalogue().tasks != nullptr);
  CHECK(ocp_catalogue().tasks->resource == ocp_catalogue().find_resource("taskInstances"));
}
