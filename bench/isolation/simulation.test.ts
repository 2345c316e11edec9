import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import postgres from "postgres";
import { type Send, sendTo, simulate } from "./simulation.ts";
import { buildApp, openDoors } from "./worker.ts";

const { bugs } = await import("./bugs.ts");

// The worker's own log, a line for each request.
const { log, warn, error } = console;
before(() => void Object.assign(console, { log() {}, warn() {}, error() {} }));
after(() => void Object.assign(console, { log, warn, error }));

test("2,000 operations of 20 tenants: nobody sees or changes what is another's, and nobody reads too old", async () => {
  const doors = await openDoors();
  try {
    const report = await simulate(doors, sendTo(buildApp(), doors), { operations: 2000, tenants: 20, seed: 1 });
    assert.deepEqual(report.findings, []);
    assert.equal(report.shadow.leak, 0);
    assert.ok(report.hits > 50 && report.history > 200, JSON.stringify(report));
    assert.ok((report.outcomes.NOT_FOUND ?? 0) > 100 && (report.outcomes.FORBIDDEN ?? 0) > 100);
  } finally {
    await doors.close();
  }
});

for (const [name, { break: spoil, procedures, wrap, cache, options, finding }] of Object.entries(bugs)) {
  test(`noticed: ${name}`, async () => {
    const doors = await openDoors(undefined, cache);
    const sql = postgres(doors.owner, { max: 1, onnotice: () => {} });
    try {
      await spoil?.(sql);
      const plain: Send = sendTo(buildApp(procedures), doors);
      const send = wrap ? wrap(plain) : plain;
      const { findings } = await simulate(doors, send, {
        operations: 1000,
        tenants: 4,
        seed: 1,
        untilFound: true,
        ...options,
      });
      assert.ok(
        findings.some((line) => finding.test(line)),
        `only ${findings.slice(0, 5).join("\n")}`,
      );
    } finally {
      await sql.end({ timeout: 5 });
      await doors.close();
    }
  });
}
