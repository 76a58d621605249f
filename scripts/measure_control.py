#!/usr/bin/python3
"""What a fork and a reset of a world cost, at 60 tasks and at 1,000,000, and what the journal and those who wait for its
entries cost the request path.

measure_control.py [BINARY]: medians of 100, each the time of a whole HTTP call on a kept connection; beside it that of
GET /__admin/health, which does nothing. The journal's ratio is of requests answered one after the other, in turn by a
server with it and by one without. That of 1,000 polls is of requests sent many at once, in turn to a server that has
those polls waiting, or has had them, and to one that has none.
"""

import base64
import http.client
import json
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

CALLS = 100
POLLS = 1000
END = b'"traceId":"0123456789abcdef"}'
LIST = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10"
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}


class Server:
    def __init__(self, binary, *options):
        self.process = subprocess.Popen([binary, "--port", "0", "--log-level", "off", *options], stdout=subprocess.PIPE)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self.load = socket.create_connection(("127.0.0.1", self.port))
        self.polls = []

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

    def rate(self, batch=500, batches=10):
        """Requests a second, sent and answered by the batch on one connection."""
        request = f"GET {LIST} HTTP/1.1\r\nHost: h\r\nAuthorization: {CREDENTIALS['Authorization']}\r\n"
        request = (request + "x-trace-id: 0123456789abcdef\r\n\r\n").encode()
        start = time.perf_counter()
        for _ in range(batches):
            self.load.sendall(request * batch)
            tail, answers = b"", 0
            while answers < batch:
                received = self.load.recv(1 << 20)
                # The end of a body; one that two receives have torn is counted with the second.
                answers += (tail + received).count(END)
                tail = received[-len(END) + 1:]
        return batch * batches / (time.perf_counter() - start)

    def poll(self, count, query):
        for i in range(count):
            poll = socket.create_connection(("127.0.0.1", self.port))
            poll.sendall(f"GET /__admin/requests?wait=PT1M&{query(i)} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            self.polls.append(poll)
        self.call("GET", "/__admin/health")

    def abandon_polls(self):
        for poll in self.polls:
            poll.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            poll.close()
        self.polls.clear()

    def memory(self):
        """KiB that are resident."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0


def median_of(call):
    return statistics.median(call() for _ in range(CALLS))


def compare(one, other):
    """The rate of one server beside that of another, round by round, and how the first one's memory grows meanwhile."""
    rates, memory = [], []
    for _ in range(20):
        rates.append((one.rate(), other.rate()))
        memory.append(one.memory())
    ratio = statistics.median(first / second for first, second in rates)
    return (f"{statistics.median(first for first, _ in rates):.0f} requests/s, {ratio:.2f} of another server's; "
            f"{memory[-1] - memory[0]} KiB more memory after {19 * 5000} requests")


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
    # All but the last begin with the path that is asked for, as far as they have no placeholder.
    clusters = "pathTemplate=/api/v2/ob/clusters/{id}/tenants"
    kinds = {"each for another template": lambda i: f"{clusters}/{{tenantId}}/t{i}",
             "each for another template with a number": lambda i: f"{clusters}/{i}/{{x}}/{{y}}/{{z}}",
             "each for another length of template": lambda i: clusters + "/{x}" * (i % 50 + 5) + f"&status={400 + i // 50}",
             "each for another status of its path": lambda i: f"path={LIST.split('?')[0]}&status={400 + i % 200}",
             "each after another sequence": lambda i: f"path={LIST.split('?')[0]}&since={10**9 + i}",
             "each for another path": lambda i: f"path=/p/{i}", "all for one path": lambda i: "path=/never",
             "each for another prefix": lambda i: f"pathPrefix=/p/{i}/", "all for one status": lambda i: "status=503"}
    for name, query in kinds.items():
        with Server(binary) as waiting, Server(binary) as alone:
            for server in (waiting, alone):
                server.rate()
            waiting.poll(POLLS, query)
            print(f"{POLLS} polls, {name}: {compare(waiting, alone)}")
    with Server(binary) as left, Server(binary) as alone:
        for server in (left, alone):
            server.rate()
        for _ in range(4):
            left.poll(POLLS, lambda i: f"path=/p/{i}")
            left.abandon_polls()
        print(f"after {4 * POLLS} abandoned polls: {compare(left, alone)}")


main()
