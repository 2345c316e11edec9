import { run, runToEnd } from "@repo/dev/test/programs";
import { asked, startServer, type TestServer } from "@repo/dev/test/servers";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase, pendingMigrations } from "../scripts/migrate.ts";
import { looseMark } from "../scripts/migrations.ts";
import { chainOf } from "./chain.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

const migrate = ["db/scripts/migrate.ts"];
const tablesOf = (url: string) =>
  asked(url, async (sql) => {
    const rows =
      await sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') order by 1`;
    return rows.map((row) => String(row.relname));
  });
const recorded = (url: string) =>
  asked(url, async (sql) => (await sql`select count(*)::int as n from drizzle.__drizzle_migrations`)[0]?.n);

test("--dry-run shows what is to come and changes nothing, not even the record", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({ one: ["create table one (id int)"], two: ["create table two (id int)"] });
  const { code, output } = await runToEnd([...migrate, "--dry-run", "--folder", folder], { DATABASE_URL: url });
  expect(output).toMatch(/\n {2}20260101000000_one\n {2}20260101000001_two\n2 to apply; nothing was changed\n$/);
  expect(code).toBe(0);
  expect(await tablesOf(url)).toEqual([]);
  expect(await pendingMigrations(url, folder)).toHaveLength(2);
});

test("prod asks: without an answer nothing happens; --yes goes ahead", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({ one: ["create table one (id int)"] });
  const prod = { DATABASE_URL: url, ENVIRONMENT: "prod" };
  const refused = await runToEnd([...migrate, "--folder", folder], prod);
  expect(refused.output).toMatch(/\nApply 1 to prod\? Nobody is here to answer: add --yes\.\n$/);
  expect(refused.code).toBe(1);
  expect(await tablesOf(url)).toEqual([]);
  expect((await runToEnd([...migrate, "--yes", "--folder", folder], prod)).code).toBe(0);
  expect(await tablesOf(url)).toEqual(["one"]);
});

test("a failing third statement leaves the catalogue as it was, and names file, statement and SQL error", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({
    good: ["create table good (id int)"],
    bad: [
      "create table half (id int)",
      "alter table good add column more int",
      "insert into good (nothing) values (1)",
    ],
    never: ["create table never (id int)"],
  });
  const { code, output } = await runToEnd([...migrate, "--folder", folder], { DATABASE_URL: url });
  expect(code).toBe(1);
  expect(output).toContain("20260101000001_bad.sql, statement 3 of 3:\n  insert into good (nothing) values (1)\n");
  expect(output).toContain('The database says: column "nothing" of relation "good" does not exist (42703)');
  expect(output).toContain("Nothing of this file was applied.");
  expect(output).not.toContain("fairlead@");
  expect(await tablesOf(url)).toEqual(["good"]);
  expect(
    await asked(url, (sql) => sql`select * from information_schema.columns where table_name = 'good'`),
  ).toHaveLength(1);
  expect(await recorded(url)).toBe(1);
});

test("of three at once nothing runs twice, and all end well", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({
    table: ["create table counted (at timestamptz)", "select pg_sleep(1)"],
    rows: ["insert into counted values (now())", "select pg_sleep(0.5)"],
  });
  const runs = await Promise.all(
    [1, 2, 3].map(() => runToEnd([...migrate, "--folder", folder], { DATABASE_URL: url })),
  );
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await asked(url, (sql) => sql`select count(*)::int as n from counted`)).toEqual([{ n: 1 }]);
  expect(await recorded(url)).toBe(2);
});

test("one that would wait too long for another leaves", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({ slow: ["select pg_sleep(2)"] });
  const first = migrateDatabase(url, { folder });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await expect(migrateDatabase(url, { folder, waitMs: 200 })).rejects.toThrow(/^Another db:migrate is running/);
  expect(await first).toBe(1);
});

test("a lock that somebody holds ends in a message that names them, and nobody waits behind it", async () => {
  const url = await server.newDatabase();
  await asked(url, (sql) => sql`create table busy (id int)`);
  const folder = chainOf({ blocked: ["create table before (id int)", "alter table busy add column more int"] });
  const holder = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await holder.unsafe("begin; select * from busy");
    const attempt = migrateDatabase(url, { folder, lockTimeoutMs: 300, attempts: 3, pauseMs: 50 });
    await expect(attempt).rejects.toThrow(
      /_blocked\.sql, statement 2 of 2:\n {2}alter table busy add column more int\nA lock was taken, 3 times in a row\. process \d+ \(fairlead_owner\) has AccessShareLock on busy\. Nobody waits behind it now/,
    );
    const started = performance.now();
    await asked(url, (sql) => sql`select * from busy`);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await tablesOf(url)).toEqual(["busy"]);
    // Let go while it is being tried again, it goes through.
    const second = migrateDatabase(url, { folder, lockTimeoutMs: 300, attempts: 5, pauseMs: 200 });
    setTimeout(() => void holder.unsafe("commit").execute(), 500);
    expect(await second).toBe(1);
  } finally {
    await holder.end();
  }
});

test("a statement waits 4 s for a lock, so that who comes after it waits no longer", async () => {
  const url = await server.newDatabase();
  await asked(url, (sql) => sql`create table busy (id int)`);
  const folder = chainOf({ blocked: ["alter table busy add column more int"] });
  const holder = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await holder.unsafe("begin; select * from busy");
    const attempt = migrateDatabase(url, { folder, attempts: 1 }).catch(String);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const started = performance.now();
    await asked(url, (sql) => sql`select * from busy`);
    expect(performance.now() - started).toBeGreaterThan(1500);
    expect(performance.now() - started).toBeLessThan(4500);
    expect(await attempt).toContain("A lock was taken");
  } finally {
    await holder.end();
  }
});

test("a statement that runs too long is ended", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({ endless: ["create table early (id int)", "select pg_sleep(60)"] });
  const attempt = migrateDatabase(url, { folder, statementTimeoutMs: 300 });
  await expect(attempt).rejects.toThrow(/statement 2 of 2:[\s\S]*statement timeout \(57014\)/);
  expect(await tablesOf(url)).toEqual([]);
});

const index = 'create index concurrently if not exists "big_value_idx" on big (value)';

test("CREATE INDEX CONCURRENTLY runs in a file that says it can't be in a transaction", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({ table: ["create table big (value int)"], index: [`${looseMark}\n${index}`] });
  expect(await migrateDatabase(url, { folder })).toBe(2);
  expect(await tablesOf(url)).toEqual(["big", "big_value_idx"]);
  const unmarked = chainOf({ index: [index] });
  await expect(migrateDatabase(url, { folder: unmarked })).rejects.toThrow(/CONCURRENTLY can't run in a transaction/);
  const unrepeatable = chainOf({ index: [looseMark, "create index concurrently big_other_idx on big (value)"] });
  await expect(migrateDatabase(url, { folder: unrepeatable })).rejects.toThrow(/statement 2: .* could not run again/);
});

test("an index that a failed build left invalid is dropped and built again", async () => {
  const url = await server.newDatabase();
  const folder = chainOf({
    table: ["create table big (value int)", "insert into big values (1), (1)"],
    index: [looseMark, 'create unique index concurrently if not exists "big_value_idx" on big (value)'],
  });
  await expect(migrateDatabase(url, { folder })).rejects.toThrow(
    /could not create unique index[\s\S]*Its earlier statements hold/,
  );
  const valid = () =>
    asked(
      url,
      async (sql) => (await sql`select indisvalid from pg_index where indexrelid = 'big_value_idx'::regclass`)[0],
    );
  expect(await valid()).toEqual({ indisvalid: false });
  await asked(url, (sql) => sql`delete from big where ctid = (select min(ctid) from big)`);
  expect(await migrateDatabase(url, { folder })).toBe(1);
  expect(await valid()).toEqual({ indisvalid: true });
});

test("killed at any point, the next run completes", async () => {
  const slow = Array.from({ length: 4 }, (_, n) => [`create table slow_${n} (id int)`, "select pg_sleep(0.1)"]).flat();
  const folder = chainOf({
    whole: slow,
    big: ["create table big (value int)", "insert into big select generate_series(1, 400000)"],
    loose: [looseMark, index, "create index concurrently if not exists big_more_idx on big (value, (value + 1))"],
    last: ["create table last (id int)"],
  });
  const interrupted = async (afterMs: number) => {
    const url = await server.newDatabase();
    const program = run([...migrate, "--folder", folder], { DATABASE_URL: url });
    await program.says(/_last\n/);
    const started = performance.now();
    const killer = setTimeout(() => program.child.kill("SIGKILL"), afterMs);
    const signal = await program.ended;
    clearTimeout(killer);
    return { url, cut: signal === "SIGKILL", ms: performance.now() - started };
  };
  let { ms: whole } = await interrupted(2 ** 30);
  for (let point = 0; point < 8; ) {
    const { url, cut, ms } = await interrupted((point / 8) * whole);
    if (cut) point++;
    // It was over before the blow: this machine is quicker now.
    else whole = Math.min(ms, whole * 0.9);
    const { code, output } = await runToEnd([...migrate, "--folder", folder], { DATABASE_URL: url });
    expect(output).toMatch(/applied|up to date/);
    expect(code).toBe(0);
    expect(await tablesOf(url)).toEqual([
      "big",
      "big_more_idx",
      "big_value_idx",
      "last",
      "slow_0",
      "slow_1",
      "slow_2",
      "slow_3",
    ]);
    expect(await asked(url, (sql) => sql`select from pg_index where not indisvalid`)).toHaveLength(0);
    expect(await recorded(url)).toBe(4);
  }
}, 180_000);
