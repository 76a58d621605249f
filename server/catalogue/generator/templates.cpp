#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/generator/effects.h"

namespace ocp_mock::generator {
namespace {

enum class Operator {
  First,
  If,
  Find,
  Count,
  Sum,
  Max,
  Map,
  Filter,
  Size,
  Union,
  Without,
  Merge,
  Named,
  Add,
  Multiply,
  Seconds,
  After,
  Split,
  Join,
  Made,
  File,
};

// clang-format off
constexpr Choice<Operator> kOperators[] = {
    {"$first",    Operator::First},
    {"$if",       Operator::If},
    {"$find",     Operator::Find},
    {"$count",    Operator::Count},
    {"$sum",      Operator::Sum},
    {"$max",      Operator::Max},
    {"$map",      Operator::Map},
    {"$filter",   Operator::Filter},
    {"$size",     Operator::Size},
    {"$union",    Operator::Union},
    {"$without",  Operator::Without},
    {"$merge",    Operator::Merge},
    {"$named",    Operator::Named},
    {"$add",      Operator::Add},
    {"$multiply", Operator::Multiply},
    {"$seconds",  Operator::Seconds},
    {"$after",    Operator::After},
    {"$split",    Operator::Split},
    {"$join",     Operator::Join},
    {"$made",     Operator::Made},
    {"$file",     Operator::File},
};
// clang-format on

// What a reference begins with beside the names of resources.
constexpr std::string_view kRoots[] = {"path", "query", "body", "new", "row",  "rows",   "task",   "tasks",
                                       "item", "found", "with", "now", "user", "origin", "failure"};

// From the end where it is negative.
bool is_index(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// One reference, as in "${path.id}".
class Reference {
 public:
  Reference(const Scope& scope, std::string_view text, Position position)
      : scope_(scope), text_(text), position_(position) {
    for (std::string_view rest = text;;) {
      const auto dot = rest.find('.');
      parts_.push_back(rest.substr(0, dot));
      if (parts_.back().empty()) fail("must be names with a dot between them");
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
  }

  void check() const {
    const std::string_view root = parts_.front();
    if (root == "now" || root == "user" || root == "origin" || root == "failure") {
      if (root == "failure" && !scope_.has_failure) fail("is for failed only");
      if (parts_.size() > 1) fail("has no members");
    } else if (root == "item") {
      if (!scope_.has_item) fail("is for each and $map only");
    } else if (root == "found") {
      if (!scope_.found) fail("is for what $find takes only");
      check_field(*scope_.found, 1);
    } else if (root == "row" || root == "rows") {
      check_row(root == "row");
    } else if (root == "task" || root == "tasks") {
      if (scope_.made != nullptr && !scope_.made->has_task) fail("needs a step with a task");
    } else if (root == "new") {
      check_new();
    } else if (root == "with") {
      if (scope_.with == nullptr) fail("is for named steps and the rules of tasks only");
      if (parts_.size() == 1) fail("must have a name");
      scope_.with->emplace(parts_[1]);
    } else {
      check_request(root);
    }
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    refuse(position_, fmt::format("${{{}}} {}", printable(text_), why));
  }

  // That the part is a field of the resource; without the part it is the whole row.
  void check_field(std::size_t resource, std::size_t part) const {
    if (part < parts_.size()) find_field(scope_.source.resources[resource], parts_[part], position_);
  }

  void check_row(bool is_one) const {
    if (is_one && scope_.row) return check_field(*scope_.row, 1);
    if (!scope_.is_answer) fail(is_one ? "is for to and answers only" : "is for answers only");
    if (scope_.made != nullptr && !scope_.made->has_row) fail("needs a step that inserts or sets a row");
  }

  void check_new() const {
    if (parts_.size() == 1) fail("must have the name of a resource");
    const std::size_t resource = find_entry(scope_.source.resources, parts_[1], position_, "resource");
    if (scope_.made != nullptr && !scope_.made->inserted.contains(parts_[1])) {
      fail(fmt::format("needs a step that inserts {}", parts_[1]));
    }
    check_field(resource, 2);
  }

  // What the request has, and the rows that its path names.
  void check_request(std::string_view root) const {
    const auto& resources = scope_.source.resources;
    const auto resource = std::ranges::find(resources, root, &SourceResource::name);
    if (std::ranges::find(kRoots, root) == std::end(kRoots) && resource == resources.end()) {
      std::vector<std::string_view> known(std::begin(kRoots), std::end(kRoots));
      for (const SourceResource& one : resources) known.emplace_back(one.name);
      fail(fmt::format("begins with neither a resource nor one of {}{}", fmt::join(kRoots, ", "),
                       did_you_mean(root, known)));
    }
    if (scope_.endpoint == nullptr) fail("is of a request, which is not known here; pass it by with");
    const SourceEndpoint& endpoint = *scope_.endpoint;
    if (root == "body") return check_body();
    if (root == "path" || root == "query") {
      if (parts_.size() == 1) fail("must have a name");
      if (root == "path") {
        if (parts_.size() > 2) fail("has no members");
        find_entry(endpoint.path_parameters, parts_[1], position_, "placeholder of the path");
      } else {
        find_entry(endpoint.parameters, parts_[1], position_, "parameter of the endpoint");
      }
      return;
    }
    const auto index = static_cast<std::size_t>(resource - resources.begin());
    const auto& path = endpoint.path_parameters;
    if (std::ranges::find(path, Index(index), &SourcePathParameter::resource) == path.end()) {
      fail(fmt::format("needs a placeholder that is a key of {}", root));
    }
    check_field(index, 1);
  }

  // A body follows its fields as far as they are told.
  void check_body() const {
    if (!scope_.endpoint->body) fail("needs a body");
    const SourceBodyField* field = &*scope_.endpoint->body;
    for (std::size_t part = 1; part < parts_.size(); ++part) {
      if (field->type == BodyType::Any) return;
      if (field->type == BodyType::Array) {
        if (!is_index(parts_[part])) fail(fmt::format("has '{}' where an array needs an index", parts_[part]));
        if (field->fields.empty()) return;
        field = &field->fields.front();
        continue;
      }
      if (field->type != BodyType::Object) fail(fmt::format("has '{}' below what has no members", parts_[part]));
      if (field->fields.empty()) return;
      field = &field->fields[find_entry(field->fields, parts_[part], position_, "field of the body")];
    }
  }

  const Scope& scope_;
  std::string_view text_;
  Position position_;
  std::vector<std::string_view> parts_;
};

void check_text(const Scope& scope, const JsonValue& value) {
  std::string_view rest = value.text;
  for (auto begin = rest.find("${"); begin != std::string_view::npos; begin = rest.find("${")) {
    rest.remove_prefix(begin + 2);
    const auto end = rest.find('}');
    if (end == std::string_view::npos) refuse(begin_of(value), "a reference that begins with ${ must end with }");
    Reference(scope, rest.substr(0, end), begin_of(value)).check();
    rest.remove_prefix(end + 1);
  }
}

void require_items(const JsonValue& value, std::string_view name, std::size_t least, std::size_t most) {
  if (value.kind == JsonKind::Array && value.items.size() >= least && value.items.size() <= most) return;
  refuse(begin_of(value), least == most ? fmt::format("{} must be an array of {} templates", name, least)
                                        : fmt::format("{} must be an array of templates", name));
}

void check_operator(const Scope& scope, const JsonValue& object, const JsonMember& member) {
  const Operator which = choose(kOperators, member.key, member.position, "the operator");
  JsonFields keys(object);
  const JsonValue& operand = *keys.any(member.key);
  const auto check_member = [&](std::string_view key, const Scope& inner) {
    const JsonValue* value = keys.any(key);
    if (value != nullptr) check_template(inner, *value);
    return value != nullptr;
  };
  const auto require = [&](std::string_view key, const Scope& inner) {
    if (!check_member(key, inner)) refuse(object.position, fmt::format("{} is missing", key));
  };
  constexpr auto kMany = std::string_view::npos;
  Scope inner = scope;
  switch (which) {
    case Operator::First:
    case Operator::Merge:
      require_items(operand, member.key, 1, kMany);
      check_template(scope, operand);
      break;
    case Operator::Size:
    case Operator::Add:
    case Operator::Multiply: check_template(scope, operand); break;
    case Operator::Filter:
      check_template(scope, operand);
      check_template(scope, required_object(keys, "where"));
      break;
    case Operator::Named:
      check_template(scope, operand);
      require("value", scope);
      break;
    case Operator::Seconds:
    case Operator::After:
      require_items(operand, member.key, 2, 2);
      check_template(scope, operand);
      break;
    case Operator::Made:
      required_resource(scope, keys, member.key);
      check_member("above", scope);
      break;
    case Operator::If:
      check_template(scope, operand);
      check_member("is", scope);
      require("then", scope);
      check_member("else", scope);
      break;
    case Operator::Find:
    case Operator::Sum:
    case Operator::Max:
    case Operator::Count: {
      const std::size_t resource = required_resource(scope, keys, member.key);
      check_where(scope, resource, keys);
      if (which == Operator::Count) break;
      if (which == Operator::Max) {
        find_field(scope.source.resources[resource], keys.required_text("of"), keys.position_of("of"));
        break;
      }
      inner.found = resource;
      if (which == Operator::Sum) {
        require("of", inner);
        break;
      }
      check_member("take", inner);
      if (check_member("most", scope) && keys.any("all") != nullptr) keys.refuse("all", "cannot be combined with most");
      keys.boolean("all");
      break;
    }
    case Operator::Map:
      check_template(scope, operand);
      inner.has_item = true;
      require("to", inner);
      break;
    case Operator::Union:
    case Operator::Without:
      require_items(operand, member.key, 2, 2);
      check_template(scope, operand);
      if (keys.text("of") && !keys.text("by")) keys.refuse("of", "needs by");
      keys.text("by");
      break;
    case Operator::Split:
    case Operator::Join:
      check_template(scope, operand);
      keys.required_text("by");
      break;
    case Operator::File: {
      const std::string name = keys.required_text(member.key);
      find_answer(scope.source, name, keys.position_of(member.key));
      break;
    }
  }
  keys.refuse_others();
}

}  // namespace

std::size_t find_answer(Source& source, std::string_view name, Position position) {
  const std::size_t answer = find_entry(source.answers, name, position, "file in answers/");
  source.answers[answer].is_used = true;
  return answer;
}

std::size_t required_resource(const Scope& scope, JsonFields& keys, std::string_view key) {
  const std::string name = keys.required_text(key);
  return find_entry(scope.source.resources, name, keys.position_of(key), "resource");
}

const JsonValue& required_object(JsonFields& keys, std::string_view key) {
  const JsonValue* object = keys.object(key);
  if (object == nullptr) refuse(keys.position(), fmt::format("{} is missing; it must be an object", key));
  for (const JsonMember& member : object->members) {
    if (member.key.starts_with('$'))
      refuse(member.position, fmt::format("{} must be an object without operators", key));
  }
  return *object;
}

void check_where(const Scope& scope, std::size_t resource, JsonFields& keys) {
  SourceResource& of = scope.source.resources[resource];
  for (const JsonMember& member : required_object(keys, "where").members) {
    const std::size_t field = add_column(of, find_field(of, member.key, member.position));
    const FieldType type = of.fields[field].type;
    if (type == FieldType::Array || type == FieldType::Object) {
      refuse(member.position,
             fmt::format("{} is of type {}, which is not compared", member.key, word_of(kFieldTypes, type)));
    }
    check_template(scope, member.value);
  }
}

void check_template(const Scope& scope, const JsonValue& value) {
  if (value.kind == JsonKind::String) return check_text(scope, value);
  for (const JsonValue& item : value.items) check_template(scope, item);
  for (const JsonMember& member : value.members) {
    if (member.key.starts_with('$')) return check_operator(scope, value, member);
  }
  for (const JsonMember* member : in_order_of_the_file(&value)) check_template(scope, member->value);
}

}  // namespace ocp_mock::generator
