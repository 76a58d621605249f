// What a write does to rows: the steps of schema/api/README.md, one after the other.
// Input: steps that the generator has checked, and what their references mean. Output: changed rows in an Edit, or an
// ApiError, after which the edit must be dropped. Knows no HTTP.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "behaviour/parsed_texts.h"
#include "behaviour/template.h"
#include "catalogue/catalogue.h"
#include "json/reader.h"
#include "ocp/error.h"
#include "ocp/instant.h"

namespace ocp_mock {

// Makes one subtask of a task fail, the first time that it runs.
struct TaskFailure {
  std::string subtask;  // its name, or its place in the order in which they run, from 0
  std::string message;  // of its log

  bool operator==(const TaskFailure&) const = default;
};

struct TaskOptions {
  std::chrono::milliseconds duration{2000};  // of a task, by the world's clock
  int offset_minutes = 8 * 60;               // of the times in rows
  // Shared by all worlds.
  std::shared_ptr<ParsedTexts> texts = std::make_shared<ParsedTexts>();
};

// A run of steps, at one time.
class Effects {
 public:
  // The scope must outlive it.
  Effects(Scope& scope, const TaskOptions& options, Instant now, std::optional<TaskFailure> failure = {});

  void run(const JsonValue& steps);

  Scope& scope() { return scope_; }
  Edit& edit() { return scope_.edit(); }
  const Catalogue& catalogue() { return edit().catalogue(); }
  const TaskOptions& options() const { return options_; }
  // Of the catalogue.
  const JsonValue& parsed(std::string_view text) const { return options_.texts->of(text); }
  Instant now() const { return now_; }
  std::string now_text() const { return format_iso_offset(now_, options_.offset_minutes); }
  const std::optional<TaskFailure>& failure() const { return failure_; }

 private:
  void step(const JsonValue& step);
  void insert(const JsonValue& step);
  void set(const JsonValue& step);
  void remove(const JsonValue& step);
  void each(const JsonValue& step);
  void let(const JsonValue& step);
  void choose(const JsonValue& step);
  void refuse(const JsonValue& step);
  void run_named(const JsonValue& step);
  void start(const JsonValue& step);
  void operate(const JsonValue& step);
  void note_row(const Resource& resource, JsonValue fixture);
  const Resource& resource_of(const JsonValue& name) { return named_resource(catalogue(), name.text); }

  Scope& scope_;
  const TaskOptions& options_;
  const Instant now_;
  const std::optional<TaskFailure> failure_;
};

// The 404 of rows that a step needs.
ApiError missing_rows(const Resource& resource, const JsonValue& where, const Catalogue& catalogue);

// A row as answers have it: without hidden fields.
JsonValue answered(const Resource& resource, JsonValue fixture);

// Steps with the values of all references, but those that depend on the time and on rows.
JsonValue fill_in_steps(const JsonValue& steps, Scope& scope);

}  // namespace ocp_mock
