import { loadModule } from "libpg-query";
import { describe, expect, it } from "vitest";
import { plainTables } from "./sql/plain-reads.ts";
import { heldBytes } from "./testing/memory.ts";
import {
  bind,
  copyFail,
  describeStatement,
  errorOf,
  execute,
  parse,
  q,
  RawClient,
  rowsOf,
  startupPacket,
  sync,
  typesOf,
} from "./testing/raw-client.ts";
import { eventually, KINDS, openSetting, useSettings } from "./testing/setting.ts";
import { createClock } from "./watch/clock.ts";
import { Observer } from "./watch/observer.ts";
import { QueryLog } from "./watch/query-log.ts";
import { CLIENT, frame, int16, int32 } from "./wire/protocol.ts";

const settings = useSettings(async (setting) => {
  const owner = await setting.connect((await setting.start()).connectionString("origin", "owner"));
  await owner.query(`
    create table copied (a text); grant all on copied to app;
    create schema narrow; create table narrow.v (a int); insert into narrow.v values (1);
    create schema wide; create table wide.v (a text, b text);
    grant usage on schema narrow, wide to app; grant select on narrow.v, wide.v to app;`);
});

describe.each(KINDS)("a COPY on %s", (kind) => {
  it.each([
    ["behind a constant in two pieces", "select E'a'\n'\\''; copy copied from stdin", ""],
    ["behind an escaped quote", "select '\\''; copy copied from stdin", "-c standard_conforming_strings=off"],
  ])("hidden %s stops nobody else", async (_, sql, options) => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct, "app", options === "" ? {} : { options });
    client.send(q(sql), copyFail("no data"));
    expect(errorOf(await client.until("Z"))?.C).toMatch(/^(?:57014|08P01)$/);
    const next = await RawClient.open(ports.direct);
    expect(rowsOf(await next.ask([q("select 'served'")]))).toEqual(["served"]);
  });
});

describe("a plain read", () => {
  it("is none whose constants end elsewhere where a backslash escapes", async () => {
    await loadModule();
    expect(plainTables("select a from t where b = ' and b = '")).toEqual(['"t"']);
    expect(plainTables("select a from t where b = 'x\\' and b = ' union select leak() --'")).toBeNull();
  });
});

/** What a client is told of a statement, in columns, and what it gets when it runs it. */
async function prepareAndRun(client: RawClient, sql: string) {
  const told = await client.ask([parse("s", sql), describeStatement("s"), sync]);
  const got = await client.ask([bind("s"), execute(), sync]);
  const width = (answer: typeof told, type: string) =>
    answer.find((message) => message.type === type)?.body.readInt16BE(0);
  return { told: width(told, "T"), got: width(got, "D"), types: typesOf(got) };
}

describe.each(KINDS)("a shared statement on %s", (kind) => {
  it.each([
    ["described", [describeStatement("s"), sync]],
    ["run", [bind("s"), execute(), sync]],
  ])("%s under another search_path stays the others' as it was", async (_, messages) => {
    const { ports } = await settings[kind].start({ poolSize: 2 });
    const options = { options: "-c search_path=narrow" };
    const open = () => RawClient.open(ports.direct, "app", options);
    const [first, second] = [await open(), await open()];
    await first.ask([parse("s", "select * from v"), sync]);
    if (kind === "postgres") await second.ask([q("begin")]);
    await first.ask([q("begin; set local search_path to wide")]);
    await first.ask(messages);
    await first.ask([q("rollback")]);
    if (kind === "postgres") await second.ask([q("rollback")]);
    const others = await Promise.all([open(), open(), open()]);
    for (const other of others) {
      expect(await prepareAndRun(other, "select * from v")).toEqual({ told: 1, got: 1, types: "2DCZ" });
    }
    // Both sessions at once.
    await others[0]?.ask([q("begin")]);
    if (kind === "postgres") expect(typesOf((await others[1]?.ask([bind("s"), execute(), sync])) ?? [])).toBe("2DCZ");
    await others[0]?.ask([bind("s"), execute(), sync]);
  });

  it("is described anew once a tool that stays has changed its table", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const tool = await RawClient.open(ports.origin, "owner");
    for (const sql of [
      "create table reshaped (a int)",
      "insert into reshaped values (1)",
      "grant all on reshaped to app",
    ])
      await tool.ask([q(sql)]);
    const ask = async () => prepareAndRun(await RawClient.open(ports.direct), "select * from reshaped");
    expect(await ask()).toEqual({ told: 1, got: 1, types: "2DCZ" });
    await tool.ask([q("alter table reshaped add b text")]);
    expect(await ask()).toEqual({ told: 2, got: 2, types: "2DCZ" });
    await tool.ask([q("drop table reshaped")]);
  });
});

describe.each(KINDS)("an answer in the cache on %s", (kind) => {
  const owner = async (ports: { origin: number }, ...statements: string[]) => {
    const client = await RawClient.open(ports.origin, "owner");
    for (const sql of statements) await client.ask([q(sql)]);
    client.socket.end();
  };

  it("is none for a client that was told of other columns", async () => {
    const { ports, instruments } = await settings[kind].start({ cache: {} });
    await owner(ports, "create table grown (a int)", "insert into grown values (1)", "grant all on grown to app");
    const sql = "select * from grown";
    const [early, late] = await Promise.all([RawClient.open(ports.cached), RawClient.open(ports.cached)]);
    const narrow = { told: 1, got: 1, types: "2DCZ" };
    expect([await prepareAndRun(early, sql), await prepareAndRun(await RawClient.open(ports.cached), sql)]).toEqual([
      narrow,
      narrow,
    ]);
    expect(instruments.log.statuses.get("hit")).toBe(1);
    await owner(ports, "alter table grown add b text");
    const wide = { told: 2, got: 2, types: "2DCZ" };
    expect([await prepareAndRun(late, sql), await prepareAndRun(await RawClient.open(ports.cached), sql)]).toEqual([
      wide,
      wide,
    ]);
    expect(instruments.log.statuses.get("hit")).toBe(2);
    expect(errorOf(await early.ask([bind("s"), execute(), sync]))).toMatchObject({ C: "0A000" });
    await owner(ports, "drop table grown");
  });

  it("is refreshed again when a refresh found no row, which strict-docs does not keep", async () => {
    const { ports, instruments } = await settings[kind].start({ cache: { profile: "strict-docs" } });
    await owner(ports, "create table emptied (a int)", "insert into emptied values (1)", "grant all on emptied to app");
    const client = await RawClient.open(ports.cached);
    const ask = async () => rowsOf(await client.ask([parse("", "select a from emptied"), bind(""), execute(), sync]));
    expect(await ask()).toEqual(["1"]);
    await owner(ports, "delete from emptied");
    instruments.clock.advance(61_000);
    expect(await ask()).toEqual(["1"]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await owner(ports, "insert into emptied values (2)");
    await eventually(async () => (await ask())[0] === "2");
    await owner(ports, "drop table emptied");
  });
});

describe.each(KINDS)("a startup setting on %s", (kind) => {
  const start = () => settings[kind].start({ poolSize: 1 });

  it("that the origin no longer grants ends its client before it has run anything", async () => {
    const { ports } = await start();
    const tool = await RawClient.open(ports.origin, "owner");
    await tool.ask([q("create role lent")]);
    await tool.ask([q("grant lent to app")]);
    const client = await RawClient.open(ports.direct, "app", { options: "-c role=lent" });
    for (let i = 0; i < 2; i++) expect(rowsOf(await client.ask([q("select current_user")]))).toEqual(["lent"]);
    await tool.ask([q("revoke lent from app")]);
    client.send(q("select 'ran as ' || current_user"));
    const answer = await client.ended();
    expect(rowsOf(answer)).toEqual([]);
    expect(errorOf(answer)).toMatchObject({ S: "FATAL" });
    await tool.ask([q("drop role lent")]);
  });

  it("is what it says where a backslash escapes, which its client is told", async () => {
    const { ports } = await start();
    const client = new RawClient(ports.direct);
    const options = "-c standard_conforming_strings=off -c app.path=c:\\\\new";
    client.send(startupPacket({ user: "app", database: "postgres", options }));
    const reported = (await client.until("Z")).map(({ body }) => body.toString());
    expect(reported).toContain("standard_conforming_strings\0off\0");
    client.messages.length = 0;
    for (let i = 0; i < 2; i++)
      expect(rowsOf(await client.ask([q("select current_setting('app.path')")]))).toEqual(["c:\\new"]);
    client.socket.destroy();
  });

  it("is waited for no longer than a statement", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1, statementMs: 300, control: 0 });
    const open = () => RawClient.open(hyperdrive.ports.direct, "app", { options: "-c app.own=1" });
    await (await open()).ask([q("select 1")]);
    const client = await open();
    // The first one's session is as new, and free.
    await new Promise((resolve) => setTimeout(resolve, 100));
    hyperdrive.instruments.faults.arm({ kind: "half-open", seconds: kind === "pglite" ? 2 : 300 });
    client.send(q("select 1"));
    expect(errorOf(await client.ended())?.C).toMatch(/^(?:08006|58000)$/);
  });
});

describe.each(KINDS)("who waits on %s", (kind) => {
  it("for a function call hears that it was cancelled, to the end", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const [holder, client] = [await RawClient.open(ports.direct), await RawClient.open(ports.direct)];
    await holder.ask([q("begin")]);
    client.send(frame(CLIENT.functionCall, int32(2892), int16(0), int16(0), int16(0)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const key = Buffer.concat([int32(client.processId), int32(client.secret)]);
    new RawClient(ports.direct).send(Buffer.concat([int32(16), int32(80877102), key]));
    expect(typesOf(await client.until("Z"))).toBe("EZ");
    await holder.ask([q("commit")]);
    client.messages.length = 0;
    expect(rowsOf(await client.ask([q("select 'next'")]))).toEqual(["next"]);
  });
});

describe("a refresh", () => {
  it("that waits for a lock gives its session back as a statement does", async () => {
    const setting = settings.postgres;
    const { ports, instruments } = await setting.start({ cache: {}, poolSize: 1, statementMs: 300 });
    const [client, superuser] = [await RawClient.open(ports.cached), await setting.connect(setting.url)];
    await client.ask([q("select * from copied")]);
    instruments.clock.advance(61_000);
    await superuser.query("begin; lock copied");
    expect(typesOf(await client.ask([q("select * from copied")]))).toBe("TCZ");
    // Else the wait for a session would end in 58000.
    expect(rowsOf(await client.ask([q("select 'other'")]))).toEqual(["other"]);
    await superuser.query("rollback");
  });
});

describe.each(KINDS)("a leg that takes time on %s", (kind) => {
  it("carries a large answer in one trip", async () => {
    const { ports } = await settings[kind].start({ latency: { clientEdgeMs: 200 } });
    const client = await RawClient.open(ports.direct);
    const started = performance.now();
    const rows = rowsOf(await client.ask([q("select repeat('x', 1000) || n from generate_series(1, 10000) n")]));
    expect(performance.now() - started).toBeLessThan(5000);
    expect(rows.map((row) => row.slice(1000))).toEqual(Array.from({ length: 10_000 }, (_, n) => String(n + 1)));
  });
});

describe.each(KINDS)("what is counted and told on %s", (kind) => {
  it("strikes statements that hold a text beyond ASCII", async () => {
    const { ports, instruments } = await settings[kind].start({ control: 0 });
    instruments.faults.arm({ kind: "40001", match: "Zürich" });
    const client = await RawClient.open(ports.direct);
    expect(errorOf(await client.ask([q("select 'Zürich'")]))).toMatchObject({ C: "40001" });
  });

  it("counts an open connection by the name that it carries", async () => {
    const { ports, stats } = await settings[kind].start();
    const named = (application_name: string) => RawClient.open(ports.direct, "app", { application_name });
    const [first, second] = [await named("before"), await named("after")];
    const open = () => ["before", "after"].map((name) => stats.perRequest(name).direct.open);
    await first.ask([q("set application_name to 'after'")]);
    expect(open()).toEqual(kind === "pglite" ? [1, 1] : [0, 2]);
    first.socket.end();
    await eventually(() => stats.snapshot().direct.open === 1);
    expect(open()).toEqual([0, 1]);
    second.socket.end();
    await eventually(() => stats.snapshot().direct.open === 0);
    expect(open()).toEqual([0, 0]);
  });
});

describe("the clock", () => {
  it("moves no further than time goes", () => {
    const clock = createClock(() => 1000);
    expect(() => clock.advance(1e308)).toThrow(RangeError);
    clock.advance(1e15);
    clock.advance(5e15, "d");
    expect(() => clock.advance(5e15, "d")).toThrow(RangeError);
    expect([clock.now(), clock.now("d")]).toEqual([1e15 + 1000, 6e15 + 1000]);
  });
});

describe("the observer", () => {
  it("remembers nothing of a long text but what the log keeps", async () => {
    const log = new QueryLog();
    const observer = new Observer(log, createClock(), { request: "", door: "direct", user: "app" });
    const held = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return heldBytes();
    };
    const before = await held();
    const start = "select 'é";
    const record = () => {
      const long = Buffer.concat([Buffer.from(start), Buffer.alloc(50_000_000, "x")]).toString("latin1");
      observer.record(long, { status: "disabled", reason: "" });
    };
    record();
    expect(log.queries(null)[0]?.sql).toBe(`${start}${"x".repeat(2000 - start.length)}…`);
    expect((await held()) - before).toBeLessThan(10_000_000);
    expect(observer.request).toBe("");
  });
});

describe("a PGlite that has broken down", () => {
  it("is reported at once, to all", async () => {
    const setting = await openSetting("pglite");
    const { ports } = await setting.start();
    const open = (more: Record<string, string> = {}) => RawClient.open(ports.direct, "app", more);
    await (await open()).ask([q("select 1")]);
    const started = performance.now();
    // It has no conversion from there.
    const breaker = await open({ client_encoding: "SJIS" });
    breaker.send(q("select 1"));
    expect(errorOf(await breaker.ended())).toMatchObject({ C: "08006" });
    for (let i = 0; i < 2; i++) {
      const next = await open();
      next.send(q("select 1"));
      const told = { C: "58000", M: "Server connection attempt failed: pglite_broken_down" };
      expect(errorOf(await next.ended())).toMatchObject(told);
    }
    expect(performance.now() - started).toBeLessThan(5000);
    // It can no longer be closed.
    await setting.tidy();
  });
});

describe.each(KINDS)("an own function on %s", (kind) => {
  it("makes none of Postgres' that has its name count for immutable", async () => {
    const hyperdrive = await settings[kind].start({ cache: {} });
    const tool = await RawClient.open(hyperdrive.ports.origin, "owner");
    await tool.ask([q("create function to_char(boolean) returns text immutable language sql return 'own'")]);
    const client = await RawClient.open(hyperdrive.ports.cached);
    await client.ask([q("select to_char(timestamptz '2026-01-01 00:00+00', 'HH24')")]);
    expect(hyperdrive.instruments.log.queries(null)).toMatchObject([
      { status: "volatile", reason: "Postgres marks to_char() as stable" },
    ]);
    await tool.ask([q("drop function to_char(boolean)")]);
  });
});

describe.each(KINDS)("what a tool has prepared on %s", (kind) => {
  it("is refused at a pooled door all the same", async () => {
    const { ports } = await settings[kind].start();
    const tool = await RawClient.open(ports.origin, settings[kind].origin.owner);
    expect(typesOf(await tool.ask([parse("s", "listen tool"), sync]))).toBe("1Z");
    const client = await RawClient.open(ports.direct, settings[kind].origin.owner);
    expect(errorOf(await client.ask([parse("s", "listen tool"), sync]))).toMatchObject({ C: "0A000" });
  });
});
