#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "catalogue/body.h"
#include "control/world.h"
#include "log_backup_tasks.h"
#include "store/changes.h"

using namespace ocp_mock;

namespace {

constexpr int kClients = 64;
constexpr int kWrites = 4;  // of each client

WorldOptions options() {
  WorldOptions options;
  options.real_now = [] { return Instant{1'700'000'000, 0}; };
  options.isolate_by_user = true;
  return options;
}

std::shared_ptr<const Dataset> one_tenant() {
  return from_fixtures(ocp_router(), "f.json",
                       R"({"clusters":[{"id":1,"name":"c"}],"tenants":[{"clusterId":1,"id":2}]})")
      .dataset;
}

Write creation_of_database(const std::string& name) {
  const auto route = ocp_router().find("POST", "/api/v2/ob/clusters/1/tenants/2/databases");
  REQUIRE(route);
  std::vector<Violation> violations;
  const std::string body = fmt::format(R"({{"dbName":"{}","readonly":false}})", name);
  return {read_parameters(*route->endpoint, route->values, "", {}, violations),
          read_body(*route->endpoint, "application/json", "", body, violations),
          "",
          "u",
          {}};
}

bool has_database(World& world, const std::string& name) {
  bool found = false;
  const Resource& databases = *ocp_catalogue().find_resource("databases");
  world.snapshot().dataset->each_row(databases, {}, [&](const StoredRow& row) {
    found = found || row.json.find(fmt::format(R"("dbName":"{}")", name)) != std::string_view::npos;
  });
  return found;
}

std::int64_t databases_of(World& world) {
  std::int64_t rows = 0;
  world.snapshot().dataset->each_row(*ocp_catalogue().find_resource("databases"), {},
                                     [&](const StoredRow&) { ++rows; });
  return rows;
}

// Each client writes in the world that the function gives for it, and reads each of its writes back.
template <typename WorldOf>
int unseen_writes(const WorldOf& world_of) {
  std::atomic<int> unseen{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      World& world = world_of(client);
      for (int i = 0; i < kWrites; ++i) {
        const std::string name = fmt::format("d{}_{}", client, i);
        world.write(creation_of_database(name));
        if (!has_database(world, name)) ++unseen;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  return unseen;
}

}  // namespace

TEST_CASE("world: 64 clients that write at once in one world lose nothing, and see their own writes") {
  Worlds worlds(options(), one_tenant());
  CHECK(unseen_writes([&](int) -> World& { return worlds.base(); }) == 0);
  CHECK(databases_of(worlds.base()) == kClients * kWrites);
}

TEST_CASE("world: 64 users that write at once in worlds of their own do not meet") {
  Worlds worlds(options(), one_tenant());
  std::vector<std::shared_ptr<World>> of_users;
  for (int i = 0; i < kClients; ++i) of_users.push_back(worlds.of_user(fmt::format("u{}", i)));
  CHECK(unseen_writes([&](int client) -> World& { return *of_users[static_cast<std::size_t>(client)]; }) == 0);
  for (const auto& world : of_users) CHECK(databases_of(*world) == kWrites);
  CHECK(databases_of(worlds.base()) == 0);
}

TEST_CASE("world: a reset takes back what was written, and a fork has it") {
  Worlds worlds(options(), one_tenant());
  worlds.of_user("a")->write(creation_of_database("d"));
  worlds.fork("b", "a");
  worlds.of_user("a")->reset();
  CHECK(databases_of(*worlds.of_user("a")) == 0);
  CHECK(databases_of(*worlds.of_user("b")) == 1);
}
