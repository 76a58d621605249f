#!/usr/bin/env python3
"""Measures the release build beside other servers; scripts/bench.sh installs and builds what this needs."""

import argparse
import fcntl
import resource
import signal
import sys
import time

import figures
import programs
import report
import servers
from common import BINARY, WORK, Unusable, progress

FIGURES = {
    "throughput": figures.throughput,
    "headers": figures.headers,
    "latency": figures.latency,
    "scale": figures.scale,
    "walk": figures.walk,
    "first": figures.first,
    "start": programs.start,
    "memory": figures.memory,
    "load": programs.load,
    "idle": figures.idle,
    "binary": programs.binary,
    "peers": programs.peers,
}


def options():
    parser = argparse.ArgumentParser(
        prog="bench.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures the release build on 127.0.0.1 beside nginx, sqlite3, json-server, Mockoon and WireMock.",
        epilog=f"figures: {', '.join(FIGURES)}\n\nA run of all figures writes docs/benchmarks.md anew. Samples are in "
               "build/bench/results.json.")
    parser.add_argument("mode", nargs="?", choices=["quick", "full"], default="quick",
                        help="quick takes some minutes, full more than half an hour; quick without it")
    parser.add_argument("--only", metavar="NAME,...", type=lambda text: text.split(","), default=list(FIGURES),
                        help="only these figures; docs/benchmarks.md stays as it is")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long wrk runs for a sample, at least 1")
    parsed = parser.parse_args()
    if unknown := [name for name in parsed.only if name not in FIGURES]:
        parser.error(f"there is no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    if parsed.seconds is not None and parsed.seconds < 1:
        parser.error("--seconds must be at least 1")
    return parsed


def measure(name, run):
    servers.figure = name
    progress(f"measuring {name}")
    try:
        return FIGURES[name](run)
    except Unusable as why:
        return report.Result([figures.unusable(name, why)], left_out=[str(why)])


def main():
    chosen = options()
    if not BINARY.is_file():
        sys.exit(f"bench.sh: {BINARY} is not there; scripts/bench.sh builds it")
    # A connection that is measured has one end here and one in a server, which has the limit of this process.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda number, _: sys.exit(128 + number))

    WORK.mkdir(parents=True, exist_ok=True)
    lock = open(WORK / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("bench.sh: another run is under way here")
    started = report.now()
    begun = time.monotonic()
    run = figures.Run(chosen.mode, chosen.seconds)
    results = {}
    try:
        for name in FIGURES:
            if name in chosen.only:
                results[name] = measure(name, run)
    except KeyboardInterrupt:
        sys.exit("bench.sh: stopped")
    finally:
        for server in list(servers.running):
            server.stop()
    print(report.text(results))
    report.write_samples(chosen.mode, started, results)
    if len(results) == len(FIGURES):
        file = report.write_document(chosen.mode, started, time.monotonic() - begun, results)
        progress(f"wrote {file}")


if __name__ == "__main__":
    main()
