#!/usr/bin/env node
// Runs the server that this package carries, in place of this process as far as Node can: the same words, environment and
// standard streams, signals passed on, the same end.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const path = require("node:path");
const { isatty } = require("node:tty");

const program = path.join(__dirname, "..", "native", "bin", "ocp-mock-server");
// A terminal sends Ctrl-C to the server as well, which would have it twice.
const signals = isatty(0) ? ["SIGTERM", "SIGHUP"] : ["SIGTERM", "SIGHUP", "SIGINT"];

// Not to be left behind when this process is killed.
const environment = { OCP_MOCK_END_WITH_PARENT: "true", ...process.env };
const server = spawn(program, process.argv.slice(2), { stdio: "inherit", env: environment });
process.on("SIGINT", () => {});
for (const signal of signals) process.on(signal, () => server.kill(signal));
server.on("error", (error) => {
  console.error(`ocp-mock-server: cannot run ${program}: ${error.message}`);
  process.exit(error.code === "ENOENT" ? 127 : 126);
});
server.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
