#!/usr/bin/node
// Hands a cluster over to OCP as obdeploy's export-to-ocp does: time, version, check, host type, credential, takeover, and
// its task polled to the end. Run it as export_to_ocp.mjs BINARY.
import assert from "node:assert/strict";
import { main } from "./mock.mjs";

const PASSWORD = "root of sys";
const PRE_CHECK = "/api/v2/ob/clusters/takeOverPreCheck";
const CREDENTIALS = "/api/v2/profiles/me/credentials";
const HOST_TYPES = "/api/v2/compute/hostTypes";
const server = { connectionMode: "direct", address: "192.0.2.31", port: 2881, rootSysPassword: PASSWORD };

class Exporter {
  constructor(world) {
    this.world = world;
  }

  // An exception is tried again, five times at most; any answer but 200 is told and not tried again.
  async ask(method, path, json) {
    let broken;
    for (let attempt = 0; attempt < 5; ++attempt) {
      const answer = await this.world.send(method, path, { json }).catch((error) => { broken = error; });
      if (answer?.status === 200) return answer.json;
      if (answer) throw new Error(`${path}: ${answer.json?.error?.message}`);
      await this.world.sleep(1);
    }
    throw broken;
  }

  waitForOcp() {
    const time = () => this.world.send("GET", "/api/v2/time", { user: null });
    return this.world.poll(async () => (await time()).status === 200, 3, 10);
  }

  async checkVersion() {
    const { buildVersion } = await this.ask("GET", "/api/v2/info");
    const [major, minor] = buildVersion.split(".").map(Number);
    if (major < 4 || (major === 4 && minor < 2)) throw new Error(`OCP ${buildVersion} is too old`);
  }

  async checkCluster() {
    const { data: { result } } = await this.ask("POST", PRE_CHECK, server);
    if (result.valid !== true) throw new Error(result.messages.join("; "));
  }

  // The id of the one in the list that is like this, which is made where there is none.
  async idOf(path, like, more) {
    const { data: { contents } } = await this.ask("GET", path);
    const found = contents.find((one) => Object.keys(like).every((name) => one[name] === like[name]));
    return (found ?? (await this.ask("POST", path, { ...like, ...more })).data).id;
  }

  hostType() {
    return this.idOf(HOST_TYPES, { name: "obd_exported" });
  }

  credential() {
    return this.idOf(CREDENTIALS, { targetType: "HOST", name: "obd_exported" },
      { sshCredentialProperty: { type: "PASSWORD", username: "admin", passphrase: PASSWORD } });
  }

  async takeOver() {
    const hostInfo = {
      kind: "DEDICATED_PHYSICAL_MACHINE", hostTypeId: await this.hostType(), credentialId: await this.credential(),
    };
    const { data } = await this.ask("POST", "/api/v2/ob/clusters/takeOver", { ...server, hostInfo });
    return { cluster: data.clusterId, task: data.id };
  }

  async endOf(task) {
    const get = async () => (await this.ask("GET", `/api/v2/tasks/instances/${task}`)).data;
    return (await this.world.endOfTask(get, 1, 120)).status;
  }

  async export() {
    await this.waitForOcp();
    await this.checkVersion();
    await this.checkCluster();
    return this.takeOver();
  }

  async status(cluster) {
    return (await this.ask("GET", `/api/v2/ob/clusters/${cluster}`)).data.status;
  }

  async clusters() {
    return (await this.ask("GET", "/api/v2/ob/clusters")).data.contents.map((one) => one.id);
  }
}

await main({
  async "a cluster is taken over"(world) {
    const exporter = new Exporter(world);
    const before = await exporter.clusters();
    const { cluster, task } = await exporter.export();
    assert.equal(await exporter.status(cluster), "TAKINGOVER");
    assert.equal(await exporter.endOf(task), "SUCCESSFUL");
    assert.equal(await exporter.status(cluster), "RUNNING");
    assert.deepEqual((await exporter.clusters()).sort(), [...before, cluster].sort());
    for (const path of [CREDENTIALS, `/api/v2/ob/clusters/${cluster}`]) {
      const { text } = await world.send("GET", path);
      assert.ok(!text.includes(PASSWORD), `${path} tells a password`);
    }
  },

  async "host type and credential are used again"(world) {
    const exporter = new Exporter(world);
    const ids = async () => [await exporter.hostType(), await exporter.credential()];
    assert.deepEqual(await ids(), await ids());
    assert.equal(await world.sent({ method: "POST", path: HOST_TYPES }), 1);
  },

  async "the takeover fails"(world) {
    const exporter = new Exporter(world);
    await world.failTask("/api/v2/ob/clusters/takeOver", 3);
    const { cluster, task } = await exporter.takeOver();
    assert.equal(await exporter.endOf(task), "FAILED");
    assert.equal(await exporter.status(cluster), "TAKINGOVER");
    await exporter.ask("POST", `/api/v2/tasks/instances/${task}/retry`);
    assert.equal(await exporter.endOf(task), "SUCCESSFUL");
    assert.equal(await exporter.status(cluster), "RUNNING");
  },

  async "OCP starts slowly"(world) {
    await world.fault({ match: { path: "/api/v2/time" }, steps: [{ status: 503 }, { status: 502, html: true }] });
    await new Exporter(world).waitForOcp();
    assert.equal(await world.sent({ path: "/api/v2/time" }), 3);
  },

  async "OCP is away for a moment"(world) {
    const exporter = new Exporter(world);
    await world.fault({
      match: { path: PRE_CHECK },
      steps: [{ fault: "CONNECTION_RESET_BY_PEER" }, { status: 503, message: "OCP is being upgraded" }],
    });
    await assert.rejects(exporter.export(), { message: `${PRE_CHECK}: OCP is being upgraded` });
    const { task } = await exporter.export();
    assert.equal(await exporter.endOf(task), "SUCCESSFUL");
  },

  "the client is throttled": [["--rate-limit", "5/1m"], async (world) => {
    await assert.rejects(new Exporter(world).export());
    assert.equal(await world.sent({ status: 429 }), 1);
    await world.sleep(60);
    assert.equal((await world.send("GET", "/api/v2/info")).status, 200);
  }],
});
