// Validates docs/kubernetes.yaml: node check_kubernetes.mjs BINARY NODE_MODULES
// Each document must be of its kind's schema (npm's kubernetes-models), what one names must be there, the variables must
// be options, and the fixtures of the ConfigMap must load.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const [binary, modules] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "index.js"));
const kinds = { ConfigMap: "v1", Service: "v1", Deployment: "apps/v1" };
const file = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "../../docs/kubernetes.yaml");
const documents = require("js-yaml").loadAll(fs.readFileSync(file, "utf8"));
let failed = false;

function check(holds, what) {
  if (holds) return;
  console.error(`check_kubernetes.mjs: ${what}`);
  failed = true;
}

for (const document of documents) {
  check(kinds[document.kind] === document.apiVersion, `${document.kind} of ${document.apiVersion} is not expected`);
  const Kind = require(`kubernetes-models/${document.apiVersion}/${document.kind}`)[document.kind];
  try {
    new Kind(document).validate();
  } catch (error) {
    check(false, `${document.kind} ${document.metadata?.name}: ${error.message}`);
  }
}
const { ConfigMap: map, Service: service, Deployment: deployment } = Object.fromEntries(documents.map((one) => [one.kind, one]));
const { labels } = deployment.spec.template.metadata;
const [container] = deployment.spec.template.spec.containers;
for (const selector of [deployment.spec.selector.matchLabels, service.spec.selector]) {
  check(Object.entries(selector).every(([name, value]) => labels[name] === value), "a selector finds no pod");
}
const ports = container.ports.map((port) => port.name);
for (const port of [...service.spec.ports.map((one) => one.targetPort), container.readinessProbe.httpGet.port]) {
  check(ports.includes(port), `no port is called ${port}`);
}
check(service.metadata.name !== "ocp-mock", "the Service would set OCP_MOCK_PORT");
check(deployment.spec.template.spec.volumes[0].configMap.name === map.metadata.name, "the volume is of no ConfigMap");
const help = execFileSync(binary, ["--help"], { encoding: "utf8" });
for (const { name } of container.env) check(help.includes(`[${name}`), `${name} is no variable of the server`);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubernetes-"));
for (const [name, text] of Object.entries(map.data)) fs.writeFileSync(path.join(folder, name), text);
try {
  execFileSync(binary, ["check", folder], { stdio: ["ignore", "ignore", "inherit"] });
} catch {
  check(false, "the fixtures of the ConfigMap do not load");
}
fs.rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
