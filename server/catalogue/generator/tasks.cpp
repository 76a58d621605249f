#include <string>
#include <string_view>
#include <vector>

#include "catalogue/generator/effects.h"

namespace ocp_mock::generator {
namespace {

// In the order of TaskRules.
constexpr std::string_view kMembers[] = {"id",       "name",    "status",  "operation", "runCount",  "creator",
                                         "executor", "created", "started", "finished",  "noRollback"};
constexpr std::string_view kInSubtasksOnly = "runCount";
constexpr std::string_view kStatuses[] = {"pending", "ready", "running", "cancelling", "failed", "successful"};
constexpr std::string_view kOperations[] = {"execute", "retry", "rollback", "skip", "cancel"};
constexpr std::string_view kTemplates[] = {"row", "answer", "subtask"};

std::size_t required_field(SourceResource& resource, JsonFields& keys, std::string_view key, FieldType type) {
  const std::size_t field = find_field(resource, keys.required_text(key), keys.position_of(key));
  if (resource.fields[field].type != type) {
    keys.refuse(key, fmt::format("must be a field of type {}", word_of(kFieldTypes, type)));
  }
  return field;
}

// A field that only the mock knows.
std::size_t required_hidden(SourceResource& resource, JsonFields& keys, std::string_view key, FieldType type) {
  const std::size_t field = required_field(resource, keys, key, type);
  if (!resource.fields[field].hidden || resource.fields[field].required) {
    keys.refuse(key, "must be a field that is hidden and not required");
  }
  return field;
}

JsonFields fields_of(JsonFields& keys, std::string_view key) {
  const JsonValue* object = keys.object(key);
  if (object == nullptr) refuse(keys.position(), fmt::format("{} are missing", key));
  return JsonFields(*object);
}

void read_members(const SourceResource& resource, SourceTaskRules& rules, JsonFields& keys) {
  JsonFields members = fields_of(keys, "members");
  for (const std::string_view key : kMembers) {
    rules.members.push_back(members.required_text(key));
    if (key != kInSubtasksOnly) find_field(resource, rules.members.back(), members.position_of(key));
  }
  if (!resource.key || resource.fields[*resource.key].name != rules.members.front() ||
      resource.fields[*resource.key].type != FieldType::Integer) {
    members.refuse("id", fmt::format("must be the key of {}, of type integer", resource.name));
  }
  for (auto& [name, position] : strings_of(members, "subtasks")) {
    if (rules.subtasks.empty() && resource.fields[find_field(resource, name, position)].type != FieldType::Array) {
      refuse(position, "the first must be a field of type array");
    }
    rules.subtasks.push_back(std::move(name));
  }
  if (rules.subtasks.empty()) refuse(members.position(), "subtasks are missing; they must be an array of names");
  for (const std::string_view key : {"before", "after"}) rules.graph.push_back(members.required_text(key));
  members.refuse_others();
}

template <std::size_t size>
void read_words(const std::string_view (&words)[size], std::string_view key, JsonFields& keys,
                std::vector<std::string>& into) {
  JsonFields fields = fields_of(keys, key);
  for (const std::string_view word : words) into.push_back(fields.required_text(word));
  fields.refuse_others();
}

}  // namespace

void read_task_rules(Source& source, const JsonValue& value) {
  JsonFields keys(value);
  keys.text("source");
  SourceTaskRules rules{};
  Scope scope{.source = source, .with = &rules.with};
  rules.resource = required_resource(scope, keys, "resource");
  rules.logs = required_resource(scope, keys, "logs");
  SourceResource& resource = source.resources[rules.resource];
  SourceResource& logs = source.resources[rules.logs];
  rules.due = add_column(resource, required_hidden(resource, keys, "due", FieldType::Time));
  rules.plan = required_hidden(resource, keys, "plan", FieldType::Object);
  rules.log = required_field(logs, keys, "log", FieldType::String);
  if (logs.parents.empty() || logs.parents.back().resource != rules.resource || !logs.key) {
    keys.refuse("logs", fmt::format("must have a key, and {} as the last of its parents", resource.name));
  }
  read_members(resource, rules, keys);
  read_words(kStatuses, "statuses", keys, rules.statuses);
  read_words(kOperations, "operations", keys, rules.operations);
  for (const std::string_view key : kTemplates) {
    const JsonValue& members = required_object(keys, key);
    check_template(scope, members);
    append_json(rules.templates.emplace_back(), members);
  }
  keys.refuse_others();
  source.tasks = std::move(rules);
}

}  // namespace ocp_mock::generator
