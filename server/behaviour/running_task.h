// One task that is there: its row, and its plan.
// Input: the row, and what happens to the task. Output: the row, its logs and the effects of the plan's steps, in the
// Edit of the effects. Of this module only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behaviour/effects.h"
#include "catalogue/catalogue.h"
#include "json/reader.h"

namespace ocp_mock {

// What others put into a plan.
inline constexpr std::string_view kDuring = "during";  // by the id of a subtask: steps when it ends
inline constexpr std::string_view kEnd = "end";        // steps
inline constexpr std::string_view kFailed = "failed";
inline constexpr std::string_view kRolledBack = "rolledBack";
inline constexpr std::string_view kRetried = "retried";
inline constexpr std::string_view kFails = "fails";  // the id of the subtask that will
inline constexpr std::string_view kWhy = "why";

class RunningTask {
 public:
  // Of the stored row with the id. Without a plan the order is made of the row.
  RunningTask(Effects& effects, std::int64_t id, JsonValue row);

  // The ids of subtasks in an order in which each comes after those that it waits for; those of a circle come last.
  static JsonValue order_of(const Catalogue& catalogue, const std::vector<JsonValue>& subtasks);

  const JsonValue& row() const { return row_; }
  bool is(std::string_view status) const;
  std::vector<JsonValue>& subtasks();
  // Null if there is none.
  JsonValue* subtask(const std::string& id);
  JsonValue* failed_subtask();
  std::size_t place_of(const JsonValue& subtask) const;

  void plan(std::string_view key, JsonValue value);

  // The task runs from now on, beginning with the subtask at this place of the order; it ends where there is none.
  void run_from(std::size_t place, std::string_view operation);

  // The subtask that runs has run to its end, or to its failure.
  void advance();

  void end_subtask(JsonValue& subtask, std::string_view status, std::string_view how);
  void fail(JsonValue& subtask, const std::string& why);
  // Where the steps of the plan are what has failed.
  void fail_without_steps(const std::string& why);
  void roll_back();
  void run_retried();
  // The steps of the end, if it has come.
  void run_end();
  void save();

 private:
  JsonValue* subtask_at(std::size_t place);
  void run_subtask(std::size_t place, std::string_view operation);
  void run_subtask_or_end(std::size_t place, std::string_view operation);
  void succeed();
  void add_to_log(const JsonValue& subtask, std::string_view what);

  Effects& effects_;
  const TaskRules& rules_;
  const std::int64_t id_;
  JsonValue row_;
  JsonValue plan_ = json_object();
  JsonValue end_steps_ = json_array();
};

// The members of JSON objects.
const JsonValue* find(const JsonValue& object, std::string_view key);
std::string text_of(const JsonValue& object, std::string_view key);
void put(JsonValue& object, std::string_view key, JsonValue value);
void put(JsonValue& object, std::string_view key, std::string_view text);
void put_integer(JsonValue& object, std::string_view key, std::int64_t number);

}  // namespace ocp_mock
