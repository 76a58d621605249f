#!/usr/bin/python3
"""Asks for every example of OCP's API reference: check_examples.py BINARY ["METHOD /path" ...]

Each example answer of rows is loaded as a captured answer with its request, and its request is asked; each other
request is asked with the page's example body, at objects that are there. The answer must be the page's: of the same
bytes where the page is laid out as OCP writes, else with its keys sorted, numbers to their digits. Where no rows are
answered the data count, for the envelope is that of the moment; of what a write answers the members and types of the
data, for it is of rows that the page does not have.

exceptions.json names the examples that come back otherwise: {"METHOD /path": {"why": "...", "call": "..."}} with what
is asked in place of the example call, {"answered": {"data.page.size": 10}} for members that differ, null for none, and
{"shape": true} where only the members and types of the data are compared. An exception that is not needed fails.
"""
import difflib
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor

from documented import (HERE, Catalogue, Server, documented_endpoints, exact, example, example_body, example_call,
                        path_values, rows_of_call, sent_body, write)

ENVELOPE = re.compile(r'^  "(duration|server|timestamp|traceId)": .*?(,?)$', re.M)


def set_member(value, path, new):
    """path: data.contents.0.id"""
    *above, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in above:
        value = value[name]
    if new is None:
        del value[last]
    else:
        value[last] = new


def expected(documented, exception):
    text = example(documented["answer"])
    if documented["asDocumented"] == "bytes" and not exception.get("answered"):
        return text.rstrip("\n")
    value = exact(text)
    for path, new in exception.get("answered", {}).items():
        set_member(value, path, exact(json.dumps(new)))
    return write(value)


def shape(value):
    """The members and types of a value, whatever it says."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [json.loads(text) for text in sorted({json.dumps(shape(item), sort_keys=True) for item in value})]
    return "number" if isinstance(value, (int, tuple)) and not isinstance(value, bool) else type(value).__name__


def differences(wanted, answered):
    """The lines that differ, a few of them."""
    lines = difflib.unified_diff(wanted.splitlines(), answered.splitlines(), "documented", "answered", lineterm="", n=0)
    return "\n    ".join(list(lines)[2:14])


class Examples:
    def __init__(self, binary, exceptions):
        self.binary, self.exceptions = binary, exceptions
        self.catalogue = Catalogue()

    def answers_rows(self, documented):
        return "resource" in self.catalogue.endpoints[documented["method"], documented["path"]]

    def writes(self, documented):
        return self.catalogue.endpoints[documented["method"], documented["path"]]["does"] == "write"

    def answer(self, documented, exception):
        """What the mock says: status and text."""
        method = documented["method"]
        call = example_call(documented)
        asked = exception.get("call", call)
        endpoint = self.catalogue.endpoints[method, documented["path"]]
        if self.answers_rows(documented):
            path, _, query = call.partition("?")
            request = {"method": method, "path": path, "query": query}
            exchange = '{"request":%s,"response":{"status":200,"body":%s}}' % (
                json.dumps(request), example(documented["answer"]))
            with Server(self.binary, {"exchange.json": exchange}) as server:
                return server.ask(method, asked)
        values = path_values(documented["path"], asked.partition("?")[0])
        fixtures = rows_of_call(self.catalogue, documented, endpoint, values or {})
        body = sent_body(endpoint, example_body(self.catalogue, documented, endpoint))
        with Server(self.binary, {"rows.json": fixtures or {"clusters": []}}) as server:
            return server.ask(method, asked, *body)

    def problem(self, documented):
        """What is wrong with an example, or None; and whether its exception was needed."""
        name = f"{documented['method']} {documented['path']}"
        exception = self.exceptions.get(name, {})
        try:
            wanted = expected(documented, exception)
            status, answered = self.answer(documented, exception)
        except RuntimeError as error:
            return f"{name}: {error}"
        if status != 200:
            call = exception.get("call", example_call(documented))
            return f"{name}: {call} is answered with {status}\n    {answered[:600]}"
        if exception.get("shape") or self.writes(documented):
            wanted, answered = (write(shape(exact(text).get("data"))) for text in (wanted, answered))
        elif not self.answers_rows(documented):
            wanted, answered = (ENVELOPE.sub(r'  "\1": ...\2', text) for text in (wanted, answered))
        if wanted == answered:
            return None
        return f"{name} ({documented['asDocumented']}): {differences(wanted, answered)}"


def main():
    binary, *rest = sys.argv[1:]
    exceptions = json.loads((HERE / "exceptions.json").read_text(encoding="utf-8"))
    documented = [one for one in documented_endpoints() if "answer" in one]
    if rest:
        documented = [one for one in documented if f"{one['method']} {one['path']}" in rest]
    with ThreadPoolExecutor(2) as pool:
        problems = [one for one in pool.map(Examples(binary, exceptions).problem, documented) if one]
        named = [one for one in documented if f"{one['method']} {one['path']}" in exceptions]
        needless = pool.map(Examples(binary, {}).problem, named)
        problems += [f"{one['method']} {one['path']}: exceptions.json has it, and it comes back as documented"
                     for one, problem in zip(named, needless) if problem is None]
    print("\n".join(problems) or f"{len(documented)} examples, {len(exceptions)} of them exceptions")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
