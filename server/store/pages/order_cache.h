// The orders of lists that were asked for last: the ids of all rows that pass a request's filters, sorted once for all
// its pages.
// Input and output: keys and ids. Thread safety: safe for use by several threads at once.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "catalogue/request.h"

namespace ocp_mock {

using SortedIds = std::shared_ptr<const std::vector<std::int64_t>>;

class OrderCache {
 public:
  // Over all orders; one that is larger by itself is kept alone.
  static constexpr std::size_t kMaximumIds = 4'200'000;

  // Of the request's filters and order, whatever the page; with computes also of its time, where that can change the
  // order.
  static std::string key_of(const Request& request, bool computes);

  // Null if it is not there.
  SortedIds find(const std::string& key);
  void add(const std::string& key, SortedIds ids);

 private:
  // What an order counts beside its ids, in ids: there are never more than some thousand to look through.
  static constexpr std::size_t kOverhead = 4096;

  std::mutex mutex_;
  std::list<std::pair<std::string, SortedIds>> orders_;  // the last used first
  std::size_t ids_ = 0;
};

}  // namespace ocp_mock
