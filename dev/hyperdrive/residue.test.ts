import type pg from "pg";
import { describe, expect, it } from "vitest";
import type { Hyperdrive } from "./index.ts";
import { bind, execute, q, RawClient, rowsOf, sync, typesOf } from "./testing/raw-client.ts";
import { eventually, KINDS, type Kind, type Setting, sqlState, useSettings } from "./testing/setting.ts";
import { CLIENT, frame, int16, int32, text } from "./wire/protocol.ts";

const LEAK = "perform set_config('app.leak', 'x', false); perform set_config('search_path', 'evil', false);";
const settings = useSettings(async (setting) => {
  const client = await app(setting, await setting.start());
  await client.query(`
    create function leak() returns int language plpgsql as $$ begin ${LEAK} return 1; end $$;
    create function same(int, boolean) returns boolean language plpgsql as $$ begin ${LEAK} return true; end $$;
    create function positive(int) returns boolean language plpgsql immutable as $$ begin ${LEAK} return true; end $$;
    create sequence numbers;
    create table plain (id int primary key, name text);
    insert into plain select n, 'name ' || n from generate_series(1, 10) n;
  `);
});

const app = (setting: Setting, hyperdrive: Hyperdrive, options: pg.ClientConfig = {}) =>
  setting.connect(hyperdrive.connectionString("direct", "app"), options);

const function_ = (name: string, body: string) =>
  `create function ${name} returns int language plpgsql as $$ begin ${body} return 1; end $$`;

/** Each leaves something in its session: what makes it possible, and the statement that does it. */
const tricks: Record<string, { setup?: string; sql: string; values?: unknown[] }> = {
  "a setting": { sql: "select set_config('app.leak', 'x', false)" },
  "a setting, for the transaction": { sql: "set local app.leak = 'x'" },
  "a search_path": { sql: "set search_path = evil" },
  "a role": { sql: "set role app" },
  "a function": { sql: "select leak()" },
  "a view": { setup: "create view a_view as select leak() as id", sql: "select id from a_view" },
  "a function in the notation of a column": {
    setup: `create function noisy(plain) returns int language plpgsql as $$ begin ${LEAK} return 1; end $$`,
    sql: "select plain.noisy from plain",
  },
  "an operator": {
    setup: "create table judged (id int); insert into judged values (1)",
    sql: "select id from judged where id = true",
  },
  "a domain": {
    setup: "create domain checked as int check (positive(value)); create table of_domain (id checked)",
    sql: "select id from of_domain where id = $1",
    values: [1],
  },
  "a policy": {
    setup: `create table guarded (id int); insert into guarded values (1);
      alter table guarded enable row level security; alter table guarded force row level security;
      create policy p on guarded using (leak() = 1)`,
    sql: "select id from guarded",
  },
  "a trigger": {
    setup: `create table watched (id int);
      create function on_insert() returns trigger language plpgsql as $$ begin ${LEAK} return new; end $$;
      create trigger t before insert on watched for each row execute function on_insert()`,
    sql: "insert into watched values (1)",
  },
  "a default": { setup: "create table filled (id int default leak())", sql: "insert into filled default values" },
  "a rule": {
    setup: "create table ruled (id int); create rule r as on insert to ruled do also select leak()",
    sql: "insert into ruled values (1)",
  },
  "a check": {
    setup: "create table tested (id int check (positive(id)))",
    sql: "insert into tested values (1)",
  },
  "an index": {
    setup: "create table indexed (id int); create index on indexed (positive(id)); insert into indexed values (1)",
    sql: "insert into indexed values (2)",
  },
  "a WITH that calls": { sql: "with w as (select leak() as id) select id from w" },
  "a temporary table": {
    setup: function_("make_table()", "create temporary table if not exists plain (id int);"),
    sql: "select make_table()",
  },
  "a cursor": {
    setup: function_(
      "make_cursor()",
      "if not exists (select from pg_cursors) then execute 'declare kept cursor with hold for select 1'; end if;",
    ),
    sql: "select make_cursor()",
  },
  "an advisory lock": {
    setup: function_("make_lock()", "perform pg_advisory_lock(99);"),
    sql: "select make_lock()",
  },
  "a prepared name": {
    setup: function_(
      "make_name()",
      "if not exists (select from pg_prepared_statements where name = 'mine') then execute 'prepare mine as select 1'; end if;",
    ),
    sql: "select make_name()",
  },
  "a sequence's value": { setup: function_("make_value()", "perform nextval('numbers');"), sql: "select make_value()" },
};

const PATHS = { pglite: "public", postgres: '"$user", public' } as const;
/** All that one loan could leave to the next. */
const STATE = `select coalesce(current_setting('app.leak', true), '') as setting, current_setting('search_path') as path,
  current_user as who, current_setting('role') as role,
  (select count(*)::int from pg_cursors where name <> '') as cursors,
  (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
  (select count(*)::int from pg_prepared_statements where name !~ '^fl_' and name <> '') as names,
  (select count(*)::int from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()) as tables`;
const CLEAN = {
  setting: "",
  who: "app",
  role: "none",
  cursors: 0,
  locks: 0,
  names: 0,
  tables: 0,
};

async function expectClean(client: pg.Client, kind: Kind): Promise<void> {
  expect((await client.query(STATE)).rows).toEqual([{ ...CLEAN, path: PATHS[kind] }]);
  expect(await sqlState(client.query("select lastval()"))).toBe("55000");
  expect((await client.query("select name from plain where id = 1")).rows).toEqual([{ name: "name 1" }]);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a statement as drivers do with those they use often, so long that a proof of it would have been found. */
async function repeat(client: pg.Client, sql: string, values: unknown[] = []): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await client.query({ name: "again", text: sql, values });
    await pause(20);
  }
}

/** A Parse that declares its parameter to be of this type. */
const parseTyped = (name: string, sql: string, type: number) =>
  frame(CLIENT.parse, text(name), text(sql), int16(1), int32(type));

describe.each(KINDS)("on %s nobody meets what was left by", (kind) => {
  it.each(Object.keys(tricks))("%s", async (name) => {
    const { setup, sql, values = [] } = tricks[name] ?? { sql: "" };
    const setting = settings[kind];
    const hyperdrive = await setting.start({ poolSize: 1 });
    const first = await app(setting, hyperdrive);
    if (setup !== undefined) await first.query(setup);
    if (name === "an operator") {
      await first.query("create operator = (leftarg = int, rightarg = boolean, function = same)");
    }
    try {
      await repeat(first, sql, values);
      await expectClean(first, kind);
      await repeat(first, sql, values);
      await expectClean(await app(setting, hyperdrive), kind);
    } finally {
      if (name === "an operator") await first.query("drop operator = (int, boolean)");
    }
  });

  it("the declared type of a parameter", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const first = await app(settings[kind], hyperdrive);
    const { rows } = await first
      .query("create domain declared as int check (positive(value)); select 'declared'::regtype::oid::int as oid")
      .then((results) => [results].flat().at(-1) ?? { rows: [] });
    const raw = await RawClient.open(hyperdrive.ports.direct);
    await raw.ask([parseTyped("typed", "select id from public.plain where id = $1", rows[0].oid), sync]);
    for (let i = 0; i < 4; i++) {
      expect(typesOf(await raw.ask([bind("typed", "1"), execute(), sync]))).toBe("2DCZ");
      await pause(20);
    }
    expect(rowsOf(await raw.ask([q("select current_setting('search_path')")]))).toEqual([PATHS[kind]]);
    await expectClean(first, kind);
  });

  it("a startup setting, which its client has again", async () => {
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const first = await app(settings[kind], hyperdrive, { options: "-c app.leak=mine" });
    const second = await app(settings[kind], hyperdrive);
    for (let i = 0; i < 3; i++) {
      await repeat(first, "select name from plain where id = 1");
      expect((await first.query("select current_setting('app.leak') as own")).rows).toEqual([{ own: "mine" }]);
      await repeat(first, "select name from plain where id = 1");
      await expectClean(second, kind);
    }
  });
});

describe("a plain read", () => {
  const kind: Kind = "postgres";
  const READ = "select name from plain where id = $1";

  /** What each session ran last; a reset would be it. */
  async function lastQueries(client: pg.Client): Promise<string[]> {
    const { rows } = await client.query(
      "select query from pg_stat_activity where usename = 'app' and backend_type = 'client backend' order by backend_start",
    );
    return rows.map(({ query }) => query);
  }

  /** A client whose session was not reset after its last loan. */
  async function keeper(hyperdrive: Hyperdrive, owner: pg.Client, sql = READ): Promise<pg.Client> {
    const client = await app(settings[kind], hyperdrive);
    await eventually(async () => {
      await client.query({ name: "read", text: sql, values: [2] });
      return (await lastQueries(owner)).includes(sql);
    });
    return client;
  }

  const superuser = () => settings[kind].connect(settings[kind].url);

  it("leaves its client the session as it is, and everybody else a new one", async () => {
    const owner = await superuser();
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    const first = await keeper(hyperdrive, owner);
    await expectClean(await app(settings[kind], hyperdrive), kind);
    expect(await lastQueries(owner)).not.toContain(READ);
    expect((await first.query({ name: "read", text: READ, values: [3] })).rows).toEqual([{ name: "name 3" }]);
  });

  it("gives the session back for good after a while, and when its client leaves", async () => {
    const owner = await superuser();
    const hyperdrive = await settings[kind].start();
    const first = await keeper(hyperdrive, owner);
    await eventually(async () => !(await lastQueries(owner)).includes(READ));
    await keeper(hyperdrive, owner);
    await first.end();
  });

  it.each([
    ["a view", "create view evil_plain as select 1 as id, 'e' || leak() as name"],
    ["a table with a policy", "create table evil_plain (id int, name text)"],
  ])("that has become one of %s harms nobody else, and itself no more than a second", async (_, replacement) => {
    const owner = await superuser();
    const hyperdrive = await settings[kind].start({ poolSize: 1 });
    await owner.query("create table swapped (id int, name text); insert into swapped values (2, 'two')");
    await owner.query("grant select on swapped to app");
    const sql = "select name from swapped where id = $1";
    const first = await keeper(hyperdrive, owner, sql);
    // Behind the edge's back, while the proof still holds.
    await owner.query(`begin; drop table swapped; ${replacement}; alter table evil_plain rename to swapped;
      grant select on swapped to app; ${replacement.startsWith("create table") ? POLICY : ""} commit`);
    await first.query({ name: "read", text: sql, values: [1] });
    await expectClean(await app(settings[kind], hyperdrive), kind);
    await first.query({ name: "read", text: sql, values: [1] });
    await pause(1300);
    await first.query({ name: "read", text: sql, values: [1] });
    await pause(50);
    await expectClean(first, kind);
    await owner.query(replacement.startsWith("create view") ? "drop view swapped" : "drop table swapped");
  });
});

const POLICY = `insert into swapped values (1, 'x'); alter table swapped enable row level security;
  create policy p on swapped to app using (leak() = 1);`;
