import type pg from "pg";
import { describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import type { FaultKind, FaultSpec } from "./legs/faults.ts";
import { eventually, KINDS, sqlState, useSettings } from "./testing/setting.ts";

const settings = useSettings(async (setting) => {
  const hyperdrive = await setting.start();
  const owner = await setting.connect(hyperdrive.connectionString("origin", "owner"));
  await owner.query("create table account (id int primary key, half int, other int); grant all on account to app");
});
let nextId = 1;

async function arm(hyperdrive: Hyperdrive, spec: FaultSpec | { kind: "none" }): Promise<void> {
  const response = await fetch(`${hyperdrive.controlUrl}/faults`, { method: "POST", body: JSON.stringify(spec) });
  expect(response.status).toBe(200);
}

/** Two writes of one transaction, as the worker sends them: both halves or none. */
async function transfer(client: pg.Client, id: number): Promise<void> {
  await client.query("begin");
  await client.query("insert into account values ($1, 1, 0)", [id]);
  await client.query("update account set other = 1 where id = $1", [id]);
  await client.query("commit");
}

describe.each(KINDS)("faults on %s", (kind) => {
  const start = () => settings[kind].start({ cache: {}, control: 0, waitMs: 3000 });
  const connect = (hyperdrive: Hyperdrive, door: "direct" | "cached" = "direct") =>
    settings[kind].connect(hyperdrive.connectionString(door, "app"), { query_timeout: 4000 });

  /** What a transfer ends with, and the row it left; then another client must find all in order. */
  async function attempt(hyperdrive: Hyperdrive, faulty: FaultSpec) {
    const id = nextId++;
    const client = await connect(hyperdrive);
    await arm(hyperdrive, faulty);
    const started = performance.now();
    const code = await sqlState(transfer(client, id));
    expect(performance.now() - started).toBeLessThan(16_000);
    await arm(hyperdrive, { kind: "none" });
    // As a worker closes its connection when the request has failed.
    client.end().catch(() => {});
    await eventually(async () => {
      const next = await connect(hyperdrive);
      return (await sqlState(next.query("select 1 / $1::int", [1]))) === "no error";
    });
    const witness = await connect(hyperdrive);
    const { rows } = await witness.query("select half, other from account where id = $1", [id]);
    expect((await witness.query("select current_user || current_setting('role') as who")).rows).toEqual([
      { who: "appnone" },
    ]);
    return { code, rows };
  }

  it.each<[FaultKind, string | RegExp, number]>([
    ["reset-before-commit", /ECONNRESET|terminated/, 0],
    ["reset-after-commit", /ECONNRESET|terminated/, 1],
    ["57P01", "57P01", 0],
    ["40001", "40001", 0],
    ["40P01", "40P01", 0],
    ["53300", "53300", 0],
    ["58000", "58000", 0],
  ])("%s: the client is told %s, and nothing is half written", async (fault, told, written) => {
    const match = /^(?:57P01|4)/.test(fault) ? { match: "update account" } : {};
    const { code, rows } = await attempt(await start(), { kind: fault, ...match });
    expect(code).toMatch(told);
    expect(rows).toEqual(written === 1 ? [{ half: 1, other: 1 }] : []);
  });

  it.each<[FaultKind, RegExp]>([
    ["half-open", /timeout|58000/i],
    ["origin-down", /58000|08006/],
  ])("%s: nobody waits for ever, and all is well afterwards", async (fault, told) => {
    const { code, rows } = await attempt(await start(), { kind: fault, seconds: 30 });
    expect(code).toMatch(told);
    expect(rows).toEqual([]);
  });

  it("half-open: nobody waits longer than 16 s, in a transaction, for an answer, or for a session", async () => {
    const hyperdrive = await settings[kind].start({ control: 0, poolSize: 2 });
    const open = () => settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    const [holder, ...others] = await Promise.all([1, 2, 3].map(open));
    await holder?.query("begin");
    await arm(hyperdrive, { kind: "half-open", seconds: 300 });
    const started = performance.now();
    const told = await Promise.all(
      [holder, ...others].map((client) => sqlState(client?.query("select 1") ?? Promise.resolve())),
    );
    expect(told.join(" ")).toMatch(/^08006 (?:08006|58000) 58000$/);
    expect(performance.now() - started).toBeLessThan(16_000);
    await arm(hyperdrive, { kind: "none" });
    expect(await sqlState((await open()).query("select 1"))).toBe("no error");
  });

  it("slow and sliced: late and in pieces, but right", async () => {
    const hyperdrive = await start();
    await arm(hyperdrive, { kind: "slow", ms: 30, seconds: 30 });
    await arm(hyperdrive, { kind: "sliced", seconds: 30 });
    const client = await connect(hyperdrive);
    const text = "x".repeat(100_000);
    const started = performance.now();
    for (const door of [client, await connect(hyperdrive, "cached")]) {
      const { rows } = await door.query("select $1 as text, n from generate_series(1, 3) n", [text]);
      expect(rows).toEqual([1, 2, 3].map((n) => ({ text, n })));
    }
    expect(performance.now() - started).toBeGreaterThan(60);
  });

  it("lasts as long as it was told to, in the middle of a transaction too", async () => {
    const hyperdrive = await start();
    const client = await connect(hyperdrive);
    await client.query("begin");
    await client.query("insert into account values ($1, 1, 0)", [nextId]);
    await arm(hyperdrive, { kind: "origin-down", seconds: 0.5 });
    expect(await sqlState(client.query("commit"))).not.toBe("no error");
    expect(await sqlState((await connect(hyperdrive)).query("select 1"))).toBe("58000");
    await eventually(async () => (await sqlState((await connect(hyperdrive)).query("select 1"))) === "no error");
    const { rows } = await (await connect(hyperdrive)).query("select * from account where id = $1", [nextId++]);
    expect(rows).toEqual([]);
  });
});
