// What the flows in JavaScript share; mock.py is the same in Python.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";

const NOW = "2024-08-09T17:00:00+08:00"; // an hour after the last thing that happened in the installation
const SECONDS = 60; // for a server to start and to stop, and for an answer

export class World {
  constructor(url) {
    this.url = url;
  }

  // Sends a request as a client does, without credentials if the user is null, and with the headers in place of its own.
  // An answer of any status is an answer; a broken connection is an exception.
  async send(method, path, { user = "admin", json, form, headers: more = {} } = {}) {
    const headers = {};
    if (user !== null) headers.Authorization = "Basic " + Buffer.from(`${user}:secret`).toString("base64");
    if (json !== undefined) headers["Content-Type"] = "application/json";
    Object.assign(headers, more);
    const body = form !== undefined ? new URLSearchParams(form) : json === undefined ? undefined : JSON.stringify(json);
    const response = await fetch(this.url + path, { method, headers, body, signal: AbortSignal.timeout(SECONDS * 1000) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: text.startsWith("{") ? JSON.parse(text) : null };
  }

  async control(method, path, json) {
    const answer = await this.send(method, "/__admin" + path, { json });
    assert.ok(answer.status < 400, `${method} /__admin${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  async reset() {
    await this.control("POST", "/reset");
    await this.control("PUT", "/clock", { now: NOW });
  }

  // A client's sleep: the clock moves, and nobody waits.
  sleep(seconds) {
    return this.control("PUT", "/clock", { advance: `PT${seconds}S` });
  }

  // What look finds, which a client looks for again and again, and sleeps in between.
  async poll(look, seconds, attempts = 240) {
    for (let i = 0; i < attempts; ++i) {
      const found = await look();
      if (found) return found;
      await this.sleep(seconds);
    }
    throw new Error("it takes too long");
  }

  // A task that has ended, well or not. The client's own request gives the task.
  endOfTask(get, seconds, attempts) {
    return this.poll(async () => {
      const task = await get();
      return task.status !== "RUNNING" && task;
    }, seconds, attempts);
  }

  fault(fault) {
    return this.control("POST", "/faults", fault);
  }

  // The task of the next request to this path will fail.
  failTask(pathTemplate, subtask, message = "out of order") {
    return this.fault({ match: { pathTemplate }, times: 1, action: { task: { fails: subtask, message } } });
  }

  // How many requests the server has seen that are like this.
  async sent(criteria) {
    return (await this.control("POST", "/requests/verify", criteria)).matched;
  }
}

async function start(binary, options) {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OCP_MOCK_")));
  const server = spawn(binary, ["--port", "0", "--log-level", "error", ...options], { stdio: ["ignore", "pipe", "inherit"], env: environment });
  const watchdog = setTimeout(() => server.kill("SIGKILL"), SECONDS * 1000);
  let line;
  for await (line of createInterface(server.stdout)) break;
  clearTimeout(watchdog);
  assert.ok(line, "the server does not start");
  return { url: JSON.parse(line).url, server };
}

async function stop(server) {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const watchdog = setTimeout(() => server.kill("SIGKILL"), SECONDS * 1000);
  server.kill();
  await ended;
  clearTimeout(watchdog);
}

// Runs the scenarios, each in a fresh world: {name: function, or [more options of the server, function]}.
export async function main(scenarios, options = []) {
  const binary = process.argv[2];
  const problems = [];
  const groups = new Map();
  for (const [name, scenario] of Object.entries(scenarios)) {
    const [more, run] = Array.isArray(scenario) ? scenario : [[], scenario];
    const key = JSON.stringify([...options, ...more]);
    groups.set(key, [...(groups.get(key) ?? []), [name, run]]);
  }
  for (const [key, group] of groups) {
    const { url, server } = await start(binary, JSON.parse(key));
    try {
      for (const [name, run] of group) {
        const world = new World(url);
        try {
          await world.reset();
          await run(world);
        } catch (error) {
          problems.push(`${name}: ${error.stack}`);
        }
      }
    } finally {
      await stop(server);
    }
  }
  console.log(problems.join("\n") || `${Object.keys(scenarios).length} scenarios`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
