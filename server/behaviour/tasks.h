// Tasks: what OCP does in the background, by the world's clock.
// Input: a step that starts or operates one, or the time. Output: rows of the catalogue's task resource, its logs, and
// what the task does. No thread of its own: what a task has done by a time is made when somebody looks, and is the same
// whoever looks when.
//
// The row of a task that runs has the time of its next change and a plan: the ids of its subtasks in their order, when
// this run began, how long it takes, and the steps to come. Each subtask takes the same share of the duration.
#pragma once

#include <memory>
#include <string_view>

#include "behaviour/effects.h"
#include "store/dataset.h"

namespace ocp_mock {

// Starts the task of a step, and sets the roots task and tasks of the scope.
void start_task(const JsonValue& step, Effects& effects);

enum class TaskOperation { Retry, Rollback, Skip, Cancel };

// On a subtask, or with a retry or rollback on a whole task. Throws ApiError where the task or the subtask is not
// there, or in no state for it. Sets the root task.
void operate_task(TaskOperation operation, const JsonValue& task, const JsonValue* subtask, Effects& effects);

// The dataset as tasks have made it by now: the origin itself where none has changed. A task whose steps meet rows that
// do not fit them fails. loaded: from when timelines count.
std::shared_ptr<const Dataset> settle_tasks(const std::shared_ptr<const Dataset>& origin, Instant loaded, Instant now,
                                            const TaskOptions& options);

}  // namespace ocp_mock
