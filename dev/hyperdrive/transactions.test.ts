import { describe, expect, it } from "vitest";
import { bind, errorOf, execute, flush, parse, q, RawClient, rowsOf, sync, typesOf } from "./testing/raw-client.ts";
import { eventually, KINDS, type Setting, sqlState, useSettings } from "./testing/setting.ts";

const settings = useSettings(async (setting) => {
  const hyperdrive = await setting.start();
  const client = await setting.connect(hyperdrive.connectionString("direct", "app"));
  await client.query("create table item (id int primary key)");
});

async function items(setting: Setting, url: string): Promise<number[]> {
  const client = await setting.connect(url);
  const { rows } = await client.query("select id from item order by id");
  await client.query("delete from item");
  return rows.map(({ id }) => id);
}

describe.each(KINDS)("a loan on %s", (kind) => {
  it("pins a client to one session until its transaction ends", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const url = hyperdrive.connectionString("direct", "app");
    const first = await settings[kind].connect(url);
    const second = await settings[kind].connect(url);
    await first.query("begin");
    await first.query("set local app.pin to 'first'");
    await first.query("insert into item values (1)");
    const order: string[] = [];
    const waiting = second.query("select current_setting('app.pin', true) as pin, count(*)::int as n from item");
    void waiting.then(() => order.push("second"));
    expect((await first.query("select current_setting('app.pin') as pin")).rows[0].pin).toBe("first");
    order.push("first");
    await first.query("commit");
    const { rows } = await waiting;
    expect(rows[0].pin || null).toBeNull();
    expect(rows[0].n).toBe(1);
    expect(order).toEqual(["first", "second"]);
    expect(await items(settings[kind], url)).toEqual([1]);
  });

  it("forgets a SET outside a transaction when the statement is over", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    await client.query("set work_mem to '1234kB'");
    await client.query("select set_config('role', 'pg_read_all_data', false)").catch(() => {});
    const { rows } = await client.query("select current_setting('work_mem') as mem, current_setting('role') as role");
    expect(rows[0].mem).not.toBe("1234kB");
    expect(rows[0].role).toBe("none");
  });

  it("leaves no temporary table, cursor, sequence value or lock to the next client", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    await client.query("create temporary table mine (id int)");
    await client.query("declare kept cursor with hold for select 1");
    await client.query("do $$ begin perform pg_advisory_lock(77); end $$");
    expect(await sqlState(client.query("select * from mine"))).toBe("42P01");
    expect(await sqlState(client.query("fetch kept"))).toBe("34000");
    const locks = await client.query("select count(*)::int as n from pg_locks where locktype = 'advisory'");
    expect(locks.rows[0].n).toBe(0);
  });

  it("finishes what a client sent before it said goodbye", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const leaving = await RawClient.open(hyperdrive.ports.direct);
    leaving.send(q("insert into item values (12)"), Buffer.from("X\0\0\0\x04", "latin1"));
    await leaving.ended();
    expect(await items(settings[kind], hyperdrive.connectionString("direct", "app"))).toEqual([12]);
  });

  it("skips to Sync after an error and goes on", async () => {
    const hyperdrive = await settings[kind].start();
    const client = await RawClient.open(hyperdrive.ports.direct);
    const bad = [parse("", "select 1/0"), bind(""), execute(), parse("x", "select 2"), bind("x"), execute(), sync];
    const good = [parse("", "select 3::text"), bind(""), execute(), sync];
    const answer = await client.ask([...bad, ...good], 2);
    expect(typesOf(answer).replace("C12", "C12")).toMatch(/^12EZ12DCZ$|^1EZ12DCZ$/);
    expect(rowsOf(answer)).toEqual(["3"]);
    expect(typesOf(await client.ask([q("begin"), q("select 1/0"), q("select 1"), q("commit")], 4))).toBe("CZEZEZCZ");
  });
});

describe.each(KINDS)("leaving on %s", (kind) => {
  it.each(["a reset", "an end"])("rolls back when a client leaves with %s inside a transaction", async (how) => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const url = hyperdrive.connectionString("direct", "app");
    const leaving = await RawClient.open(hyperdrive.ports.direct);
    await leaving.ask([q("begin")]);
    await leaving.ask([q("insert into item values (10)")]);
    if (how === "a reset") leaving.socket.resetAndDestroy();
    else leaving.socket.end();
    expect(await items(settings[kind], url)).toEqual([]);
  });

  it("rolls back what a client left without a Sync", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const leaving = await RawClient.open(hyperdrive.ports.direct);
    leaving.send(parse("", "insert into item values (11)"), bind(""), execute(), flush);
    await leaving.until("C");
    leaving.socket.destroy();
    expect(await items(settings[kind], hyperdrive.connectionString("direct", "app"))).toEqual([]);
  });

  it("rolls back what is open when it closes, and frees its ports", async () => {
    const hyperdrive = await settings[kind].start();
    const client = await RawClient.open(hyperdrive.ports.direct);
    await client.ask([q("begin")]);
    await client.ask([q("insert into item values (40)")]);
    await hyperdrive.close();
    expect(errorOf(await client.ended())).toMatchObject({ C: "57P01" });
    const again = await settings[kind].start({ ports: hyperdrive.ports });
    expect(again.ports).toEqual(hyperdrive.ports);
    expect(await items(settings[kind], again.connectionString("direct", "app"))).toEqual([]);
    await expect(settings[kind].start({ ports: { direct: again.ports.direct } })).rejects.toThrow(
      /^Port \d+ .* is taken: [^\n]*$/,
    );
  });
});

describe.each(KINDS)("waiting for a session on %s", (kind) => {
  it("waits for a session no longer than waitMs, a deadlock of its own making included", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1, waitMs: 200, control: 0 });
    const url = hyperdrive.connectionString("direct", "app");
    const holder = await settings[kind].connect(url);
    await holder.query("begin");
    await holder.query("insert into item values (20)");
    const waiter = await RawClient.open(hyperdrive.ports.direct);
    hyperdrive.instruments.log.reset();
    waiter.send(q("select 1"));
    const error = errorOf(await waiter.ended());
    expect(error).toMatchObject({ C: "58000", M: "Failed to acquire a connection from the pool." });
    expect(hyperdrive.instruments.log.traffic().direct).toMatchObject({ waits: 1 });
    await holder.query("rollback");
    expect(await items(settings[kind], url)).toEqual([]);
  });

  it("cancels a client that waits for a session, and only that statement", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const holder = await settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    await holder.query("begin");
    const waiter = await RawClient.open(hyperdrive.ports.direct);
    waiter.send(parse("", "select 1"), bind(""), execute(), sync);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const canceller = new RawClient(hyperdrive.ports.direct);
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80877102, 4);
    request.writeInt32BE(waiter.processId, 8);
    request.writeInt32BE(waiter.secret, 12);
    canceller.send(request);
    const answer = await waiter.until("Z");
    expect(typesOf(answer)).toBe("EZ");
    expect(errorOf(answer)).toMatchObject({ C: "57014" });
    await holder.query("commit");
    expect(rowsOf(await waiter.ask([q("select 'alive'")]))).toEqual(["alive"]);
  });

  it("serves the doors in turn when they share a session", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const users = await Promise.all(
      (["cached", "direct", "origin"] as const).map(async (door) => {
        const client = await settings[kind].connect(hyperdrive.connectionString(door, "other"));
        const answers = await Promise.all(Array.from({ length: 20 }, () => client.query("select current_user as who")));
        return [...new Set(answers.map(({ rows }) => rows[0].who))];
      }),
    );
    expect(users).toEqual([["other"], ["other"], [settings[kind].origin.owner]]);
  });

  it("refuses a role that does not exist before anything runs", async () => {
    const hyperdrive = await settings[kind].start();
    const client = await RawClient.open(hyperdrive.ports.direct, "nobody");
    client.send(q("insert into item values (30)"));
    expect(errorOf(await client.ended())?.S).toBe("FATAL");
    expect(await items(settings[kind], hyperdrive.connectionString("direct", "app"))).toEqual([]);
  });
});

describe.each(KINDS)("counting on %s", (kind) => {
  it("counts flights and statements, startup apart", async () => {
    const hyperdrive = await settings[kind].start();
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"), {
      application_name: "request 1",
    });
    await client.query("select $1::int", [1]);
    await client.query("begin");
    await client.query("commit");
    const counts = hyperdrive.stats.perRequest("request 1").direct;
    expect(counts).toEqual({ opened: 1, open: 1, flights: 3, originFlights: 3, statements: 3 });
    expect(hyperdrive.stats.perRequest("request 2").direct.flights).toBe(0);
    await client.end();
    await eventually(() => hyperdrive.stats.snapshot().direct.open === 0);
    hyperdrive.stats.reset();
    expect(hyperdrive.stats.snapshot().direct).toEqual({
      opened: 0,
      open: 0,
      flights: 0,
      originFlights: 0,
      statements: 0,
    });
  });
});
