#include "behaviour/started_tasks.h"

namespace ocp_mock {

std::vector<StartedTasks::Subtasks> StartedTasks::of(const Endpoint& endpoint) {
  std::vector<Subtasks> tasks;
  seen_.clear();
  if (!endpoint.effects.empty()) visit(read_json_text(endpoint.effects), tasks);
  return tasks;
}

void StartedTasks::visit(const JsonValue& steps, std::vector<Subtasks>& tasks) {
  for (const JsonValue& step : steps.items) {
    if (const JsonMember* run = step.find("run"); run != nullptr && seen_.insert(run->value.text).second) {
      visit(parsed(catalogue_.find_steps(run->value.text)), tasks);
    }
    if (step.find("operate") != nullptr || step.find("refuse") != nullptr) continue;
    if (const JsonMember* task = step.find("task")) tasks.push_back(subtasks_of(step, task->value));
    for (const std::string_view key : {"do", "then", "else"}) {
      if (const JsonMember* inner = step.find(key)) visit(inner->value, tasks);
    }
  }
}

StartedTasks::Subtasks StartedTasks::subtasks_of(const JsonValue& step, const JsonValue& file) {
  Subtasks names;
  if (const JsonMember* own = step.find("subtasks")) {
    for (const JsonValue& name : own->value.items) names.push_back(name.text);
    return names;
  }
  const TaskRules& rules = *catalogue_.tasks;
  const JsonValue& page = parsed(catalogue_.find_answer(file.text));
  const JsonValue& task = page.kind == JsonKind::Array ? page.items.at(0) : page;
  for (const std::string_view candidate : rules.subtasks) {
    const JsonMember* list = task.find(candidate);
    if (list == nullptr) continue;
    for (const JsonValue& subtask : list->value.items) {
      const JsonMember* name = subtask.find(rules.name);
      names.push_back(name == nullptr ? "" : name->value.text);
    }
  }
  return names;
}

const JsonValue& StartedTasks::parsed(std::string_view text) {
  const auto found = parsed_.find(text);
  return found != parsed_.end() ? found->second : parsed_.emplace(text, read_json_text(text)).first->second;
}

}  // namespace ocp_mock
