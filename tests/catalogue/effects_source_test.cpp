#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/generator/emit.h"
#include "catalogue/generator/source.h"

using namespace ocp_mock;
using namespace ocp_mock::generator;

namespace {

constexpr std::string_view kCatalogue = R"({
  "resources": {
    "zones": {"noun": "zone", "key": "name", "fields": {"name": "string!", "hostCount": "integer", "tags": "array"}},
    "hosts": {"noun": "host", "parents": {"zone": "zones"}, "key": "id",
      "fields": {"zone": "string!", "id": "integer!", "port": "integer", "state": "string", "kind": "string!"}},
    "jobs": {"noun": "job", "key": "id", "fields": {
      "id": "integer!", "title": "string", "state": "string", "doing": "string", "by": "string", "on": "string",
      "madeAt": "time", "begunAt": "time", "doneAt": "time", "final": "boolean", "parts": "array",
      "next": {"type": "object", "hidden": true}, "nextAt": {"type": "time", "hidden": true}}},
    "jobLogs": {"noun": "log", "parents": {"job": "jobs"}, "key": "part",
      "fields": {"job": "integer!", "part": "integer!", "text": "string"}}
  },
  "tasks": {
    "resource": "jobs", "logs": "jobLogs", "due": "nextAt", "plan": "next", "log": "text",
    "members": {"id": "id", "name": "title", "status": "state", "operation": "doing", "runCount": "runs", "creator": "by",
      "executor": "on", "created": "madeAt", "started": "begunAt", "finished": "doneAt", "noRollback": "final",
      "subtasks": ["parts", "steps"], "before": "ups", "after": "downs"},
    "statuses": {"pending": "P", "ready": "Y", "running": "R", "cancelling": "C", "failed": "F", "successful": "S"},
    "operations": {"execute": "E", "retry": "T", "rollback": "B", "skip": "K", "cancel": "X"},
    "row": {"zone": "${with.zone}"}, "answer": {"host": "${with.host}"}, "subtask": {"runs": 1}
  },
  "steps": {
    "count": [{"set": "zones", "where": {"name": "${with.zone}"},
      "to": {"hostCount": {"$count": "hosts", "where": {"zone": "${with.zone}"}}}}],
    "drop": [{"remove": "hosts", "where": {"id": "${with.host}"}}, {"run": "count", "with": {"zone": "${with.zone}"}}]
  },
  "endpoints": [
    {"method": "POST", "path": "/zones/{name}/hosts", "does": "write", "form": "object",
      "placeholders": {"name": "zones"},
      "parameters": [{"name": "force", "type": "boolean", "match": "ignored"}],
      "body": {"type": "object", "fields": {"port": "integer", "more": "any", "free": "object",
        "disks": {"type": "array", "items": {"type": "object", "fields": {"path": "string"}}}}},
      "effects": [
        {"refuse": "taken", "if": "hosts", "where": {"zone": "${zones.name}", "port": "${body.port}"}},
        {"insert": "hosts", "row": {"zone": "${path.name}", "kind": "x", "port": {"$first": ["${body.port}", 1]}}},
        {"each": "${body.disks}", "do": [
          {"set": "hosts", "where": {"id": "${new.hosts.id}"}, "to": {"port": "${row.port}", "disk": "${item.path}"}}]},
        {"if": "${query.force}", "is": true, "then": [{"run": "drop", "with": {"zone": "a", "host": 1}}]},
        {"task": "make", "of": {"zone": "${path.name}"}, "during": {"One": [
          {"set": "hosts", "where": {"id": "${new.hosts.id}"}, "to": {"state": null}, "optional": true}]}, "end": []},
        {"operate": "skip", "task": "${task.id}", "subtask": 7}
      ],
      "answers": {"task": "${task}", "at": "on ${now} by ${user}", "last": "${row.id}",
        "first": {"$find": "hosts", "where": {"zone": "a"}, "take": "${found.id}"},
        "list": {"$map": {"$union": ["${rows}", []], "by": "id"}, "to": "${item.id}"}, "file": {"$file": "plain"}}
    }
  ]
}
)";

constexpr std::string_view kTask = R"({"title": "Make", "parts": [{"title": "One"}, {"title": "Two"}]})";

// The refusal without the name of the file where that is the catalogue's; "accepted" without one.
std::string refusal(std::string_view text, std::vector<SourceFile> more = {}) {
  std::vector<SourceFile> files{
      {"a.json", std::string(text)}, {"answers/make.json", std::string(kTask)}, {"answers/plain.json", R"({"a": 1})"}};
  files.insert(files.end(), more.begin(), more.end());
  try {
    read_source(files);
  } catch (const SourceError& error) {
    const std::string_view what = error.what();
    return std::string(what.starts_with("a.json:") ? what.substr(what.find(':') + 1) : what);
  }
  return "accepted";
}

struct Mistake {
  std::string_view old_text;
  std::string_view new_text;
  std::string_view refusal;
};

void check_refusals(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.new_text);
    std::string text(kCatalogue);
    const auto at = text.find(mistake.old_text);
    REQUIRE(at != std::string::npos);
    CHECK(refusal(text.replace(at, mistake.old_text.size(), mistake.new_text)) == mistake.refusal);
  }
}

}  // namespace

TEST_CASE("effects: the catalogue of these tests is right as it is") { CHECK(refusal(kCatalogue) == "accepted"); }

TEST_CASE("effects: mistakes in steps are refused where they are") {
  check_refusals({
      {R"({"insert": "hosts")", R"({"isnert": "hosts")",
       R"(35:10: the step is 'isnert'; it must be one of refuse, insert, set, remove, operate, each, let, if, run, task; did you mean 'insert'?)"},
      {R"({"insert": "hosts")", R"({"insert": "host")", R"(35:10: 'host' is no resource; did you mean 'hosts'?)"},
      {R"({"operate": "skip", "task": "${task.id}", "subtask": 7})", "{}", R"(41:9: a step must say what it does)"},
      {R"({"operate": "skip", "task": "${task.id}", "subtask": 7})", "7", R"(41:9: this must be an object)"},
      {R"("kind": "x", )", "", R"(35:29: row must have kind, which each of hosts has)"},
      {R"("zone": "${path.name}", "kind")", R"("kind")", R"(35:29: row must have zone, which each of hosts has)"},
      {R"("row": {"zone": "${path.name}", "kind": "x", "port")", R"("row": {"$merge": [{}], "port")",
       R"(35:37: row must be an object without operators)"},
      {R"("where": {"zone": "${zones.name}")", R"("where": {"zoen": "${zones.name}")",
       R"(34:54: 'zoen' is no field of hosts; did you mean 'zone'?)"},
      {R"({"remove": "hosts", "where": {"id": "${with.host}"}})", R"({"remove": "hosts"})",
       R"(25:14: where is missing; it must be an object)"},
      {R"({"remove": "hosts", "where": {"id": "${with.host}"}})", R"({"remove": "zones", "where": {"tags": 1}})",
       R"(25:44: tags is of type array, which is not compared)"},
      {R"("optional": true)", R"("optionla": true)",
       R"(40:87: 'optionla' is unknown here; known are optional, set, source, to, where; did you mean 'optional'?)"},
      {R"("refuse": "taken", "if")", R"("refuse": "token", "if")",
       R"(34:10: refuse is 'token'; it must be one of taken, state, missing, used, invalid; did you mean 'taken'?)"},
      {R"("refuse": "taken", "if")", R"("refuse": "taken", "unless": "hosts", "if")",
       R"(34:9: a refusal must have one of if, unless and when)"},
      {R"("refuse": "taken", "if": "hosts", "where")", R"("refuse": "taken", "when": 1, "where")",
       R"(34:9: resource is missing; it must be a string)"},
      {R"("refuse": "taken", "if": "hosts", "where")", R"("refuse": "invalid", "if": "hosts", "where")",
       R"(34:9: member is missing)"},
      {R"("refuse": "taken", "if": "hosts", "where")",
       R"("refuse": "invalid", "member": "port", "of": 1, "if": "hosts", "where")", R"(34:9: needs is missing)"},
      {R"("refuse": "taken", "if": "hosts", "where")", R"("refuse": "state", "has": "x", "if": "hosts", "where")",
       R"(34:9: needs is missing)"},
      {R"("refuse": "taken", "if": "hosts", "where")",
       R"("refuse": "taken", "needsChinese": "x", "if": "hosts", "where")",
       R"(34:29: 'needsChinese' is unknown here; known are has, if, needs, noun, of, refuse, resource, source, unless, when, where)"},
      {R"("do": [)", R"("od": [)", R"(36:9: do is missing)"},
      {R"("then": [{"run")", R"("than": [{"run")", R"(38:9: then is missing)"},
      {R"("end": [])", R"("end": {})", R"(40:115: end must be an array of steps)"},
      {R"({"run": "count", "with")", R"({"run": "conut", "with")",
       R"(25:69: 'conut' is no name of steps; did you mean 'count'?)"},
      {R"("with": {"zone": "a", "host": 1})", R"("with": {"zone": "a", "host": 1, "hots": 1})",
       R"(38:104: 'hots' is not used by the steps drop; did you mean 'host'?)"},
      {R"({"run": "count", "with": {"zone": "${with.zone}"}})",
       R"({"run": "drop", "with": {"zone": 1, "host": "${with.zone}"}})", R"(25:5: the steps drop run themselves)"},
      {R"("then": [{"run": "drop", "with": {"zone": "a", "host": 1}}])", R"("then": [])",
       R"(25:5: nothing runs the steps drop)"},
  });
}

TEST_CASE("effects: the least of a member of a body fits its type") {
  check_refusals({
      {R"("port": "integer", "more")", R"("port": {"type": "integer", "least": 1, "alias": "p"}, "more")", "accepted"},
      {R"("port": "integer", "more")", R"("port": {"type": "integer", "least": "1"}, "more")",
       R"(31:73: least must be an integer from 0 to 9007199254740992)"},
      {R"("port": "integer", "more")", R"("port": {"type": "integer", "least": 0.5}, "more")",
       R"(31:73: least must be an integer from 0 to 9007199254740992)"},
      {R"("port": "integer", "more")", R"("port": {"type": "number", "least": 0.5}, "more")", "accepted"},
      {R"("port": "integer", "more")", R"("port": {"type": "number", "least": -1}, "more")",
       R"(31:72: least must be a number from 0 to 9007199254740992)"},
      {R"("port": "integer", "more")", R"("port": {"type": "time", "least": 1}, "more")",
       R"(31:70: least is for the types integer, number, string and array only)"},
      {R"("port": "integer", "more")", R"("port": {"type": "string", "least": 2}, "more")",
       R"(31:72: least must be 1 for a string: it is not empty then)"},
  });
}

TEST_CASE("effects: all rows are taken, or at most some") {
  check_refusals({
      {R"("where": {"zone": "a"}, "take")", R"("where": {"zone": "a"}, "most": "${body.port}", "take")", "accepted"},
      {R"("where": {"zone": "a"}, "take")", R"("where": {"zone": "a"}, "most": "${body.prot}", "take")",
       R"(44:69: 'prot' is no field of the body; did you mean 'port'?)"},
      {R"("where": {"zone": "a"}, "take")", R"("where": {"zone": "a"}, "most": 2, "all": true, "take")",
       R"(44:72: all cannot be combined with most)"},
  });
}

TEST_CASE("effects: what a string keeps is the part before a text") {
  check_refusals({
      {R"("port": "integer", "more")", R"("port": "integer", "url": {"type": "string", "keepsBefore": "?"}, "more")",
       "accepted"},
      {R"("port": "integer", "more")", R"("port": {"type": "integer", "keepsBefore": "?"}, "more")",
       R"(31:73: keepsBefore is for the type string only)"},
      {R"("port": "integer", "more")", R"("port": {"type": "string", "keepsBefore": ""}, "more")",
       R"(31:72: keepsBefore must not be empty)"},
  });
}

TEST_CASE("effects: members that bodies share are called by a name") {
  const auto refused = [](std::string_view members, std::string_view free) {
    std::string text(kCatalogue);
    text.replace(text.find(R"("free": "object")"), 16, free);
    return refusal(text, {{"b.json", fmt::format(R"({{"members": {}}})", members)}});
  };
  constexpr std::string_view kDisk = R"({"disk": {"path": "string!", "slot": {"type": "integer", "least": 1}}})";
  CHECK(refused(kDisk, R"("free": {"type": "object", "fields": "disk"})") == "accepted");
  CHECK(refused(kDisk, R"("free": {"type": "object", "fields": "dsik"})") ==
        "31:116: 'dsik' is no name of members that come before; did you mean 'disk'?");
  CHECK(refused(kDisk, R"("free": {"type": "object", "fields": 7})") ==
        "31:106: fields must be an object, or the name of members");
  CHECK(refused(kDisk, R"("free": {"type": "integer", "fields": "disk"})") ==
        "31:107: fields are for the type object only");
  CHECK(refused(kDisk, R"("free": "object")") == "b.json:1:14: no body has the members disk");
  CHECK(refused(R"({"disk": "string"})", R"("free": "object")") == "b.json:1:14: disk must be an object");
  // So that none has itself.
  CHECK(refused(R"({"disk": {"inner": {"type": "object", "fields": "disk"}}})", R"("free": "object")") ==
        "b.json:1:61: 'disk' is no name of members that come before");
}

TEST_CASE("effects: what a task's page refers to is there where the task starts") {
  const auto refused = [](std::string_view reference) {
    std::string text(kCatalogue);
    text.replace(text.find(R"("task": "make")"), 14, R"("task": "page")");
    text.replace(text.find(R"({"$file": "plain"})"), 18, R"([{"$file": "plain"}, {"$file": "make"}])");
    return refusal(text, {{"answers/page.json",
                           fmt::format(R"([{{"zone": "${{{}}}", "parts": [{{"title": "One"}}]}}])", reference)}});
  };
  CHECK(refused("path.name") == "accepted");
  CHECK(refused("path.nmae") ==
        "39:10: page as a template: 1:36: 'nmae' is no placeholder of the path; did you mean 'name'?");
  CHECK(refused("with.zone") ==
        "39:10: page as a template: 1:36: ${with.zone} is for named steps and the rules of tasks only");
}

TEST_CASE("effects: a row may say that a field is computed, as fixtures do") {
  std::string text(kCatalogue);
  const std::string_view fields = R"("kind": "string!"}})";
  text.replace(text.find(fields), fields.size(),
               R"("kind": "string!", "seen": "time", "span": {"type": "number", "computedFrom": "seen"}}})");
  const std::string_view row = R"("kind": "x", )";
  const auto refused = [&](std::string_view member) {
    return refusal(std::string(text).replace(text.find(row), row.size(), fmt::format(R"("kind": "x", {}, )", member)));
  };
  CHECK(refused(R"("seen": "${now}", "$span": "computed")") == "accepted");
  CHECK(refused(R"("$span": 7)") == R"(35:74: $span must be "computed")");
  CHECK(refused(R"("$seen": "computed")") == "35:74: row must be an object without operators");
}

TEST_CASE("effects: mistakes in tasks are refused where they are") {
  check_refusals({
      {R"("task": "make")", R"("task": "makes")", R"(39:10: 'makes' is no file in answers/; did you mean 'make'?)"},
      {R"("task": "make")", R"("task": "plain")", R"(39:10: the file must be a task with parts)"},
      {R"("task": "make")", R"("task": null)", R"(39:9: name is missing)"},
      {R"("task": "make")", R"("task": null, "name": "Do it")",
       R"(39:9: a task without a file must have subtasks, an array of their names)"},
      {R"("task": "make")", R"("task": "make", "subtasks": ["One"])",
       R"(39:26: 'subtasks' is unknown here; known are during, end, failed, name, of, retried, rolledBack, source, task)"},
      {R"("of": {"zone")", R"("of": {"zoen")",
       R"(39:33: 'zoen' is not used by the rules of tasks; did you mean 'zone'?)"},
      {R"("during": {"One")", R"("during": {"Oen")", R"(39:69: 'Oen' is no subtask of the task; did you mean 'One'?)"},
      {R"("operate": "skip")", R"("operate": "undo")",
       R"(41:10: operate is 'undo'; it must be one of retry, rollback, skip, cancel)"},
      {R"(, "subtask": 7})", "}", R"(41:9: subtask is missing)"},
      {R"("due": "nextAt")", R"("due": "doneAt")", R"(14:44: due must be a field that is hidden and not required)"},
      {R"("due": "nextAt")", R"("due": "next")", R"(14:44: due must be a field of type time)"},
      {R"("plan": "next")", R"("plan": "nextAt")", R"(14:61: plan must be a field of type object)"},
      {R"("logs": "jobLogs")", R"("logs": "hosts")", R"(14:75: 'text' is no field of hosts)"},
      {R"("log": "text")", R"("log": "part")", R"(14:77: log must be a field of type string)"},
      {R"("members": {"id": "id")", R"("members": {"id": "title")",
       R"(15:17: id must be the key of jobs, of type integer)"},
      {R"("name": "title")", R"("name": "tilte")", R"(15:29: 'tilte' is no field of jobs; did you mean 'title'?)"},
      {R"("subtasks": ["parts")", R"("subtasks": ["state")", R"(17:20: the first must be a field of type array)"},
      {R"("ready": "Y", )", "", R"(18:17: ready is missing; it must be a string)"},
      {R"("cancel": "X"})", R"("cancel": "X", "undo": "U"})",
       R"(19:95: 'undo' is unknown here; known are cancel, execute, retry, rollback, skip)"},
      {R"("row": {"zone": "${with.zone}"})", R"("row": {"zone": "${body.zone}"})",
       R"(20:21: ${body.zone} is of a request, which is not known here; pass it by with)"},
  });
  const std::string tasks(kCatalogue.substr(kCatalogue.find(R"(  "tasks")"),
                                            kCatalogue.find(R"(  "steps")") - kCatalogue.find(R"(  "tasks")") - 2));
  CHECK(refusal(kCatalogue, {{"b.json", "{" + tasks + "}"}}) == R"(b.json:1:4: tasks must stand in one file)");
}

TEST_CASE("effects: mistakes in references are refused where they are") {
  check_refusals({
      {"${body.port}", "${body.prot}", R"(34:87: 'prot' is no field of the body; did you mean 'port'?)"},
      {"${body.port}", "${body.port.a}", R"(34:87: ${body.port.a} has 'a' below what has no members)"},
      {"${body.port}", "${body.disks.path}", R"(34:87: ${body.disks.path} has 'path' where an array needs an index)"},
      {"${body.port}", "${body.disks.0.size}", R"(34:87: 'size' is no field of the body)"},
      {"${body.port}", "${body.disks.0.path}", "accepted"},
      {"${body.port}", "${body.more.a.b}", "accepted"},
      {"${body.port}", "${body.free.a.b}", "accepted"},
      {"${body.port}", "${path.id}", R"(34:87: 'id' is no placeholder of the path)"},
      {"${body.port}", "${path.name.a}", R"(34:87: ${path.name.a} has no members)"},
      {"${body.port}", "${path}", R"(34:87: ${path} must have a name)"},
      {"${body.port}", "${query.froce}", R"(34:87: 'froce' is no parameter of the endpoint; did you mean 'force'?)"},
      {"${body.port}", "${zones.nmae}", R"(34:87: 'nmae' is no field of zones; did you mean 'name'?)"},
      {"${body.port}", "${hosts.port}", R"(34:87: ${hosts.port} needs a placeholder that is a key of hosts)"},
      {"${body.port}", "${zone.name}",
       R"(34:87: ${zone.name} begins with neither a resource nor one of path, query, body, new, row, rows, task, tasks, item, found, with, now, user, origin, failure; did you mean 'zones'?)"},
      {"${body.port}", "${body..port}", R"(34:87: ${body..port} must be names with a dot between them)"},
      {"${body.port}", "${body.port", R"(34:87: a reference that begins with ${ must end with })"},
      {"${body.port}", "${item}", R"(34:87: ${item} is for each and $map only)"},
      {"${body.port}", "${found.id}", R"(34:87: ${found.id} is for what $find takes only)"},
      {"${body.port}", "${row.id}", R"(34:87: ${row.id} is for to and answers only)"},
      {"${body.port}", "${rows}", R"(34:87: ${rows} is for answers only)"},
      {"${body.port}", "${with.port}", R"(34:87: ${with.port} is for named steps and the rules of tasks only)"},
      {"${body.port}", "${now.year}", R"(34:87: ${now.year} has no members)"},
      {"${new.hosts.id}", "${new}", R"(37:44: ${new} must have the name of a resource)"},
      {"${new.hosts.id}", "${new.host.id}", R"(37:44: 'host' is no resource; did you mean 'hosts'?)"},
      {"${new.hosts.id}", "${new.zones.name}", R"(37:44: ${new.zones.name} needs a step that inserts zones)"},
      {"${new.hosts.id}", "${new.hosts.ip}", R"(37:44: 'ip' is no field of hosts; did you mean 'id'?)"},
      {"${row.port}", "${row.prot}", R"(37:79: 'prot' is no field of hosts; did you mean 'port'?)"},
      {"${found.id}", "${found.ip}", R"(44:69: 'ip' is no field of hosts; did you mean 'id'?)"},
      {R"("id": "${with.host}")", R"("id": "${path.host}")",
       R"(25:50: ${path.host} is of a request, which is not known here; pass it by with)"},
      {R"("id": "${with.host}")", R"("id": "${zones.name}")",
       R"(25:50: ${zones.name} is of a request, which is not known here; pass it by with)"},
      {R"("id": "${with.host}")", R"("id": "${with}")", R"(25:50: ${with} must have a name)"},
  });
}

TEST_CASE("effects: mistakes in operators and answers are refused where they are") {
  check_refusals({
      {R"({"$first": ["${body.port}", 1]})", R"({"$frist": ["${body.port}", 1]})",
       R"(35:83: the operator is '$frist'; it must be one of $first, $if, $find, $count, $sum, $max, $map, $filter, $size, $union, $without, $merge, $named, $add, $multiply, $seconds, $after, $split, $join, $made, $file; did you mean '$first'?)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$first": "${body.port}"})",
       R"(35:93: $first must be an array of templates)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$first": [1], "else": 1})",
       R"(35:98: 'else' is unknown here; known are $first)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$first": [1], "$add": [1]})",
       R"(35:83: '$first' is unknown here; known are $add)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$if": 1})", R"(35:82: then is missing)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$if": 1, "is": 1, "then": 2, "else": "${bdoy}"})",
       R"(35:121: ${bdoy} begins with neither a resource nor one of path, query, body, new, row, rows, task, tasks, item, found, with, now, user, origin, failure; did you mean 'body'?)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$add": [1, 2, "${body.port}"]})", "accepted"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$merge": [{"a": "${body.port}"}]})", "accepted"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$split": "1,2"})", R"(35:82: by is missing; it must be a string)"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$split": "1,2", "by": ","})", "accepted"},
      {R"({"$first": ["${body.port}", 1]})", R"({"$join": [1, 2], "by": ","})", "accepted"},
      {R"({"$count": "hosts")", R"({"$count": "hsots")", R"(24:28: 'hsots' is no resource; did you mean 'hosts'?)"},
      {R"("take": "${found.id}")", R"("all": "yes")", R"(44:61: all must be true or false)"},
      {R"(, "to": "${item.id}")", "", R"(45:17: to is missing)"},
      {R"({"$union": ["${rows}", []], "by": "id"})", R"({"$union": ["${rows}"], "by": "id"})",
       R"(45:37: $union must be an array of 2 templates)"},
      {R"({"$union": ["${rows}", []], "by": "id"})", R"({"$without": ["${rows}", []], "of": "id"})",
       R"(45:56: of needs by)"},
      {R"({"$file": "plain"})", R"({"$file": "plane"})",
       R"(45:97: 'plane' is no file in answers/; did you mean 'plain'?)"},
      {R"(, "file": {"$file": "plain"})", "", R"(answers/plain.json:1:1: nothing refers to this file)"},
      {R"("form": "object")", R"("form": "nothing")", R"(43:7: answers do not fit the form nothing)"},
      {R"("form": "object")", R"("form": "list")", R"(43:7: answers must be an array, the contents)"},
      {R"("answers": {)", R"("answer": {)", R"(28:5: answers are missing; they must be the template of the data)"},
      {R"("effects": [)", R"("effect": [)", R"(28:5: effects are missing; they must be an array of steps)"},
      {R"({"operate": "skip", "task": "${task.id}", "subtask": 7})", R"({"operate": "retry", "task": 7})", "accepted"},
  });
}

TEST_CASE("effects: what answers refer to must have been made") {
  const auto with_effects = [](std::string_view effects, std::string_view answers) {
    std::string text(kCatalogue);
    const auto begin = text.find(R"("effects")");
    return text.replace(begin, text.find("\n    }\n  ]\n}") - begin,
                        std::string(R"("effects": [{"run": "drop", "with": {"zone": 1, "host": 2}}, )")
                            .append(effects)
                            .append(R"(], "answers": )")
                            .append(answers));
  };
  const std::string_view remove = R"({"remove": "zones", "where": {"name": {"$file": "plain"}}})";
  const std::string_view add = R"({"insert": "zones", "row": {"name": {"$file": "plain"}}})";
  const std::string_view start = R"({"task": "make", "name": {"$file": "plain"}})";
  const std::string task(start);
  CHECK(refusal(with_effects(std::string(add) + ", " + task, R"({"a": "${task.id}", "b": "${new.zones}"})")) ==
        "accepted");
  CHECK(refusal(with_effects(task, R"("${tasks}")")) == "accepted");
  CHECK(refusal(with_effects(
            std::string(remove) + R"(, {"each": [], "do": [{"insert": "zones", "row": {"name": {"$file": "make"}}}]})",
            R"("${task}")")) == R"(33:219: ${task} needs a step with a task)");
  CHECK(refusal(with_effects(task, R"({"a": "${new.zones.name}"})")) ==
        R"(33:132: ${new.zones.name} needs a step that inserts zones)");
  CHECK(refusal(with_effects(task, R"("${row}")")) == "accepted");  // the steps that run set one
}

TEST_CASE("effects: the tables have the effects, the steps, each answer once and the rules of tasks") {
  const std::string cpp = emit_cpp(read_source({{"a.json", std::string(kCatalogue)},
                                                {"answers/make.json", std::string(kTask)},
                                                {"answers/plain.json", "{}"}}),
                                   "x_catalogue");
  for (const std::string_view text : {
           R"(constexpr NamedJson steps[2])",
           R"(constexpr NamedJson answers[2] = {
    {"make", "{\"parts\":[{\"title\":\"One\"},{\"title\":\"Two\"}],\"title\":\"Make\"}"},
    {"plain", "{}"},
})",
           R"({\"operate\":\"skip\",\"subtask\":7,\"task\":\"${task.id}\"})",
           R"(\"to\":{\"state\":null})",
           R"(, Does::Write, )",
       }) {
    CAPTURE(text);
    CHECK(cpp.find(text) != std::string::npos);
  }
  CHECK(cpp.find(R"(&tasks, )") != std::string::npos);
}

TEST_CASE("effects: rows are found by where and by when their task is due") {
  const std::string sql = emit_sql(read_source(
      {{"a.json", std::string(kCatalogue)}, {"answers/make.json", std::string(kTask)}, {"answers/plain.json", "{}"}}));
  CHECK(sql.find(
            "CREATE INDEX job_by_due ON job\n  (next_at_second, next_at_nano) WHERE next_at_second IS NOT NULL;\n") !=
        std::string::npos);
  CHECK(sql.find("  id_ INTEGER NOT NULL,\n  port INTEGER,\n  json TEXT NOT NULL\n") != std::string::npos);
}
