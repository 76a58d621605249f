#!/usr/bin/node
// A nightly backup job in JavaScript: strategy, backup, data backup task polled, log backup watched, restore.
// Run it as nightly_backup.mjs BINARY.
import assert from "node:assert/strict";
import { main } from "./mock.mjs";

const CLUSTER = "/api/v2/ob/clusters/1000005";
const TENANT = CLUSTER + "/tenants/1000017";
const BACKUP_NOW = "/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/backupNow";
const storage = {
  configName: "nightly",
  obBackupStorageBaseInfo: { backupStorageType: "BACKUP_STORAGE_FILE", storageUrl: "/obbackup/" },
};
const strategy = {
  backupMode: "PHYSICAL_BACKUP",
  obBackupScheduleConfig: {
    backupScheduleMode: "MONTH", backupScheduleTime: "02:00:00.000+08:00", startLogBackup: true,
    dayAndDataBackupModelMap: { 1: "FULL_BACKUP", 15: "INCREMENTAL_BACKUP" },
  },
  obBackupThresholdConfig: { dataBackupTimeoutMinutes: 7, logBackupDelaySeconds: 300, noSuccessfulDataBackupAlarmDays: 2 },
  obBackupServiceStorageConfig: storage,
};

class Job {
  constructor(world) {
    this.world = world;
  }

  // Three attempts at what may pass by itself.
  async ask(method, path, json) {
    let answer;
    for (let attempt = 0; attempt < 3; ++attempt) {
      answer = await this.world.send(method, path, { user: "backup", json });
      if (answer.status === 200) return answer.json.data;
      if (![429, 502, 503].includes(answer.status)) break;
      await this.world.sleep(Number(answer.headers.get("RateLimit-Reset") ?? answer.headers.get("Retry-After") ?? 5));
    }
    throw new Error(`${method} ${path}: ${answer.status} ${answer.json?.error?.message}`);
  }

  async ensureStrategy() {
    const path = TENANT + "/backup/config/backupStrategy";
    const { status } = await this.world.send("GET", path, { user: "backup" });
    await this.ask(status === 404 ? "POST" : "PATCH", path, strategy);
    return this.ask("GET", path);
  }

  async backUp() {
    const body = { backupMode: "PHYSICAL_BACKUP", dataBackupMode: "FULL_BACKUP", obBackupServiceStorageConfig: storage };
    const { backupObjectOpsResultList: [{ taskIdList: [id] }] } = await this.ask("POST", TENANT + "/backup/backupNow", body);
    return this.poll(async () => {
      const { contents } = await this.ask("GET", TENANT + "/backup/task/dataBackupTasks?page=1&size=100");
      const task = contents.find((one) => one.taskId === id);
      return ["DONE", "FAILED", "CANCELED"].includes(task.status) && task;
    });
  }

  async restore(name) {
    const body = {
      backupTenantStatus: "ONLINE",
      restoreOnlineTenantRequiredParam: {
        backupClusterId: 1000005, backupTenantId: 1000017, restoreClusterId: 1000005,
        restoreEndTime: "2024-08-09T17:00:00+08:00",
        restoreTenantInfoParam: {
          name, zones: [{ name: "zone1", replicaType: "FULL", resourcePool: { unitSpecName: "S2", unitCount: 1 } }],
        },
      },
    };
    const { backupObjectOpsResultList: [{ taskIdList: [id] }] } = await this.ask("POST", CLUSTER + "/backup/restore", body);
    return this.poll(async () => {
      const { contents } = await this.ask("GET", CLUSTER + "/backup/task/restoreTasks?page=1&size=10");
      const task = contents.find((one) => one.ocpJobId === id);
      return task.finished && task;
    });
  }

  async logBackupIsBehind(seconds) {
    const { contents } = await this.ask("GET", TENANT + "/backup/task/logBackupTasks?status=INPROGRESS");
    const now = Date.parse((await this.world.send("GET", "/api/v2/time")).text);
    return contents.length === 0 || contents.some((one) => (now - Date.parse(one.checkpoint)) / 1000 > seconds);
  }

  poll(look) {
    return this.world.poll(look, 0.5);
  }
}

await main({
  async "a night without trouble"(world) {
    const job = new Job(world);
    const { obBackupScheduleConfig: schedule } = await job.ensureStrategy();
    assert.deepEqual(schedule.dayAndDataBackupModelMap, strategy.obBackupScheduleConfig.dayAndDataBackupModelMap);
    const task = await job.backUp();
    assert.equal(task.status, "DONE");
    const { obRecoverableInfoAggregation: info } = await job.ask("GET", TENANT + "/backup/info");
    const sets = info.latestSevenDaysAggregation.obRecoverableSectionItems.map((one) => one.dataBackupRecoverableInfo?.fullBackupSetId);
    assert.ok(sets.includes(task.backupSetId));
    assert.equal((await job.ask("GET", CLUSTER + "/backup/overview")).lastDataBackupTime, task.startTime);
    assert.equal(await job.logBackupIsBehind(60), false);
    await world.sleep(61);
    assert.equal(await job.logBackupIsBehind(60), true);
  },

  async "a backup fails, and its task is retried"(world) {
    const job = new Job(world);
    await world.failTask(BACKUP_NOW, "Back up data", "disk full");
    const task = await job.backUp();
    assert.deepEqual([task.status, task.errorMsg], ["FAILED", "disk full"]);
    await job.ask("POST", `/api/v2/tasks/instances/${task.taskId}/retry`);
    await job.poll(async () => (await job.ask("GET", `/api/v2/tasks/${task.taskId}`)).status === "SUCCESSFUL");
    const { contents } = await job.ask("GET", TENANT + `/backup/task/dataBackupTasks?backupSetId=${task.backupSetId}`);
    assert.deepEqual(contents.map((one) => [one.status, one.errorMsg]), [["DONE", ""]]);
  },

  async "a tenant is restored"(world) {
    const job = new Job(world);
    assert.equal((await job.restore("drill")).status, "RESTORE_SUCCESS");
    const { contents } = await job.ask("GET", CLUSTER + "/tenants?name=drill");
    assert.deepEqual(contents.map((one) => one.status), ["NORMAL"]);
  },

  async "OCP is away for a moment"(world) {
    await world.fault({ match: { pathTemplate: BACKUP_NOW }, steps: [{ status: 503, retryAfter: 1 }] });
    assert.equal((await new Job(world).backUp()).status, "DONE");
    assert.equal(await world.sent({ pathTemplate: BACKUP_NOW }), 2);
  },

  "the job is throttled": [["--rate-limit", "4/1m"], async (world) => {
    assert.equal((await new Job(world).backUp()).status, "DONE");
    assert.ok((await world.sent({ status: 429 })) > 0);
  }],
});
