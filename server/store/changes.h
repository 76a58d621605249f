// New datasets from old ones.
// Enters: a dataset and what a test wants changed. Leaves: another dataset, or an error and nothing.
// The old dataset stays as it is, and so do its readers. New ones live in memory, wherever the old one lives.
//
// A dataset with timelines is changed as it is before any of their points: where compares with the fields that the
// fixtures have, whatever the clock says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fixtures/forms.h"
#include "json/reader.h"
#include "ocp/instant.h"
#include "store/dataset.h"

namespace ocp_mock {

struct Changed {
  std::int64_t tasks = 0;  // how many were added, set or removed
  std::shared_ptr<const Dataset> dataset;
  bool is_same = false;  // nothing differs from the old dataset
};

// A fixture set with all clusters, tenants and tasks, in the order of the fixtures, with their timelines. It loads back
// to the same answers, byte for byte and with the same order of ties, and to the same names. The envelope of a captured
// answer, which --frozen needs, is not in it: no fixture set has one.
std::string export_fixtures(const Dataset& dataset);

// The same dataset and the fixtures of a text in any of the forms that files have, appended behind. Throws FixtureError
// in which the text is called name. With an instant the timelines of the new tasks count from then, where they have no
// $since of their own.
Changed with_fixtures(const Dataset& old, std::string_view name, std::string_view text,
                      std::optional<Instant> since = {});

// A dataset of the text alone. Throws FixtureError.
Changed from_fixtures(std::string_view name, std::string_view text);

// Throws FixtureError for what was probably not meant, and what a count of no tasks would hide: a where that can pick
// no task of any dataset, by a value of another type or a null that its field never has; and in both a field or a
// status that neither the endpoint's table nor any task of the dataset knows. Reads all tasks for each such word. set
// may be null; both must be objects.
void refuse_misspelt(const Dataset& dataset, const Endpoint& endpoint, const JsonValue& where, const JsonValue* set);

// Sets fields of every task that where picks; they keep their places in the order. Both are JSON objects. where picks a
// task if each of its members is the same in the task, null being the same as absent; {} picks all. Times are the same
// if they are the same instant, all else as same_json has it. A
// member of set takes the place of the task's, a null takes it away; values that are no null keep their bytes.
// A field that a timeline drives is set for good: the timeline drives its other fields only. "$timeline" and "$since"
// may be set too and replace the task's; they begin to drive what else set has.
// Throws FixtureError if set breaks a rule of fixtures, also if no task is picked.
Changed with_tasks_set(const Dataset& old, const Endpoint& endpoint, const JsonValue& where, const JsonValue& set);

// Without the tasks that where picks, by the same rules. Clusters and tenants stay known, with their names.
Changed without_tasks(const Dataset& old, const Endpoint& endpoint, const JsonValue& where);

// What at_time has made last, and from when until when it is right. Begins empty; to be used by one thread at a time.
struct TimelineState {
  std::shared_ptr<const Dataset> origin;
  Instant loaded;
  std::optional<Instant> from;   // inclusive; nothing: since ever
  std::optional<Instant> until;  // exclusive; nothing: for ever
  std::shared_ptr<const Dataset> dataset;
};

// The dataset as it is at now if it was loaded at loaded: the origin itself if no point of a timeline has passed, else
// one without timelines. A point's fields are there from exactly its time on; time may go back. The last result is
// given again for as long as no point lies between its time and now.
std::shared_ptr<const Dataset> at_time(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                       TimelineState& state);

}  // namespace ocp_mock
