#!/usr/bin/python3
"""What changes of data cost beside a tenant with 1,000,000 tasks.

measure_changes.py [--worlds] [BINARY]: loads 1,000,000 tasks of one tenant, 10,000 of another and 60 of a third, in memory, and
prints medians and maxima of 100 calls each, of changes by admin calls, and of database users that are created and read
back. Each is the time of a whole HTTP call on a kept connection, and the mean of the processor's time that the server
took for one, which other programs do not lengthen. For the points of timelines, one task changes at each point, at first
of the small tenant, then of the large one. Points pass as calls advance the clock, one at once after the other, and as
time goes by, one each 50 ms. The time is that of the first GET after a point, and that of others' GETs of another tenant
meanwhile, beside that without points.

At last, and with --worlds only this, of the built-in installation: what a fork and a reset of a world cost before its user
has changed anything, and after 1,000 changes.
"""

import base64
import http.client
import json
import multiprocessing
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

CALLS = 100
WRITES = 1000  # before a fork and a reset
RESETS = 5     # each after so many
LARGE, MIDDLE, SMALL = 1, 2, 3
TASKS = {LARGE: 1_000_000, MIDDLE: 10_000, SMALL: 60}
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode(),
               "Content-Type": "application/json"}


def path_of(tenant):
    return f"/api/v2/ob/clusters/1/tenants/{tenant}/backup/task/logBackupTasks?page=1&size=10"


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def call(self, method, path, body=None):
        """Milliseconds."""
        return self.call_for_text(method, path, body)[0]

    def call_for_text(self, method, path, body=None):
        start = time.perf_counter()
        self.connection.request(method, path, None if body is None else json.dumps(body), CREDENTIALS)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"measure_changes.py: {method} {path} was answered with {answer.status}: {text.decode()}")
        return (time.perf_counter() - start) * 1e3, text


def create_time(i):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + i))


def task(tenant, i, **others):
    return {"clusterId": 1, "tenantId": tenant, "createTime": create_time(i), "status": "RUNNING",
            "backupUri": "file:///data/backup/" + "x" * 300, **others}


def timeline(begin, step, points):
    """Points from `begin` on, `step` seconds apart."""
    return {"$timeline": [{"at": f"PT{begin + i * step:.2f}S", "status": "STOPPED" if i % 2 else "FAILED"}
                          for i in range(points)]}


def processor_time(process):
    """Milliseconds, of all threads that there are."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks.iterdir()) / 1e6


def report(what, times, processor=None):
    times = sorted(times)
    mean = "" if processor is None else f", processor {processor / len(times):.2f} ms"
    print(f"{what}: median {statistics.median(times):.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms, "
          f"most {times[-1]:.2f} ms{mean}", flush=True)


def ask(port, done, times):
    client = Client(port)
    found = []
    while not done.is_set():
        found.append(client.call("GET", path_of(MIDDLE)))
        time.sleep(0.001)
    times.put(found)


def others_while(port, action):
    """The times of GETs of the middle tenant by another process while the action runs."""
    times, done = multiprocessing.Queue(), multiprocessing.Event()
    process = multiprocessing.Process(target=ask, args=(port, done, times))
    process.start()
    action()
    done.set()
    found = times.get()
    process.join()
    return found


def measure_worlds(binary):
    process = subprocess.Popen([binary, "--port", "0", "--log-level", "off", "--isolate-by", "user"],
                               stdout=subprocess.PIPE)
    client = Client(json.loads(process.stdout.readline())["port"])
    users = "/api/v2/ob/clusters/1000005/tenants/1000012/users"

    def fork(_):
        took = client.call("PUT", "/__admin/worlds/fork", {"from": "admin"})
        client.call("DELETE", "/__admin/worlds/fork")
        return took

    def reset(writes):
        for i in range(writes):
            client.call("POST", users, {"username": f"u{i}", "password": "x"})
        return client.call("POST", "/__admin/reset?user=admin")

    client.call("GET", users)  # makes the world
    report("a fork before any change", [fork(i) for i in range(CALLS)])
    report("a reset before any change", [reset(0) for _ in range(CALLS)])
    report("a reset after a change", [reset(1) for _ in range(CALLS)])
    for i in range(WRITES):
        client.call("POST", users, {"username": f"u{i}", "password": "x"})
    report(f"a fork after {WRITES:,} changes", [fork(i) for i in range(CALLS)])
    client.call("POST", "/__admin/reset?user=admin")
    report(f"a reset after {WRITES:,} changes", [reset(WRITES) for _ in range(RESETS)])
    process.terminate()
    process.wait()


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    arguments = [argument for argument in sys.argv[1:] if argument != "--worlds"]
    binary = arguments[0] if arguments else root / "build/release/ocp-mock-server"
    if "--worlds" not in sys.argv:
        measure_data(binary)
    measure_worlds(binary)


def measure_data(binary):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "logBackupTasks.ndjson"
        with open(file, "w", encoding="utf-8") as out:
            for tenant, count in TASKS.items():
                for i in range(count):
                    out.write(json.dumps(task(tenant, i)) + "\n")
        start = time.perf_counter()
        process = subprocess.Popen([binary, "--port", "0", "--log-level", "off", "--fixtures", file],
                                   stdout=subprocess.PIPE)
        port = json.loads(process.stdout.readline())["port"]
        print(f"loading: {time.perf_counter() - start:.2f} s")
        client = Client(port)
        print(f"loading: {processor_time(process) / 1e3:.2f} s of the processor's time")

        def measure(what, count, call):
            before = processor_time(process)
            times = [call(i) for i in range(count)]
            report(what, times, processor_time(process) - before)

        measure("an admin call that does nothing", CALLS, lambda _: client.call("GET", "/__admin/health"))

        def patch(where, word):
            return client.call("PATCH", "/__admin/tasks",
                               {"where": {"clusterId": 1, **where}, "set": {"status": word}})

        def one(tenant, i):
            return patch({"tenantId": tenant, "createTime": create_time(i)}, "FAILED" if i % 2 else "STOPPED")

        def all_of(tenant, i):
            return patch({"tenantId": tenant}, "STOPPED" if i % 2 else "RUNNING")

        measure("one row changed in the small tenant", CALLS, lambda i: one(SMALL, i % 60))
        measure("one row changed in the large tenant", CALLS, lambda i: one(LARGE, i * 9973))
        measure("the small tenant changed", CALLS, lambda i: all_of(SMALL, i))
        measure("the middle tenant changed", 5, lambda i: all_of(MIDDLE, i))
        measure("one row added to the small tenant", CALLS,
                lambda i: client.call("POST", "/__admin/fixtures", [task(SMALL, 1000 + i)]))
        users = f"/api/v2/ob/clusters/1/tenants/{SMALL}/users"
        client.call("POST", users, {"username": "u", "password": "x"})
        measure("a database user read", CALLS, lambda _: client.call("GET", f"{users}/u"))
        measure("a database user created and read back", CALLS, lambda i: (
            client.call("POST", users, {"username": f"u{i}", "password": "x"}) + client.call("GET", f"{users}/u{i}")))

        def reset(i):
            client.call("POST", users, {"username": f"v{i}", "password": "x"})
            return client.call("POST", "/__admin/reset")

        report("a reset after a user was created", [reset(i) for i in range(CALLS)])
        report("others' GETs without points", others_while(port, lambda: time.sleep(2)))
        for tenant in (SMALL, LARGE):
            client.call("POST", "/__admin/reset")
            client.call("POST", "/__admin/fixtures", [task(tenant, 500, **timeline(60, 1, 4 * CALLS))])
            client.call("PUT", "/__admin/clock", {"advance": "PT60S"})
            client.call("GET", path_of(tenant))
            times, processor = [], 0

            def after_point():
                client.call("PUT", "/__admin/clock", {"advance": "PT1S"})
                times.append(client.call("GET", path_of(tenant)))

            for _ in range(CALLS):
                before = processor_time(process)
                after_point()
                processor += processor_time(process) - before
            report(f"the first GET after a point, tenant with {TASKS[tenant]:,} tasks", times, processor)
            report("others' GETs meanwhile", others_while(port, lambda: [after_point() for _ in range(CALLS)]))

            client.call("POST", "/__admin/reset")
            client.call("POST", "/__admin/fixtures", [task(tenant, 10_000_000, **timeline(0.5, 0.05, CALLS))])
            times = []

            def follow():
                last, end = None, time.perf_counter() + 1 + 0.05 * CALLS
                while time.perf_counter() < end:
                    took, text = client.call_for_text("GET", path_of(tenant))
                    first_task = json.loads(text)["data"]["contents"][0]
                    if last is not None and first_task != last:
                        times.append(took)
                    last = first_task
                    time.sleep(0.001)

            others = others_while(port, follow)
            report("the first GET after a point, one each 50 ms", times)
            report("others' GETs meanwhile", others)
        process.terminate()
        process.wait()


main()
