#include "behaviour/running_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "fixtures/field_rules.h"

namespace ocp_mock {
namespace {

// The members of a plan that only this file knows.
constexpr std::string_view kOrder = "order";    // ids of the subtasks
constexpr std::string_view kNext = "next";      // the place in it of the one that runs
constexpr std::string_view kFirst = "first";    // the place in it with which this run began
constexpr std::string_view kBegun = "begun";    // when that was
constexpr std::string_view kMillis = "millis";  // that all of them take from there

std::int64_t integer_of(const JsonValue& object, std::string_view key) {
  const JsonValue* value = find(object, key);
  return value == nullptr ? 0 : to_int64(*value).value_or(0);
}

JsonValue steps_of(const JsonValue& object, std::string_view key) {
  const JsonValue* value = find(object, key);
  return value == nullptr ? json_array() : *value;
}

Instant after(Instant start, std::int64_t millis) {
  Duration distance{millis / 1000, static_cast<std::int32_t>(millis % 1000 * 1'000'000)};
  return start + distance;
}

}  // namespace

const JsonValue* find(const JsonValue& object, std::string_view key) {
  const JsonMember* member = object.find(key);
  return member == nullptr ? nullptr : &member->value;
}

std::string text_of(const JsonValue& object, std::string_view key) {
  const JsonValue* value = find(object, key);
  return value == nullptr ? "" : value->text;
}

void put(JsonValue& object, std::string_view key, JsonValue value) {
  object.set({std::string(key), {}, std::move(value)});
}

void put(JsonValue& object, std::string_view key, std::string_view text) { put(object, key, json_text(text)); }

void put_integer(JsonValue& object, std::string_view key, std::int64_t number) {
  put(object, key, json_integer(number));
}

RunningTask::RunningTask(Effects& effects, std::int64_t id, JsonValue row)
    : effects_(effects), rules_(*effects.catalogue().tasks), id_(id), row_(std::move(row)) {
  if (const JsonValue* plan = find(row_, rules_.plan->name)) plan_ = *plan;
  if (plan_.kind != JsonKind::Object) plan_ = json_object();
  if (find(plan_, kOrder) == nullptr) put(plan_, kOrder, order_of(effects.catalogue(), subtasks()));
}

JsonValue RunningTask::order_of(const Catalogue& catalogue, const std::vector<JsonValue>& subtasks) {
  const TaskRules& rules = *catalogue.tasks;
  JsonValue order = json_array();
  std::set<std::string> done;
  std::set<std::string> known;
  for (const JsonValue& subtask : subtasks) known.insert(text_of(subtask, rules.id));
  const auto waits = [&](const JsonValue& subtask) {
    const JsonValue* before = find(subtask, rules.before);
    return before != nullptr && std::ranges::any_of(before->items, [&](const JsonValue& id) {
             return known.contains(id.text) && !done.contains(id.text);
           });
  };
  for (bool waiting = false; order.items.size() < subtasks.size();) {
    const std::size_t before = order.items.size();
    for (const JsonValue& subtask : subtasks) {
      const std::string id = text_of(subtask, rules.id);
      if (done.contains(id) || (!waiting && waits(subtask))) continue;
      const JsonValue* value = find(subtask, rules.id);
      order.items.push_back(value == nullptr ? json_text("") : *value);
      done.insert(id);
    }
    if (order.items.size() == before && std::exchange(waiting, true)) break;
  }
  return order;
}

bool RunningTask::is(std::string_view status) const { return text_of(row_, rules_.status) == status; }

void RunningTask::plan(std::string_view key, JsonValue value) { put(plan_, key, std::move(value)); }

JsonValue* RunningTask::subtask(const std::string& id) {
  const auto found =
      std::ranges::find_if(subtasks(), [&](const JsonValue& one) { return text_of(one, rules_.id) == id; });
  return found == subtasks().end() ? nullptr : &*found;
}

JsonValue* RunningTask::failed_subtask() {
  const auto found = std::ranges::find_if(
      subtasks(), [&](const JsonValue& one) { return text_of(one, rules_.status) == rules_.failed; });
  return found == subtasks().end() ? nullptr : &*found;
}

std::size_t RunningTask::place_of(const JsonValue& subtask) const {
  const auto& order = plan_.find(kOrder)->value.items;
  const auto found = std::ranges::find(order, text_of(subtask, rules_.id), &JsonValue::text);
  return static_cast<std::size_t>(found - order.begin());
}

void RunningTask::run_from(std::size_t place, std::string_view operation) {
  put(row_, rules_.status, rules_.running);
  put(row_, rules_.operation, operation);
  row_.erase(rules_.finished);
  put_integer(plan_, kFirst, static_cast<std::int64_t>(place));
  put(plan_, kBegun, effects_.now_text());
  put_integer(plan_, kMillis, effects_.options().duration.count());
  run_subtask_or_end(place, operation);
}

void RunningTask::advance() {
  const auto place = static_cast<std::size_t>(integer_of(plan_, kNext));
  JsonValue* const running = subtask_at(place);
  if (running == nullptr) {
    succeed();
    return run_end();
  }
  const std::string id = text_of(*running, rules_.id);
  if (text_of(plan_, kFails) == id) return fail(*running, text_of(plan_, kWhy));
  end_subtask(*running, rules_.successful, "done");
  const JsonValue steps = find(plan_, kDuring) == nullptr ? json_array() : steps_of(*find(plan_, kDuring), id);
  run_subtask_or_end(place + 1, text_of(row_, rules_.operation));
  effects_.run(steps);
  run_end();
}

void RunningTask::run_subtask_or_end(std::size_t place, std::string_view operation) {
  if (subtask_at(place) == nullptr) return succeed();
  run_subtask(place, operation);
  save();
}

void RunningTask::fail(JsonValue& subtask, const std::string& why) {
  end_subtask(subtask, rules_.failed, "failed: " + why);
  put(row_, rules_.status, rules_.failed);
  put(row_, rules_.finished, effects_.now_text());
  row_.erase(rules_.due->name);
  plan_.erase(kFails);
  plan_.erase(kWhy);
  const JsonValue steps = steps_of(plan_, kFailed);
  save();
  const Shadow failure(effects_.scope(), "failure", json_text(why));
  effects_.run(steps);
}

void RunningTask::run_retried() { effects_.run(steps_of(plan_, kRetried)); }

void RunningTask::fail_without_steps(const std::string& why) {
  plan_.erase(kFailed);
  if (JsonValue* running = subtask_at(static_cast<std::size_t>(integer_of(plan_, kNext)))) return fail(*running, why);
  put(row_, rules_.status, rules_.failed);
  row_.erase(rules_.due->name);
  save();
}

void RunningTask::roll_back() {
  JsonValue order = json_array();
  for (const JsonValue& id : plan_.find(kOrder)->value.items) {
    const JsonValue* one = subtask(id.text);
    if (one == nullptr) continue;
    const std::string status = text_of(*one, rules_.status);
    if (status == rules_.successful || status == rules_.failed) order.items.insert(order.items.begin(), id);
  }
  JsonValue steps = steps_of(plan_, kRolledBack);
  plan_ = json_object();
  put(plan_, kOrder, std::move(order));
  put(plan_, kEnd, std::move(steps));
  run_from(0, rules_.rollback);
}

void RunningTask::end_subtask(JsonValue& subtask, std::string_view status, std::string_view how) {
  put(subtask, rules_.status, status);
  put(subtask, rules_.finished, effects_.now_text());
  add_to_log(subtask, how);
}

void RunningTask::run_end() {
  if (is(rules_.successful)) effects_.run(end_steps_);
}

void RunningTask::save() {
  put(row_, rules_.plan->name, plan_);
  if (!find(row_, rules_.due->name) && !is(rules_.failed)) row_.erase(rules_.plan->name);
  effects_.edit().replace(*rules_.resource, id_, row_);
}

std::vector<JsonValue>& RunningTask::subtasks() {
  static const JsonValue none = json_array();
  if (find(row_, rules_.subtasks.front()) == nullptr) put(row_, rules_.subtasks.front(), none);
  const auto member = std::ranges::find(row_.members, rules_.subtasks.front(), &JsonMember::key);
  return member->value.items;
}

JsonValue* RunningTask::subtask_at(std::size_t place) {
  const auto& order = plan_.find(kOrder)->value.items;
  return place < order.size() ? subtask(order[place].text) : nullptr;
}

void RunningTask::run_subtask(std::size_t place, std::string_view operation) {
  put_integer(plan_, kNext, static_cast<std::int64_t>(place));
  const auto all = static_cast<std::int64_t>(plan_.find(kOrder)->value.items.size());
  const std::int64_t first = integer_of(plan_, kFirst);
  const std::int64_t share =
      all > first ? integer_of(plan_, kMillis) * (static_cast<std::int64_t>(place) + 1 - first) / (all - first) : 0;
  const Instant begun = parse_rfc3339(text_of(plan_, kBegun)).value_or(effects_.now());
  put(row_, rules_.due->name, format_iso_offset(after(begun, share), effects_.options().offset_minutes));
  JsonValue* const one = subtask_at(place);
  if (one == nullptr) return;
  if (text_of(*one, rules_.status) == rules_.pending) {
    if (operation != rules_.rollback) operation = rules_.execute;
  } else {
    put_integer(*one, rules_.run_count, integer_of(*one, rules_.run_count) + 1);
  }
  put(*one, rules_.operation, operation);
  put(*one, rules_.status, rules_.running);
  put(*one, rules_.started, effects_.now_text());
  one->erase(rules_.finished);
  add_to_log(*one, "started");
}

void RunningTask::succeed() {
  put(row_, rules_.status, rules_.successful);
  put(row_, rules_.finished, effects_.now_text());
  row_.erase(rules_.due->name);
  end_steps_ = steps_of(plan_, kEnd);
  save();
}

void RunningTask::add_to_log(const JsonValue& subtask, std::string_view what) {
  const Resource& logs = *rules_.logs;
  JsonValue keys = json_object();
  if (const JsonValue* id = find(row_, rules_.id)) put(keys, logs.parents.front().field->name, *id);
  if (const JsonValue* id = find(subtask, rules_.id)) put(keys, logs.key->name, *id);
  const std::string line = fmt::format("{} INFO {}: {}\n", effects_.now_text(), text_of(subtask, rules_.name), what);
  auto found = effects_.edit().find(logs, keys);
  if (found.empty()) {
    put(keys, rules_.log->name, line);
    effects_.edit().insert(logs, std::move(keys));
    return;
  }
  put(found.front().fixture, rules_.log->name, text_of(found.front().fixture, rules_.log->name) + line);
  effects_.edit().replace(logs, found.front().id, std::move(found.front().fixture));
}

}  // namespace ocp_mock
