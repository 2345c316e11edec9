import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import { sqlState, useSettings } from "./testing/setting.ts";

const settings = useSettings();
const start = () => settings.pglite.start({ cache: {}, control: 0 });

interface Body {
  now: number;
  error: string;
  statuses: Record<string, number>;
  queries: unknown[];
  traffic: { cached: { bytesIn: number } };
}

async function ask(hyperdrive: Hyperdrive, path: string, body?: unknown) {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${hyperdrive.controlUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as Body };
}

describe("the HTTP face", () => {
  it("tells what a request sent, and in how many trips", async () => {
    const hyperdrive = await start();
    const url = hyperdrive.connectionString("cached", "app");
    for (const application_name of ["request 1", "request 2"]) {
      const client = await settings.pglite.connect(url, { application_name });
      await client.query("select $1::int as n", [1]);
    }
    const first = await ask(hyperdrive, "/queries?request=request%201");
    expect(first.body).toMatchObject({
      queries: [{ status: "miss", door: "cached" }],
      doors: { cached: { flights: 1 } },
    });
    const second = await ask(hyperdrive, "/queries?request=request%202");
    expect(second.body).toMatchObject({
      queries: [{ status: "hit" }],
      doors: { cached: { flights: 1, originFlights: 0 } },
    });
    const { body } = await ask(hyperdrive, "/stats");
    expect(body).toMatchObject({
      statuses: { hit: 1, miss: 1 },
      caches: [{ entries: 1 }],
      shadow: { leak: 0 },
      faults: [],
    });
    expect(body.traffic.cached.bytesIn).toBeGreaterThan(50);
  });

  it("moves the clock, empties the caches and forgets", async () => {
    const hyperdrive = await start();
    const before = (await ask(hyperdrive, "/stats")).body.now;
    expect((await ask(hyperdrive, "/clock", { advanceMs: 60_000 })).body.now).toBeGreaterThanOrEqual(before + 60_000);
    expect((await ask(hyperdrive, "/clock", { advanceMs: -1 })).status).toBe(400);
    const client = await settings.pglite.connect(hyperdrive.connectionString("cached", "app"));
    await client.query("select $1::int", [1]);
    await ask(hyperdrive, "/reset", { only: "cache" });
    expect((await ask(hyperdrive, "/stats")).body).toMatchObject({ caches: [{ entries: 0 }], statuses: { miss: 1 } });
    await ask(hyperdrive, "/reset", {});
    expect((await ask(hyperdrive, "/stats")).body.statuses).toEqual({});
  });

  it.each([
    ["cached", "select $1::int as lost", "miss"],
    ["cached", "select now(), $1::int as lost", "volatile"],
    ["direct", "select $1::int as lost", "disabled"],
  ] as const)("names what got no session, and why: at the %s door %s", async (door, sql, status) => {
    const hyperdrive = await start();
    const client = await settings.pglite.connect(hyperdrive.connectionString(door, "app"));
    await ask(hyperdrive, "/faults", { kind: "58000" });
    expect(await sqlState(client.query(sql, [1]))).toBe("58000");
    const { body } = await ask(hyperdrive, "/queries");
    const reason = "it got no session: Failed to acquire a connection from the pool.";
    expect(body.queries).toMatchObject([{ door, sql, status, reason: expect.stringContaining(reason) }]);
  });

  it("streams what happens", async () => {
    const hyperdrive = await start();
    const response = await fetch(`${hyperdrive.controlUrl}/events`);
    const client = await settings.pglite.connect(hyperdrive.connectionString("direct", "app"));
    await client.query("select 'streamed'");
    let seen = "";
    for await (const chunk of response.body ?? []) {
      seen += Buffer.from(chunk).toString();
      if (seen.includes("streamed")) break;
    }
    expect(seen).toMatch(/event: query\ndata: \{.*"status":"disabled"/);
  });
});

describe("what the HTTP face does not take", () => {
  it.each([
    ["/reset", { only: "everything" }, '"only" is one of cache, stats, faults'],
    ["/reset", { onyl: "cache" }, '"onyl" means nothing here; there are only'],
    ["/clock", { advanceMs: "1" }, 'say how far: {"advanceMs": 61000}'],
    ["/clock", { advanceMs: 61_000, database: 5 }, "database is a name"],
    ["/faults", { kind: "slow", ms: "x" }, "ms is from 0 to 60000"],
    ["/faults", { kind: "slow", ms: -1 }, "ms is from 0 to 60000"],
    ["/faults", { kind: "slow", seconds: "9" }, "seconds is above 0, at most 3600"],
    ["/faults", { kind: "40001", count: 1.5 }, "count is a whole number from 1"],
    ["/faults", { kind: "40001", match: 5 }, "match is a text"],
    ["/faults", { kind: "40001", mach: "x" }, '"mach" means nothing to 40001, which takes count and match'],
    ["/faults", { kind: "58000", match: "x" }, '"match" means nothing to 58000, which takes count'],
    ["/faults", { kind: "57P01", seconds: 3 }, '"seconds" means nothing to 57P01'],
    ["/faults", { kind: "half-open", match: "x" }, '"match" means nothing to half-open, which takes seconds'],
    ["/faults", { kind: "none", match: "x" }, '"match" means nothing here; there are kind'],
    ["/queries?reqest=7", undefined, '"reqest" means nothing here; there are request, door'],
    ["/clock", { advanceMs: 1e300 }, "the clock cannot move by"],
    ["/reset", { only: "cache", filler: "x".repeat(70_000) }, "the body is too large"],
    ["/queries?door=origin", undefined, "the doors that log are cached and direct"],
  ])("refuses %s %o, and does nothing", async (path, body, message) => {
    const hyperdrive = await start();
    const client = await settings.pglite.connect(hyperdrive.connectionString("cached", "app"));
    await client.query("select $1::int", [1]);
    const before = (await ask(hyperdrive, "/stats")).body;
    const { status, body: told } = await ask(hyperdrive, path, body);
    expect([status, told.error]).toEqual([400, expect.stringContaining(message)]);
    const after = (await ask(hyperdrive, "/stats")).body;
    expect(after).toMatchObject({ faults: [], statuses: before.statuses, caches: [{ entries: 1 }] });
    expect(after.now - before.now).toBeLessThan(30_000);
  });

  it("says which method a path takes", async () => {
    const hyperdrive = await start();
    for (const [method, path, right] of [
      ["POST", "/stats", "GET"],
      ["PUT", "/faults", "POST"],
      ["GET", "/reset", "POST"],
    ]) {
      const response = await fetch(`${hyperdrive.controlUrl}${path}`, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, right]);
      expect(await response.text()).toContain(`not by ${method}: ${right} ${path}`);
    }
  });

  it("refuses what is none of its business", async () => {
    const hyperdrive = await start();
    expect((await ask(hyperdrive, "/nothing")).status).toBe(404);
    expect((await ask(hyperdrive, "/faults", { kind: "meteor" })).body.error).toContain("no such fault: meteor");
    expect((await ask(hyperdrive, "/clock", [])).status).toBe(400);
    const { port } = new URL(hyperdrive.controlUrl ?? "");
    const foreign = await new Promise<string>((resolve, reject) => {
      const headers = { host: "evil.example" };
      request({ port, path: "/stats", headers }, (response) => void text(response).then(resolve))
        .on("error", reject)
        .end();
    });
    expect(foreign).toContain("loopback only");
  });
});
