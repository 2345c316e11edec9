import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asked, startServer, type TestServer } from "@repo/dev/test/servers";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Catalogue, compareCatalogues, type Query, readCatalogue } from "../scripts/catalogue.ts";
import { expectedOf } from "../scripts/expected.ts";
import { readMigrations } from "../scripts/migrations.ts";
import { migrateDatabase } from "../scripts/migrator.ts";
import { migrationsFolder } from "../scripts/paths.ts";
import { migratedScratch, queryOf } from "../scripts/scratch.ts";
import { fillTables } from "./rows.ts";

let server: TestServer;
const migrations = readMigrations();

beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

const over =
  (sql: postgres.Sql): Query =>
  (text, parameters) =>
    sql.unsafe(text, parameters as postgres.ParameterOrJSON<never>[]);
const catalogueAt = (url: string) => asked(url, (sql) => readCatalogue(over(sql)));
const freshCache = () => mkdtempSync(join(tmpdir(), "fairlead-catalogue-"));

/** db/migrations up to and with the one at `last`. */
function beginningOf(last: number): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-beginning-"));
  cpSync(migrationsFolder, folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, last + 1) }));
  return folder;
}

async function countsOf(query: Query): Promise<Record<string, number>> {
  const tables = await query(
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    [],
  );
  const counts: Record<string, number> = {};
  for (const { relname } of tables) {
    const [row] = await query(`select count(*)::int as n from "${String(relname)}"`, []);
    counts[String(relname)] = Number(row?.n);
  }
  return counts;
}

/** Every table that is still there has lost nothing. */
function expectKept(after: Record<string, number>, before: Record<string, number>): void {
  const kept = Object.entries(before).filter(([table]) => table in after);
  expect(kept.map(([table]) => [table, after[table]])).toEqual(kept);
}

test("the catalogue sees whatever one could forget", async () => {
  const { catalogue } = await expectedOf(migrations, freshCache());
  expect(catalogue).toMatchObject({
    "table resume": "owner: the owner, row-level security enabled and forced",
    "column resume.slug": "text not null",
    "column resume.id": 'text collate "C" not null',
    "index session.session_user_idx": "CREATE INDEX session_user_idx ON public.session USING btree (user_id)",
    "grant to app_cached on resume.slug": "SELECT",
    "grant to app_direct on user": "DELETE, INSERT, SELECT, UPDATE",
    "grant to app_direct on function auth.resolve_caller(token text, organization text)": "EXECUTE",
    "role app_cached": "",
    "member app_direct of service": "set",
    "member the owner of auth_resolver": "set inherit",
  });
  expect(catalogue["policy resume.resume_public_policy"]).toMatch(
    /^permissive select to app_cached, app_direct using /,
  );
  expect(catalogue["function auth.resolve_caller(token text, organization text)"]).toMatch(/^owner: auth_resolver\n/);
  expect(Object.keys(catalogue).length).toBeGreaterThan(200);
}, 60_000);

test("from nothing, PGlite and Postgres 17 come to the same catalogue", async () => {
  const url = await server.newDatabase();
  await migrateDatabase(url);
  const { catalogue } = await expectedOf(migrations, freshCache());
  expect(compareCatalogues(await catalogueAt(url), catalogue)).toEqual([]);
}, 60_000);

test("from every earlier migration with data in it, Postgres comes to that catalogue and keeps the rows", async () => {
  const { catalogue } = await expectedOf(migrations);
  for (let last = 0; last < migrations.length - 1; last++) {
    const url = await server.newDatabase();
    await migrateDatabase(url, { folder: beginningOf(last) });
    const before = await asked(url, async (sql) => {
      await fillTables(over(sql), 1);
      return countsOf(over(sql));
    });
    expect(await migrateDatabase(url)).toBe(migrations.length - 1 - last);
    expectKept(await asked(url, (sql) => countsOf(over(sql))), before);
    expect(compareCatalogues(await catalogueAt(url), catalogue)).toEqual([]);
  }
}, 300_000);

test("one by one with more data at each, PGlite comes to that catalogue and keeps the rows", async () => {
  const pglite = await migratedScratch([]);
  try {
    const query = queryOf(pglite);
    let counts: Record<string, number> = {};
    for (const [index, { statements, isLoose }] of migrations.entries()) {
      if (isLoose) for (const statement of statements) await pglite.exec(statement);
      else await pglite.exec(`begin;\n${statements.join("\n;\n")}\n;commit`);
      const after = await countsOf(query);
      expectKept(after, counts);
      const filled = await fillTables(query, index + 1);
      counts = await countsOf(query);
      expect(Object.keys(counts).sort()).toEqual(filled.sort());
      expect(Object.values(counts).every((count) => count > 0)).toBe(true);
    }
    const found: Catalogue = await readCatalogue(query);
    expect(compareCatalogues(found, (await expectedOf(migrations)).catalogue)).toEqual([]);
  } finally {
    await pglite.close();
  }
}, 120_000);
