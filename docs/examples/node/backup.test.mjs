import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const { OCP_URL, OCP_MOCK_ADMIN_URL } = process.env;
const list = `${OCP_URL}/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks`;
const headers = { authorization: `Basic ${btoa("admin:secret")}` };

beforeEach(() => fetch(`${OCP_MOCK_ADMIN_URL}/reset`, { method: "POST" }));

test("failed backups are found", async () => {
  const { data } = await (await fetch(`${list}?status=FAILED`, { headers })).json();
  assert.equal(data.page.totalElements, 3);
  assert.ok(data.contents.every((task) => task.status === "FAILED"));
});

test("an outage passes", async () => {
  const armed = await fetch(`${OCP_MOCK_ADMIN_URL}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ times: 1, action: { status: 503 } }),
  });
  assert.equal(armed.status, 201);
  assert.equal((await fetch(list, { headers })).status, 503);
  assert.equal((await fetch(list, { headers })).status, 200);
});
