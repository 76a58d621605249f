// What one test sees: data, clock, faults, journal, windows of throttling. Worlds do not see each other.
// Input: the user who asks. Output: the world of that user. A world is made when its user first asks, as a fork of the
// base: a dataset never changes, so that costs a pointer. A reload of the base reaches the worlds that still hold its
// pointer. Safe for use by several threads at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviour/write.h"
#include "catalogue/request.h"
#include "control/clock.h"
#include "control/faults.h"
#include "control/journal.h"
#include "control/scheduler.h"
#include "ocp/throttle.h"
#include "store/changes.h"
#include "store/dataset.h"
#include "store/timeline.h"

namespace ocp_mock {

struct WorldOptions {
  std::function<Instant()> real_now;
  bool keeps_journal = true;
  std::size_t journal_size = 1000;
  std::optional<RateLimit> rate_limit;
  bool isolate_by_user = false;
  std::size_t max_worlds = 1000;  // beside the base
  bool has_wire_faults = true;    // the server can give an answer a WireBehavior
  TaskOptions tasks;
};

class World {
 public:
  World(const WorldOptions& options, Scheduler& scheduler, std::shared_ptr<const Dataset> dataset);

  // A fork has the data, the clock and the faults of its origin, as if none had fired, an empty journal and fresh
  // windows. Timelines begin anew.
  World(const WorldOptions& options, Scheduler& scheduler, const World& origin);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  struct Snapshot {
    std::shared_ptr<const Dataset> dataset;
    Instant time;
    bool changes_with_time = false;  // at another time the data may be others
  };

  // Data in which the request finds what tasks and timelines have made of them at the time of the clock, and that time.
  // Nothing where a task has changed, or a point that the request can see has passed, since data were made, which
  // snapshot() does. Cheap.
  std::optional<Snapshot> ready_snapshot(const Request& request) const;

  // All data as tasks and timelines have them at the time of the clock, made if need be: nothing for a thread of
  // connections. Others that ask meanwhile wait for the same data.
  Snapshot snapshot();

  // As it was loaded or last changed, with its timelines and the tasks that run.
  std::shared_ptr<const Dataset> origin() const;

  // The origin, after what tasks have done by the time of the clock has become part of it.
  std::shared_ptr<const Dataset> settled();

  struct WrittenAt {
    AnswerData answer;
    Instant time;
  };

  // Does what a request writes. Throws ApiError, and nothing has changed then. Of writes at once each sees what the
  // ones before it did. Not for a connection's thread.
  WrittenAt write(const Write& write);

  // Puts what the change makes of the settled origin in its place; timelines begin anew if it loads. The change runs
  // again if another one was quicker; what it throws goes through, and nothing has changed then.
  Changed change(bool loads, const std::function<Changed(const std::shared_ptr<const Dataset>&)>& change);

  // The dataset is what reset() returns to from now on, and takes the place of the world's data at once. Where somebody
  // has changed a user's world these stay until then; where it was forked from changed data all stays as it is.
  void reload(const std::shared_ptr<const Dataset>& dataset);

  // What reset() returns to is from now on what is here now. Timelines begin anew, as they do then.
  void begin_here();

  // Data, faults, journal, clock and windows are as at the world's start; pending delays end.
  void reset();

  Clock& clock() { return clock_; }
  const Clock& clock() const { return clock_; }
  Faults& faults() { return faults_; }
  Journal& journal() { return journal_; }
  // How often pending delays were ended; taken before a delay is decided on.
  std::uint64_t releases() const { return releases_; }

  // Makes the answer ready after the time, at once if delays were ended since then.
  [[nodiscard]] Scheduler::Timer delay(std::chrono::milliseconds time,
                                       const std::shared_ptr<http::DeferredResponse>& pending, std::uint64_t releases);

  // Ends pending delays.
  void release();

  // Ends pending delays and waits: the world is nobody's any more.
  void close();

  struct Admission {
    std::int64_t limit;
    Throttle::Decision decision;
  };

  // Counts a request of the user; nothing without a rate limit.
  std::optional<Admission> admit(const std::string& user);
  std::optional<Admission> uncounted() const;

 private:
  std::shared_ptr<Throttle> throttle() const;
  // The data after what tasks have done until now, and what must not have changed when data made of these take their
  // place.
  struct Settled {
    std::shared_ptr<const Dataset> dataset;
    Instant loaded;
    Instant at;
    std::uint64_t changes = 0;
  };
  Settled settle();

  // Requires mutex_.
  void set_origin(std::shared_ptr<const Dataset> dataset);

  const std::optional<RateLimit> rate_limit_;
  const TaskOptions tasks_;
  Scheduler& scheduler_;
  std::atomic<std::uint64_t> releases_{0};
  Clock clock_;
  Clock start_clock_;
  Faults start_faults_;
  Faults faults_;
  Journal journal_;
  const bool is_base_ = false;
  std::mutex writing_;        // held while a request writes; taken before the next two
  std::mutex making_;         // held while data are made; taken before mutex_
  mutable std::mutex mutex_;  // of what follows
  bool follows_ = true;       // takes what the base loads: its data are the base's, or were before they were changed
  std::shared_ptr<const Dataset> start_;
  std::shared_ptr<const Dataset> origin_;
  Instant loaded_;             // by the clock
  std::uint64_t changes_ = 0;  // of the two, also to what they were before
  TimelineState timeline_;
  std::shared_ptr<Throttle> throttle_;  // null without a rate limit
};

class Worlds {
 public:
  Worlds(WorldOptions options, std::shared_ptr<const Dataset> dataset);

  Scheduler& scheduler() { return scheduler_; }
  const WorldOptions& options() const { return options_; }

  World& base() { return *base_; }

  // The world of a user, null if there is none. Without isolation there is none.
  std::shared_ptr<World> find(std::string_view user) const;

  // The world of a user, made if there is none; the base for nobody, and for all without isolation. Null when there are
  // too many.
  std::shared_ptr<World> of_user(std::string_view user);

  // A new world in the place of the user's, a fork of another user's or, without one, of the base. Null if there is no
  // such other, or when there are too many.
  std::shared_ptr<World> fork(const std::string& user, const std::optional<std::string>& from);

  // Gives the base and all worlds a dataset that was loaded anew.
  void reload(const std::shared_ptr<const Dataset>& dataset);

  // False if there was none.
  bool remove(std::string_view user);

  // In alphabetical order, without the base.
  std::vector<std::pair<std::string, std::shared_ptr<World>>> all() const;

 private:
  const WorldOptions options_;
  Scheduler scheduler_;
  const std::shared_ptr<World> base_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<World>, std::less<>> worlds_;
};

}  // namespace ocp_mock
