#!/usr/bin/node
// Calls OCP as an MCP server for it does, tool by tool: each request signed with an access key, JSON's content type even
// without a body, lists as they are. Run it as mcp_server.mjs BINARY.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { main } from "./mock.mjs";

const ACCESS_KEY = "ak-mcp";
const SECRET_KEY = "0123456789abcdef0123456789abcdef";
const CLUSTER = 1000005;
const HOST = 1000001;
const C = `/ob/clusters/${CLUSTER}`;
const MYSQL = C + "/tenants/1000012";
const ORACLE = C + "/tenants/1000017";
const WINDOW = { startTime: "2024-08-09T15:00:00+08:00", endTime: "2024-08-09T17:00:00+08:00" };

class Tools {
  constructor(world, secretKey = SECRET_KEY) {
    this.world = world;
    this.secretKey = secretKey;
  }

  send(method, path, { query = {}, json } = {}) {
    const pairs = Object.keys(query).sort().map((name) => `${name}=${encodeURIComponent(query[name])}`);
    const target = pairs.length > 0 ? `${path}?${pairs.join("&")}` : path;
    const date = new Date().toUTCString();
    const digest = json === undefined ? "" : createHash("md5").update(JSON.stringify(json)).digest("hex").toUpperCase();
    const { host } = new URL(this.world.url);
    const message = [method, digest, "application/json", date, host, "x-ocp-origin:mcp-server", target].join("\n");
    const signature = createHmac("sha1", this.secretKey).update(message).digest("base64");
    return this.world.send(method, target, {
      json, headers: {
        "Content-Type": "application/json", Date: date, "x-ocp-origin": "mcp-server",
        Authorization: `OCP-ACCESS-KEY-HMACSHA1 ${ACCESS_KEY}:${signature}`,
      },
    });
  }

  async call(method, path, options) {
    const answer = await this.send(method, "/api/v2" + path, options);
    if (answer.status >= 400) throw new Error(`${path}: ${answer.status} ${answer.json?.error?.message}`);
    return answer.json.data;
  }

  get(path, query) {
    return this.call("GET", path, { query });
  }

  async rows(path, query) {
    const { contents } = await this.get(path, query);
    assert.ok(contents.length > 0, `${path} has no rows`);
    return contents;
  }
}

const page = { page: 1, size: 10 };
const lists = {
  list_oceanbase_clusters: ["/ob/clusters", { ...page, sort: "name,asc", name: "ob", status: "RUNNING" }],
  get_cluster_zones: [C + "/zones"],
  get_cluster_servers: [C + "/servers"],
  get_zone_servers: [C + "/zones/zone1/servers"],
  get_server_stats: [C + "/serverStats"],
  get_cluster_units: [C + "/units"],
  get_cluster_tenants: [C + "/tenants", { ...page, mode: "MYSQL", status: "NORMAL" }],
  get_cluster_parameters: [C + "/parameters"],
  get_all_tenants: ["/ob/tenants", { ...page, sort: "name,asc" }],
  get_tenant_units: [MYSQL + "/units"],
  get_tenant_parameters: [MYSQL + "/parameters"],
  get_tenant_databases: [MYSQL + "/databases"],
  get_tenant_users: [MYSQL + "/users"],
  get_tenant_roles: [ORACLE + "/roles"],
  get_tenant_objects: [ORACLE + "/objects"],
  get_tenant_top_sql: [MYSQL + "/topSql", WINDOW],
  get_tenant_slow_sql: [MYSQL + "/slowSql", { ...WINDOW, limit: 5 }],
  get_obproxy_clusters: ["/obproxy/clusters", page],
  get_obproxy_cluster_parameters: ["/obproxy/clusters/1000001/parameters"],
  get_metric_groups: ["/monitor/metricGroups", { ...page, type: "TOP", scope: "CLUSTER" }],
  get_metrics: ["/monitor/metricsWithLabel", {
    ...WINDOW, metrics: "cpu_percent", groupBy: "app,svr_ip", interval: 60, labels: "app:OB", minStep: 60, maxPoints: 10,
  }],
  get_alarms: ["/alarm/alarms", { ...page, status: "Active" }],
  get_inspection_tasks: ["/inspection/task"],
  get_inspection_overview: ["/inspection/overview", {
    objectIds: CLUSTER, inspectionObjectType: "OB_CLUSTER", scheduleStates: "ACTIVE", name: "ob",
  }],
  get_last_inspection_result: ["/inspection/report/info", { tagId: 1, objectType: "OB_CLUSTER" }],
  get_last_item_result: ["/inspection/report/info/item/1", { tagId: 1, objectType: "OB_CLUSTER" }],
  get_workload_snapshots: [C + "/performance/workload/snapshots"],
};

await main({
  async "every tool that reads"(world) {
    const tools = new Tools(world);
    for (const [name, [path, query]] of Object.entries(lists)) {
      await tools.rows(path, query).catch((error) => assert.fail(`${name}: ${error.message}`));
    }
    assert.equal((await tools.get(C + "/stats")).clusterId, CLUSTER);
    assert.equal((await tools.get(MYSQL)).name, "ww1144");
    const [{ username }] = await tools.rows(MYSQL + "/users");
    assert.equal((await tools.get(`${MYSQL}/users/${username}`)).username, username);
    const [{ name: role }] = await tools.rows(ORACLE + "/roles");
    assert.equal((await tools.get(`${ORACLE}/roles/${role}`)).name, role);
    const [{ sqlId }] = await tools.rows(MYSQL + "/topSql", WINDOW);
    assert.ok((await tools.get(`${MYSQL}/sqls/${sqlId}/text`, WINDOW)).fulltext);
    assert.equal((await tools.get("/obproxy/clusters/1000001")).id, 1000001);
    const [{ id: alarm }] = await tools.rows("/alarm/alarms", { page: 1, size: 1 });
    assert.equal((await tools.get(`/alarm/alarms/${alarm}`)).id, alarm);
    const [{ id: report }] = await tools.rows("/inspection/task", { taskStates: "SUCCESSFUL" });
    assert.equal((await tools.get(`/inspection/report/${report}`)).id, report);
    const { requests } = await world.control("GET", "/violations");
    assert.deepEqual(requests.filter((one) => JSON.stringify(one.violations).includes("signature")), []);
  },

  async "parameters are set"(world) {
    const tools = new Tools(world);
    for (const [path, parameterType, values] of [
      [C + "/parameters", "OB_CLUSTER_PARAMETER", (one) => one.currentValue.values],
      [MYSQL + "/parameters", "OB_TENANT_PARAMETER", (one) => [one.currentValue]],
    ]) {
      const { name } = (await tools.rows(path)).find((one) => !one.readonly);
      await tools.call("PUT", path, { json: [{ name, value: "7", parameterType }] });
      assert.deepEqual(values((await tools.rows(path)).find((one) => one.name === name)), ["7"]);
    }
  },

  async "an inspection is run"(world) {
    const tools = new Tools(world);
    const query = { inspectionObjectType: "OB_CLUSTER", objectIds: CLUSTER, tag: 1 };
    const { contents: [task] } = await tools.call("POST", "/inspection/run", { query });
    assert.equal(task.status, "RUNNING");
    const runs = (await tools.rows("/inspection/task")).filter((one) => one.taskId === task.id);
    assert.deepEqual(runs.map((one) => one.taskState), ["RUNNING"]);
    await world.sleep(60);
    const report = await tools.get(`/inspection/report/${runs[0].id}`);
    assert.deepEqual([report.taskState, report.itemFinishedCount], ["SUCCESSFUL", report.itemTotalCount]);
    assert.ok(report.reportItems.length > 0);
    const last = await tools.rows("/inspection/report/info", { tagId: 1, objectType: "OB_CLUSTER", objectId: CLUSTER });
    assert.deepEqual(last.map((one) => one.reportId), [report.id]);
  },

  async "an inspection fails"(world) {
    const tools = new Tools(world);
    await world.failTask("/api/v2/inspection/run", 0);
    await tools.call("POST", "/inspection/run", { json: { inspectionObjectType: "HOST", objectIds: [HOST], tags: 2 } });
    await world.sleep(60);
    assert.equal((await tools.rows("/inspection/task"))[0].taskState, "FAILED");
  },

  async "a workload report is made"(world) {
    const tools = new Tools(world);
    const path = C + "/performance/workload";
    const ids = (await tools.rows(path + "/snapshots")).map((one) => one.snapshotId);
    // Without a body, but with JSON's content type.
    const query = { name: "awr", startSnapshotId: ids[0], endSnapshotId: ids.at(-1) };
    const { id } = await tools.call("POST", path + "/reports", { query });
    await world.sleep(60);
    const { status, text } = await tools.send("GET", `/api/v2${path}/reports/${id}`);
    assert.deepEqual([status, text.includes("<html>")], [200, true]);
  },

  async "a wrong secret key is refused"(world) {
    assert.equal((await new Tools(world, "another").send("GET", "/api/v2/ob/clusters")).status, 401);
  },

  async "OCP is away for a moment"(world) {
    const tools = new Tools(world);
    await world.fault({ match: { path: "/api/v2/ob/tenants" }, steps: [{ status: 503, message: "busy" }] });
    await assert.rejects(tools.get("/ob/tenants"), { message: "/ob/tenants: 503 busy" });
    await tools.rows("/ob/tenants");
  },

  "the tools are throttled": [["--rate-limit", "2/1m"], async (world) => {
    const tools = new Tools(world);
    await tools.rows("/ob/clusters");
    await tools.rows("/ob/clusters");
    assert.equal((await tools.send("GET", "/api/v2/ob/clusters")).status, 429);
    await world.sleep(60);
    await tools.rows("/ob/clusters");
  }],
}, ["--access-key", `${ACCESS_KEY}:${SECRET_KEY}:mcp`]);
