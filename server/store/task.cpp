#include "store/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "ocp/error.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kTimeline = "$timeline";
constexpr std::string_view kSince = "$since";
constexpr std::string_view kAt = "at";
constexpr std::string_view kRightAt = "an ISO 8601 duration that is not negative, such as \"PT10S\"";

bool is_present(const JsonMember* member) { return member != nullptr && member->value.kind != JsonKind::Null; }

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

// Members that begin with $ are next to each other, for members are sorted.
void check_dollars(const JsonValue& object, std::string_view known, std::vector<TaskProblem>& problems) {
  for (const JsonMember& member : object.members) {
    if (!member.key.starts_with('$') || (!known.empty() && (member.key == kTimeline || member.key == kSince))) continue;
    problems.push_back({member.position, fmt::format("{} is not known; of the members that begin with $, {}",
                                                     shown(member.key), known.empty() ? "a point has none" : known)});
  }
}

void check_point(const Endpoint& endpoint, const JsonValue& point, std::optional<Duration>& previous,
                 std::vector<TaskProblem>& problems) {
  if (point.kind != JsonKind::Object) {
    problems.push_back({point.position, fmt::format("it is {}; it must be an object", describe(point))});
    return;
  }
  check_fields(endpoint, point, problems);
  check_dollars(point, "", problems);
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

// Every state along the timeline is a right task if the task is one and the fields of each point are: no rule looks at
// two fields.
void check_timeline(const Endpoint& endpoint, const JsonValue& object, std::vector<TaskProblem>& problems) {
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

std::optional<TaskRow> row_of_task(const Endpoint& endpoint, JsonValue task, std::vector<TaskProblem>& problems) {
  const std::size_t before = problems.size();
  TaskRow row;
  for (const Field& field : endpoint.fields) {
    const JsonMember* member = task.find(field.name);
    if (member == nullptr && field.required) {
      problems.push_back(
          {task.position, fmt::format("{} is missing; it must be {}", field.name, right_value(field.type))});
    }
    take_field(field, member, row.columns, problems);
  }
  const bool has_dollars =
      std::ranges::any_of(task.members, [](const auto& member) { return member.key.starts_with('$'); });
  if (has_dollars) {
    check_dollars(task, "a task may have $since and $timeline", problems);
    check_timeline(endpoint, task, problems);
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
  }
  append_canonical_json(row.json, task);
  std::tie(row.cluster_id, row.tenant_id) = home_of(task);
  if (const JsonMember* name = task.find("clusterName"); is_present(name)) row.cluster_name = name->value.text;
  if (const JsonMember* name = task.find("tenantName"); is_present(name)) row.tenant_name = name->value.text;
  if (row.timeline) {
    for (const TimelinePoint& point : read_timeline(*row.timeline).points) {
      set_members(task, point.fields);
      row.later_tenants.push_back(home_of(task));
    }
  }
  return row;
}

void check_members(const Endpoint& endpoint, const JsonValue& members, std::vector<TaskProblem>& problems) {
  check_fields(endpoint, members, problems);
  check_dollars(members, "a task may have $since and $timeline", problems);
  check_timeline(endpoint, members, problems);
}

void set_members(JsonValue& task, const JsonValue& members) {
  for (const JsonMember& member : members.members) {
    if (member.value.kind == JsonKind::Null) {
      task.erase(member.key);
    } else {
      task.set(member);
    }
  }
}

JsonValue fields_of_row(std::string_view json) { return stored_json(read_canonical_json, json); }

JsonValue task_of_row(std::string_view json, const std::optional<TaskTimeline>& timeline) {
  JsonValue task = fields_of_row(json);
  if (!timeline) return task;
  task.set({std::string(kTimeline), {}, stored_json(read_json_text, timeline->points)});
  if (timeline->since) task.set({std::string(kSince), {}, {JsonKind::String, *timeline->since, {}, {}, {}}});
  return task;
}

Timeline read_timeline(const TaskTimeline& timeline) {
  return timeline_of(timeline.since, stored_json(read_json_text, timeline.points));
}

void release_from_timeline(JsonValue& task, const JsonValue& fields) {
  const JsonMember* found = task.find(kTimeline);
  if (found == nullptr) return;
  JsonMember timeline = *found;
  for (JsonValue& point : timeline.value.items) {
    std::erase_if(point.members,
                  [&](const JsonMember& member) { return member.key != kAt && fields.find(member.key) != nullptr; });
  }
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
