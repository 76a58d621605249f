#!/usr/bin/python3
"""Asks every GET that answers rows, with every parameter: check_filters.py BINARY [examples]

The rows are those of the built-in data, or of all examples of OCP's API reference and, for filters that no example has
a value for, of rows.json. What must come is computed here from the rows that the server exports: by the parents in the
path, each filter alone with several values, pages and orders. Each row must have its resource's types, and the fields
that a row must have.
"""
import collections
import datetime
import json
import operator
import re
import string
import sys
import urllib.parse

from documented import HERE, Catalogue, Server, documented_endpoints, exact, example, example_call, write

TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)")
PYTHON_TYPES = {"integer": int, "number": (int, tuple), "string": str, "boolean": bool, "time": str, "array": list,
                "object": dict}
COMPARISONS = (operator.eq, operator.ne, operator.gt, operator.ge, operator.lt, operator.le)
OF_COMPARISON = ("attribute", "comparison", "operand")
KEEPS_ALL = ("ignored", "expression", "length", *OF_COMPARISON)  # by themselves, as here
TAKEN = 3  # values that each parameter is tried with
PARENTS = 3  # paths that each list is asked at
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def instant(text):
    """Seconds and nanoseconds."""
    civil, fraction, offset = TIME.fullmatch(text).groups()
    offset = "+0000" if offset in "Zz" else offset.replace(":", "")
    moment = datetime.datetime.strptime(civil.upper() + offset, "%Y-%m-%dT%H:%M:%S%z")
    return int(moment.timestamp()), int((fraction or "0").ljust(9, "0"))


def number(value):
    return float(value[1]) if isinstance(value, tuple) else value


def text_of(value):
    """As a query has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[1] if isinstance(value, tuple) else str(value)


def part(value, inside):
    """A member of an object, or the value itself."""
    return (value or {}).get(inside) if inside else value


class Model:
    """What must come of the exported rows."""

    def __init__(self, catalogue, rows):
        self.catalogue, self.rows = catalogue, rows

    def key(self, resource, field, value):
        """A value as it compares."""
        if value is None:
            return None
        kind = self.catalogue.field(resource, field)["type"]
        return instant(value) if kind == "time" else number(value) if kind in ("integer", "number") else value

    def answered(self, resource, row):
        fields = self.catalogue.resources[resource]["fields"]
        hidden = {name for name in fields if self.catalogue.field(resource, name).get("hidden")}
        return {name: value for name, value in row.items() if name not in hidden and not name.startswith("$")}

    def ordered(self, resource, rows, order):
        """By the last key first, each sort being stable. Rows without the field come last."""
        for text in reversed(order):
            field, _, direction = text.partition(",")
            having = [row for row in rows if row.get(field) is not None]
            having.sort(key=lambda row: self.key(resource, field, row[field]), reverse=direction == "desc")
            rows = having + [row for row in rows if row.get(field) is None]
        return rows

    def matches(self, resource, parameter, values, row):
        fields = parameter.get("fields", [parameter.get("field", parameter["name"])])
        match, inside = parameter["match"], parameter.get("inside")
        if match == "contains":
            texts = [part(row.get(field), inside) or "" for field in fields]
            return any(values[0].translate(LOWER) in text.translate(LOWER) for text in texts)
        if match in ("member", "noMember"):
            has = any(text_of(part(item, inside)) in values for item in row.get(fields[0]) or [])
            return has == (match == "member")
        own = part(row.get(fields[0]), inside)
        if own is None:
            return parameter.get("orMissing", False)
        if match in ("from", "until"):
            mine, bound = (self.key(resource, fields[0], one) for one in (own, values[0]))
            return mine >= bound if match == "from" else mine <= bound
        if parameter["type"].startswith("word"):
            name = parameter.get("words") or self.catalogue.field(resource, fields[0])["words"]
            means = self.catalogue.meanings(name)
            return means.get(own, own) in {means[value] for value in values}
        return text_of(own) in values


def is_plain(text, parameter):
    """That a query brings as it is, alone and in a list."""
    return text != "" and text == text.strip() and not (parameter.get("repeats") and "," in text)


def tried(catalogue, model, resource, parameter, rows):
    """Lists of values for a parameter: those that rows have, one that none has, and several at once."""
    fields = parameter.get("fields", [parameter.get("field", parameter["name"])])
    match, kind = parameter["match"], parameter["type"].rstrip("!")
    found = collections.OrderedDict()
    for row in rows:
        for field in fields:
            value = row.get(field)
            for one in value if isinstance(value, list) else [value]:
                one = part(one, parameter.get("inside"))
                if one is None or isinstance(one, dict):
                    continue
                text = text_of(one)
                if match == "contains" and len(text) > 2:
                    text = (text[1:-1].swapcase() if text.isascii() else text[1:-1]).strip()
                if kind == "utcTime":
                    second = instant(text)[0]
                    text = datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
                if is_plain(text, parameter):
                    found[text] = True
    values = list(found)
    if kind == "word":
        name = parameter.get("words") or catalogue.field(resource, fields[0])["words"]
        words = catalogue.word_list(name)
        values = [value for value in values if value in words]
        absent = [word for word in words if word not in values][:1]
    else:
        absent = {"string": ["no row has this"], "integer": ["987654321"], "number": ["987654321"]}.get(kind, [])
    chosen = [[value] for value in values[:TAKEN - 1] + values[-1:] + absent]
    if parameter.get("repeats") and values:
        chosen += [[values[0], values[-1]], [*values[:1], *absent]]
    return chosen


class Checks:
    def __init__(self, binary, fixtures):
        self.catalogue = Catalogue()
        self.server = Server(binary, fixtures)
        status, text = self.server.ask("GET", "/__admin/fixtures")
        assert status == 200, text
        exported = exact(text)
        self.rows = {name: rows for name, rows in exported.items() if name in self.catalogue.resources}
        self.model = Model(self.catalogue, self.rows)
        self.problems, self.calls = [], 0
        self.tried, self.untried = set(), set()  # parameters that rows have values for, and at paths where none has
        self.pages = {endpoint["path"]: endpoint for endpoint in documented_endpoints() if endpoint["method"] == "GET"}

    def ask(self, target):
        self.calls += 1
        status, text = self.server.ask("GET", target)
        if status != 200:
            self.problems.append(f"{target} is answered with {status}: {text}")
            return None
        return exact(text)["data"]

    def target(self, path, values, pairs):
        for name, value in values.items():
            path = path.replace("{%s}" % name, urllib.parse.quote(text_of(value), safe=""))
        query = urllib.parse.urlencode([(name, value) for name, value in pairs if value is not None])
        return f"{path}?{query}" if query else path

    def base(self, endpoint, rows):
        """The parameters that must be there: of filters the first row's values, of others the pages' examples."""
        conditions = []
        for parameter in endpoint.get("parameters", []):
            if not parameter.get("type", "").endswith("!"):
                continue
            values = [] if parameter["match"] == "ignored" else tried(self.catalogue, self.model, endpoint["resource"],
                                                                      parameter, rows)
            if parameter["match"] == "ignored" or (not values and parameter.get("orMissing")):
                paths = [endpoint["path"], *endpoint.get("aliases", [])]
                page = next(self.pages[path] for path in paths if path in self.pages)
                example = dict(urllib.parse.parse_qsl(example_call(page).partition("?")[2]))[parameter["name"]]
                conditions.append((parameter, [example]))
                continue
            if not values:
                return None
            if parameter["match"] in ("from", "until"):
                values.sort(key=lambda one: instant(one[0]), reverse=parameter["match"] == "until")
            conditions.append((parameter, values[0]))
        return conditions

    def expect(self, endpoint, path_values, rows, conditions, order=None, page=None, size=None, repeat=False,
               keeps=lambda row: True):
        """rows: those of the path, in the order of the fixtures; keeps: what a filter that names its field keeps."""
        resource = endpoint["resource"]
        pairs = []
        for parameter, values in conditions:
            pairs += [(parameter["name"], value) for value in (values if repeat else [",".join(values)])]
        wanted = [row for row in rows if keeps(row) and all(parameter["match"] in KEEPS_ALL or
                                                            self.model.matches(resource, parameter, values, row)
                                                            for parameter, values in conditions)]
        default = self.catalogue.resources[resource].get("order", [])
        wanted = self.model.ordered(resource, wanted, order or default)
        if order:
            pairs += [(self.names(endpoint)["sort"], text) for text in order]
        total = len(wanted)
        if endpoint["form"] == "page":
            size = size or endpoint["paging"]["maximum"]
            pairs += [(self.names(endpoint)["size"], size)] + ([(self.names(endpoint)["page"], page)] if page else [])
            first = ((page or 1) - 1) * size
            wanted = wanted[first:first + size]
        elif size:
            pairs += [(self.names(endpoint)["size"], size)]
            wanted = wanted[:size]
        target = self.target(endpoint["path"], path_values, pairs)
        data = self.ask(target)
        if data is None:
            return
        answered, wanted = data["contents"], [self.model.answered(resource, row) for row in wanted]
        for parameter, values in conditions:
            if parameter["match"] == "length":
                wanted = [{name: value[:int(values[0])] if name == parameter["field"] else value
                           for name, value in row.items()} for row in wanted]
        if answered != wanted:
            where = next((i for i, (one, two) in enumerate(zip(answered, wanted)) if one != two),
                         min(len(answered), len(wanted)))
            one, two = (json.dumps(rows[where:where + 1])[:300] for rows in (answered, wanted))
            self.problems.append(f"{target}: {len(answered)} rows, must be {len(wanted)}; row {where} is {one}, "
                                 f"must be {two}")
        if endpoint["form"] == "page" and data["page"]["totalElements"] != total:
            self.problems.append(f"{target}: totalElements is {data['page']['totalElements']}, must be {total}")
        for row in answered:
            self.check_types(target, resource, row)

    def check_comparison(self, endpoint, path, rows, base):
        """Every field that a request may name, by every word."""
        three = [parameter for match in OF_COMPARISON for parameter in endpoint.get("parameters", [])
                 if parameter["match"] == match]
        if not three:
            return
        resource = endpoint["resource"]
        for name in self.catalogue.resources[resource]["fields"]:
            field = self.catalogue.field(resource, name)
            values = [row[name] for row in rows if row.get(name) is not None and is_plain(text_of(row[name]), {})]
            if field.get("hidden") or field["type"] not in ("integer", "number", "string") or not values:
                continue
            value = self.model.key(resource, name, values[0])
            for word, compares in zip(self.catalogue.word_list(three[1]["words"]), COMPARISONS):
                def keeps(row):
                    own = self.model.key(resource, name, row.get(name))
                    return own is not None and compares(own, value)
                given = zip(three, ([name], [word], [text_of(values[0])]))
                self.expect(endpoint, path, rows, [*base, *given], keeps=keeps)

    def check_expression(self, endpoint, path, rows, parameter, base):
        """Two fields with values of two rows, joined in each way."""
        resource = endpoint["resource"]
        fields = []
        for name in self.catalogue.resources[resource]["fields"]:
            field = self.catalogue.field(resource, name)
            values = sorted({self.model.key(resource, name, row[name]) for row in rows if row.get(name) is not None}
                            if field["type"] in ("integer", "number") else [])
            if not field.get("hidden") and values:
                fields.append((name, values))
        if len(fields) < 2:
            self.untried.add(f"{endpoint['path']} {parameter['name']}")
            return
        self.tried.add(f"{endpoint['path']} {parameter['name']}")
        (one, values_of_one), (other, values_of_other), *_ = fields
        own = lambda row, name: self.model.key(resource, name, row.get(name))  # noqa: E731
        for sign, compares in zip(("=", "!=", ">", ">=", "<", "<="), COMPARISONS):
            for first, second in ((values_of_one[0], values_of_other[-1]), (values_of_one[-1], values_of_other[0])):
                holds = lambda row, name, value: (own(row, name) is not None  # noqa: E731
                                                  and compares(own(row, name), value))
                a, b = f"@{one} {sign} {first}", f"@{other} {sign} {second}"
                for text, keeps in (
                        (a, lambda row: holds(row, one, first)),
                        (f"{a} and {b}", lambda row: holds(row, one, first) and holds(row, other, second)),
                        (f"{a} or {b}", lambda row: holds(row, one, first) or holds(row, other, second)),
                        (f"({a} or {b}) and {b}", lambda row: holds(row, other, second))):
                    self.expect(endpoint, path, rows, [*base, (parameter, [text])], keeps=keeps)

    def names(self, endpoint):
        return {parameter["match"]: parameter["name"] for parameter in endpoint["parameters"]}

    def check_types(self, target, resource, row):
        for name in self.catalogue.resources[resource]["fields"]:
            field = self.catalogue.field(resource, name)
            value = row.get(name)
            if field.get("hidden"):
                good = name not in row
            elif value is None:
                good = not field["required"]
            else:
                good = isinstance(value, PYTHON_TYPES[field["type"]])
                good = good and isinstance(value, bool) == (field["type"] == "boolean")
                good = good and (field["type"] != "time" or TIME.fullmatch(value) is not None)
            if not good:
                self.problems.append(f"{target}: {name} is {json.dumps(value)}, must be {field}")

    def check_list(self, endpoint):
        resource = endpoint["resource"]
        placeholders = endpoint.get("placeholders", {})
        groups = collections.OrderedDict()
        for row in self.rows.get(resource, []):
            groups.setdefault(tuple(text_of(row.get(field)) for field in placeholders.values()), []).append(row)
        for values, rows in sorted(groups.items(), key=lambda group: -len(group[1]))[:PARENTS]:
            path = dict(zip(placeholders, values))
            base = self.base(endpoint, rows)
            if base is None:
                self.problems.append(f"{endpoint['path']}: no row has a value for a parameter that must be given")
                continue
            self.expect(endpoint, path, rows, base)
            self.check_comparison(endpoint, path, rows, base)
            for parameter in endpoint.get("parameters", []):
                rest = [one for one in base if one[0] is not parameter]
                if parameter["match"] in ("equal", "contains", "member", "noMember", "from", "until"):
                    choices = tried(self.catalogue, self.model, resource, parameter, rows)
                    name = f"{endpoint['path']} {parameter['name']}"
                    (self.tried if len(choices) > 1 else self.untried).add(name)
                    for chosen in choices:
                        self.expect(endpoint, path, rows, [*rest, (parameter, chosen)])
                        if len(chosen) > 1:
                            self.expect(endpoint, path, rows, [*rest, (parameter, chosen)], repeat=True)
                if parameter["match"] == "expression":
                    self.check_expression(endpoint, path, rows, parameter, base)
                if parameter["match"] == "length":
                    for length in (1, 9, 65535):
                        self.expect(endpoint, path, rows, [*base, (parameter, [str(length)])])
                if parameter["match"] == "size" and endpoint["form"] == "list":
                    for limit in (1, 2, 99):
                        self.expect(endpoint, path, rows, base, size=limit)
                if parameter["match"] == "sort":
                    for field in endpoint["paging"].get("sorts", []):
                        for direction in ("asc", "desc"):
                            self.expect(endpoint, path, rows, base, order=[f"{field},{direction}"])
            if endpoint["form"] == "page":
                for page, size in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (99, 2)):
                    self.expect(endpoint, path, rows, base, page=page, size=size)

    def check_get(self, endpoint):
        resource = endpoint["resource"]
        placeholders = endpoint.get("placeholders", {})
        seen = set()
        for row in self.rows.get(resource, []):
            values = tuple(text_of(row.get(field)) for field in placeholders.values())
            if values in seen or len(seen) == TAKEN:
                continue
            seen.add(values)
            base = self.base(endpoint, [row])
            pairs = [(parameter["name"], ",".join(given)) for parameter, given in base]
            target = self.target(endpoint["path"], dict(zip(placeholders, values)), pairs)
            data = self.ask(target)
            if data is None:
                continue
            if data != self.model.answered(resource, row):
                self.problems.append(f"{target}: it is {json.dumps(data)[:300]}, must be {json.dumps(row)[:300]}")
            self.check_types(target, resource, data)

    def run(self):
        asked = {}
        for (_, _), endpoint in self.catalogue.endpoints.items():
            if endpoint["does"] in ("list", "get"):
                asked[endpoint["path"]] = endpoint
        with self.server:
            for endpoint in asked.values():
                (self.check_list if endpoint["does"] == "list" else self.check_get)(endpoint)
        return asked


def exchanges():
    """All examples of rows, as captured answers with their requests; each row once, though several pages show it."""
    catalogue, seen, texts = Catalogue(), set(), []
    for endpoint in documented_endpoints():
        known = catalogue.endpoints[endpoint["method"], endpoint["path"]]
        if "answer" not in endpoint or "resource" not in known:
            continue
        resource = catalogue.resources[known["resource"]]

        def is_new(row):
            if "key" not in resource:
                return True
            keys = (known["resource"], *(row.get(name) for name in [*resource.get("parents", {}), resource["key"]]))
            return keys not in seen and not seen.add(keys)

        answer = exact(example(endpoint["answer"]))
        if "contents" in answer["data"]:
            answer["data"]["contents"] = [row for row in answer["data"]["contents"] if is_new(row)]
        elif not is_new(answer["data"]):
            continue
        path, _, query = example_call(endpoint).partition("?")
        request = {"method": "GET", "path": path, "query": query}
        texts.append('{"request":%s,"response":{"body":%s}}' % (json.dumps(request), write(answer)))
    return "[" + ",".join(texts) + "]"


def main():
    binary, *of_examples = sys.argv[1:]
    rows = (HERE / "rows.json").read_text(encoding="utf-8")
    checks = Checks(binary, {"examples.json": exchanges(), "rows.json": rows} if of_examples else {})
    asked = checks.run()
    empty = [path for path, endpoint in asked.items() if not checks.rows.get(endpoint["resource"])]
    if of_examples:
        checks.problems += [f"{path}: it has no rows" for path in empty]
    if not empty:  # data that are meant to try everything
        checks.problems += [f"{name}: no row has a value to try" for name in sorted(checks.untried - checks.tried)]
    print("\n".join(checks.problems) or f"{len(asked)} endpoints, {checks.calls} requests")
    return bool(checks.problems)


if __name__ == "__main__":
    sys.exit(main())
