#include "store/pages/order_cache.h"

#include <algorithm>

#include "store/query.h"

namespace ocp_mock {

std::string OrderCache::key_of(const Request& request, bool computes) {
  std::string key;
  key.reserve(256);
  const auto add = [&](const auto& plain) { key.append(reinterpret_cast<const char*>(&plain), sizeof plain); };
  const auto add_value = [&](const Value& value) {
    add(value.index());
    if (const auto* text = std::get_if<std::string>(&value)) {
      add(text->size());
      key += *text;
    } else if (const auto* instant = std::get_if<Instant>(&value)) {
      add(instant->second);
      add(instant->nano);
    } else if (const auto* real = std::get_if<double>(&value)) {
      add(*real);
    } else {
      add(std::get<std::int64_t>(value));
    }
  };
  add(request.endpoint);
  add(lasts_into_window(request));
  for (const Value& value : request.path) add_value(value);
  for (const Condition& condition : request.conditions) {
    add(condition.parameter);
    add(condition.values.size());
    for (const Value& value : condition.values) add_value(value);
  }
  for (const SortKey& sort : sort_of(request)) {
    add(sort.field);
    add(sort.descending);
  }
  if (computes && sorts_by_computed(request)) add(request.now.second);
  return key;
}

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
