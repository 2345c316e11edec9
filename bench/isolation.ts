// Random work of many tenants through the worker and the local Hyperdrive, every answer held against a model of who owns
// what, every cache hit against the database, every read against what its client had written.
//   bun run bench:isolation [--operations 100000] [--tenants 20] [--seed 1] [--postgres]
import { parseArgs } from "node:util";
import { sendTo, simulate } from "./isolation/simulation.ts";
import { buildApp, openDoors } from "./isolation/worker.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "100000" },
    tenants: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    postgres: { type: "boolean", default: false },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
// The worker's own log, a line for each request.
console.log = () => {};

const doors = await openDoors(values.postgres ? "postgres" : undefined);
try {
  const started = performance.now();
  const options = { operations: Number(values.operations), tenants: Number(values.tenants), seed: Number(values.seed) };
  const report = await simulate(doors, sendTo(buildApp(), doors), {
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
  await doors.close();
}
