#!/usr/bin/python3
"""Gathers a workload report as obdiag does: snapshots, the report as a form, its task polled every 20 seconds and retried
once if it fails, the list of reports, the report. Run it as awr.py BINARY."""
from mock import Unexpected, expect, main, scenario

CLUSTER = 1000005


class GatherFailed(Exception):
    pass


class Gatherer:
    def __init__(self, world):
        self.world, self.ocp = world, world.ocp("root", "pass")
        self.path = f"/api/v2/ob/clusters/{CLUSTER}/performance/workload"

    def checked(self, answer):
        if answer.status != 200:
            raise GatherFailed(f"{answer.status}: {answer.error}")
        return answer.data

    def nearest_snapshot(self, time):
        """Times are compared as texts without their fraction, as they are in UTC."""
        snapshots = self.checked(self.ocp.get(self.path + "/snapshots"))["contents"]
        return max((one for one in snapshots if one["snapshotTime"].split(".")[0] <= time),
                   key=lambda one: one["snapshotTime"])["snapshotId"]

    def generate(self, start, end, name):
        report = self.checked(self.ocp.post_form(self.path + "/reports", {
            "name": name, "startSnapshotId": self.nearest_snapshot(start), "endSnapshotId": self.nearest_snapshot(end)}))
        return report["name"], report["taskInstanceId"]

    def wait_for(self, task, retries=1):
        for _ in range(60):
            status = self.checked(self.ocp.get(f"/api/v2/tasks/instances/{task}"))["status"]
            if status == "SUCCESSFUL":
                return
            if status == "FAILED":
                if not retries:
                    raise GatherFailed(f"task {task} failed")
                retries -= 1
                self.checked(self.ocp.post(f"/api/v2/tasks/instances/{task}/retry"))
            self.world.sleep(20)
        raise GatherFailed(f"task {task} takes too long")

    def report_of(self, name):
        reports = self.checked(self.ocp.get(self.path + "/reports"))["contents"]
        number = next((one["id"] for one in reports if one["name"] == name), None)
        if number is None:
            raise GatherFailed(f"no report is called {name}")
        answer = self.ocp.get(f"{self.path}/reports/{number}")
        if answer.status != 200:
            raise GatherFailed(f"report {number}: {answer.status}")
        return answer

    def gather(self, start="2024-08-09T05:00:30", end="2024-08-09T08:00:30", name="OBAWR_ob_431"):
        name, task = self.generate(start, end, name)
        self.wait_for(task)
        return self.report_of(name)


@scenario()
def a_report_is_gathered(world):
    gatherer = Gatherer(world)
    name, task = gatherer.generate("2024-08-09T05:00:30", "2024-08-09T08:00:30", "OBAWR_ob_431")
    reports = gatherer.checked(gatherer.ocp.get(gatherer.path + "/reports"))["contents"]
    expect("the report before its task ends", [one["status"] for one in reports if one["name"] == name], ["CREATING"])
    gatherer.wait_for(task)
    report = gatherer.report_of(name)
    expect("its type", report.headers.get_content_type(), "text/html")
    expect("it is a document", "<html>" in report.text and "</html>" in report.text, True)
    reports = gatherer.checked(gatherer.ocp.get(gatherer.path + "/reports"))["contents"]
    expect("the report after its task", [one["status"] for one in reports if one["name"] == name], ["SUCCESSFUL"])
    expect("how it was asked for", world.sent(method="POST", headers={"Content-Type": "application/x-www-form-urlencoded"}), 1)


@scenario()
def the_task_fails_once(world):
    gatherer = Gatherer(world)
    world.fail_task("/api/v2/ob/clusters/{id}/performance/workload/reports", "Store report")
    expect("the report", "<html>" in gatherer.gather().text, True)
    expect("retries", world.sent(method="POST", pathTemplate="/api/v2/tasks/instances/{id}/retry"), 1)


@scenario()
def the_task_fails_and_nobody_retries(world):
    gatherer = Gatherer(world)
    world.fail_task("/api/v2/ob/clusters/{id}/performance/workload/reports", 0)
    name, task = gatherer.generate("2024-08-09T05:00:30", "2024-08-09T08:00:30", "OBAWR_ob_431")
    try:
        gatherer.wait_for(task, retries=0)
        raise Unexpected("the task has not failed")
    except GatherFailed as error:
        expect("what is told", str(error), f"task {task} failed")
    reports = gatherer.checked(gatherer.ocp.get(gatherer.path + "/reports"))["contents"]
    expect("the report", [one["status"] for one in reports if one["name"] == name], ["FAILED"])


@scenario()
def ocp_is_away_for_a_moment(world):
    gatherer = Gatherer(world)
    world.fault({"match": {"pathTemplate": "/api/v2/tasks/instances/{id}"}, "steps": [{"status": 503}]})
    try:
        gatherer.gather()
        raise Unexpected("the client has not noticed the 503")
    except GatherFailed as error:
        expect("what is told", str(error).startswith("503"), True)
    expect("a second run", "<html>" in gatherer.gather(name="OBAWR_again").text, True)


@scenario()
def a_snapshot_is_not_there(world):
    gatherer = Gatherer(world)
    answer = gatherer.ocp.post_form(gatherer.path + "/reports", {"name": "x", "startSnapshotId": 1, "endSnapshotId": 2})
    expect("the status", answer.status, 404)
    expect("the report is not made",
           [one for one in gatherer.checked(gatherer.ocp.get(gatherer.path + "/reports"))["contents"]
            if one["name"] == "x"], [])


main()
