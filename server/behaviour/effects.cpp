#include "behaviour/effects.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/utf8.h"
#include "behaviour/tasks.h"
#include "fixtures/row_rules.h"
#include "json/text.h"
#include "ocp/error.h"

namespace ocp_mock {
namespace {

using Late = std::set<std::string, std::less<>>;

// Of an array for each of whose items steps are run, so that one request does not hold up all others.
constexpr std::size_t kMostItems = 200;

const JsonValue* find(const JsonValue& step, std::string_view key) {
  const JsonMember* member = step.find(key);
  return member == nullptr ? nullptr : &member->value;
}

// A plan may come with fixtures, so nothing that it has was checked by the generator.
const JsonValue& need(const JsonValue& step, std::string_view key) {
  if (const JsonValue* value = find(step, key)) return *value;
  throw RowRefused(fmt::format("a step has no {}", key));
}

std::string shown(const JsonValue& value) {
  if (value.kind != JsonKind::Array && value.kind != JsonKind::Object) return printable(value.text);
  std::string text;
  append_json(text, value);
  return printable(text);
}

// What a message calls the rows that a step looked for.
std::string shown_values(const JsonValue& where) {
  std::string text;
  for (const JsonMember& member : where.members) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", member.key, shown(member.value));
  }
  return text;
}

// Which row of a resource a step looked for, as a message says it behind the noun.
Argument shown_row(const Resource& resource, const JsonValue& where) {
  if (where.members.empty()) return "";
  const auto is_called = [&](const Field* field) {
    return field != nullptr && where.members.size() == 1 && field->name == where.members.front().key;
  };
  if (is_called(resource.key) || is_called(resource.label)) {
    const std::string value = shown(where.members.front().value);
    return {fmt::format(" '{}'", value), fmt::format("“{}”", value)};
  }
  return {fmt::format(" with {}", shown_values(where)), fmt::format("（{}）", shown_values(where))};
}

Argument noun_of(const Resource& resource) {
  std::string english(resource.noun);
  if (!english.empty() && english[0] >= 'a' && english[0] <= 'z') english[0] = static_cast<char>(english[0] - 32);
  return {std::move(english), std::string(resource.noun_chinese)};
}

// error.code of the 404 of a row.
int missing_code(const Resource& resource, const Catalogue& catalogue) {
  int code = message_row(Message::NoSuchRow).code;
  for (const Endpoint& endpoint : catalogue.endpoints) {
    for (const PathParameter& parameter : endpoint.path_parameters) {
      if (parameter.of == &resource) code = parameter.missing_code;
    }
  }
  return code;
}

// A text, or the words of an array, of which one would do. Without a Chinese one both are the same.
Argument in_both_languages(const std::optional<JsonValue>& english, const std::optional<JsonValue>& chinese) {
  const auto text = [](const std::optional<JsonValue>& value, std::string_view between) {
    if (!value || value->kind != JsonKind::Array) return value ? shown(*value) : std::string();
    std::string joined;
    for (const JsonValue& word : value->items) joined.append(joined.empty() ? "" : between).append(shown(word));
    return joined;
  };
  return {text(english, " or "), text(chinese ? chinese : english, " 或 ")};
}

JsonValue fill_in_step(const JsonValue& step, Scope& scope, const Late& late) {
  constexpr std::array<std::string_view, 7> kSteps{"do", "then", "else", "end", "failed", "rolledBack", "retried"};
  JsonValue out = step;
  const bool chooses = step.find("if") != nullptr && step.find("refuse") == nullptr;
  for (JsonMember& member : out.members) {
    const bool has_steps = std::ranges::find(kSteps, member.key) != kSteps.end() &&
                           (member.key == "do" || chooses || step.find("task") != nullptr);
    Late inner = late;
    if (member.key == "do" && step.find("each") != nullptr) inner.insert("item");
    if (const JsonMember* let = step.find("let"); let != nullptr && member.key == "do") {
      for (const JsonMember& named : let->value.members) inner.insert("with." + named.key);
    }
    if (has_steps) {
      for (JsonValue& one : member.value.items) one = fill_in_step(one, scope, inner);
    } else {
      member.value = fill_in(member.value, scope, inner);
    }
  }
  return out;
}

}  // namespace

JsonValue fill_in_steps(const JsonValue& steps, Scope& scope) {
  JsonValue out = steps;
  for (JsonValue& step : out.items) step = fill_in_step(step, scope, {"now", "row", "found", "failure"});
  return out;
}

ApiError missing_rows(const Resource& resource, const JsonValue& where, const Catalogue& catalogue) {
  JsonValue own = where;
  Argument below = "";
  for (const Parent& parent : resource.parents) {
    const JsonMember* key = where.find(parent.field->name);
    if (key == nullptr) continue;
    const std::string value = shown(key->value);
    below = {fmt::format(" in {} '{}'", parent.resource->noun, value),
             fmt::format("{}“{}”中", parent.resource->noun_chinese, value)};
    own.erase(key->key);
  }
  return ApiError(Sentence{Message::NoSuchRow, {noun_of(resource), shown_row(resource, own), below}},
                  missing_code(resource, catalogue));
}

JsonValue answered(const Resource& resource, JsonValue fixture) {
  for (const Field& field : resource.fields) {
    if (field.hidden) fixture.erase(field.name);
  }
  return fixture;
}

Effects::Effects(Scope& scope, const TaskOptions& options, Instant now, std::optional<TaskFailure> failure)
    : scope_(scope), options_(options), now_(now), failure_(std::move(failure)) {
  scope_.set("now", json_text(now_text()));
}

void Effects::run(const JsonValue& steps) {
  for (const JsonValue& one : steps.items) step(one);
}

void Effects::step(const JsonValue& step) {
  using Run = void (Effects::*)(const JsonValue&);
  // clang-format off
  // A refusal has an if, and an operation a task; so they come first.
  constexpr struct {
    std::string_view name;
    Run run;
  } kSteps[] = {
      {"refuse",  &Effects::refuse},
      {"insert",  &Effects::insert},
      {"set",     &Effects::set},
      {"remove",  &Effects::remove},
      {"operate", &Effects::operate},
      {"each",    &Effects::each},
      {"run",     &Effects::run_named},
      {"task",    &Effects::start},
      {"let",     &Effects::let},
      {"if",      &Effects::choose},
  };
  // clang-format on
  for (const auto& row : kSteps) {
    if (step.find(row.name) != nullptr) return (this->*row.run)(step);
  }
  throw RowRefused("a step does nothing that is known");
}

void Effects::insert(const JsonValue& step) {
  const Resource& resource = resource_of(need(step, "insert"));
  JsonValue fixture = edit().insert(resource, evaluate_members(need(step, "row"), scope_));
  JsonValue made = json_object();
  if (const JsonValue* before = scope_.find("new")) made = *before;
  made.set({std::string(resource.name), {}, fixture});
  scope_.set("new", std::move(made));
  note_row(resource, std::move(fixture));
}

void Effects::set(const JsonValue& step) {
  const Resource& resource = resource_of(need(step, "set"));
  const JsonValue where = evaluate_members(need(step, "where"), scope_);
  std::vector<Edit::FoundRow> rows = edit().find(resource, where);
  if (rows.empty() && find(step, "optional") == nullptr) throw missing_rows(resource, where, catalogue());
  for (Edit::FoundRow& row : rows) {
    JsonValue members;
    {
      const Shadow shadow(scope_, "row", row.fixture);
      members = evaluate_members(need(step, "to"), scope_);
    }
    set_members(resource, row.fixture, members);
    edit().replace(resource, row.id, row.fixture);
    note_row(resource, std::move(row.fixture));
  }
}

void Effects::remove(const JsonValue& step) {
  const Resource& resource = resource_of(need(step, "remove"));
  const JsonValue where = evaluate_members(need(step, "where"), scope_);
  const std::vector<Edit::FoundRow> rows = edit().find(resource, where);
  if (rows.empty() && find(step, "optional") == nullptr) throw missing_rows(resource, where, catalogue());
  for (const Edit::FoundRow& row : rows) edit().remove(resource, row);
}

void Effects::each(const JsonValue& step) {
  auto items = evaluate(need(step, "each"), scope_);
  if (!items) return;
  if (items->kind != JsonKind::Array) {
    JsonValue one = json_array();
    one.items.push_back(*std::move(items));
    items = std::move(one);
  }
  if (items->items.size() > kMostItems) {
    throw RowRefused(fmt::format("an array has {} items, and at most {} are taken", items->items.size(), kMostItems));
  }
  for (JsonValue& item : items->items) {
    const Shadow shadow(scope_, "item", std::move(item));
    run(need(step, "do"));
  }
}

void Effects::let(const JsonValue& step) {
  JsonValue with = json_object();
  if (const JsonValue* before = scope_.find("with")) with = *before;
  for (const JsonMember& member : evaluate_members(need(step, "let"), scope_).members) with.set(member);
  const Shadow shadow(scope_, "with", std::move(with));
  run(need(step, "do"));
}

void Effects::choose(const JsonValue& step) {
  const bool yes = holds(need(step, "if"), find(step, "is"), scope_);
  if (const JsonValue* chosen = find(step, yes ? "then" : "else")) run(*chosen);
}

void Effects::refuse(const JsonValue& step) {
  // clang-format off
  constexpr struct {
    std::string_view reason;
    Message message;
  } kReasons[] = {
      {"taken",   Message::NameTaken},
      {"state",   Message::WrongState},
      {"used",    Message::StillUsed},
      {"missing", Message::NoSuchName},
      {"invalid", Message::InvalidValue},
  };
  // clang-format on
  const auto reason =
      std::ranges::find(kReasons, need(step, "refuse").text, [](const auto& row) { return row.reason; });
  if (reason == std::end(kReasons)) throw RowRefused("a step refuses for no reason that is known");
  JsonValue where = json_object();
  const JsonValue* looked_in = nullptr;
  if (const JsonValue* when = find(step, "when")) {
    if (!holds(*when, find(step, "is"), scope_)) return;
  } else {
    const bool is_wanted = find(step, "unless") != nullptr;
    looked_in = &need(step, is_wanted ? "unless" : "if");
    const JsonValue& form = need(step, "where");
    where = evaluate_members(form, scope_);
    // Without a value to look for there is no such row.
    const bool is_whole = where.members.size() == form.members.size();
    if ((!is_whole || edit().find(resource_of(*looked_in), where).empty()) != is_wanted) return;
  }
  const auto given = [&](std::string_view key) {
    const JsonValue* form = find(step, key);
    return form == nullptr ? std::nullopt : evaluate(*form, scope_);
  };
  const auto of = given("of");
  const std::string named = of ? shown(*of) : shown_values(where);
  const Argument needs = in_both_languages(given("needs"), given("needsChinese"));
  if (reason->message == Message::InvalidValue) {
    throw ApiError(Message::InvalidValue, {in_both_languages(given("member"), {}), named, needs});
  }
  const JsonValue* resource_name = find(step, "resource");
  if (resource_name == nullptr) resource_name = looked_in;
  const Resource& resource = resource_of(resource_name != nullptr ? *resource_name : need(step, "resource"));
  const auto noun = given("noun");
  const Argument what = noun ? in_both_languages(noun, given("nounChinese")) : noun_of(resource);
  if (reason->message == Message::NoSuchName) {
    if (!of) throw missing_rows(resource, where, catalogue());
    throw ApiError(Sentence{Message::NoSuchName, {what, named}}, missing_code(resource, catalogue()));
  }
  const auto has = given("has");
  if (reason->message == Message::WrongState && has) {
    throw ApiError(Message::NotInState, {what, named, in_both_languages(has, given("hasChinese")), needs});
  }
  throw ApiError(reason->message, {what, named});
}

void Effects::run_named(const JsonValue& step) {
  JsonValue given = json_object();
  if (const JsonValue* with = find(step, "with")) given = evaluate_members(*with, scope_);
  const Shadow shadow(scope_, "with", std::move(given));
  const std::string_view steps = catalogue().find_steps(need(step, "run").text);
  if (steps.empty()) throw RowRefused("a step runs steps that there are not");
  run(parsed(steps));
}

void Effects::start(const JsonValue& step) { start_task(step, *this); }

void Effects::operate(const JsonValue& step) {
  // clang-format off
  constexpr struct {
    std::string_view name;
    TaskOperation operation;
  } kOperations[] = {
      {"retry",    TaskOperation::Retry},
      {"rollback", TaskOperation::Rollback},
      {"skip",     TaskOperation::Skip},
      {"cancel",   TaskOperation::Cancel},
  };
  // clang-format on
  const std::string& name = need(step, "operate").text;
  const auto row = std::ranges::find(kOperations, name, [](const auto& one) { return one.name; });
  const auto task = evaluate(need(step, "task"), scope_);
  const JsonValue* named = find(step, "subtask");
  const auto subtask = named == nullptr ? std::nullopt : evaluate(*named, scope_);
  if (row == std::end(kOperations) || !task) throw RowRefused("a step operates on no task");
  operate_task(row->operation, *task, subtask ? &*subtask : nullptr, *this);
}

void Effects::note_row(const Resource& resource, JsonValue fixture) {
  JsonValue row = answered(resource, std::move(fixture));
  JsonValue rows = json_array();
  if (const JsonValue* before = scope_.find("rows")) rows = *before;
  rows.items.push_back(row);
  scope_.set("rows", std::move(rows));
  scope_.set("row", std::move(row));
}

}  // namespace ocp_mock
