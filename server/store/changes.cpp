#include "store/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ocp/json_text.h"
#include "store/dataset_builder.h"
#include "store/task.h"

namespace ocp_mock {
namespace {

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

bool picks(const JsonValue& where, const JsonValue& task) {
  return std::ranges::all_of(where.members, [&](const JsonMember& member) {
    const JsonMember* own = task.find(member.key);
    return own == nullptr ? member.value.kind == JsonKind::Null : same_json(member.value, own->value);
  });
}

// Calls visit for each task that where picks, with its fields; $ members are not among them.
void each_picked(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& where,
                 const std::function<void(const StoredTask&, JsonValue)>& visit) {
  dataset.each_task(endpoint, candidates(endpoint, where).selection, [&](const StoredTask& stored) {
    JsonValue task = fields_of_row(stored.json);
    if (picks(where, task)) visit(stored, std::move(task));
  });
}

void append_id_and_name(std::string& out, std::int64_t id, const std::optional<std::string>& name) {
  out += fmt::format("{{\"id\":{}", id);
  if (!name) return;
  out += ",\"name\":";
  append_json_string(out, *name);
}

void append_task(std::string& out, const StoredTask& task) {
  out += '{';
  if (task.timeline) {
    if (task.timeline->since) {
      out += "\"$since\":";
      append_json_string(out, *task.timeline->since);
      out += ',';
    }
    out.append("\"$timeline\":").append(task.timeline->points).append(",");
  }
  out += task.json.substr(1);
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
      append_task(text, task);
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
  return {tasks, builder->finish()};
}

Changed from_fixtures(std::string_view name, std::string_view text) {
  const auto builder = DatasetBuilder::in_memory();
  const std::int64_t tasks = load_fixture_text(name, text, *builder).tasks;
  return {tasks, builder->finish()};
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
      task = task_of_row(stored.json, stored.timeline);
      release_from_timeline(task, set);
    }
    set_members(task, set);
    if (task.find("$timeline") == nullptr && set.find("$since") == nullptr) task.erase("$since");
    auto row = row_of_task(endpoint, std::move(task), problems);
    throw_if_any("set", problems);
    builder->set_task(endpoint, stored.id, std::move(*row));
    ++tasks;
  });
  return {tasks, builder->finish()};
}

Changed without_tasks(const Dataset& old, const Endpoint& endpoint, const JsonValue& where) {
  require_object("where", where);
  const auto builder = old.copy();
  std::int64_t tasks = 0;
  if (const Candidates found = candidates(endpoint, where); found.exact) {
    tasks = builder->remove_tasks(endpoint, found.selection.conditions);
    return {tasks, builder->finish()};
  }
  each_picked(old, endpoint, where, [&](const StoredTask& stored, const JsonValue&) {
    builder->remove_task(endpoint, stored.id);
    ++tasks;
  });
  return {tasks, builder->finish()};
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
        if (!task) task = fields_of_row(stored.json);
        set_members(*task, point.fields);
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
