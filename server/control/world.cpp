#include "control/world.h"

#include "behaviour/tasks.h"

namespace ocp_mock {
namespace {

bool changes_with_time(const Dataset& origin) { return origin.has_timelines() || origin.next_due(); }

}  // namespace

World::World(const WorldOptions& options, Scheduler& scheduler, std::shared_ptr<const Dataset> dataset)
    : rate_limit_(options.rate_limit),
      tasks_(options.tasks),
      scheduler_(scheduler),
      clock_(options.real_now),
      start_clock_(options.real_now),
      start_faults_(options.has_wire_faults),
      faults_(options.has_wire_faults),
      journal_(options.journal_size),
      is_base_(true),
      start_(dataset),
      origin_(std::move(dataset)),
      loaded_(clock_.now()),
      throttle_(rate_limit_ ? std::make_shared<Throttle>(*rate_limit_) : nullptr) {}

World::World(const WorldOptions& options, Scheduler& scheduler, const World& origin)
    : rate_limit_(options.rate_limit),
      tasks_(options.tasks),
      scheduler_(scheduler),
      clock_(origin.clock_),
      start_clock_(origin.clock_),
      start_faults_(options.has_wire_faults),
      faults_(options.has_wire_faults),
      journal_(options.journal_size),
      loaded_(clock_.now()),
      throttle_(rate_limit_ ? std::make_shared<Throttle>(*rate_limit_) : nullptr) {
  {
    const std::lock_guard lock(origin.mutex_);
    start_ = origin_ = origin.origin_;
    follows_ = origin.follows_ && (origin.is_base_ || origin.origin_ == origin.start_);
  }
  start_faults_.set_as(origin.faults_);
  faults_.set_as(start_faults_);
}

std::optional<World::Snapshot> World::ready_snapshot(const Request& request) const {
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.now();
  if (const auto due = origin_->next_due(); due && *due <= now) return std::nullopt;
  auto dataset = find_at_time(request, origin_, loaded_, now, timeline_);
  if (!dataset) return std::nullopt;
  return Snapshot{std::move(dataset), now, changes_with_time(*origin_)};
}

World::Snapshot World::snapshot() {
  const std::lock_guard making(making_);
  for (;;) {
    const Instant now = clock_.now();
    const std::shared_ptr<const Dataset> origin = settled_at(now);
    Instant loaded;
    TimelineState state;
    {
      const std::lock_guard lock(mutex_);
      if (origin_ != origin) continue;
      loaded = loaded_;
      state = timeline_;
    }
    auto dataset = at_time(origin, loaded, now, state);
    // What is no longer needed goes after the lock.
    const std::lock_guard lock(mutex_);
    if (origin_ != origin || loaded_ != loaded) continue;
    std::swap(timeline_, state);
    return {std::move(dataset), now, changes_with_time(*origin)};
  }
}

std::shared_ptr<const Dataset> World::origin() const {
  const std::lock_guard lock(mutex_);
  return origin_;
}

std::shared_ptr<const Dataset> World::settled() { return settled_at(clock_.now()); }

std::shared_ptr<const Dataset> World::settled_at(Instant now) {
  for (;;) {
    std::shared_ptr<const Dataset> before;
    Instant loaded;
    {
      const std::lock_guard lock(mutex_);
      before = origin_;
      loaded = loaded_;
    }
    auto after = settle_tasks(before, loaded, now, tasks_);
    if (after == before) return before;
    const std::lock_guard lock(mutex_);
    if (origin_ != before || loaded_ != loaded) continue;
    origin_ = after;
    timeline_ = {};
    return after;
  }
}

World::WrittenAt World::write(const Write& write) {
  const std::lock_guard writing(writing_);
  for (;;) {
    const Instant now = clock_.now();
    const std::shared_ptr<const Dataset> before = settled_at(now);
    Instant loaded;
    {
      const std::lock_guard lock(mutex_);
      loaded = loaded_;
    }
    Written written = write_rows(write, before, loaded, now, tasks_);
    const std::lock_guard lock(mutex_);
    if (origin_ != before || loaded_ != loaded) continue;
    if (written.dataset != before) {
      origin_ = std::move(written.dataset);
      timeline_ = {};
    }
    return {std::move(written.answer), now};
  }
}

Changed World::change(bool loads, const std::function<Changed(const std::shared_ptr<const Dataset>&)>& change) {
  for (;;) {
    const std::shared_ptr<const Dataset> before = settled();
    Changed changed = change(before);
    const std::lock_guard lock(mutex_);
    if (origin_ != before) continue;
    // The world goes on to hold the pointer by which it follows the base.
    if (changed.dataset == before) return changed;
    origin_ = changed.dataset;
    if (loads) loaded_ = clock_.now();
    timeline_ = {};
    return changed;
  }
}

void World::reload(const std::shared_ptr<const Dataset>& dataset) {
  const std::lock_guard lock(mutex_);
  if (!follows_) return;
  const bool takes = is_base_ || origin_ == start_;
  start_ = dataset;
  if (!takes) return;
  origin_ = dataset;
  loaded_ = clock_.now();
  timeline_ = {};
}

Scheduler::Timer World::delay(std::chrono::milliseconds time, const std::shared_ptr<http::DeferredResponse>& pending,
                              std::uint64_t releases) {
  Scheduler::Timer timer = scheduler_.wake_after(time, this, pending);
  if (releases_ != releases) pending->complete();
  return timer;
}

void World::release() {
  ++releases_;
  scheduler_.release(this);
}

void World::close() {
  release();
  journal_.close();
}

void World::begin_here() {
  start_clock_.set_as(clock_);
  start_faults_.set_as(faults_);
  const std::lock_guard lock(mutex_);
  start_ = origin_;
  loaded_ = clock_.now();
  timeline_ = {};
}

void World::reset() {
  clock_.set_as(start_clock_);
  faults_.set_as(start_faults_);
  journal_.clear();
  {
    const std::lock_guard lock(mutex_);
    origin_ = start_;
    loaded_ = clock_.now();
    timeline_ = {};
    if (rate_limit_) throttle_ = std::make_shared<Throttle>(*rate_limit_);
  }
  release();
}

std::optional<World::Admission> World::admit(const std::string& user) {
  if (!rate_limit_) return std::nullopt;
  return Admission{rate_limit_->requests, throttle()->admit(user, clock_.now())};
}

std::optional<World::Admission> World::uncounted() const {
  if (!rate_limit_) return std::nullopt;
  return Admission{rate_limit_->requests, throttle()->uncounted()};
}

std::shared_ptr<Throttle> World::throttle() const {
  const std::lock_guard lock(mutex_);
  return throttle_;
}

Worlds::Worlds(WorldOptions options, std::shared_ptr<const Dataset> dataset)
    : options_(std::move(options)), base_(std::make_shared<World>(options_, scheduler_, std::move(dataset))) {}

std::shared_ptr<World> Worlds::of_user(std::string_view user) {
  if (user.empty() || !options_.isolate_by_user) return base_;
  const std::lock_guard lock(mutex_);
  if (const auto found = worlds_.find(user); found != worlds_.end()) return found->second;
  if (worlds_.size() >= options_.max_worlds) return nullptr;
  auto world = std::make_shared<World>(options_, scheduler_, *base_);
  worlds_.emplace(user, world);
  return world;
}

std::shared_ptr<World> Worlds::fork(const std::string& user, const std::optional<std::string>& from) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<World> origin = base_;
  if (from) {
    const auto found = worlds_.find(*from);
    if (found == worlds_.end()) return nullptr;
    origin = found->second;
  }
  if (!worlds_.contains(user) && worlds_.size() >= options_.max_worlds) return nullptr;
  auto world = std::make_shared<World>(options_, scheduler_, *origin);
  auto& place = worlds_[user];
  if (place) place->close();
  place = world;
  return world;
}

void Worlds::reload(const std::shared_ptr<const Dataset>& dataset) {
  // Held all the time, so that no fork is missed.
  const std::lock_guard lock(mutex_);
  base_->reload(dataset);
  for (const auto& [user, world] : worlds_) world->reload(dataset);
}

std::shared_ptr<World> Worlds::find(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  const auto found = worlds_.find(user);
  return found == worlds_.end() ? nullptr : found->second;
}

bool Worlds::remove(std::string_view user) {
  const std::lock_guard lock(mutex_);
  const auto found = worlds_.find(user);
  if (found == worlds_.end()) return false;
  found->second->close();
  worlds_.erase(found);
  return true;
}

std::vector<std::pair<std::string, std::shared_ptr<World>>> Worlds::all() const {
  const std::lock_guard lock(mutex_);
  return {worlds_.begin(), worlds_.end()};
}

}  // namespace ocp_mock
