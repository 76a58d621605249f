"""What the tests of this folder share: the documents, a server, and answers compared to the last digit."""
import contextlib
import http.client
import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SECONDS = 30  # for a server to start, and for an answer
# Values for placeholders of which the example call says nothing.
MISPRINTED = "clusterld"  # a parameter that is none, see deviations.json
INTEGER, STRING = "7", "seven"
UPLOADED = "t-oceanbase-ocp-agent-3.1.2-20210812221645.alios7.x86_64.rpm"  # as the page's answer has it


def with_members(field, members):
    """What schema/api says of a body, with the members that it calls by a name."""
    if isinstance(field, str):
        return field
    field = dict(field)
    if isinstance(field.get("fields"), str):
        field["fields"] = members[field["fields"]]
    if "fields" in field:
        field["fields"] = {name: with_members(one, members) for name, one in field["fields"].items()}
    if "items" in field:
        field["items"] = with_members(field["items"], members)
    return field


class Catalogue:
    """What schema/api says."""

    def __init__(self, folder=TOP / "schema/api"):
        self.words, self.resources, self.endpoints, members = {}, {}, {}, {}
        sources = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
        for source in sources:
            self.words |= source.get("words", {})
            self.resources |= source.get("resources", {})
            members |= source.get("members", {})
        for source in sources:
            for endpoint in source.get("endpoints", []):
                if "body" in endpoint:
                    endpoint["body"] = with_members(endpoint["body"], members)
                for path in [endpoint["path"], *endpoint.get("aliases", [])]:
                    self.endpoints[endpoint["method"], path] = endpoint

    def word_list(self, name):
        return [word if isinstance(word, str) else word["word"] for word in self.words[name]]

    def meanings(self, name):
        """Each word with the one that it means."""
        return {word if isinstance(word, str) else word["word"]: word if isinstance(word, str) else word["means"]
                for word in self.words[name]}

    def field(self, resource, name):
        """What schema/api says of a field, as an object; its type without !"""
        field = self.resources[resource]["fields"][name]
        field = {"type": field} if isinstance(field, str) else field
        return field | {"type": field["type"].rstrip("!"), "required": field["type"].endswith("!")}

    def type_of_placeholder(self, endpoint, name):
        target = endpoint.get("placeholders", {})[name]
        if "resource" in endpoint:
            return self.field(endpoint["resource"], target)["type"]
        if target in self.resources:
            return self.field(target, self.resources[target]["key"])["type"]
        return target


def documented_endpoints():
    return json.loads((HERE / "catalogue.json").read_text(encoding="utf-8"))["endpoints"]


def example(name):
    return (HERE / name).read_text(encoding="utf-8")


def exact(text):
    """JSON of which each number keeps its digits."""
    return json.loads(text, parse_float=lambda digits: ("number", digits))


def write(value, level=0):
    """As OCP lays it out: keys sorted, two spaces a level."""
    inner, outer = "  " * (level + 1), "  " * level
    if isinstance(value, dict) and value:
        members = (f"{inner}{write(key)}: {write(value[key], level + 1)}" for key in sorted(value))
        return "{\n" + ",\n".join(members) + f"\n{outer}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + write(item, level + 1) for item in value) + f"\n{outer}]"
    return value[1] if isinstance(value, tuple) else json.dumps(value, ensure_ascii=False)


class Server:
    """The built program with fixtures of its own."""

    def __init__(self, binary, fixtures, *options):
        """fixtures: {file name: value}"""
        self.folder = tempfile.TemporaryDirectory(prefix="ocp-mock-documented-")
        folder = pathlib.Path(self.folder.name)
        for name, value in fixtures.items():
            (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        port_file = folder / "port.txt"
        files = [f"--fixtures={folder / name}" for name in fixtures]
        self.process = subprocess.Popen([binary, "--frozen", "--pretty", "--auth=off", "--port=0", "--log-level=error",
                                         f"--port-file={port_file}", *files, *options],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + SECONDS
        while not (port_file.exists() and port_file.read_text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(self.process.communicate()[1].strip() or "the server does not start")
            time.sleep(0.002)
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port_file.read_text()), timeout=SECONDS)

    def ask(self, method, target, body=None, content_type="application/json"):
        """Status and text."""
        headers = {} if body is None else {"Content-Type": content_type}
        self.connection.request(method, target, None if body is None else body.encode(), headers)
        response = self.connection.getresponse()
        return response.status, response.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)
        with contextlib.suppress(OSError):
            self.folder.cleanup()


def example_call(endpoint):
    """The page's example call, or one to its path where it has none or that of another page: placeholders filled, and
    the parameters added that must be given. Values are the examples of the parameters, if they are of their type."""
    parameters = {(one["in"], one["name"]): one for one in endpoint["parameters"]}

    def value(place, name):
        parameter = parameters.get((place, name), {"type": "Integer"})
        text = parameter.get("example", "")
        if "values" in parameter and text not in parameter["values"]:
            return parameter["values"][0]
        if parameter["type"] in ("Integer", "Long", "LongArray") and not text.isdigit():
            return INTEGER
        return text if re.fullmatch(r"[\w.:+-]+", text) else STRING

    def fill(path):
        return re.sub(r"{(\w+)(?::[^}]*)?}", lambda match: value("path", match[1]), path)

    path, _, query = endpoint.get("exampleCall", endpoint["path"]).partition("?")
    path = fill(path)
    if endpoint["method"] != "GET" and path_values(endpoint["path"], path) is None:
        path = fill(endpoint["path"])
    given = {pair.partition("=")[0] for pair in query.split("&")}
    missing = [f"{name}={urllib.parse.quote(value(place, name))}" for (place, name), one in parameters.items()
               if place == "query" and one["required"] and name not in given and name != MISPRINTED]
    query = "&".join(([query] if query else []) + missing)
    return f"{path}?{query}" if query else path


SAMPLES = {"integer": 7, "number": 7, "boolean": True, "string": STRING, "time": "2024-07-10T00:00:00Z", "array": [],
           "object": {}, "any": STRING}


def sample(catalogue, field, examples, path=""):
    """A value of a body's field with all that must be there; examples: the documented ones by their paths."""
    field = {"type": field} if isinstance(field, str) else field
    kind = field["type"].rstrip("!")
    if kind == "word":
        return catalogue.word_list(field["words"])[0]
    if kind == "array" and "items" in field:
        return [sample(catalogue, field["items"], examples, path)]
    if kind == "object":
        below = path + "." if path else ""
        return {name: sample(catalogue, member, examples, below + name)
                for name, member in field.get("fields", {}).items()
                if (member if isinstance(member, str) else member["type"]).endswith("!")}
    text = examples.get(path, "")
    if kind == "string" and text:
        return text
    return int(text) if kind == "integer" and text.isdigit() else SAMPLES[kind]


def example_body(catalogue, documented, endpoint):
    """The page's example body, or one made of its examples of fields; None where none is taken."""
    if "body" in documented:
        return json.loads(example(documented["body"]))
    if "body" not in endpoint:
        return None
    examples = {one["name"]: one.get("example", "") for one in documented["parameters"] if one["in"] == "body"}
    return sample(catalogue, endpoint["body"], examples)


def sent_body(endpoint, value):
    """Text and content type."""
    if value is None:
        return None, None
    if "multipart" not in endpoint.get("takes", []):
        return json.dumps(value), "application/json"
    parts = "".join(f'--part\r\nContent-Disposition: form-data; name="{name}"; filename="{UPLOADED}"\r\n\r\n{text}\r\n'
                    for name, text in value.items())
    return parts + "--part--\r\n", "multipart/form-data; boundary=part"


def rows_of_path(catalogue, endpoint, values):
    """A fixture set with the rows that a path names, and no more."""
    fixtures, known = {}, {}
    for name, value in values.items():
        target = endpoint.get("placeholders", {}).get(name)
        if "resource" in endpoint:
            parents = catalogue.resources[endpoint["resource"]].get("parents", {})
            target = parents.get(target)
            target = target["resource"] if isinstance(target, dict) else target
        if target not in catalogue.resources:
            continue
        resource = catalogue.resources[target]
        known[target] = int(value) if catalogue.field(target, resource["key"])["type"] == "integer" else value
        row = {resource["key"]: known[target]}
        for field, parent in resource.get("parents", {}).items():
            row[field] = known[parent if isinstance(parent, str) else parent["resource"]]
        for field in resource["fields"]:
            if catalogue.field(target, field)["required"]:
                row.setdefault(field, STRING)
        fixtures.setdefault(target, []).append(row)
    return fixtures


def rows_of_call(catalogue, documented, endpoint, values):
    """A fixture set with the rows that a path names, which have the members that needed.json has for all calls, and the
    rows that it has for the call."""
    fixtures = rows_of_path(catalogue, endpoint, values)
    needed = json.loads((HERE / "needed.json").read_text(encoding="utf-8"))
    for name, members in needed["*"].items():
        fixtures |= {name: [members | row for row in fixtures[name]]} if name in fixtures else {}
    for name, rows in needed.get(f"{documented['method']} {documented['path']}", {}).items():
        key = catalogue.resources[name].get("key")
        there = [row[key] for row in rows if key in row]
        fixtures[name] = [row for row in fixtures.get(name, []) if row.get(key) not in there] + rows
    return fixtures


def path_values(pattern, path):
    """The values of a path's placeholders, or None if it is another path."""
    match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern), path)
    return match and match.groupdict()
