#!/usr/bin/python3
"""Hands a cluster over to OCP as obdeploy's export-to-ocp does: time, version, check, host type, credential, takeover, and
its task polled to the end. Run it as export_to_ocp.py BINARY."""
from mock import Unexpected, expect, main, scenario

ADDRESS, PORT = "192.0.2.31", 2881
PASSWORD = "root of sys"


class ExportFailed(Exception):
    pass


class Exporter:
    def __init__(self, world):
        self.world, self.ocp = world, world.ocp("admin", "aaAA11__")

    def ask(self, method, path, body=None):
        """An exception is tried again, five times at most; any answer but 200 is told and not tried again."""
        for _ in range(5):
            try:
                answer = self.ocp.post(path, body, method)
            except OSError as error:
                last = error
                self.world.sleep(1)
                continue
            if answer.status != 200:
                raise ExportFailed(f"{path}: {answer.error}")
            return answer.json
        raise ExportFailed(f"{path}: {last}")

    def wait_for_ocp(self):
        for _ in range(10):
            if self.world.admin.get("/api/v2/time").status == 200:  # without credentials
                return
            self.world.sleep(3)
        raise ExportFailed("OCP is not there")

    def check_version(self):
        version = self.ask("GET", "/api/v2/info")["buildVersion"].split("_")[0]
        if [int(part) for part in version.split("-")[0].split(".")] < [4, 2, 0]:
            raise ExportFailed(f"OCP {version} is too old")

    def check_cluster(self):
        data = self.ask("POST", "/api/v2/ob/clusters/takeOverPreCheck", {
            "connectionMode": "direct", "address": ADDRESS, "port": PORT, "rootSysPassword": PASSWORD})["data"]
        if data["result"]["valid"] is not True:
            raise ExportFailed("; ".join(data["result"]["messages"]))

    def host_type(self, name="obd_exported"):
        types = self.ask("GET", "/api/v2/compute/hostTypes")["data"]["contents"]
        found = [one["id"] for one in types if one["name"] == name]
        return found[0] if found else self.ask("POST", "/api/v2/compute/hostTypes", {"name": name})["data"]["id"]

    def credential(self, name="obd_exported"):
        credentials = self.ask("GET", "/api/v2/profiles/me/credentials")["data"]["contents"]
        found = [one["id"] for one in credentials if one["targetType"] == "HOST" and one["name"] == name]
        if found:
            return found[0]
        return self.ask("POST", "/api/v2/profiles/me/credentials", {
            "targetType": "HOST", "name": name,
            "sshCredentialProperty": {"type": "PASSWORD", "username": "admin", "passphrase": PASSWORD}})["data"]["id"]

    def take_over(self):
        data = self.ask("POST", "/api/v2/ob/clusters/takeOver", {
            "connectionMode": "direct", "address": ADDRESS, "port": PORT, "rootSysPassword": PASSWORD,
            "hostInfo": {"kind": "DEDICATED_PHYSICAL_MACHINE", "hostTypeId": self.host_type(),
                         "credentialId": self.credential()}})["data"]
        return int(data["clusterId"]), int(data["id"])

    def wait_for(self, task):
        for _ in range(120):
            data = self.ask("GET", f"/api/v2/tasks/instances/{task}")["data"]
            if data["status"] != "RUNNING":
                return data
            self.world.sleep(1)
        raise ExportFailed(f"task {task} takes too long")

    def export(self):
        self.wait_for_ocp()
        self.check_version()
        self.check_cluster()
        cluster, task = self.take_over()
        status = self.wait_for(task)["status"]
        if status != "SUCCESSFUL":
            raise ExportFailed(f"task {task}: {status}")
        return cluster

    def status_of(self, cluster):
        return self.ask("GET", f"/api/v2/ob/clusters/{cluster}")["data"]["status"]

    def clusters(self):
        return [one["id"] for one in self.ask("GET", "/api/v2/ob/clusters")["data"]["contents"]]


@scenario()
def a_cluster_is_taken_over(world):
    exporter = Exporter(world)
    before = exporter.clusters()
    exporter.wait_for_ocp()
    exporter.check_version()
    exporter.check_cluster()
    cluster, task = exporter.take_over()
    expect("the cluster while it is taken over", exporter.status_of(cluster), "TAKINGOVER")
    expect("the end of its task", exporter.wait_for(task)["status"], "SUCCESSFUL")
    expect("the cluster", exporter.status_of(cluster), "RUNNING")
    expect("clusters", sorted(exporter.clusters()), sorted([*before, cluster]))
    secrets = exporter.ocp.get("/api/v2/profiles/me/credentials").text + exporter.ocp.get(f"/api/v2/ob/clusters/{cluster}").text
    expect("a password is told", PASSWORD in secrets, False)


@scenario()
def host_type_and_credential_are_used_again(world):
    exporter = Exporter(world)
    first = exporter.host_type(), exporter.credential()
    expect("the second time", (exporter.host_type(), exporter.credential()), first)
    expect("host types that were made", world.sent(method="POST", path="/api/v2/compute/hostTypes"), 1)


@scenario()
def the_takeover_fails(world):
    exporter = Exporter(world)
    world.fail_task("/api/v2/ob/clusters/takeOver", 3)
    cluster, task = exporter.take_over()
    expect("the end of its task", exporter.wait_for(task)["status"], "FAILED")
    expect("the cluster", exporter.status_of(cluster), "TAKINGOVER")
    exporter.ask("POST", f"/api/v2/tasks/instances/{task}/retry")
    expect("after a retry", exporter.wait_for(task)["status"], "SUCCESSFUL")
    expect("the cluster, after a retry", exporter.status_of(cluster), "RUNNING")


@scenario()
def ocp_starts_slowly(world):
    exporter = Exporter(world)
    world.fault({"match": {"path": "/api/v2/time"}, "steps": [{"status": 503}, {"status": 502, "html": True}]})
    exporter.wait_for_ocp()
    expect("polls", world.sent(path="/api/v2/time"), 3)


@scenario()
def ocp_is_away_for_a_moment(world):
    exporter = Exporter(world)
    world.fault({"match": {"path": "/api/v2/ob/clusters/takeOverPreCheck"},
                 "steps": [{"fault": "CONNECTION_RESET_BY_PEER"}, {"status": 503, "message": "OCP is being upgraded"}]})
    try:
        exporter.export()
        raise Unexpected("the client has not noticed")
    except ExportFailed as error:
        expect("what is told", str(error), "/api/v2/ob/clusters/takeOverPreCheck: OCP is being upgraded")
    exporter.export()


@scenario("--rate-limit", "5/1m")
def the_client_is_throttled(world):
    exporter = Exporter(world)
    try:
        exporter.export()
        raise Unexpected("it is not throttled")
    except ExportFailed:
        expect("the limit", world.sent(status=429), 1)
    world.sleep(60)
    expect("OCP after a minute", exporter.ocp.get("/api/v2/info").status, 200)


main()
