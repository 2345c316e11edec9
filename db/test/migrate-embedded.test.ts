import { startEmbedded } from "@repo/dev/embedded";
import { asked } from "@repo/dev/test/servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase } from "../scripts/migrate.ts";
import { looseMark } from "../scripts/migrations.ts";
import { chainOf } from "./chain.ts";

let embedded: Awaited<ReturnType<typeof startEmbedded>>;

beforeAll(async () => {
  embedded = await startEmbedded({});
}, 60_000);
afterAll(() => embedded.close());

test("on the embedded database, whose clients share one session, two at once run nothing twice", async () => {
  const folder = chainOf({
    table: ["create table counted (at timestamptz)"],
    rows: ["insert into counted values (now())", "select pg_sleep(0.3)"],
    index: [looseMark, "create index concurrently if not exists counted_at_idx on counted (at)"],
    last: ["insert into counted values (now())", "set local lock_timeout = 1"],
  });
  const applied = await Promise.all([1, 2].map(() => migrateDatabase(embedded.owner, { folder })));
  expect(Math.max(...applied)).toBeGreaterThan(0);
  await asked(embedded.owner, async (sql) => {
    expect(await sql`select count(*)::int as n from counted`).toEqual([{ n: 2 }]);
    expect(await sql`select count(*)::int as n from drizzle.__drizzle_migrations`).toEqual([{ n: 4 }]);
    expect(await sql`select indisvalid from pg_index where indexrelid = 'counted_at_idx'::regclass`).toEqual([
      { indisvalid: true },
    ]);
    expect(await sql`show lock_timeout`).toEqual([{ lock_timeout: "0" }]);
  });
});

test("a failing third statement leaves it as it was", async () => {
  const folder = chainOf({
    table: ["create table counted (at timestamptz)"],
    rows: ["select 1"],
    index: ["select 1"],
    last: ["select 1"],
    bad: ["create table half (id int)", "insert into half values (1)", "select 1 / 0"],
  });
  await expect(migrateDatabase(embedded.owner, { folder })).rejects.toThrow(/edited after it was applied/);
  await asked(embedded.owner, (sql) => sql`drop schema drizzle cascade`);
  await asked(embedded.owner, (sql) => sql`drop table counted`);
  await expect(migrateDatabase(embedded.owner, { folder })).rejects.toThrow(
    /statement 3 of 3:[\s\S]*division by zero \(22012\)/,
  );
  expect(await asked(embedded.owner, (sql) => sql`select to_regclass('half') as half`)).toEqual([{ half: null }]);
});
