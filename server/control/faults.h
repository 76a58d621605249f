// Faults that a test has armed.
// Input: JSON objects, then requests. Output: what shall happen to a request, if anything, and how often each fault
// has fired. Random choices come from the seed of a fault alone. Safe for use by several threads at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "behaviour/effects.h"
#include "control/matcher.h"
#include "http/message.h"

namespace ocp_mock {

// What happens to one request.
struct FaultAction {
  struct Answer {
    int status = 503;
    std::int64_t code = 0;                    // of OCP's error
    std::optional<std::string> message = {};  // without it a sentence in the client's language
  };

  std::chrono::milliseconds delay{0};
  std::optional<Answer> answer;             // in place of OCP's
  std::optional<int> html_status;           // an HTML page as proxies send, in place of OCP's answer
  std::optional<std::int64_t> retry_after;  // seconds
  http::WireBehavior wire;
  std::optional<TaskFailure> task;  // of the task that the request starts
};

// The delay of a step: fixed, or drawn from a distribution.
struct DelayRule {
  enum class Kind { None, Fixed, Uniform, LogNormal };

  Kind kind = Kind::None;
  double first = 0;   // milliseconds; of a uniform distribution the lower end, of a log-normal one the median
  double second = 0;  // the upper end; sigma
};

inline constexpr std::int64_t kLongestDelay = 60 * 60 * 1000;  // milliseconds
inline constexpr std::size_t kMostFaults = 1000;               // armed at once in a world

class Faults {
 public:
  // Without wire faults it refuses to arm what gives an answer a WireBehavior, for servers that cannot do that.
  explicit Faults(bool has_wire_faults = true) : has_wire_faults_(has_wire_faults) {}

  // Arms a fault behind those there are, and returns its id. Throws JsonFieldError; see schema/admin.openapi.json for
  // the form. With a router the fault of a task must be one that some request that matches can start.
  std::int64_t add(const JsonValue& fault, const RequestFacts& facts = {});

  // Counts the request for each fault that matches it, and returns what the first one that is due does.
  struct Fired {
    std::int64_t id;
    FaultAction action;
  };
  std::optional<Fired> fire(const RequestView& request);

  bool remove(std::int64_t id);
  void clear();

  // Arms what the other has armed, with the same ids, as if nothing had fired yet.
  void set_as(const Faults& other);
  std::size_t size() const;

  // As JSON objects: what was armed with its id, how often it matched and fired, and whether it is spent.
  std::vector<std::string> list() const;

  // The ids of those that have never fired, and of those with steps that have not come yet.
  std::vector<std::int64_t> never_fired() const;
  std::vector<std::int64_t> with_steps_left() const;

 private:
  // Numbers without a pattern from a seed, the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).
  class Random {
   public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    double unit();  // 0 up to and without 1

   private:
    std::uint64_t state_;
  };

  struct Step {
    FaultAction action;
    DelayRule delay;
  };

  struct Fault {
    std::string text;  // as it was armed, canonical JSON without its braces
    Matcher matcher;
    std::optional<std::int64_t> times;
    std::int64_t every = 1;
    std::optional<double> probability;
    bool in_order = false;  // the steps come one after the other, then no more
    std::vector<Step> steps;
    std::uint64_t seed = 0;
    Random random{0};
    std::int64_t matched = 0;
    std::int64_t fired = 0;

    bool spent() const;
    bool due();
  };

  static Step parse_step(const JsonValue& value);
  static DelayRule parse_delay(JsonFields& fields);
  static TaskFailure parse_task(const JsonValue& value);
  static std::chrono::milliseconds draw(const DelayRule& rule, Random& random);

  void count_armed() { armed_ = faults_.size(); }

  const bool has_wire_faults_;
  std::atomic<std::size_t> armed_{0};  // so many are in faults_; seen without the lock
  mutable std::mutex mutex_;
  std::map<std::int64_t, Fault> faults_;  // by id, so in the order of their arming
  std::int64_t next_id_ = 1;
};

}  // namespace ocp_mock
