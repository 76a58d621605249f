#!/usr/bin/python3
"""Writes, and reads back what they did: check_writes.py BINARY [NAME OF A FILE OR CASE ...]

writes/*.json have the cases of an area each: [{"name": "a cluster is created", "requests": [...]}]. A case is run against
the built-in installation, in a world that has just been reset and whose clock stands still. A request is one of

  {"method": "POST", "path": "/api/v2/ob/clusters", "body": {...}, "status": 200, "has": {...}, "lacks": {...},
   "error": "...", "keep": {"cluster": "cluster.id"}}
  {"advance": "PT1M"}   moves the clock

  path, body  may have ${NAME} for a value that was kept; a text that is only that becomes the value with its type
  body        is sent as JSON; with "file": "NAME" in its place a file of that name is uploaded
  status      200 unless given
  has         what the answer's data must have: of an object the members named, of an array an item like each one named,
              in any order, and no more than these if it is {"only": [...]}; null: the member is not there, or null
  lacks       what the data must not have, said in the same way: of a list {"contents": [{"name": "x"}]}
  error       what the error's message has in it
  keep        values for later requests, by their paths in the data; a number is an index
"""
import json
import re
import sys

from documented import HERE, Server

NOW = "2024-08-09T17:00:00+08:00"  # an hour after the last thing that happened in the installation


def matches(pattern, value):
    if isinstance(pattern, dict) and set(pattern) == {"only"}:
        return isinstance(value, list) and len(value) == len(pattern["only"]) and matches(pattern["only"], value)
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(member, value.get(name)) for name, member in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches(one, item) for item in value) for one in pattern)
    return type(pattern) is type(value) and pattern == value


def at(value, path):
    for step in path.split("."):
        value = value[int(step) if isinstance(value, list) else step]
    return value


def filled(value, kept):
    if isinstance(value, dict):
        return {name: filled(member, kept) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, kept) for item in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{(\w+)\}", value)
    return kept[whole[1]] if whole else re.sub(r"\$\{(\w+)\}", lambda name: str(kept[name[1]]), value)


class Writes:
    def __init__(self, binary):
        self.server = Server(binary, {})

    def ask(self, request, kept):
        if "advance" in request:
            return self.server.ask("PUT", "/__admin/clock", json.dumps(request))
        path, body, media = filled(request["path"], kept), None, "application/json"
        if "body" in request:
            body = json.dumps(filled(request["body"], kept))
        if "file" in request:
            body = (f'--part\r\nContent-Disposition: form-data; name="file"; filename="{request["file"]}"\r\n\r\n'
                    "contents\r\n--part--\r\n")
            media = "multipart/form-data; boundary=part"
        return self.server.ask(request["method"], path, body, media)

    def problem_of(self, request, kept):
        """What is wrong with the answer, or None."""
        status, text = self.ask(request, kept)
        answer = json.loads(text) if text else {}
        data = answer.get("data")
        if "advance" in request:
            return None if status == 200 else f"is answered with {status}: {text[:600]}"
        if status != request.get("status", 200):
            return f"is answered with {status}: {text[:600]}"
        for name in ("has", "lacks"):
            if name in request and matches(filled(request[name], kept), data) != (name == "has"):
                return f"{name} {json.dumps(filled(request[name], kept))}: {json.dumps(data)[:3000]}"
        if str(filled(request.get("error", ""), kept)) not in answer.get("error", {}).get("message", ""):
            return f"has another message: {answer['error']['message']}"
        kept |= {name: at(data, path) for name, path in request.get("keep", {}).items()}
        return None

    def problem(self, case):
        """What is wrong with the first answer that is, or None."""
        self.server.ask("POST", "/__admin/reset")
        self.server.ask("PUT", "/__admin/clock", json.dumps({"now": NOW}))
        kept = {}
        for number, request in enumerate(case["requests"], 1):
            what = request.get("method", "advance") + " " + request.get("path", request.get("advance", ""))
            try:
                problem = self.problem_of(request, kept)
            except (KeyError, IndexError, TypeError) as error:
                problem = f"lacks what is kept, {error!r}"
            if problem:
                return f"{case['name']}: {number}. {what} {problem}"
        return None


def main():
    binary, *wanted = sys.argv[1:]
    cases = [(file.stem, case) for file in sorted((HERE / "writes").glob("*.json"))
             for case in json.loads(file.read_text(encoding="utf-8"))]
    if wanted:
        cases = [(area, case) for area, case in cases if area in wanted or case["name"] in wanted]
    writes = Writes(binary)
    with writes.server:
        problems = [f"{area}.json: {problem}" for area, case in cases if (problem := writes.problem(case))]
    print("\n".join(problems) or f"{len(cases)} cases")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
