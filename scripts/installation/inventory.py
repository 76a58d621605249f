"""What there is: hosts, clusters, tenants, their parameters, OBProxy and packages."""

import hashlib

from installation.times import NOW, at, local, seconds

GIB = 2**30


def digest(*parts):
    return hashlib.sha1("/".join(map(str, parts)).encode()).hexdigest()


VERSION = "4.3.1"
BUILD = f"4.3.1.4_104000052024070514-{digest('observer')}(Jul  5 2024 14:38:17)"
AGENT = "4.3.1-20240709142605"
ADMIN = {"id": 100, "name": "admin"}
SYSTEM = {"id": 200, "name": "system"}
OCP = "192.0.2.10"

REGIONS = {"hangzhou": 1000001, "shanghai": 1000002}
IDCS = {"hz1": (1000001, "hangzhou"), "sh1": (1000002, "shanghai")}
HOST_TYPES = {"db_32c128g": 1000001, "proxy_8c16g": 1000002}
# Name, address, IDC, type, what runs there.
HOSTS = {
    1000001: ("hz1-db-01", "192.0.2.11", "hz1", "db_32c128g", "ob_431"),
    1000002: ("hz1-db-02", "192.0.2.12", "hz1", "db_32c128g", "ob_431"),
    1000003: ("sh1-db-01", "192.0.2.13", "sh1", "db_32c128g", "ob_431"),
    1000004: ("sh1-db-02", "192.0.2.14", "sh1", "db_32c128g", "ob_431_standby"),
    1000005: ("hz1-proxy-01", "192.0.2.21", "hz1", "proxy_8c16g", "odp_main"),
    1000006: ("sh1-proxy-01", "192.0.2.22", "sh1", "proxy_8c16g", "odp_main"),
    1000007: ("sh1-spare-01", "192.0.2.31", "sh1", "db_32c128g", None),
}
# The servers are those of the zones: id, zone, host.
CLUSTERS = {
    1000005: {"name": "ob_431", "ob": 199, "type": "PRIMARY", "created": at(26, "10:12:31"), "servers": [
        (1000031, "zone1", 1000001), (1000032, "zone2", 1000002), (1000033, "zone3", 1000003)]},
    1000009: {"name": "ob_431_standby", "ob": 207, "type": "STANDBY", "created": at(29, "14:30:05"), "servers": [
        (1000041, "zone1", 1000004)]},
}
SPECS = {"S1": (3, 1.5, 6, "SYSTEM"), "S2": (1, 2, 4, "SYSTEM"), "S4": (2, 4, 16, "SYSTEM"),
         "order_8c32g": (1000001, 8, 32, "CUSTOM")}
# The tenant ww1144 was restored from a backup of pay_core.
TENANTS = {
    1000011: {"name": "sys", "ob": 1, "cluster": 1000005, "mode": "MYSQL", "spec": "S2"},
    1000012: {"name": "ww1144", "ob": 1050, "cluster": 1000005, "mode": "MYSQL", "spec": "S4"},
    1000017: {"name": "order_center", "ob": 1004, "cluster": 1000005, "mode": "ORACLE", "spec": "order_8c32g"},
    1000020: {"name": "sys", "ob": 1, "cluster": 1000009, "mode": "MYSQL", "spec": "S2"},
    1000021: {"name": "pay_core", "ob": 1002, "cluster": 1000009, "mode": "MYSQL", "spec": "S4"},
}
TENANT_CREATED = {1000011: at(26, "10:12:31"), 1000012: at(8, "10:26:46"), 1000017: at(30, "09:45:12"),
                  1000020: at(29, "14:30:05"), 1000021: at(31, "11:02:44")}
USER_TENANTS = (1000012, 1000017, 1000021)
PROXY = 1000001
OBPROXIES = {1000001: 1000005, 1000002: 1000006}  # their hosts
PACKAGES = [
    (1000001, "oceanbase", "4.3.1.4", "104000052024070514", "OB_SERVER_INSTALL_PACKAGE", 412398712),
    (1000002, "obproxy", "4.3.0.0", "102024062716", "OBPROXY_INSTALL_PACKAGE", 168250344),
    (1000003, "ocp-agent", "4.3.1", "20240709142605", "OCP_AGENT_INSTALL_PACKAGE", 61730912),
]


def name_of_cluster(cluster):
    return {"clusterId": cluster, "clusterName": CLUSTERS[cluster]["name"], "obClusterId": CLUSTERS[cluster]["ob"]}


def name_of_tenant(tenant):
    return {"tenantId": tenant, "tenantName": TENANTS[tenant]["name"], "obTenantId": TENANTS[tenant]["ob"],
            **name_of_cluster(TENANTS[tenant]["cluster"])}


def keys_of_tenant(tenant):
    return {"clusterId": TENANTS[tenant]["cluster"], "tenantId": tenant}


def short_cluster(cluster):
    return {"id": cluster, "name": CLUSTERS[cluster]["name"], "obClusterId": CLUSTERS[cluster]["ob"],
            "type": CLUSTERS[cluster]["type"]}


def short_tenant(tenant):
    return {"id": tenant, "mode": TENANTS[tenant]["mode"], "name": TENANTS[tenant]["name"],
            "obTenantId": TENANTS[tenant]["ob"]}


def tenants_of(cluster):
    return [tenant for tenant in TENANTS if TENANTS[tenant]["cluster"] == cluster]


def address(host):
    return HOSTS[host][1]


# Hosts

def make_hosts(rows):
    for name, key in REGIONS.items():
        rows["regions"].append({"createTime": local(at(26, "09:02:10") + seconds(key % 10 * 7)), "id": key,
                                "name": name, "updateTime": local(at(26, "09:02:10") + seconds(key % 10 * 7))})
    for name, (key, region) in IDCS.items():
        time = local(at(26, "09:05:00") + seconds(key % 10 * 11))
        rows["idcs"].append({"createTime": time, "description": None, "id": key, "name": name,
                             "regionId": REGIONS[region], "regionName": region, "updateTime": time})
    for name, key in HOST_TYPES.items():
        time = local(at(26, "09:06:40") + seconds(key % 10 * 9))
        rows["hostTypes"].append({"createTime": time, "description": None, "id": key, "name": name, "updateTime": time})
    services = {cluster["name"]: ("OB_CLUSTER", f"{cluster['name']}:{cluster['ob']}", VERSION, 1000001)
                for cluster in CLUSTERS.values()}
    services["odp_main"] = ("OB_PROXY", "odp_main", "4.3.0.0-102024062716", 1000002)
    for host, (name, ip, idc, host_type, runs) in HOSTS.items():
        created = at(26, "09:20:00") + seconds(host % 10 * 61)
        running = [services[runs]] if runs else []
        rows["hosts"].append({
            "alias": None, "architecture": "x86_64", "createTime": local(created), "description": None,
            "hostAgentId": host + 100, "hostAgentStatus": "AVAILABLE", "hostAgentVersion": AGENT, "id": host,
            "idcDescription": None, "idcId": IDCS[idc][0], "idcName": idc, "innerIpAddress": ip,
            "kind": "DEDICATED_PHYSICAL_MACHINE", "name": name, "operatingSystem": "5.10.0-136.el8.x86_64",
            "operatingSystemRelease": "el8", "publishPorts": None, "regionDescription": None,
            "regionId": REGIONS[IDCS[idc][1]], "regionName": IDCS[idc][1], "serialNumber": None,
            "services": [{"name": service, "softwarePackageId": package, "type": kind, "version": version}
                         for kind, service, version, package in running],
            "sshPort": 22, "status": "ONLINE" if runs else "AVAILABLE", "typeDescription": None,
            "typeId": HOST_TYPES[host_type], "typeName": host_type,
            "updateTime": local(at(9, "16:05:30") + seconds(host % 10))})
        processes = [{
            "alias": alias, "createTime": local(created + seconds(40)),
            "elapsedTime": int((NOW - created).total_seconds()) - 60, "hostId": host, "id": host * 10 + number,
            "lastActiveTime": local(NOW - seconds(12)), "logFilePattern": f"/home/admin/ocp_agent/log/{log}.log*",
            "operable": number == 3, "pid": 4100 + host % 10 * 31 + number, "ports": port,
            "startCommand": f"/home/admin/ocp_agent/bin/{alias}", "status": "STARTED",
            "updateTime": local(created + seconds(40)), "user": "root"}
            for number, (alias, log, port) in enumerate([("ocp_mgragent", "mgragent", "62888"),
                                                         ("ocp_monagent", "monagent", "62889"),
                                                         ("ocp_agentd", "agentd", "")], 1)]
        rows["hostAgentProcesses"] += processes
        rows["hostAgents"].append({
            "createTime": local(created + seconds(40)), "hostId": host, "hostInnerIpAddress": ip, "id": host + 100,
            "installHome": "/home/admin/ocp_agent", "lastAvailableTime": local(NOW - seconds(12)),
            "logHome": "/home/admin/ocp_agent/log", "managerPort": "62888", "monitorPort": "62889",
            "processes": processes, "status": "AVAILABLE", "updateTime": local(NOW - seconds(12)), "version": AGENT})
    rows["credentials"] = [
        {"accessTarget": "*", "createTime": local(at(26, "09:15:20")), "description": "The login of OCP on all hosts",
         "id": 1000001, "name": "host_admin", "targetType": "HOST", "type": "PRIVATE_KEY",
         "updateTime": local(at(26, "09:15:20")), "username": "admin"},
        {"accessTarget": "ob_431:199", "createTime": local(at(26, "10:40:02")), "description": "sys of ob_431",
         "id": 1000002, "name": "ob_431_sys", "targetType": "OB", "type": "PASSWORD",
         "updateTime": local(at(26, "10:40:02")), "username": "root@sys"}]


# Clusters, tenants and what they take of their servers

def make_server(cluster, server, zone, host):
    name, ip, idc, *_ = HOSTS[host]
    return {"clusterId": cluster, "hostId": host, "id": server, "idcName": idc, "innerStatus": "ACTIVE", "ip": ip,
            "port": 2882, "regionName": IDCS[idc][1], "sqlPort": 2881,
            "startTime": local(CLUSTERS[cluster]["created"] + seconds(95)), "status": "RUNNING",
            "stopTime": "1970-01-01T08:00:00+08:00", "updateTime": local(NOW - seconds(32)), "version": BUILD,
            "withRootserver": zone == "zone1", "zoneName": zone}


def make_clusters(rows):
    for cluster, facts in CLUSTERS.items():
        zones = []
        for server, zone, host in facts["servers"]:
            _, ip, idc, host_type, _ = HOSTS[host]
            row = make_server(cluster, server, zone, host)
            rows["servers"].append(row)
            zones.append({"idcId": IDCS[idc][0], "idcName": idc, "innerStatus": "ACTIVE", "name": zone,
                          "operateStatus": "NORMAL", "regionName": IDCS[idc][1], "serverCount": 1, "servers": [],
                          "status": "RUNNING"})
            rows["zones"].append({
                "clusterId": cluster, "compactionStatus": "IDLE", "createTime": local(facts["created"]),
                "hostCount": 1, "idcId": IDCS[idc][0], "idcName": idc, "innerStatus": "ACTIVE", "name": zone,
                "obClusterId": facts["ob"], "regionName": IDCS[idc][1],
                "rootServer": {"address": f"{ip}:2882", "role": "LEADER" if zone == "zone1" else "FOLLOWER",
                               "sql_port": 2881},
                "serverCount": 1, "servers": [{**row, "hostTypeName": host_type}], "status": "RUNNING",
                "updateTime": local(NOW - seconds(32))})
        standby = [short_cluster(other) for other in CLUSTERS if facts["type"] == "PRIMARY" and other != cluster]
        rows["clusters"].append({
            "createTime": local(facts["created"]), "creator": "admin", "id": cluster, "loadType": "HTAP",
            "name": facts["name"], "obClusterId": facts["ob"], "obVersion": VERSION,
            "regionCount": len({zone["regionName"] for zone in zones}),
            "rootServers": [{"address": f"{address(host)}:2882", "role": "LEADER" if zone == "zone1" else "FOLLOWER",
                             "sql_port": 2881} for _, zone, host in facts["servers"]],
            "serverCount": len(facts["servers"]), "standbyClusters": standby, "status": "RUNNING",
            "tenantCount": len(tenants_of(cluster)), "type": facts["type"], "zones": zones})


def make_tenants(rows, random):
    for name, (key, cores, memory, kind) in SPECS.items():
        rows["unitSpecs"].append({"id": key, "maxCpuCoreCount": cores, "maxMemorySize": memory,
                                  "minCpuCoreCount": cores, "minMemorySize": memory, "name": name, "type": kind})
    for tenant, facts in TENANTS.items():
        cluster = CLUSTERS[facts["cluster"]]
        _, cores, memory, _ = SPECS[facts["spec"]]
        zones, names = [], [zone for _, zone, _ in cluster["servers"]]
        pool = tenant % 100
        for number, (server, zone, host) in enumerate(cluster["servers"]):
            unit = {"id": pool * 10 + number, "resourcePoolId": pool, "serverId": server, "serverIp": address(host),
                    "serverPort": 2882, "status": "ACTIVE", "zoneName": zone}
            rows["units"].append({**keys_of_tenant(tenant), **unit})
            zones.append({"name": zone, "replicaType": "FULL", "units": [unit], "resourcePool": {
                "id": pool, "name": f"pool_{facts['name']}", "unitCount": 1,
                "unitConfig": {"maxCpuCoreCount": float(cores), "maxMemorySize": memory,
                               "minCpuCoreCount": float(cores), "minMemorySize": memory}}})
            rows["clusterUnits"].append({
                "clusterId": facts["cluster"], "dataDiskUsedByte": (64 + random.below(4000)) * 2**20,
                "logDiskUsedByte": (256 + random.below(2000)) * 2**20, "obTenantId": facts["ob"],
                "obUnitId": unit["id"], "status": "ACTIVE", "svrIp": address(host), "svrPort": 2882,
                "tenantId": tenant, "tenantName": facts["name"], "zone": zone, "unitConfig": {
                    "iopsWeight": cores, "logDiskSize": memory * 3, "logDiskSizeByte": memory * 3 * GIB,
                    "maxCpuCoreCount": float(cores), "maxIops": 0, "maxMemoryByte": memory * GIB,
                    "maxMemorySize": memory, "minCpuCoreCount": float(cores), "minIops": 0,
                    "minMemoryByte": memory * GIB, "minMemorySize": memory}})
        oracle = facts["mode"] == "ORACLE"
        rows["tenants"].append({
            "charset": "utf8mb4", "collation": "utf8mb4_bin" if oracle else "utf8mb4_general_ci",
            "clusterId": facts["cluster"], "clusterName": cluster["name"], "clusterStatus": "RUNNING",
            "clusterType": cluster["type"], "createTime": local(TENANT_CREATED[tenant]), "id": tenant,
            "loadType": "HTAP", "locality": ", ".join(f"FULL{{1}}@{zone}" for zone in names), "locked": False,
            "mode": facts["mode"], "name": facts["name"], "obClusterId": cluster["ob"], "obTenantId": facts["ob"],
            "obVersion": VERSION, "primaryZone": ";".join(names), "readonly": False, "sqlAuditEnabled": True,
            "status": "NORMAL", "whitelist": "%", "zoneList": ";".join(names), "zones": zones})


def make_stats(rows):
    for cluster, facts in CLUSTERS.items():
        total = {}
        for _, zone, host in facts["servers"]:
            units = [unit for unit in rows["clusterUnits"] if unit["svrIp"] == address(host)]
            stats = {"cpuTotal": 32.0, "cpuAssigned": sum(unit["unitConfig"]["maxCpuCoreCount"] for unit in units),
                     "memoryAssignedByte": sum(unit["unitConfig"]["maxMemoryByte"] for unit in units),
                     "memoryTotalByte": 100 * GIB, "logDiskTotalByte": 400 * GIB,
                     "logDiskAssignedByte": sum(unit["unitConfig"]["logDiskSizeByte"] for unit in units),
                     "logDiskUsedByte": sum(unit["logDiskUsedByte"] for unit in units),
                     "dataDiskTotalByte": 1024 * GIB,
                     "dataDiskUsedByte": sum(unit["dataDiskUsedByte"] for unit in units)}
            rows["serverStats"].append({"clusterId": cluster, "ip": address(host), "port": 2882, "zone": zone, **stats})
            total = {name: total.get(name, 0) + value for name, value in stats.items()}
        rows["clusterStats"].append({**name_of_cluster(cluster), **total})


# Name, type, least, most, default, what it is: parameters of clusters, of tenants, of OBProxy.
CLUSTER_PARAMETERS = [
    ("cpu_count", "INT", "0", None, "0", "Cores that the server may use; 0 takes all of the host"),
    ("enable_syslog_recycle", "BOOL", None, None, "False", "Whether old log files are removed"),
    ("max_syslog_file_count", "INT", "0", None, "0", "Log files of each kind that are kept"),
    ("memory_limit", "CAPACITY", "0M", None, "0M", "Memory that the server may use; 0M goes by a share of the host"),
    ("minor_freeze_times", "INT", "0", "65535", "100", "Minor freezes before a major one"),
    ("syslog_level", "STRING", None, None, "WDIAG", "What is logged"),
]
CLUSTER_VALUES = {"cpu_count": "32", "enable_syslog_recycle": "True", "max_syslog_file_count": "100",
                  "memory_limit": "100G"}
TENANT_PARAMETERS = [
    ("autocommit", "ENUM", "OFF,ON", "ON", "Whether each statement is a transaction"),
    ("max_allowed_packet", "INT", None, "16777216", "The largest packet that a client may send, in bytes"),
    ("ob_query_timeout", "INT", None, "10000000", "How long a query may take, in microseconds"),
    ("recyclebin", "ENUM", "OFF,ON", "OFF", "Whether what is dropped can be restored"),
]
PROXY_PARAMETERS = [
    ("client_max_connections", "INT", "0", "65535", "8192", "Connections of clients that are taken", False),
    ("enable_compression_protocol", "BOOL", None, None, "True", "Whether packets to servers are compressed", True),
    ("log_file_percentage", "INT", "0", "100", "80", "The share of the disk that log files may take", False),
    ("syslog_level", "STRING", None, None, "INFO", "What is logged", False),
]


def make_parameters(rows):
    for name, kind, least, most, default, description in CLUSTER_PARAMETERS:
        restart = name == "cpu_count"
        rows["clusterParameterInfos"].append({
            "allowedStringValues": None, "defaultValue": default, "description": description, "maxValue": most,
            "minValue": least, "name": name, "needRestart": restart, "readonly": False, "type": kind,
            "version": VERSION})
        for cluster, facts in CLUSTERS.items():
            value = CLUSTER_VALUES.get(name, default)
            rows["clusterParameters"].append({
                "clusterId": cluster, "defaultValue": default, "description": description, "name": name,
                "needRestart": restart, "readonly": False, "section": "OBSERVER",
                "valueRange": {"allowedValues": None, "maxValue": most, "minValue": least, "type": kind},
                "currentValue": {
                    "obParameters": [{"name": name, "svrIp": address(host), "svrPort": 2882, "svrType": "observer",
                                      "value": value, "zone": zone} for _, zone, host in facts["servers"]],
                    "singleValueInCluster": True, "values": [value],
                    "valueToServers": {value: [f"{address(host)}:2882" for *_, host in facts["servers"]]}}})
    for tenant in TENANTS:
        for name, kind, allowed, default, description in TENANT_PARAMETERS:
            value = "100000000" if name == "ob_query_timeout" and tenant in USER_TENANTS else default
            value_range = {"allowedValues": allowed, "type": kind} if allowed else {"type": kind}
            rows["tenantParameters"].append({
                **keys_of_tenant(tenant), "currentValue": value, "defaultValue": default, "description": description,
                "name": name, "readonly": False, "valueRange": value_range})
    for number, (name, kind, least, most, default, description, reboot) in enumerate(PROXY_PARAMETERS, 1):
        rows["obproxyParameterInfos"].append({
            "allowedStringValues": None, "defaultValue": default, "description": description, "explanation": None,
            "id": 1000000 + number, "maxValue": most, "minValue": least, "name": name, "needRestart": reboot,
            "readonly": False, "type": kind, "version": "4.3.0.0"})
        rows["obproxyParameters"].append({
            "description": description, "name": name, "needReboot": reboot, "obproxyClusterId": PROXY,
            "valueString": default,
            "values": [{"obproxies": [address(host) for host in OBPROXIES.values()], "value": default}]})


def make_obproxy(rows):
    created = at(1, "13:20:41")
    linked = 1000005
    rows["obproxyClusters"].append({
        "address": address(1000005), "createTime": local(created), "creatorId": ADMIN["id"],
        "creatorName": ADMIN["name"], "id": PROXY, "name": "odp_main", "parameterVersion": 3, "port": 2883,
        "configUrl": f"http://{OCP}:8080/services?Action=GetObProxyConfig&User_ID=ocp&UID=admin"
                     "&ObproxyClusterName=odp_main",
        "obLinks": [{**name_of_cluster(linked), "clusterType": "PRIMARY", "connections": 12.0, "status": "RUNNING",
                     "username": "proxyro"}],
        "obproxies": [{"architecture": "x86_64", "clusterId": PROXY, "exporterPort": 2884, "hostId": host, "id": proxy,
                       "idcName": HOSTS[host][2], "ip": address(host), "lastActiveTime": local(NOW - seconds(9)),
                       "operateStatus": "NORMAL", "parameterVersion": 3, "sqlPort": 2883, "status": "RUNNING",
                       "version": "4.3.0.0-102024062716"} for proxy, host in OBPROXIES.items()],
        "topo": [{"count": 1, "idcName": HOSTS[host][2]} for host in OBPROXIES.values()],
        "updateTime": local(created + seconds(310)),
        "versions": [{"count": len(OBPROXIES), "version": "4.3.0.0-102024062716"}], "workMode": "CONFIG_URL"})
    for key, name, version, build, kind, size in PACKAGES:
        file = f"{name}-{version}-{build}.el8.x86_64.rpm"
        rows["softwarePackages"].append({
            "architecture": "x86_64", "buildNumber": build, "createTime": local(at(26, "09:30:00") + seconds(key % 10)),
            "deletable": False, "downloadUrl": f"http://{OCP}:8080/api/v2/files/sys-package/{file}",
            "extension": "rpm", "fileName": file, "id": key, "installationDataList": [], "name": name,
            "operatingSystem": "el8", "sha1": digest(file), "size": size, "type": kind, "version": version})
