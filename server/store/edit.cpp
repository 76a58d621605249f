#include "store/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <utility>

#include "fixtures/field_rules.h"
#include "fixtures/row_rules.h"
#include "fixtures/timeline.h"
#include "json/text.h"
#include "store/query.h"
#include "store/where.h"

namespace ocp_mock {
namespace {

Row checked_row(const Resource& resource, JsonValue fixture) {
  std::vector<RowProblem> problems;
  auto row = row_of(resource, std::move(fixture), problems);
  if (!row) throw RowRefused(problems.front().text);
  return *std::move(row);
}

bool has_integer_key(const Resource& resource) {
  return resource.key != nullptr && resource.key->type == FieldType::Integer;
}

std::optional<std::int64_t> key_of(const Resource& resource, const JsonValue& fixture) {
  const JsonMember* key = fixture.find(resource.key->name);
  return key == nullptr ? std::nullopt : to_int64(key->value);
}

// The row after the points of its timeline that have passed, with those that have not; nothing where none has passed.
std::optional<JsonValue> row_after_points(const Resource& resource, const StoredRow& row, Instant loaded, Instant now) {
  const RowTimeline& stored = *row.timeline;
  const Timeline timeline = read_timeline(stored);
  const Instant start = timeline.since.value_or(loaded);
  const auto later = std::ranges::find_if(timeline.points, [&](const auto& point) { return start + point.at > now; });
  if (later == timeline.points.begin()) return std::nullopt;
  JsonValue fixture = fixture_of_row(resource, row.json);
  for (auto point = timeline.points.begin(); point != later; ++point) set_members(resource, fixture, point->fields);
  if (later == timeline.points.end()) return fixture;
  JsonValue points = read_stored_points(stored.points);
  points.items.erase(points.items.begin(), points.items.begin() + (later - timeline.points.begin()));
  fixture.set({std::string(kTimeline), {}, std::move(points)});
  if (stored.since) fixture.set({std::string(kSince), {}, {JsonKind::String, *stored.since, {}, {}, {}}});
  return fixture;
}

// Values that are looked for one by one.
constexpr std::size_t kMostAlternatives = 1000;

// One where for each combination of the items of arrays that stand for any of them.
std::vector<JsonValue> alternatives(const Resource& resource, const JsonValue& where) {
  std::vector<JsonValue> all{where};
  for (const JsonMember& member : where.members) {
    const Field* field = resource.find_field(member.key);
    if (member.value.kind != JsonKind::Array || (field != nullptr && field->type == FieldType::Array)) continue;
    std::vector<JsonValue> more;
    for (const JsonValue& one : all) {
      if (all.size() * member.value.items.size() > kMostAlternatives) {
        throw RowRefused(fmt::format("an array stands for more than {} values", kMostAlternatives));
      }
      for (const JsonValue& item : member.value.items) {
        more.push_back(one);
        more.back().set({member.key, {}, item});
      }
    }
    all = std::move(more);
  }
  return all;
}

std::weak_ordering compare(const Field& field, const JsonValue& left, const JsonValue& right) {
  if (field.type == FieldType::Time) return *parse_rfc3339(left.text) <=> *parse_rfc3339(right.text);
  if (field.type != FieldType::Integer && field.type != FieldType::Number) return left.text <=> right.text;
  const double one = std::strtod(left.text.c_str(), nullptr);
  const double other = std::strtod(right.text.c_str(), nullptr);
  return one < other   ? std::weak_ordering::less
         : other < one ? std::weak_ordering::greater
                       : std::weak_ordering::equivalent;
}

// In the default order; rows without a value come last.
bool comes_before(const Resource& resource, const JsonValue& left, const JsonValue& right) {
  for (const SortKey& key : resource.order) {
    const JsonMember* one = left.find(key.field->name);
    const JsonMember* other = right.find(key.field->name);
    if (!is_present(one) || !is_present(other)) {
      if (is_present(one) != is_present(other)) return is_present(one);
      continue;
    }
    const std::weak_ordering order = compare(*key.field, one->value, other->value);
    if (order != 0) return key.descending ? order > 0 : order < 0;
  }
  return false;
}

// The members in which a row differs from an older one; null where it has lost them.
JsonValue difference(const JsonValue& before, const JsonValue& after) {
  JsonValue set;
  set.kind = JsonKind::Object;
  for (const JsonMember& member : after.members) {
    const JsonMember* old = before.find(member.key);
    if (old == nullptr || !same_json(old->value, member.value)) set.set(member);
  }
  for (const JsonMember& member : before.members) {
    if (after.find(member.key) == nullptr) set.set({member.key, {}, {}});
  }
  return set;
}

}  // namespace

Edit::Edit(std::shared_ptr<const Dataset> origin, Instant loaded)
    : origin_(std::move(origin)), loaded_(loaded), builder_(origin_->copy()) {}

void Edit::settle_timelines(Instant now) {
  if (!origin_->has_timelines()) return;
  for (const Resource& resource : catalogue().resources) {
    std::vector<FoundRow> moved;
    builder_->each_row(resource, {{}, true}, [&](const StoredRow& stored) {
      auto fixture = row_after_points(resource, stored, loaded_, now);
      if (fixture) moved.push_back({stored.id, *std::move(fixture)});
    });
    for (FoundRow& row : moved) {
      builder_->set_row(resource, row.id, checked_row(resource, std::move(row.fixture)));
      changed_ = true;
    }
  }
}

std::vector<Edit::FoundRow> Edit::find(const Resource& resource, const JsonValue& where) {
  std::vector<FoundRow> found;
  for (const JsonValue& one : alternatives(resource, where)) {
    builder_->each_row(resource, candidates(resource, one).selection, [&](const StoredRow& stored) {
      JsonValue fixture = fixture_of_row(resource, stored.json);
      if (picks(resource, one, fixture)) found.push_back({stored.id, std::move(fixture)});
    });
  }
  std::ranges::sort(found, {}, &FoundRow::id);
  const auto same = std::ranges::unique(found, {}, &FoundRow::id);
  found.erase(same.begin(), same.end());
  std::ranges::stable_sort(found, [&](const FoundRow& left, const FoundRow& right) {
    return comes_before(resource, left.fixture, right.fixture);
  });
  return found;
}

std::optional<Edit::FoundRow> Edit::find(const Resource& resource, std::int64_t id) {
  std::optional<FoundRow> found;
  builder_->each_row(resource, {{{"id", id}}}, [&](const StoredRow& stored) {
    found = FoundRow{stored.id, fixture_of_row(resource, stored.json)};
  });
  return found;
}

JsonValue Edit::insert(const Resource& resource, JsonValue fixture) {
  if (has_integer_key(resource)) {
    const auto given = key_of(resource, fixture);
    const std::int64_t key = given ? *given : builder_->make_key(resource);
    if (!given) {
      fixture.set({std::string(resource.key->name), {}, {JsonKind::Integer, std::to_string(key), {}, {}, {}}});
    }
    builder_->keep_key(resource, key);
  }
  Row row = checked_row(resource, fixture);
  require_parents(resource, row);
  builder_->add_row(resource, row);
  changed_ = true;
  return fixture;
}

// A row below one that is gone would bring it back.
void Edit::require_parents(const Resource& resource, const Row& row) {
  std::vector<ColumnCondition> conditions;
  for (std::size_t i = 0; i < resource.parents.size(); ++i) {
    const Resource& parent = *resource.parents[i].resource;
    RowSelection selection;
    for (std::size_t k = 0; k <= i; ++k) {
      const Field& key = k < i ? *parent.parents[k].field : *parent.key;
      selection.conditions.push_back({columns_of(key).front(), row.columns[resource.parents[k].field->first_column]});
    }
    bool is_there = false;
    builder_->each_row(parent, selection, [&](const StoredRow&) { is_there = true; });
    if (!is_there) {
      throw RowRefused(fmt::format("{} is {}, and there is no such {}", resource.parents[i].field->name,
                                   json_value(row.columns[resource.parents[i].field->first_column]), parent.noun));
    }
  }
}

std::int64_t Edit::make_key(const Resource& resource, std::int64_t above) {
  const std::int64_t key = std::max(builder_->make_key(resource), above + 1);
  builder_->keep_key(resource, key);
  changed_ = true;
  return key;
}

void Edit::replace(const Resource& resource, std::int64_t id, JsonValue fixture) {
  builder_->each_row(resource, {{{"id", id}}}, [&](const StoredRow& stored) {
    if (!stored.timeline) return;
    JsonValue whole = fixture_of_row(resource, stored.json, stored.timeline);
    release_from_timeline(resource, whole, difference(fixture_of_row(resource, stored.json), fixture));
    for (const std::string_view name : {kTimeline, kSince}) {
      if (const JsonMember* member = whole.find(name)) fixture.set(*member);
    }
  });
  Row row = checked_row(resource, std::move(fixture));
  builder_->refuse_taken_key(resource, row, id);
  builder_->set_row(resource, id, std::move(row));
  changed_ = true;
}

void Edit::remove(const Resource& resource, const FoundRow& row) {
  changed_ = true;
  if (has_integer_key(resource)) {
    if (const auto key = key_of(resource, row.fixture)) builder_->keep_key(resource, *key);
  }
  std::vector<SqlValue> keys;
  builder_->each_row(resource, {{{"id", row.id}}},
                     [&](const StoredRow& stored) { keys.assign(stored.keys.begin(), stored.keys.end()); });
  builder_->remove_row(resource, row.id);
  if (resource.key == nullptr) return;
  builder_->forget(resource, keys);
  for (const Resource& below : catalogue().resources) {
    const auto parent = std::ranges::find(below.parents, &resource, &Parent::resource);
    if (parent == below.parents.end()) continue;
    std::vector<ColumnCondition> conditions;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      conditions.push_back({columns_of(*below.parents[i].field).front(), keys[i]});
    }
    if (has_integer_key(below)) builder_->keep_key(below, builder_->make_key(below) - 1);
    builder_->remove_rows(below, conditions);
  }
}

std::shared_ptr<const Dataset> Edit::finish() { return changed_ ? builder_->finish() : origin_; }

}  // namespace ocp_mock
