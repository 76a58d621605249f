"""What watches the installation: alarms with their notifications, and inspections."""

from installation.inventory import CLUSTERS, HOSTS, PROXY, TENANTS, address
from installation.operations import FIRST_TASK, TASKS
from installation.times import NOW, at, local, seconds, utc

# Type, name, level, about (cluster, tenant, host), active from, until, value, threshold, sent.
ALARMS = [
    ("ocp_agent_unavailable", "OCP agent does not answer", 1, (None, None, 1000003), at(5, "15:31:20"),
     at(5, "15:50:00"), "0", "1", ["Success", "Success"]),
    ("ob_tenant_data_backup_failed", "Data backup of a tenant has failed", 2, (1000009, 1000021, None),
     at(6, "02:10:00"), at(7, "02:10:00"), "1", "0", ["Failed", "Success"]),
    ("ob_cluster_restore_failed", "Restore of a tenant has failed", 2, (1000005, None, None), at(8, "10:03:20"),
     at(8, "10:33:20"), "1", "0", ["Success"]),
    ("host_disk_usage_high", "Disk of a host is nearly full", 3, (None, None, 1000003), at(9, "08:12:00"), None,
     "84.07", "80", ["Success"]),
    ("ob_tenant_slow_sql", "Tenant has slow SQL statements", 4, (1000005, 1000017, None), at(9, "15:20:00"), None,
     "2", "1", []),
]
TAGS = {1: "basic", 2: "performance"}
# Name, about, tag, unit, rules.
ITEMS = {
    1: ("connectivity", "OB_CLUSTER", 1, "STRING", [("HIGH", "!{pass}")]),
    2: ("server state", "OB_CLUSTER", 1, "STRING", [("HIGH", "{inactive}"), ("LOW", "{deleting,stopped}")]),
    14: ("disk usage", "HOST", 2, "NUMBER", [("LOW", "[70,80)"), ("MEDIUM", "[80,90)"), ("HIGH", "[90,100]")]),
    45: ("cpu usage", "HOST", 2, "NUMBER", [("LOW", "[80,90)"), ("MEDIUM", "[90,98)"), ("HIGH", "[98,100]")]),
}


def alarm_target(cluster, tenant, host):
    if not cluster:
        return {"appType": "OCP", "excludeTargets": [], "includeTargets": [
            {"host": {"hostId": host, "ip": address(host), "name": HOSTS[host][0]}}], "scope": "Host"}
    facts = CLUSTERS[cluster]
    included = {"cluster": {"clusterId": cluster, "name": facts["name"], "obClusterId": facts["ob"]}}
    if tenant:
        included["tenants"] = [{"name": TENANTS[tenant]["name"], "obTenantId": TENANTS[tenant]["ob"],
                                "tenantId": tenant}]
    return {"appType": "OceanBase", "excludeTargets": [], "includeTargets": [included],
            "scope": "Tenant" if tenant else "Cluster"}


def make_alarms(rows):
    for key, (kind, name, level, (cluster, tenant, host), begun, end, value, threshold, sent) in enumerate(
            ALARMS, 1000001):
        target = alarm_target(cluster, tenant, host)
        about = {}
        if cluster:
            about.update(ob_cluster=CLUSTERS[cluster]["name"], ob_cluster_id=str(CLUSTERS[cluster]["ob"]))
        if tenant:
            about.update(tenant_name=TENANTS[tenant]["name"])
        if host:
            about.update(svr_ip=address(host))
        text = ":".join(f"{label}={value_of}" for label, value_of in about.items())
        labels = {**about, "alarm_level": str(level), "alarm_name": name, "alarm_scope": target["scope"],
                  "alarm_summary": f"{text} {name}", "alarm_target": text, "alarm_threshold": threshold,
                  "alarm_type": kind, "app": target["appType"], "app_type": target["appType"], "value": value}
        if cluster:
            labels["cluster_id"] = str(cluster)
        if tenant:
            labels["tenant_id"] = str(tenant)
        updated = end or NOW - seconds(62)
        rows["alarms"].append({
            "activeAt": utc(begun), "alarmTarget": target, "alarmTemplateId": 0, "alarmType": kind,
            "appType": target["appType"], "description": f"{name}: {value}, where {threshold} is allowed",
            "gmtCreate": utc(begun), "gmtModified": utc(updated), "id": key, "isSubscribedByMe": bool(sent),
            "labels": labels, "level": level, "name": name, "scope": target["scope"],
            "messagePush": {"configured": bool(sent), "noSuccessCount": sent.count("Failed"),
                            "successCount": sent.count("Success")},
            "status": "Inactive" if end else "Active", "statusUpdatedAt": utc(end or begun),
            "summary": f"{text} {name}", "target": text, "targetLabels": about, "updatedAt": utc(updated)})
        if tenant:
            rows["alarms"][-1]["obCluster"] = alarm_target(cluster, None, None)
        for number, status in enumerate(sent):
            made = begun + seconds(30 * number + 1)
            rows["notifications"].append({
                "alarmIds": [key], "alarmType": kind, "appType": target["appType"], "category": target["appType"],
                "channelId": 1000001 + number, "channelResponse": "stdout=,stderr=" + (
                    "" if status == "Success" else "no route to host"),
                "generatedAt": utc(made), "id": 1000001 + len(rows["notifications"]), "isAggregated": False,
                "labels": labels, "level": level, "message": f"{text} {name}",
                "recipientUid": str(100 + number % 2), "scope": target["scope"],
                "sentAt": utc(made + seconds(1)), "status": status})


def inspection_object(kind, key):
    if kind == "OB_CLUSTER":
        name, info = CLUSTERS[key]["name"], {"obClusterId": str(CLUSTERS[key]["ob"]), "type": CLUSTERS[key]["type"]}
    elif kind == "OB_TENANT":
        name, info = TENANTS[key]["name"], {"mode": TENANTS[key]["mode"], "obTenantId": str(TENANTS[key]["ob"])}
    elif kind == "HOST":
        name, info = HOSTS[key][0], {"ip": address(key)}
    else:
        name, info = "odp_main", {}
    return {"info": info, "inspectionObjectType": kind, "name": name, "objectId": key}


def tag_of(key):
    return {"configType": "BUILTIN", "description": f"The {TAGS[key]} checks", "id": key, "name": TAGS[key]}


def rules_of(item):
    return [{"level": level, "validator": validator} for level, validator in ITEMS[item][4]]


def found_in(kind, key):
    """What a whole inspection finds: item, key, value, level."""
    if kind == "OB_CLUSTER":
        name = CLUSTERS[key]["name"]
        yield {"itemId": 1, "rawValue": "pass", "target": name, "value": "pass"}
        for *_, host in CLUSTERS[key]["servers"]:
            yield {"itemId": 2, "key": address(host), "rawValue": "active", "target": name, "value": "active"}
    else:
        yield {"itemId": 14, "key": "/dev/vda1 -> /data", "level": "MEDIUM", "rawValue": "84.07",
               "target": address(key), "value": "84.07 (861 GiB/1024 GiB)"}
        yield {"itemId": 14, "key": "/dev/vdb1 -> /home/admin", "level": "LOW", "rawValue": "71.50",
               "target": address(key), "value": "71.50 (143 GiB/200 GiB)"}
        yield {"itemId": 45, "key": "Highest", "rawValue": "57.31", "target": address(key), "value": "57.31"}


def make_inspections(rows):
    runs = [(task, facts) for task, facts in enumerate(TASKS, FIRST_TASK) if facts[0] == "Inspection task"]
    for report, (task, (_, (cluster, _, host), begun, length, state, *_)) in enumerate(runs, 1000001):
        kind, key, tag = ("OB_CLUSTER", cluster, 1) if cluster else ("HOST", host, 2)
        items = [item for item, facts in ITEMS.items() if facts[2] == tag]
        found = list(found_in(kind, key)) if state == "SUCCESSFUL" else []
        counts = {f"{level.lower()}RiskCount": sum(one.get("level") == level for one in found)
                  for level in ("HIGH", "MEDIUM", "LOW")}
        row = {**counts, "id": report, "inspectionObject": inspection_object(kind, key),
               "itemFinishedCount": len(items) if found else 0, "itemTotalCount": len(items),
               "startTime": local(begun), "tag": tag_of(tag), "taskId": task, "taskState": state}
        end = {"endTime": local(begun + seconds(length))} if length else {}
        rows["inspectionTasks"].append({**row, **end, "inspectionObjectType": kind, "tagId": str(tag),
                                        "objectName": row["inspectionObject"]["name"]})
        if not end:
            continue
        rows["inspectionReports"].append({**row, **end, "reportItems": found, "inspectionItems": [{
            "configType": "BUILTIN", "description": f"The {ITEMS[item][0]} of what is inspected", "id": item,
            "identifier": item + 100, "maxVersion": "127.127.127.127", "minVersion": "0.0.0.0",
            "name": ITEMS[item][0], "rules": rules_of(item), "scriptId": item + 200, "state": "ACTIVE",
            "tags": [tag_of(tag)], "targetType": ITEMS[item][1], "unit": ITEMS[item][3]} for item in items]})
        if not found:
            continue
        results = [{"description": f"The {ITEMS[item][0]} of what is inspected", "itemId": item,
                    "name": ITEMS[item][0], "reportItems": [one for one in found if one["itemId"] == item],
                    "rules": rules_of(item)} for item in items]
        result = {**end, "itemResults": results, "objectId": key, "objectName": row["inspectionObject"]["name"],
                  "objectType": kind, "reportId": report, "startTime": local(begun), "tag": tag_of(tag), "tagId": tag}
        rows["inspectionResults"].append(result)
        rows["inspectionItemResults"] += [{**result, "itemId": one["itemId"], "itemResults": [one]} for one in results]
    for kind, keys in [("OB_CLUSTER", CLUSTERS), ("OB_TENANT", TENANTS), ("HOST", HOSTS), ("OB_PROXY", [PROXY])]:
        for key in keys:
            about = inspection_object(kind, key)
            row = {"inspectionObject": about, "inspectionObjectType": kind, "name": about["name"], "objectId": key,
                   "scheduleState": "ACTIVE" if kind == "OB_CLUSTER" else "INACTIVE"}
            if kind == "OB_TENANT":
                row["parentName"] = CLUSTERS[TENANTS[key]["cluster"]]["name"]
            rows["inspectionOverviews"].append(row)
