// A dataset with timelines as it is at an instant.
// Input: the dataset as it was loaded, when that was, the instant, and perhaps a request. Output: the dataset as it is
// then, or one in which the request finds the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "catalogue/request.h"
#include "ocp/instant.h"
#include "store/dataset.h"

namespace ocp_mock {

// The points of all timelines of a dataset, in order of time, and which requests can see them. Immutable once made.
class TimelinePoints {
 public:
  struct Point {
    Instant at;
    const Resource* resource;
    std::int64_t id;  // of the row
  };

  // Reads all timelines; those without a time of their own count from loaded.
  TimelinePoints(const Dataset& origin, Instant loaded);

  const std::vector<Point>& points() const { return points_; }

  // How many lie at now or before.
  std::size_t passed_at(Instant now) const;

  // Whether the answer to the request may be another after the first `one` points than after the first `other`: some
  // point between them changes a row that the request looks at. Those are the rows of its resource, below the parents
  // that its path names if it names them all; whether these parents are there only changes as keys do.
  bool show(const Request& request, std::size_t one, std::size_t other) const;

 private:
  using Indexes = std::vector<std::size_t>;  // of points, ascending

  std::vector<Point> points_;
  Indexes moves_;  // those that set a key, the row's or a parent's: any request may see them
  std::map<const Resource*, Indexes> of_resources_;
  std::map<std::pair<const Resource*, std::vector<SqlValue>>, Indexes> of_partitions_;  // by the parents' keys
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

  bool is_of(const std::shared_ptr<const Dataset>& of_origin, Instant of_load) const {
    return dataset && origin == of_origin && loaded == of_load;
  }
  bool is_right_at(Instant now) const { return (!from || *from <= now) && (!until || now < *until); }
};

// The dataset as it is at now if it was loaded at loaded: the origin itself if no point of a timeline has passed, else
// one without timelines. A point's fields are there from exactly its time on; time may go back. The last result is
// given again for as long as no point lies between its time and now.
// Costs the rows whose points have passed since the last result, or since the load where time has gone back; the first
// time for an origin or a load also a look at all its timelines.
std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state);

// A dataset that is there and answers the request as that of at_time() would: the origin where no point that the
// request can see has passed, else the state's where none lies between its time and now. Null if neither does, or if
// the points are not known yet; then at_time() makes what is needed. Takes microseconds.
std::shared_ptr<const Dataset> find_at_time(const Request& request, const std::shared_ptr<const Dataset>& origin,
                                            Instant loaded, Instant now, const TimelineState& state);

}  // namespace ocp_mock
