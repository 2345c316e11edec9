import postgres from "postgres";
import { describe, expect, it } from "vitest";
import {
  bind,
  closeStatement,
  describeStatement,
  errorOf,
  execute,
  flush,
  parse,
  q,
  RawClient,
  rowsOf,
  sync,
  typesOf,
} from "./testing/raw-client.ts";
import { KINDS, useSettings } from "./testing/setting.ts";

const settings = useSettings();

describe.each(KINDS)("names of prepared statements on %s", (kind) => {
  it("keeps equal names of two clients apart", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const [one, two] = await Promise.all([RawClient.open(ports.direct), RawClient.open(ports.direct)]);
    await one.ask([parse("s", "select 'one'"), sync]);
    await two.ask([parse("s", "select 'two'"), sync]);
    expect(rowsOf(await one.ask([bind("s"), execute(), sync]))).toEqual(["one"]);
    expect(rowsOf(await two.ask([bind("s"), execute(), sync]))).toEqual(["two"]);
  });

  it("keeps unnamed statements with their client", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const [one, two] = await Promise.all([RawClient.open(ports.direct), RawClient.open(ports.direct)]);
    await one.ask([parse("", "select 'one'"), sync]);
    await two.ask([parse("", "select 'two'"), sync]);
    expect(rowsOf(await one.ask([bind(""), execute(), sync]))).toEqual(["one"]);
    const stranger = await RawClient.open(ports.direct);
    expect(errorOf(await stranger.ask([bind(""), execute(), sync]))).toMatchObject({ C: "26000" });
  });

  it("prepares anew on a session that lacks the statement", async () => {
    const { ports } = await settings[kind].start({ poolSize: 3 });
    const client = await RawClient.open(ports.direct);
    await client.ask([parse("s", "select pg_backend_pid()::text"), describeStatement("s"), sync]);
    const holders = await Promise.all([1, 2].map(() => RawClient.open(ports.direct)));
    const pids = new Set<string>();
    for (const holder of kind === "postgres" ? holders : []) {
      pids.add(rowsOf(await client.ask([bind("s"), execute(), sync]))[0] ?? "");
      await holder.ask([q("begin")]);
    }
    pids.add(rowsOf(await client.ask([bind("s"), execute(), sync]))[0] ?? "");
    expect(pids.has("")).toBe(false);
  });

  it("reports the errors a plain connection would, in the client's own names", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    await client.ask([parse("twice", "select 1"), sync]);
    expect(errorOf(await client.ask([parse("twice", "select 2"), sync]))).toMatchObject({
      C: "42P05",
      M: 'prepared statement "twice" already exists',
    });
    const missing = { C: "26000", M: 'prepared statement "missing" does not exist' };
    expect(errorOf(await client.ask([bind("missing"), execute(), sync]))).toMatchObject(missing);
    expect(errorOf(await client.ask([describeStatement("missing"), sync]))).toMatchObject(missing);
    expect(errorOf(await client.ask([describeStatement("fl_1"), sync]))).toMatchObject({ C: "26000" });
    await client.ask([parse("wants", "select $1::int"), sync]);
    expect(errorOf(await client.ask([bind("wants"), execute(), sync]))).toMatchObject({
      C: "08P01",
      M: 'bind message supplies 0 parameters, but prepared statement "wants" requires 1',
    });
    await client.ask([closeStatement("twice"), sync]);
    expect(typesOf(await client.ask([parse("twice", "select 2"), bind("twice"), execute(), sync]))).toBe("12DCZ");
  });

  it("forgets a statement whose Parse failed or was skipped", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    await client.ask([parse("bad", "selec"), parse("after", "select 1"), sync]);
    for (const name of ["bad", "after"]) {
      expect(errorOf(await client.ask([bind(name), execute(), sync]))).toMatchObject({ C: "26000" });
    }
    expect(typesOf(await client.ask([parse("bad", "select 1"), parse("after", "select 1"), sync]))).toBe("11Z");
  });

  it("lets postgres.js prepare the same text from many connections", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 2 });
    const sql = postgres(hyperdrive.connectionString("direct", "app"), { max: 10, fetch_types: false });
    const rows = await Promise.all(Array.from({ length: 100 }, (_, n) => sql`select ${n}::int as n`));
    expect(rows.map(([row]) => row?.n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    await sql.end();
  });
});

describe.each(KINDS)("statements known to the edge on %s", (kind) => {
  it("answers Parse and Describe of a known statement without the origin", async () => {
    const { ports, stats } = await settings[kind].start();
    const flight = [parse("s", "select $1::int as known"), describeStatement("s"), flush];
    const first = await RawClient.open(ports.direct);
    first.send(...flight);
    const learned = await first.until("T");
    await first.ask([sync]);
    stats.reset();
    const second = await RawClient.open(ports.direct);
    second.send(...flight);
    const answered = await second.until("T");
    expect(answered).toEqual(learned);
    expect(stats.snapshot().direct).toMatchObject({ flights: 1, originFlights: 0 });
    expect(rowsOf(await second.ask([bind("s", "7"), execute(), sync]))).toEqual(["7"]);
  });

  it("asks the origin each time when edgePrepared is off", async () => {
    const { ports, stats } = await settings[kind].start({ edgePrepared: false });
    for (const _ of [1, 2]) {
      const client = await RawClient.open(ports.direct);
      const answer = await client.ask([parse("s", "select 1"), describeStatement("s"), sync]);
      expect(typesOf(answer)).toBe("1tTZ");
    }
    expect(stats.snapshot().direct).toMatchObject({ flights: 2, originFlights: 2 });
  });

  it("notices that the columns of a known statement have changed", async () => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct);
    await client.ask([q("drop table if exists shape")]);
    await client.ask([q("create table shape (a int)")]);
    await client.ask([q("insert into shape values (1)")]);
    const prepare = [parse("s", "select * from shape"), describeStatement("s"), sync];
    const early = await RawClient.open(ports.direct);
    await early.ask(prepare);
    expect(typesOf(await early.ask([bind("s"), execute(), sync]))).toBe("2DCZ");
    await client.ask([q("alter table shape add b text")]);
    expect(errorOf(await early.ask([bind("s"), execute(), sync]))).toMatchObject({
      C: "0A000",
      R: "RevalidateCachedQuery",
    });
    const late = await RawClient.open(ports.direct);
    const described = (await late.ask(prepare)).find(({ type }) => type === "T");
    expect(described?.body.readInt16BE(0)).toBe(2);
    expect(typesOf(await late.ask([bind("s"), execute(), sync]))).toBe("2DCZ");
  });

  it("fails a transaction with a refused statement, as any error does", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.direct);
    await client.ask([q("begin")]);
    const refused = await client.ask([parse("", "listen news"), bind(""), execute(), sync]);
    expect(errorOf(refused)).toMatchObject({ C: "0A000", M: "Hyperdrive does not support LISTEN." });
    expect(refused.at(-1)?.body.toString()).toBe("E");
    expect(errorOf(await client.ask([q("select 1")]))).toMatchObject({ C: "25P02" });
    await client.ask([q("rollback")]);
  });

  it("describes what a search_path of the transaction makes of a statement", async () => {
    const { ports } = await settings[kind].start();
    const client = await RawClient.open(ports.origin);
    await client.ask([q("create schema if not exists left_side; create schema if not exists right_side")]);
    await client.ask([
      q("create table if not exists left_side.v (a int); create table if not exists right_side.v (a text, b text)"),
    ]);
    await client.ask([
      q("grant usage on schema left_side, right_side to app; grant select on left_side.v, right_side.v to app"),
    ]);
    const asking = await RawClient.open(ports.direct);
    const widths: (number | undefined)[] = [];
    for (const side of ["left_side", "right_side", "left_side"]) {
      await asking.ask([q(`begin; set local search_path to ${side}`)]);
      const answer = await asking.ask([
        parse("v", "select * from v"),
        describeStatement("v"),
        bind("v"),
        execute(),
        sync,
      ]);
      widths.push(answer.find(({ type }) => type === "T")?.body.readInt16BE(0));
      await asking.ask([closeStatement("v"), q("commit")], 1);
    }
    expect(widths).toEqual([1, 2, 1]);
  });
});
