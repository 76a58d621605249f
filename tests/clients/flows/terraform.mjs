#!/usr/bin/node
// What a Terraform provider in JavaScript would do: apply, plan and destroy of a host, a cluster, a tenant and an OBProxy
// cluster. Run it as terraform.mjs BINARY.
import assert from "node:assert/strict";
import { main } from "./mock.mjs";

const CREATE_TENANT = "/api/v2/ob/clusters/{id}/tenants/createTenant";

class Provider {
  constructor(world) {
    this.world = world;
  }

  // The data, or null where there is no such resource.
  async request(method, path, json) {
    const answer = await this.world.send(method, "/api/v2" + path, { user: "terraform", json });
    if (answer.status === 404) return null;
    if (!answer.json?.successful) throw new Error(`${method} ${path}: ${answer.status} ${answer.json?.error?.message}`);
    return answer.json.data ?? {};
  }

  async waitFor(id) {
    const { status } = await this.world.endOfTask(() => this.request("GET", `/tasks/${id}`), 10, 180);
    if (status !== "SUCCESSFUL") throw new Error(`task ${id} failed`);
  }

  async create(path, json) {
    const data = await this.request("POST", path, json);
    const task = data.contents ? data.contents[0] : data;
    await this.waitFor(task.id);
    return task;
  }

  async destroy(path) {
    const data = await this.request("DELETE", path);
    if (data?.id) await this.waitFor(data.id);
    await this.world.sleep(60); // the deletion of some has no task that is told
    assert.equal(await this.request("GET", path), null, `${path} is there still`);
  }

  async host(innerIpAddress) {
    return (await this.create("/compute/hosts/batchCreate", {
      hostBasicDataList: [{ innerIpAddress }], sshPort: 22, kind: "DEDICATED_PHYSICAL_MACHINE",
      idcId: 1000001, typeId: 1000001, credentialId: 1000001,
    })).hostId;
  }

  async cluster(host) {
    const task = await this.create("/ob/clusters", {
      name: "tf_cluster", type: "PRIMARY", password: "tf secret",
      rpmName: "oceanbase-ce-4.3.1.4-104000052024070514.el8.x86_64.rpm",
      zones: [{ name: "zone1", idcName: "hz1", servers: [host] }],
    });
    return task.clusterId ?? task.cluster.id;
  }

  async tenant(cluster) {
    return (await this.create(`/ob/clusters/${cluster}/tenants/createTenant`, {
      name: "tf_tenant", mode: "MYSQL", rootPassword: "tf secret", loadType: "HTAP",
      zones: [{ name: "zone1", replicaType: "FULL", resourcePool: { unitSpecName: "S2", unitCount: 1 } }],
    })).tenantId;
  }

  async obproxy(host) {
    await this.create("/obproxy/clusters", {
      name: "tf_proxy", address: "192.0.2.70", port: 2883, workMode: "CONFIG_URL", obLinks: [], startupParameters: [],
      parameters: [], obproxyInstallParam: {
        hostIds: [host], sqlPort: 2883, exportPort: 2884, version: "obproxy-ce-4.3.0.0-102024062716.el8.x86_64.rpm",
      },
    });
    return (await this.request("GET", "/obproxy/clusters")).contents.find((one) => one.name === "tf_proxy").id;
  }
}

await main({
  async "everything is created, read again and destroyed"(world) {
    const provider = new Provider(world);
    const host = await provider.host("192.0.2.61");
    const cluster = await provider.cluster(host);
    const tenant = await provider.tenant(cluster);
    const proxy = await provider.obproxy(await provider.host("192.0.2.62"));
    const paths = [`/obproxy/clusters/${proxy}`, `/ob/clusters/${cluster}/tenants/${tenant}`, `/ob/clusters/${cluster}`,
      `/compute/hosts/${host}`];
    const states = [];
    for (const path of paths) states.push(await provider.request("GET", path));
    assert.deepEqual(states.map((one) => one.name ?? one.innerIpAddress).slice(0, 3), ["tf_proxy", "tf_tenant", "tf_cluster"]);
    assert.deepEqual([states[1].status, states[2].status], ["NORMAL", "RUNNING"]);
    for (const path of paths) await provider.destroy(path);
  },

  async "a tenant's task fails, and the next apply replaces the tenant"(world) {
    const provider = new Provider(world);
    await world.failTask(CREATE_TENANT, 1);
    await assert.rejects(provider.tenant(1000005), /failed/);
    const { contents: [tainted] } = await provider.request("GET", "/ob/clusters/1000005/tenants?name=tf_tenant");
    assert.equal(tainted.status, "CREATING");
    await provider.destroy(`/ob/clusters/1000005/tenants/${tainted.id}`);
    const tenant = await provider.tenant(1000005);
    assert.equal((await provider.request("GET", `/ob/clusters/1000005/tenants/${tenant}`)).status, "NORMAL");
  },

  async "a name is taken"(world) {
    const provider = new Provider(world);
    await provider.tenant(1000005);
    await assert.rejects(provider.tenant(1000005), /400 .*tf_tenant/);
  },

  async "OCP is away for a moment"(world) {
    const provider = new Provider(world);
    await world.fault({ match: { pathTemplate: CREATE_TENANT }, steps: [{ status: 503 }] });
    await assert.rejects(provider.tenant(1000005), /503/);
    assert.ok(await provider.tenant(1000005));
  },
});
