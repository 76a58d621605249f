#!/usr/bin/python3
"""Calls OCP as an MCP server for it does, tool by tool: each request signed with an access key, JSON's content type even
without a body, lists as they are. Run it as mcp_server.py BINARY."""
import json
import pathlib
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import ocp_signature  # noqa: E402
from mock import Http, Unexpected, expect, main, scenario  # noqa: E402

ACCESS_KEY, SECRET_KEY = "ak-mcp", "0123456789abcdef0123456789abcdef"
CLUSTER, TENANT, HOST = 1000005, 1000012, 1000001
WINDOW = {"startTime": "2024-08-09T15:00:00+08:00", "endTime": "2024-08-09T17:00:00+08:00"}

folder = tempfile.TemporaryDirectory(prefix="ocp-mock-mcp-")
credentials = pathlib.Path(folder.name) / "credentials.json"
credentials.write_text(json.dumps({"accessKeys": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY, "user": "mcp"}]}))
SIGNED = ("--credentials", str(credentials))


class ToolFailed(Exception):
    pass


class Tools:
    def __init__(self, world, secret_key=SECRET_KEY):
        self.world, self.http, self.secret_key = world, Http(world.url), secret_key

    def send(self, method, path, query=None, body=None):
        pairs = sorted((query or {}).items())
        target = path + ("?" + "&".join(f"{name}={urllib.parse.quote(str(value), safe='')}" for name, value in pairs)
                         if pairs else "")
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "x-ocp-origin": "mcp-server", "Host": self.http.address}
        headers |= ocp_signature.sign(ACCESS_KEY, self.secret_key, method, self.world.url + target, headers.items(), sent)
        return self.http.send(method, target, sent or None, headers)

    def call(self, method, path, query=None, body=None):
        answer = self.send(method, path, query, body)
        if answer.status >= 400:
            raise ToolFailed(f"{path}: {answer.status} {answer.error}")
        return answer.json

    def get(self, path, **query):
        return self.call("GET", "/api/v2" + path, query)["data"]


def has_rows(name, data):
    expect(f"{name} has rows", bool(data["contents"]), True)


@scenario(*SIGNED)
def every_tool_that_reads(world):
    tools = Tools(world)
    page = {"page": 1, "size": 10}
    c, t = f"/ob/clusters/{CLUSTER}", f"/ob/clusters/{CLUSTER}/tenants/{TENANT}"
    for name, path, query in [
            ("list_oceanbase_clusters", "/ob/clusters", {**page, "sort": "name,asc", "name": "ob", "status": "RUNNING"}),
            ("get_cluster_zones", c + "/zones", {}),
            ("get_cluster_servers", c + "/servers", {}),
            ("get_zone_servers", c + "/zones/zone1/servers", {}),
            ("get_server_stats", c + "/serverStats", {}),
            ("get_cluster_units", c + "/units", {}),
            ("get_cluster_tenants", c + "/tenants", {**page, "mode": "MYSQL", "status": "NORMAL"}),
            ("get_cluster_parameters", c + "/parameters", {}),
            ("get_all_tenants", "/ob/tenants", {**page, "sort": "name,asc"}),
            ("get_tenant_units", t + "/units", {}),
            ("get_tenant_parameters", t + "/parameters", {}),
            ("get_tenant_databases", t + "/databases", {}),
            ("get_tenant_users", t + "/users", {}),
            ("get_tenant_roles", "/ob/clusters/1000005/tenants/1000017/roles", {}),
            ("get_tenant_objects", "/ob/clusters/1000005/tenants/1000017/objects", {}),
            ("get_tenant_top_sql", t + "/topSql", WINDOW),
            ("get_tenant_slow_sql", t + "/slowSql", {**WINDOW, "limit": 5}),
            ("get_obproxy_clusters", "/obproxy/clusters", page),
            ("get_obproxy_cluster_parameters", "/obproxy/clusters/1000001/parameters", {}),
            ("get_metric_groups", "/monitor/metricGroups", {**page, "type": "TOP", "scope": "CLUSTER"}),
            ("get_alarms", "/alarm/alarms", {**page, "status": "Active"}),
            ("get_inspection_tasks", "/inspection/task", {}),
            ("get_inspection_overview", "/inspection/overview", {
                "objectIds": CLUSTER, "inspectionObjectType": "OB_CLUSTER", "scheduleStates": "ACTIVE", "name": "ob"}),
            ("get_last_inspection_result", "/inspection/report/info", {"tagId": 1, "objectType": "OB_CLUSTER"}),
            ("get_last_item_result", "/inspection/report/info/item/1", {"tagId": 1, "objectType": "OB_CLUSTER"}),
            ("get_workload_snapshots", c + "/performance/workload/snapshots", {})]:
        has_rows(name, tools.get(path, **query))
    expect("get_cluster_stats", tools.get(c + "/stats")["clusterId"], CLUSTER)
    expect("get_tenant", tools.get(t)["name"], "ww1144")
    user = tools.get(t + "/users")["contents"][0]["username"]
    expect("get_tenant_user", tools.get(f"{t}/users/{user}")["username"], user)
    role = tools.get("/ob/clusters/1000005/tenants/1000017/roles")["contents"][0]["name"]
    expect("get_tenant_role", tools.get(f"/ob/clusters/1000005/tenants/1000017/roles/{role}")["name"], role)
    sql = tools.get(t + "/topSql", **WINDOW)["contents"][0]["sqlId"]
    expect("get_sql_text", bool(tools.get(f"{t}/sqls/{sql}/text", **WINDOW)["fulltext"]), True)
    expect("get_obproxy_cluster", tools.get("/obproxy/clusters/1000001")["id"], 1000001)
    alarm = tools.get("/alarm/alarms", page=1, size=1)["contents"][0]["id"]
    expect("get_alarm", tools.get(f"/alarm/alarms/{alarm}")["id"], alarm)
    report = tools.get("/inspection/task", taskStates="SUCCESSFUL")["contents"][0]["id"]
    expect("get_inspection_report", tools.get(f"/inspection/report/{report}")["id"], report)
    metrics = tools.get("/monitor/metricsWithLabel", **WINDOW, metrics="cpu_percent", groupBy="app,svr_ip", interval=60,
                        labels="app:OB", minStep=60, maxPoints=10)
    has_rows("get_metrics", metrics)
    expect("violations", [one for one in world.control("GET", "/violations")["requests"]
                          if "signature" in str(one["violations"])], [])


@scenario(*SIGNED)
def parameters_are_set(world):
    tools = Tools(world)
    cluster = f"/ob/clusters/{CLUSTER}/parameters"
    for path, kind, value_of in (
            (cluster, "OB_CLUSTER_PARAMETER", lambda one: one["currentValue"]["values"]),
            (f"/ob/clusters/{CLUSTER}/tenants/{TENANT}/parameters", "OB_TENANT_PARAMETER",
             lambda one: [one["currentValue"]])):
        name = next(one["name"] for one in tools.get(path)["contents"] if not one["readonly"])
        tools.call("PUT", "/api/v2" + path, body=[{"name": name, "value": "7", "parameterType": kind}])
        after = next(one for one in tools.get(path)["contents"] if one["name"] == name)
        expect(f"{path} {name}", value_of(after), ["7"])


@scenario(*SIGNED)
def an_inspection_is_run(world):
    tools = Tools(world)
    data = tools.call("POST", "/api/v2/inspection/run", query={
        "inspectionObjectType": "OB_CLUSTER", "objectIds": CLUSTER, "tag": 1})["data"]
    task, = data["contents"]
    expect("the task", task["status"], "RUNNING")
    runs = [one for one in tools.get("/inspection/task")["contents"] if one["taskId"] == task["id"]]
    expect("the inspection", [one["taskState"] for one in runs], ["RUNNING"])
    world.sleep(60)
    report = tools.get(f"/inspection/report/{runs[0]['id']}")
    expect("the report", (report["taskState"], report["itemFinishedCount"]), ("SUCCESSFUL", report["itemTotalCount"]))
    has_rows("its items", {"contents": report["reportItems"]})
    last = tools.get("/inspection/report/info", tagId=1, objectType="OB_CLUSTER", objectId=CLUSTER)["contents"]
    expect("the last result", [one["reportId"] for one in last], [report["id"]])


@scenario(*SIGNED)
def an_inspection_fails(world):
    tools = Tools(world)
    world.fail_task("/api/v2/inspection/run", 0)
    tools.call("POST", "/api/v2/inspection/run", body={"inspectionObjectType": "HOST", "objectIds": [HOST], "tags": 2})
    world.sleep(60)
    expect("the inspection", tools.get("/inspection/task")["contents"][0]["taskState"], "FAILED")


@scenario(*SIGNED)
def a_workload_report_is_made(world):
    tools = Tools(world)
    path = f"/api/v2/ob/clusters/{CLUSTER}/performance/workload"
    first, *_, last = [one["snapshotId"] for one in tools.call("GET", path + "/snapshots")["data"]["contents"]]
    # Without a body, but with JSON's content type.
    report = tools.call("POST", path + "/reports", {"name": "awr", "startSnapshotId": first, "endSnapshotId": last})["data"]
    world.sleep(60)
    answer = tools.send("GET", f"{path}/reports/{report['id']}")
    expect("the report", (answer.status, "<html>" in answer.text), (200, True))


@scenario(*SIGNED)
def a_wrong_secret_key_is_refused(world):
    expect("the status", Tools(world, "another").send("GET", "/api/v2/ob/clusters").status, 401)


@scenario(*SIGNED)
def ocp_is_away_for_a_moment(world):
    tools = Tools(world)
    world.fault({"match": {"path": "/api/v2/ob/tenants"}, "steps": [{"status": 503, "message": "busy"}]})
    try:
        tools.get("/ob/tenants")
        raise Unexpected("the tool has not noticed")
    except ToolFailed as error:
        expect("what the model is told", str(error), "/api/v2/ob/tenants: 503 busy")
    has_rows("the second call", tools.get("/ob/tenants"))


@scenario(*SIGNED, "--rate-limit", "2/1m")
def the_tools_are_throttled(world):
    tools = Tools(world)
    for _ in range(2):
        tools.get("/ob/clusters")
    expect("the status", tools.send("GET", "/api/v2/ob/clusters").status, 429)
    world.sleep(60)
    has_rows("after a minute", tools.get("/ob/clusters"))


main()
