#!/usr/bin/node
// Brings a cluster into OCP as the installer antman does: it looks for text in the raw answers, so they must be compact
// JSON. Run it as antman.mjs BINARY.
import assert from "node:assert/strict";
import { main } from "./mock.mjs";

const HOST = "192.0.2.41";
const PASSWORD = "oceanbase of root";

class Installer {
  constructor(world) {
    this.world = world;
  }

  // The raw text of an answer with any status, as curl gives it.
  async curl(method, path, json) {
    return (await this.world.send(method, path, { json })).text;
  }

  async checked(method, path, json) {
    const answer = JSON.parse(await this.curl(method, path, json));
    if (answer.successful !== true) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data;
  }

  waitForOcp() {
    const time = () => this.world.send("GET", "/api/v2/time", { user: null });
    return this.world.poll(() => time().then(({ text }) => text.startsWith("20"), () => false), 3, 100);
  }

  // Of the one with the name, which is made where there is none.
  async idOf(kind, name, more) {
    const path = `/api/v2/compute/${kind}`;
    const { contents } = await this.checked("GET", path);
    return (contents.find((one) => one.name === name) ?? await this.checked("POST", path, { name, ...more })).id;
  }

  async credential() {
    const path = "/api/v2/profiles/me/credentials";
    const { contents } = await this.checked("GET", path + "?targetType=HOST");
    return (contents.find((one) => one.name === "antman") ?? await this.checked("POST", path, {
      targetType: "HOST", name: "antman", description: "of the installer", validate: false, hostIdList: [],
      sshCredentialProperty: { type: "PASSWORD", username: "root", passphrase: PASSWORD },
    })).id;
  }

  async hasHost() {
    return (await this.curl("GET", "/api/v2/compute/hosts")).includes(`"innerIpAddress":"${HOST}"`);
  }

  async hasCluster(name) {
    return (await this.curl("GET", "/api/v2/ob/clusters")).includes(`"name":"${name}"`);
  }

  async hasConfig() {
    const text = await this.curl("GET", "/services?Action=GetObProxyConfig&User_ID=admin&UID=alibaba");
    return text.includes("successful");
  }

  // Gives the id of its task.
  async addHost() {
    const regionId = await this.idOf("regions", "antman_region");
    const { contents: [task] } = await this.checked("POST", "/api/v2/compute/hosts/batchCreate", {
      hostBasicDataList: [{ innerIpAddress: HOST }], sshPort: 22, kind: "DEDICATED_PHYSICAL_MACHINE",
      idcId: await this.idOf("idcs", "antman_idc", { regionId }), typeId: await this.idOf("hostTypes", "antman_type"),
      credentialId: await this.credential(),
    });
    return task.id;
  }

  // Gives the task.
  async takeOver() {
    const body = { connectionMode: "direct", address: HOST, port: 2881, rootSysPassword: PASSWORD };
    const { result } = await this.checked("POST", "/api/v2/ob/clusters/takeOverPreCheck", body);
    if (result.valid !== true) throw new Error("the cluster cannot be taken over");
    const hostInfo = {
      kind: "DEDICATED_PHYSICAL_MACHINE", hostTypeId: await this.idOf("hostTypes", "antman_type"),
      credentialId: await this.credential(),
    };
    return this.checked("POST", "/api/v2/ob/clusters/takeOver", { ...body, hostInfo });
  }

  async endOf(task) {
    return (await this.world.endOfTask(() => this.checked("GET", `/api/v2/tasks/instances/${task}`), 1, 120)).status;
  }
}

await main({
  async "a cluster is installed"(world) {
    const installer = new Installer(world);
    await installer.waitForOcp();
    assert.equal(await installer.hasHost(), false);
    assert.equal(await installer.endOf(await installer.addHost()), "SUCCESSFUL");
    assert.equal(await installer.hasHost(), true);
    const { clusterId, id } = await installer.takeOver();
    assert.equal(await installer.endOf(id), "SUCCESSFUL");
    const { name } = await installer.checked("GET", `/api/v2/ob/clusters/${clusterId}`);
    assert.equal(await installer.hasCluster(name), true);
    assert.equal(await installer.hasConfig(), true);
  },

  async "a second run makes nothing twice"(world) {
    const installer = new Installer(world);
    const ids = async () => [await installer.idOf("regions", "antman_x"), await installer.idOf("hostTypes", "antman_x"),
      await installer.credential()];
    assert.deepEqual(await ids(), await ids());
    assert.equal(await world.sent({ method: "POST", path: "/api/v2/compute/regions" }), 1);
  },

  async "the host cannot be prepared"(world) {
    const installer = new Installer(world);
    await world.failTask("/api/v2/compute/hosts/batchCreate", 2);
    const task = await installer.addHost();
    assert.equal(await installer.endOf(task), "FAILED");
    await installer.checked("POST", `/api/v2/tasks/instances/${task}/retry`);
    assert.equal(await installer.endOf(task), "SUCCESSFUL");
  },

  async "OCP starts slowly"(world) {
    await world.fault({
      match: { path: "/api/v2/time" },
      steps: [{ fault: "CONNECTION_RESET_BY_PEER" }, { status: 503 }, { fault: "EMPTY_RESPONSE" }],
    });
    await new Installer(world).waitForOcp();
    assert.equal(await world.sent({ path: "/api/v2/time" }), 4);
  },

  async "OCP is away for a moment"(world) {
    const installer = new Installer(world);
    await world.fault({ match: { path: "/api/v2/ob/clusters/takeOver" }, steps: [{ status: 503, message: "busy" }] });
    await assert.rejects(installer.takeOver(), { message: "/api/v2/ob/clusters/takeOver: busy" });
    await installer.takeOver();
  },

  "the client is throttled": [["--rate-limit", "2/1m"], async (world) => {
    const installer = new Installer(world);
    await installer.hasHost();
    await installer.hasHost();
    await assert.rejects(installer.checked("GET", "/api/v2/compute/hosts"));
    assert.equal(await world.sent({ status: 429 }), 1);
    await world.sleep(60);
    await installer.checked("GET", "/api/v2/compute/hosts");
  }],
});
