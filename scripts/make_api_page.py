#!/usr/bin/env python3
"""make_api_page.py [--check]: writes docs/api.md, the endpoints that there are and what each does, of schema/api/.

With --check the file is compared, and 1 is returned if it would change.
"""
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FILE = TOP / "docs/api.md"
AREAS = {
    "server": "The server itself", "clusters": "Clusters, zones and servers", "tenants": "Tenants",
    "databases": "Databases, users and roles", "backup": "Backup and restore", "tasks": "Tasks", "hosts": "Hosts",
    "obproxy": "OBProxy", "packages": "Software packages", "performance": "SQL and reports", "monitoring": "Monitoring",
    "alarms": "Alarms", "inspection": "Inspection", "audit": "Audit",
}
HEAD = """# Endpoints

All endpoints of OCP that the server answers, made from [schema/api/](../schema/api/README.md) by
`scripts/make_api_page.py`. `GET /__admin/api` answers the same as JSON, with types and words. *Since* is the first version
of OCP that has the endpoint; `--ocp-version` hides later ones.

Filters stand behind the rows that a list has; `page`, `size` and `sort` are left out. What a request changes is named by the
resources, as it is when all goes well; a task does it while the world's clock goes on.
"""
NOT_FILTERS = ("page", "size", "sort", "length", "ignored")
CONSTANTS = {"time": "the time, as plain text", "info": "versions of the build", "status": "`okay`, as plain text",
             "welcome": "a page about this server"}


def read(pattern):
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((TOP / "schema/api").glob(pattern))}


class Changes:
    """What steps do to which resources, in the order of the steps, and the names of the tasks that they start."""

    def __init__(self, steps, named, answers):
        self.named, self.answers = named, answers
        self.changes, self.tasks, self.seen = {}, [], set()
        self.walk(steps)

    def walk(self, steps):
        for step in steps:
            for verb, change in (("insert", "adds"), ("set", "changes"), ("remove", "removes")):
                if verb in step:
                    self.changes.setdefault(change, {})[step[verb]] = None
            if "run" in step and step["run"] not in self.seen:
                self.seen.add(step["run"])
                self.walk(self.named[step["run"]])
            if "operate" in step:
                verb = {"retry": "retries", "rollback": "rolls back", "skip": "skips", "cancel": "cancels"}[step["operate"]]
                self.changes.setdefault(verb, {})["the subtask of a task" if "subtask" in step else "the task"] = None
            elif "task" in step:
                self.task(step["task"])
            # What is done where a task fails is left out.
            for key in ("do", "then", "else", "end"):
                if isinstance(step.get(key), list):
                    self.walk(step[key])
            for during in step.get("during", {}).values() if isinstance(step.get("during"), dict) else ():
                self.walk(during)

    def task(self, name):
        page = self.answers.get(name) if isinstance(name, str) else None
        page = page[0] if isinstance(page, list) else page
        title = page.get("name") if isinstance(page, dict) else None
        self.tasks.append(f"“{title}”" if title else "")

    def text(self):
        # What is added or removed is not said to change as well.
        known = {**self.changes.get("adds", {}), **self.changes.get("removes", {})}
        changed = {name: None for name in self.changes.pop("changes", {}) if name not in known}
        parts = [f"{verb} {', '.join(names)}" for verb, names in self.changes.items()]
        if changed:
            parts.append(f"changes {', '.join(changed)}")
        if self.tasks:
            titles = [title for title in dict.fromkeys(self.tasks) if title]
            parts.insert(0, "starts the task " + " or ".join(titles) if titles else "starts a task")
        return "; ".join(parts)


def filters(endpoint):
    names = [parameter["name"] for parameter in endpoint.get("parameters", ()) if parameter["match"] not in NOT_FILTERS]
    return f" ({', '.join(names)})" if names else ""


def what(endpoint, named, answers):
    does = endpoint["does"]
    if does == "list":
        return endpoint["resource"] + filters(endpoint)
    if does == "get":
        return f"one of {endpoint['resource']}{filters(endpoint)}"
    if does == "constant":
        return CONSTANTS[endpoint["constant"]]
    if does == "series":
        return "values of metrics over time, made of the request"
    if does == "document":
        return f"`{endpoint['document']}` of one of {endpoint['resource']}, as HTML"
    if does == "fixed":
        return "the same for every request" if endpoint["method"] == "GET" else "accepted; nothing shows it"
    changed = Changes(endpoint["effects"], named, answers).text()
    return changed or ("depends on the query" if endpoint["method"] == "GET" else "checked and answered; changes nothing")


def page():
    files, answers = read("*.json"), read("answers/*.json")
    named = {name: steps for file in files.values() for name, steps in file.get("steps", {}).items()}
    left = set(files) - set(AREAS)
    if left:
        sys.exit(f"make_api_page.py: no title for {', '.join(sorted(left))}; add one to AREAS")
    lines = [HEAD]
    for area, title in AREAS.items():
        lines += [f"## {title}", "", "| endpoint | what it answers or does | since |", "|---|---|---|"]
        for endpoint in sorted(files[area]["endpoints"], key=lambda one: (one["path"], one["method"])):
            paths = " or ".join(f"`{path}`" for path in (endpoint["path"], *endpoint.get("aliases", ())))
            lines.append(f"| {endpoint['method']} {paths} | {what(endpoint, named, answers)} | {endpoint.get('since', '')} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: make_api_page.py [--check]")
    made = page()
    if not sys.argv[1:]:
        FILE.write_text(made, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != made:
        sys.exit("make_api_page.py: docs/api.md is not what schema/api/ says; run scripts/make_api_page.py")


main()
