#include "store/timeline.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fixtures/row_rules.h"
#include "fixtures/timeline.h"
#include "store/dataset_builder.h"

namespace ocp_mock {
namespace {

std::shared_ptr<const TimelinePoints> read_points(const Dataset& origin, Instant loaded) {
  auto all = std::make_shared<TimelinePoints>();
  for (const Resource& resource : origin.catalogue().resources) {
    origin.each_row(resource, {{}, true}, [&](const StoredRow& stored) {
      const Timeline timeline = read_timeline(*stored.timeline);
      const Instant start = timeline.since.value_or(loaded);
      for (const TimelinePoint& point : timeline.points)
        all->points.push_back({start + point.at, &resource, stored.id});
    });
  }
  std::ranges::stable_sort(all->points, {}, &TimelinePoints::Point::at);
  return all;
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

std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state) {
  if (!origin->has_timelines()) {
    state = {};
    return origin;
  }
  if (state.is_right(origin, loaded, now)) return state.dataset;

  const bool is_known = state.points && state.origin == origin && state.loaded == loaded;
  TimelineState fresh{origin, loaded, {}, {}, {}, is_known ? state.points : read_points(*origin, loaded), 0};
  const auto& points = fresh.points->points;
  const auto next = std::ranges::upper_bound(points, now, {}, &TimelinePoints::Point::at);
  fresh.passed = static_cast<std::size_t>(next - points.begin());
  if (fresh.passed > 0) fresh.from = points[fresh.passed - 1].at;
  if (next != points.end()) fresh.until = next->at;
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
