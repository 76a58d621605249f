"""What every part of the benchmark knows: where things are, and how a measurement says that it has no result."""

import pathlib
import shlex
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/bench"
WORK = ROOT / "build/bench"
BINARY = ROOT / "build/release/ocp-mock-server"

LIST = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks"
PAGE_1 = f"{LIST}?page=1&size=10"
FILTERED = (f"{LIST}?status=RUNNING,FAILED&startTime=2024-05-01T00:00:00Z&endTime=2024-11-01T00:00:00Z"
            "&page=1&size=10")

AUTHORIZATION = ("Authorization", "Basic YWRtaW46c2VjcmV0")
# Together with Host the ten headers of a browser that was asked for credentials.
BROWSER = [
    AUTHORIZATION,
    ("Connection", "keep-alive"),
    ("Cache-Control", "max-age=0"),
    ("Upgrade-Insecure-Requests", "1"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-US,en;q=0.9"),
    ("Cookie", "session=5f0c2d9e8a7b4c61; theme=dark"),
]


def middle(count):
    """The page in the middle of count tasks."""
    return f"{LIST}?page={max(1, count // 10 // 2)}&size=10"


class Unusable(Exception):
    """A figure has no result; the text says why."""


class NotRun(Unusable):
    """Something that the figure needs is not there or does not start."""


class Invalid(Unusable):
    """It ran, and what came back were no answers that may be counted."""


class Spread:
    """The median of several samples, with the least and the greatest."""

    def __init__(self, samples):
        self.samples = list(samples)
        self.median = statistics.median(self.samples)

    def text(self, form="{:.2f}"):
        if len(self.samples) == 1:
            return form.format(self.median)
        return f"{form} ({form}–{form})".format(self.median, min(self.samples), max(self.samples))


def progress(text):
    print(text, file=sys.stderr, flush=True)


def number(value):
    """1234567 as 1,234,567."""
    return f"{value:,.0f}"


def shown(words):
    """A command line as the documents show it: paths from the folder of the sources, quoted for a shell."""
    return " ".join(shlex.quote(str(word).replace(f"{ROOT}/", "")) for word in words)
