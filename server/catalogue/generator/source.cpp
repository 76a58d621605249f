#include "catalogue/generator/source.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/ascii.h"
#include "catalogue/generator/reading.h"

namespace ocp_mock::generator {
namespace {

// clang-format off
// What SQL does not take for a name as it is, and what each table has beside the columns of its fields.
constexpr std::string_view kTakenWords[] = {
    "add", "all", "alter", "and", "as", "autoincrement", "between", "case", "cast", "check", "collate", "commit",
    "constraint", "create", "current_date", "current_time", "current_timestamp", "default", "deferrable", "delete",
    "distinct", "drop", "else", "escape", "except", "exists", "foreign", "from", "group", "having", "id", "if", "in",
    "index", "indexed", "insert", "intersect", "into", "is", "isnull", "join", "json", "limit", "not", "nothing",
    "notnull", "null", "oid", "on", "or", "order", "points", "primary", "raise", "references", "resource", "returning",
    "row_id", "rowid", "select", "since",
    "set", "table", "then", "to", "transaction", "union", "unique", "update", "using", "values", "when", "where",
    "with",
};
// clang-format on

void sort_parents_first(Source& source) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < source.resources.size(); ++i) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return source.resources[i].parents.size(); });
  std::vector<std::size_t> moved_to(order.size());
  std::vector<SourceResource> sorted;
  for (const std::size_t old : order) {
    moved_to[old] = sorted.size();
    sorted.push_back(std::move(source.resources[old]));
  }
  for (SourceResource& resource : sorted) {
    for (SourceParent& parent : resource.parents) parent.resource = moved_to[parent.resource];
  }
  source.resources = std::move(sorted);
}

struct Document {
  const SourceFile* file;
  JsonValue value;
};

// Says which file a mistake is in.
template <typename Function>
void in_file(const SourceFile& file, Function function) {
  try {
    function();
  } catch (const JsonSyntaxError& error) {
    throw SourceError(
        fmt::format("{}:{}:{}: {}", file.name, error.position().line, error.position().column, error.what()));
  } catch (const JsonFieldError& error) {
    throw SourceError(fmt::format("{}:{}", file.name, error.what()));
  }
}

// Calls the function with each member of the object that all files have by this key.
template <typename Function>
void for_each_member(const std::vector<Document>& documents, std::string_view key, Function function) {
  for (const Document& document : documents) {
    in_file(*document.file, [&] {
      for (const JsonMember* member : in_order_of_the_file(JsonFields(document.value).object(key))) function(*member);
    });
  }
}

// The name of a fixed answer; empty for any other file.
std::string answer_name(std::string_view file) {
  constexpr std::string_view kFolder = "answers/";
  const auto slash = file.rfind('/');
  if (slash == std::string_view::npos || !file.substr(0, slash + 1).ends_with(kFolder)) return "";
  std::string_view name = file.substr(slash + 1);
  if (name.ends_with(".json")) name.remove_suffix(std::string_view(".json").size());
  return std::string(name);
}

}  // namespace

Index SourceResource::find_field(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &SourceField::name);
  return found == fields.end() ? Index() : Index(static_cast<std::size_t>(found - fields.begin()));
}

std::string sql_identifier(std::string_view name) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string identifier;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins_word =
        i > 0 && is_upper(name[i]) && (!is_upper(name[i - 1]) || (i + 1 < name.size() && !is_upper(name[i + 1])));
    if (begins_word) identifier += '_';
    identifier += to_lower_ascii(name[i]);
  }
  if (std::ranges::find(kTakenWords, identifier) != std::end(kTakenWords)) identifier += '_';
  return identifier;
}

Source read_source(const std::vector<SourceFile>& files) {
  std::vector<Document> documents;
  std::vector<const SourceFile*> answer_files;  // of the source's answers, in their order
  Source source;
  for (const SourceFile& file : files) {
    in_file(file, [&] {
      if (std::string name = answer_name(file.name); !name.empty()) {
        SourceAnswer& answer = source.answers.emplace_back(std::move(name), "");
        append_json(answer.json, read_json_text(file.text));
        answer_files.push_back(&file);
        return;
      }
      documents.push_back({&file, read_json_text(file.text)});
      JsonFields keys(documents.back().value);
      for (const std::string_view key : {"words", "members", "resources", "endpoints", "steps", "tasks"}) keys.any(key);
      keys.refuse_others();
    });
  }
  for_each_member(documents, "words", [&](const JsonMember& member) {
    if (std::ranges::find(source.word_lists, member.key, &SourceWordList::name) != source.word_lists.end()) {
      refuse(member.position, fmt::format("there are two lists of words '{}'", printable(member.key)));
    }
    source.word_lists.push_back(read_word_list(member));
  });
  for_each_member(documents, "members", [&](const JsonMember& member) { read_members(source, member); });
  for_each_member(documents, "resources",
                  [&](const JsonMember& member) { source.resources.push_back(read_resource(source, member)); });
  // Both go through the resources in the order in which they were read.
  std::size_t index = 0;
  for_each_member(documents, "resources",
                  [&](const JsonMember& member) { read_links(source, source.resources[index++], member); });
  index = 0;
  for_each_member(documents, "resources",
                  [&](const JsonMember& member) { check_parents(source, source.resources[index++], member); });
  sort_parents_first(source);
  for (const Document& document : documents) {
    in_file(*document.file, [&] {
      JsonFields keys(document.value);
      const JsonValue* tasks = keys.object("tasks");
      if (tasks == nullptr) return;
      if (source.tasks) keys.refuse("tasks", "must stand in one file");
      read_task_rules(source, *tasks);
    });
  }
  for_each_member(documents, "steps", [&](const JsonMember& member) { read_steps(source, member); });
  index = 0;
  for_each_member(documents, "steps",
                  [&](const JsonMember& member) { check_steps(source, source.steps[index++], member); });
  for (const Document& document : documents) {
    in_file(*document.file, [&] {
      const std::vector<JsonValue>* endpoints = JsonFields(document.value).array("endpoints");
      if (endpoints == nullptr) return;
      for (const JsonValue& endpoint : *endpoints) read_endpoint(source, endpoint);
    });
  }
  index = 0;
  for_each_member(documents, "steps", [&](const JsonMember& member) {
    if (!source.steps[index++].is_used) refuse(member.position, fmt::format("nothing runs the steps {}", member.key));
  });
  index = 0;
  for_each_member(documents, "members", [&](const JsonMember& member) {
    if (!source.members[index++].is_used)
      refuse(member.position, fmt::format("no body has the members {}", member.key));
  });
  for (std::size_t i = 0; i < source.answers.size(); ++i) {
    in_file(*answer_files[i], [&] {
      if (!source.answers[i].is_used) refuse({1, 1}, "nothing refers to this file");
    });
  }
  return source;
}

}  // namespace ocp_mock::generator
