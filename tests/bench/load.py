"""Clients that put load on a server: wrk for rates and latencies, sockets of our own for what wrk does not show."""

import collections
import math
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import time

import servers
from common import AUTHORIZATION, Invalid, NotRun

# p50 and p99 in milliseconds; errors is what wrk says of its sockets, if it does.
Load = collections.namedtuple("Load", "rate requests p50 p99 errors")
UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}


def wrk(port, target, connections, seconds, headers=(AUTHORIZATION,), timeout=30, tolerant=False):
    """Raises Invalid for answers other than 2xx and, unless it is tolerant, for errors of sockets."""
    if not shutil.which("wrk"):
        raise NotRun("wrk is not installed")
    argv = ["wrk", "--threads", "1" if connections == 1 else "2", "--connections", str(connections),
            "--duration", f"{seconds}s", "--timeout", f"{timeout}s", "--latency"]
    for name, value in headers:
        argv += ["--header", f"{name}: {value}"]
    argv.append(f"http://127.0.0.1:{port}{target}")
    servers.record(argv, port)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = process.communicate(timeout=seconds + timeout + 30)[0]
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise NotRun(f"wrk ended with {process.returncode}: {said.strip()[:200]}")
    refused, errors = (re.search(complaint, said) for complaint in ("Non-2xx or 3xx responses.*", "Socket errors.*"))
    if refused or (errors and not tolerant):
        raise Invalid(f"wrk at {connections} connections: {(refused or errors)[0].strip()}")
    requests = int(re.search(r"(\d+) requests in", said)[1])
    if not requests:
        raise Invalid(f"no answer within {seconds} s")
    return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), requests,
                latency(said, 50), latency(said, 99), errors and errors[0].strip())


def latency(said, percent):
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)([a-z]+)$", said, re.M)
    # wrk keeps no latencies when all are longer than its timeout.
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def long_enough(port, target, connections, seconds):
    """Seconds within which each connection has an answer, also of a slow server; 20 at most."""
    with Client(port, timeout=120) as client:
        took = statistics.median(client.ask(request_bytes(target)) for _ in range(3)) / 1000
    return min(20, max(seconds, math.ceil(took * connections)))


def interleaved(contestants, repetitions):
    """Calls each contestant once a repetition, in rotated order: name → its results."""
    results = {name: [] for name in contestants}
    names = list(contestants)
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(contestants[name]())
    return results


def request_bytes(target, headers=(AUTHORIZATION,)):
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1"] + [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(answer):
    """The length of the answer's head, and the answer's whole length, or None if the head has not come."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise Invalid(f"an answer is {bytes(answer[:100])!r}")
    length = re.search(rb"\r\ncontent-length: *(\d+)", answer[:end], re.I)
    if not length:
        raise Invalid("an answer has no Content-Length")
    return end + 4, end + 4 + int(length[1])


class Client:
    """One keep-alive connection that asks and waits."""

    def __init__(self, port, address="127.0.0.1", timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (address, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, request):
        """Milliseconds from the sending to the last byte."""
        start = time.perf_counter()
        self.body(request)
        return (time.perf_counter() - start) * 1000

    def body(self, request):
        self.socket.sendall(request)
        answer = bytearray()
        length = None
        while length is None or len(answer) < length[1]:
            piece = self.socket.recv(262144)
            if not piece:
                raise Invalid("a connection was closed before its answer was whole")
            answer += piece
            length = length or whole(answer)
        return bytes(answer[length[0]:])


def usual_answer(port, target, tasks):
    """The body that this request has as a rule: its length differs by the digits that the time happens to have."""
    with Client(port) as client:
        bodies = [client.body(request_bytes(target)) for _ in range(21)]
    lengths = collections.Counter(map(len, bodies))
    body = next(body for body in bodies if len(body) == lengths.most_common(1)[0][0])
    if body.count(b'"createTime"') != tasks:
        raise Invalid(f"{target} was answered with {body.count(b'createTime')} tasks, not {tasks}")
    return body


def answers_per_connection(port, target, connections, seconds):
    """How many answers each connection got while each had one request under way at all times."""
    request = request_bytes(target)
    selector = selectors.EpollSelector()
    clients = [Client(port) for _ in range(connections)]
    answers = collections.Counter()
    try:
        for client in clients:
            client.socket.setblocking(False)
            selector.register(client.socket, selectors.EVENT_READ, (client.socket, bytearray()))
        for client in clients:
            client.socket.send(request)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in selector.select(0.1):
                connection, answer = key.data
                piece = connection.recv(65536)
                if not piece:
                    raise Invalid("a connection was closed")
                answer += piece
                length = whole(answer)
                if length and len(answer) >= length[1]:
                    answers[connection] += 1
                    answer.clear()
                    connection.send(request)
        return [answers[client.socket] for client in clients]
    finally:
        selector.close()
        for client in clients:
            client.socket.close()


def p99(times):
    return statistics.quantiles(times, n=100)[98]
