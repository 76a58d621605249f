"""What tenants hold and run: databases, users, roles, objects, SQL statistics, snapshots, metrics."""

import hashlib

from installation.inventory import CLUSTERS, TENANTS, TENANT_CREATED, address, keys_of_tenant
from installation.operations import FIRST_TASK, TASKS
from installation.times import at, local, seconds, utc

OWN_DATABASES = {1000012: ["shop"], 1000021: ["pay", "ledger"]}
APP_USERS = {1000011: None, 1000012: "shop_app", 1000017: "ORDERS", 1000020: None, 1000021: "pay_app"}
PRIVILEGES = ["ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "SELECT", "UPDATE"]
ROLES = {"CONNECT": (["CREATE_SESSION"], ["ORDERS"]),
         "DBA": (["CREATE_ANY_TABLE", "DROP_ANY_TABLE", "SELECT_ANY_TABLE"], ["SYS"]),
         "PUBLIC": ([], []),
         "RESOURCE": (["CREATE_PROCEDURE", "CREATE_SEQUENCE", "CREATE_TABLE", "CREATE_TRIGGER"], ["ORDERS"]),
         "ORDER_READER": (["SELECT_ANY_TABLE"], [])}
OBJECTS = {1000012: [("shop", "cart", "TABLE"), ("shop", "item", "TABLE"), ("shop", "item_on_sale", "VIEW")],
           1000017: [("ORDERS", "ORDER_HEAD", "TABLE"), ("ORDERS", "ORDER_LINE", "TABLE"),
                     ("ORDERS", "ORDER_OPEN", "VIEW"), ("ORDERS", "CLOSE_ORDER", "STORED_PROCEDURE")],
           1000021: [("ledger", "entry", "TABLE"), ("pay", "payment", "TABLE")]}


def first_address(tenant):
    return address(CLUSTERS[TENANTS[tenant]["cluster"]]["servers"][0][2])


def make_databases(rows):
    for tenant, facts in TENANTS.items():
        keys, created = keys_of_tenant(tenant), TENANT_CREATED[tenant] + seconds(31.204117)
        host, cluster = first_address(tenant), CLUSTERS[facts["cluster"]]["name"]
        oracle = facts["mode"] == "ORACLE"
        names = [] if oracle else ["oceanbase", "information_schema", "mysql", "test", *OWN_DATABASES.get(tenant, [])]
        for number, name in enumerate(names):
            rows["databases"].append({
                **keys, "charset": "utf8mb4", "collation": "utf8mb4_general_ci", "createTime": local(created),
                "connectionUrls": [{"connectionString": f"jdbc:mysql://{host}:2881/{name}", "type": "DIRECT"}],
                "dbName": name, "id": facts["ob"] * 1000 + 201001 + number, "readonly": name == "information_schema"})
        for user in filter(None, ["SYS" if oracle else "root", APP_USERS[tenant]]):
            owner = user in ("SYS", "root")
            opened = names if owner else OWN_DATABASES.get(tenant, [])
            program = "obclient" if oracle else "mysql"
            granted = {"grantedRoles": [role for role, (_, users) in ROLES.items() if user in users],
                       "objectPrivileges": []} if oracle else {}
            rows["users"].append({
                **keys, **granted, "accessibleDatabases": opened, "createTime": local(created + seconds(0 if owner else 900)),
                "connectionStrings": [{"connectionString": f"{program} -h{host} -P2881 -u{user}@{facts['name']} -p",
                                       "type": "DIRECT"}],
                "dbPrivileges": [{"dbName": name, "privileges": PRIVILEGES} for name in opened],
                "globalPrivileges": (["CREATE_SESSION"] if oracle else PRIVILEGES) if owner else [],
                "hostName": "%", "isLocked": False, "username": user})
        if oracle:
            rows["roles"] += [{
                **keys, "createTime": local(created), "globalPrivileges": privileges, "grantedRoles": [], "name": role,
                "objectPrivileges": [], "roleGrantees": [], "updateTime": local(created), "userGrantees": users}
                for role, (privileges, users) in ROLES.items()]
        rows["databaseObjects"] += [{**keys, "fullName": f"{schema}.{name}", "objectName": name, "objectType": kind,
                                     "schemaName": schema} for schema, name, kind in OBJECTS.get(tenant, [])]


# Tenant, database, text, plan, whether it is slow: the statements of the last hour.
STATEMENTS = [
    (1000011, "oceanbase", "SELECT svr_ip, svr_port, zone FROM DBA_OB_SERVERS", ["PHY_TABLE_SCAN"], False),
    (1000012, "shop", "SELECT * FROM cart WHERE user_id = ? ORDER BY added_at", ["PHY_SORT", "PHY_TABLE_SCAN"], False),
    (1000012, "shop", "UPDATE item SET stock = stock - ? WHERE id = ?", ["PHY_UPDATE", "PHY_TABLE_SCAN"], False),
    (1000012, "shop", "SELECT COUNT(*) FROM item WHERE title LIKE ?", ["PHY_SCALAR_AGGREGATE", "PHY_TABLE_SCAN"], True),
    (1000017, "ORDERS", "INSERT INTO ORDER_LINE VALUES (:1, :2, :3)", ["PHY_INSERT", "PHY_EXPR_VALUES"], False),
    (1000017, "ORDERS", "SELECT H.ID, SUM(L.PRICE) FROM ORDER_HEAD H JOIN ORDER_LINE L ON L.HEAD = H.ID GROUP BY H.ID",
     ["PHY_HASH_GROUP_BY", "PHY_HASH_JOIN", "PHY_TABLE_SCAN"], True),
    (1000021, "pay", "SELECT state FROM payment WHERE id = ?", ["PHY_TABLE_SCAN"], False),
    (1000021, "ledger", "DELETE FROM entry WHERE booked_at < ?", ["PHY_DELETE", "PHY_TABLE_SCAN"], True),
]
ZERO = """avgApplicationWaitTime avgBloomFilterCacheHit avgConcurrencyWaitTime avgExecutorRpcCount avgNetTime
    avgNetWaitTime avgScheduleTime distPlanPercentage failPercentage missPlanPercentage remotePlanPercentage
    weakConsistencyPercentage""".split()
NONE = """failCount retCode4012Count retCode4013Count retCode5001Count retCode5024Count retCode5167Count
    retCode5217Count retCode6002Count retryCount""".split()


def whole_numbers(row):
    """As the slow statements have their numbers: without a fraction of zero."""
    return {name: int(value) if isinstance(value, float) and value == int(value) else value
            for name, value in row.items()}


def statistics(random, span, slow, text):
    """Times are in milliseconds, and add up."""
    part = lambda limit: random.below(limit) / 100  # noqa: E731
    executions = 2 + random.below(4) if slow else span + random.below(span * 4)
    execute, plan, queue, decode = part(40000) + 1500 if slow else part(180) + 0.2, part(20), part(5), part(3)
    io = round(execute / 4, 2) if slow else 0.0
    elapsed = round(execute + plan + queue + decode, 2)
    reads = text.startswith("SELECT")
    return {**dict.fromkeys(ZERO, 0.0), **dict.fromkeys(NONE, 0), "executions": executions,
            "execPs": round(executions / span, 2), "avgAffectedRows": 0.0 if reads else 1.0,
            "avgBlockCacheHit": part(900), "avgBlockIndexCacheHit": part(500), "avgCpuTime": round(elapsed - io, 2),
            "avgDecodeTime": decode, "avgDiskReads": float(random.below(400)) if slow else 0.0,
            "avgElapsedTime": elapsed, "avgExecuteTime": round(execute, 2), "avgGetPlanTime": plan,
            "avgMemstoreReadRows": part(3000), "avgPartitionCount": 1.0, "avgQueueTime": queue,
            "avgReturnRows": 1.0 + random.below(20) if reads else 0.0, "avgRowCacheHit": part(300),
            "avgRpcCount": 0.0, "avgSsstoreReadRows": part(9000), "avgUserIoWaitTime": io,
            "avgWaitCount": 1.0 if slow else 0.0, "avgWaitTime": io, "localPlanPercentage": 1.0,
            "maxCpuTime": round((elapsed - io) * 1.5, 2), "maxElapsedTime": round(elapsed * 1.5, 2),
            "strongConsistencyPercentage": 1.0, "tableScanPercentage": 1.0 if slow else 0.0}


def explain(operators, table, rows_read):
    """The tree of the operators, the last one innermost; each costs more than what it reads from."""
    tree = None
    for depth, operator in enumerate(reversed(operators)):
        leaf = tree is None
        node = {"cost": rows_read * (2 + depth), "objectName": table if leaf else "NULL", "operator": operator,
                "property": f"output_rows:{rows_read}" if leaf else "NULL", "rows": rows_read}
        if not leaf:
            node["children"] = [tree]
        tree = node
    return tree


def make_statements(rows, random):
    hour = 3600
    for number, (tenant, database, text, operators, slow) in enumerate(STATEMENTS, 1):
        keys = keys_of_tenant(tenant)
        server, _, host = CLUSTERS[TENANTS[tenant]["cluster"]]["servers"][0]
        sql = hashlib.md5(text.encode()).hexdigest().upper()
        plan = hashlib.sha1(text.encode()).hexdigest()[:32]
        user = APP_USERS[tenant] or "root"
        facts = {**keys, "dbName": database, "inner": APP_USERS[tenant] is None, "server": f"{address(host)}:2882",
                 "sqlId": sql, "sqlTextShort": text[:50], "sqlType": text.split()[0], "userName": user,
                 "waitEvent": "db file data read" if slow else "none", "serverId": server,
                 "timestamp": local(at(9, "16:00:00") - seconds(420 * number))}
        top = statistics(random, hour, slow, text)
        rows["topSqls"].append({**facts, **top})
        if slow:
            count = top["executions"]
            rows["slowSqls"].append(whole_numbers({
                **facts, **top, "avgLogicalReads": 1200.0, "lastFailCode": 0, "lastFailTimestamp": 0,
                "maxAffectedRows": top["avgAffectedRows"], "maxApplicationWaitTime": 0.0,
                "maxConcurrencyWaitTime": 0.0, "maxDiskReads": top["avgDiskReads"] * 2,
                "maxReturnRows": top["avgReturnRows"], "maxUserIoWaitTime": round(top["avgUserIoWaitTime"] * 1.5, 2),
                "obDbId": TENANTS[tenant]["ob"] * 1000 + 201005, "obTenantId": TENANTS[tenant]["ob"],
                "serverIp": address(host), "sumCpuTimeMs": round(top["avgCpuTime"] * count, 2),
                "sumElapsedTime": round(top["avgElapsedTime"] * count, 2), "sumLogicalReads": 1200.0 * count,
                "sumWaitTime": round(top["avgWaitTime"] * count, 2), "tenantName": TENANTS[tenant]["name"]}))
        rows["sqlTexts"].append({**keys, "fulltext": text, "sqlId": sql})
        rows["sqlPlans"].append({**keys, "serverId": server, "sqlId": sql, "timestamp": facts["timestamp"], "uid": plan})
        rows["planExplanations"].append({
            **keys, "rootOperations": [explain(operators, OBJECTS.get(tenant, [(0, "DBA_OB_SERVERS")])[0][1],
                                               10 * number)], "uid": plan})
        for minutes in (40, 20):
            point = statistics(random, 60, slow, text)
            time = local(at(9, "16:00:00") - seconds(60 * minutes))
            rows["sqlTrends"].append({**keys, **point, "dbName": database, "serverId": server, "sqlId": sql,
                                      "timestamp": time})
            shared = ["avgApplicationWaitTime", "avgConcurrencyWaitTime", "avgCpuTime", "avgDiskReads",
                      "avgElapsedTime", "avgUserIoWaitTime", "execPs", "executions"]
            rows["planTrends"].append({
                **keys, **{name: point[name] for name in shared}, "avgBufferGets": 0.0, "avgDiskWrites": 0.0,
                "avgRowProcessed": point["avgAffectedRows"] + point["avgReturnRows"], "tableScan": slow,
                "timestamp": time, "uid": plan})


def make_reports(rows, random):
    """A snapshot each hour, and a report of two of them."""
    for cluster, facts in CLUSTERS.items():
        taken = []
        for hour in range(12):
            time = at(9, "05:00:00") + seconds(3600 * hour + random.below(900) / 1e3)
            taken.append((hour + 101, time))
            rows["workloadSnapshots"].append({"clusterId": cluster, "snapshotId": hour + 101,
                                              "snapshotTime": utc(time)})
        (first, begin), (last, end) = taken[2], taken[5]
        name = f"OBAWR_{facts['name']}_{facts['ob']}_{begin:%Y%m%d%H%M}_{end:%Y%m%d%H%M}"
        if facts["type"] == "PRIMARY":
            task = FIRST_TASK + [name for name, *_ in TASKS].index("Generate workload report")
            rows["workloadReports"].append({
                "clusterId": cluster, "content": f"<html><head><title>{name}</title></head><body><h1>{name}</h1>"
                                                 f"<p>{utc(begin)} to {utc(end)}</p></body></html>",
                "beginReportTime": utc(begin), "clusterName": facts["name"], "createTime": local(at(9, "10:08:08")),
                "creator": "admin", "endReportTime": utc(end), "endSnapshotId": last,
                "generateTime": local(at(9, "10:07:30")), "id": 1000001, "name": name, "obClusterId": facts["ob"],
                "scope": "CLUSTER", "startSnapshotId": first, "status": "SUCCESSFUL", "taskInstanceId": task})


# Scope, type, groups: key, name, metrics with their units.
METRICS = [
    ("CLUSTER", "TOP", [("QPS", "Queries", [("sql_all_count", "times/s")]),
                        ("QPS_RT", "Time of queries", [("sql_all_rt", "us")])]),
    ("CLUSTER", "NORMAL", [("QPS", "Queries", [("sql_select_count", "times/s"), ("sql_update_count", "times/s")]),
                           ("TPS", "Transactions", [("transaction_count", "times/s")])]),
    ("TENANT", "TOP", [("CPU", "CPU", [("cpu_usage", "%")])]),
    ("TENANT", "NORMAL", [("MEMSTORE", "Memory of changes", [("memstore_percent", "%")]),
                          ("SESSIONS", "Sessions", [("active_session", "")])]),
    ("HOST", "TOP", [("CPU", "CPU", [("cpu_percent", "%")])]),
    ("HOST", "NORMAL", [("DISK", "Disk", [("io_read_byte", "byte/s"), ("io_write_byte", "byte/s")]),
                        ("NET", "Network", [("net_recv", "byte/s"), ("net_send", "byte/s")])]),
    ("OBPROXY", "NORMAL", [("REQUESTS", "Requests", [("odp_request_total", "times/s")])]),
]


def make_metric_groups(rows):
    groups = metrics = 0
    for key, (scope, kind, members) in enumerate(METRICS, 1):
        row = {"description": f"{scope.title()}, {kind.lower()}", "id": key, "name": f"{scope.title()} {kind.lower()}",
               "key": f"metric_{scope.lower()}_{kind.lower()}", "metricGroups": [], "scope": scope, "type": kind}
        for group, name, measured in members:
            groups += 1
            made = {"description": name, "id": groups, "key": group, "metrics": [], "name": name, "withLabel": False}
            for metric, unit in measured:
                metrics += 1
                made["metrics"].append({"description": metric.replace("_", " "), "displayByDefault": True,
                                        "id": 1000000 + metrics, "key": metric, "name": metric, "unit": unit})
            row["metricGroups"].append(made)
        rows["metricGroups"].append(row)
