"""What is measured of the server that runs: each function is one figure and returns a Result."""

import contextlib
import math
import random
import statistics
import time

import servers
from common import (AUTHORIZATION, BROWSER, FILTERED, LIST, PAGE_1, Invalid, Spread, Unusable, middle, number)
from data import STATUSES
from load import (Client, answers_per_connection, interleaved, long_enough, p99, request_bytes, usual_answer, wrk)
from report import Matrix, Result, Row, judged

MEGABYTE = 1e6
COUNTS = [1, 1_000, 100_000, 1_000_000]
COUNT_NAMES = {count: f"N={count:,}" for count in COUNTS}


class Run:
    """How long and how often things are measured."""

    def __init__(self, mode, seconds):
        self.full = mode == "full"
        self.repetitions = 5 if self.full else 3
        self.seconds = seconds or (4 if self.full else 1)
        # The matrix has the most cells by far.
        self.cell_seconds = seconds or (2 if self.full else 1)


def queries(count):
    """Of one task the middle page is the first page."""
    named = {"page 1": PAGE_1, "filtered": FILTERED, "middle page": middle(count)}
    return named if count > 1 else {name: target for name, target in named.items() if name != "middle page"}


def beside_nginx(ours, nginx, target, size, connections, seconds, repetitions, headers=(AUTHORIZATION,)):
    """Loads of both servers: name → samples."""
    return interleaved({
        "ours": lambda: wrk(ours.port, target, connections, seconds, headers),
        "nginx": lambda: wrk(nginx.ports[size], target, connections, seconds, headers),
    }, repetitions)


def share(loads, of="ours", against="nginx"):
    return Spread(one.rate / other.rate for one, other in zip(loads[of], loads[against]))


def rates(loads):
    return {name: [load.rate for load in samples] for name, samples in loads.items()}


def warm(port, target):
    wrk(port, target, 32, 1)


def throughput(run):
    result = Result()
    head = ["tasks", "query", "connections", "this server, requests/s", "nginx, requests/s", "share"]
    rows, shares = [], {}
    for count in COUNTS:
        targets = queries(count)
        with servers.ours(count) as ours:
            sizes = {name: len(usual_answer(ours.port, target, min(10, count))) for name, target in targets.items()}
            with servers.Nginx(sorted(set(sizes.values()))) as nginx:
                warm(ours.port, PAGE_1)
                warm(nginx.port, PAGE_1)
                for name, target in targets.items():
                    for connections in (1, 32, 512):
                        if not run.full and connections != 32 and (count, name) != (1_000, "page 1"):
                            continue
                        cell = f"{COUNT_NAMES[count]}, {name}, {connections} connections"
                        try:
                            seconds = long_enough(ours.port, target, connections, run.cell_seconds)
                            loads = beside_nginx(ours, nginx, target, sizes[name], connections, seconds,
                                                 run.repetitions)
                        except Unusable as why:
                            result.left_out.append(f"{cell}: {why}")
                            continue
                        shares[cell] = share(loads)
                        result.samples[cell] = rates(loads)
                        ours_rate, nginx_rate = (statistics.median(rates(loads)[who]) for who in ("ours", "nginx"))
                        rows.append([f"{count:,}", name, connections, number(ours_rate), number(nginx_rate),
                                     shares[cell].text()])
    result.matrices.append(Matrix("Requests/s beside nginx's constant answer of the same size", head, rows))
    if shares:
        for what, pick in (("lowest", min), ("highest", max)):
            cell = pick(shares, key=lambda name: shares[name].median)
            result.rows.append(Row(f"share of nginx, {what} of the matrix", f"{shares[cell].median:.2f} at {cell}"))
    if not run.full:
        result.notes.append("A quick run has 1 and 512 connections for page 1 of 1,000 tasks only")
    return result


def headers(run):
    result = Result()
    with servers.ours(1_000) as ours:
        size = len(usual_answer(ours.port, PAGE_1, 10))
        with servers.Nginx([size]) as nginx:
            warm(ours.port, PAGE_1)
            warm(nginx.port, PAGE_1)
            for name, sent, goal in (("bare headers", [AUTHORIZATION], 0.65), ("a browser's ten headers", BROWSER, 0.60)):
                loads = beside_nginx(ours, nginx, PAGE_1, size, 32, run.seconds, run.repetitions, sent)
                ratio = share(loads)
                result.samples[name] = rates(loads)
                result.rows.append(judged(f"share of nginx, page 1 of 1,000 tasks, 32 connections, {name}", ratio.text(),
                                          f"≥ {goal:.2f}", ratio.median >= goal))
                result.notes.append(f"With {name} this server answered "
                                    f"{number(statistics.median(rates(loads)['ours']))} requests/s, nginx "
                                    f"{number(statistics.median(rates(loads)['nginx']))}")
    return result


def latency(run):
    result = Result()
    with servers.ours(1_000) as ours:
        size = len(usual_answer(ours.port, PAGE_1, 10))
        with servers.Nginx([size]) as nginx:
            warm(ours.port, PAGE_1)
            warm(nginx.port, PAGE_1)
            for connections, goal in ((32, 1.5), (512, 15)):
                try:
                    loads = beside_nginx(ours, nginx, PAGE_1, size, connections, run.seconds, run.repetitions)
                except Unusable as why:
                    result.rows.append(unusable(f"p99 at {connections} connections", why, f"< {goal:g} ms"))
                    continue
                spreads = {(who, part): Spread(getattr(load, part) for load in samples)
                           for who, samples in loads.items() for part in ("p50", "p99")}
                result.samples[f"{connections} connections, ms"] = {
                    f"{who} {part}": spread.samples for (who, part), spread in spreads.items()}
                result.rows.append(judged(
                    f"p99 at {connections} connections",
                    f"{spreads['ours', 'p99'].text()} ms, p50 {spreads['ours', 'p50'].median:.2f} ms; nginx p99 "
                    f"{spreads['nginx', 'p99'].text()} ms, p50 {spreads['nginx', 'p50'].median:.2f} ms",
                    f"< {goal:g} ms", spreads["ours", "p99"].median < goal))
            rounds = [answers_per_connection(ours.port, PAGE_1, 512, run.seconds) for _ in range(3)]
    worst = min(rounds, key=lambda counts: min(counts) / max(1, statistics.median(counts)))
    fewest, usual, most = min(worst), statistics.median(worst), max(worst)
    result.samples["answers of each of 512 connections"] = [[min(counts), statistics.median(counts), max(counts)]
                                                            for counts in rounds]
    result.rows.append(judged("starved of 512 connections (worst of 3 rounds)",
                              f"{worst.count(0)}; fewest answers {fewest}, median {usual:.0f}, most {most}",
                              "none; fewest ≥ median / 10", fewest > 0 and fewest >= usual / 10))
    result.notes.append("Who starves is counted by a client in Python of one thread, which may be slower than the server")
    return result


def scale(run):
    result = Result()
    with servers.ours(1_000) as small, servers.ours(1_000_000) as large:
        warm(small.port, PAGE_1)
        warm(large.port, PAGE_1)
        for name in queries(1_000):
            contestants = {}
            for label, server, count in (("N=1,000", small, 1_000), ("N=1,000,000", large, 1_000_000)):
                target = queries(count)[name]
                usual_answer(server.port, target, 10)
                seconds = long_enough(server.port, target, 32, run.seconds)
                contestants[label] = lambda port=server.port, target=target, seconds=seconds: wrk(port, target, 32, seconds)
            title, goal = f"requests/s at N=1,000,000 against N=1,000, {name}", "≥ 0.90"
            try:
                loads = interleaved(contestants, run.repetitions)
            except Unusable as why:
                result.rows.append(unusable(title, why, goal))
                continue
            ratio = share(loads, "N=1,000,000", "N=1,000")
            result.samples[name] = rates(loads)
            result.rows.append(judged(title, ratio.text(), goal, ratio.median >= 0.90))
    return result


def walk(run):
    """Each walk is on a server of its own, which knows nothing of an earlier one."""
    result = Result()
    step = 1 if run.full else 10
    pages = range(1, 1_000_000 // 100 + 1, step)
    ratios, starts, ends = [], [], []
    for _ in range(3):
        with servers.ours(1_000_000) as ours, Client(ours.port) as client:
            for _ in range(100):
                client.ask(request_bytes(PAGE_1))
            times = [client.ask(request_bytes(f"{LIST}?page={page}&size=100")) for page in pages]
        part = len(times) // 20
        starts.append(statistics.median(times[:part]))
        ends.append(statistics.median(times[-part:]))
        ratios.append(ends[-1] / starts[-1])
    ratio = Spread(ratios)
    result.samples = {"first 5 %, ms": starts, "last 5 %, ms": ends}
    result.rows.append(judged(
        f"walk over {len(pages):,} pages of 1,000,000 tasks, size 100: last 5 % against first 5 %",
        f"{ratio.text()}; {statistics.median(ends):.2f} ms against {statistics.median(starts):.2f} ms a page", "≤ 1.20",
        ratio.median <= 1.2))
    if step > 1:
        result.notes.append(f"A quick run asks for every {step}th page")
    result.notes.append(f"The requests are `GET {LIST}?page=1&size=100` and on, over one connection")
    return result


WINDOWS = [
    (None, None),
    ("2024-03-01T00:00:00Z", None), (None, "2024-09-01T00:00:00Z"),
    ("2024-12-30T00:00:00Z", None), (None, "2024-01-02T00:00:00Z"),
    ("2024-01-02T00:00:00Z", "2024-12-30T00:00:00Z"), ("2024-04-01T00:00:00Z", "2024-06-30T23:59:59Z"),
    ("2024-06-01T00:00:00Z", "2024-06-01T23:59:59Z"), ("2024-06-01T12:00:00Z", "2024-06-01T12:01:00Z"),
    ("2023-01-01T00:00:00Z", "2023-12-31T23:59:59Z"), ("2025-06-01T00:00:00Z", None), (None, "2023-06-01T00:00:00Z"),
]


def filters():
    """All 255 sets of statuses, each with three kinds of windows, and each kind of window without a status."""
    numbers = random.Random(5)
    made = []
    for subset in range(256):
        statuses = ",".join(status for i, status in enumerate(STATUSES) if subset >> i & 1)
        kinds = range(len(WINDOWS)) if subset == 0 else [(subset * 3 + i * 5) % len(WINDOWS) for i in range(3)]
        for kind in kinds:
            second = f":{numbers.randrange(60):02}Z"
            parts = [f"status={statuses}"] if statuses else []
            parts += [f"{name}={time[:-4]}{second}" for name, time in zip(("startTime", "endTime"), WINDOWS[kind]) if time]
            made.append("&".join(parts))
    made = list(dict.fromkeys(made))
    numbers.shuffle(made)
    return made


def first(_):
    """On a freshly started server, three times; the second pass asks the same again."""
    result = Result()
    asked = filters()
    requests = [request_bytes(f"{LIST}?{one}&page=1&size=10") for one in asked]
    passes = {"first query": [], "the same again": []}
    for _ in range(3):
        with servers.ours(1_000_000) as ours, Client(ours.port) as client:
            # The connection's own first request is not what is asked for.
            client.ask(request_bytes(PAGE_1))
            for times in passes.values():
                times.append([client.ask(request) for request in requests])
    for name, rounds in passes.items():
        medians = [statistics.median(times) for times in zip(*rounds)]
        slowest = max(range(len(medians)), key=lambda i: medians[i])
        measured = (f"slowest {medians[slowest]:.2f} ms, p50 {statistics.median(medians):.2f} ms, "
                    f"p99 {p99(medians):.2f} ms")
        title = f"{name} of {len(asked)} filters, 1,000,000 tasks"
        result.rows.append(judged(title, measured, "< 10 ms", medians[slowest] < 10) if name == "first query"
                           else Row(title, measured))
        result.notes.append(f"{name.capitalize()}: the slowest of all {len(rounds) * len(asked):,} samples took "
                            f"{max(map(max, rounds)):.2f} ms; the slowest median was that of `{asked[slowest]}`")
        result.samples[name] = dict(zip(asked, map(list, zip(*rounds))))
    result.notes.append("A filter's time is the median of three freshly started servers, from the sending to the last byte")
    result.notes.append("Every set of statuses, with start, end, both or none; windows wide, narrow and without any task. "
                        "Every status has tasks, so a status without tasks is one within a window of a minute")
    return result


def memory(run):
    result = Result()
    for name, make in (("compiled-in example", servers.Ours), ("1,000,000 tasks of --db", lambda: servers.ours(1_000_000))):
        sizes = []
        for _ in range(3):
            with make() as server:
                sizes.append(server.memory() / MEGABYTE)
        result.samples[f"ready, {name}, MB"] = sizes
        spread = Spread(sizes)
        result.rows.append(judged(f"memory when ready, {name}", f"{spread.text('{:.1f}')} MB", "≤ 10 MB",
                                  spread.median <= 10))
    wanted = 10_000_000 if run.full else 300_000
    with servers.ours(1_000) as ours:
        ready = ours.memory()
        asked = 0
        seconds = 1
        while asked < wanted:
            load = wrk(ours.port, PAGE_1, 32, seconds, BROWSER)
            asked += load.requests
            seconds = max(1, min(30, math.ceil((wanted - asked) / load.rate)))
        after, peak = ours.memory(), ours.memory("VmHWM")
    result.samples["N=1,000, bytes"] = {"ready": ready, "after": after, "peak": peak, "requests": asked}
    result.rows.append(judged(f"memory after {asked:,} requests, against when ready (N=1,000)",
                              f"{after / ready:.2f}; {after / MEGABYTE:.1f} MB, was {ready / MEGABYTE:.1f} MB, "
                              f"at most {peak / MEGABYTE:.1f} MB", "≤ 1.20", after <= 1.2 * ready))
    result.notes.append("Memory is VmRSS, also the shared libraries' and the mapped file's part of it")
    return result


def idle(_):
    result = Result()
    count, rounds, asked = 10_000, 4, 1_500
    request = request_bytes(PAGE_1)
    alone, beside, costs = [], [], []
    with servers.ours(1_000) as ours, Client(ours.port) as other:
        for _ in range(asked):
            other.ask(request)
        for turn in range(rounds):
            alone.append(p99([other.ask(request) for _ in range(asked)]))
            before = ours.memory()
            with contextlib.ExitStack() as silent:
                # From another address each turn: the ports of an address do not last for two.
                for _ in range(count):
                    client = silent.enter_context(Client(ours.port, f"127.0.0.{turn + 2}"))
                    client.ask(request)
                costs.append((ours.memory() - before) / count / 1000)
                beside.append(p99([other.ask(request) for _ in range(asked)]))
            time.sleep(0.3)
    ratio = Spread(one / another for one, another in zip(beside, alone))
    # Memory that is freed stays with the process, so that later turns cost nothing.
    cost = max(costs)
    result.samples = {"p99 alone, ms": alone, "p99 beside, ms": beside, "kB a connection": costs}
    result.rows.append(judged(f"memory of an idle connection, of {count:,}", f"{cost:.1f} kB", "≤ 20 kB", cost <= 20))
    result.rows.append(judged(
        f"p99 of another client beside {count:,} idle connections, against alone",
        f"{ratio.text()}; {statistics.median(beside):.2f} ms against {statistics.median(alone):.2f} ms", "≤ 2.00",
        ratio.median <= 2))
    result.notes.append(f"{rounds} rounds of {asked:,} requests without and {asked:,} with the idle connections, each of which has had "
                        "one answer; the memory is that of the round that grew most")
    return result


def unusable(figure, why, goal=""):
    return Row(figure, str(why), goal, "invalid" if isinstance(why, Invalid) else "not run")
