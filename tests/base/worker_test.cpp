#include "base/worker.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <set>
#include <vector>

using namespace ocp_mock;

TEST_CASE("worker pool: an owner has one worker, and many owners have all of them") {
  WorkerPool pool(1000);
  std::array<char, 256> owners{};
  std::set<Worker*> workers;
  for (const char& owner : owners) {
    Worker& worker = pool.of(&owner);
    CHECK(&worker == &pool.of(&owner));
    workers.insert(&worker);
  }
  CHECK(workers.size() == 4);
}

TEST_CASE(
    "worker pool: a job that waits holds up its owner's jobs, which stay in order, and not those of another worker") {
  std::promise<void> go;
  std::promise<void> other_done;
  std::promise<std::vector<int>> in_order;
  std::vector<int> done;
  WorkerPool pool(1000);
  std::array<char, 256> owners{};
  std::size_t other = 1;
  while (&pool.of(&owners[other]) == &pool.of(&owners[0])) ++other;
  pool.of(&owners[0]).add([&] { go.get_future().wait(); });
  for (int i = 0; i < 3; ++i) pool.of(&owners[0]).add([&done, i] { done.push_back(i); });
  pool.of(&owners[0]).add([&] { in_order.set_value(done); });
  pool.of(&owners[other]).add([&] { other_done.set_value(); });
  const bool others_go_on = other_done.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  CHECK(others_go_on);
  go.set_value();
  CHECK(in_order.get_future().get() == std::vector<int>{0, 1, 2});
}
