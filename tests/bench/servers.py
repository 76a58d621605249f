"""Servers that are measured: how each is started on 127.0.0.1, when it is ready, and that it is stopped."""

import http.client
import json
import os
import re
import select
import shutil
import socket
import subprocess
import time

import data
from common import BINARY, HERE, PAGE_1, ROOT, WORK, NotRun, progress, shown

LOGS = WORK / "logs"
OURS = [BINARY, "--port", "0", "--log-level", "off"]
# The command lines of a run, in the order of their first use, by figure; ports are written as PORT.
commands = {}
figure = ""
running = []


def record(words, port=None):
    line = shown(words)
    if port:
        line = re.sub(rf"\b{port}\b", "PORT", line)
    lines = commands.setdefault(figure, [])
    if line not in lines:
        lines.append(line)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that runs as long as the `with` does."""

    # Where its page 1 is.
    target = PAGE_1
    patience = 120
    # Seconds under load before it is measured.
    warming = 2

    def __init__(self, name, argv, port=None, cwd=WORK, **environment):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.argv = [str(word) for word in argv]
        self.port = port
        self.log = LOGS / f"{re.sub('[^a-z0-9.]+', '-', name.lower())}.log"
        self.cwd = cwd
        self.environment = environment
        self.process = None

    def __enter__(self):
        record(self.argv, self.port)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=self.output(log), stderr=log,
                                            cwd=self.cwd, env={**os.environ, **self.environment})
        running.append(self)
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def output(self, log):
        return log

    def stop(self):
        if self in running:
            running.remove(self)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def wait_until_ready(self):
        """Until it answers page 1."""
        deadline = time.monotonic() + self.patience
        while not self.answers(max(1.0, deadline - time.monotonic())):
            if self.process.poll() is not None:
                raise NotRun(f"{self.name} ended with {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NotRun(f"{self.name} did not answer within {self.patience} s: {self.last_words()}")
            time.sleep(0.005)

    def answers(self, timeout):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", self.target)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        telling = [line for line in lines if re.search("error|memory", line, re.I)] or lines
        return telling[-1].strip().replace(f"{ROOT}/", "")[:200] if telling else "it said nothing"

    def memory(self, field="VmRSS"):
        """Bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"^{field}:\s+(\d+) kB", status.read(), re.M)[1]) * 1024


class Ours(Server):
    """Options that say what is served; it says itself when it is ready, and on which port."""

    def __init__(self, *options):
        super().__init__("ocp-mock-server", OURS + list(options), cwd=ROOT)

    def output(self, _):
        return subprocess.PIPE

    def wait_until_ready(self):
        if not select.select([self.process.stdout], [], [], self.patience)[0]:
            raise NotRun(f"{self.name} was not ready within {self.patience} s")
        line = self.process.stdout.readline()
        if not line:
            raise NotRun(f"{self.name} ended with {self.process.wait()}: {self.last_words()}")
        self.port = json.loads(line)["port"]

    def stop(self):
        super().stop()
        self.process.stdout.close()


def load_database(source, file):
    with Ours("--fixtures", source, "--db", file):
        pass


def database(count):
    return data.database(count, load_database)


def ours(count):
    """Our server with so many tasks: from a file of --db where loading takes its time."""
    if count >= 100_000:
        return Ours("--db", database(count))
    return Ours("--fixtures", data.ndjson(count))


class Nginx(Server):
    """Answers any request with a constant body, of another size on each of its ports."""

    def __init__(self, sizes):
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program:
            raise NotRun("nginx is not installed")
        folder = WORK / "nginx"
        folder.mkdir(parents=True, exist_ok=True)
        self.ports = {}
        while len(self.ports) < len(sizes):
            port = free_port()
            if port not in self.ports.values():
                self.ports[sizes[len(self.ports)]] = port
        (folder / "nginx.conf").write_text(self.configuration())
        super().__init__("nginx", [program, "-p", folder, "-e", "error.log", "-c", "nginx.conf"],
                         self.ports[sizes[0]])

    def configuration(self):
        servers = []
        for size, port in self.ports.items():
            # nginx reads no word of more than 4,096 bytes, so a long body is joined from pieces.
            pieces = [f"p{i}" for i in range(-(-size // 4000))]
            bodies = "".join(f'set ${piece} "{"x" * min(4000, size - 4000 * i)}";\n' for i, piece in enumerate(pieces))
            # Without reuseport one of the workers may take all of 32 connections, and a core stands idle.
            servers.append(f'server {{\nlisten 127.0.0.1:{port} reuseport backlog=4096;\n{bodies}'
                           f'return 200 "{"".join("${%s}" % piece for piece in pieces)}";\n}}\n')
        return ("daemon off;\nworker_processes 2;\nworker_rlimit_nofile 16384;\npid nginx.pid;\nerror_log error.log;\n"
                "events { worker_connections 8192; }\n"
                "http {\naccess_log off;\nserver_tokens off;\ndefault_type application/json;\n"
                "keepalive_requests 1000000000;\nkeepalive_timeout 75s;\n"
                + "".join(f"{name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                + "".join(servers) + "}\n")


class JsonServer017(Server):
    target = ("/logBackupTasks?clusterId=1000005&tenantId=1000012&_sort=createTime&_order=desc&_page=1&_limit=10")

    def __init__(self, count):
        folder = npm("json-server-0.17", "json-server@0.17.4")
        port = free_port()
        super().__init__("json-server 0.17.4", ["node", folder / "json-server/lib/cli/bin.js", "--host", "127.0.0.1",
                                                "--port", port, "--quiet", "--no-gzip", data.json_server(count)],
                         port, **quiet_home())


class JsonServer1(Server):
    target = "/logBackupTasks?clusterId=1000005&tenantId=1000012&_sort=-createTime&_page=1&_per_page=10"

    def __init__(self, count):
        folder = npm("json-server-1", "json-server@1.0.0-beta.3")
        port = free_port()
        # It serves the files of ./public, and under NODE_ENV=production ends without that folder.
        root = WORK / "json-server"
        (root / "public").mkdir(parents=True, exist_ok=True)
        super().__init__("json-server 1.0.0-beta.3",
                         ["node", "--require", HERE / "loopback.cjs", folder / "json-server/lib/bin.js",
                          "--port", port, data.json_server(count)], port, root, NODE_ENV="production", **quiet_home())


class Mockoon(Server):
    target = ("/logBackupTasks?clusterId_eq=1000005&tenantId_eq=1000012&sort=createTime&order=desc&page=1&limit=10")

    def __init__(self, count):
        folder = npm("mockoon", "@mockoon/cli@9.9.0")
        port = free_port()
        super().__init__("Mockoon 9.9.0",
                         ["node", folder / "@mockoon/cli/bin/run.js", "start", "--data", data.mockoon(count),
                          "--port", port, "--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api",
                          "--repair"], port, **quiet_home())


class WireMock(Server):
    """A constant answer, that of our server: it has no query."""

    # Seconds under load until Java has compiled what it runs.
    warming = 10

    def __init__(self, count, answer):
        folder = npm("wiremock", "wiremock@3.13.2")
        jars = list((folder / "wiremock/build").glob("*.jar"))
        if not jars:
            raise NotRun("the package wiremock holds no jar")
        if not shutil.which("java"):
            raise NotRun("java is not installed")
        port = free_port()
        root = WORK / "wiremock"
        for name in ("mappings", "__files"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "__files/answer.json").write_bytes(answer)
        path, _, query = self.target.partition("?")
        parameters = dict(pair.split("=") for pair in query.split("&"))
        (root / "mappings/list.json").write_text(json.dumps({
            "request": {"method": "GET", "urlPath": path,
                        "queryParameters": {name: {"equalTo": value} for name, value in parameters.items()}},
            "response": {"status": 200, "bodyFileName": "answer.json",
                         "headers": {"Content-Type": "application/json"}}}))
        super().__init__("WireMock 3.13.2",
                         ["java", "-jar", jars[0], "--bind-address", "127.0.0.1", "--port", port, "--root-dir", root,
                          "--disable-banner", "--disable-gzip", "--disable-request-logging",
                          "--use-chunked-encoding", "never"], port)


PEERS = {
    "json-server 0.17.4": lambda count, _: JsonServer017(count),
    "json-server 1.0.0-beta.3": lambda count, _: JsonServer1(count),
    "Mockoon 9.9.0": lambda count, _: Mockoon(count),
    "WireMock 3.13.2": WireMock,
}


def quiet_home():
    """What Node programs keep in the user's home goes elsewhere."""
    home = WORK / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"HOME": str(home), "NO_UPDATE_NOTIFIER": "1"}


def npm(name, package):
    """The node_modules that hold this package, installed if it is not there yet."""
    folder = WORK / "npm" / name
    installed = folder / "installed"
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotRun("node or npm is not installed")
    argv = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", "--loglevel=error", package]
    record(argv)
    if not installed.is_file() or installed.read_text() != package:
        progress(f"installing {package}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # A package.json of its own, or npm would install into a folder above that has one.
        (folder / "package.json").write_text('{"private": true}\n')
        try:
            made = subprocess.run([str(word) for word in argv], cwd=folder, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        except subprocess.TimeoutExpired:
            raise NotRun(f"npm did not install {package} within 10 minutes") from None
        if made.returncode:
            said = made.stdout.strip().splitlines() or ["nothing"]
            raise NotRun(f"npm could not install {package}: {said[0][:200]}")
        installed.write_text(package)
    return folder / "node_modules"
