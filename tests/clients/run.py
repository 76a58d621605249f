#!/usr/bin/python3
"""Runs one real HTTP client against the built server, over HTTP and HTTPS: run.py BINARY CLIENT

The client walks through a tenant's tasks, is refused, is throttled, gives up during a delay, and prints one JSON object
of what it was answered. What is right is worked out here from the fixtures. Exit status 0: everything matched. Run it from the root of
the repository.
"""

import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "fixtures" / "sample.json"
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's modules; another may come first in PATH
SECONDS = {"server to start": 30, "client to finish": 90, "server to stop": 30}

# How it is started, what shows that it is there, the Debian package that brings it.
CLIENTS = {
    "curl": (["/bin/bash", HERE / "curl_client.sh"], ["/usr/bin/curl", "--version"], "curl"),
    "requests": ([PYTHON, HERE / "python_client.py", "requests"], [PYTHON, "-c", "import requests"],
                 "python3-requests"),
    "httpx": ([PYTHON, HERE / "python_client.py", "httpx"], [PYTHON, "-c", "import httpx"], "python3-httpx"),
    "fetch": (["/usr/bin/node", HERE / "fetch_client.mjs"],
              ["/usr/bin/node", "-e", "process.exit(globalThis.fetch ? 0 : 'fetch needs Node 18')"], "nodejs"),
}

CLUSTER, TENANT = 1000005, 1000012
PAGE_SIZE, STATUSES = 4, ("STOPPED", "RUNNING")
FOUND = (*STATUSES, "INPROGRESS")  # which means the same as RUNNING
LIMIT = 30  # more than any user but the limited one asks for
WINDOW_SECONDS = 24 * 60 * 60

# The limit counts by user, so each job has its own.
USER, PASSWORD = "admin", "pa:ss wörd+密码"
LIMITED_USER, LIMITED_PASSWORD = "limited", "limited password"
ACCESS_KEY, SECRET_KEY, KEY_USER = "ak-clients", "2fc0c299cc94c6be266f2ceece765d4d", "signer"
CREDENTIALS = {
    "users": [{"name": USER, "password": PASSWORD}, {"name": LIMITED_USER, "password": LIMITED_PASSWORD}],
    "accessKeys": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY, "user": KEY_USER}],
}

# The client arms a delay for this path, gives up after so many seconds, and asks the journal.
DELAYED, PATIENCE = "/api/v2/info", 2
DELAY = {"match": {"path": DELAYED}, "action": {"delayMs": 3600000}}
QUESTION = {"path": DELAYED, "exactly": 1}

PUBLISHED_SIGNATURE = "XN8P+O+v3vUabB16ZCooq5wMJoY="  # OCP's API reference, the example of the AK/SK rules


class Failure(Exception):
    pass


def instant(text):
    """Sorts as the point in time does, with all nine digits of the fraction."""
    second, fraction, offset = re.fullmatch(r"(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text).groups()
    moment = datetime.datetime.fromisoformat(second + offset.replace("Z", "+00:00"))
    return int(moment.timestamp()), (fraction or "").ljust(9, "0")


def expected_tasks():
    tasks = [task for task in json.loads(FIXTURES.read_text("utf-8"))["logBackupTasks"]
             if (task["clusterId"], task["tenantId"]) == (CLUSTER, TENANT)]
    return sorted(tasks, key=lambda task: instant(task["createTime"]), reverse=True)  # ties keep their order


def expected_pages(tasks, size):
    starts = range(0, len(tasks), size)
    return [{"contents": tasks[start:start + size],
             "page": {"number": number, "size": size, "totalElements": len(tasks), "totalPages": len(starts)}}
            for number, start in enumerate(starts, 1)]


def expect(place, came, wanted):
    """Fails with the first place that differs."""
    if isinstance(came, dict) and isinstance(wanted, dict):
        for key in sorted(came.keys() | wanted.keys()):
            expect(f"{place}.{key}", came.get(key, "(nothing)"), wanted.get(key, "(nothing)"))
    elif isinstance(came, list) and isinstance(wanted, list):
        for index, (one, other) in enumerate(zip(came, wanted)):
            expect(f"{place}[{index}]", one, other)
        expect(f"the length of {place}", len(came), len(wanted))
    elif came != wanted or isinstance(came, bool) != isinstance(wanted, bool):
        raise Failure(f"{place}: expected {wanted!r}, came {came!r}")


def check_bodies(place, bodies, pages):
    """The bodies are successful answers with these pages."""
    for index, body in enumerate(bodies):
        if "error" in body:
            raise Failure(f"{place}[{index}]: expected a page, came {body}")
        expect(f"{place}[{index}].successful", body["successful"], True)
        expect(f"{place}[{index}].status", body["status"], 200)
    came = [body["data"] for body in bodies]
    expect(f"createTime in {place}", *([[task["createTime"] for task in page["contents"]] for page in side]
                                       for side in (came, pages)))
    expect(place, came, pages)


def header(answer, name):
    value = answer["headers"].get(name)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def check_refused(place, answer, status):
    body = answer["body"]
    expect(f"{place}.status", answer["status"], status)
    expect(f"{place}.body.status", body["status"], status)
    expect(f"{place}.body.successful", body["successful"], False)
    expect(f"{place}.body.error.code", body["error"]["code"], 0)
    expect(f"{place}.body has data", "data" in body, False)
    if not body["error"]["message"]:
        raise Failure(f"{place}.body.error.message: expected a text, came none")


def check(client, report):
    tasks = expected_tasks()
    pages = expected_pages(tasks, PAGE_SIZE)
    filtered = expected_pages([task for task in tasks if task["status"] in FOUND], PAGE_SIZE)
    if not 1 < len(filtered) < len(pages):
        raise Failure(f"{FIXTURES}: {STATUSES} must give several pages, and fewer than all tasks do")
    is_python = client in ("requests", "httpx")

    check_bodies("pages", report["pages"], pages)
    check_bodies("filtered", report["filtered"], filtered)
    # Without credentials, with a wrong password, with a wrong secret key.
    expect("the number of refused", len(report["refused"]), 3 if is_python else 2)
    for index, answer in enumerate(report["refused"]):
        place = f"refused[{index}]"
        check_refused(place, answer, 401)
        challenge = header(answer, "www-authenticate")
        if not str(challenge).startswith("Basic realm="):
            raise Failure(f"{place}, WWW-Authenticate: expected 'Basic realm=...', came {challenge!r}")
    if is_python:
        expect("published_signature", report["published_signature"], PUBLISHED_SIGNATURE)
        check_bodies("signed_pages", report["signed_pages"], pages)
        check_bodies("signed_filtered", report["signed_filtered"], filtered)
        check_bodies("signed_with_header", [report["signed_with_header"]], pages[:1])
        check_bodies("signed_awkward_query", [report["signed_awkward_query"]], pages[1:2])

    throttled = report["throttled"]
    expect("requests served before 429", throttled["served"], LIMIT)
    check_refused("throttled", throttled["answer"], 429)
    expect("throttled, RateLimit-Limit", header(throttled["answer"], "ratelimit-limit"), str(LIMIT))
    expect("throttled, RateLimit-Remaining", header(throttled["answer"], "ratelimit-remaining"), "0")
    reset = header(throttled["answer"], "ratelimit-reset")
    if not (str(reset).isdigit() and 0 < int(reset) <= WINDOW_SECONDS):
        raise Failure(f"throttled, RateLimit-Reset: expected 1 to {WINDOW_SECONDS}, came {reset!r}")

    gave_up = report["gave_up"]
    expect("gave_up.timedOut", gave_up["timedOut"], True)
    entries = [{key: entry.get(key) for key in ("path", "status", "bytes", "clientLeft")}
               for entry in gave_up["requests"]["requests"]]
    expect("gave_up.requests", entries, [{"path": DELAYED, "status": None, "bytes": 0, "clientLeft": True}])
    expect("gave_up.verified", {key: gave_up["verified"][key] for key in ("result", "matched", "inFlight")},
           {"result": "passed", "matched": 1, "inFlight": 0})


def end(server):
    """Gives the exit status."""
    server.terminate()
    try:
        return server.wait(SECONDS["server to stop"])
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


@contextlib.contextmanager
def running_server(binary, folder, scheme, ca_file):
    """Gives the server's URL. The server has ended when this is left, and has ended well when nothing else failed."""
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(CREDENTIALS), "utf-8")
    command = [binary, "--port", "0", "--fixtures", FIXTURES, "--credentials", credentials,
               "--rate-limit", f"{LIMIT}/1d", "--log-level", "trace"]
    if ca_file:
        command += ["--tls-self-signed", "--tls-ca-out", ca_file]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OCP_MOCK_")}
    log = folder / f"server.{scheme}.log"
    with log.open("wb") as stderr:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment)
    try:
        watchdog = threading.Timer(SECONDS["server to start"], server.kill)
        watchdog.daemon = True
        watchdog.start()
        line = server.stdout.readline()
        watchdog.cancel()
        if not line:
            raise Failure(f"the server printed no ready line within {SECONDS['server to start']} s; "
                          f"its exit status is {end(server)}")
        url = json.loads(line)["url"]
        if not url.startswith(f"{scheme}://127.0.0.1:"):
            raise Failure(f"the ready line: expected a URL with {scheme}://127.0.0.1:, came {url}")
        yield url
        expect("the server's exit status", end(server), 0)
        lines = log.read_text("utf-8")
        for secret in (PASSWORD, LIMITED_PASSWORD, SECRET_KEY, "Basic "):
            expect(f"'{secret}' in the log", secret in lines, False)
    except BaseException:
        end(server)
        sys.stderr.write(f"--- the server's standard error ---\n{log.read_text('utf-8', 'replace')}---\n")
        raise
    finally:
        server.stdout.close()


def run_client(client, folder, url, ca_file):
    # Nothing is inherited: a proxy, a .netrc or a .curlrc of the caller would change what is tested.
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1,localhost", "OCP_URL": url,
        "OCP_USER": USER, "OCP_PASSWORD": PASSWORD,
        "OCP_LIMITED_USER": LIMITED_USER, "OCP_LIMITED_PASSWORD": LIMITED_PASSWORD,
        "OCP_ACCESS_KEY": ACCESS_KEY, "OCP_SECRET_KEY": SECRET_KEY,
        "OCP_CLUSTER": str(CLUSTER), "OCP_TENANT": str(TENANT),
        "OCP_PAGE_SIZE": str(PAGE_SIZE), "OCP_STATUSES": ",".join(STATUSES),
        "OCP_DELAYED": DELAYED, "OCP_PATIENCE": str(PATIENCE),
        "OCP_DELAY": json.dumps(DELAY), "OCP_QUESTION": json.dumps(QUESTION),
    }
    if ca_file:
        environment.update({"OCP_CA": str(ca_file), "NODE_EXTRA_CA_CERTS": str(ca_file)})
    try:
        done = subprocess.run(CLIENTS[client][0], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              encoding="utf-8", timeout=SECONDS["client to finish"])
    except subprocess.TimeoutExpired as error:
        raise Failure(f"the client did not finish within {error.timeout} s") from error
    if done.returncode != 0:
        raise Failure(f"the client's exit status: expected 0, came {done.returncode}\n{done.stderr}")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise Failure(f"the client printed no JSON ({error}): {done.stdout}\n{done.stderr}") from error


def check_presence(client):
    _, probe, package = CLIENTS[client]
    try:
        problem = subprocess.run(probe, capture_output=True, text=True, timeout=30)
        if problem.returncode == 0:
            return
        problem = problem.stderr.strip()
    except OSError as error:
        problem = error
    raise Failure(f"it is missing; install the Debian package {package}\n{problem}")


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in CLIENTS:
        sys.exit(f"usage: run.py BINARY {'|'.join(CLIENTS)}")
    binary, client = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("run.py: terminated"))  # so that the server is ended, too
    stage = client
    try:
        check_presence(client)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for scheme, ca_file in (("http", None), ("https", folder / "ca.pem")):
                stage = f"{client} over {scheme}"
                with running_server(binary, folder, scheme, ca_file) as url:
                    report = run_client(client, folder, url, ca_file)
                    try:
                        check(client, report)
                    except (AttributeError, KeyError, TypeError) as error:
                        raise Failure(f"the report lacks something: {error!r}\n{json.dumps(report)}") from error
    except (Failure, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"{stage}: {error}")


main()
