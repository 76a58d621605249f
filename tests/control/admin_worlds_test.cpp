// Worlds of users by admin calls, over real sockets.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "control/control_server.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("control: 64 users change their worlds at once, and none sees another's") {
  const Server server({"--isolate-by", "user"});
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 64; ++c) {
    clients.emplace_back([&, c] {
      try {
        const std::string user = "user-" + std::to_string(c);
        const std::string query = "?user=" + user;
        const auto expect = [&](bool right) { wrong += right ? 0 : 1; };
        std::string tasks;
        for (int i = 0; i <= c; ++i) tasks += (i == 0 ? "" : ",") + task("2024-08-01T00:00:00Z");
        expect(contains(server.get(kList, user).body, total(2)));
        expect(server.admin("PUT", "/fixtures" + query, "[" + tasks + "]").status == 200);
        expect(server.admin("PUT", "/clock" + query, R"({"offset":"P)" + std::to_string(c + 1) + "D\"}").status == 200);
        expect(server
                   .admin("POST", "/faults" + query,
                          R"({"match":{"path":"/api/status"},"action":{"status":)" + std::to_string(500 + c) + "}}")
                   .status == 201);
        for (int i = 0; i < 3; ++i) {
          expect(contains(server.get(kList, user).body, total(c + 1)));
          expect(server.get("/api/status", user).status == 500 + c);
        }
        expect(contains(server.admin("POST", "/requests/verify" + query, R"({"exactly":7})").body,
                        "\"result\":\"passed\"}"));
        expect(server.admin("POST", "/reset" + query).status == 204);
        expect(contains(server.get(kList, user).body, total(2)));
        expect(server.get("/api/status", user).body == "okay");
      } catch (const std::exception&) {
        ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
  CHECK(contains(server.admin("GET", "/clock").body, R"("mode":"real")"));
  CHECK(contains(server.admin("GET", "/requests").body, R"("requests":[])"));
}

TEST_CASE("control: worlds are forked, limited and deleted") {
  const Server server({"--isolate-by", "user", "--max-worlds", "2", "--access-key", "AK:SK:admin", "--user", "admin:x",
                       "--user", "b:x", "--user", "c:x"});
  server.admin("DELETE", "/tasks?user=admin", R"({"where":{"status":"STOPPED"}})");
  CHECK(server.admin("PUT", "/worlds/b", R"({"from":"admin"})").status == 201);
  CHECK(contains(server.get(kList, "b").body, total(1)));
  const Answer refused = server.get(kList, "c");
  CHECK(refused.status == 503);
  CHECK(contains(refused.body, "Too many users have a world of their own: 2, which is the limit of --max-worlds"));
  CHECK(server.admin("DELETE", "/worlds/b").status == 204);
  // What is armed in the base is armed in the worlds that fork it from then on.
  CHECK(server.admin("POST", "/faults", R"({"match":{"path":"/api/status"},"action":{"status":500}})").status == 201);
  CHECK(server.get("/api/status", "c").status == 500);
  CHECK(server.get("/api/status", "admin").status == 200);
  CHECK(contains(server.get(kList, "c").body, total(2)));
  // The key's world is that of its user.
  const std::string date = "Fri, 09 Aug 2024 08:06:02 GMT";
  const std::string signature = sign("SK", "GET\n\n\n" + date + "\nh\n\n" + kList);
  CHECK(contains(server
                     .ask("GET", kList, "",
                          "Date: " + date + "\r\nAuthorization: OCP-ACCESS-KEY-HMACSHA1 AK:" + signature + "\r\n")
                     .body,
                 total(1)));
  CHECK(contains(server.admin("GET", "/worlds").body,
                 R"("worlds":[{"faults":0,"requests":2,"user":"admin"},{"faults":1,"requests":2,"user":"c"}]})"));
}
