#!/usr/bin/python3
"""Sends every request that takes a body: check_bodies.py BINARY

The page's example body, or one made of the documented members that must be there, is accepted without a violation; a
body that lacks one of these, at any depth, is refused with 400, and the message names it.
"""
import copy
import json
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from documented import (Catalogue, Server, documented_endpoints, example_body, example_call, path_values, rows_of_call,
                        sent_body)


def required(field, value, path, steps):
    """[(its path in messages, the keys that lead to it)] of the members that must be there, and are."""
    field = {"type": field} if isinstance(field, str) else field
    found = []
    if isinstance(value, list) and "items" in field:
        for index, item in enumerate(value):
            found += required(field["items"], item, f"{path}[{index}]", [*steps, index])
    if isinstance(value, dict):
        for name, member in field.get("fields", {}).items():
            if value.get(name) is None:
                continue
            below, there = f"{path}.{name}" if path else name, [*steps, name]
            if (member if isinstance(member, str) else member["type"]).endswith("!"):
                found.append((below, there))
            found += required(member, value[name], below, there)
    return found


def known_query(call, endpoint):
    """Without what no page documents, such as a body's member in the query."""
    path, _, query = call.partition("?")
    names = {parameter["name"] for parameter in endpoint.get("parameters", [])}
    query = "&".join(pair for pair in query.split("&") if pair.partition("=")[0] in names)
    return f"{path}?{query}" if query else path


def without(value, steps):
    value = copy.deepcopy(value)
    place = value
    for step in steps[:-1]:
        place = place[step]
    del place[steps[-1]]
    return value


def message_of(text):
    return json.loads(text)["error"]["message"]


class Bodies:
    def __init__(self, binary):
        self.binary = binary
        self.catalogue = Catalogue()

    def problems(self, documented):
        method = documented["method"]
        endpoint = self.catalogue.endpoints[method, documented["path"]]
        name, call = f"{method} {documented['path']}", known_query(example_call(documented), endpoint)
        body = example_body(self.catalogue, documented, endpoint)
        values = path_values(documented["path"], call.partition("?")[0])
        fixtures = rows_of_call(self.catalogue, documented, endpoint, values or {})
        members = required(endpoint.get("body", "object"), body, "", [])
        found = []
        with Server(self.binary, {"rows.json": fixtures or {"clusters": []}}, "--strict") as server:

            def check(what, target, text, media, missing=None):
                status, answer = server.ask(method, target, text, media)
                if missing is None and status != 200:
                    found.append(f"{name}: {what} is answered with {status}, {message_of(answer)}")
                elif missing is not None and (status != 400 or f"'{missing}' is missing" not in message_of(answer)):
                    found.append(f"{name}: without {missing}, {what} is answered with {status}, {answer}")

            check("the example body", call, *sent_body(endpoint, body))
            for path, steps in members:
                check("the example body", call, *sent_body(endpoint, without(body, steps)), path)
            if "form" in endpoint.get("takes", []):
                form = urllib.parse.urlencode(body)
                check("a form", call, form, "application/x-www-form-urlencoded")
                for path, steps in members:
                    check("a form", call, urllib.parse.urlencode(without(body, steps)),
                          "application/x-www-form-urlencoded", path)
                check("the query", f"{call}?{form}", None, None)
        return found, len(members)


def main():
    documented = [one for one in documented_endpoints() if one["method"] != "GET"]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(Bodies(sys.argv[1]).problems, documented))
    problems = [problem for found, _ in results for problem in found]
    members = sum(count for _, count in results)
    print("\n".join(problems) or f"{len(documented)} requests, {members} members that must be there")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
