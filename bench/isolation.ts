// Random work of many tenants through the worker and the local Hyperdrive, every answer held against a model of who owns
// what, every cache hit against the database, every read against what its client had written.
//   bun run bench:isolation [--operations 100000] [--tenants 20] [--seed 1] [--postgres]
// Over HTTP, to the worker in workerd.
import { parseArgs } from "node:util";
import { simulate } from "./isolation/simulation.ts";
import { secret } from "./isolation/tenants.ts";
import { openDoors } from "./isolation/worker.ts";
import { leadTo, startWorker } from "./serve.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "100000" },
    tenants: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    postgres: { type: "boolean", default: false },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

const doors = await openDoors(values.postgres ? "postgres" : undefined);
leadTo(doors);
const worker = await startWorker("../wrangler.toml", {
  entrypoint: "isolation/http-worker.ts",
  // How long work takes on a busy machine is no finding.
  variables: { AUTH_SECRET: secret, DB_CONNECT_TIMEOUT_MS: "60000", DB_QUERY_TIMEOUT_MS: "60000" },
});
const { origin } = await worker.url;
/** The same request, at the worker's own address. */
const send = (request: Request) => fetch(new Request(request.url.replace(/^https?:\/\/[^/]+/, origin), request));

try {
  const started = performance.now();
  const options = { operations: Number(values.operations), tenants: Number(values.tenants), seed: Number(values.seed) };
  const report = await simulate(doors, send, {
    ...options,
    onProgress: (done, findings) => say(`${done} operations, ${findings} findings`),
  });
  const { findings, ...figures } = report;
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  for (const finding of findings.slice(0, 50)) say(finding);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${report.operations} operations in ${seconds.toFixed(0)} s: ${findings.length} findings\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  await worker.dispose();
  await doors.close();
}
