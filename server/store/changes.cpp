#include "store/changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "base/utf8.h"
#include "fixtures/row_rules.h"
#include "json/text.h"
#include "ocp/error.h"
#include "store/dataset_builder.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kStatus = "status";

void throw_if_any(std::string_view what, const std::vector<TaskProblem>& problems) {
  if (problems.empty()) return;
  std::string text = fmt::format("{} has {} {}, nothing was changed:", what, problems.size(),
                                 problems.size() == 1 ? "problem" : "problems");
  for (const TaskProblem& problem : problems) text += "\n  " + problem.text;
  throw FixtureError(text);
}

void require_object(std::string_view what, const JsonValue& value) {
  if (value.kind == JsonKind::Object) return;
  throw_if_any(what, {{value.position, fmt::format("it is {}; it must be an object", describe(value))}});
}

// Whether some task has the member, now or along its timeline. Reads all tasks.
bool some_task_has(const Dataset& dataset, const Endpoint& endpoint, const std::string& key) {
  const std::string quoted = json_string(key) + ":";
  bool found = false;
  dataset.each_task(endpoint, {}, [&](const StoredTask& stored) {
    if (found) return;
    // Most texts need no reading: they do not have it in any depth.
    if (stored.json.find(quoted) != std::string_view::npos) {
      found = read_canonical_json(stored.json).find(key) != nullptr;
    }
    if (!found && stored.timeline && stored.timeline->points.find(quoted) != std::string::npos) {
      found = std::ranges::any_of(read_timeline(*stored.timeline).points,
                                  [&](const TimelinePoint& point) { return point.fields.find(key) != nullptr; });
    }
  });
  return found;
}

// Now or along its timeline.
bool some_task_has_status(const Dataset& dataset, const Endpoint& endpoint, const std::string& status) {
  bool found = false;
  const TaskSelection selection{{{columns_of(*endpoint.find_field(kStatus))[0], status}}, false};
  dataset.each_task(endpoint, selection, [&](const StoredTask&) { found = true; });
  if (found) return true;
  dataset.each_task(endpoint, {{}, true}, [&](const StoredTask& stored) {
    found = found || std::ranges::any_of(read_timeline(*stored.timeline).points, [&](const TimelinePoint& point) {
              const JsonMember* own = point.fields.find(kStatus);
              return own != nullptr && own->value.kind == JsonKind::String && own->value.text == status;
            });
  });
  return found;
}

// Fields and statuses that neither the endpoint's table nor any task knows: misspelt, most probably, and the count of
// tasks would hide that.
void check_words(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& members,
                 std::vector<TaskProblem>& problems) {
  for (const JsonMember& member : members.members) {
    if (member.key.starts_with('$')) continue;
    if (endpoint.find_field(member.key) == nullptr && !some_task_has(dataset, endpoint, member.key)) {
      std::vector<std::string_view> names;
      for (const Field& field : endpoint.fields) names.push_back(field.name);
      problems.push_back(
          {member.position, fmt::format("{} is no field of {}, and no task has it{}", printable(member.key),
                                        endpoint.fixture, did_you_mean(member.key, names))});
    }
    const bool is_status = member.key == kStatus && member.value.kind == JsonKind::String && !endpoint.statuses.empty();
    if (is_status && endpoint.find_status(member.value.text) == 0 &&
        !some_task_has_status(dataset, endpoint, member.value.text)) {
      const std::vector<std::string_view> words = endpoint.words_of(~StatusSet{0});
      problems.push_back(
          {member.position, wrong_value(kStatus, member.value,
                                        fmt::format("one of {}, or one that a task has{}", fmt::join(words, ", "),
                                                    did_you_mean(member.value.text, words)))});
    }
  }
}

// Whether a task's field may be the same as the value, as same_json has it.
bool may_equal(const Field& field, const JsonValue& value) {
  const bool is_number = value.kind == JsonKind::Integer || value.kind == JsonKind::Float;
  switch (field.type) {
    case FieldType::Integer: {
      if (!is_number) return false;
      if (to_int64(value)) return true;
      // 1.0 and 10e-1 are as good as 1.
      const double number = std::strtod(value.text.c_str(), nullptr);
      return std::trunc(number) == number && std::abs(number) < 0x1p63;
    }
    case FieldType::Number: return is_number;
    case FieldType::String: return value.kind == JsonKind::String;
    case FieldType::Time: return value.kind == JsonKind::String && parse_rfc3339(value.text).has_value();
  }
  return false;
}

void check_where(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& where) {
  std::vector<TaskProblem> problems;
  for (const JsonMember& member : where.members) {
    const Field* field = endpoint.find_field(member.key);
    if (member.key == name_of_computed(endpoint)) {
      const bool computed = member.value.kind == JsonKind::String && member.value.text == kComputed;
      if (!computed && member.value.kind != JsonKind::Null) {
        problems.push_back({member.position, wrong_value(member.key, member.value, "\"computed\"")});
      }
    } else if (member.key.starts_with('$')) {
      problems.push_back({member.position, fmt::format("{} picks no task: where compares with fields that are answered",
                                                       printable(member.key))});
    } else if (field != nullptr && member.value.kind == JsonKind::Null) {
      if (field->required) {
        problems.push_back({member.position, fmt::format("{} is null, and every task has one", field->name)});
      }
    } else if (field != nullptr && !may_equal(*field, member.value)) {
      problems.push_back({member.position, wrong_value(field->name, member.value, right_value(field->type))});
    }
  }
  check_words(dataset, endpoint, where, problems);
  throw_if_any("where", problems);
}

void check_set(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& set) {
  std::vector<TaskProblem> problems;
  check_words(dataset, endpoint, set, problems);
  if (const JsonMember* timeline = set.find("$timeline"); timeline != nullptr) {
    for (JsonValue point : timeline->value.items) {
      point.erase("at");
      check_words(dataset, endpoint, point, problems);
    }
  }
  throw_if_any("set", problems);
}

// What SQL can tell of where.
struct Candidates {
  TaskSelection selection;
  bool exact = true;  // else tasks of the selection may still differ from where
};

Candidates candidates(const Endpoint& endpoint, const JsonValue& where) {
  Candidates found;
  TaskSelection& selection = found.selection;
  for (const JsonMember& member : where.members) {
    const Field* field = endpoint.find_field(member.key);
    if (field == nullptr || field->column.empty()) {
      found.exact = false;
      continue;
    }
    const std::vector<std::string> columns = columns_of(*field);
    if (member.value.kind == JsonKind::Null) {
      selection.conditions.push_back({columns[0], {}});
    } else if (field->type == FieldType::String && member.value.kind == JsonKind::String) {
      selection.conditions.push_back({columns[0], member.value.text});
    } else if (const auto integer = to_int64(member.value); integer && field->type == FieldType::Integer) {
      selection.conditions.push_back({columns[0], *integer});
    } else {
      found.exact = false;
      const bool may_be_time = field->type == FieldType::Time && member.value.kind == JsonKind::String;
      if (const auto instant = may_be_time ? parse_rfc3339(member.value.text) : std::nullopt) {
        selection.conditions.push_back({columns[0], instant->second});
        selection.conditions.push_back({columns[1], std::int64_t{instant->nano}});
      }
    }
  }
  return found;
}

bool picks(const Endpoint& endpoint, const JsonValue& where, const JsonValue& task) {
  return std::ranges::all_of(where.members, [&](const JsonMember& member) {
    const JsonMember* own = task.find(member.key);
    if (own == nullptr) return member.value.kind == JsonKind::Null;
    const Field* field = endpoint.find_field(member.key);
    const bool is_time = field != nullptr && field->type == FieldType::Time && member.value.kind == JsonKind::String &&
                         own->value.kind == JsonKind::String;
    if (!is_time) return same_json(member.value, own->value);
    const auto wanted = parse_rfc3339(member.value.text);
    return wanted && wanted == parse_rfc3339(own->value.text);
  });
}

// Calls visit for each task that where picks, with its fields; of $ members only $delay is among them.
void each_picked(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& where,
                 const std::function<void(const StoredTask&, JsonValue)>& visit) {
  dataset.each_task(endpoint, candidates(endpoint, where).selection, [&](const StoredTask& stored) {
    JsonValue task = task_of_row(endpoint, stored.json);
    if (picks(endpoint, where, task)) visit(stored, std::move(task));
  });
}

void append_id_and_name(std::string& out, std::int64_t id, const std::optional<std::string>& name) {
  out += fmt::format("{{\"id\":{}", id);
  if (!name) return;
  out += ",\"name\":";
  append_json_string(out, *name);
}

// Gives timelines that have none a time from which they count.
class SinceSink : public ForwardingSink {
 public:
  SinceSink(FixtureSink& sink, std::optional<Instant> since) : ForwardingSink(sink), since_(since) {}

  void add_task(const Endpoint& endpoint, TaskRow& row) override {
    if (since_ && row.timeline && !row.timeline->since) row.timeline->since = format_iso_offset(*since_, 0);
    ForwardingSink::add_task(endpoint, row);
  }

 private:
  const std::optional<Instant> since_;
};

// The clusters and tenants of a dataset, with their names.
std::string known_places(const Dataset& dataset) {
  std::string text;
  for (const ClusterSummary& cluster : dataset.summary(endpoints().front())) {
    append_id_and_name(text, cluster.id, cluster.name);
    for (const TenantSummary& tenant : cluster.tenants) append_id_and_name(text, tenant.id, tenant.name);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string export_fixtures(const Dataset& dataset) {
  std::string text = "{\"clusters\":[";
  std::string_view comma;
  for (const ClusterSummary& cluster : dataset.summary(endpoints().front())) {
    text += comma;
    append_id_and_name(text, cluster.id, cluster.name);
    std::string_view opening = ",\"tenants\":[";
    for (const TenantSummary& tenant : cluster.tenants) {
      text += opening;
      append_id_and_name(text, tenant.id, tenant.name);
      text += '}';
      opening = ",";
    }
    text += cluster.tenants.empty() ? "}" : "]}";
    comma = ",\n";
  }
  text += ']';
  for (const Endpoint& endpoint : endpoints()) {
    text += fmt::format(",\n\"{}\":[", endpoint.fixture);
    comma = "\n";
    dataset.each_task(endpoint, {}, [&](const StoredTask& task) {
      text += comma;
      append_fixture(text, endpoint, task.json, task.timeline);
      comma = ",\n";
    });
    text += ']';
  }
  return text + "}\n";
}

Changed with_fixtures(const Dataset& old, std::string_view name, std::string_view text, std::optional<Instant> since) {
  const auto builder = old.copy();
  SinceSink sink(*builder, since);
  const std::int64_t tasks = load_fixture_text(name, text, sink).tasks;
  Changed changed{tasks, builder->finish()};
  changed.is_same = tasks == 0 && known_places(*changed.dataset) == known_places(old);
  return changed;
}

Changed from_fixtures(std::string_view name, std::string_view text) {
  const auto builder = DatasetBuilder::in_memory();
  const std::int64_t tasks = load_fixture_text(name, text, *builder).tasks;
  return {tasks, builder->finish()};
}

void refuse_misspelt(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& where, const JsonValue* set) {
  check_where(dataset, endpoint, where);
  if (set != nullptr) check_set(dataset, endpoint, *set);
}

Changed with_tasks_set(const Dataset& old, const Endpoint& endpoint, const JsonValue& where, const JsonValue& set) {
  require_object("where", where);
  require_object("set", set);
  std::vector<TaskProblem> problems;
  check_members(endpoint, set, problems);
  throw_if_any("set", problems);
  const auto builder = old.copy();
  std::int64_t tasks = 0;
  each_picked(old, endpoint, where, [&](const StoredTask& stored, JsonValue task) {
    if (stored.timeline) {
      task = task_of_row(endpoint, stored.json, stored.timeline);
      release_from_timeline(endpoint, task, set);
    }
    set_members(endpoint, task, set);
    if (task.find("$timeline") == nullptr && set.find("$since") == nullptr) task.erase("$since");
    auto row = row_of_task(endpoint, std::move(task), problems);
    throw_if_any("set", problems);
    builder->set_task(endpoint, stored.id, std::move(*row));
    ++tasks;
  });
  return {tasks, builder->finish(), tasks == 0};
}

Changed without_tasks(const Dataset& old, const Endpoint& endpoint, const JsonValue& where) {
  require_object("where", where);
  const auto builder = old.copy();
  std::int64_t tasks = 0;
  if (const Candidates found = candidates(endpoint, where); found.exact) {
    tasks = builder->remove_tasks(endpoint, found.selection.conditions);
    return {tasks, builder->finish(), tasks == 0};
  }
  each_picked(old, endpoint, where, [&](const StoredTask& stored, const JsonValue&) {
    builder->remove_task(endpoint, stored.id);
    ++tasks;
  });
  return {tasks, builder->finish(), tasks == 0};
}

std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state) {
  if (!origin->has_timelines()) {
    state = {};
    return origin;
  }
  const bool right = state.dataset && state.origin == origin && state.loaded == loaded &&
                     (!state.from || *state.from <= now) && (!state.until || now < *state.until);
  if (right) return state.dataset;

  TimelineState fresh{origin, loaded, {}, {}, {}};
  struct Moved {
    const Endpoint* endpoint;
    std::int64_t id;
    JsonValue task;
  };
  std::vector<Moved> moved;
  for (const Endpoint& endpoint : endpoints()) {
    origin->each_task(endpoint, {{}, true}, [&](const StoredTask& stored) {
      const Timeline timeline = read_timeline(*stored.timeline);
      const Instant start = timeline.since.value_or(loaded);
      std::optional<JsonValue> task;
      for (const TimelinePoint& point : timeline.points) {
        const Instant at = start + point.at;
        if (at > now) {
          fresh.until = std::min(fresh.until.value_or(at), at);
          break;
        }
        fresh.from = std::max(fresh.from.value_or(at), at);
        if (!task) task = task_of_row(endpoint, stored.json);
        set_members(endpoint, *task, point.fields);
      }
      if (task) moved.push_back({&endpoint, stored.id, std::move(*task)});
    });
  }
  if (moved.empty()) {
    fresh.dataset = origin;
  } else {
    const auto builder = origin->copy();
    for (Moved& one : moved) {
      std::vector<TaskProblem> none;
      builder->set_task(*one.endpoint, one.id, row_of_task(*one.endpoint, std::move(one.task), none).value());
    }
    builder->remove_timelines();
    fresh.dataset = builder->finish();
  }
  state = std::move(fresh);
  return state.dataset;
}

}  // namespace ocp_mock
