#!/usr/bin/python3
"""What a fork and a reset of a world cost, at 60 tasks and at 1,000,000, and what the journal costs the request path.

measure_control.py [BINARY]: medians of 100, each the time of a whole HTTP call on a kept connection; beside it that of
GET /__admin/health, which does nothing. The journal's ratio is of requests answered one after the other, in turn by a
server with it and by one without.
"""

import base64
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CALLS = 100
LIST = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10"
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}


class Server:
    def __init__(self, binary, *options):
        self.process = subprocess.Popen([binary, "--port", "0", "--log-level", "off", *options], stdout=subprocess.PIPE)
        self.connection = http.client.HTTPConnection("127.0.0.1", json.loads(self.process.stdout.readline())["port"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None, headers=None):
        """Microseconds."""
        start = time.perf_counter()
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status >= 300:
            sys.exit(f"measure_control.py: {method} {path} was answered with {answer.status}")
        return (time.perf_counter() - start) * 1e6


def median_of(call):
    return statistics.median(call() for _ in range(CALLS))


def write_tasks(file, count):
    with open(file, "w", encoding="utf-8") as out:
        for i in range(count):
            out.write(json.dumps({"clusterId": 1000005, "tenantId": 1000012 + i % 100, "status": "RUNNING",
                                  "createTime": f"2024-07-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:00Z"}) + "\n")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    binary = sys.argv[1] if len(sys.argv) > 1 else root / "build/release/ocp-mock-server"
    with tempfile.TemporaryDirectory() as folder:
        for count in (60, 1_000_000):
            file = pathlib.Path(folder) / "tasks.ndjson"
            write_tasks(file, count)
            with Server(binary, "--fixtures", file, "--isolate-by", "user", "--max-worlds", "100000") as server:
                nothing = median_of(lambda: server.call("GET", "/__admin/health"))
                names = iter(range(CALLS))
                fork = median_of(lambda: server.call("PUT", f"/__admin/worlds/user-{next(names)}"))
                change = json.dumps({"clusters": [{"id": 1}]})
                server.call("PUT", "/__admin/fixtures", change)
                reset = median_of(lambda: server.call("POST", "/__admin/reset"))
                print(f"{count} tasks: health {nothing:.0f} us, fork {fork:.0f} us, reset {reset:.0f} us")
    with Server(binary) as with_journal, Server(binary, "--no-admin") as without:
        ratios = []
        for _ in range(40):
            times = [sum(server.call("GET", LIST, headers=CREDENTIALS) for _ in range(200))
                     for server in (with_journal, without)]
            ratios.append(times[0] / times[1])
        print(f"a request with the journal takes {statistics.median(ratios):.3f} times as long as without")


main()
