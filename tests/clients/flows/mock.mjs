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

  // Sends a request as a client does. An answer of any status is an answer; a broken connection is an exception.
  async send(method, path, { user = "admin", json, form } = {}) {
    const headers = { Authorization: "Basic " + Buffer.from(`${user}:secret`).toString("base64") };
    if (json !== undefined) headers["Content-Type"] = "application/json";
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

// Runs the scenarios, each in a fresh world: {name: function, or [options of the server, function]}.
export async function main(scenarios) {
  const binary = process.argv[2];
  const problems = [];
  const groups = new Map();
  for (const [name, scenario] of Object.entries(scenarios)) {
    const [options, run] = Array.isArray(scenario) ? scenario : [[], scenario];
    const key = JSON.stringify(options);
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
