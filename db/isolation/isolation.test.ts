import { is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import * as schema from "../schema/index.ts";
import { checkTable } from "./suite/check.ts";
import { strayReferences } from "./suite/foreign-keys.ts";
import { isolations } from "./suite/isolations.ts";
import { fill, quoted, type Stored, tableName } from "./suite/rows.ts";
import { openScratch } from "./suite/scratch.ts";
import type { Sql } from "./suite/sql.ts";
import { north, userOf } from "./suite/world.ts";

let sql: Sql;
let close: () => Promise<void>;
let stored: Stored;

beforeAll(async () => {
  ({ sql, close } = await openScratch(inject("kind")));
  stored = await fill(sql, isolations);
}, 60_000);
afterAll(() => close());

const names = isolations.map(({ table }) => tableName(table));
const of = (name: string) => {
  const found = isolations.find(({ table }) => tableName(table) === name);
  if (!found) throw new Error(`${name} is not declared`);
  return found;
};

test("every table of the database is declared", async () => {
  const tables = Object.values<unknown>(schema).filter((value): value is PgTable => is(value, PgTable));
  const undeclared = tables.map(tableName).filter((name) => !names.includes(name));
  expect(undeclared, "write db/isolation/<domain>.ts for").toEqual([]);
  const there = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'";
  const { rows } = await sql.ask(there);
  expect(rows.map(({ relname }) => relname).sort()).toEqual(names.toSorted());
  expect((await sql.ask(`${there} and not (relrowsecurity and relforcerowsecurity)`)).rows).toEqual([]);
});

test("the identity tables, and no others, show app_direct more than the public", () => {
  const more = isolations.filter(
    ({ access: { grants } }) => JSON.stringify(grants.app_direct) !== JSON.stringify(grants.app_cached),
  );
  expect(more.map(({ table }) => tableName(table)).sort()).toEqual([
    "identity",
    "passkey",
    "rate_limit",
    "session",
    "two_factor",
    "user",
    "verification",
  ]);
});

test.each(names)("%s: every role and verb reaches the rows that are declared, and no others", async (name) => {
  expect(await checkTable({ sql, stored }, of(name))).toEqual([]);
});

test("no foreign key can be pointed at another tenant's row", async () => {
  const { tried, found } = await strayReferences(sql, isolations);
  expect(found).toEqual([]);
  expect(tried).toBeGreaterThan(100);
  // Thousands of statements, one after the other.
}, 180_000);

describe.each([
  { kind: "organization", id: north, statement: `delete from organization where id = '${north}'` },
  { kind: "user", id: userOf("ada"), statement: `delete from "user" where id = '${userOf("ada")}'` },
] as const)("deleting a $kind for good", ({ kind, id, statement }) => {
  test.each(names)("takes of %s what is declared, row by row", async (name) => {
    const {
      owner,
      rows,
      goes = (row) => owner?.[kind] !== undefined && row[owner[kind]] === id,
    } = of(name).declaration;
    await sql.run(`savepoint deletion; ${statement}`);
    const left = await sql.ask(`select to_jsonb(t) as row from ${quoted(name)} t`);
    await sql.run("rollback to savepoint deletion");
    const due = rows.filter((row) => !goes(row, { kind, id })).map((row) => stored.get(row) ?? {});
    // Whoever sent an invitation is forgotten, the invitation is not.
    const lines = (values: object[]) =>
      values.map((row) => JSON.stringify(row).replace(`"inviter_id":"${id}"`, '"inviter_id":null')).sort();
    expect(lines(left.rows.map(({ row }) => row as object))).toEqual(lines(due));
  });
});
