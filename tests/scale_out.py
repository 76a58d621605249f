#!/usr/bin/python3
"""Runs nginx in front of four servers on one file of tasks: scale_out.py BINARY [TASKS]

Clients ask for pages anywhere while one of the servers is killed and started again. Each answer must be the one that a
server alone gives, and none may be missing. TASKS is 1,000,000 if it is not given. Needs nginx.
"""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SERVERS, CLIENTS, PAGES = 4, 8, 200
LEAST_MEANWHILE = 100  # requests that are answered while one server is away, and again when it is back
SECONDS = 600
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}
VARYING = re.compile(rb'"(duration|timestamp|traceId)":("[^"]*"|\d+),?')

# A client is answered by another server if one does not answer, as by any load balancer that retries.
NGINX = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/temporary;
  proxy_temp_path {folder}/temporary;
  fastcgi_temp_path {folder}/temporary;
  uwsgi_temp_path {folder}/temporary;
  scgi_temp_path {folder}/temporary;
  upstream ocp {{
{servers}
    keepalive 16;
  }}
  server {{
    listen unix:{folder}/ocp.sock;
    location / {{
      proxy_pass http://ocp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout non_idempotent;
    }}
  }}
}}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("ocp.test", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def wait_for(what, condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"scale_out.py: {what} took more than {SECONDS} s")
        time.sleep(0.01)


def start(binary, *options):
    process = subprocess.Popen([binary, "--log-level", "warn", *options], stdout=subprocess.PIPE)
    line = process.stdout.readline()
    if not line:
        sys.exit(f"scale_out.py: a server with {' '.join(map(str, options))} did not start")
    return process, json.loads(line)["port"]


def ask(connection, path):
    connection.request("GET", path, headers=CREDENTIALS)
    answer = connection.getresponse()
    return answer.status, VARYING.sub(b"", answer.read())


def random_paths(tenants, tasks):
    """Pages, near and far, with filters and without."""
    numbers = random.Random(1)
    paths = []
    for _ in range(PAGES):
        cluster, tenant = numbers.choice(tenants)
        size = numbers.choice((1, 10, 100))
        page = numbers.randint(1, max(1, tasks // len(tenants) // size))
        status = numbers.choice(("", "&status=FAILED", "&status=RUNNING,STOPPED"))
        paths.append(f"/api/v2/ob/clusters/{cluster}/tenants/{tenant}/backup/task/logBackupTasks?page={page}&size={size}{status}")
    return paths


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: scale_out.py BINARY [TASKS]")
    binary = pathlib.Path(sys.argv[1]).resolve()
    tasks = int(sys.argv[2]) if len(sys.argv) == 3 else 1_000_000
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        sys.exit("scale_out.py: nginx is missing; apt-get install nginx-light")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # nginx's workers are of another user

        def end(process):
            process.kill()
            process.wait()

        generated = folder / "generated.json"
        subprocess.run([binary, "generate", "--clusters", "2", "--tenants", "5", "--tasks", str(tasks), "--out", generated],
                       check=True)
        database = folder / "tasks.db"
        process, port = start(binary, "--port", "0", "--fixtures", generated, "--db", database)
        alone = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        generated.unlink()
        tenants = [(1000001 + cluster, 1000001 + 6 * cluster + tenant) for cluster in range(2) for tenant in range(1, 6)]
        paths = random_paths(tenants, tasks)
        expected = {path: ask(alone, path) for path in paths}
        if any(status != 200 for status, _ in expected.values()):
            sys.exit("scale_out.py: a server alone does not answer")
        end(process)

        servers = [start(binary, "--port", "0", "--db", database) for _ in range(SERVERS)]
        stack.callback(lambda: [end(process) for process, _ in servers])
        lines = "\n".join(f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for _, port in servers)
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, servers=lines), encoding="ascii")
        balancer = subprocess.Popen([nginx, "-p", folder, "-e", folder / "error.log", "-c", configuration])
        stack.callback(lambda: (balancer.send_signal(signal.SIGTERM), balancer.wait()))
        path = str(folder / "ocp.sock")
        wait_for("nginx's start", lambda: (folder / "ocp.sock").exists() or balancer.poll() is not None)
        if balancer.poll() is not None:
            sys.exit("scale_out.py: nginx did not start: " + (folder / "error.log").read_text(encoding="utf-8"))

        answered, done = [0] * CLIENTS, threading.Event()

        def client(number):
            numbers = random.Random(number)
            connection = UnixConnection(path)
            while not done.is_set():
                asked = numbers.choice(paths)
                got = ask(connection, asked)
                if got != expected[asked]:
                    done.set()
                    raise AssertionError(f"{asked} was answered with {got[0]}: {got[1][:300]!r}")
                answered[number] += 1

        def wait_for_more(what):
            wanted = sum(answered) + LEAST_MEANWHILE
            wait_for(what, lambda: sum(answered) >= wanted or done.is_set())

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(client, number) for number in range(CLIENTS)]
            try:
                wait_for_more("the first requests")
                killed, port = servers[1]
                end(killed)
                wait_for_more("requests without one server")
                servers[1] = start(binary, "--port", str(port), "--db", database)
                wait_for_more("requests with the server that is back")
                journal = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

                def is_used_again():
                    journal.request("GET", "/__admin/requests?limit=1")
                    return b"logBackupTasks" in journal.getresponse().read() or done.is_set()

                wait_for("a request to the server that is back", is_used_again)
            finally:
                done.set()
            for one in clients:
                one.result()
        print(f"{sum(answered)} answers of {SERVERS} servers on one file of {tasks:,} tasks, all of them right")


main()
