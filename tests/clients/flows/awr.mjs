#!/usr/bin/node
// Gathers a workload report as obdiag does: snapshots, the report as a form, its task polled every 20 seconds and retried
// once if it fails, the list of reports, the report. Run it as awr.mjs BINARY.
import assert from "node:assert/strict";
import { main } from "./mock.mjs";

const WORKLOAD = "/api/v2/ob/clusters/1000005/performance/workload";
const REPORTS = "/api/v2/ob/clusters/{id}/performance/workload/reports";
const RETRY = "/api/v2/tasks/instances/{id}/retry";

class Gatherer {
  constructor(world) {
    this.world = world;
  }

  async answer(method, path, form) {
    const answer = await this.world.send(method, path, { user: "root", form });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.json?.error?.message}`);
    return answer;
  }

  async data(method, path, form) {
    return (await this.answer(method, path, form)).json.data;
  }

  // Times are compared as texts without their fraction, as they are in UTC.
  async nearestSnapshot(time) {
    const { contents } = await this.data("GET", WORKLOAD + "/snapshots");
    const before = contents.filter((one) => one.snapshotTime.split(".")[0] <= time);
    return before.reduce((last, one) => (one.snapshotTime > last.snapshotTime ? one : last)).snapshotId;
  }

  // Gives the id of its task.
  async generate(name) {
    return (await this.data("POST", WORKLOAD + "/reports", {
      name, startSnapshotId: await this.nearestSnapshot("2024-08-09T05:00:30"),
      endSnapshotId: await this.nearestSnapshot("2024-08-09T08:00:30"),
    })).taskInstanceId;
  }

  async waitFor(task, retries = 1) {
    const path = `/api/v2/tasks/instances/${task}`;
    const { status } = await this.world.endOfTask(() => this.data("GET", path), 20, 60);
    if (status === "SUCCESSFUL") return;
    if (retries === 0) throw new Error(`task ${task} failed`);
    await this.data("POST", path + "/retry");
    await this.waitFor(task, retries - 1);
  }

  async reports(name) {
    const { contents } = await this.data("GET", WORKLOAD + "/reports");
    return contents.filter((one) => one.name === name);
  }

  async statuses(name) {
    return (await this.reports(name)).map((one) => one.status);
  }

  async report(name) {
    const [{ id }] = await this.reports(name);
    return this.answer("GET", `${WORKLOAD}/reports/${id}`);
  }

  async gather(name) {
    await this.waitFor(await this.generate(name));
    return (await this.report(name)).text;
  }
}

await main({
  async "a report is gathered"(world) {
    const gatherer = new Gatherer(world);
    const task = await gatherer.generate("OBAWR_ob_431");
    assert.deepEqual(await gatherer.statuses("OBAWR_ob_431"), ["CREATING"]);
    await gatherer.waitFor(task);
    const { headers, text } = await gatherer.report("OBAWR_ob_431");
    assert.match(headers.get("Content-Type"), /^text\/html\b/);
    assert.match(text, /<html>[^]*<\/html>/);
    assert.deepEqual(await gatherer.statuses("OBAWR_ob_431"), ["SUCCESSFUL"]);
    const form = { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" };
    assert.equal(await world.sent({ method: "POST", headers: form }), 1);
  },

  async "the task fails once"(world) {
    await world.failTask(REPORTS, "Store report");
    assert.match(await new Gatherer(world).gather("OBAWR_ob_431"), /<html>/);
    assert.equal(await world.sent({ method: "POST", pathTemplate: RETRY }), 1);
  },

  async "the task fails, and nobody retries"(world) {
    const gatherer = new Gatherer(world);
    await world.failTask(REPORTS, 0);
    const task = await gatherer.generate("OBAWR_ob_431");
    await assert.rejects(gatherer.waitFor(task, 0), { message: `task ${task} failed` });
    assert.deepEqual(await gatherer.statuses("OBAWR_ob_431"), ["FAILED"]);
  },

  async "OCP is away for a moment"(world) {
    const gatherer = new Gatherer(world);
    await world.fault({ match: { pathTemplate: "/api/v2/tasks/instances/{id}" }, steps: [{ status: 503 }] });
    await assert.rejects(gatherer.gather("OBAWR_ob_431"), /503: /);
    assert.match(await gatherer.gather("OBAWR_again"), /<html>/);
  },

  async "a snapshot is not there"(world) {
    const gatherer = new Gatherer(world);
    const form = { name: "x", startSnapshotId: 1, endSnapshotId: 2 };
    await assert.rejects(gatherer.data("POST", WORKLOAD + "/reports", form), /404: /);
    assert.deepEqual(await gatherer.reports("x"), []);
  },
});
