#include "store/pages/order_cache.h"

#include <algorithm>

namespace ocp_mock {

SortedIds OrderCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(orders_, key, [](const auto& order) { return order.first; });
  if (found == orders_.end()) return nullptr;
  orders_.splice(orders_.begin(), orders_, found);
  return found->second;
}

void OrderCache::add(const std::string& key, SortedIds ids) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(orders_, key, [](const auto& order) { return order.first; }) != orders_.end()) return;
  ids_ += ids->size() + kOverhead;
  orders_.emplace_front(key, std::move(ids));
  while (ids_ > kMaximumIds && orders_.size() > 1) {
    ids_ -= orders_.back().second->size() + kOverhead;
    orders_.pop_back();
  }
}

}  // namespace ocp_mock
