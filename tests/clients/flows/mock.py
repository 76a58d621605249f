"""What the flows share: a server with the built-in installation, its control API, and HTTP as OCP's clients speak it.

A flow is a client's whole run in the client's own order of calls. Each of its scenarios runs in a world that has just been
reset, and whose clock stands still until the client sleeps. A server refuses nothing but what OCP would.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import traceback
import urllib.parse

NOW = "2024-08-09T17:00:00+08:00"  # an hour after the last thing that happened in the installation
SECONDS = 60  # for a server to start and to stop, and for an answer
SCENARIOS = []


def scenario(*options):
    """Marks a function that takes a World; it runs against a server with these options."""
    def add(function):
        SCENARIOS.append((options, function))
        return function
    return add


class Unexpected(Exception):
    pass


def expect(what, came, wanted):
    if came != wanted or isinstance(came, bool) != isinstance(wanted, bool):
        raise Unexpected(f"{what}: expected {wanted!r}, came {came!r}")


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def text(self):
        return self.raw.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def data(self):
        return self.json.get("data")

    @property
    def error(self):
        return self.json["error"]["message"]


class Http:
    """Sends requests to one server. An answer of any status is an answer; only a broken connection is an exception."""

    def __init__(self, url, headers=None):
        self.address = urllib.parse.urlsplit(url).netloc
        self.headers = headers or {}

    def send(self, method, path, body=None, headers=None):
        host, _, port = self.address.rpartition(":")
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=SECONDS)) as connection:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path, **query):
        return self.send("GET", with_query(path, query))

    def delete(self, path):
        return self.send("DELETE", path)

    def post(self, path, value=None, method="POST"):
        if value is None:
            return self.send(method, path)
        return self.send(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def put(self, path, value):
        return self.post(path, value, "PUT")

    def patch(self, path, value):
        return self.post(path, value, "PATCH")

    def post_form(self, path, fields):
        return self.send("POST", path, urllib.parse.urlencode(fields).encode(),
                         {"Content-Type": "application/x-www-form-urlencoded"})


def with_query(path, query):
    pairs = [(name, value) for name, value in query.items() if value is not None]
    return f"{path}?{urllib.parse.urlencode(pairs)}" if pairs else path


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class World:
    """What a scenario has in its hands: the server's URL, and its control API."""

    def __init__(self, url):
        self.url = url
        self.admin = Http(url)

    def ocp(self, user="admin", password="secret"):
        return Http(self.url, basic(user, password))

    def control(self, method, path, value=None):
        answer = self.admin.post("/__admin" + path, value, method)
        if answer.status >= 400:
            raise Unexpected(f"{method} /__admin{path}: {answer.status} {answer.text}")
        return answer.json if answer.raw else None

    def reset(self):
        self.control("POST", "/reset")
        self.control("PUT", "/clock", {"now": NOW})

    def sleep(self, seconds):
        """A client's sleep: the clock moves, and nobody waits."""
        self.control("PUT", "/clock", {"advance": f"PT{seconds}S"})

    def fault(self, fault):
        self.control("POST", "/faults", fault)

    def fail_task(self, path_template, subtask, message="out of order"):
        """The task of the next request to this path will fail."""
        self.fault({"match": {"pathTemplate": path_template}, "times": 1,
                    "action": {"task": {"fails": subtask, "message": message}}})

    def sent(self, **criteria):
        """How many requests the server has seen that are like this."""
        return self.control("POST", "/requests/verify", criteria)["matched"]


class Server:
    def __init__(self, binary, options, folder):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OCP_MOCK_")}
        self.log = folder / "server.log"
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen([binary, "--port", "0", *options], stdout=subprocess.PIPE, stderr=stderr,
                                            env=environment)
        watchdog = threading.Timer(SECONDS, self.process.kill)
        watchdog.daemon = True
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.stop()
            raise Unexpected(f"the server does not start: {self.log.read_text('utf-8', 'replace')}")
        self.url = json.loads(line)["url"]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def main():
    """Runs the scenarios of the flow that was started: FLOW BINARY [SCENARIO ...]"""
    binary, *wanted = sys.argv[1:]
    chosen = [one for one in SCENARIOS if not wanted or one[1].__name__ in wanted]
    problems = []
    with tempfile.TemporaryDirectory(prefix="ocp-mock-flow-") as name:
        for options in dict.fromkeys(options for options, _ in chosen):
            server = Server(binary, options, pathlib.Path(name))
            try:
                for function in [function for those, function in chosen if those == options]:
                    world = World(server.url)
                    world.reset()
                    try:
                        function(world)
                    except Exception:  # whatever it is, the next scenario runs
                        problems.append(f"{function.__name__}: {traceback.format_exc()}")
            finally:
                server.stop()
    print("\n".join(problems) or f"{len(chosen)} scenarios")
    sys.exit(bool(problems) or not chosen)
