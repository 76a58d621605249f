#!/usr/bin/python3
"""Brings a cluster into OCP as the installer antman does, with curl and grep: it looks for text in the raw answers, so they
must be compact JSON. Run it as antman.py BINARY."""
import json

from mock import Unexpected, expect, main, scenario

HOST = "192.0.2.41"
PASSWORD = "oceanbase of root"


class InstallFailed(Exception):
    pass


class Installer:
    def __init__(self, world):
        self.world, self.ocp = world, world.ocp("admin", "aaAA11__")

    def curl(self, method, path, body=None):
        """The raw text; curl without --fail takes any status."""
        return self.ocp.post(path, body, method).text

    def checked(self, method, path, body=None):
        text = self.curl(method, path, body)
        answer = json.loads(text)
        if answer["successful"] is not True:
            raise InstallFailed(f"{path}: {answer['error']['message']}")
        return answer.get("data")

    def wait_for_ocp(self):
        for _ in range(100):
            try:
                if self.world.admin.get("/api/v2/time").text.startswith("20"):
                    return
            except OSError:
                pass
            self.world.sleep(3)
        raise InstallFailed("OCP is not there")

    def id_of(self, kind, name, **more):
        """Of the one with the name, which is made where there is none."""
        for one in self.checked("GET", f"/api/v2/compute/{kind}")["contents"]:
            if one["name"] == name:
                return one["id"]
        return self.checked("POST", f"/api/v2/compute/{kind}", {"name": name, **more})["id"]

    def credential(self):
        for one in self.checked("GET", "/api/v2/profiles/me/credentials?targetType=HOST")["contents"]:
            if one["name"] == "antman":
                return one["id"]
        return self.checked("POST", "/api/v2/profiles/me/credentials", {
            "targetType": "HOST", "name": "antman", "description": "of the installer", "validate": False, "hostIdList": [],
            "sshCredentialProperty": {"type": "PASSWORD", "username": "root", "passphrase": PASSWORD}})["id"]

    def has_host(self):
        return f'"innerIpAddress":"{HOST}"' in self.curl("GET", "/api/v2/compute/hosts")

    def has_cluster(self, name):
        return f'"name":"{name}"' in self.curl("GET", "/api/v2/ob/clusters")

    def add_host(self):
        region = self.id_of("regions", "antman_region")
        idc = self.id_of("idcs", "antman_idc", regionId=region)
        data = self.checked("POST", "/api/v2/compute/hosts/batchCreate", {
            "hostBasicDataList": [{"innerIpAddress": HOST}], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE",
            "idcId": idc, "typeId": self.id_of("hostTypes", "antman_type"), "credentialId": self.credential()})
        return data["contents"][0]["id"]

    def has_config(self):
        return "successful" in self.curl("GET", "/services?Action=GetObProxyConfig&User_ID=admin&UID=alibaba")

    def wait_for(self, task):
        for _ in range(120):
            status = self.checked("GET", f"/api/v2/tasks/instances/{task}")["status"]
            if status != "RUNNING":
                return status
            self.world.sleep(1)
        raise InstallFailed(f"task {task} takes too long")

    def take_over(self):
        body = {"connectionMode": "direct", "address": HOST, "port": 2881, "rootSysPassword": PASSWORD}
        check = self.checked("POST", "/api/v2/ob/clusters/takeOverPreCheck", body)
        if check["result"]["valid"] is not True:
            raise InstallFailed("the cluster cannot be taken over")
        info = {"kind": "DEDICATED_PHYSICAL_MACHINE", "hostTypeId": self.id_of("hostTypes", "antman_type"),
                "credentialId": self.credential()}
        data = self.checked("POST", "/api/v2/ob/clusters/takeOver", {**body, "hostInfo": info})
        return data["clusterId"], data["id"]


@scenario()
def a_cluster_is_installed(world):
    installer = Installer(world)
    installer.wait_for_ocp()
    expect("the host before", installer.has_host(), False)
    expect("the end of the host's task", installer.wait_for(installer.add_host()), "SUCCESSFUL")
    expect("the host", installer.has_host(), True)
    cluster, task = installer.take_over()
    expect("the end of the takeover", installer.wait_for(task), "SUCCESSFUL")
    name = installer.checked("GET", f"/api/v2/ob/clusters/{cluster}")["name"]
    expect("the cluster", installer.has_cluster(name), True)
    expect("the configuration of proxies", installer.has_config(), True)


@scenario()
def a_second_run_makes_nothing_twice(world):
    installer = Installer(world)
    first = [installer.id_of(kind, "antman_x", **more) for kind, more in (("regions", {}), ("hostTypes", {}))]
    expect("ids", [installer.id_of(kind, "antman_x") for kind in ("regions", "hostTypes")], first)
    expect("the credential", installer.credential(), installer.credential())


@scenario()
def the_host_cannot_be_prepared(world):
    installer = Installer(world)
    world.fail_task("/api/v2/compute/hosts/batchCreate", 2)
    task = installer.add_host()
    expect("the end of the host's task", installer.wait_for(task), "FAILED")
    installer.checked("POST", f"/api/v2/tasks/instances/{task}/retry")
    expect("after a retry", installer.wait_for(task), "SUCCESSFUL")


@scenario()
def ocp_starts_slowly(world):
    installer = Installer(world)
    world.fault({"match": {"path": "/api/v2/time"},
                 "steps": [{"fault": "CONNECTION_RESET_BY_PEER"}, {"status": 503}, {"fault": "EMPTY_RESPONSE"}]})
    installer.wait_for_ocp()
    expect("polls", world.sent(path="/api/v2/time"), 4)


@scenario()
def ocp_is_away_for_a_moment(world):
    installer = Installer(world)
    world.fault({"match": {"path": "/api/v2/ob/clusters/takeOver"}, "steps": [{"status": 503, "message": "busy"}]})
    try:
        installer.take_over()
        raise Unexpected("the client has not noticed")
    except InstallFailed as error:
        expect("what is told", str(error), "/api/v2/ob/clusters/takeOver: busy")
    installer.take_over()


@scenario("--rate-limit", "2/1m")
def the_client_is_throttled(world):
    installer = Installer(world)
    installer.has_host()
    installer.has_host()
    try:
        installer.checked("GET", "/api/v2/compute/hosts")
        raise Unexpected("it is not throttled")
    except InstallFailed:
        world.sleep(60)
    installer.checked("GET", "/api/v2/compute/hosts")


main()
