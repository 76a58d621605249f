#!/usr/bin/python3
"""Holds schema/api against what OCP's API reference documents: check_catalogue.py [--print]

Every endpoint of catalogue.json must be there, with its path's placeholders, its parameters, the fields of its body,
the form of its data and its first version. Where schema/api differs on purpose, deviations.json says why:
{"METHOD /path": {"difference": "reason"}}. A difference without a reason fails, and so does a reason without its
difference. --print prints the differences that there are.
"""
import json
import re
import sys

from documented import HERE, Catalogue, documented_endpoints

# Documented type: the types of schema/api that read it, and whether it repeats.
PARAMETER_TYPES = {
    "String": ({"string", "word"}, False),
    "Integer": ({"integer"}, False),
    "Long": ({"integer"}, False),
    "Boolean": ({"boolean"}, False),
    "Datetime": ({"time", "utcTime"}, False),
    "OffsetDateTime": ({"time", "utcTime"}, False),
    "Array": ({"string", "word", "integer"}, True),
    "StringArray": ({"string", "word"}, True),
    "LongArray": ({"integer"}, True),
}
BODY_TYPES = {
    "String": "string",
    "Enum": "string",
    "Binary": "string",
    "OffsetTime": "string",
    "OffsetDateTime": "time",
    "Integer": "integer",
    "Long": "integer",
    "Number": "number",
    "Boolean": "boolean",
    "Array": "array",
    "Arrays": "array",
    "Map": "object",
    "StringArray": "array of string",
    "ArrayString": "array of string",
    "LongArray": "array of integer",
    "ObjectArray": "array of object",
}  # the names of structures are objects
# Where in a body a documented structure stands; "" is the whole, or each item of an array.
STRUCTURES = {
    "BackupConfigParam": ["backupConfig"],
    "FailoverTenantItem": ["failoverTenantItemList"],
    "HostBasicData": ["hostBasicDataList"],
    "ObLink": ["", "obLinks"],
    "ObjectStorageSecretParam": ["backupConfig.ossSecretModel"],
    "ObproxyParameter": ["startupParameters", "parameters"],
    "ObproxyTakeOverParam": ["hosts"],
    "RestoreTenantParam": [""],
    "SetClusterParameterParam": [""],
    "SwitchoverObTenantParam": ["tenantParamList"],
    "TenantParameterParam": [""],
    "obBackupScheduleConfig": ["obBackupScheduleConfig"],
    "obBackupServiceStorageConfig": ["obBackupServiceStorageConfig"],
    "obBackupThresholdConfig": ["obBackupThresholdConfig"],
    "obSecondaryBackupConfig": ["obSecondaryBackupConfig"],
}
PAGING = {"page": "integer", "size": "integer", "sort": "string"}  # their match says how they are read
FIRST_VERSION = "V4.0.0"


def words_of_parameter(catalogue, endpoint, parameter):
    name = parameter.get("words")
    if name is None and parameter.get("type", "").startswith("word"):
        name = catalogue.field(endpoint["resource"], parameter.get("field", parameter["name"])).get("words")
    return name and catalogue.word_list(name)


def documented_words(parameter):
    """Of an enumeration; a single word is an example of a value. Each once: two words may be explained alike."""
    words = sorted(set(parameter.get("values", [])))
    return words if len(words) > 1 else None


def requirement(required):
    return "required" if required else "optional"


def one_of(words):
    return " ".join(words) if words else "any"


class Differences:
    def __init__(self):
        self.found = []

    def compare(self, what, documented, here):
        if documented != here:
            self.found.append(f"{what}: documented is {documented}, here {here}")

    def compare_words(self, what, documented, here):
        if sorted(documented or []) != sorted(here or []):
            self.found.append(f"{what}: documented is {one_of(documented)}, here {one_of(here)}")


def compare_path(catalogue, documented, endpoint, differences):
    names = re.findall(r"{(\w+)}", documented["path"])
    differences.compare("placeholders", sorted(names), sorted(endpoint.get("placeholders", {})))
    for parameter in documented["parameters"]:
        name = parameter["name"]
        if parameter["in"] != "path":
            continue
        if name not in endpoint.get("placeholders", {}):
            differences.found.append(f"path {name}: documented, here missing")
            continue
        kind = "string" if parameter["type"] == "String" else "integer"
        differences.compare(f"path {name}", kind, catalogue.type_of_placeholder(endpoint, name))


def compare_query(catalogue, documented, endpoint, differences):
    here = {parameter["name"]: parameter for parameter in endpoint.get("parameters", [])}
    by_alias = {parameter["alias"]: parameter for parameter in here.values() if "alias" in parameter}
    rest = set(here)
    for parameter in documented["parameters"]:
        name = parameter["name"]
        if parameter["in"] != "query":
            continue
        known = here.get(name)
        if known is None and name in by_alias:
            known = by_alias[name]
            differences.found.append(f"query {name}: here an alias of {known['name']}")
        if known is None:
            differences.found.append(f"query {name}: documented, here missing")
            continue
        rest.discard(known["name"])
        if known["match"] == "ignored" and documented["method"] == "GET":
            differences.found.append(f"query {name}: changes nothing here")
        if known["match"] in PAGING:
            differences.compare(f"query {name}", name, known["match"])
            differences.compare(f"query {name}", requirement(parameter["required"]), "optional")
            continue
        kinds, repeats = PARAMETER_TYPES[parameter["type"]]
        kind = known["type"].rstrip("!")
        if kind not in kinds:
            differences.found.append(f"query {name}: documented is {parameter['type']}, here {kind}")
        differences.compare(f"query {name}", requirement(parameter["required"]),
                            requirement(known["type"].endswith("!")))
        if repeats != known.get("repeats", False):
            differences.found.append(f"query {name}: documented is {parameter['type']}, here "
                                     f"{'several' if known.get('repeats') else 'one'}")
        differences.compare_words(f"query {name}", documented_words(parameter),
                                  words_of_parameter(catalogue, endpoint, known))
    for name in sorted(rest):
        differences.found.append(f"query {name}: not documented")


def body_fields(field, path, found):
    """Flattens a body of schema/api to {"a.b": field}."""
    items = field.get("items")
    field = items if isinstance(items, dict) else field
    for name, member in field.get("fields", {}).items():
        member = {"type": member} if isinstance(member, str) else member
        found[path + name] = member
        body_fields(member, f"{path}{name}.", found)
    return found


def documented_fields(documented):
    """The parameters of the body, and those of the structures whose place is known, as {"a.b": parameter}.

    The pages draw deeper levels of a structure without telling what they are below; see drawn_names()."""
    fields = {parameter["name"]: parameter for parameter in documented["parameters"] if parameter["in"] == "body"}
    for name, members in documented.get("structures", {}).items():
        members = [member for member in members
                   if member.get("in") == "body" and re.fullmatch(r"\w+", member["name"])]
        if not members:
            continue
        if "" in STRUCTURES[name]:
            fields.pop(name, None)  # a page's name for a body that is an array of it
        for place in STRUCTURES[name]:
            if place not in fields and (place or fields):
                continue
            for member in members:
                fields[f"{place}.{member['name']}" if place else member["name"]] = member
    return fields


def drawn_names(documented):
    """The names of members that the pages draw at a deeper level."""
    return {re.search(r"\w*$", member["name"])[0] for members in documented.get("structures", {}).values()
            for member in members if member.get("in") == "body" and not re.fullmatch(r"\w+", member["name"])}


def type_of_body_field(field):
    kind = field["type"].rstrip("!")
    items = field.get("items")
    items = items["type"] if isinstance(items, dict) else items
    return f"array of {items}" if kind == "array" and items else kind


def is_read_as(documented, here):
    """Whether a documented type is what schema/api reads."""
    right = BODY_TYPES.get(documented, "object")
    return here == right or (right, here) == ("string", "word") or (right == "array" and here.startswith("array of "))


def compare_body(catalogue, documented, endpoint, differences):
    here = body_fields(endpoint.get("body", {}), "", {})
    rest = set(here)
    for name, parameter in documented_fields(documented).items():
        what = f"body {name}"
        known = here.get(name)
        if known is None:
            differences.found.append(f"{what}: documented, here missing")
            continue
        rest.discard(name)
        kind = type_of_body_field(known)
        if not is_read_as(parameter["type"], kind):
            differences.found.append(f"{what}: documented is {parameter['type']}, here {kind}")
        differences.compare(what, requirement(parameter["required"]), requirement(known["type"].endswith("!")))
        words = catalogue.word_list(known["words"]) if "words" in known else None
        differences.compare_words(what, documented_words(parameter), words)
    drawn = drawn_names(documented)
    for name in sorted(rest):
        if "." not in name or name.rpartition(".")[2] not in drawn:
            differences.found.append(f"body {name}: not documented")


def compare(catalogue, documented):
    differences = Differences()
    endpoint = catalogue.endpoints.get((documented["method"], documented["path"]))
    if endpoint is None:
        return ["the endpoint is missing"]
    if endpoint["path"] != documented["path"]:
        differences.found.append(f"path: here an alias of {endpoint['path']}")
    compare_path(catalogue, documented, endpoint, differences)
    compare_query(catalogue, documented, endpoint, differences)
    compare_body(catalogue, documented, endpoint, differences)
    differences.compare("form", documented.get("form", "unknown"), endpoint.get("form", "bare"))
    differences.compare("since", documented["versions"][0], endpoint.get("since", FIRST_VERSION))
    return differences.found


def main():
    catalogue = Catalogue()
    documented = documented_endpoints()
    found = {}
    for endpoint in documented:
        if differences := compare(catalogue, endpoint):
            found[f"{endpoint['method']} {endpoint['path']}"] = differences
    if sys.argv[1:] == ["--print"]:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    known = json.loads((HERE / "deviations.json").read_text(encoding="utf-8"))
    problems = []
    for endpoint in sorted(found.keys() | known.keys()):
        here, reasons = found.get(endpoint, []), known.get(endpoint, {})
        problems += [f"{endpoint}: {one}; deviations.json has no reason for it" for one in here if one not in reasons]
        problems += [f"{endpoint}: deviations.json has a reason for '{one}', which is not so" for one in reasons
                     if one not in here]
        problems += [f"{endpoint}: {one}: the reason is empty" for one, why in reasons.items() if not why.strip()]
    print("\n".join(problems) or f"{len(documented)} endpoints, {sum(map(len, known.values()))} deviations with reasons")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
