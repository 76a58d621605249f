"""What is measured of whole programs: their start, their loading, their size, and the peers."""

import contextlib
import json
import math
import os
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import data
import servers
from common import AUTHORIZATION, BINARY, HERE, PAGE_1, ROOT, WORK, Invalid, NotRun, Spread, Unusable, number, progress
from figures import COUNT_NAMES, MEGABYTE, unusable
from load import Client, interleaved, request_bytes, usual_answer, wrk
from report import Matrix, Result, Row, judged


class Child:
    """A program from its exec on, started as cheaply as can be, with its standard output in a pipe."""

    def __init__(self, argv, stdin=None):
        argv = [str(word) for word in argv]
        servers.record(argv)
        reading, writing = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)]
        self.started = time.perf_counter()
        self.pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
        os.close(writing)
        self.output = reading
        self.usage = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.usage is None:
            os.kill(self.pid, signal.SIGTERM)
            self.wait()
        os.close(self.output)

    def first_line(self):
        """Seconds until the ready line."""
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self.output], [], [], 600)[0]:
                raise NotRun("the server was not ready within 10 minutes")
            piece = os.read(self.output, 4096)
            if not piece:
                raise NotRun("the server ended before it was ready")
            line += piece
        return time.perf_counter() - self.started

    def wait(self):
        """Seconds until the end; raises if it failed."""
        _, status, self.usage = os.wait4(self.pid, 0)
        return time.perf_counter() - self.started, os.waitstatus_to_exitcode(status)

    def peak(self):
        """Bytes that it had at most; while it runs."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def ready_after(argv):
    with Child(argv) as child:
        return child.first_line() * 1000


def ended_after(argv):
    with Child(argv) as child:
        return child.wait()[0] * 1000


def start(run):
    result = Result()
    database = servers.database(1_000_000)
    contestants = {
        "compiled-in installation": lambda: ready_after(servers.OURS),
        "--db with 1,000,000 tasks": lambda: ready_after(servers.OURS + ["--db", database]),
        "/bin/true": lambda: ended_after(["/bin/true"]),
    }
    times = interleaved(contestants, 50)
    result.samples["ms"] = times
    for name, goal in (("compiled-in installation", 5), ("--db with 1,000,000 tasks", 10)):
        spread = Spread(times[name])
        result.rows.append(judged(f"start to ready, {name}", f"{spread.text()} ms", f"≤ {goal} ms", spread.median <= goal))
    result.rows.append(Row("start to end of /bin/true, the least that can be", f"{Spread(times['/bin/true']).text()} ms"))
    result.notes.append("Medians of 50, from the exec to the ready line, or to the end of `/bin/true`")
    if run.full:
        rows = []
        for name, make in servers.PEERS.items():
            try:
                took = []
                for _ in range(3):
                    server = make(1, wiremock_answer())
                    begun = time.perf_counter()
                    with server:
                        took.append((time.perf_counter() - begun) * 1000)
                result.samples[name] = took
                rows.append([name, f"{Spread(took).text('{:.0f}')} ms"])
            except Unusable as why:
                result.left_out.append(f"{name}: {why}")
        result.matrices.append(Matrix("Start to the first answer, one task, median of 3", ["server", "took"], rows))
    return result


def wiremock_answer():
    with servers.ours(1) as ours:
        return usual_answer(ours.port, PAGE_1, 1)


def sqlite_script(source, is_lines):
    """The same columns and indexes as ours, by SQL alone; times are cut to seconds and nanoseconds."""
    schema = (ROOT / "tests/bench/sqlite3.sql").read_text(encoding="utf-8")
    text = f"cast(readfile('{source}') AS TEXT)"
    if is_lines:
        text = f"'[' || replace(rtrim({text}, char(10)), char(10), ',') || ']'"

    def instant(field):
        value = f"json_extract(value, '$.{field}')"
        # The tasks have six digits of fraction, from the 21st character on.
        return f"unixepoch({value}), cast(substr({value}, 21, 6) AS INTEGER) * 1000"

    return f"""PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
BEGIN;
{schema}
INSERT INTO log_backup_task
SELECT key + 1, json_extract(value, '$.clusterId'), json_extract(value, '$.tenantId'), {instant("createTime")},
  json_extract(value, '$.status'), {instant("modifyTime")}, {instant("checkpoint")}, json_extract(value, '$.delay'), value
FROM json_each({text});
COMMIT;
"""


def load(run):
    result = Result()
    count = 1_000_000 if run.full else 100_000
    sources = {"NDJSON": data.ndjson(count), "a JSON array": data.array(count)}
    has_sqlite = shutil.which("sqlite3") is not None
    if not has_sqlite:
        result.left_out.append("the comparison: sqlite3 is not installed")
    for form, source in sources.items():
        for kept in ("in a file", "in memory"):
            measure_load(result, f"{number(count)} tasks from {form} {kept}", source, form == "NDJSON",
                         WORK / "loaded.db" if kept == "in a file" else None, has_sqlite)
    result.notes.append("This server: from the exec to the ready line, everything checked and indexed. sqlite3: from the "
                        "exec to its end, without checks, journal and syncing. Memory is the most that the process had")
    result.appendix = ("load.sql, for a JSON array; the lines of NDJSON are joined to an array by replace() before:\n\n"
                       f"```sql\n{sqlite_script('tasks.json', False)}```")
    if not run.full:
        result.notes.append(f"A quick run loads {number(count)} tasks in place of 1,000,000")
    return result


def measure_load(result, name, source, is_lines, target, has_sqlite):
    peaks = {"ours": [], "sqlite3": []}
    sizes = []

    def clean():
        for suffix in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{target}{suffix}")

    def ours():
        clean()
        with Child(servers.OURS + ["--fixtures", source] + (["--db", target] if target else [])) as child:
            took = child.first_line()
            peaks["ours"].append(child.peak())
        if target:
            sizes.append(os.path.getsize(target))
        return took

    def sqlite():
        clean()
        script = WORK / "load.sql"
        script.write_text(sqlite_script(source, is_lines), encoding="utf-8")
        with Child(["sqlite3", "-batch", target or ":memory:", f".read {script}"]) as child:
            took, code = child.wait()
            peaks["sqlite3"].append(child.usage.ru_maxrss * 1024)
        if code:
            raise Invalid(f"sqlite3 ended with {code}")
        return took

    try:
        times = interleaved({"ours": ours, "sqlite3": sqlite} if has_sqlite else {"ours": ours}, 3)
    except Unusable as why:
        result.rows.append(unusable(f"loading {name}", why))
        return
    finally:
        clean()
    result.samples[name] = {"seconds": times, "peak bytes": peaks, "file bytes": sizes}
    mine = Spread(times["ours"])
    if has_sqlite:
        ratio = Spread(theirs / own for theirs, own in zip(times["sqlite3"], times["ours"]))
        result.rows.append(judged(f"loading {name}, sqlite3's time against ours",
                                  f"{ratio.text()}; {mine.median:.2f} s against {statistics.median(times['sqlite3']):.2f} s",
                                  "≥ 1.50", ratio.median >= 1.5))
    else:
        result.rows.append(Row(f"loading {name}", f"{mine.text()} s", "≥ 1.5 times sqlite3", "not run"))
    peak = statistics.median(peaks["ours"])
    theirs = f"; sqlite3 {statistics.median(peaks['sqlite3']) / MEGABYTE:,.0f} MB" if peaks["sqlite3"] else ""
    if sizes:
        share = peak / sizes[0]
        result.rows.append(judged(f"memory while loading {name}, against the database",
                                  f"{share:.2f}; {peak / MEGABYTE:,.0f} MB against {sizes[0] / MEGABYTE:,.0f} MB{theirs}", "≤ 1.30", share <= 1.3))
    else:
        result.rows.append(Row(f"memory while loading {name}, with the database in it", f"{peak / MEGABYTE:,.0f} MB{theirs}"))


def binary(_):
    strip = shutil.which("strip")
    if not strip:
        raise NotRun("strip is not installed")
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        stripped = os.path.join(folder, "stripped")
        argv = [strip, "-o", stripped, str(BINARY)]
        subprocess.run(argv, check=True)
        servers.record(["strip", "-o", "stripped", BINARY])
        size = os.path.getsize(stripped) / MEGABYTE
    return Result([judged("size of the stripped binary", f"{size:.2f} MB", "≤ 3 MB", size <= 3)], samples={"MB": size})


def peers(run):
    result = Result()
    counts = [1, 1_000, 100_000] + ([1_000_000] if run.full else [])
    names = ["this server", "nginx, constant answer", *servers.PEERS]
    table = {name: [] for name in names}
    for count in counts:
        for name, text in measure_peers(run, result, count, names).items():
            table[name].append(text)
    result.matrices.append(Matrix("Requests/s, page 1 with 32 connections; in brackets how many times as many this server answers",
                                  ["server"] + [COUNT_NAMES[count] for count in counts],
                                  [[name] + row for name, row in table.items()]))
    result.notes += [
        "WireMock answers a constant stub, and nginx a constant text; the others filter, sort and cut the same tasks",
        "json-server, Mockoon: " + ", ".join(f"`{one.target}`" for one in
                                             (servers.JsonServer017, servers.JsonServer1, servers.Mockoon)),
        "json-server 1.0 runs with `NODE_ENV=production` and is kept to 127.0.0.1 by tests/bench/loopback.cjs; WireMock "
        "finds its stub below `--root-dir`, and was under load for 10 s before it was measured",
        f"A peer that needs more than {SLOW * 1000:.0f} ms for an answer is asked by one connection, for as long as five answers "
        "take: it has one thread, and the requests of 32 connections would keep it busy long after its sample",
    ]
    return result


def measure_peers(run, result, count, names):
    """What the table shows of each server at this count: name → text."""
    texts = {name: "not run" for name in names}
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(servers.ours(count))
        answer = usual_answer(ours.port, PAGE_1, min(10, count))
        contestants = {"this server": lambda: wrk(ours.port, PAGE_1, 32, run.seconds)}

        def leave_out(name, why):
            progress(f"{name}, {COUNT_NAMES[count]}: {why}")
            result.left_out.append(f"{name}, {COUNT_NAMES[count]}: {why}")
            contestants.pop(name, None)
            # It may still be at work, and the others are measured yet.
            for server in list(servers.running):
                if server.name == name:
                    server.stop()

        try:
            nginx = stack.enter_context(servers.Nginx([len(answer)]))
            contestants["nginx, constant answer"] = lambda: wrk(nginx.port, PAGE_1, 32, run.seconds)
        except Unusable as why:
            leave_out("nginx, constant answer", why)
        for name, make in servers.PEERS.items():
            try:
                server = stack.enter_context(make(count, answer))
                contestants[name] = prepared(server, min(10, count), run.seconds)
            except Unusable as why:
                leave_out(name, why)

        samples = {name: [] for name in contestants}
        for _ in range(3):
            for name in list(contestants):
                try:
                    made = contestants[name]()
                    samples[name].append(made.rate)
                    if made.errors:
                        result.notes.append(f"{name}, {COUNT_NAMES[count]}: {made.errors}")
                except (Unusable, OSError) as why:
                    leave_out(name, why)
            # The next repetition begins with another server.
            contestants = dict(list(contestants.items())[1:] + list(contestants.items())[:1])
        measured = {name: rates for name, rates in samples.items() if name in contestants}
        times = {}
        for name, rates in measured.items():
            median = statistics.median(rates)
            texts[name] = number(median) if median >= 10 else f"{median:.2g}"
            if name != "this server" and "this server" in measured:
                times[name] = Spread(own / rate for own, rate in zip(measured["this server"], rates))
                texts[name] += f" ({multiple(times[name].median)}×)"
        fastest = min(times.keys() & servers.PEERS.keys(), key=lambda name: times[name].median, default=None)
        if fastest:
            result.rows.append(Row(f"this server against the fastest peer, {COUNT_NAMES[count]}",
                                   f"{multiple(times[fastest].median)} times {fastest} "
                                   f"({multiple(min(times[fastest].samples))}–{multiple(max(times[fastest].samples))})"))
        result.samples[COUNT_NAMES[count]] = samples
    return texts


# Seconds of an answer from which on a peer, which has one thread, is asked by one connection: the requests of 32 would
# keep it busy, and the others slow, long after its sample.
SLOW = 0.05


def multiple(ratio):
    return f"{ratio:.2f}" if ratio < 10 else number(ratio)


def prepared(server, tasks, seconds):
    """A call that loads this peer, which has answered rightly and is warm by then."""
    request = request_bytes(server.target)
    with Client(server.port, timeout=120) as client:
        try:
            client.body(request)
            begun = time.perf_counter()
            body = client.body(request)
            took = time.perf_counter() - begun
        except OSError as why:
            raise NotRun(f"no answer within 120 s: {why}") from None
    if body.count(b'"createTime"') != tasks:
        raise Invalid(f"{server.target} was answered with {body.count(b'createTime')} tasks, not {tasks}")
    connections = 1 if took > SLOW else 32
    lasting = max(seconds, min(60, math.ceil(5 * took)))

    def once():
        return wrk(server.port, server.target, connections, lasting, (AUTHORIZATION,), timeout=120, tolerant=True)

    if took <= SLOW:
        wrk(server.port, server.target, connections, server.warming, (AUTHORIZATION,), timeout=120, tolerant=True)
    return once
