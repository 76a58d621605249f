#include "catalogue/generator/emit.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/hash.h"

namespace ocp_mock::generator {
namespace {

// The enumerators, in the order of their enumeration.
constexpr std::string_view kFieldTypes[] = {"Integer", "Number", "String", "Boolean", "Time", "Array", "Object"};
constexpr std::string_view kParameterTypes[] = {"Integer", "Number", "Boolean", "String", "Word", "UtcTime", "Time"};
constexpr std::string_view kMatches[] = {"Equal",     "Contains",   "Member",     "NoMember",   "From",   "Until",
                                         "Attribute", "Comparison", "Operand",    "Expression", "Length", "Ignored",
                                         "Page",      "Size",       "Sort",       "Start",      "End",    "Metrics",
                                         "Step",      "LeastStep",  "MostPoints", "Labels",     "GroupBy"};
constexpr std::string_view kDoes[] = {"List", "Get", "Constant", "Fixed", "Series", "Document", "Write"};
constexpr std::string_view kBodyTypes[] = {"Integer", "Number", "Boolean", "String", "Word",
                                           "Time",    "Array",  "Object",  "Any"};
constexpr std::string_view kMedia[] = {"Json", "Form", "Multipart", "Query"};
constexpr std::string_view kConstants[] = {"Time", "Info", "Status", "Welcome"};
constexpr std::string_view kForms[] = {"Page", "List", "Object", "Nothing", "Bare"};
constexpr std::string_view kPagingKinds[] = {"None", "Strict", "Pageable"};
// What SQL calls the type of each field.
constexpr std::string_view kSqlTypes[] = {"INTEGER", "NUMERIC", "TEXT", "INTEGER", "INTEGER", "TEXT", "TEXT"};

template <std::size_t size, typename T>
std::string_view spelling(const std::string_view (&spellings)[size], T value) {
  return spellings[static_cast<std::size_t>(value)];
}

std::vector<std::string> columns_of(const SourceField& field) {
  if (!field.has_column) return {};
  const std::string column = sql_identifier(field.name);
  if (field.type != FieldType::Time) return {column};
  return {column + "_second", column + "_nano"};
}

std::string columns_of(const SourceResource& resource, const SourceSortKey& key) {
  std::string columns;
  for (const std::string& column : columns_of(resource.fields[key.field])) {
    columns += fmt::format("{}{}{}", columns.empty() ? "" : ", ", column, key.descending ? " DESC" : "");
  }
  return columns;
}

std::uint32_t version_of(const Source& source, std::string_view sql) {
  std::string text(sql);
  for (const SourceResource& resource : source.resources) {
    if (!resource.indexed_words) continue;
    for (const SourceWord& word : source.word_lists[*resource.fields[*resource.indexed_words].words].words) {
      text += fmt::format("{} {}\n", word.word, word.meaning);
    }
  }
  return version_hash(text);
}

// Whether a path has the key of the resource's rows without the keys of all their parents.
bool is_found_by_key_alone(const Source& source, std::size_t resource) {
  const SourceResource& of = source.resources[resource];
  return of.key && std::ranges::any_of(source.endpoints, [&](const SourceEndpoint& endpoint) {
           const auto& path = endpoint.path_parameters;
           return endpoint.resource == resource && path.size() <= of.parents.size() &&
                  std::ranges::find(path, *of.key, &SourcePathParameter::field) != path.end();
         });
}

std::string sql_of_resource(const Source& source, std::size_t i) {
  std::string sql;
  const SourceResource& resource = source.resources[i];
  std::vector<std::string> columns{"id INTEGER PRIMARY KEY"};
  for (const SourceField& field : resource.fields) {
    for (const std::string& column : columns_of(field)) {
      columns.push_back(
          fmt::format("{} {}{}", column, spelling(kSqlTypes, field.type), field.required ? " NOT NULL" : ""));
    }
  }
  columns.emplace_back("json TEXT NOT NULL");
  sql += fmt::format("CREATE TABLE {} (\n  {}\n);\n", resource.table, fmt::join(columns, ",\n  "));

  std::vector<std::string> parents;
  for (const SourceParent& parent : resource.parents) parents.push_back(columns_of(resource.fields[parent.field])[0]);
  const auto add_index = [&](std::string_view name, const std::vector<std::string>& more) {
    std::vector<std::string> all = parents;
    all.insert(all.end(), more.begin(), more.end());
    if (all.empty()) return;
    sql += fmt::format("CREATE INDEX {0}_by_{1} ON {0}\n  ({2});\n", resource.table, name, fmt::join(all, ", "));
  };
  if (source.tasks && source.tasks->resource == i) {
    const std::vector<std::string> due = columns_of(resource.fields[source.tasks->due]);
    sql += fmt::format("CREATE INDEX {0}_by_due ON {0}\n  ({1}) WHERE {2} IS NOT NULL;\n", resource.table,
                       fmt::join(due, ", "), due.front());
  }
  const auto own_key = resource.key ? columns_of(resource.fields[*resource.key]) : std::vector<std::string>();
  if (resource.key || !resource.indexed_words) add_index("key", own_key);
  if (is_found_by_key_alone(source, i)) {
    sql += fmt::format("CREATE INDEX {0}_by_{1}_alone ON {0}\n  ({1});\n", resource.table, own_key.front());
  }
  if (!resource.indexed_words) return sql;
  std::vector<std::string> order;
  for (const SourceSortKey& key : resource.order) order.push_back(columns_of(resource, key));
  const std::string word = columns_of(resource.fields[*resource.indexed_words])[0];
  // With id and the words in it a page is found, and a filter counted, without the table.
  add_index("time", {fmt::format("{}", fmt::join(order, ", ")), "id", word});
  // One word, in the default order.
  add_index(word, {word, fmt::format("{}", fmt::join(order, ", ")), "id"});
  return sql;
}

std::string cpp_literal(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '\n') {
      literal += "\\n\"\n    \"";
    } else if (c == '"' || c == '\\') {
      literal.append(1, '\\').append(1, c);
    } else if (c >= ' ' && c <= '~') {
      literal += c;
    } else {
      literal += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    }
  }
  return literal + '"';
}

class CppEmitter {
 public:
  explicit CppEmitter(const Source& source) : source_(source) {}

  std::string emit(std::string_view name) {
    add("// Made by ocp_mock_generate_catalogue; edit the JSON files that it reads.\n"
        "#include \"catalogue/catalogue.h\"\n\n"
        "namespace ocp_mock {{\n\nconst Catalogue& {}();\n\nnamespace {{\n\n",
        name);
    add_word_lists();
    if (!source_.resources.empty()) add("extern const Resource resources[{}];\n\n", source_.resources.size());
    for (std::size_t i = 0; i < source_.resources.size(); ++i) add_parts_of_resource(i);
    add_array("constinit const Resource resources", source_.resources.size(), [&](std::size_t i) { add_resource(i); });
    add_named("steps", source_.steps);
    add_named("answers", source_.answers);
    add_task_rules();
    for (std::size_t i = 0; i < source_.endpoints.size(); ++i) add_parts_of_endpoint(i);
    add_array("constexpr Endpoint endpoints", source_.endpoints.size(), [&](std::size_t i) { add_endpoint(i); });
    add("constexpr Catalogue catalogue{{{}, {}, {}, {}, {}, {}}};\n\n", array("resources", source_.resources.size()),
        array("endpoints", source_.endpoints.size()), array("steps", source_.steps.size()),
        array("answers", source_.answers.size()), source_.tasks ? "&tasks" : "nullptr",
        version_of(source_, emit_sql(source_)));
    add("}}  // namespace\n\nconst Catalogue& {}() {{ return catalogue; }}\n\n}}  // namespace ocp_mock\n", name);
    return std::move(out_);
  }

 private:
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
  }

  // An array, a line an item; nothing for none, which C++ does not have.
  template <typename AddItem>
  void add_array(const std::string& declaration, std::size_t size, AddItem add_item) {
    if (size == 0) return;
    add("{}[{}] = {{\n", declaration, size);
    for (std::size_t i = 0; i < size; ++i) {
      add("    ");
      add_item(i);
      add(",\n");
    }
    add("}};\n\n");
  }

  // What initialises a span of such an array.
  static std::string array(std::string_view name, std::size_t size) { return size == 0 ? "{}" : std::string(name); }
  static std::string array(std::string_view name, std::size_t index, std::size_t size) {
    return size == 0 ? "{}" : fmt::format("{}_{}", name, index);
  }

  static std::string field(Index resource, Index field) {
    return field ? fmt::format("&fields_{}[{}]", *resource, *field) : "nullptr";
  }
  static std::string words(Index list) { return list ? fmt::format("&word_lists[{}]", *list) : "nullptr"; }
  static std::string resource(Index index) { return index ? fmt::format("&resources[{}]", *index) : "nullptr"; }

  void add_word_lists() {
    for (std::size_t i = 0; i < source_.word_lists.size(); ++i) {
      const std::vector<SourceWord>& list = source_.word_lists[i].words;
      add_array(fmt::format("constexpr Word words_{}", i), list.size(),
                [&](std::size_t w) { add("{{{}, {}}}", cpp_literal(list[w].word), list[w].meaning); });
    }
    add_array("constexpr WordList word_lists", source_.word_lists.size(),
              [&](std::size_t i) { add("{{{}, words_{}}}", cpp_literal(source_.word_lists[i].name), i); });
  }

  void add_parts_of_resource(std::size_t i) {
    const SourceResource& of = source_.resources[i];
    std::size_t column = 0;
    add_array(fmt::format("constexpr Field fields_{}", i), of.fields.size(), [&](std::size_t f) {
      const SourceField& field = of.fields[f];
      add("{{{}, FieldType::{}, {}, {}, {}, {}, {}, {}}}", cpp_literal(field.name), spelling(kFieldTypes, field.type),
          field.required, field.keeps_null, field.hidden,
          cpp_literal(field.has_column ? sql_identifier(field.name) : ""), words(field.words), column);
      column += columns_of(field).size();
    });
    add_array(fmt::format("constexpr Parent parents_{}", i), of.parents.size(), [&](std::size_t p) {
      const SourceParent& parent = of.parents[p];
      add("{{{}, {}, {}}}", field(i, parent.field), resource(parent.resource), field(i, parent.label));
    });
    add_array(fmt::format("constexpr SortKey order_{}", i), of.order.size(),
              [&](std::size_t k) { add("{{{}, {}}}", field(i, of.order[k].field), of.order[k].descending); });
  }

  void add_resource(std::size_t i) {
    const SourceResource& of = source_.resources[i];
    std::size_t columns = 0;
    std::string computed = "{}";
    for (std::size_t f = 0; f < of.fields.size(); ++f) {
      columns += columns_of(of.fields[f]).size();
      if (const Index from = of.fields[f].computed_from)
        computed = fmt::format("{{{}, {}}}", field(i, f), field(i, from));
    }
    add("{{{}, {}, {}, {}, fields_{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}}", cpp_literal(of.name),
        cpp_literal(of.noun), cpp_literal(of.noun_chinese), cpp_literal(of.table), i, columns,
        array("parents", i, of.parents.size()), field(i, of.key), field(i, of.qualifier), field(i, of.label),
        array("order", i, of.order.size()), field(i, of.lasts_until), computed, field(i, of.indexed_words),
        of.keeps_null, of.is_default, cpp_literal(sql_of_resource(source_, i)));
  }

  void add_parts_of_endpoint(std::size_t i) {
    const SourceEndpoint& of = source_.endpoints[i];
    add_array(fmt::format("constexpr PathParameter path_parameters_{}", i), of.path_parameters.size(),
              [&](std::size_t p) {
                const SourcePathParameter& parameter = of.path_parameters[p];
                add("{{{}, ParameterType::{}, {}, {}, {}}}", cpp_literal(parameter.name),
                    spelling(kParameterTypes, parameter.type), field(of.resource, parameter.field),
                    resource(parameter.resource),
                    parameter.resource ? source_.resources[*parameter.resource].missing_code : 0);
              });
    for (std::size_t p = 0; p < of.parameters.size(); ++p) {
      const std::vector<std::size_t>& fields = of.parameters[p].fields;
      add_array(fmt::format("constexpr const Field* compared_{}_{}", i, p), fields.size(),
                [&](std::size_t f) { add("{}", field(of.resource, fields[f])); });
    }
    add_array(fmt::format("constexpr Parameter parameters_{}", i), of.parameters.size(), [&](std::size_t p) {
      const SourceParameter& parameter = of.parameters[p];
      add("{{{}, {}, ParameterType::{}, {}, {}, Match::{}, {}, {}, {}, {}}}", cpp_literal(parameter.name),
          cpp_literal(parameter.alias), spelling(kParameterTypes, parameter.type), parameter.required,
          parameter.repeats, spelling(kMatches, parameter.match),
          array(fmt::format("compared_{}", i), p, parameter.fields.size()), words(parameter.words),
          cpp_literal(parameter.inside), parameter.or_missing);
    });
    add_array(fmt::format("constexpr const Field* sorts_{}", i), of.sorts.size(),
              [&](std::size_t s) { add("{}", field(of.resource, of.sorts[s])); });
    add_texts(fmt::format("aliases_{}", i), of.aliases);
    add_array(fmt::format("constexpr Media media_{}", i), of.media.size(),
              [&](std::size_t m) { add("Media::{}", spelling(kMedia, of.media[m])); });
    if (of.body) add_body_fields(fmt::format("body_{}", i), *of.body);
  }

  void add_texts(const std::string& name, const std::vector<std::string>& texts) {
    add_array("constexpr std::string_view " + name, texts.size(),
              [&](std::size_t t) { add("{}", cpp_literal(texts[t])); });
  }

  template <typename Entries>
  void add_named(const std::string& name, const Entries& entries) {
    add_array("constexpr NamedJson " + name, entries.size(),
              [&](std::size_t i) { add("{{{}, {}}}", cpp_literal(entries[i].name), cpp_literal(entries[i].json)); });
  }

  void add_task_rules() {
    if (!source_.tasks) return;
    const SourceTaskRules& of = *source_.tasks;
    add_texts("subtasks_of_tasks", of.subtasks);
    add("constexpr TaskRules tasks{{{}, {}, {}, {}, {}", resource(of.resource), resource(of.logs),
        field(of.resource, of.due), field(of.resource, of.plan), field(of.logs, of.log));
    const auto add_all = [&](const std::vector<std::string>& texts) {
      for (const std::string& text : texts) add(",\n    {}", cpp_literal(text));
    };
    add_all(of.members);
    add(",\n    subtasks_of_tasks");
    for (const auto* texts : {&of.graph, &of.statuses, &of.operations, &of.templates}) add_all(*texts);
    add("}};\n\n");
  }

  // The arrays that body_field() refers to, the inner ones first.
  void add_body_fields(const std::string& name, const SourceBodyField& of) {
    for (std::size_t f = 0; f < of.fields.size(); ++f) add_body_fields(fmt::format("{}_{}", name, f), of.fields[f]);
    add_array("constexpr BodyField " + name, of.fields.size(),
              [&](std::size_t f) { add("{}", body_field(fmt::format("{}_{}", name, f), of.fields[f])); });
  }

  static std::string body_field(const std::string& name, const SourceBodyField& of) {
    return fmt::format("{{{}, {}, BodyType::{}, {}, {}, {}, {}, {}}}", cpp_literal(of.name), cpp_literal(of.alias),
                       spelling(kBodyTypes, of.type), of.required, of.least ? fmt::format("{}", *of.least) : "kNoLeast",
                       cpp_literal(of.keeps_before), words(of.words), array(name, of.fields.size()));
  }

  void add_endpoint(std::size_t i) {
    const SourceEndpoint& of = source_.endpoints[i];
    add("{{{}, {}, Does::{}, Constant::{}, Form::{}, {}, {}, {}, {{PagingKind::{}, {}, {}, {}}}, {}, {}, {}, {}, {}, "
        "{}, {}, {}, {}, {}}}",
        cpp_literal(of.method), cpp_literal(of.path), spelling(kDoes, of.does), spelling(kConstants, of.constant),
        spelling(kForms, of.form), resource(of.resource), array("path_parameters", i, of.path_parameters.size()),
        array("parameters", i, of.parameters.size()), spelling(kPagingKinds, of.paging), of.default_size,
        of.maximum_size, array("sorts", i, of.sorts.size()), array("aliases", i, of.aliases.size()),
        of.answer ? fmt::format("answers[{}].json", *of.answer) : cpp_literal(""), field(of.resource, of.document),
        cpp_literal(of.effects), cpp_literal(of.answers), array("media", i, of.media.size()),
        of.body ? body_field(fmt::format("body_{}", i), *of.body)
                : fmt::format("{{{0}, {0}, BodyType::Any, false, kNoLeast, {0}, nullptr, {{}}}}", cpp_literal("")),
        of.open, of.listed, cpp_literal(of.since));
  }

  const Source& source_;
  std::string out_;
};

}  // namespace

std::string emit_sql(const Source& source) {
  std::string sql;
  for (std::size_t i = 0; i < source.resources.size(); ++i) sql += sql_of_resource(source, i);
  return sql;
}

std::string emit_cpp(const Source& source, std::string_view name) { return CppEmitter(source).emit(name); }

}  // namespace ocp_mock::generator
