#!/usr/bin/python3
"""How much 1,000 connections that say nothing delay the requests of another client.

measure_silent_connections.py [BINARY]: starts the server, sends requests, each on a connection of its own and in turn
with and without the silent connections, and prints median and worst of both.
"""

import base64
import json
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import time

SILENT = 1000
REQUESTS = 100
ROUNDS = 4
TARGET = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10"
REQUEST = (f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
           f"Authorization: Basic {base64.b64encode(b'admin:secret').decode()}\r\n\r\n").encode()


def milliseconds(port):
    """One request, from the connecting to the last byte of its answer."""
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(REQUEST)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    took = (time.perf_counter() - start) * 1000
    if not answer.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"measure_silent_connections.py: {answer[:200]!r}")
    return took


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    binary = sys.argv[1] if len(sys.argv) > 1 else root / "build/release/ocp-mock-server"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = subprocess.Popen([binary, "--port", "0", "--log-level", "off"], stdout=subprocess.PIPE)
    try:
        port = json.loads(server.stdout.readline())["port"]
        for _ in range(REQUESTS):
            milliseconds(port)
        alone, beside = [], []
        for _ in range(ROUNDS):
            alone += [milliseconds(port) for _ in range(REQUESTS // ROUNDS)]
            silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(SILENT)]
            beside += [milliseconds(port) for _ in range(REQUESTS // ROUNDS)]
            for connection in silent:
                connection.close()
    finally:
        server.terminate()
        server.wait()
    for name, times in (("alone", alone), (f"beside {SILENT} silent connections", beside)):
        print(f"{name}: median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms of {len(times)}")


main()
