#!/usr/bin/python3
"""Lists a tenant's log backup tasks: python_client.py requests|httpx. Prints a JSON object of what it was answered."""

import json
import os
import sys
from urllib.parse import urlsplit

import ocp_signature

ENV = os.environ
TASKS = "{OCP_URL}/api/v2/ob/clusters/{OCP_CLUSTER}/tenants/{OCP_TENANT}/backup/task/logBackupTasks".format_map(ENV)


def with_requests():
    import requests

    class AccessKeyAuth(requests.auth.AuthBase):
        def __init__(self, access_key, secret_key):
            self.keys = access_key, secret_key

        def __call__(self, request):
            # requests leaves Host to a lower layer, which is too late to sign it.
            request.headers.setdefault("Host", urlsplit(request.url).netloc)
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            request.headers.update(
                ocp_signature.sign(*self.keys, request.method, request.url, request.headers.items(), body))
            return request

    def basic(user, password):  # requests sends text as Latin-1
        return requests.auth.HTTPBasicAuth(user.encode(), password.encode())

    session = requests.Session()
    session.verify = ENV.get("OCP_CA", True)
    return session, basic, AccessKeyAuth, requests.exceptions.Timeout


def with_httpx():
    import httpx

    class AccessKeyAuth(httpx.Auth):
        requires_request_body = True

        def __init__(self, access_key, secret_key):
            self.keys = access_key, secret_key

        def auth_flow(self, request):
            request.headers.update(ocp_signature.sign(
                *self.keys, request.method, str(request.url), request.headers.multi_items(), request.content))
            yield request

    return httpx.Client(verify=ENV.get("OCP_CA", True)), httpx.BasicAuth, AccessKeyAuth, httpx.TimeoutException


CLIENT, basic, access_key, Timeout = {"requests": with_requests, "httpx": with_httpx}[sys.argv[1]]()


def walk(auth, **filters):
    bodies, page, pages = [], 1, 1
    while page <= pages:
        body = CLIENT.get(TASKS, params={"page": page, "size": ENV["OCP_PAGE_SIZE"], **filters}, auth=auth).json()
        bodies.append(body)
        pages = body["data"]["page"]["totalPages"] if "data" in body else 0
        page += 1
    return bodies


def answer(auth=None):
    response = CLIENT.get(TASKS, auth=auth)
    return {"status": response.status_code, "body": response.json(),
            "headers": {name.lower(): value for name, value in response.headers.items()}}


def meet_the_limit(auth):
    served = 0
    while (last := answer(auth))["status"] == 200 and served < 200:  # a server may not throttle at all
        served += 1
    return {"served": served, "answer": last}


def give_up(auth):
    """Gives up during a delay, and reads what the journal says of that."""
    def post(path, body):
        return CLIENT.post(ENV["OCP_URL"] + "/__admin" + path, json=json.loads(body))

    post("/faults", ENV["OCP_DELAY"]).raise_for_status()
    timed_out = False
    try:
        CLIENT.get(ENV["OCP_URL"] + ENV["OCP_DELAYED"], auth=auth, timeout=float(ENV["OCP_PATIENCE"]))
    except Timeout:
        timed_out = True
    waiting = ENV["OCP_URL"] + "/__admin/requests?wait=PT20S&path=" + ENV["OCP_DELAYED"]
    return {"timedOut": timed_out, "requests": CLIENT.get(waiting, timeout=30).json(),
            "verified": post("/requests/verify", ENV["OCP_QUESTION"]).json()}


user = basic(ENV["OCP_USER"], ENV["OCP_PASSWORD"])
key = access_key(ENV["OCP_ACCESS_KEY"], ENV["OCP_SECRET_KEY"])
statuses = ENV["OCP_STATUSES"].split(",")
size = "size=" + ENV["OCP_PAGE_SIZE"]
# Blanks, pluses, UTF-8, commas, a name given twice, no value, no equals sign: what signatures break on.
awkward = f"?{size}&page=2&z=a+b&z=a%20b&z=1%2B1&a=x,y&a=%E6%97%A5&a=B%2CA&A=~*'()!/:@&%E6%97%A5=%25&empty=&bare"

print(json.dumps({
    "pages": walk(user),
    "filtered": walk(user, status=statuses),
    "refused": [answer(), answer(basic(ENV["OCP_USER"], "not the password")),
                answer(access_key(ENV["OCP_ACCESS_KEY"], "not the secret key"))],
    "published_signature": ocp_signature.published_example(),
    "signed_pages": walk(key),
    "signed_filtered": walk(key, status=statuses),
    "signed_with_header": CLIENT.get(
        f"{TASKS}?{size}", auth=key, headers={"X-Ocp-Later": "b, a", "x-ocp-data": "B,A"}).json(),
    "signed_awkward_query": CLIENT.get(TASKS + awkward, auth=key).json(),
    "throttled": meet_the_limit(basic(ENV["OCP_LIMITED_USER"], ENV["OCP_LIMITED_PASSWORD"])),
    "gave_up": give_up(user),
}))
