#!/usr/bin/python3
"""A nightly backup job and the monitor beside it: strategy, backup, data backup task polled, log backup watched, restore,
switchover. Run it as nightly_backup.py BINARY."""
import datetime

from mock import Unexpected, expect, main, scenario

CLUSTER, TENANT = 1000005, 1000017  # order_center
STANDBY = 1000009
OF_CLUSTER = "/api/v2/ob/clusters/{}"
OF_TENANT = OF_CLUSTER + "/tenants/{}"
BACKUP_NOW = "/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/backupNow"
STORAGE = {"configName": "nightly", "alarmStoragePercentageThreshold": 80,
           "obBackupStorageBaseInfo": {"backupStorageType": "BACKUP_STORAGE_FILE", "storageUrl": "/obbackup/"}}
STRATEGY = {
    "backupMode": "PHYSICAL_BACKUP",
    "obBackupObjectList": [{"clusterId": CLUSTER, "tenantId": TENANT, "backupDimension": "TENANT"}],
    "obBackupScheduleConfig": {
        "backupScheduleMode": "WEEK", "backupScheduleTime": "02:00:00.000+08:00", "startLogBackup": True,
        "dayAndDataBackupModelMap": {"2": "FULL_BACKUP", "4": "FULL_BACKUP", "6": "INCREMENTAL_BACKUP"}},
    "obBackupThresholdConfig": {"dataBackupTimeoutMinutes": 7, "logBackupDelaySeconds": 300,
                                "noSuccessfulDataBackupAlarmDays": 2},
    "obBackupServiceStorageConfig": STORAGE,
}


class JobFailed(Exception):
    pass


class NightlyJob:
    def __init__(self, world, cluster=CLUSTER, tenant=TENANT):
        self.world, self.ocp = world, world.ocp("backup", "night shift")
        self.cluster, self.tenant = cluster, tenant
        self.path = OF_TENANT.format(cluster, tenant)
        self.alarms = []

    def ask(self, method, path, body=None):
        """Three attempts at what may pass by itself: 429, 502, 503 and broken connections."""
        for attempt in range(3):
            try:
                answer = self.ocp.post(path, body, method)
            except OSError as error:
                last = str(error)
            else:
                if answer.status == 200:
                    return answer.json
                last = f"{answer.status}: {answer.error}"
                if answer.status not in (429, 502, 503):
                    break
                wait = answer.headers.get("RateLimit-Reset") or answer.headers.get("Retry-After")
                self.world.sleep(int(wait or 5))
        raise JobFailed(f"{method} {path}: {last}")

    def get(self, path, **query):
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return self.ask("GET", f"{path}?{parameters}" if parameters else path)["data"]

    def strategy(self):
        answer = self.ocp.get(self.path + "/backup/config/backupStrategy")
        return None if answer.status == 404 else answer.data

    def ensure_strategy(self):
        before = self.strategy()
        self.ask("POST" if before is None else "PATCH", self.path + "/backup/config/backupStrategy", STRATEGY)
        if not self.strategy()["obBackupScheduleConfig"]["backupScheduleEnabled"]:
            self.ask("POST", self.path + "/backup/config/backupStrategy/startSchedule")

    def back_up(self, mode="FULL_BACKUP"):
        """The data backup task when it has ended."""
        result = self.ask("POST", self.path + "/backup/backupNow",
                          {"backupMode": "PHYSICAL_BACKUP", "dataBackupMode": mode,
                           "obBackupObject": {"clusterId": self.cluster, "tenantId": self.tenant,
                                              "backupDimension": "TENANT"},
                           "obBackupServiceStorageConfig": STORAGE})["data"]["backupObjectOpsResultList"][0]
        if not result["beSuccessful"]:
            raise JobFailed(result.get("hint"))
        task_id, = result["taskIdList"]
        seen = []
        for _ in range(240):
            task = next(one for one in self.get(self.path + "/backup/task/dataBackupTasks", page=1, size=100)["contents"]
                        if one["taskId"] == task_id)
            if task["status"] not in seen:
                seen.append(task["status"])
            if task["status"] in ("DONE", "FAILED", "CANCELED"):
                return task | {"seen": seen}
            self.world.sleep(0.25)
        raise JobFailed("the backup takes too long")

    def backups_since(self, time):
        return self.get(self.path + "/backup/task/dataBackupTasks", startTime=time)["page"]["totalElements"]

    def log_backup(self):
        return self.get(self.path + "/backup/task/logBackupTasks", status="RUNNING")["contents"]

    def watch_log_backup(self, at_most):
        """A monitor's look: how far the archive is behind."""
        tasks = self.log_backup()
        if not tasks:
            self.alarms.append("no log backup runs")
        for task in tasks:
            now = datetime.datetime.fromisoformat(self.ocp.get("/api/v2/time").text)
            behind = (now - datetime.datetime.fromisoformat(task["checkpoint"])).total_seconds()
            if behind > at_most:
                self.alarms.append(f"log backup is {behind:.0f} s behind")

    def restore(self, name, end):
        """The cluster's restore task when it has ended."""
        result = self.ask("POST", OF_CLUSTER.format(self.cluster) + "/backup/restore", {
            "backupTenantStatus": "ONLINE",
            "restoreOnlineTenantRequiredParam": {
                "backupClusterId": self.cluster, "backupTenantId": self.tenant, "restoreClusterId": self.cluster,
                "restoreEndTime": end,
                "restoreTenantInfoParam": {"name": name, "primaryZone": "zone1", "zones": [
                    {"name": "zone1", "replicaType": "FULL", "resourcePool": {"unitSpecName": "S2", "unitCount": 1}}]}}})
        task_id, = result["data"]["backupObjectOpsResultList"][0]["taskIdList"]
        seen = []
        for _ in range(240):
            tasks = self.get(OF_CLUSTER.format(self.cluster) + "/backup/task/restoreTasks", page=1, size=10)["contents"]
            task = next(one for one in tasks if one["ocpJobId"] == task_id)
            if task["status"] not in seen:
                seen.append(task["status"])
            if task["finished"]:
                return task | {"seen": seen}
            self.world.sleep(0.25)
        raise JobFailed("the restore takes too long")

    def tenants(self):
        path = OF_CLUSTER.format(self.cluster) + "/tenants"
        return {one["name"]: one for one in self.get(path, page=1, size=100)["contents"]}

    def wait_for(self, task_id):
        for _ in range(240):
            task = self.get(f"/api/v2/tasks/instances/{task_id}")
            if task["status"] != "RUNNING":
                return task
            self.world.sleep(1)
        raise JobFailed(f"task {task_id} takes too long")


@scenario()
def a_night_without_trouble(world):
    job = NightlyJob(world)
    job.ask("DELETE", job.path + "/backup/config/backupStrategy")
    expect("the strategy after it is deleted", job.strategy(), None)
    job.ensure_strategy()
    strategy = job.strategy()
    expect("the days", strategy["obBackupScheduleConfig"]["dayAndDataBackupModelMap"],
           STRATEGY["obBackupScheduleConfig"]["dayAndDataBackupModelMap"])
    expect("the tenant's name", strategy["tenantName"], "order_center")
    world.sleep(60)

    before = job.get(job.path + "/backup/info")["obRecoverableInfoAggregation"]["latestSevenDaysAggregation"]
    task = job.back_up()
    expect("the end of the backup", task["status"], "DONE")
    expect("its statuses", task["seen"], ["BEGINNING", "INITIALIZING", "DOING", "DONE"])
    after = job.get(job.path + "/backup/info")["obRecoverableInfoAggregation"]["latestSevenDaysAggregation"]
    items = after["obRecoverableSectionItems"]
    expect("backup sets", len(items), len(before["obRecoverableSectionItems"]) + 1)
    expect("the new one", any(item.get("dataBackupRecoverableInfo", {}).get("fullBackupSetId") == task["backupSetId"]
                              for item in items), True)
    overview = job.get(OF_CLUSTER.format(CLUSTER) + "/backup/overview")
    expect("the overview's last backup", overview["lastDataBackupTime"], task["startTime"])
    expect("log backups that run", len(job.log_backup()), 1)
    job.watch_log_backup(60)
    expect("alarms", job.alarms, [])


@scenario()
def the_job_may_run_twice(world):
    job = NightlyJob(world)
    job.ensure_strategy()
    job.ensure_strategy()
    first, second = job.back_up(), job.back_up("INCREMENTAL_BACKUP")
    expect("backup sets", second["backupSetId"], first["backupSetId"] + 1)
    expect("ids of tasks differ", first["taskId"] != second["taskId"], True)
    job.ask("POST", job.path + "/backup/config/backupStrategy/stopSchedule")
    overview = OF_CLUSTER.format(CLUSTER) + "/backup/overview"
    expect("the schedule, stopped", job.get(overview)["backupScheduleStatus"], "PAUSED")
    job.ensure_strategy()
    expect("the schedule, started", job.get(overview)["backupScheduleStatus"], "NORMAL")


@scenario()
def a_backup_that_fails_is_retried(world):
    job = NightlyJob(world)
    world.fail_task(BACKUP_NOW, "Back up data")
    task = job.back_up()
    expect("the end", task["status"], "FAILED")
    expect("a reason is given", bool(task["errorMsg"]), True)
    instance = job.wait_for(task["taskId"])
    expect("its task", instance["status"], "FAILED")
    failed, = [one for one in instance["subtasks"] if one["status"] == "FAILED"]
    log = job.get(f"/api/v2/tasks/instances/{instance['id']}/subtasks/{failed['id']}/log")["log"]
    expect("the log has the reason", "out of order" in log, True)
    job.ask("POST", f"/api/v2/tasks/instances/{instance['id']}/retry")
    expect("its task, after a retry", job.wait_for(instance["id"])["status"], "SUCCESSFUL")
    done = job.get(job.path + "/backup/task/dataBackupTasks", page=1, size=1, status="DONE")["contents"]
    expect("the backup, after a retry", [one["taskId"] for one in done], [task["taskId"]])


@scenario()
def a_backup_that_is_rolled_back_leaves_no_backup_set(world):
    job = NightlyJob(world)
    before = job.get(job.path + "/backup/info")
    world.fail_task(BACKUP_NOW, "Check backup set")
    task = job.back_up()
    job.ask("POST", f"/api/v2/tasks/instances/{task['taskId']}/rollback")
    expect("its task", job.wait_for(task["taskId"])["status"], "SUCCESSFUL")
    canceled = job.get(job.path + "/backup/task/dataBackupTasks", page=1, size=1, status="CANCELED")["contents"]
    expect("the backup", [one["taskId"] for one in canceled], [task["taskId"]])
    expect("what can be restored", job.get(job.path + "/backup/info"), before)


@scenario()
def ocp_is_away_for_a_moment(world):
    job = NightlyJob(world)
    world.fault({"match": {"pathTemplate": BACKUP_NOW}, "steps": [{"status": 503, "retryAfter": 2}, {"status": 502}]})
    expect("the end", job.back_up()["status"], "DONE")
    expect("requests", world.sent(method="POST", pathTemplate=BACKUP_NOW), 3)
    expect("backups that were made", job.backups_since("2024-08-09T09:00:00Z"), 1)


@scenario()
def an_answer_is_lost(world):
    """Nobody can tell whether OCP has done what it did not answer. Here it has, so a job that asks again backs up twice."""
    job = NightlyJob(world)
    world.fault({"match": {"pathTemplate": BACKUP_NOW}, "steps": [{"fault": "CONNECTION_RESET_BY_PEER"}]})
    expect("the end", job.back_up()["status"], "DONE")
    expect("backups that were made", job.backups_since("2024-08-09T09:00:00Z"), 2)


@scenario("--rate-limit", "8/1m")
def the_job_is_throttled(world):
    job = NightlyJob(world)
    job.ensure_strategy()
    expect("the end", job.back_up()["status"], "DONE")
    expect("it has been throttled", world.sent(status=429) > 0, True)


@scenario()
def a_log_backup_that_stands_still_is_noticed(world):
    job = NightlyJob(world)
    job.ask("DELETE", job.path + "/backup/config/backupStrategy")
    world.sleep(60)
    job.watch_log_backup(300)
    expect("alarms without a log backup", job.alarms, ["no log backup runs"])
    job.alarms.clear()
    job.ensure_strategy()
    world.sleep(60)
    job.watch_log_backup(300)
    expect("alarms after a minute", job.alarms, [])
    delay = job.log_backup()[0]["delay"]
    world.sleep(600)
    job.watch_log_backup(300)
    expect("alarms after ten minutes", job.alarms, ["log backup is 658 s behind"])
    expect("the delay that OCP tells", job.log_backup()[0]["delay"], delay + 600)
    job.alarms.clear()
    job.back_up()
    job.watch_log_backup(300)
    expect("alarms after a backup", job.alarms, [])


@scenario()
def a_tenant_is_restored(world):
    job = NightlyJob(world)
    expect("the backup", job.back_up()["status"], "DONE")
    count = job.get(OF_CLUSTER.format(CLUSTER))["tenantCount"]
    databases = sorted(one["dbName"] for one in job.get(job.path + "/databases")["contents"])
    task = job.restore("order_drill_2", "2024-08-09T17:00:00+08:00")
    expect("the end", (task["status"], task["successful"]), ("RESTORE_SUCCESS", True))
    expect("its statuses", task["seen"], ["RESTORE_CREATE_TENANT", "RESTORE_PRE", "RESTORE_CREATE_INIT_LS", "RESTORE_WAIT_LS",
                                          "WAIT_TENANT_RESTORE_FINISH", "RESTORE_SUCCESS"])
    tenant = job.tenants()["order_drill_2"]
    expect("the new tenant", (tenant["status"], tenant["mode"]), ("NORMAL", "ORACLE"))
    expect("tenants", job.get(OF_CLUSTER.format(CLUSTER))["tenantCount"], count + 1)
    path = OF_TENANT.format(CLUSTER, tenant["id"])
    own, = job.get(path + "/backup/task/restoreTasks")["contents"]
    expect("its own restore task", (own["id"], own["status"]), (task["id"], "RESTORE_SUCCESS"))
    expect("its databases", sorted(one["dbName"] for one in job.get(path + "/databases")["contents"]), databases)
    try:
        job.restore("order_drill_2", "2024-08-09T17:00:00+08:00")
        raise Unexpected("a second tenant has the name")
    except JobFailed as error:
        expect("a second time", "order_drill_2" in str(error), True)


@scenario()
def a_restore_fails(world):
    job = NightlyJob(world)
    world.fail_task("/api/v2/ob/clusters/{id}/backup/restore", "Restore data")
    task = job.restore("order_drill_2", "2024-08-09T16:00:00+08:00")
    expect("the end", (task["status"], task["successful"]), ("RESTORE_FAIL", False))
    expect("the tenant", job.tenants()["order_drill_2"]["status"], "CREATING")
    job.ask("POST", f"/api/v2/tasks/instances/{task['ocpJobId']}/rollback")
    job.wait_for(task["ocpJobId"])
    expect("the tenant, after a rollback", "order_drill_2" in job.tenants(), False)


@scenario()
def the_clusters_change_their_roles(world):
    job = NightlyJob(world, STANDBY, 1000021)
    path = OF_CLUSTER.format(STANDBY)
    expect("the role before", job.get(path)["type"], "STANDBY")
    check = job.ask("POST", path + "/switchoverPreCheck")
    expect("the check passes", check["successful"], True)
    task = job.ask("POST", path + "/switchover")["data"]
    expect("the end", job.wait_for(task["id"])["status"], "SUCCESSFUL")
    expect("the roles after", (job.get(path)["type"], job.get(OF_CLUSTER.format(CLUSTER))["type"]), ("PRIMARY", "STANDBY"))


main()
