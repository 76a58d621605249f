#include "catalogue/generator/reading.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ocp_mock::generator {
namespace {

SourceField read_field(const Source& source, const JsonMember& member) {
  SourceField field{};
  field.name = member.key;
  if (member.value.kind == JsonKind::String) {
    std::tie(field.type, field.required) = type_of(kFieldTypes, member.value.text, begin_of(member.value));
    return field;
  }
  if (member.value.kind != JsonKind::Object) {
    refuse(member.position, fmt::format("{} must be a type, or an object with a type", field.name));
  }
  JsonFields fields(member.value);
  std::tie(field.type, field.required) = type_of(kFieldTypes, fields.required_text("type"), fields.position_of("type"));
  field.keeps_null = fields.boolean("keepsNull").value_or(false);
  field.hidden = fields.boolean("hidden").value_or(false);
  if (const auto words = fields.text("words")) {
    field.words = find_entry(source.word_lists, *words, fields.position_of("words"), "list of words");
    if (field.type != FieldType::String && field.type != FieldType::Array) {
      fields.refuse("words", fmt::format("need a string or an array; {} is of type {}", field.name,
                                         word_of(kFieldTypes, field.type)));
    }
  }
  fields.any("computedFrom");  // read once all fields are known
  fields.text("source");
  fields.refuse_others();
  return field;
}

std::string table_of(std::string_view resource) {
  std::string name(resource);
  if (name.ends_with("ies")) {
    name.replace(name.size() - 3, 3, "y");
  } else if (name.ends_with('s') && !name.ends_with("ss")) {
    name.pop_back();
  }
  return sql_identifier(name);
}

// Tables of a dataset beside those of resources, see schema/*.sql.
constexpr std::string_view kTakenTables[] = {"fact", "sparse_index", "timeline"};

// Names become identifiers of SQL.
void require_name(std::string_view name, Position position) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_right = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  if (!name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_right)) return;
  refuse(position, fmt::format("the name '{}' must be of letters and digits, a letter first", printable(name)));
}

void read_parents(Source& source, SourceResource& resource, JsonFields& keys) {
  const JsonValue* parents = keys.object("parents");
  for (const JsonMember* member : in_order_of_the_file(parents)) {
    SourceParent parent{};
    parent.field = add_column(resource, find_field(resource, member->key, member->position));
    if (!resource.fields[parent.field].required) {
      refuse(member->position, fmt::format("{} holds a parent's key and must be required", member->key));
    }
    if (member->value.kind == JsonKind::String) {
      parent.resource = find_entry(source.resources, member->value.text, begin_of(member->value), "resource");
    } else {
      JsonFields fields(member->value);
      const std::string name = fields.required_text("resource");
      parent.resource = find_entry(source.resources, name, fields.position_of("resource"), "resource");
      if (const auto label = fields.text("label")) {
        parent.label = find_field(resource, *label, fields.position_of("label"));
      }
      fields.refuse_others();
    }
    resource.parents.push_back(parent);
  }
}

}  // namespace

SourceWordList read_word_list(const JsonMember& member) {
  SourceWordList list{member.key, {}};
  if (member.value.kind != JsonKind::Array || member.value.items.empty()) {
    refuse(member.position, fmt::format("{} must be an array of words", member.key));
  }
  for (const JsonValue& item : member.value.items) {
    const std::size_t index = list.words.size();
    std::string word;
    std::size_t meaning = index;
    if (item.kind == JsonKind::String) {
      word = item.text;
    } else if (item.kind != JsonKind::Object) {
      refuse(item.position, fmt::format("{} must be an array of words, and of objects with a word", list.name));
    } else {
      JsonFields fields(item);
      word = fields.required_text("word");
      const std::string means = fields.required_text("means");
      const auto same = std::ranges::find(list.words, means, &SourceWord::word);
      if (same == list.words.end()) fields.refuse("means", fmt::format("must be a word before '{}'", printable(word)));
      meaning = same->meaning;
      fields.refuse_others();
    }
    if (word.empty() || word.find_first_of(", \t") != std::string::npos) {
      refuse(begin_of(item), fmt::format("'{}' must be a word without blanks and commas", printable(word)));
    }
    if (std::ranges::find(list.words, word, &SourceWord::word) != list.words.end()) {
      refuse(begin_of(item), fmt::format("'{}' is in {} twice", printable(word), list.name));
    }
    list.words.push_back({std::move(word), meaning});
  }
  return list;
}

SourceResource read_resource(const Source& source, const JsonMember& member) {
  JsonFields keys(member.value);
  SourceResource resource{};
  resource.name = member.key;
  require_name(resource.name, member.position);
  resource.table = table_of(resource.name);
  if (std::ranges::find(kTakenTables, resource.table) != std::end(kTakenTables)) {
    refuse(member.position, fmt::format("the dataset has a table {} of its own", resource.table));
  }
  if (std::ranges::find(source.resources, resource.name, &SourceResource::name) != source.resources.end()) {
    refuse(member.position, fmt::format("there are two resources '{}'", printable(resource.name)));
  }
  if (std::ranges::find(source.resources, resource.table, &SourceResource::table) != source.resources.end()) {
    refuse(member.position, fmt::format("there is another resource with the table {}", resource.table));
  }
  resource.noun = keys.required_text("noun");
  resource.noun_chinese = keys.text("nounChinese").value_or(resource.noun);
  constexpr std::int64_t kUnknownResource = 10002;
  resource.missing_code =
      static_cast<int>(keys.integer("missing", 0, std::numeric_limits<int>::max()).value_or(kUnknownResource));

  std::set<std::string> columns;
  const JsonValue* fields = keys.object("fields");
  if (fields == nullptr || fields->members.empty()) refuse(member.position, "fields are missing");
  for (const JsonMember* field : in_order_of_the_file(fields)) {
    require_name(field->key, field->position);
    resource.fields.push_back(read_field(source, *field));
    if (!columns.insert(sql_identifier(field->key)).second) {
      refuse(field->position,
             fmt::format("another field of {} has the column {}", resource.name, sql_identifier(field->key)));
    }
  }
  resource.keeps_null = keys.boolean("keepsNull").value_or(false);
  if (resource.keeps_null) {
    for (SourceField& field : resource.fields) field.keeps_null = true;
  }
  resource.is_default = keys.boolean("default").value_or(false);
  if (resource.is_default && std::ranges::any_of(source.resources, &SourceResource::is_default)) {
    keys.refuse("default", "must stand at one resource");
  }
  keys.text("source");
  for (const std::string_view key : {"parents", "key", "qualifier", "label", "order", "lastsUntil", "index"})
    keys.any(key);
  keys.refuse_others();
  return resource;
}

SourceSortKey read_sort_key(SourceResource& resource, std::string_view text, Position position) {
  const auto comma = text.find(',');
  const std::string_view direction = comma == std::string_view::npos ? "asc" : text.substr(comma + 1);
  if (direction != "asc" && direction != "desc") {
    refuse(position, fmt::format("'{}' must be a field, or a field and ',asc' or ',desc'", printable(text)));
  }
  const std::size_t field = find_field(resource, text.substr(0, comma), position);
  if (const FieldType type = resource.fields[field].type; type == FieldType::Array || type == FieldType::Object) {
    refuse(position, fmt::format("{} has no order: it is of type {}", resource.fields[field].name,
                                 word_of(kFieldTypes, resource.fields[field].type)));
  }
  return {add_column(resource, field), direction == "desc"};
}

void read_links(Source& source, SourceResource& resource, const JsonMember& member) {
  JsonFields keys(member.value);
  read_parents(source, resource, keys);
  if (const auto key = keys.text("key")) {
    resource.key = add_column(resource, find_field(resource, *key, keys.position_of("key")));
    const SourceField& field = resource.fields[*resource.key];
    if ((field.type != FieldType::Integer && field.type != FieldType::String) || !field.required) {
      keys.refuse("key", "must be a required field of type integer or string");
    }
  }
  if (const auto qualifier = keys.text("qualifier")) {
    resource.qualifier = add_column(resource, find_field(resource, *qualifier, keys.position_of("qualifier")));
    if (!resource.key || resource.fields[*resource.qualifier].type != FieldType::String) {
      keys.refuse("qualifier", "must be a field of type string, of a resource with a key");
    }
  }
  if (const auto label = keys.text("label")) {
    resource.label = find_field(resource, *label, keys.position_of("label"));
    if (resource.fields[*resource.label].type != FieldType::String)
      keys.refuse("label", "must be a field of type string");
  }
  for (const auto& [text, position] : strings_of(keys, "order")) {
    resource.order.push_back(read_sort_key(resource, text, position));
  }
  if (const auto until = keys.text("lastsUntil")) {
    resource.lasts_until = add_column(resource, find_field(resource, *until, keys.position_of("lastsUntil")));
    const auto is_time = [&](std::size_t field) { return resource.fields[field].type == FieldType::Time; };
    if (resource.order.empty() || !is_time(resource.order.front().field) || !is_time(*resource.lasts_until)) {
      keys.refuse("lastsUntil", "must be a field of type time, in a resource whose order begins with one");
    }
  }
  if (const JsonValue* index = keys.object("index")) {
    JsonFields fields(*index);
    const std::string name = fields.required_text("countedBy");
    resource.indexed_words = add_column(resource, find_field(resource, name, fields.position_of("countedBy")));
    const SourceField& words = resource.fields[*resource.indexed_words];
    if (!words.words || words.type != FieldType::String || !words.required) {
      fields.refuse("countedBy", "must be a required field of type string with words");
    }
    const auto is_right = [&](const SourceSortKey& key) {
      const SourceField& field = resource.fields[key.field];
      return field.type == FieldType::Time && field.required && key.descending;
    };
    if (resource.order.size() != 1 || !is_right(resource.order.front())) {
      keys.refuse("index", "needs an order of one required field of type time, descending");
    }
    constexpr std::size_t kMostWords = 64;
    if (source.word_lists[*words.words].words.size() > kMostWords) {
      fields.refuse("countedBy", fmt::format("must be a field with at most {} words", kMostWords));
    }
    fields.refuse_others();
  }
  for (const JsonMember& field_member : keys.object("fields")->members) {
    if (field_member.value.kind != JsonKind::Object) continue;
    JsonFields fields(field_member.value);
    const auto from = fields.text("computedFrom");
    if (!from) continue;
    SourceField& field = resource.fields[*resource.find_field(field_member.key)];
    field.computed_from = add_column(resource, find_field(resource, *from, fields.position_of("computedFrom")));
    field.has_column = true;
    if (field.type != FieldType::Number || field.required ||
        resource.fields[*field.computed_from].type != FieldType::Time) {
      fields.refuse("computedFrom", "must be a field of type time, of a field of type number that is not required");
    }
    if (std::ranges::count_if(resource.fields, [](const SourceField& f) { return f.computed_from.has_value(); }) > 1) {
      fields.refuse("computedFrom", fmt::format("must stand at one field of {}", resource.name));
    }
    // A stored null marks the field as computed, so no other may be kept.
    const auto keeps_null = std::ranges::find_if(resource.fields, &SourceField::keeps_null);
    if (keeps_null != resource.fields.end()) {
      fields.refuse(
          "computedFrom",
          fmt::format("must not stand in a resource with a field that keeps nulls, as {} does", keeps_null->name));
    }
    // The stored text is cut behind a member that each row has.
    const auto comes_before = [&](const SourceField& other) { return other.required && other.name < field.name; };
    if (std::ranges::none_of(resource.fields, comes_before)) {
      fields.refuse("computedFrom",
                    fmt::format("needs a required field that comes before {} in the alphabet", field.name));
    }
  }
}

void check_parents(const Source& source, const SourceResource& resource, const JsonMember& member) {
  const JsonValue* parents = JsonFields(member.value).object("parents");
  std::vector<std::string_view> before;
  for (const SourceParent& link : resource.parents) {
    const SourceField& field = resource.fields[link.field];
    const SourceResource& parent = source.resources[link.resource];
    const Position position = parents->find(field.name)->position;
    if (!parent.key) refuse(position, fmt::format("{} has no key, and so nothing is below it", parent.name));
    if (parent.fields[*parent.key].type != field.type) {
      refuse(position,
             fmt::format("{} is of type {}; the key of {} is of type {}", field.name, word_of(kFieldTypes, field.type),
                         parent.name, word_of(kFieldTypes, parent.fields[*parent.key].type)));
    }
    if (link.label && !parent.label) {
      refuse(position, fmt::format("{} has no label, and so {} tells none", parent.name, resource.name));
    }
    // A row that another one names as its parent has its keys, and perhaps its label.
    for (std::size_t i = 0; i < parent.fields.size(); ++i) {
      const bool is_key =
          i == *parent.key || std::ranges::find(parent.parents, i, &SourceParent::field) != parent.parents.end();
      if (parent.fields[i].required && !is_key) {
        refuse(position, fmt::format("{} of {} must not be required, for rows may be known only as parents of others",
                                     parent.fields[i].name, parent.name));
      }
    }
    std::vector<std::string_view> own;
    for (const SourceParent& above : parent.parents) own.push_back(source.resources[above.resource].name);
    if (own != before) {
      const auto list = [](const auto& names) {
        return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
      };
      refuse(position, fmt::format("the parents of {} are {}; they must be those before it here: {}", parent.name,
                                   list(own), list(before)));
    }
    before.push_back(parent.name);
  }
}

}  // namespace ocp_mock::generator
