#include "behaviour/template.h"

#include <doctest/doctest.h>

#include <string>

#include "fixtures/forms.h"
#include "log_backup_tasks.h"
#include "store/changes.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;

namespace {

constexpr std::string_view kRows = R"({
  "regions": [{"id": 1, "name": "hz"}, {"id": 2, "name": "sh"}],
  "idcs": [{"id": 7, "name": "a", "regionId": 1}, {"id": 8, "name": "b", "regionId": 1}]})";

constexpr std::string_view kRoots = R"({
  "body": {"text": "x", "number": 5, "yes": true, "no": false, "null": null, "list": ["a", "b"], "dollar": "${now} $$",
           "grants": [{"db": "d", "of": ["SELECT"]}], "operator": {"$if": "not one"}},
  "old": {"list": ["b", "c"], "grants": [{"db": "d", "of": ["SELECT", "INSERT"]}, {"db": "e", "of": ["DROP"]}]},
  "now": "2024-08-09T16:06:02.743+08:00"})";

// The value as JSON, "-" for none; of late roots only what is there with them is known.
std::string value(std::string_view form, bool in_two_steps = false) {
  static const auto dataset = from_fixtures(ocp_router(), "rows.json", kRows).dataset;
  Edit edit(dataset, {});
  Scope scope(edit);
  for (const JsonMember& root : read_json_text(kRoots).members) scope.set(root.key, root.value);
  JsonValue parsed = read_json_text(form);
  if (in_two_steps) {
    parsed = fill_in(parsed, scope, {"now", "row", "found"});
    // As a plan keeps it.
    std::string text;
    append_json(text, parsed);
    parsed = read_json_text(text);
    Scope later(edit);
    later.set("now", *scope.find("now"));
    const auto evaluated = evaluate(parsed, later);
    text.clear();
    if (evaluated) append_json(text, *evaluated);
    return evaluated ? text : "-";
  }
  const auto evaluated = evaluate(parsed, scope);
  std::string text;
  if (evaluated) append_json(text, *evaluated);
  return evaluated ? text : "-";
}

}  // namespace

TEST_CASE("template: each form has its value, at once and when the rest is known later") {
  struct Case {
    std::string_view form;
    std::string_view value;
  };
  // clang-format off
  constexpr Case kCases[] = {
      {R"(1.50)", "1.50"},
      {R"(null)", "null"},
      {R"("plain")", R"("plain")"},
      {R"("$$ {} } $")", R"("$ {} } $")"},
      {R"("${body.text}")", R"("x")"},
      {R"("${body.number}")", "5"},
      {R"("${body.list}")", R"(["a","b"])"},
      {R"("${body.list.1}")", R"("b")"},
      {R"("${body.list.2}")", "-"},
      {R"("${body.list.x}")", "-"},
      {R"("${body.none}")", "-"},
      {R"("${body.null}")", "-"},
      {R"("${body.text.more}")", "-"},
      {R"("${nothing}")", "-"},
      {R"("${body.text}-${body.number}-${body.none}.")", R"("x-5-.")"},
      {R"("${body.list}")", R"(["a","b"])"},
      {R"("at ${now}")", R"("at 2024-08-09T16:06:02.743+08:00")"},
      {R"("${now}")", R"("2024-08-09T16:06:02.743+08:00")"},
      // What a client sends is no template.
      {R"("${body.dollar}")", R"("${now} $$")"},
      {R"("${body.dollar}, ${now}")", R"("${now} $$, 2024-08-09T16:06:02.743+08:00")"},
      {R"("${body.operator}")", R"({"$if":"not one"})"},
      {R"({"a": "${body.none}", "b": null, "c": ["${body.none}", "${body.number}"]})", R"({"b":null,"c":[5]})"},
      {R"({"$first": ["${body.none}", "${body.null}", "${body.text}", 1]})", R"("x")"},
      {R"({"$first": ["${body.none}"]})", "-"},
      {R"({"$if": "${body.yes}", "then": 1, "else": 2})", "1"},
      {R"({"$if": "${body.no}", "then": 1, "else": 2})", "2"},
      {R"({"$if": "${body.none}", "then": 1})", "-"},
      {R"({"$if": "${body.text}", "is": "x", "then": 1, "else": 2})", "1"},
      {R"({"$if": "${body.text}", "is": "y", "then": 1, "else": 2})", "2"},
      {R"({"$if": "${body.none}", "is": "${body.null}", "then": 1, "else": 2})", "1"},
      {R"({"$find": "regions", "where": {"id": 2}, "take": "${found.name}"})", R"("sh")"},
      {R"({"$find": "regions", "where": {"id": 3}, "take": "${found.name}"})", "-"},
      {R"({"$find": "idcs", "where": {"regionId": 1}, "take": "${found.name}", "all": true})", R"(["b","a"])"},
      {R"({"$find": "idcs", "where": {"regionId": 2}, "all": true})", "[]"},
      {R"({"$find": "idcs", "where": {"regionId": 1}, "take": "${found.name}", "most": 1})", R"(["b"])"},
      {R"({"$find": "idcs", "where": {"regionId": 1}, "take": "${found.name}", "most": "${body.number}"})",
       R"(["b","a"])"},
      {R"({"$find": "idcs", "where": {"regionId": 1}, "most": 0})", "[]"},
      {R"({"$find": "regions", "where": {"name": "hz"}})", R"({"id":1,"name":"hz"})"},
      {R"({"$count": "idcs", "where": {"regionId": 1}})", "2"},
      {R"({"$count": "idcs", "where": {}})", "2"},
      {R"({"$map": "${body.list}", "to": {"name": "${item}", "of": "${body.text}"}})",
       R"([{"name":"a","of":"x"},{"name":"b","of":"x"}])"},
      {R"({"$map": "${body.none}", "to": 1})", "[]"},
      {R"({"$map": "${body.text}", "to": "${item}"})", R"(["x"])"},
      {R"({"$union": ["${old.list}", "${body.list}"]})", R"(["b","c","a"])"},
      {R"({"$union": ["${body.none}", ["a", "a"]]})", R"(["a"])"},
      {R"({"$without": ["${old.list}", "${body.list}"]})", R"(["c"])"},
      {R"({"$union": ["${body.grants}", "${old.grants}"], "by": "db", "of": "of"})",
       R"([{"db":"d","of":["SELECT","INSERT"]},{"db":"e","of":["DROP"]}])"},
      {R"({"$union": ["${old.grants}", "${body.grants}"], "by": "db"})",
       R"([{"db":"d","of":["SELECT"]},{"db":"e","of":["DROP"]}])"},
      {R"({"$without": ["${old.grants}", "${body.grants}"], "by": "db", "of": "of"})",
       R"([{"db":"d","of":["INSERT"]},{"db":"e","of":["DROP"]}])"},
      {R"({"$without": ["${body.grants}", "${old.grants}"], "by": "db", "of": "of"})", "[]"},
      {R"({"$without": ["${old.grants}", ["d"]], "by": "db"})", R"([{"db":"e","of":["DROP"]}])"},
      {R"({"$union": [[1, {"a": 1, "b": null}, [2.0]], [1.0, {"a": 1.00}, [2], {"a": "1"}]]})",
       R"([1,{"a":1,"b":null},[2.0],{"a":"1"}])"},
      {R"({"$union": [[{"k": 1, "v": 1}, {"k": 2}, {"k": 1, "v": 2}], []], "by": "k"})", R"([{"k":1,"v":2},{"k":2}])"},
      {R"({"$without": [["c", "a", "b", "a"], ["a", "a", "z"]]})", R"(["c","b"])"},
      {R"({"$merge": [{"a": 1, "b": 2}, "${body.none}", {"b": "${body.number}"}]})", R"({"a":1,"b":5})"},
      {R"({"$add": ["${body.number}", 2, "${body.none}", -1]})", "6"},
      {R"({"$add": [1.25, 2, 0.5]})", "3.75"},
      {R"({"$add": "${body.none}"})", "0"},
      {R"({"$multiply": [3, "${body.number}"]})", "15"},
      {R"({"$multiply": [1.50, 2]})", "3.00"},
      {R"({"$sum": "regions", "where": {}, "of": "${found.id}"})", "3"},
      {R"({"$sum": "regions", "where": {"id": 9}, "of": "${found.id}"})", "0"},
      {R"({"$max": "idcs", "where": {"regionId": 1}, "of": "id"})", "8"},
      {R"({"$max": "idcs", "where": {"regionId": 9}, "of": "id"})", "-"},
      {R"({"$find": "idcs", "where": {"id": [8, 7, 6, 8]}, "take": "${found.id}", "all": true})", "[8,7]"},
      {R"({"$count": "idcs", "where": {"id": "${body.list}"}})", "0"},
      {R"({"$filter": "${old.grants}", "where": {"db": "e"}})", R"([{"db":"e","of":["DROP"]}])"},
      {R"({"$size": "${body.list}"})", "2"},
      {R"({"$size": "${body.none}"})", "0"},
      {R"({"$named": "${body.text}", "value": [1]})", R"({"x":[1]})"},
      {R"({"$made": "regions"})", "3"},
      {R"({"$made": "regions", "above": [9, "${body.number}", "${body.none}"]})", "10"},
      {R"({"$made": "regions", "above": 9223372036854775807})", "9223372036854775806"},
      {R"("${body.list.-1}")", R"("b")"},
      {R"("${body.list.-3}")", "-"},
      {R"({"$seconds": ["2024-08-09T16:06:02.5+08:00", "2024-08-09T08:06:03.4Z"]})", "0"},
      {R"({"$seconds": ["2024-08-09T16:06:02.5+08:00", "${now}"]})", "0"},
      {R"({"$seconds": ["2024-08-09T16:05:00+08:00", "${now}"]})", "62"},
      {R"({"$after": ["${now}", "2024-08-09T08:06:02Z"]})", "true"},
      {R"({"$after": ["${now}", "${now}"]})", "false"},
      {R"({"$after": ["2024-08-09T16:06:02.4+08:00", "${now}"]})", "false"},
      {R"({"$after": ["${body.none}", "${now}"]})", "-"},
      {R"({"$split": "1,b,,3", "by": ","})", R"([1,"b",3])"},
      {R"({"$split": "${body.number}", "by": ","})", "[5]"},
      {R"({"$join": "${old.list}", "by": ";"})", R"("b;c")"},
  };
  // clang-format on
  for (const Case& one : kCases) {
    CAPTURE(one.form);
    CHECK(value(one.form) == one.value);
    CHECK(value(one.form, true) == one.value);
  }
}

TEST_CASE("template: what cannot be added is refused") {
  CHECK_THROWS_WITH_AS(value(R"({"$add": ["${body.text}", 1]})"), "the string \"x\" is no number", RowRefused);
  CHECK_THROWS_WITH_AS(value(R"({"$add": [9223372036854775807, 1]})"), "a number is beyond 64 bits", RowRefused);
  CHECK_THROWS_WITH_AS(value(R"({"$multiply": [9223372036854775807, -2]})"), "a number is beyond 64 bits", RowRefused);
  CHECK_THROWS_WITH_AS(value(R"({"$multiply": [1e300, 1e300]})"), "a number is beyond what a number can be",
                       RowRefused);
}
