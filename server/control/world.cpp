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
    const Settled now = settle();
    TimelineState state;
    {
      const std::lock_guard lock(mutex_);
      if (changes_ != now.changes) continue;
      state = timeline_;
    }
    auto dataset = at_time(now.dataset, now.loaded, now.at, state);
    // What is no longer needed goes after the lock.
    const std::lock_guard lock(mutex_);
    if (changes_ != now.changes) continue;
    std::swap(timeline_, state);
    return {std::move(dataset), now.at, changes_with_time(*now.dataset)};
  }
}

std::shared_ptr<const Dataset> World::origin() const {
  const std::lock_guard lock(mutex_);
  return origin_;
}

std::shared_ptr<const Dataset> World::settled() { return settle().dataset; }

World::Settled World::settle() {
  for (;;) {
    Settled settled;
    {
      const std::lock_guard lock(mutex_);
      settled = {origin_, loaded_, {}, changes_};
    }
    // After the data: a clock that a reset sets back comes with data that a change tells apart.
    settled.at = clock_.now();
    auto after = settle_tasks(settled.dataset, settled.loaded, settled.at, tasks_);
    if (after == settled.dataset) return settled;
    const std::lock_guard lock(mutex_);
    if (changes_ != settled.changes) continue;
    set_origin(after);
    return {std::move(after), settled.loaded, settled.at, changes_};
  }
}

void World::set_origin(std::shared_ptr<const Dataset> dataset) {
  origin_ = std::move(dataset);
  timeline_ = {};
  ++changes_;
}

World::WrittenAt World::write(const Write& write) {
  const std::lock_guard writing(writing_);
  for (;;) {
    const Settled before = settle();
    Written written = write_rows(write, before.dataset, before.loaded, before.at, tasks_);
    const std::lock_guard lock(mutex_);
    if (changes_ != before.changes) continue;
    if (written.dataset != before.dataset) set_origin(std::move(written.dataset));
    return {std::move(written.answer), before.at};
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
    if (loads) loaded_ = clock_.now();
    set_origin(changed.dataset);
    return changed;
  }
}

void World::reload(const std::shared_ptr<const Dataset>& dataset) {
  const std::lock_guard lock(mutex_);
  if (!follows_) return;
  const bool takes = is_base_ || origin_ == start_;
  start_ = dataset;
  if (!takes) return;
  loaded_ = clock_.now();
  set_origin(dataset);
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
  set_origin(origin_);
}

void World::reset() {
  clock_.set_as(start_clock_);
  faults_.set_as(start_faults_);
  journal_.clear();
  {
    const std::lock_guard lock(mutex_);
    loaded_ = clock_.now();
    set_origin(start_);
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
