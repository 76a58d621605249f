// A dataset with timelines as it is at an instant.
// Input: the dataset as it was loaded, when that was, and the instant. Output: the dataset as it is then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ocp/instant.h"
#include "store/dataset.h"

namespace ocp_mock {

// The points of all timelines of a dataset, in order of time.
struct TimelinePoints {
  struct Point {
    Instant at;
    const Resource* resource;
    std::int64_t id;  // of the row
  };
  std::vector<Point> points;
};

// What at_time has made last, and from when until when it is right. Begins empty. A copy costs some pointers.
struct TimelineState {
  std::shared_ptr<const Dataset> origin;
  Instant loaded;
  std::optional<Instant> from;   // inclusive; nothing: since ever
  std::optional<Instant> until;  // exclusive; nothing: for ever
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const TimelinePoints> points = {};
  std::size_t passed = 0;  // points

  bool is_right(const std::shared_ptr<const Dataset>& of_origin, Instant of_load, Instant now) const {
    return dataset && origin == of_origin && loaded == of_load && (!from || *from <= now) && (!until || now < *until);
  }
};

// The dataset as it is at now if it was loaded at loaded: the origin itself if no point of a timeline has passed, else
// one without timelines. A point's fields are there from exactly its time on; time may go back. The last result is
// given again for as long as no point lies between its time and now.
// Costs the rows whose points have passed since the last result, or since the load where time has gone back; the first
// time for an origin or a load also a look at all its timelines.
std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state);

}  // namespace ocp_mock
