import pg from "pg";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import type { Hyperdrive, HyperdriveOptions } from "./index.ts";
import { bind, execute, parse, q, RawClient, rowsOf, sync, typesOf } from "./testing/raw-client.ts";
import { recordsOf, statusesOf } from "./testing/seen.ts";
import { eventually, KINDS, type Kind, useSettings } from "./testing/setting.ts";

const settings = useSettings(async (setting) => {
  const hyperdrive = await setting.start();
  const owner = await setting.connect(hyperdrive.connectionString("origin", "owner"));
  await owner.query(`
    create table news (id int primary key, title text);
    grant all on news to app, other;
    create function own_volatile() returns int language sql volatile as 'select 1';`);
});

/** The cached door in front of one of the databases. */
function doorOf(kind: Kind) {
  const start = (options: Partial<HyperdriveOptions> = {}) =>
    settings[kind].start({ cache: {}, control: 0, ...options });
  const connect = (hyperdrive: Hyperdrive, config: pg.ClientConfig = {}) =>
    settings[kind].connect(hyperdrive.connectionString("cached", "app"), config);
  /** Changes a row past the cache. */
  async function writer(hyperdrive: Hyperdrive) {
    const client = await settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    return async (title: string) => {
      await client.query("insert into news values (1, $1) on conflict (id) do update set title = $1", [title]);
    };
  }
  return { start, connect, writer };
}

async function read(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query("select title from news where id = $1", [1]);
  return rows[0]?.title;
}

describe.each(KINDS)("the cached door on %s", (kind) => {
  const { start, connect, writer } = doorOf(kind);

  it("writes down of an answer the same bytes when it misses and when it hits, and of a refusal why", async () => {
    const hyperdrive = await start();
    const client = await connect(hyperdrive);
    for (let i = 0; i < 2; i++) await client.query("select $1::int as measured", [12_345]);
    await client.query("commit; -- measured");
    const [miss, hit, refused] = recordsOf(hyperdrive, "measured");
    expect([miss?.status, hit?.status, refused?.status]).toEqual(["miss", "hit", "notaquery"]);
    expect(miss?.resultBytes).toBe(hit?.resultBytes);
    expect(refused).not.toHaveProperty("isCacheable");
  });

  it("answers from the cache for 60 s, stale for 15 s more while exactly one refresh runs", async () => {
    const hyperdrive = await start();
    const write = await writer(hyperdrive);
    const [ada, eve] = [await connect(hyperdrive), await connect(hyperdrive)];
    const { clock } = hyperdrive.instruments;
    await write("old");
    expect([await read(ada), await read(eve)]).toEqual(["old", "old"]);
    await write("new");
    clock.advance(59_000);
    expect(await read(eve)).toBe("old");
    clock.advance(1500);
    const before = hyperdrive.stats.snapshot().cached.originFlights;
    expect([await read(ada), await read(ada)]).toContain("old");
    await eventually(async () => (await read(eve)) === "new");
    expect(hyperdrive.stats.snapshot().cached.originFlights).toBe(before);
    await write("newest");
    clock.advance(75_000);
    expect(await read(eve)).toBe("newest");
    expect(recordsOf(hyperdrive, "from news").some(({ reason }) => reason.startsWith("stale"))).toBe(true);
  });

  it("tells a hit from a miss, by statement, values, types, formats and user, never by comments", async () => {
    const hyperdrive = await start();
    await (await writer(hyperdrive))("x");
    const ask = async (client: pg.Client, text: string, query: object) => {
      await client.query({ text, ...query });
      return statusesOf(hyperdrive, "/*key*/").at(-1);
    };
    const [client, twin] = [await connect(hyperdrive), await connect(hyperdrive, { application_name: "twin" })];
    const other = await settings[kind].connect(hyperdrive.connectionString("cached", "other"));
    const sql = "select title, $1::text from news /*key*/";
    expect(await ask(client, sql, { values: ["a"] })).toBe("miss");
    expect(await ask(twin, sql, { values: ["a"] })).toBe("hit");
    expect(await ask(twin, `${sql} -- request 7`, { values: ["a"] })).toBe("hit");
    expect(await ask(twin, sql, { values: ["b"] })).toBe("miss");
    expect(await ask(twin, sql, { values: ["a"], binary: true })).toBe("miss");
    expect(await ask(other, sql, { values: ["a"] })).toBe("miss");
    expect(await ask(client, sql, { values: ["a"], name: "named" })).toBe("hit");
    expect(await ask(client, sql, { values: ["a"], name: "named" })).toBe("hit");
  });
});

describe.each(KINDS)("the judgement on %s", (kind) => {
  const { start, connect } = doorOf(kind);

  it("gives each query Hyperdrive's status and a reason", async () => {
    const hyperdrive = await start();
    const client = await connect(hyperdrive);
    const statusOf = async (sql: string, values?: unknown[]) => {
      await client.query(sql, values).catch(() => {});
      return hyperdrive.instruments.log.queries(null).at(-1)?.status;
    };
    expect(await statusOf("select now(), $1::int", [1])).toBe("volatile");
    expect(await statusOf("select 1 as a /* now() */, $1::int", [1])).toBe("volatile");
    expect(await statusOf("insert into news values (7, $1)", ["x"])).toBe("uncacheable");
    expect(await statusOf("select * from news where id = $1 for share", [1])).toBe("uncacheable");
    expect(await statusOf("select 1; select 2")).toBe("multiplestatements");
    expect(await statusOf("selec")).toBe("parseerror");
    expect(await statusOf("begin")).toBe("notaquery");
    expect(await statusOf("select title from news where id = $1", [2])).toBe("transaction");
    expect(await statusOf("commit")).toBe("notaquery");
    expect(await statusOf("select no_such_column from news where id = $1", [2])).toBe("miss");
    expect(await statusOf("select no_such_column from news where id = $1", [2])).toBe("miss");
    expect(await statusOf("select 1 as simple")).toBe("miss");
    expect(await statusOf("select 1 as simple")).toBe("hit");
    const direct = await settings[kind].connect(hyperdrive.connectionString("direct", "app"));
    await direct.query("select 1 as simple");
    expect(hyperdrive.instruments.log.queries(null).at(-1)).toMatchObject({ status: "disabled", door: "direct" });
    for (const record of hyperdrive.instruments.log.queries(null)) expect(record.reason).not.toBe("");
  });

  it("caches what the documentation is silent about under `paranoid` alone", async () => {
    const asked = async (profile: "paranoid" | "strict-docs") => {
      const hyperdrive = await start({ cache: { profile } });
      const client = await connect(hyperdrive);
      for (let round = 0; round < 2; round++) {
        await client.query("select 1 as plain");
        await client.query("select title from news where id = $1", [-1]);
        await client.query("select own_volatile(), $1::int", [1]);
      }
      return ["plain", "from news", "own_volatile"].map((text) => statusesOf(hyperdrive, text).at(-1));
    };
    expect(await asked("paranoid")).toEqual(["hit", "hit", "hit"]);
    expect(await asked("strict-docs")).toEqual(["uncacheable", "miss", "volatile"]);
  });

  it("does not keep what is too large, and passes it whole", async () => {
    const hyperdrive = await start({ cache: { maxResultBytes: 100_000 } });
    const client = await connect(hyperdrive);
    const sql = "select repeat('x', $1) as text from generate_series(1, 3)";
    for (const status of ["oversizedresult", "oversizedresult"]) {
      const { rows } = await client.query(sql, [50_000]);
      expect(rows.map(({ text }) => text.length)).toEqual([50_000, 50_000, 50_000]);
      expect(statusesOf(hyperdrive, "repeat").at(-1)).toBe(status);
    }
  });
});

describe.each(KINDS)("locations, pipelines and drivers on %s", (kind) => {
  const { start, connect, writer } = doorOf(kind);

  it("keeps a cache per location", async () => {
    const hyperdrive = await start({ locations: 2 });
    const write = await writer(hyperdrive);
    await write("old");
    const at = (location: number) => connect(hyperdrive, { options: `-c fairlead.location=${location}` });
    const [here, there] = [await at(0), await at(1)];
    expect(await read(here)).toBe("old");
    await write("new");
    expect([await read(here), await read(there), await read(await at(2))]).toEqual(["old", "new", "old"]);
  });

  it("judges each of several pipelined flights, and gives the answers in their order", async () => {
    const hyperdrive = await start();
    const client = await RawClient.open(hyperdrive.ports.cached);
    const flight = (n: number) => [parse("", `select ${n}::text as p`), bind(""), execute(), sync];
    const all = [flight(1), flight(2), [q("begin")], flight(1), [q("commit")], flight(2)].flat();
    for (let round = 0; round < 2; round++) {
      const answer = await client.ask(all, 6);
      expect(rowsOf(answer)).toEqual(["1", "2", "1", "2"]);
      expect(typesOf(answer)).toBe("12DCZ12DCZCZ12DCZCZ12DCZ");
    }
    // The last one is sent behind a COMMIT that has not been answered.
    const behindBegin = ["transaction", "transaction"];
    expect(statusesOf(hyperdrive, "as p")).toEqual(["miss", "miss", ...behindBegin, "hit", "hit", ...behindBegin]);
    client.socket.end();
  });

  it("never hits for postgres.js with prepare: false, and does for our driver and for prepared statements", async () => {
    const hyperdrive = await start();
    await (await writer(hyperdrive))("x");
    const url = hyperdrive.connectionString("cached", "app");
    const asSeed = postgres(url, { prepare: false, max: 1, fetch_types: false });
    for (let i = 0; i < 3; i++) await asSeed`select title as seed from news where id = ${1}`;
    for (let i = 0; i < 3; i++) await asSeed`select title as seedless from news`;
    await asSeed.end();
    expect(new Set(statusesOf(hyperdrive, "as seed"))).toEqual(new Set(["uncacheable"]));
    expect(recordsOf(hyperdrive, "as seed")[0]?.reason).toContain("prepare: false");
    const prepared = postgres(url, { max: 1, fetch_types: false });
    for (let i = 0; i < 3; i++) await prepared`select title as named from news where id = ${1}`;
    await prepared.end();
    expect(statusesOf(hyperdrive, "as named")).toEqual(["miss", "hit", "hit"]);
    const ours = new pg.Client({ connectionString: url, pipeline: true } as pg.ClientConfig);
    await ours.connect();
    for (let i = 0; i < 3; i++) await ours.query("select title as ours from news where id = $1", [1]);
    await ours.end();
    expect(statusesOf(hyperdrive, "as ours")).toEqual(["miss", "hit", "hit"]);
  });
});

describe.each(KINDS)("the shadow on %s", (kind) => {
  it("reports a private table opened to the cached role as a leak, and a public one as stale or same", async () => {
    const hyperdrive = await settings[kind].start({ cache: {}, control: 0, shadow: true });
    const owner = await settings[kind].connect(hyperdrive.connectionString("origin", "owner"));
    await owner.query(`
      create schema scratch;
      create table scratch.note (owner text, body text);
      insert into scratch.note values ('ada', 'hers'), ('eve', 'also hers');
      alter table scratch.note enable row level security;
      create policy mine on scratch.note to app using (owner = current_setting('app.user', true));
      grant usage on schema scratch to app;
      grant select on scratch.note to app;
      grant select, insert on news to app;`);
    const as = (user: string) =>
      settings[kind].connect(hyperdrive.connectionString("cached", "app"), { options: `-c app.user=${user}` });
    const [ada, eve] = [await as("ada"), await as("eve")];
    const bodies = async (client: pg.Client) =>
      (await client.query("select body from scratch.note where $1", [true])).rows.map(({ body }) => body);
    const { log } = hyperdrive.instruments;
    expect(await bodies(ada)).toEqual(["hers"]);
    expect(await bodies(ada)).toEqual(["hers"]);
    await eventually(() => log.outcomes.same === 1);
    expect(await bodies(eve)).toEqual(["hers"]);
    await eventually(() => log.outcomes.leak === 1);
    expect(log.findings).toMatchObject([{ outcome: "leak", caller: "app app.user=eve", author: "app app.user=ada" }]);
    await ada.query("select count(*) from news where id > $1", [0]);
    await owner.query("insert into news values (77, 'x')");
    await eve.query("select count(*) from news where id > $1", [0]);
    await eventually(() => log.outcomes.stale === 1);
    await owner.query("drop schema scratch cascade; delete from news where id = 77");
  });
});
