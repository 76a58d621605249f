#include "catalogue/generator/effects.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocp_mock::generator {
namespace {

enum class Step { Refuse, Insert, Set, Remove, Each, Let, If, Run, Task, Operate };
enum class Reason { Taken, State, Missing, Used, Invalid };
enum class Operation { Retry, Rollback, Skip, Cancel };

// clang-format off
// A refusal has an if, too, and so comes first.
constexpr Choice<Step> kSteps[] = {
    {"refuse",  Step::Refuse},
    {"insert",  Step::Insert},
    {"set",     Step::Set},
    {"remove",  Step::Remove},
    {"operate", Step::Operate},
    {"each",    Step::Each},
    {"let",     Step::Let},
    {"if",      Step::If},
    {"run",     Step::Run},
    {"task",    Step::Task},
};

constexpr Choice<Reason> kReasons[] = {
    {"taken",   Reason::Taken},
    {"state",   Reason::State},
    {"missing", Reason::Missing},
    {"used",    Reason::Used},
    {"invalid", Reason::Invalid},
};

constexpr Choice<Operation> kOperations[] = {
    {"retry",    Operation::Retry},
    {"rollback", Operation::Rollback},
    {"skip",     Operation::Skip},
    {"cancel",   Operation::Cancel},
};
// clang-format on

void check_sequence(const Scope& scope, const JsonValue& steps, std::string_view name);

// Calls the function with what each step of the value is called and its member of that name, wherever it stands.
template <typename Function>
void for_each_step(const JsonValue& value, const Function& function) {
  for (const JsonValue& item : value.items) for_each_step(item, function);
  for (const JsonMember& member : value.members) {
    for (const Choice<Step>& step : kSteps) {
      if (step.word == member.key) function(step.value, member.value);
    }
    for_each_step(member.value, function);
  }
}

// What the steps make. Those that they run may run others; each is gone into once.
void add_made(const Source& source, const JsonValue& value, SourceMade& made, std::set<std::string>& seen) {
  for_each_step(value, [&](Step step, const JsonValue& of) {
    if (step == Step::Insert) made.inserted.insert(of.text);
    if (step == Step::Insert || step == Step::Set) made.has_row = true;
    if (step == Step::Task || step == Step::Operate) made.has_task = true;
    if (step != Step::Run || !seen.insert(of.text).second) return;
    const auto named = std::ranges::find(source.steps, of.text, &SourceSteps::name);
    if (named != source.steps.end()) add_made(source, read_json_text(named->json), made, seen);
  });
}

// The names behind "${with." in any text.
void add_with(const JsonValue& value, std::set<std::string, std::less<>>& with) {
  constexpr std::string_view kBegin = "${with.";
  for (auto at = value.text.find(kBegin); at != std::string::npos; at = value.text.find(kBegin, at + 1)) {
    const auto begin = at + kBegin.size();
    const auto end = value.text.find_first_of(".}", begin);
    if (end != std::string::npos) with.insert(value.text.substr(begin, end - begin));
  }
  for (const JsonValue& item : value.items) add_with(item, with);
  for (const JsonMember& member : value.members) add_with(member.value, with);
}

// An object of templates, by the names that are known.
void check_names(const Scope& scope, const JsonValue& object, const std::set<std::string, std::less<>>& known,
                 std::string_view of) {
  for (const JsonMember* member : in_order_of_the_file(&object)) {
    if (!known.contains(member->key)) {
      refuse(member->position,
             fmt::format("'{}' is not used by {}{}", printable(member->key), of, did_you_mean(member->key, known)));
    }
    check_template(scope, member->value);
  }
}

class StepChecker {
 public:
  StepChecker(const Scope& scope, const JsonValue& value) : scope_(scope), value_(value), keys_(value) {}

  void check() {
    const auto is_there = [&](const Choice<Step>& step) { return value_.find(step.word) != nullptr; };
    const auto step = std::ranges::find_if(kSteps, is_there);
    if (step == std::end(kSteps)) {
      if (value_.members.empty()) refuse(value_.position, "a step must say what it does");
      const JsonMember& first = *in_order_of_the_file(&value_).front();
      choose(kSteps, first.key, first.position, "the step");
    }
    keys_.text("source");
    switch (step->value) {
      case Step::Refuse: check_refuse(); break;
      case Step::Insert: check_insert(); break;
      case Step::Set: check_set(); break;
      case Step::Remove: check_where(scope_, required_resource(scope_, keys_, "remove"), keys_); break;
      case Step::Each: check_each(); break;
      case Step::Let: check_let(); break;
      case Step::If: check_if(); break;
      case Step::Run: check_run(); break;
      case Step::Task: check_task(); break;
      case Step::Operate: check_operate(); break;
    }
    if (step->value == Step::Set || step->value == Step::Remove) keys_.boolean("optional");
    keys_.refuse_others();
  }

 private:
  void check_member(std::string_view key) {
    if (const JsonValue* value = keys_.any(key)) check_template(scope_, *value);
  }

  void require(std::string_view key) {
    if (keys_.any(key) == nullptr) refuse(value_.position, fmt::format("{} is missing", key));
    check_member(key);
  }

  void check_steps_of(std::string_view key, const Scope& scope) {
    if (const JsonValue* steps = keys_.any(key)) check_sequence(scope, *steps, key);
  }

  void require_steps(std::string_view key, const Scope& scope) {
    if (keys_.any(key) == nullptr) refuse(value_.position, fmt::format("{} is missing", key));
    check_steps_of(key, scope);
  }

  // Members of a row, which may say as fixtures do that a field is computed.
  const JsonValue& check_row(const Scope& scope, const SourceResource& resource, std::string_view key) {
    const JsonValue* row = keys_.object(key);
    if (row == nullptr) refuse(keys_.position(), fmt::format("{} is missing; it must be an object", key));
    for (const JsonMember* member : in_order_of_the_file(row)) {
      if (member->key.starts_with('$')) {
        check_computed(resource, *member, key);
      } else {
        check_template(scope, member->value);
      }
    }
    return *row;
  }

  static void check_computed(const SourceResource& resource, const JsonMember& member, std::string_view key) {
    const bool is_computed = std::ranges::any_of(resource.fields, [&](const SourceField& field) {
      return field.computed_from && member.key == "$" + field.name;
    });
    if (!is_computed) refuse(member.position, fmt::format("{} must be an object without operators", key));
    if (member.value.text != "computed") refuse(member.position, fmt::format("{} must be \"computed\"", member.key));
  }

  void check_insert() {
    const SourceResource& resource = scope_.source.resources[required_resource(scope_, keys_, "insert")];
    const JsonValue& row = check_row(scope_, resource, "row");
    for (std::size_t i = 0; i < resource.fields.size(); ++i) {
      const SourceField& field = resource.fields[i];
      const bool is_made = resource.key == i && field.type == FieldType::Integer;
      if (field.required && !is_made && row.find(field.name) == nullptr) {
        keys_.refuse("row", fmt::format("must have {}, which each of {} has", field.name, resource.name));
      }
    }
  }

  void check_set() {
    const std::size_t resource = required_resource(scope_, keys_, "set");
    check_where(scope_, resource, keys_);
    Scope scope = scope_;
    scope.row = resource;
    check_row(scope, scope_.source.resources[resource], "to");
  }

  void check_each() {
    check_member("each");
    Scope scope = scope_;
    scope.has_item = true;
    require_steps("do", scope);
  }

  // What its steps use of with is either named here or outside.
  void check_let() {
    const JsonValue& named = required_object(keys_, "let");
    check_template(scope_, named);
    std::set<std::string, std::less<>> used;
    Scope scope = scope_;
    scope.with = &used;
    require_steps("do", scope);
    for (const JsonMember& member : named.members) {
      if (used.erase(member.key) == 0) refuse(member.position, fmt::format("with.{} is not used by do", member.key));
    }
    if (used.empty()) return;
    if (scope_.with == nullptr)
      refuse(value_.position, fmt::format("do uses with.{}, which is missing", *used.begin()));
    scope_.with->insert(used.begin(), used.end());
  }

  void check_if() {
    check_member("if");
    check_member("is");
    require_steps("then", scope_);
    check_steps_of("else", scope_);
  }

  void check_refuse() {
    const Reason reason = choose(kReasons, keys_, "refuse");
    check_texts_of(reason);
    const bool by_value = keys_.any("when") != nullptr;
    const bool by_row = keys_.any("if") != nullptr;
    if (by_value + by_row + (keys_.any("unless") != nullptr) != 1) {
      refuse(value_.position, "a refusal must have one of if, unless and when");
    }
    if (by_value) {
      check_member("when");
      check_member("is");
    } else {
      check_where(scope_, required_resource(scope_, keys_, by_row ? "if" : "unless"), keys_);
    }
    // What the message calls it; an invalid value is no row.
    if (reason != Reason::Invalid && (by_value || keys_.any("resource") != nullptr)) {
      required_resource(scope_, keys_, "resource");
    }
  }

  // A state is told with the one that is needed, or not at all.
  void check_texts_of(Reason reason) {
    if (reason == Reason::Invalid) {
      for (const std::string_view key : {"member", "of", "needs"}) require(key);
    } else {
      check_member("of");
    }
    if (reason == Reason::State && (keys_.any("has") != nullptr || keys_.any("needs") != nullptr)) {
      for (const std::string_view key : {"has", "needs"}) require(key);
    }
    for (const auto& [key, chinese] :
         {std::pair{"needs", "needsChinese"}, {"has", "hasChinese"}, {"noun", "nounChinese"}}) {
      if (keys_.any(key) == nullptr) continue;
      check_member(key);
      check_member(chinese);
    }
  }

  void check_run() {
    const std::string name = keys_.required_text("run");
    SourceSteps& steps =
        scope_.source.steps[find_entry(scope_.source.steps, name, keys_.position_of("run"), "name of steps")];
    steps.is_used = true;
    const JsonValue* with = keys_.any("with") == nullptr ? nullptr : &required_object(keys_, "with");
    if (with != nullptr) check_names(scope_, *with, steps.with, fmt::format("the steps {}", name));
  }

  void check_task() {
    const auto& tasks = scope_.source.tasks;
    if (!tasks) keys_.refuse("task", "needs the rules of tasks, and no file has tasks");
    std::vector<std::string> subtasks;
    if (const auto file = keys_.text("task")) {
      const Position position = keys_.position_of("task");
      const JsonValue page = page_of(scope_.source.answers[find_answer(scope_.source, *file, position)].json);
      subtasks = subtasks_of(page, position);
      try {
        check_template(scope_, page);
      } catch (const JsonFieldError& error) {
        refuse(position, fmt::format("{} as a template: {}", *file, error.what()));
      }
      check_member("name");
    } else {
      require("name");
      for (auto& [name, position] : strings_of(keys_, "subtasks")) subtasks.push_back(std::move(name));
      if (subtasks.empty())
        refuse(value_.position, "a task without a file must have subtasks, an array of their names");
    }
    if (keys_.any("of") != nullptr)
      check_names(scope_, required_object(keys_, "of"), tasks->with, "the rules of tasks");
    if (const JsonValue* during = keys_.object("during")) {
      for (const JsonMember* member : in_order_of_the_file(during)) {
        if (std::ranges::find(subtasks, member->key) == subtasks.end()) {
          refuse(member->position, fmt::format("'{}' is no subtask of the task{}", printable(member->key),
                                               did_you_mean(member->key, subtasks)));
        }
        check_sequence(scope_, member->value, member->key);
      }
    }
    for (const std::string_view key : {"end", "rolledBack", "retried"}) check_steps_of(key, scope_);
    Scope failed = scope_;
    failed.has_failure = true;
    check_steps_of("failed", failed);
  }

  // Of several tasks the first.
  static JsonValue page_of(std::string_view json) {
    JsonValue file = read_json_text(json);
    return file.kind == JsonKind::Array && !file.items.empty() ? JsonValue(file.items.front()) : file;
  }

  std::vector<std::string> subtasks_of(const JsonValue& task, Position position) const {
    const SourceTaskRules& rules = *scope_.source.tasks;
    std::vector<std::string> names;
    for (const std::string& name : rules.subtasks) {
      const JsonMember* subtasks = task.find(name);
      if (subtasks == nullptr) continue;
      for (const JsonValue& subtask : subtasks->value.items) {
        if (const JsonMember* text = subtask.find(rules.members[1])) names.push_back(text->value.text);
      }
    }
    if (names.empty()) refuse(position, fmt::format("the file must be a task with {}", rules.subtasks.front()));
    return names;
  }

  void check_operate() {
    const Operation operation = choose(kOperations, keys_, "operate");
    if (!scope_.source.tasks) keys_.refuse("operate", "needs the rules of tasks, and no file has tasks");
    require("task");
    if (operation == Operation::Skip || operation == Operation::Cancel) {
      require("subtask");
    } else {
      check_member("subtask");
    }
  }

  const Scope& scope_;
  const JsonValue& value_;
  JsonFields keys_;
};

void check_sequence(const Scope& scope, const JsonValue& steps, std::string_view name) {
  if (steps.kind != JsonKind::Array) refuse(begin_of(steps), fmt::format("{} must be an array of steps", name));
  for (const JsonValue& step : steps.items) StepChecker(scope, step).check();
}

}  // namespace

void read_steps(Source& source, const JsonMember& member) {
  if (std::ranges::find(source.steps, member.key, &SourceSteps::name) != source.steps.end()) {
    refuse(member.position, fmt::format("there are two sequences of steps '{}'", printable(member.key)));
  }
  SourceSteps& steps = source.steps.emplace_back();
  steps.name = member.key;
  append_json(steps.json, member.value);
  add_with(member.value, steps.with);
}

void check_steps(Source& source, SourceSteps& steps, const JsonMember& member) {
  SourceMade made;
  std::set<std::string> seen;
  add_made(source, member.value, made, seen);
  if (seen.contains(steps.name)) refuse(member.position, fmt::format("the steps {} run themselves", steps.name));
  std::set<std::string, std::less<>> with;
  Scope scope{.source = source, .with = &with};
  check_sequence(scope, member.value, member.key);
}

void read_effects(Source& source, SourceEndpoint& endpoint, JsonFields& keys) {
  const JsonValue* effects = keys.any("effects");
  if (effects == nullptr) refuse(keys.position(), "effects are missing; they must be an array of steps");
  SourceMade made;
  std::set<std::string> seen;
  add_made(source, *effects, made, seen);
  Scope scope{.source = source, .endpoint = &endpoint, .made = &made};
  check_sequence(scope, *effects, "effects");
  append_json(endpoint.effects, *effects);

  const JsonValue* answers = keys.any("answers");
  if ((answers == nullptr) != (endpoint.form == Form::Nothing)) {
    if (answers != nullptr) keys.refuse("answers", "do not fit the form nothing");
    refuse(keys.position(), "answers are missing; they must be the template of the data");
  }
  if (answers == nullptr) return;
  const bool is_list = endpoint.form == Form::Page || endpoint.form == Form::List;
  const bool is_operator =
      std::ranges::any_of(answers->members, [](const JsonMember& member) { return member.key.starts_with('$'); });
  const bool is_right = answers->kind == JsonKind::String || is_operator ||
                        answers->kind == (is_list ? JsonKind::Array : JsonKind::Object);
  if (!is_right) keys.refuse("answers", is_list ? "must be an array, the contents" : "must be an object, the data");
  scope.is_answer = true;
  check_template(scope, *answers);
  append_json(endpoint.answers, *answers);
}

}  // namespace ocp_mock::generator
