// One task of a fixture: the rules it must keep, its row and its timeline.
// Enters: a JSON value. Leaves: a TaskRow, or what is wrong with it. Knows no files and no SQL.
//
// Members that begin with $ are for the mock and never answered: "$timeline" has the points at which fields change,
// "$since" the time from which they count; "$delay":"computed" stands in the place of the delay field and has it
// computed for each answer. Such members are looked for in the task and in points, not in values inside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocp/instant.h"
#include "store/fixture_json.h"
#include "store/fixture_sink.h"

namespace ocp_mock {

struct TaskProblem {
  Position position;
  std::string text;
};

// The row of a task. Nothing if it breaks a rule; what is wrong is then appended. All states along its timeline are
// checked too.
std::optional<TaskRow> row_of_task(const Endpoint& endpoint, JsonValue task, std::vector<TaskProblem>& problems);

// Appends what is wrong with members that may be put into any task.
void check_members(const Endpoint& endpoint, const JsonValue& members, std::vector<TaskProblem>& problems);

// Puts each member of an object into a task; a null takes the task's member away. A delay takes the place of a computed
// one, and the other way round.
void set_members(const Endpoint& endpoint, JsonValue& task, const JsonValue& members);

// The task as fixtures have it, of what a row keeps; with a timeline, with $timeline and $since. Throws
// std::runtime_error for a text that no row has.
JsonValue task_of_row(const Endpoint& endpoint, std::string_view json,
                      const std::optional<TaskTimeline>& timeline = {});

// What stands in the place of the delay field where that is computed.
std::string name_of_computed(const Endpoint& endpoint);

// The text of a row whose delay is computed, before and behind the null that stands for it; nothing for any other row.
struct ComputedText {
  std::string_view before;
  std::string_view behind;
};
std::optional<ComputedText> split_at_computed(const Endpoint& endpoint, std::string_view json);

// Appends the task as fixtures have it.
void append_fixture(std::string& out, const Endpoint& endpoint, std::string_view json,
                    const std::optional<TaskTimeline>& timeline);

struct TimelinePoint {
  Duration at;       // after since, or after the load
  JsonValue fields;  // to set from then on
};

struct Timeline {
  std::optional<Instant> since;
  std::vector<TimelinePoint> points;  // in order of time
};

Timeline read_timeline(const TaskTimeline& timeline);

// Makes fields follow no timeline any more, because they are set for good. Points that drive nothing else go away, and
// with the last of them the timeline.
void release_from_timeline(const Endpoint& endpoint, JsonValue& task, const JsonValue& fields);

// The value as an integer of 64 bits, if it is one.
std::optional<std::int64_t> to_int64(const JsonValue& value);

// What the messages call a right value of the type.
std::string_view right_value(FieldType type);

// "FIELD is VALUE; it must be RIGHT"
std::string wrong_value(std::string_view field, const JsonValue& value, std::string_view right);

}  // namespace ocp_mock
