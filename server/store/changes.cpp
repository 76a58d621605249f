#include "store/changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "base/utf8.h"
#include "fixtures/computed.h"
#include "fixtures/exchange.h"
#include "fixtures/field_rules.h"
#include "fixtures/problem.h"
#include "fixtures/resources.h"
#include "fixtures/row_rules.h"
#include "fixtures/timeline.h"
#include "json/writer.h"
#include "ocp/error.h"
#include "store/dataset_builder.h"
#include "store/where.h"

namespace ocp_mock {
namespace {

void throw_if_any(std::string_view what, const std::vector<RowProblem>& problems) {
  if (problems.empty()) return;
  std::string text = fmt::format("{} has {} {}, nothing was changed:", what, problems.size(),
                                 problems.size() == 1 ? "problem" : "problems");
  for (const RowProblem& problem : problems) text += "\n  " + problem.text;
  throw FixtureError(text);
}

void require_object(std::string_view what, const JsonValue& value) {
  if (value.kind == JsonKind::Object) return;
  throw_if_any(what, {{value.position, fmt::format("it is {}; it must be an object", describe(value))}});
}

// Whether the fields of a row, now or along its timeline, have something. Texts without `quoted` are not read.
template <typename Has>
bool some_row_has(const Dataset& dataset, const Resource& resource, const RowSelection& selection,
                  const std::string& quoted, const Has& has) {
  bool found = false;
  dataset.each_row(resource, selection, [&](const StoredRow& stored) {
    if (found) return;
    if (stored.json.find(quoted) != std::string_view::npos) found = has(read_stored_row(stored.json));
    if (!found && stored.timeline && stored.timeline->points.find(quoted) != std::string::npos) {
      found = std::ranges::any_of(read_timeline(*stored.timeline).points,
                                  [&](const TimelinePoint& point) { return has(point.fields); });
    }
  });
  return found;
}

bool some_row_has(const Dataset& dataset, const Resource& resource, const std::string& key) {
  return some_row_has(dataset, resource, {}, json_string(key) + ":",
                      [&](const JsonValue& fields) { return fields.find(key) != nullptr; });
}

bool some_row_has(const Dataset& dataset, const Resource& resource, const Field& field, const std::string& word) {
  const auto has = [&](const JsonValue& fields) {
    const JsonMember* own = fields.find(field.name);
    return own != nullptr && own->value.kind == JsonKind::String && own->value.text == word;
  };
  RowSelection selection;
  if (!field.column.empty()) {
    selection.conditions.push_back({std::string(field.column), word});
    bool found = false;
    dataset.each_row(resource, selection, [&](const StoredRow&) { found = true; });
    if (found) return true;
    selection = {{}, true};
  }
  return some_row_has(dataset, resource, selection, json_string(word), has);
}

// Fields and words that neither the catalogue nor any row knows: misspelt, most probably, and the count of rows would
// hide that.
void check_words(const Dataset& dataset, const Resource& resource, const JsonValue& members,
                 std::vector<RowProblem>& problems) {
  for (const JsonMember& member : members.members) {
    if (member.key.starts_with('$')) continue;
    const Field* field = resource.find_field(member.key);
    if (field == nullptr && !some_row_has(dataset, resource, member.key)) {
      std::vector<std::string_view> names;
      for (const Field& known : resource.fields) names.push_back(known.name);
      problems.push_back(
          {member.position, fmt::format("{} is no field of {}, and no {} has it{}", printable(member.key),
                                        resource.name, resource.noun, did_you_mean(member.key, names))});
    }
    if (field == nullptr || field->words == nullptr || member.value.kind != JsonKind::String) continue;
    if (field->words->find(member.value.text) == WordList::npos &&
        !some_row_has(dataset, resource, *field, member.value.text)) {
      std::vector<std::string_view> words;
      for (const Word& word : field->words->words) words.push_back(word.word);
      problems.push_back({member.position, wrong_value(field->name, member.value,
                                                       fmt::format("one of {}, or one that {} has{}",
                                                                   fmt::join(words, ", "), with_article(resource.noun),
                                                                   did_you_mean(member.value.text, words)))});
    }
  }
}

// Whether a row's field may be the same as the value.
bool may_equal(const Field& field, const JsonValue& value) {
  const bool is_number = value.kind == JsonKind::Integer || value.kind == JsonKind::Float;
  switch (field.type) {
    case FieldType::Integer: {
      if (!is_number) return false;
      if (to_int64(value)) return true;
      // 1.0 and 10e-1 are as good as 1.
      const double number = std::strtod(value.text.c_str(), nullptr);
      return std::trunc(number) == number && std::abs(number) < 0x1p63;
    }
    case FieldType::Number: return is_number;
    case FieldType::String: return value.kind == JsonKind::String;
    case FieldType::Time: return value.kind == JsonKind::String && parse_rfc3339(value.text).has_value();
    case FieldType::Boolean: return value.kind == JsonKind::Boolean;
    case FieldType::Array: return value.kind == JsonKind::Array;
    case FieldType::Object: return value.kind == JsonKind::Object;
  }
  return false;
}

void check_where(const Dataset& dataset, const Resource& resource, const JsonValue& where) {
  std::vector<RowProblem> problems;
  for (const JsonMember& member : where.members) {
    const Field* field = resource.find_field(member.key);
    if (member.key == computed_name(resource)) {
      const bool computed = member.value.kind == JsonKind::String && member.value.text == kComputed;
      if (!computed && member.value.kind != JsonKind::Null) {
        problems.push_back({member.position, wrong_value(member.key, member.value, "\"computed\"")});
      }
    } else if (member.key.starts_with('$')) {
      problems.push_back({member.position, fmt::format("{} picks no {}: where compares with fields that are answered",
                                                       printable(member.key), resource.noun)});
    } else if (field != nullptr && member.value.kind == JsonKind::Null) {
      if (field->required) {
        problems.push_back(
            {member.position, fmt::format("{} is null, and every {} has one", field->name, resource.noun)});
      }
    } else if (field != nullptr && !may_equal(*field, member.value)) {
      problems.push_back({member.position, wrong_value(field->name, member.value, right_value(*field))});
    }
  }
  check_words(dataset, resource, where, problems);
  throw_if_any("where", problems);
}

void check_set(const Dataset& dataset, const Resource& resource, const JsonValue& set) {
  std::vector<RowProblem> problems;
  check_words(dataset, resource, set, problems);
  if (const JsonMember* timeline = set.find(kTimeline); timeline != nullptr) {
    for (JsonValue point : timeline->value.items) {
      point.erase("at");
      check_words(dataset, resource, point, problems);
    }
  }
  throw_if_any("set", problems);
}

// Calls visit for each row that where picks, as its fixture has it without its timeline.
void each_picked(const Dataset& dataset, const Resource& resource, const JsonValue& where,
                 const std::function<void(const StoredRow&, JsonValue)>& visit) {
  dataset.each_row(resource, candidates(resource, where).selection, [&](const StoredRow& stored) {
    JsonValue row = fixture_of_row(resource, stored.json);
    if (picks(resource, where, row)) visit(stored, std::move(row));
  });
}

// Gives timelines that have none a time from which they count.
class SinceSink : public ForwardingSink {
 public:
  SinceSink(FixtureSink& sink, std::optional<Instant> since) : ForwardingSink(sink), since_(since) {}

  bool add_row(const Resource& resource, Row& row) override {
    if (since_ && row.timeline && !row.timeline->since) row.timeline->since = format_iso_offset(*since_, 0);
    return ForwardingSink::add_row(resource, row);
  }

 private:
  const std::optional<Instant> since_;
};

// Writes the rows that are only declared, as members of the rows that they belong to.
class Declarations {
 public:
  explicit Declarations(const Dataset& dataset) : resources_(dataset.catalogue()) {
    for (const Resource& resource : dataset.catalogue().resources) {
      if (resources_.is_declared(resource)) keys_.emplace(&resource, dataset.keys(resource));
    }
  }

  const FixtureResources& resources() const { return resources_; }

  // All rows of a declared resource without parents, as items of an array.
  void append_rows(std::string& out, const Resource& resource) const { append_below(out, resource, {}, ",\n"); }

  // What the row with these keys has as members beside its own: ",\"NAME\":[...]" for each declared resource below.
  void append_members(std::string& out, const Resource& resource, std::vector<SqlValue>& keys) const {
    for (const Resource* child : resources_.children(resource)) {
      if (!resources_.is_declared(*child)) continue;
      std::string rows;
      append_below(rows, *child, keys, ",");
      if (!rows.empty()) out += fmt::format(",\"{}\":[{}]", child->name, rows);
    }
  }

 private:
  // The rows below the parents with these keys.
  void append_below(std::string& out, const Resource& resource, std::vector<SqlValue> keys,
                    std::string_view comma) const {
    const Outline* parent = &keys_.at(&resource);
    for (const SqlValue& key : keys) {
      const auto child = std::ranges::lower_bound(parent->children, key, {}, &Outline::key);
      if (child == parent->children.end() || child->key != key) return;
      parent = &*child;
    }
    for (const Outline& row : parent->children) {
      out += fmt::format("{}{{\"{}\":{}", out.empty() || out.back() == '[' ? "" : comma, resource.key->name,
                         json_value(row.key));
      if (row.label) out += fmt::format(",\"{}\":{}", resource.label->name, json_string(*row.label));
      keys.push_back(row.key);
      append_members(out, resource, keys);
      keys.pop_back();
      out += '}';
    }
  }

  const FixtureResources resources_;
  std::map<const Resource*, Outline> keys_;
};

// Whether the same rows are there of what other rows may be below.
bool has_same_parents(const Dataset& one, const Dataset& other) {
  return std::ranges::all_of(one.catalogue().resources, [&](const Resource& resource) {
    return resource.label == nullptr || one.keys(resource) == other.keys(resource);
  });
}

}  // namespace

std::string export_fixtures(const Dataset& dataset) {
  const Declarations declarations(dataset);
  const FixtureResources& resources = declarations.resources();
  std::string text = "{";
  const auto begin_member = [&](const Resource& resource) {
    text += fmt::format("{}\"{}\":[", text.size() > 1 ? ",\n" : "", resource.name);
  };
  for (const Resource& resource : dataset.catalogue().resources) {
    if (!resources.is_declared(resource) || !resource.parents.empty()) continue;
    begin_member(resource);
    declarations.append_rows(text, resource);
    text += ']';
  }
  for (const Resource& resource : dataset.catalogue().resources) {
    if (resources.is_declared(resource)) continue;
    const std::size_t before = text.size();
    begin_member(resource);
    std::string_view comma = "\n";
    bool has_rows = false;
    dataset.each_row(resource, {}, [&](const StoredRow& row) {
      text += comma;
      append_fixture(text, resource, row.json, row.timeline);
      std::vector<SqlValue> keys(row.keys.begin(), row.keys.end());
      text.pop_back();
      declarations.append_members(text, resource, keys);
      text += '}';
      comma = ",\n";
      has_rows = true;
    });
    text += ']';
    if (!has_rows && &resource != &resources.default_resource()) text.resize(before);
  }
  if (dataset.has_exchanges()) {
    text += fmt::format("{}\"{}\":[", text.size() > 1 ? ",\n" : "", kExchanges);
    std::string_view comma = "\n";
    dataset.each_exchange([&](const StoredExchange& exchange) {
      text += comma;
      append_exchange(text, exchange);
      comma = ",\n";
    });
    text += ']';
  }
  return text + "}\n";
}

Changed with_fixtures(const Router& router, const std::shared_ptr<const Dataset>& old, std::string_view name,
                      std::string_view text, std::optional<Instant> since) {
  const auto builder = old->copy();
  SinceSink sink(*builder, since);
  FixtureFile file = load_fixture_text(router, name, text, sink);
  Changed changed{file.count(), builder->finish(), std::move(file.counts), file.exchanges};
  const bool is_same = changed.rows == 0 && changed.exchanges == 0 && changed.dataset->envelope() == old->envelope() &&
                       has_same_parents(*changed.dataset, *old);
  if (is_same) changed.dataset = old;
  return changed;
}

Changed from_fixtures(const Router& router, std::string_view name, std::string_view text) {
  const auto builder = DatasetBuilder::in_memory(router.catalogue());
  FixtureFile file = load_fixture_text(router, name, text, *builder);
  const std::int64_t rows = file.count();
  return {rows, builder->finish(), std::move(file.counts), file.exchanges};
}

void refuse_misspelt(const Dataset& dataset, const Resource& resource, const JsonValue& where, const JsonValue* set) {
  check_where(dataset, resource, where);
  if (set != nullptr) check_set(dataset, resource, *set);
}

Changed with_rows_set(const std::shared_ptr<const Dataset>& old, const Resource& resource, const JsonValue& where,
                      const JsonValue& set) {
  require_object("where", where);
  require_object("set", set);
  std::vector<RowProblem> problems;
  check_members(resource, set, problems);
  throw_if_any("set", problems);
  const auto builder = old->copy();
  std::int64_t rows = 0;
  each_picked(*old, resource, where, [&](const StoredRow& stored, JsonValue fixture) {
    if (stored.timeline) {
      fixture = fixture_of_row(resource, stored.json, stored.timeline);
      release_from_timeline(resource, fixture, set);
    }
    set_members(resource, fixture, set);
    if (fixture.find(kTimeline) == nullptr && set.find(kSince) == nullptr) fixture.erase(kSince);
    auto row = row_of(resource, std::move(fixture), problems);
    throw_if_any("set", problems);
    try {
      builder->refuse_taken_key(resource, *row, stored.id);
    } catch (const DuplicateRow& error) {
      throw_if_any("set", {{set.position, error.what()}});
    }
    builder->set_row(resource, stored.id, std::move(*row));
    ++rows;
  });
  return {rows, rows == 0 ? old : builder->finish()};
}

Changed without_rows(const std::shared_ptr<const Dataset>& old, const Resource& resource, const JsonValue& where) {
  require_object("where", where);
  const auto builder = old->copy();
  std::int64_t rows = 0;
  if (const Candidates found = candidates(resource, where); found.exact) {
    rows = builder->remove_rows(resource, found.selection.conditions);
  } else {
    each_picked(*old, resource, where, [&](const StoredRow& stored, const JsonValue&) {
      builder->remove_row(resource, stored.id);
      ++rows;
    });
  }
  return {rows, rows == 0 ? old : builder->finish()};
}

}  // namespace ocp_mock
