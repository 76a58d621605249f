#!/usr/bin/env python3
"""make_fixture_schema.py [--check]: writes what schema/fixture.schema.json says of fixture sets as schema/api/ has it.

The members of a set that are not written by hand are the resources of schema/api/, with their fields. All else in the
file stays as it is. With --check the file is compared, and 1 is returned if it would change.
"""
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FILE = TOP / "schema/fixture.schema.json"
WRITTEN_BY_HAND = ("$schema", "clusters", "logBackupTasks", "exchanges")
TYPES = {"time": "string"}
WIDTH = 120


def resources():
    found = {}
    for file in sorted((TOP / "schema/api").glob("*.json")):
        found |= json.loads(file.read_text(encoding="utf-8")).get("resources", {})
    return found


def rows(resource):
    """The schema of an array of rows. Fields that must not be there may be null."""
    properties = {}
    required = []
    for name, field in resource["fields"].items():
        kind = field if isinstance(field, str) else field["type"]
        known = TYPES.get(kind.rstrip("!"), kind.rstrip("!"))
        properties[name] = {"type": known if kind.endswith("!") else [known, "null"]}
        if kind.endswith("!"):
            required.append(name)
    item = {"type": "object"}
    if required:
        item["required"] = required
    item["properties"] = properties
    return {"type": "array", "items": item}


def names_of(alternatives):
    """The names of [{"required": [NAME]}, ...]; empty for any other list."""
    is_one = [isinstance(one, dict) and list(one) == ["required"] and len(one["required"]) == 1 for one in alternatives]
    return [one["required"][0] for one in alternatives] if all(is_one) else []


def add_members(node, names):
    """Adds the names wherever one of a set's members is required."""
    if isinstance(node, dict):
        known = names_of(node.get("anyOf", [None]))
        if "logBackupTasks" in known:
            node["anyOf"] = [{"required": [name]} for name in known if name not in names or name in WRITTEN_BY_HAND]
            node["anyOf"] += [{"required": [name]} for name in names if name not in WRITTEN_BY_HAND]
        for value in node.values():
            add_members(value, names)
    elif isinstance(node, list):
        for value in node:
            add_members(value, names)


def layout(value, indent=0, key=""):
    """JSON in lines of at most WIDTH characters; what fits in one stands in one."""
    line = json.dumps(value, ensure_ascii=False)
    if indent and indent + len(key) + len(line) < WIDTH - 1 or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {layout(v, indent + 2, json.dumps(k) + ': ')}" for k, v in value.items()]
    else:
        items = [layout(v, indent + 2) for v in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(inner + item for item in items) + "\n" + " " * indent + closing


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__.strip() if sys.argv[1:] in (["-h"], ["--help"]) else "usage: make_fixture_schema.py [--check]")
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    before = FILE.read_text(encoding="utf-8")
    schema = json.loads(before)
    known = resources()
    fixture_set = schema["definitions"]["fixtureSet"]
    members = {name: value for name, value in fixture_set["properties"].items() if name in WRITTEN_BY_HAND}
    members |= {name: rows(known[name]) for name in sorted(known) if name not in WRITTEN_BY_HAND}
    fixture_set["properties"] = members
    add_members(schema, sorted(known))
    after = layout(schema) + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(after, encoding="utf-8")
    elif after != before:
        print("schema/fixture.schema.json is not what schema/api/ says; run scripts/make_fixture_schema.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
