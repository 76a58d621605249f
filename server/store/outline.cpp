#include "store/outline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "store/pages/scan.h"

namespace ocp_mock {
namespace {

// The resource's parents, outermost first.
std::vector<const Resource*> chain_of(const Resource& resource) {
  std::vector<const Resource*> chain;
  for (const Parent& parent : resource.parents) chain.push_back(parent.resource);
  return chain;
}

Outline& child_of(Outline& outline, const SqlValue& key) {
  const auto child = std::ranges::lower_bound(outline.children, key, {}, &Outline::key);
  if (child == outline.children.end() || child->key != key) throw_damage("a row has a parent that there is not");
  return *child;
}

// The keys of each resource of the chain, below those of its parents.
void add_keys(Reader& reader, const Tables& tables, const std::vector<const Resource*>& chain, Outline& top) {
  for (const Resource* resource : chain) {
    if (!tables.has(*resource)) return;
    const std::string columns = fmt::format("{}", fmt::join(key_columns(*resource), ", "));
    const std::string label = resource->label == nullptr ? "NULL" : fmt::format("json ->> '{}'", resource->label->name);
    const std::string sql = fmt::format("SELECT {0}, {1} FROM {2} ORDER BY {0}", columns, label, resource->table);
    const auto key = static_cast<int>(resource->parents.size());
    reader.run({sql, {}}, [&](const Statement& row) {
      Outline* parent = &top;
      for (int i = 0; i < key; ++i) parent = &child_of(*parent, row.value(i));
      Outline& child = parent->children.emplace_back();
      child.key = row.value(key);
      child.label = row.optional_text(key + 1);
    });
  }
}

void count_words(Reader& reader, const Resource& resource, Outline& top) {
  std::vector<std::string> columns = parent_columns(resource);
  columns.emplace_back(resource.indexed_words == nullptr ? "NULL" : resource.indexed_words->column);
  const std::string sql =
      fmt::format("SELECT {0}, COUNT(*) FROM {1} GROUP BY {0} ORDER BY {0}", fmt::join(columns, ", "), resource.table);
  const auto word = static_cast<int>(resource.parents.size());
  reader.run({sql, {}}, [&](const Statement& row) {
    Outline* outline = &top;
    const std::int64_t rows = row.integer(word + 1);
    outline->rows += rows;
    for (int i = 0; i < word; ++i) {
      outline = &child_of(*outline, row.value(i));
      outline->rows += rows;
    }
    if (!row.is_null(word)) outline->words.push_back({std::string(row.bytes(word)), rows});
  });
}

}  // namespace

Outline read_outline(Reader& reader, const Tables& tables, const Resource& resource) {
  Outline top;
  add_keys(reader, tables, chain_of(resource), top);
  if (tables.has(resource)) count_words(reader, resource, top);
  return top;
}

Outline read_keys(Reader& reader, const Tables& tables, const Resource& resource) {
  std::vector<const Resource*> chain = chain_of(resource);
  chain.push_back(&resource);
  Outline top;
  add_keys(reader, tables, chain, top);
  return top;
}

}  // namespace ocp_mock
