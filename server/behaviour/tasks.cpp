#include "behaviour/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "behaviour/running_task.h"
#include "ocp/error.h"

namespace ocp_mock {
namespace {

// A task whose steps do not fit the rows that are there.
struct BrokenTask {
  std::int64_t row;
  std::string why;
};

// The page's task with ids of its own, and with the values of what its references name.
class NewTask {
 public:
  NewTask(const JsonValue& step, Effects& effects)
      : step_(step), effects_(effects), rules_(*effects.catalogue().tasks) {
    page_ = json_object();
    if (const JsonValue* file = find(step, "task"); file->kind == JsonKind::String) {
      const std::string_view page = effects.catalogue().find_answer(file->text);
      if (page.empty())
        throw RowRefused(fmt::format("a step starts the task {}, which is not there", printable(file->text)));
      page_ = effects.parsed(page);
      if (page_.kind == JsonKind::Array) page_ = JsonValue(page_.items.at(0));
      page_ = evaluate_members(page_, effects.scope());
    } else {
      make_page();
    }
    for (const std::string_view candidate : rules_.subtasks) {
      if (find(page_, candidate) != nullptr) list_ = candidate;
    }
    if (const JsonValue* name = find(step, "name")) {
      if (auto value = evaluate(*name, effects.scope())) put(page_, rules_.name, *std::move(value));
    }
  }

  void start() {
    Scope& scope = effects_.scope();
    JsonValue of = json_object();
    if (const JsonValue* given = find(step_, "of")) of = evaluate_members(*given, scope);
    give_ids();
    const JsonValue id = json_integer(effects_.edit().make_key(*rules_.resource));
    JsonValue known = json_object();
    put(known, rules_.id, id);
    scope.set("task", std::move(known));
    store(id, of);
    answer(id, of);
  }

 private:
  void make_page() {
    JsonValue list = json_array();
    const JsonValue* const names = find(step_, "subtasks");
    if (names == nullptr) throw RowRefused("a step starts a task without subtasks");
    for (const JsonValue& name : names->items) {
      JsonValue subtask = json_object();
      put(subtask, rules_.name, name);
      put_integer(subtask, rules_.id, static_cast<std::int64_t>(list.items.size()));
      JsonValue before = json_array();
      if (!list.items.empty()) {
        before.items.push_back(json_integer(static_cast<std::int64_t>(list.items.size()) - 1));
        JsonValue waiting = json_array();
        waiting.items.push_back(json_integer(static_cast<std::int64_t>(list.items.size())));
        put(list.items.back(), rules_.after, std::move(waiting));
      }
      put(subtask, rules_.before, std::move(before));
      put(subtask, rules_.after, json_array());
      list.items.push_back(std::move(subtask));
    }
    put(page_, rules_.subtasks.front(), std::move(list));
    for (const std::string_view name : {rules_.id, rules_.status, rules_.operation, rules_.started, rules_.creator}) {
      put(page_, name, "");
    }
  }

  std::vector<JsonValue>& subtasks() { return std::ranges::find(page_.members, list_, &JsonMember::key)->value.items; }

  void give_ids() {
    if (list_.empty()) return;
    std::map<std::string, JsonValue> ids;
    for (JsonValue& subtask : subtasks()) {
      const JsonValue id = json_integer(effects_.edit().make_key(*rules_.logs));
      ids.emplace(text_of(subtask, rules_.id), id);
      put(subtask, rules_.id, id);
    }
    for (JsonValue& subtask : subtasks()) {
      for (JsonMember& member : subtask.members) {
        if (member.key != rules_.before && member.key != rules_.after) continue;
        for (JsonValue& id : member.value.items) {
          if (const auto mapped = ids.find(id.text); mapped != ids.end()) id = mapped->second;
        }
      }
    }
  }

  void store(const JsonValue& id, const JsonValue& of) {
    Scope& scope = effects_.scope();
    JsonValue row;
    JsonValue list = json_array();
    {
      const Shadow shadow(scope, "with", of);
      row = evaluate_members(effects_.parsed(rules_.row), scope);
      if (!list_.empty()) {
        for (const JsonValue& subtask : subtasks()) {
          const Shadow item(scope, "item", subtask);
          JsonValue whole = evaluate_members(effects_.parsed(rules_.subtask), scope);
          for (const JsonMember& member : subtask.members) whole.set(member);
          put(whole, rules_.status, rules_.pending);
          put(whole, rules_.operation, rules_.execute);
          put_integer(whole, rules_.run_count, 1);
          put(whole, rules_.created, effects_.now_text());
          whole.erase(rules_.started);
          whole.erase(rules_.finished);
          list.items.push_back(std::move(whole));
        }
      }
    }
    put(row, rules_.id, id);
    if (const JsonValue* name = find(page_, rules_.name)) put(row, rules_.name, *name);
    put(row, rules_.status, rules_.running);
    put(row, rules_.operation, rules_.execute);
    put(row, rules_.created, effects_.now_text());
    put(row, rules_.started, effects_.now_text());
    put(row, rules_.subtasks.front(), std::move(list));
    Edit& edit = effects_.edit();
    edit.insert(*rules_.resource, row);
    JsonValue key = json_object();
    put(key, rules_.id, id);
    Edit::FoundRow stored = edit.find(*rules_.resource, key).front();
    RunningTask task(effects_, stored.id, std::move(stored.fixture));
    plan(task);
    task.run_from(0, rules_.execute);
    task.run_end();
  }

  void plan(RunningTask& task) {
    Scope& scope = effects_.scope();
    for (const std::string_view key : {kEnd, kFailed, kRolledBack, kRetried}) {
      if (const JsonValue* steps = find(step_, key)) task.plan(key, fill_in_steps(*steps, scope));
    }
    if (const JsonValue* during = find(step_, kDuring)) {
      JsonValue by_id = json_object();
      for (const JsonMember& member : during->members) {
        if (const auto id = id_of(task, member.key)) put(by_id, *id, fill_in_steps(member.value, scope));
      }
      task.plan(kDuring, std::move(by_id));
    }
    if (!effects_.failure()) return;
    const auto id = id_of(task, effects_.failure()->subtask);
    if (!id) throw ApiError(Message::FaultWithoutSubtask, {printable(effects_.failure()->subtask), names(task)});
    task.plan(kFails, json_text(*id));
    task.plan(kWhy, json_text(effects_.failure()->message));
  }

  // Of the subtask with this name, or at this place of the order.
  std::optional<std::string> id_of(RunningTask& task, const std::string& name) {
    for (const JsonValue& subtask : task.subtasks()) {
      if (text_of(subtask, rules_.name) == name) return text_of(subtask, rules_.id);
    }
    const JsonValue order = RunningTask::order_of(effects_.catalogue(), task.subtasks());
    for (std::size_t i = 0; i < order.items.size(); ++i) {
      if (std::to_string(i) == name) return order.items[i].text;
    }
    return std::nullopt;
  }

  std::string names(RunningTask& task) {
    std::string text;
    for (const JsonValue& subtask : task.subtasks()) {
      text += (text.empty() ? "" : ", ") + text_of(subtask, rules_.name);
    }
    return text;
  }

  // The page's members, with the values of this task.
  void answer(const JsonValue& id, const JsonValue& of) {
    Scope& scope = effects_.scope();
    JsonValue values;
    JsonValue others;  // for members that the page has in another form
    {
      const Shadow shadow(scope, "with", of);
      values = evaluate_members(effects_.parsed(rules_.answer), scope);
      others = evaluate_members(effects_.parsed(rules_.row), scope);
    }
    put(values, rules_.status, rules_.running);
    put(values, rules_.operation, rules_.execute);
    put(values, rules_.created, effects_.now_text());
    put(values, rules_.started, effects_.now_text());
    put(values, rules_.id, id);
    for (JsonMember& member : page_.members) {
      for (const JsonValue* known : {&others, &values}) {
        if (const JsonValue* value = find(*known, member.key)) put_in_form(member.value, *value);
      }
    }
    page_.erase(rules_.finished);
    if (!list_.empty()) {
      for (JsonValue& subtask : subtasks()) {
        const JsonValue* before = find(subtask, rules_.before);
        const bool waits = before != nullptr && !before->items.empty();
        const std::string status = text_of(subtask, rules_.status);
        const bool is_new = status == rules_.ready || status == rules_.pending || status == rules_.running;
        if (!is_new || waits) put(subtask, rules_.status, waits ? rules_.pending : rules_.ready);
        subtask.erase(rules_.started);
        subtask.erase(rules_.finished);
        if (find(subtask, rules_.created) != nullptr) put(subtask, rules_.created, effects_.now_text());
      }
    }
    JsonValue tasks = json_array();
    if (const JsonValue* before = scope.find("tasks")) tasks = *before;
    tasks.items.push_back(page_);
    scope.set("tasks", std::move(tasks));
    scope.set("task", std::move(page_));
  }

  // Puts a value in the place of one of its kind; of an object the members that are there.
  static void put_in_form(JsonValue& place, const JsonValue& value) {
    const auto is_compound = [](JsonKind kind) { return kind == JsonKind::Object || kind == JsonKind::Array; };
    if (place.kind != value.kind && (is_compound(place.kind) || is_compound(value.kind))) return;
    if (place.kind != JsonKind::Object) {
      place = value;
      return;
    }
    for (JsonMember& member : place.members) {
      if (const JsonValue* known = find(value, member.key)) member.value = *known;
    }
  }

  const JsonValue& step_;
  Effects& effects_;
  const TaskRules& rules_;
  JsonValue page_;
  std::string_view list_;  // the member of the page that has the subtasks; empty if none does
};

// Everything that tasks do until now. Throws BrokenTask; those that are known to be broken fail in place of their
// steps.
void run_due(Edit& edit, Instant now, const TaskOptions& options, const std::map<std::int64_t, std::string>& broken) {
  const TaskRules& rules = *edit.catalogue().tasks;
  for (auto due = edit.first_due(); due && due->at <= now; due = edit.first_due()) {
    edit.settle_timelines(due->at);
    Scope scope(edit);
    Effects effects(scope, options, due->at);
    auto row = edit.find(*rules.resource, due->id);
    RunningTask task(effects, due->id, std::move(row.value().fixture));
    if (const auto found = broken.find(due->id); found != broken.end()) {
      task.fail_without_steps(found->second);
      continue;
    }
    try {
      task.advance();
    } catch (const DatasetError&) {
      throw;
    } catch (const std::exception& error) {
      throw BrokenTask{due->id, error.what()};
    }
  }
}

}  // namespace

void start_task(const JsonValue& step, Effects& effects) { NewTask(step, effects).start(); }

void operate_task(TaskOperation operation, const JsonValue& id, const JsonValue* subtask_id, Effects& effects) {
  const TaskRules& rules = *effects.catalogue().tasks;
  const Resource& resource = *rules.resource;
  JsonValue key = json_object();
  put(key, rules.id, id);
  std::vector<Edit::FoundRow> found = effects.edit().find(resource, key);
  if (found.empty()) throw missing_rows(resource, key, effects.catalogue());
  RunningTask task(effects, found.front().id, std::move(found.front().fixture));
  JsonValue* subtask = subtask_id == nullptr ? task.failed_subtask() : task.subtask(subtask_id->text);
  if (subtask_id != nullptr && subtask == nullptr) {
    throw ApiError(Message::NoSuchSubtask, {printable(subtask_id->text), printable(id.text)});
  }
  const auto refuse = [&](std::string_view status) {
    const JsonValue& of = subtask_id == nullptr ? task.row() : *subtask;
    throw ApiError(Message::WrongTaskState,
                   {printable(text_of(of, rules.id)), printable(text_of(of, rules.status)), std::string(status)});
  };
  const bool is_running = operation == TaskOperation::Cancel;
  const std::string_view wanted = is_running ? rules.running : rules.failed;
  if (subtask_id == nullptr ? !task.is(wanted) : text_of(*subtask, rules.status) != wanted) refuse(wanted);
  switch (operation) {
    case TaskOperation::Retry:
      task.run_from(subtask == nullptr ? 0 : task.place_of(*subtask), rules.retry);
      task.run_retried();
      break;
    case TaskOperation::Rollback:
      if (text_of(task.row(), rules.no_rollback) == "true") {
        throw ApiError(Message::NoRollback, {printable(text_of(task.row(), rules.id))});
      }
      task.roll_back();
      break;
    case TaskOperation::Skip: {
      put(*subtask, rules.operation, rules.skip);
      task.end_subtask(*subtask, rules.successful, "skipped");
      const std::size_t next = task.place_of(*subtask) + 1;
      task.run_from(next, rules.execute);
      break;
    }
    case TaskOperation::Cancel:
      put(*subtask, rules.operation, rules.cancel);
      task.fail(*subtask, "cancelled");
      break;
  }
  task.run_end();
  effects.scope().set("task", answered(resource, task.row()));
}

std::shared_ptr<const Dataset> settle_tasks(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                            const TaskOptions& options) {
  if (!origin->next_due() || *origin->next_due() > now) return origin;
  std::map<std::int64_t, std::string> broken;
  for (;;) {
    Edit edit(origin, loaded);
    try {
      run_due(edit, now, options, broken);
      return edit.finish();
    } catch (const BrokenTask& task) {
      broken.emplace(task.row, task.why);
    }
  }
}

}  // namespace ocp_mock
