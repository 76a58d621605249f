#!/usr/bin/python3
"""Creates, refreshes and deletes a host, a cluster, a tenant and an OBProxy cluster as a Terraform provider does: 404 means
that the resource is gone, 500 and more is an error, tasks are polled every ten seconds. Run it as terraform.py BINARY."""
import json

from mock import Unexpected, expect, main, scenario

IDC, TYPE, CREDENTIAL = 1000001, 1000001, 1000001
SPEC = "S2"


class Diagnostics(Exception):
    """What Terraform shows to its user."""


class Provider:
    def __init__(self, world):
        self.world, self.ocp = world, world.ocp("terraform", "plan and apply")

    def request(self, method, path, body=None):
        """The data, or None where there is no such resource."""
        answer = self.ocp.post("/api/v2" + path, body, method)
        if answer.status == 404:
            return None
        if answer.status >= 500:
            raise Diagnostics(f"{method} {path}: status {answer.status}")
        value = answer.json
        if not value["successful"]:
            # The Go client declares error.code as a string; OCP answers a number, so no message gets through.
            if not isinstance(value["error"]["code"], str):
                raise Diagnostics(f"{method} {path}: parse response failed")
            raise Diagnostics(f"{method} {path}: {value['error']['message']}")
        return value.get("data", {})

    def wait_for(self, task):
        for _ in range(180):  # 30 minutes
            status = self.request("GET", f"/tasks/{task}")["status"]
            if status == "SUCCESSFUL":
                return
            if status == "FAILED":
                raise Diagnostics(f"task {task} failed")
            self.world.sleep(10)
        raise Diagnostics(f"task {task} takes too long")

    def create(self, path, body, wait=True):
        data = self.request("POST", path, body)
        if data is None:
            raise Diagnostics(f"POST {path}: not found")
        task = data["contents"][0] if "contents" in data else data
        if wait:
            self.wait_for(task["id"])
        return task

    def delete(self, path):
        """Deleting what is gone is no error."""
        data = self.request("DELETE", path)
        if data and "id" in data:
            self.wait_for(data["id"])

    def gone(self, path):
        return self.request("GET", path) is None

    def create_host(self, address="192.0.2.61", wait=True):
        return self.create("/compute/hosts/batchCreate", {
            "hostBasicDataList": [{"innerIpAddress": address}], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE",
            "idcId": IDC, "typeId": TYPE, "credentialId": CREDENTIAL}, wait)["hostId"]

    def create_cluster(self, host, name="tf_cluster", wait=True):
        task = self.create("/ob/clusters", {
            "name": name, "type": "PRIMARY", "password": "tf secret",
            "rpmName": "oceanbase-ce-4.3.1.4-104000052024070514.el8.x86_64.rpm",
            "zones": [{"name": "zone1", "idcName": "hz1", "servers": [host]}]}, wait)
        return task.get("clusterId") or task["cluster"]["id"]

    def create_tenant(self, cluster, name="tf_tenant", wait=True):
        return self.create(f"/ob/clusters/{cluster}/tenants/createTenant", {
            "name": name, "mode": "MYSQL", "rootPassword": "tf secret", "charset": "utf8mb4", "loadType": "HTAP",
            "primaryZone": "zone1", "zones": [{"name": "zone1", "replicaType": "FULL",
                                               "resourcePool": {"unitSpecName": SPEC, "unitCount": 1}}]}, wait)["tenantId"]

    def create_obproxy(self, hosts, name="tf_proxy"):
        self.create("/obproxy/clusters", {
            "name": name, "address": "192.0.2.70", "port": 2883, "workMode": "CONFIG_URL", "obLinks": [],
            "startupParameters": [], "parameters": [],
            "obproxyInstallParam": {"hostIds": hosts, "sqlPort": 2883, "exportPort": 2884,
                                    "version": "obproxy-ce-4.3.0.0-102024062716.el8.x86_64.rpm"}})
        return next(one["id"] for one in self.request("GET", "/obproxy/clusters")["contents"] if one["name"] == name)


@scenario()
def everything_is_created_refreshed_and_deleted(world):
    provider = Provider(world)
    host = provider.create_host()
    expect("the host", provider.request("GET", f"/compute/hosts/{host}")["innerIpAddress"], "192.0.2.61")
    listed = provider.request("GET", f"/compute/hosts?status=AVAILABLE&idcId={IDC}")["contents"]
    expect("the host is free", host in [one["id"] for one in listed], True)

    cluster = provider.create_cluster(host)
    state = provider.request("GET", f"/ob/clusters/{cluster}")
    expect("the cluster", (state["name"], state["status"]), ("tf_cluster", "RUNNING"))
    expect("the host is used", provider.request("GET", f"/compute/hosts/{host}")["status"], "ONLINE")

    tenant = provider.create_tenant(cluster)
    state = provider.request("GET", f"/ob/clusters/{cluster}/tenants/{tenant}")
    expect("the tenant", (state["name"], state["status"]), ("tf_tenant", "NORMAL"))

    proxy = provider.create_obproxy([provider.create_host("192.0.2.62")])
    expect("the OBProxy cluster", provider.request("GET", f"/obproxy/clusters/{proxy}")["name"], "tf_proxy")

    for path in (f"/obproxy/clusters/{proxy}", f"/ob/clusters/{cluster}/tenants/{tenant}", f"/ob/clusters/{cluster}",
                 f"/compute/hosts/{host}"):
        provider.delete(path)
        world.sleep(60)  # the deletion of some has no task that is told
        expect(f"{path} is gone", provider.gone(path), True)
        provider.delete(path)


@scenario()
def what_is_deleted_elsewhere_is_dropped(world):
    provider = Provider(world)
    tenant = provider.create_tenant(1000005)
    path = f"/ob/clusters/1000005/tenants/{tenant}"
    expect("in the state", provider.gone(path), False)
    world.ocp("somebody").delete("/api/v2" + path)
    world.sleep(60)
    expect("dropped from the state", provider.gone(path), True)
    again = provider.create_tenant(1000005)
    expect("ids are not used again", again != tenant, True)


@scenario()
def a_name_is_taken(world):
    provider = Provider(world)
    provider.create_tenant(1000005)
    try:
        provider.create_tenant(1000005)
        raise Unexpected("a second tenant has the name")
    except Diagnostics as error:
        expect("what the user sees", str(error).endswith("parse response failed"), True)


@scenario()
def the_tenant_cannot_be_created(world):
    provider = Provider(world)
    world.fail_task("/api/v2/ob/clusters/{id}/tenants/createTenant", 2)
    try:
        provider.create_tenant(1000005)
        raise Unexpected("the client has not noticed")
    except Diagnostics as error:
        expect("what the user sees", str(error).endswith("failed"), True)
    tenants = provider.request("GET", "/ob/clusters/1000005/tenants?name=tf_tenant")["contents"]
    expect("tainted", [one["status"] for one in tenants], ["CREATING"])
    # The next apply replaces it.
    provider.delete(f"/ob/clusters/1000005/tenants/{tenants[0]['id']}")
    world.sleep(60)
    tenant = provider.create_tenant(1000005)
    expect("replaced", provider.request("GET", f"/ob/clusters/1000005/tenants/{tenant}")["status"], "NORMAL")


@scenario()
def ocp_is_away_for_a_moment(world):
    provider = Provider(world)
    world.fault({"match": {"pathTemplate": "/api/v2/ob/clusters/{id}"}, "steps": [{"status": 503}]})
    try:
        provider.gone("/ob/clusters/1000005")
        raise Unexpected("a 503 has been taken for an answer")
    except Diagnostics as error:
        expect("what the user sees", str(error), "GET /ob/clusters/1000005: status 503")
    expect("a second plan", provider.gone("/ob/clusters/1000005"), False)
    expect("what OCP does not have", world.ocp().get("/api/v2/arbitration/services").status, 404)


@scenario("--rate-limit", "2/1m")
def the_provider_is_throttled(world):
    provider = Provider(world)
    for _ in range(2):
        provider.gone("/ob/clusters/1000005")
    answer = provider.ocp.get("/api/v2/ob/clusters/1000005")
    expect("the status", answer.status, 429)
    expect("the code is a number", json.loads(answer.raw)["error"]["code"], 0)
    world.sleep(int(answer.headers["RateLimit-Reset"]))
    expect("after the wait", provider.gone("/ob/clusters/1000005"), False)


main()
