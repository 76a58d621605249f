#include "control/faults.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "base/utf8.h"
#include "behaviour/started_tasks.h"
#include "http/paced_response.h"
#include "json/writer.h"

namespace ocp_mock {
namespace {

using Kind = http::WireBehavior::Fault;

// WireMock's words, which people know.
constexpr std::array<std::pair<std::string_view, Kind>, 4> kWireFaults{{
    {"CONNECTION_RESET_BY_PEER", Kind::ResetConnection},
    {"EMPTY_RESPONSE", Kind::EmptyResponse},
    {"MALFORMED_RESPONSE_CHUNK", Kind::MalformedChunk},
    {"RANDOM_DATA_THEN_CLOSE", Kind::RandomData},
}};

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// The subtasks of the tasks that requests may start.
class Subtasks {
 public:
  Subtasks(const Matcher& matcher, const Catalogue& catalogue) {
    StartedTasks tasks(catalogue);
    for (const Endpoint& endpoint : catalogue.endpoints) {
      const auto is_meant = [&](std::string_view path) {
        const PathTemplate own = PathTemplate::of_template(path);
        return std::ranges::any_of(matcher.path().templates(), [&](const auto& one) { return one.overlaps(own); });
      };
      if (matcher.method() && *matcher.method() != endpoint.method) continue;
      if (!is_meant(endpoint.path) && !std::ranges::any_of(endpoint.aliases, is_meant)) continue;
      for (std::vector<std::string>& subtasks : tasks.of(endpoint)) {
        most_ = std::max(most_, subtasks.size());
        for (std::string& name : subtasks) {
          if (std::ranges::find(names_, name) == names_.end()) names_.push_back(std::move(name));
        }
      }
    }
  }

  // What no request can start would never fail, and a test would take the silence for an answer.
  void check(const TaskFailure& failure, const JsonValue& task) const {
    if (names_.empty()) throw JsonFieldError(task.position, "task: no request that matches starts a task");
    std::size_t place = 0;
    const char* const end = failure.subtask.data() + failure.subtask.size();
    const auto [stop, error] = std::from_chars(failure.subtask.data(), end, place);
    if (error == std::errc{} && stop == end && place < most_) return;
    if (std::ranges::find(names_, failure.subtask) != names_.end()) return;
    constexpr std::size_t kNamesShown = 20;
    throw JsonFieldError(
        task.find("fails")->value.position,
        fmt::format("fails is '{}'; it must be a place from 0 to {}, or {}{}", printable(failure.subtask), most_ - 1,
                    names_.size() <= kNamesShown ? fmt::format("one of {}", fmt::join(names_, ", "))
                                                 : "the name of a subtask that a request that matches starts",
                    did_you_mean(failure.subtask, names_)));
  }

 private:
  std::vector<std::string> names_;  // each once
  std::size_t most_ = 0;            // of one task
};

}  // namespace

double Faults::Random::unit() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
}

bool Faults::Fault::spent() const {
  if (in_order) return fired == static_cast<std::int64_t>(steps.size());
  return times && fired >= *times;
}

bool Faults::Fault::due() {
  if (spent()) return false;
  // Drawn for each request that matches, so that one request's fate does not depend on another fault.
  if (probability) return random.unit() < *probability;
  return matched % every == 0;
}

DelayRule Faults::parse_delay(JsonFields& fields) {
  const JsonValue* value = fields.any("delayMs");
  if (value == nullptr || value->kind == JsonKind::Null) return {};
  if (value->kind != JsonKind::Object) {
    return {DelayRule::Kind::Fixed, static_cast<double>(*fields.integer("delayMs", 0, kLongestDelay)), 0};
  }
  JsonFields delay(*value);
  const std::string type = delay.required_text("type");
  // The two numbers of a distribution.
  const auto rule = [&](DelayRule::Kind kind, std::string_view first_key, std::string_view second_key, double most) {
    const auto first = delay.number(first_key, 0, kLongestDelay);
    const auto second = delay.number(second_key, 0, most);
    delay.refuse_others();
    if (!first || !second) {
      throw JsonFieldError(value->position,
                           fmt::format("{} is missing; it must be a number", first ? second_key : first_key));
    }
    return DelayRule{kind, *first, *second};
  };
  if (type == "uniform") {
    const DelayRule uniform = rule(DelayRule::Kind::Uniform, "lower", "upper", kLongestDelay);
    if (uniform.second < uniform.first) delay.refuse("upper", "must not be below lower");
    return uniform;
  }
  if (type == "lognormal") return rule(DelayRule::Kind::LogNormal, "median", "sigma", 10);
  constexpr std::array<std::string_view, 2> kTypes{"uniform", "lognormal"};
  delay.refuse("type", "must be uniform or lognormal" + did_you_mean(type, kTypes));
}

std::chrono::milliseconds Faults::draw(const DelayRule& rule, Random& random) {
  double time = 0;
  switch (rule.kind) {
    case DelayRule::Kind::None: return {};
    case DelayRule::Kind::Fixed: time = rule.first; break;
    case DelayRule::Kind::Uniform: time = rule.first + (rule.second - rule.first) * random.unit(); break;
    case DelayRule::Kind::LogNormal: {
      // Box and Muller's transform; 1 - u is never zero.
      const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
      time = rule.first * std::exp(rule.second * radius * std::cos(2 * std::numbers::pi * random.unit()));
      break;
    }
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(time, double{kLongestDelay})));
}

TaskFailure Faults::parse_task(const JsonValue& value) {
  JsonFields fields(value);
  const JsonValue* fails = fields.any("fails");
  TaskFailure failure{"", fields.text("message").value_or("simulated failure, armed by a test")};
  fields.refuse_others();
  if (fails != nullptr && fails->kind == JsonKind::Integer && !fails->text.starts_with('-')) {
    failure.subtask = fails->text;
  } else if (fails != nullptr && fails->kind == JsonKind::String) {
    failure.subtask = fails->text;
  } else {
    throw JsonFieldError(value.position, "fails must be the name of a subtask, or its place in the order, from 0");
  }
  return failure;
}

Faults::Step Faults::parse_step(const JsonValue& value) {
  Step step;
  if (value.kind == JsonKind::String) {
    if (value.text != "normal") throw JsonFieldError(value.position, "a step must be an object, or \"normal\"");
    return step;
  }
  JsonFields fields(value);
  step.delay = parse_delay(fields);
  const auto status = fields.integer("status", 400, 599);
  const auto code = fields.integer("code", 0, kMost);
  const auto message = fields.text("message");
  const bool html = fields.boolean("html").value_or(false);
  step.action.retry_after = fields.integer("retryAfter", 0, 86'400);
  const auto fault = fields.text("fault");
  const auto truncate_at = fields.integer("truncateAt", 0, kMost);
  const JsonValue* dribble = fields.object("chunkedDribble");
  const JsonValue* task = fields.object("task");
  fields.refuse_others();
  if ((code || message || html) && !status) {
    throw JsonFieldError(value.position, "code, message and html need a status");
  }
  if (html && (code || message)) throw JsonFieldError(value.position, "html cannot be combined with code and message");
  if (html) {
    step.action.html_status = static_cast<int>(*status);
  } else if (status) {
    step.action.answer = {static_cast<int>(*status), code.value_or(0), message};
  }
  if (fault) {
    const auto found = std::ranges::find(kWireFaults, *fault, &std::pair<std::string_view, Kind>::first);
    if (found == kWireFaults.end()) {
      const auto names = kWireFaults | std::views::keys;
      fields.refuse("fault", fmt::format("must be one of {}{}", fmt::join(names, ", "), did_you_mean(*fault, names)));
    }
    step.action.wire.fault = found->second;
  }
  if (truncate_at) step.action.wire.truncate_at = static_cast<std::size_t>(*truncate_at);
  if (dribble != nullptr) {
    JsonFields parts(*dribble);
    const auto chunks = parts.integer("numberOfChunks", 1, 10'000);
    const auto time = parts.integer("totalDuration", 0, kLongestDelay);
    parts.refuse_others();
    if (!chunks || !time) throw JsonFieldError(dribble->position, "give both numberOfChunks and totalDuration");
    step.action.wire.dribble_chunks = static_cast<std::size_t>(*chunks);
    step.action.wire.dribble_time = std::chrono::milliseconds(*time);
  }
  if (task != nullptr) step.action.task = parse_task(*task);
  if (task != nullptr && status) {
    throw JsonFieldError(value.position, "task needs the answer, so it cannot be combined with status");
  }
  const auto& wire = step.action.wire;
  if ((wire.fault != Kind::None) + wire.truncate_at.has_value() + (wire.dribble_chunks != 0) > 1) {
    throw JsonFieldError(value.position, "give only one of fault, truncateAt and chunkedDribble");
  }
  if (wire.fault != Kind::None && (status || step.action.retry_after)) {
    throw JsonFieldError(value.position,
                         "fault lets no answer through, so it cannot be combined with status or retryAfter");
  }
  if (value.members.empty()) throw JsonFieldError(value.position, "a step must do something, or be \"normal\"");
  return step;
}

std::int64_t Faults::add(const JsonValue& value, const RequestFacts& facts) {
  Fault fault;
  JsonFields fields(value);
  if (const JsonValue* match = fields.object("match")) {
    JsonFields criteria(*match);
    fault.matcher = Matcher::parse(criteria, Matcher::Use::Fault, facts);
    criteria.refuse_others();
  }
  fault.times = fields.integer("times", 1, kMost);
  const auto every = fields.integer("every", 1, kMost);
  fault.every = every.value_or(1);
  fault.probability = fields.number("probability", 0, 1);
  fault.seed =
      static_cast<std::uint64_t>(fields.integer("seed", std::numeric_limits<std::int64_t>::min(), kMost).value_or(0));
  fault.random = Random(fault.seed);
  const JsonValue* action = fields.object("action");
  const auto* steps = fields.array("steps");
  fields.refuse_others();
  if (every && fault.probability) fields.refuse("every", "cannot be combined with probability");
  if ((action != nullptr) == (steps != nullptr)) {
    throw JsonFieldError(value.position, "give either \"action\" (an object) or \"steps\" (an array)");
  }
  std::optional<Subtasks> subtasks;  // looked for once
  const auto add_step = [&](const JsonValue& step) {
    fault.steps.push_back(parse_step(step));
    if (!has_wire_faults_ && !http::is_default(fault.steps.back().action.wire)) {
      throw JsonFieldError(step.position, "fault, truncateAt and chunkedDribble need --http-engine epoll");
    }
    const auto& failure = fault.steps.back().action.task;
    if (!failure || facts.router == nullptr) return;
    if (!subtasks) subtasks.emplace(fault.matcher, facts.router->catalogue());
    subtasks->check(*failure, step.find("task")->value);
  };
  if (action != nullptr) {
    add_step(*action);
  } else {
    if (fault.times) fields.refuse("times", "cannot be combined with steps, each of which happens once");
    if (steps->empty() || steps->size() > kMostFaults) {
      fields.refuse("steps", fmt::format("must have 1 to {} items", kMostFaults));
    }
    fault.in_order = true;
    for (const JsonValue& step : *steps) add_step(step);
  }
  append_json(fault.text, value);

  const std::lock_guard lock(mutex_);
  if (faults_.size() >= kMostFaults) {
    throw JsonFieldError(value.position,
                         fmt::format("the limit of {} armed faults is reached; delete one first", kMostFaults));
  }
  faults_.emplace(next_id_, std::move(fault));
  count_armed();
  return next_id_++;
}

std::optional<Faults::Fired> Faults::fire(const RequestView& request) {
  if (armed_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  std::optional<Fired> fired;
  for (auto& [id, fault] : faults_) {
    if (!fault.matcher.matches(request)) continue;
    ++fault.matched;
    if (!fault.due() || fired) continue;
    Step& step = fault.steps[fault.in_order ? static_cast<std::size_t>(fault.fired) : 0];
    ++fault.fired;
    fired = Fired{id, step.action};
    fired->action.delay = draw(step.delay, fault.random);
  }
  return fired;
}

bool Faults::remove(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  const bool removed = faults_.erase(id) != 0;
  count_armed();
  return removed;
}

void Faults::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
  count_armed();
}

void Faults::set_as(const Faults& other) {
  std::map<std::int64_t, Fault> faults;
  std::int64_t next_id = 1;
  {
    const std::lock_guard lock(other.mutex_);
    faults = other.faults_;
    next_id = other.next_id_;
  }
  for (auto& [id, fault] : faults) {
    fault.matched = 0;
    fault.fired = 0;
    fault.random = Random(fault.seed);
  }
  const std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
  count_armed();
  next_id_ = std::max(next_id_, next_id);
}

std::size_t Faults::size() const {
  const std::lock_guard lock(mutex_);
  return faults_.size();
}

std::vector<std::string> Faults::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const auto& [id, fault] : faults_) {
    texts.push_back(JsonObject()
                        .add("fault", RawJson{fault.text})
                        .add("fired", fault.fired)
                        .add("id", id)
                        .add("matched", fault.matched)
                        .add("spent", fault.spent())
                        .text());
  }
  return texts;
}

std::vector<std::int64_t> Faults::never_fired() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> ids;
  for (const auto& [id, fault] : faults_) {
    if (fault.fired == 0) ids.push_back(id);
  }
  return ids;
}

std::vector<std::int64_t> Faults::with_steps_left() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> ids;
  for (const auto& [id, fault] : faults_) {
    if (fault.in_order && !fault.spent()) ids.push_back(id);
  }
  return ids;
}

}  // namespace ocp_mock
