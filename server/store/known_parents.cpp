#include "store/known_parents.h"

#include <fmt/format.h>

#include <algorithm>

#include "fixtures/timeline.h"
#include "json/reader.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

const Field& key_field(const Resource& resource, std::size_t i) {
  return i < resource.parents.size() ? *resource.parents[i].field : *resource.key;
}

void merge(std::optional<std::string>& known, const std::optional<std::string>& label) {
  if (!known) known = label;
}

std::string text_of(const Resource& resource, const std::vector<SqlValue>& keys) {
  std::string json = "{";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    json += fmt::format("{}{}:{}", i == 0 ? "" : ",", json_string(key_field(resource, i).name), json_value(keys[i]));
  }
  return json + "}";
}

void store_row(Connection& connection, const Resource& resource, const std::vector<SqlValue>& keys,
               const std::optional<std::string>& label) {
  const std::optional<FoundByKey> found = find_by_key(connection, resource, keys);
  if (found && !label) return;
  JsonValue row = read_stored_row(found ? found->json : text_of(resource, keys));
  std::vector<std::string> columns = found ? std::vector<std::string>() : key_columns(resource);
  std::vector<SqlValue> values = found ? std::vector<SqlValue>() : keys;
  if (label) {
    if (row.find(resource.label->name) != nullptr) return;
    row.set({std::string(resource.label->name), {}, {JsonKind::String, *label, {}, {}, {}}});
    if (!resource.label->column.empty()) {
      columns.emplace_back(resource.label->column);
      values.emplace_back(*label);
    }
  }
  std::string json;
  append_canonical_json(json, row);
  columns.emplace_back("json");
  values.emplace_back(std::move(json));
  if (found) values.emplace_back(found->id);
  connection.execute({found ? update_sql(resource, columns) : insert_sql(resource, columns), std::move(values)});
}

}  // namespace

std::vector<SqlValue> keys_of(const Resource& resource, const Row& row) {
  std::vector<SqlValue> keys;
  for (const Parent& parent : resource.parents) keys.push_back(row.columns[parent.field->first_column]);
  if (resource.key != nullptr) keys.push_back(row.columns[resource.key->first_column]);
  if (resource.qualifier != nullptr) keys.push_back(row.columns[resource.qualifier->first_column]);
  return keys;
}

DuplicateRow taken_key(const Resource& resource, const Row& row) {
  std::string parents;
  for (const Parent& parent : resource.parents) {
    parents += fmt::format("{} {} {}", parents.empty() ? " with" : " and", parent.field->name,
                           json_value(row.columns[parent.field->first_column]));
  }
  std::string key = fmt::format("{} is {}", resource.key->name, json_value(row.columns[resource.key->first_column]));
  if (resource.qualifier != nullptr) {
    key +=
        fmt::format(" and {} {}", resource.qualifier->name, json_value(row.columns[resource.qualifier->first_column]));
  }
  return DuplicateRow(
      fmt::format("{}, and another {}{} has it; each must have one of its own", key, resource.noun, parents));
}

std::optional<FoundByKey> find_by_key(Connection& connection, const Resource& resource,
                                      const std::vector<SqlValue>& keys) {
  Statement& row = connection.row_statement(Connection::RowStatement::FindKey, resource, [&] {
    std::string where = where_equal(key_columns(resource));
    if (resource.qualifier != nullptr) where += fmt::format(" AND {} IS ?", resource.qualifier->column);
    return fmt::format("SELECT id, json FROM {}{} ORDER BY id LIMIT 1", resource.table, where);
  });
  const Use use(row);
  row.bind_all(keys);
  if (!row.step()) return std::nullopt;
  return FoundByKey{row.integer(0), std::string(row.bytes(1))};
}

void KnownParents::note(const Resource& resource, const Row& row) {
  if (resource.parents.empty()) return;
  std::vector<SqlValue> keys;
  for (const Parent& parent : resource.parents) keys.push_back(row.columns[parent.field->first_column]);
  const bool is_as_before = last_.first == &resource && last_.second == keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool has_label = i < row.parent_labels.size() && row.parent_labels[i];
    if (is_as_before && !has_label) continue;
    Labels& labels = parents_[{resource.parents[i].resource, {keys.begin(), keys.begin() + i + 1}}];
    if (has_label) merge(labels.of_row, row.parent_labels[i]);
  }
  for (const std::vector<SqlValue>& later : row.later_parents) {
    for (std::size_t i = 0; i < later.size(); ++i) {
      parents_[{resource.parents[i].resource, {later.begin(), later.begin() + i + 1}}];
    }
  }
  if (!is_as_before) last_ = {&resource, std::move(keys)};
}

void KnownParents::note_declared(const Resource& resource, std::span<const SqlValue> parents_and_key,
                                 std::optional<std::string> label) {
  for (std::size_t i = 0; i < resource.parents.size(); ++i) {
    parents_[{resource.parents[i].resource, {parents_and_key.begin(), parents_and_key.begin() + i + 1}}];
  }
  merge(parents_[{&resource, {parents_and_key.begin(), parents_and_key.end()}}].declared, label);
}

void KnownParents::forget(const Resource& resource, const std::vector<SqlValue>& keys) {
  std::erase_if(parents_, [&](const auto& known) {
    const auto& [of, of_keys] = known.first;
    const bool is_below = std::ranges::find(of->parents, &resource, &Parent::resource) != of->parents.end();
    return (of == &resource || is_below) && of_keys.size() >= keys.size() &&
           std::equal(keys.begin(), keys.end(), of_keys.begin());
  });
  last_ = {nullptr, {}};
}

std::set<const Resource*> KnownParents::resources() const {
  std::set<const Resource*> resources;
  for (const auto& [key, labels] : parents_) resources.insert(key.first);
  return resources;
}

void KnownParents::store(Connection& connection) const {
  for (const auto& [key, labels] : parents_) {
    store_row(connection, *key.first, key.second, labels.declared ? labels.declared : labels.of_row);
  }
}

bool KnownParents::may_have_stored(const Resource& resource, std::string_view json) {
  const auto is_known = [&](const JsonMember& member) {
    const auto is = [&](const Field* field) { return field != nullptr && field->name == member.key; };
    return is(resource.key) || is(resource.label) || std::ranges::any_of(resource.parents, is, &Parent::field);
  };
  return std::ranges::all_of(read_stored_row(json).members, is_known);
}

}  // namespace ocp_mock
