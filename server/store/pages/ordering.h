// Orders and filters that milestones do not serve: the ids of all tasks that pass a request's filters, sorted once for
// all its pages. Of this module only.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/database.h"

namespace ocp_mock {

using TaskIds = std::vector<std::int64_t>;

// Rows without a sort field come last and rows that tie keep fixture order, in both directions. There are no more rows
// than tasks, and perhaps far fewer. With computes some delays are computed, and compare as they are at request.now.
// Takes some 0.5 s for a million.
TaskIds sorted_ids(const Reader& reader, const Endpoint& endpoint, const ListRequest& request, std::int64_t tasks,
                   bool computes);

// Whether sorted_ids() reads the whole table for so many tasks, rather than task by task.
bool sorts_whole_table(const Reader& reader, const Endpoint& endpoint, std::int64_t tasks);

// The orders that were used last. Safe for use by several threads at once.
class OrderCache {
 public:
  // Over all orders; one that is larger by itself is kept alone.
  static constexpr std::size_t kMaximumIds = 4'200'000;

  // Null if it is not there.
  std::shared_ptr<const TaskIds> find(const std::string& key);
  void add(const std::string& key, std::shared_ptr<const TaskIds> ids);

 private:
  // What an order counts beside its ids, in ids: there are never more than some thousand to look through.
  static constexpr std::size_t kOverhead = 4096;

  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<const TaskIds>>> orders_;  // the last used first
  std::size_t ids_ = 0;
};

}  // namespace ocp_mock
