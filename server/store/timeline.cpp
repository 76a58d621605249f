#include "store/timeline.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fixtures/row_rules.h"
#include "fixtures/timeline.h"
#include "store/dataset_builder.h"
#include "store/query.h"

namespace ocp_mock {
namespace {

bool sets_key(const Resource& resource, const JsonValue& fields) {
  const auto sets = [&](const Field* field) { return field != nullptr && fields.find(field->name) != nullptr; };
  return sets(resource.key) || std::ranges::any_of(resource.parents, sets, &Parent::field);
}

// The row with all of its points that have passed.
void move_row(const Dataset& origin, const Resource& resource, std::int64_t id, Instant loaded, Instant now,
              DatasetBuilder& builder) {
  const RowSelection selection{{{"id", id}}, true};
  origin.each_row(resource, selection, [&](const StoredRow& stored) {
    const Timeline timeline = read_timeline(*stored.timeline);
    const Instant start = timeline.since.value_or(loaded);
    JsonValue fixture = fixture_of_row(resource, stored.json);
    for (const TimelinePoint& point : timeline.points) {
      if (start + point.at > now) break;
      set_members(resource, fixture, point.fields);
    }
    std::vector<RowProblem> none;
    builder.set_row(resource, id, row_of(resource, std::move(fixture), none).value());
  });
}

}  // namespace

TimelinePoints::TimelinePoints(const Dataset& origin, Instant loaded) {
  struct Read {
    Point point;
    Indexes* partition;
    bool moves;
  };
  std::vector<Read> all;
  for (const Resource& resource : origin.catalogue().resources) {
    origin.each_row(resource, {{}, true}, [&](const StoredRow& stored) {
      const Timeline timeline = read_timeline(*stored.timeline);
      const Instant start = timeline.since.value_or(loaded);
      const auto parents = stored.keys.first(resource.parents.size());
      Indexes& partition = of_partitions_[{&resource, {parents.begin(), parents.end()}}];
      for (const TimelinePoint& point : timeline.points) {
        all.push_back({{start + point.at, &resource, stored.id}, &partition, sets_key(resource, point.fields)});
      }
    });
  }
  std::ranges::stable_sort(all, {}, [](const Read& read) { return read.point.at; });
  points_.reserve(all.size());
  for (const Read& read : all) {
    const std::size_t index = points_.size();
    points_.push_back(read.point);
    read.partition->push_back(index);
    of_resources_[read.point.resource].push_back(index);
    if (read.moves) moves_.push_back(index);
  }
}

std::size_t TimelinePoints::passed_at(Instant now) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(points_, now, {}, &Point::at) - points_.begin());
}

bool TimelinePoints::show(const Request& request, std::size_t one, std::size_t other) const {
  const auto [first, last] = std::minmax(one, other);
  const auto has_some = [&, first = first, last = last](const Indexes& indexes) {
    const auto next = std::ranges::lower_bound(indexes, first);
    return next != indexes.end() && *next < last;
  };
  if (has_some(moves_)) return true;
  const Resource* const resource = request.endpoint->resource;
  const auto of_resource = of_resources_.find(resource);
  if (of_resource == of_resources_.end() || !has_some(of_resource->second)) return false;
  const std::optional<std::vector<Value>> parents = parents_in_path(request);
  if (!parents) return true;
  std::vector<SqlValue> keys;
  for (const Value& parent : *parents) keys.push_back(column_values(parent).front());
  const auto of_partition = of_partitions_.find({resource, std::move(keys)});
  return of_partition != of_partitions_.end() && has_some(of_partition->second);
}

std::shared_ptr<const Dataset> find_at_time(const Request& request, const std::shared_ptr<const Dataset>& origin,
                                            Instant loaded, Instant now, const TimelineState& state) {
  if (!origin->has_timelines()) return origin;
  if (!state.is_of(origin, loaded)) return nullptr;
  const std::size_t passed = state.is_right_at(now) ? state.passed : state.points->passed_at(now);
  // The origin first: its readers know most already, and a dataset that a point has made lasts until the next one.
  if (!state.points->show(request, 0, passed)) return origin;
  return state.points->show(request, state.passed, passed) ? nullptr : state.dataset;
}

std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state) {
  if (!origin->has_timelines()) {
    state = {};
    return origin;
  }
  const bool is_known = state.is_of(origin, loaded);
  if (is_known && state.is_right_at(now)) return state.dataset;

  TimelineState fresh{origin, loaded, {}, {}, {}, state.points, 0};
  if (!is_known) fresh.points = std::make_shared<const TimelinePoints>(*origin, loaded);
  const auto& points = fresh.points->points();
  fresh.passed = fresh.points->passed_at(now);
  if (fresh.passed > 0) fresh.from = points[fresh.passed - 1].at;
  if (fresh.passed < points.size()) fresh.until = points[fresh.passed].at;
  if (fresh.passed == 0) {
    fresh.dataset = origin;
  } else {
    const bool goes_on = is_known && state.passed > 0 && state.passed <= fresh.passed;
    const std::size_t first = goes_on ? state.passed : 0;
    std::set<std::pair<const Resource*, std::int64_t>> moved;
    for (std::size_t i = first; i < fresh.passed; ++i) moved.emplace(points[i].resource, points[i].id);
    const auto builder = (goes_on ? state.dataset : origin)->copy();
    for (const auto& [resource, id] : moved) move_row(*origin, *resource, id, loaded, now, *builder);
    if (!goes_on) builder->remove_timelines();
    fresh.dataset = builder->finish();
  }
  state = std::move(fresh);
  return state.dataset;
}

}  // namespace ocp_mock
