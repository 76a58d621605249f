#include "store/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "ocp/error.h"
#include "ocp/json_text.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kTimeline = "$timeline";
constexpr std::string_view kSince = "$since";
constexpr std::string_view kAt = "at";
constexpr std::string_view kRightAt = "an ISO 8601 duration that is not negative, such as \"PT10S\"";

bool is_present(const JsonMember* member) { return member != nullptr && member->value.kind != JsonKind::Null; }

bool is_computed(const JsonMember* member) {
  return is_present(member) && member->value.kind == JsonKind::String && member->value.text == kComputed;
}

// Appends the columns of a field; false if the value is not what the field must hold.
bool append_columns(const Field& field, const JsonValue& value, std::vector<SqlValue>& columns) {
  const auto append = [&](auto column) {
    if (!field.column.empty()) columns.emplace_back(std::move(column));
  };
  switch (field.type) {
    case FieldType::Integer: {
      const auto integer = to_int64(value);
      if (integer) append(*integer);
      return integer.has_value();
    }
    case FieldType::Number: {
      if (value.kind != JsonKind::Integer && value.kind != JsonKind::Float) return false;
      if (const auto integer = to_int64(value)) {
        append(*integer);
      } else {
        append(std::strtod(value.text.c_str(), nullptr));
      }
      return true;
    }
    case FieldType::String:
      if (value.kind != JsonKind::String || (field.required && value.text.empty())) return false;
      append(value.text);
      return true;
    case FieldType::Time: {
      if (value.kind != JsonKind::String) return false;
      const auto instant = parse_rfc3339(value.text);
      if (!instant) return false;
      append(instant->second);
      append(std::int64_t{instant->nano});
      return true;
    }
  }
  return false;
}

// Appends the columns of a field of an object, or what is wrong with it. An absent one has empty columns.
void take_field(const Field& field, const JsonMember* member, std::vector<SqlValue>& columns,
                std::vector<TaskProblem>& problems) {
  if (is_present(member)) {
    if (append_columns(field, member->value, columns)) return;
    problems.push_back(
        {member->position, wrong_value(field.name, member->value,
                                       field.type == FieldType::String && field.required ? "a string that is not empty"
                                                                                         : right_value(field.type))});
  } else if (member != nullptr && field.required) {
    problems.push_back(
        {member->position, fmt::format("{} is null; it must be {}", field.name, right_value(field.type))});
  }
  columns.resize(columns.size() + columns_of(field).size());
}

void check_fields(const Endpoint& endpoint, const JsonValue& object, std::vector<TaskProblem>& problems) {
  std::vector<SqlValue> unused;
  for (const Field& field : endpoint.fields) take_field(field, object.find(field.name), unused, problems);
}

// Which members that begin with $ there are, and what the one in place of the delay says.
void check_dollars(const Endpoint& endpoint, const JsonValue& object, bool is_point,
                   std::vector<TaskProblem>& problems) {
  const std::string name = name_of_computed(endpoint);
  for (const JsonMember& member : object.members) {
    if (!member.key.starts_with('$') || member.key == name) continue;
    if (!is_point && (member.key == kTimeline || member.key == kSince)) continue;
    problems.push_back(
        {member.position,
         fmt::format("{} is not known; of the members that begin with $, a {} may have {}{}", shown(member.key),
                     is_point ? "point" : "task", name, is_point ? "" : ", $since and $timeline")});
  }
  const JsonMember* computed = object.find(name);
  if (!is_present(computed)) return;
  if (!is_computed(computed)) {
    problems.push_back({computed->position, wrong_value(name, computed->value, "\"computed\"")});
  } else if (is_present(object.find(endpoint.delay_field))) {
    problems.push_back(
        {computed->position, fmt::format("{} stands beside {}; one of them must go", name, endpoint.delay_field)});
  }
}

// Whether a task's delay is computed, and from what, as its members and then the points of its timeline have it.
class ComputedDelay {
 public:
  explicit ComputedDelay(const Endpoint& endpoint) : endpoint_(endpoint), name_(name_of_computed(endpoint)) {}

  // Takes the members of the task or of the next point. If there is then nothing to compute from, this is told once.
  std::optional<TaskProblem> take(const JsonValue& object) {
    const JsonMember* computed = object.find(name_);
    const JsonMember* end = object.find(endpoint_.end_field);
    if (computed != nullptr) {
      computes_ = is_present(computed);
    } else if (object.find(endpoint_.delay_field) != nullptr) {
      computes_ = false;
    }
    if (end != nullptr) has_end_ = is_present(end);
    if (!computes_ || has_end_ || is_told_) return std::nullopt;
    is_told_ = true;
    return TaskProblem{is_present(computed) ? computed->position : end->position,
                       fmt::format("{} is missing; the delay is computed from it", endpoint_.end_field)};
  }

 private:
  const Endpoint& endpoint_;
  const std::string name_;
  bool computes_ = false;
  bool has_end_ = false;
  bool is_told_ = false;
};

void check_point(const Endpoint& endpoint, const JsonValue& point, std::optional<Duration>& previous,
                 std::vector<TaskProblem>& problems) {
  if (point.kind != JsonKind::Object) {
    problems.push_back({point.position, fmt::format("it is {}; it must be an object", describe(point))});
    return;
  }
  check_fields(endpoint, point, problems);
  check_dollars(endpoint, point, true, problems);
  const JsonMember* at = point.find(kAt);
  if (at == nullptr) {
    problems.push_back({point.position, fmt::format("at is missing; it must be {}", kRightAt)});
    return;
  }
  const auto duration = at->value.kind == JsonKind::String && !at->value.text.starts_with('-')
                            ? parse_duration(at->value.text)
                            : std::nullopt;
  if (!duration) {
    problems.push_back({at->position, wrong_value(kAt, at->value, kRightAt)});
  } else if (previous && *duration <= *previous) {
    problems.push_back({at->position, wrong_value(kAt, at->value, "later than that of the point before")});
  } else {
    previous = duration;
  }
}

// Every state along the timeline is a right task if the task is one, the fields of each point are right, and there is
// at each something to compute a delay from: no other rule looks at two fields. Without a task's delay the last is not
// looked at.
void check_timeline(const Endpoint& endpoint, const JsonValue& object, ComputedDelay* delay,
                    std::vector<TaskProblem>& problems) {
  const JsonMember* since = object.find(kSince);
  if (is_present(since) && (since->value.kind != JsonKind::String || !parse_rfc3339(since->value.text))) {
    problems.push_back({since->position, wrong_value(kSince, since->value, right_value(FieldType::Time))});
  }
  const JsonMember* timeline = object.find(kTimeline);
  if (!is_present(timeline)) return;
  if (timeline->value.kind != JsonKind::Array) {
    problems.push_back({timeline->position, wrong_value(kTimeline, timeline->value, "an array of points")});
    return;
  }
  std::optional<Duration> previous;
  int number = 0;
  for (const JsonValue& point : timeline->value.items) {
    ++number;
    std::vector<TaskProblem> of_point;
    check_point(endpoint, point, previous, of_point);
    if (delay != nullptr && point.kind == JsonKind::Object) {
      if (auto problem = delay->take(point)) of_point.push_back(std::move(*problem));
    }
    for (TaskProblem& problem : of_point) {
      problems.push_back({problem.position, fmt::format("$timeline, point {}: {}", number, problem.text)});
    }
  }
}

std::pair<std::int64_t, std::int64_t> home_of(const JsonValue& task) {
  return {*to_int64(task.find("clusterId")->value), *to_int64(task.find("tenantId")->value)};
}

// Reads a text that a row was stored with. One that is no JSON is not the fault of who asked.
template <typename Read>
JsonValue stored_json(const Read& read, std::string_view text) {
  try {
    return read(text);
  } catch (const JsonSyntaxError& error) {
    throw std::runtime_error(fmt::format("the dataset is damaged: the text of a task is not JSON: {}", error.what()));
  }
}

Timeline timeline_of(const std::optional<std::string>& since, JsonValue points) {
  Timeline timeline;
  if (since) timeline.since = parse_rfc3339(*since);
  bool right = points.kind == JsonKind::Array && timeline.since.has_value() == since.has_value();
  for (JsonValue& point : points.items) {
    const JsonMember* text = point.find(kAt);
    const auto at = text == nullptr ? std::nullopt : parse_duration(text->value.text);
    right = right && at && point.kind == JsonKind::Object;
    if (!right) break;
    point.erase(kAt);
    timeline.points.push_back({*at, std::move(point)});
  }
  if (!right) throw std::runtime_error("the dataset is damaged: the timeline of a task is none");
  return timeline;
}

}  // namespace

std::string name_of_computed(const Endpoint& endpoint) { return fmt::format("${}", endpoint.delay_field); }

std::optional<TaskRow> row_of_task(const Endpoint& endpoint, JsonValue task, std::vector<TaskProblem>& problems) {
  const std::size_t before = problems.size();
  TaskRow row;
  const bool has_dollars =
      std::ranges::any_of(task.members, [](const auto& member) { return member.key.starts_with('$'); });
  row.computes = has_dollars && is_computed(task.find(name_of_computed(endpoint)));
  for (const Field& field : endpoint.fields) {
    const JsonMember* member = task.find(field.name);
    if (row.computes && field.name == endpoint.delay_field) {
      row.columns.emplace_back(std::string(kComputed));
      continue;
    }
    if (member == nullptr && field.required) {
      problems.push_back(
          {task.position, fmt::format("{} is missing; it must be {}", field.name, right_value(field.type))});
    }
    take_field(field, member, row.columns, problems);
  }
  if (has_dollars) {
    check_dollars(endpoint, task, false, problems);
    ComputedDelay delay(endpoint);
    if (auto problem = delay.take(task)) problems.push_back(std::move(*problem));
    check_timeline(endpoint, task, &delay, problems);
    if (const JsonMember* since = task.find(kSince); since != nullptr && task.find(kTimeline) == nullptr) {
      problems.push_back({since->position, "$since has no $timeline beside it that would count from it"});
    }
  }
  if (problems.size() > before) return std::nullopt;

  if (has_dollars) {
    const JsonMember* points = task.find(kTimeline);
    if (is_present(points) && !points->value.items.empty()) {
      row.timeline.emplace();
      append_json(row.timeline->points, points->value);
      if (const JsonMember* since = task.find(kSince); is_present(since)) row.timeline->since = since->value.text;
    }
    task.erase(kTimeline);
    task.erase(kSince);
    task.erase(name_of_computed(endpoint));
    // A literal, for a member that is null would not be written.
    if (row.computes) task.set({std::string(endpoint.delay_field), {}, {JsonKind::Boolean, "null", {}, {}, {}}});
  }
  append_canonical_json(row.json, task);
  std::tie(row.cluster_id, row.tenant_id) = home_of(task);
  if (const JsonMember* name = task.find("clusterName"); is_present(name)) row.cluster_name = name->value.text;
  if (const JsonMember* name = task.find("tenantName"); is_present(name)) row.tenant_name = name->value.text;
  if (row.timeline) {
    for (const TimelinePoint& point : read_timeline(*row.timeline).points) {
      set_members(endpoint, task, point.fields);
      row.later_tenants.push_back(home_of(task));
    }
  }
  return row;
}

void check_members(const Endpoint& endpoint, const JsonValue& members, std::vector<TaskProblem>& problems) {
  check_fields(endpoint, members, problems);
  check_dollars(endpoint, members, false, problems);
  check_timeline(endpoint, members, nullptr, problems);
}

void set_members(const Endpoint& endpoint, JsonValue& task, const JsonValue& members) {
  const std::string computed = name_of_computed(endpoint);
  for (const JsonMember& member : members.members) {
    if (member.value.kind == JsonKind::Null) {
      task.erase(member.key);
    } else {
      task.set(member);
    }
  }
  if (is_present(members.find(computed))) {
    task.erase(endpoint.delay_field);
  } else if (members.find(endpoint.delay_field) != nullptr) {
    task.erase(computed);
  }
}

JsonValue task_of_row(const Endpoint& endpoint, std::string_view json, const std::optional<TaskTimeline>& timeline) {
  JsonValue task = stored_json(read_canonical_json, json);
  const JsonMember* delay = task.find(endpoint.delay_field);
  if (delay != nullptr && delay->value.kind == JsonKind::Null) {
    task.erase(endpoint.delay_field);
    task.set({name_of_computed(endpoint), {}, {JsonKind::String, std::string(kComputed), {}, {}, {}}});
  }
  if (!timeline) return task;
  task.set({std::string(kTimeline), {}, stored_json(read_json_text, timeline->points)});
  if (timeline->since) task.set({std::string(kSince), {}, {JsonKind::String, *timeline->since, {}, {}, {}}});
  return task;
}

std::optional<ComputedText> split_at_computed(const Endpoint& endpoint, std::string_view json) {
  // No other member of a canonical text is null, and what looks like it inside a string has its quotes escaped.
  const std::string member = fmt::format("\"{}\":null", endpoint.delay_field);
  const auto at = json.find(member);
  if (at == std::string_view::npos) return std::nullopt;
  constexpr std::size_t kNull = 4;
  return ComputedText{json.substr(0, at + member.size() - kNull), json.substr(at + member.size())};
}

void append_fixture(std::string& out, const Endpoint& endpoint, std::string_view json,
                    const std::optional<TaskTimeline>& timeline) {
  const std::optional<ComputedText> computed = split_at_computed(endpoint, json);
  out += '{';
  if (computed) out += fmt::format("\"{}\":\"{}\",", name_of_computed(endpoint), kComputed);
  if (timeline) {
    if (timeline->since) {
      out += "\"$since\":";
      append_json_string(out, *timeline->since);
      out += ',';
    }
    out.append("\"$timeline\":").append(timeline->points).append(",");
  }
  if (!computed) {
    out += json.substr(1);
    return;
  }
  // A comma stands before the name, for there are members that are required and come before it.
  out += computed->before.substr(1, computed->before.rfind(',') - 1);
  out += computed->behind;
}

Timeline read_timeline(const TaskTimeline& timeline) {
  return timeline_of(timeline.since, stored_json(read_json_text, timeline.points));
}

void release_from_timeline(const Endpoint& endpoint, JsonValue& task, const JsonValue& fields) {
  const JsonMember* found = task.find(kTimeline);
  if (found == nullptr) return;
  const std::string computed = name_of_computed(endpoint);
  const bool sets_delay = is_present(fields.find(computed)) || fields.find(endpoint.delay_field) != nullptr;
  const auto is_set = [&](const JsonMember& member) {
    const bool is_delay = member.key == computed || member.key == endpoint.delay_field;
    return member.key != kAt && (fields.find(member.key) != nullptr || (is_delay && sets_delay));
  };
  JsonMember timeline = *found;
  for (JsonValue& point : timeline.value.items) std::erase_if(point.members, is_set);
  std::erase_if(timeline.value.items, [](const JsonValue& point) { return point.members.size() == 1; });
  if (timeline.value.items.empty()) {
    task.erase(kTimeline);
    task.erase(kSince);
  } else {
    task.set(timeline);
  }
}

std::optional<std::int64_t> to_int64(const JsonValue& value) {
  std::int64_t integer = 0;
  const char* end = value.text.data() + value.text.size();
  if (value.kind != JsonKind::Integer) return std::nullopt;
  const auto [stop, error] = std::from_chars(value.text.data(), end, integer);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return integer;
}

std::string_view right_value(FieldType type) {
  switch (type) {
    case FieldType::Integer: return "a 64-bit integer";
    case FieldType::Number: return "a number";
    case FieldType::String: return "a string";
    case FieldType::Time: return "an RFC 3339 time such as \"2024-08-09T15:58:21.716899+08:00\"";
  }
  return "";
}

std::string wrong_value(std::string_view field, const JsonValue& value, std::string_view right) {
  return fmt::format("{} is {}; it must be {}", field, describe(value), right);
}

}  // namespace ocp_mock
