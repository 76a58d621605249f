"""What a run shows: the table on standard output, docs/benchmarks.md and the samples as JSON."""

import dataclasses
import datetime
import json
import os
import platform
import re
import subprocess

import servers
from common import AUTHORIZATION, ROOT, WORK


@dataclasses.dataclass
class Row:
    figure: str
    measured: str
    goal: str = ""
    verdict: str = ""


def judged(figure, measured, goal, met):
    return Row(figure, measured, goal, "met" if met else "missed")


@dataclasses.dataclass
class Matrix:
    title: str
    head: list
    rows: list


@dataclasses.dataclass
class Result:
    """What one figure has come to."""
    rows: list = dataclasses.field(default_factory=list)
    matrices: list = dataclasses.field(default_factory=list)
    # Why something is not in the figure, in whole sentences without their full stop.
    left_out: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    samples: dict = dataclasses.field(default_factory=dict)
    # Markdown at the end of the figure's part.
    appendix: str = ""


def aligned(head, rows):
    table = [head] + rows
    widths = [max(len(str(row[i])) for row in table) for i in range(len(head))]
    return "\n".join("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)


def markdown(head, rows):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
    return "\n".join([line(head), line(["---"] * len(head))] + [line(row) for row in rows])


HEAD = ["figure", "measured", "goal", ""]


def cells(results):
    return [[row.figure, row.measured, row.goal, row.verdict] for result in results.values() for row in result.rows]


def text(results):
    parts = [aligned(HEAD, cells(results))]
    for result in results.values():
        parts += [f"{matrix.title}\n{aligned(matrix.head, matrix.rows)}" for matrix in result.matrices]
    left_out = [f"{name}: {why}" for name, result in results.items() for why in result.left_out]
    if left_out:
        parts.append("Not run\n" + "\n".join(left_out))
    return "\n\n".join(parts)


def first_line(*argv):
    try:
        made = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=30, cwd=ROOT)
        lines = [line for line in made.stdout.splitlines() if line.strip() and "warn" not in line]
        return lines[0].strip() if lines else "no answer"
    except (OSError, subprocess.TimeoutExpired):
        return "not installed"


def field(file, pattern):
    with open(file, encoding="utf-8") as lines:
        found = re.search(pattern, lines.read(), re.M)
    return found[1] if found else "unknown"


def machine():
    gigabytes = int(field("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 1e6
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    version = subprocess.run(["sh", "-c", "nginx -v 2>&1 | grep -o 'nginx/.*'"], env={"PATH": path}, text=True,
                             stdout=subprocess.PIPE, check=False).stdout.strip() or "not installed"
    return [
        ["processor", field("/proc/cpuinfo", r"^model name\s*:\s*(.*)$")],
        ["cores", str(os.cpu_count())],
        ["memory", f"{gigabytes:.0f} GB"],
        ["kernel", platform.release()],
        ["distribution", field("/etc/os-release", r'^PRETTY_NAME="?(.*?)"?$')],
        ["sources", first_line("git", "describe", "--always", "--dirty")],
        ["nginx", version],
        ["wrk", first_line("sh", "-c", "wrk --version | grep -o '^wrk [^ ]* \\[[a-z]*\\]'")],
        ["sqlite3", first_line("sh", "-c", "sqlite3 --version | cut -d' ' -f1-2")],
        ["Node", first_line("node", "--version")],
        ["npm", first_line("npm", "--version")],
        ["Java", first_line("java", "-version")],
        ["Python", platform.python_version()],
        ["compiler", first_line("c++", "--version")],
        ["peers", ", ".join(servers.PEERS)],
    ]


def document(mode, started, took, results):
    command = f"scripts/bench.sh {mode}"
    parts = [f"""# Benchmarks

Written by `{command}` on {started:%Y-%m-%d} from {started:%H:%M} UTC, in {took / 60:.0f} minutes. Run it again to measure another machine.
{'A quick run: few and short samples, fewer tasks to load, fewer requests. A full run settles what is close.' if mode == 'quick' else 'A full run.'}

## The machine

{markdown(['', ''], machine())}

## Goals

Medians; in brackets the least and the greatest sample.

{markdown(HEAD, cells(results))}

## How it is measured

- Load and servers share the machine, over 127.0.0.1. Servers that are compared run at the same time, and are put under load one right
  after another in each repetition, in rotated order. Ratios are made within a repetition.
- This server runs with its defaults, so with authentication and the journal; only its log is off. Requests carry
  `{': '.join(AUTHORIZATION)}`. 100,000 tasks and more are served from a file of `--db`, fewer
  from memory (`--fixtures`). It uses a thread for each core.
- nginx answers the same request with a constant body of the same size, by two workers which share its
  connections (`reuseport`). It stands for what the machine can do. It sends five headers, this server three: `Server`
  and `Connection` cannot be taken away there. Its body is joined from pieces of up to 4,000 bytes, because its
  configuration has no longer words.
- The tasks are those of `tests/bench/data.py`: one tenant, eight statuses in equal numbers and in no order, spread over 2024, all of
  the same length. Filtered means two statuses and half a year, an eighth of the tasks. The middle page is that of half the tasks.
- An answer other than 2xx or an error of a socket makes a sample invalid, and the figure says so."""]
    for name, result in results.items():
        parts.append(f"## {name}")
        if result.rows:
            parts.append(markdown(HEAD, cells({name: result})))
        parts += [f"{matrix.title}\n\n{markdown(matrix.head, matrix.rows)}" for matrix in result.matrices]
        if result.notes:
            parts.append("\n".join(f"- {note}." for note in result.notes))
        if servers.commands.get(name):
            parts.append("```sh\n" + "\n".join(servers.commands[name]) + "\n```")
        if result.appendix:
            parts.append(result.appendix)
    parts.append("## Not run")
    parts.append("\n".join(f"- {name}: {why}." for name, result in results.items() for why in result.left_out)
                 or "Nothing was left out.")
    return "\n\n".join(parts) + "\n"


def write_document(mode, started, took, results):
    file = ROOT / "docs/benchmarks.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(document(mode, started, took, results), encoding="utf-8")
    return file


def write_samples(mode, started, results):
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "results.json").write_text(json.dumps({
        "mode": mode, "started": started.isoformat(timespec="seconds"), "machine": dict(machine()),
        "figures": {name: {"rows": [dataclasses.asdict(row) for row in result.rows], "left_out": result.left_out,
                           "samples": result.samples, "commands": servers.commands.get(name, [])}
                    for name, result in results.items()}}, indent=1) + "\n")


def now():
    return datetime.datetime.now(datetime.timezone.utc)
