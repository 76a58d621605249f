// Lists a tenant's log backup tasks with Node's own fetch. Prints a JSON object of what it was answered.
const env = process.env;
const {OCP_URL: url, OCP_CLUSTER: cluster, OCP_TENANT: tenant} = env;
const tasks = `${url}/api/v2/ob/clusters/${cluster}/tenants/${tenant}/backup/task/logBackupTasks`;

const basic = (user, password) => ({
  Authorization: 'Basic ' + Buffer.from(`${user}:${password}`, 'utf8').toString('base64'),
});

async function walk(headers, filters = []) {
  const bodies = [];
  for (let page = 1, pages = 1; page <= pages; ++page) {
    const query = new URLSearchParams([['page', page], ['size', env.OCP_PAGE_SIZE], ...filters]);
    const body = await (await fetch(`${tasks}?${query}`, {headers})).json();
    bodies.push(body);
    pages = body.data?.page.totalPages ?? 0;
  }
  return bodies;
}

async function answer(headers = {}) {
  const response = await fetch(tasks, {headers});
  return {status: response.status, headers: Object.fromEntries(response.headers), body: await response.json()};
}

async function meetTheLimit(headers) {
  for (let served = 0;; ++served) {
    const last = await answer(headers);
    if (last.status !== 200 || served === 200) return {served, answer: last};  // a server may not throttle at all
  }
}

// Gives up during a delay, and reads what the journal says of that.
async function giveUp(headers) {
  const post = (path, body) =>
      fetch(`${url}/__admin${path}`, {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
  await post('/faults', env.OCP_DELAY);
  const signal = AbortSignal.timeout(env.OCP_PATIENCE * 1000);
  const timedOut = await fetch(url + env.OCP_DELAYED, {headers, signal}).then(() => false, error => error.name === 'TimeoutError');
  const requests = await (await fetch(`${url}/__admin/requests?path=${env.OCP_DELAYED}&wait=PT20S`)).json();
  return {timedOut, requests, verified: await (await post('/requests/verify', env.OCP_QUESTION)).json()};
}

const user = basic(env.OCP_USER, env.OCP_PASSWORD);
console.log(JSON.stringify({
  pages: await walk(user),
  filtered: await walk(user, env.OCP_STATUSES.split(',').map(status => ['status', status])),
  refused: [await answer(), await answer(basic(env.OCP_USER, 'not the password'))],
  throttled: await meetTheLimit(basic(env.OCP_LIMITED_USER, env.OCP_LIMITED_PASSWORD)),
  gave_up: await giveUp(user),
}));
