"""What has happened: tasks, backups, alarms, audit events and inspections of a week."""

from installation.inventory import (ADMIN, CLUSTERS, HOSTS, OCP, PROXY, SYSTEM, TENANT_CREATED, TENANTS, USER_TENANTS,
                                    VERSION, address, keys_of_tenant, name_of_cluster, name_of_tenant, short_cluster,
                                    short_tenant)
from installation.times import NOW, WEEK, at, local, milli, seconds, utc

OBBACKUP = "file:///obbackup"


# Backups

def data_backup(tenant, number, start, length, kind, status):
    facts = TENANTS[tenant]
    cluster = CLUSTERS[facts["cluster"]]
    row = {"backupDimension": "TENANT", "backupMode": "PHYSICAL_BACKUP", "backupSetId": number,
           "backupUri": f"{OBBACKUP}/{cluster['name']}/{cluster['ob']}/tenant_incarnation_1/{facts['ob']}/data",
           "clusterType": cluster["type"], "dataBackupTaskType": kind, "errorMsg": "", "startTime": utc(start),
           "status": status, "taskId": number, **name_of_tenant(tenant)}
    if status != "DOING":
        row.update(duration=int(length), finishTime=utc(start + seconds(length)))
    if status == "DONE":
        row["snapshotVersionTime"] = utc(start + seconds(length - 0.125))
    if status == "FAILED":
        row["errorMsg"] = "the backup destination cannot be written, ret = -9060"
    return row


def kind_of(day):
    return "FULL_BACKUP" if day.isoweekday() in (2, 4, 6) else "INCREMENTAL_BACKUP"


def make_data_backups(rows, random):
    """Each night; the strategies have the same days. Task 4 of pay_core failed, another is running."""
    for tenant in (1000017, 1000021):
        for number, day in enumerate(WEEK, 1):
            start = day + seconds(7200 + random.below(9_000_000) / 1e6)
            status = "FAILED" if (tenant, number) == (1000021, 4) else "DONE"
            length = 60 + random.below(400_000_000) / 1e6
            rows["dataBackupTasks"].append(data_backup(tenant, number, start, length, kind_of(day), status))
    rows["dataBackupTasks"].append(
        data_backup(1000012, 1, at(9, "16:00:14.402117"), 112.338204, "FULL_BACKUP", "DONE"))
    rows["dataBackupTasks"].append(data_backup(1000021, 8, at(9, "16:04:40.718233"), 0, "FULL_BACKUP", "DOING"))
    for cluster, facts in CLUSTERS.items():
        for number, day in enumerate(WEEK, 1):
            start = day + seconds(3600 + random.below(9_000) / 1e3)
            rows["clusterDataBackupTasks"].append({
                "backupMode": "PHYSICAL_BACKUP", "backupSetId": number, "backupUri": OBBACKUP + "/",
                "clusterType": facts["type"], "dataBackupTaskType": kind_of(day), "dataSecondaryBackupTaskIds": [],
                "dataVersion": number + 1, "finishTime": milli(start + seconds(90 + random.below(90_000) / 1e3)),
                "startTime": milli(start), "status": "DONE", "taskId": number, "tenantId": 0,
                **name_of_cluster(cluster)})


def log_backup(dimension, status, created, checkpoint, write, modified=None):
    """A running task tells its delay: the time of the answer less the checkpoint."""
    row = {"agentServerIp": address(1000001), "backupMode": "PHYSICAL_BACKUP", "backupUri": OBBACKUP,
           "checkpoint": write(checkpoint), "createTime": write(created), "status": status}
    if dimension == "TENANT":
        row.update(backupDimension=dimension)
    if status == "RUNNING":
        row["delay"] = round((NOW - checkpoint).total_seconds(), 4)
    if modified:
        row["modifyTime"] = write(modified)
    if status == "INTERRUPTED":
        row["errorMsg"] = "the archive of log stream 1001 has a gap, ret = -4029"
    return row


def make_log_backups(rows):
    """That of ww1144 is in logBackupTasks.json."""
    for tenant, status, created, checkpoint, modified in [
            (1000017, "RUNNING", at(30, "10:02:18.331406"), at(9, "16:05:09.204711"), None),
            (1000021, "INTERRUPTED", at(31, "11:20:40.118092"), at(5, "03:41:12.650238"), at(5, "03:46:20.004417")),
            (1000021, "RUNNING", at(5, "09:12:55.476213"), at(9, "16:04:52.917345"), None)]:
        rows["logBackupTasks"].append({**log_backup("TENANT", status, created, checkpoint, local, modified),
                                       "clusterType": CLUSTERS[TENANTS[tenant]["cluster"]]["type"],
                                       **name_of_tenant(tenant)})
    for cluster, status, created, checkpoint in [
            (1000005, "STOPPED", at(27, "09:00:03.250"), at(29, "18:00:00.875")),
            (1000005, "RUNNING", at(30, "09:30:47.405"), at(9, "16:04:21.810")),
            (1000009, "RUNNING", at(31, "11:18:09.612"), at(9, "16:04:52.917"))]:
        rows["clusterLogBackupTasks"].append({**log_backup("CLUSTER", status, created, checkpoint, milli),
                                              "clusterType": CLUSTERS[cluster]["type"], **name_of_cluster(cluster)})


# Number, restored from, the name to restore as, status, begun, finished, restored to.
RESTORES = [
    (1, 1000017, "order_drill", "RESTORE_FAIL", at(6, "14:10:22.508"), at(6, "14:11:03.117"), at(6, "13:00:00")),
    (2, 1000021, "ww1144", "RESTORE_FAIL", at(8, "10:02:31.640"), at(8, "10:03:12.945"), at(8, "09:30:00")),
    (3, 1000021, "ww1144", "RESTORE_SUCCESS", at(8, "10:26:48.305"), at(8, "10:32:20.771"), at(8, "10:00:00")),
]


def make_restores(rows):
    """A restore is listed at the tenant that it was to become, or else at the one that it came from."""
    to = 1000005
    known = {TENANTS[tenant]["name"]: tenant for tenant in TENANTS if TENANTS[tenant]["cluster"] == to}
    for number, source, name, status, begun, finished, end in RESTORES:
        cluster = CLUSTERS[TENANTS[source]["cluster"]]
        done = status == "RESTORE_SUCCESS"
        path = f"{OBBACKUP}/{cluster['name']}/{cluster['ob']}/tenant_incarnation_1/{TENANTS[source]['ob']}"
        row = {"backupClusterName": cluster["name"], "backupMode": "PHYSICAL_BACKUP",
               "backupObTenantId": TENANTS[source]["ob"], "backupTenantName": TENANTS[source]["name"],
               "errorMsg": "" if done else "no unit fits into the servers of zone2, ret = -4733", "finished": True,
               "id": number, "restoreClusterId": to, "restoreClusterName": CLUSTERS[to]["name"],
               "restoreObClusterId": CLUSTERS[to]["ob"], "restorePoolListStr": f"pool_{name}",
               "restoreTenantName": name, "restoreUri": f"{path}/clog,{path}/data", "status": status,
               "statusDesc": "Completed" if done else "Failed", "successful": done}
        rows["restoreTasks"].append({
            **row, **keys_of_tenant(known.get(name, source)), "createTime": utc(begun), "finishTime": utc(finished),
            "restoreEndTime": utc(end), "restoreObjectType": "TENANT", "triggerType": "NORMAL"})
        rows["clusterRestoreTasks"].append({
            **row, "backupClusterId": TENANTS[source]["cluster"], "backupObClusterId": cluster["ob"],
            "backupTenantId": source, "createTime": milli(begun), "finishTime": milli(finished), "ocpJobId": -1,
            "restoreEndTime": milli(end)})


def recoverable(backups, log_tasks, dimension):
    """What can be restored, of backups that are done and the log backup that runs."""
    items = []
    for backup in backups:
        if backup["status"] == "DONE":
            end = backup.get("snapshotVersionTime", backup["finishTime"])
            items.append({"backupDimension": dimension, "backupMode": "PHYSICAL_BACKUP",
                          "dataBackupRecoverableInfo": {
                              "dataVersion": backup.get("dataVersion", -1), "freezeTime": "1970-01-01T08:00:00+08:00",
                              "fullBackupSetId": backup["backupSetId"], "recoverableTime": end},
                          "obRecoverableSectionItemType": "FULL_DATA_BACKUP"})
    items += [{"backupDimension": dimension, "backupMode": "PHYSICAL_BACKUP", "logRecoverableTimeInterval": {
        "endTime": task["checkpoint"], "startTime": task["createTime"]}, "obRecoverableSectionItemType": "LOG_BACKUP"}
        for task in log_tasks if task["status"] == "RUNNING"]
    return {"latestSevenDaysAggregation": {"obRecoverableSectionItems": items},
            "obQueryTimeScopeType": "LATEST_SEVEN_DAYS"}


def make_backup_summaries(rows, captured):
    ability = {"backupAbility": "PHYSICAL_BACKUP", "backupMode": "PHYSICAL_BACKUP", "obDataBackupSupportAbility": {
        "canDoIncrementalBackup": True, "fullBackupEnabled": True, "hint": "", "incrementBackupEnabled": True}}
    strategy = {
        "backupMode": "PHYSICAL_BACKUP", "secondaryBackupEnabled": False,
        "obBackupThresholdConfig": {"dataBackupTimeoutMinutes": 120, "logBackupDelaySeconds": 300,
                                    "noSuccessfulDataBackupAlarmDays": 2},
        "obBackupScheduleConfig": {
            "backupScheduleEnabled": True, "backupScheduleMode": "WEEK",
            "backupScheduleTime": "02:00:00.000+08:00", "startLogBackup": True,
            "dayAndDataBackupModelMap": {str(day.isoweekday()): kind_of(day) for day in WEEK}},
        "obBackupServiceStorageConfig": {
            "alarmStoragePercentageThreshold": 80, "configName": "nfs_obbackup", "storageId": 1,
            "obBackupStorageBaseInfo": {"backupStorageType": "BACKUP_STORAGE_FILE", "storageUrl": "/obbackup/"}}}
    for number, tenant in enumerate(USER_TENANTS, 1):
        created = TENANT_CREATED[tenant] + seconds(840)
        own = lambda task: task["tenantId"] == tenant  # noqa: E731
        rows["backupInfos"].append({**name_of_tenant(tenant), "online": True, "obRecoverableInfoAggregation":
                                    recoverable(filter(own, rows["dataBackupTasks"]),
                                                filter(own, rows["logBackupTasks"] + captured), "TENANT")})
        rows["backupStrategies"].append({
            **strategy, "backupDimension": "TENANT", "createTime": milli(created), "id": number, "physical": True,
            "physicalAndWasLogical": False, "retainMode": "RESERVE_ALL", "type": "BACKUP", "updateTime": milli(created),
            **name_of_tenant(tenant)})
    for cluster, facts in CLUSTERS.items():
        own = lambda row: row["clusterId"] == cluster  # noqa: E731
        data = list(filter(own, rows["clusterDataBackupTasks"]))
        running = [task for task in filter(own, rows["clusterLogBackupTasks"]) if task["status"] == "RUNNING"]
        rows["backupAbilities"].append({"clusterId": cluster, **ability})
        rows["backupOverviews"].append({
            **name_of_cluster(cluster), "backupDimension": "CLUSTER", "backupScheduleStatus": "NORMAL",
            "compactionStatus": "IDLE", "lastDataBackupTime": data[-1]["startTime"],
            "latestLogBackupCheckpoint": running[0]["checkpoint"], "logBackupDelaySeconds": int(running[0]["delay"]),
            "obBackupAbility": ability, "obClusterBackupStatus": "HAS_BACKUP_STRATEGY", "obClusterStatus": "RUNNING",
            "obClusterType": facts["type"], "obVersion": VERSION, "primaryAndStandbyMode": True})
        rows["clusterBackupInfos"].append({
            **name_of_cluster(cluster), "obRecoverableInfoAggregation": recoverable(data, running, "CLUSTER"),
            "online": True, "tenantBackupInfos": list(filter(own, rows["backupInfos"]))})
        summary = next(row for row in rows["clusters"] if row["id"] == cluster)
        link = "isSubscribedByMe=false&page=1&size=10&level={}&category=OB&status=Active"
        rows["clusterBackupStrategies"].append({
            **{name: value for name, value in summary.items() if name != "loadType"}, "clusterId": cluster,
            **strategy, "backupDimension": "CLUSTER", "clusterName": facts["name"],
            "obBackupScheduleConfig": strategy["obBackupScheduleConfig"] | {"backupScheduleTime": "01:00:00.000+08:00"},
            "updateTime": summary["createTime"],
            "alarmSummaries": [{
                "count": sum(alarm["level"] == level and alarm["status"] == "Active"
                             and alarm["labels"].get("cluster_id") == str(cluster) for alarm in rows["alarms"]),
                "level": level, "linkDataUrl": f"http://{OCP}:8080/api/v2/alarm/alarms?{link.format(level)}",
                "linkUrl": f"http://{OCP}:8080/alarm/event?{link.format(level)}"} for level in range(1, 6)]})


# Tasks and the audit events of those that people began

RESTORE_STEPS = ["Check backup", "Create resource pool", "Restore data", "Activate tenant"]
BACKUP_STEPS = ["Check destination", "Back up data", "Check backup set"]
CREATE_STEPS = ["Check parameters", "Create resource pool", "Create tenant", "Set whitelist"]
CLUSTER_STEPS = ["Check hosts", "Install packages", "Start servers", "Bootstrap cluster"]
# Name, what it is about (cluster, tenant, host), begun, seconds, status, the step that failed or runs, steps, event.
TASKS = [
    ("Create OB cluster", (1000005, None, None), at(26, "10:12:31"), 402, "SUCCESSFUL", 4, CLUSTER_STEPS,
     "CREATE_OB_CLUSTER"),
    ("Create OB cluster", (1000009, None, None), at(29, "14:30:05"), 377, "SUCCESSFUL", 4, CLUSTER_STEPS,
     "CREATE_OB_CLUSTER"),
    ("Create tenant", (1000005, 1000017, None), at(30, "09:45:12"), 74, "SUCCESSFUL", 4, CREATE_STEPS,
     "CREATE_OB_TENANT"),
    ("Create tenant", (1000009, 1000021, None), at(31, "11:02:44"), 68, "SUCCESSFUL", 4, CREATE_STEPS,
     "CREATE_OB_TENANT"),
    ("Create OBProxy cluster", (None, None, None), at(1, "13:20:41"), 310, "SUCCESSFUL", 3,
     ["Check hosts", "Install packages", "Start OBProxies"], "CREATE_OB_PROXY_CLUSTER"),
    ("Reinstall OCP agent", (None, None, 1000003), at(5, "15:48:10"), 96, "SUCCESSFUL", 2,
     ["Stop OCP agent", "Install OCP agent"], "REINSTALL_OCP_AGENT"),
    ("Back up tenant", (1000009, 1000021, None), at(6, "02:00:00"), None, "FAILED", 2, BACKUP_STEPS, None),
    ("Restore tenant", (1000005, 1000017, None), at(6, "14:10:20"), 45, "FAILED", 2, RESTORE_STEPS,
     "START_RESTORE_TENANT"),
    ("Restore tenant", (1000005, None, None), at(8, "10:02:30"), 44, "FAILED", 2, RESTORE_STEPS,
     "START_RESTORE_TENANT"),
    ("Restore tenant", (1000005, 1000012, None), at(8, "10:26:46"), 336, "SUCCESSFUL", 4, RESTORE_STEPS,
     "START_RESTORE_TENANT"),
    ("Inspection task", (1000005, None, None), at(9, "08:00:01"), 9, "SUCCESSFUL", 1, ["Inspect"], None),
    ("Inspection task", (None, None, 1000003), at(9, "08:10:01"), 14, "SUCCESSFUL", 1, ["Inspect"], None),
    ("Inspection task", (1000009, None, None), at(9, "08:20:01"), 21, "FAILED", 1, ["Inspect"], None),
    ("Generate workload report", (1000005, None, None), at(9, "10:07:30"), 38, "SUCCESSFUL", 2,
     ["Read snapshots", "Store report"], "CREATE_WORKLOAD_REPORT"),
    ("Back up tenant", (1000005, 1000012, None), at(9, "16:00:12"), 116, "SUCCESSFUL", 3, BACKUP_STEPS,
     "START_DATA_BACKUP"),
    ("Back up tenant", (1000009, 1000021, None), at(9, "16:04:38"), None, "RUNNING", 2, BACKUP_STEPS,
     "START_DATA_BACKUP"),
    ("Inspection task", (1000005, None, None), at(9, "16:05:58"), None, "RUNNING", 1, ["Inspect"], "RUN_INSPECTION"),
]
FIRST_TASK = 1000101


def steps_of(task, begun, end, status, reached, names):
    """Each step takes the same time; those after the one that failed or runs have not begun."""
    share = ((end or NOW) - begun) / reached
    ids = [task * 10 + number for number in range(1, len(names) + 1)]
    for number, name in enumerate(names):
        step = {"createTime": local(begun), "description": name, "downstreams": ids[number + 1:number + 2],
                "executor": OCP, "id": ids[number], "name": name, "nodeType": "JAVA_TASK", "operation": "EXECUTE",
                "parallelIdx": -1, "prohibitRollback": False, "runTime": 1 if number < reached else 0,
                "seriesId": number, "timeout": 5400, "upstreams": ids[max(number - 1, 0):number]}
        state = "SUCCESSFUL" if number < reached - 1 else status if number < reached else "PENDING"
        if number < reached:
            step["startTime"] = local(begun + share * number)
        if state in ("SUCCESSFUL", "FAILED"):
            step["finishTime"] = local(begun + share * (number + 1))
        yield {**step, "status": state}


def log_of(step):
    lines = [f"{step['startTime']} INFO {step['name']}: started on {step['executor']}"]
    if step["status"] == "FAILED":
        lines.append(f"{step['finishTime']} ERROR {step['name']}: gave up")
    elif step["status"] == "SUCCESSFUL":
        lines.append(f"{step['finishTime']} INFO {step['name']}: done")
    return "\n".join(lines) + "\n"


def make_tasks(rows):
    failed = next(row for row in rows["dataBackupTasks"] if row["status"] == "FAILED")
    for task, (name, (cluster, tenant, host), begun, length, status, reached, steps, event) in enumerate(
            TASKS, FIRST_TASK):
        if length is None and status == "FAILED":
            length = failed["duration"] + 20
        end = begun + seconds(length) if length else None
        creator = ADMIN if event else SYSTEM
        row = {"createTime": local(begun), "creator": creator, "executor": OCP, "id": task, "name": name,
               "operation": "EXECUTE", "prohibitRollback": False, "startTime": local(begun), "status": status,
               "subtasks": list(steps_of(task, begun, end, status, reached, steps)), "taskDefinitionId": -1,
               "type": "MANUAL" if event else "SCHEDULED"}
        if end:
            row["finishTime"] = local(end)
        if cluster:
            row.update(cluster=short_cluster(cluster), clusterId=cluster, clusterName=CLUSTERS[cluster]["name"])
        if tenant:
            row.update(tenant=short_tenant(tenant), tenantId=tenant, tenantName=TENANTS[tenant]["name"])
        if host:
            row["hostId"] = host
        rows["taskInstances"].append(row)
        rows["subtaskLogs"] += [{"log": log_of(step), "subtaskInstanceId": step["id"], "taskInstanceId": task}
                                for step in row["subtasks"] if "startTime" in step]
        if event:
            rows["auditEvents"].append(audit_event(event, cluster, tenant, host, begun))


def audit_event(event, cluster, tenant, host, begun, status="SUCCESS"):
    kind, about, key, name = next(
        (kind, about, key, name) for kind, about, key, name in [
            ("OB_TENANT_MANAGEMENT", "OB_TENANT", tenant, tenant and TENANTS[tenant]["name"]),
            ("OB_CLUSTER_MANAGEMENT", "OB_CLUSTER", cluster, cluster and CLUSTERS[cluster]["name"]),
            ("COMPUTE_HOST_MANAGEMENT", "COMPUTE_HOST", host, host and HOSTS[host][0]),
            ("OB_PROXY_CLUSTER_MANAGEMENT", "OB_PROXY_CLUSTER", PROXY, "odp_main")] if key)
    if event.startswith("START_"):
        kind = "BACKUP_RESTORE"
    member = {"OB_TENANT": "tenantId", "OB_CLUSTER": "clusterId", "COMPUTE_HOST": "hostId",
              "OB_PROXY_CLUSTER": "obproxyClusterId"}[about]
    return {"clientIp": "192.0.2.200", "endTime": local(begun + seconds(1)), "eventInfo": f'{{"{member}":{key}}}',
            "eventType": kind, "executionType": "NEW", "operationEvent": event, "operatorId": ADMIN["id"],
            "operatorName": ADMIN["name"], "resourceId": key, "resourceName": name, "resourceType": about,
            "startTime": local(begun), "status": status}


def make_audit_events(rows):
    """The strategies have no task, and one attempt was refused."""
    for tenant in USER_TENANTS:
        rows["auditEvents"].append(audit_event("CREATE_BACKUP_STRATEGY", TENANTS[tenant]["cluster"], tenant, None,
                                               TENANT_CREATED[tenant] + seconds(840)))
    rows["auditEvents"].append(audit_event("STOP_OCP_AGENT", None, None, 1000007, at(2, "11:31:09"), "FAILED"))
    rows["auditEvents"].sort(key=lambda event: event["startTime"])
    for number, event in enumerate(rows["auditEvents"], 1000001):
        event["id"] = number
