import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as schema from "../schema/index.ts";
import { accessChanges, readAccess } from "./grants.ts";
import { migrationsFolder } from "./paths.ts";
import { schemaChanges } from "./schema-changes.ts";
import { migratedScratch, queryOf } from "./scratch.ts";

let scratch: PGlite;

beforeAll(async () => {
  scratch = await migratedScratch();
}, 60_000);
afterAll(() => scratch.close());

/** What is missing after `sql`, which is then taken back. */
async function changesAfter(sql: string): Promise<string[]> {
  await scratch.exec(`begin; ${sql}`);
  try {
    return accessChanges(await readAccess(queryOf(scratch)), schema);
  } finally {
    await scratch.exec("rollback");
  }
}

test("the migrations grant what access() declares, and force row-level security", async () => {
  expect(accessChanges(await readAccess(queryOf(scratch)), schema)).toEqual([]);
});

test("a right too few is granted again, column by column", async () => {
  expect(await changesAfter('revoke select, delete on "user" from admin')).toEqual([
    'GRANT SELECT, DELETE ON "user" TO "admin";',
  ]);
  expect(await changesAfter('revoke select (slug, name) on "resume" from app_cached')).toEqual([
    'GRANT SELECT ("slug", "name") ON "resume" TO "app_cached";',
  ]);
});

test("a right too many is revoked", async () => {
  expect(await changesAfter('grant select (data) on "resume" to app_cached; grant insert on "user" to admin')).toEqual([
    'REVOKE SELECT ("data") ON "resume" FROM "app_cached";',
    'REVOKE INSERT ON "user" FROM "admin";',
  ]);
});

test("row-level security that is not forced is forced", async () => {
  expect(await changesAfter('alter table "session" no force row level security')).toEqual([
    'ALTER TABLE "session" FORCE ROW LEVEL SECURITY;',
  ]);
});

test("the migrations make the schema's tables, indexes and policies", async () => {
  expect(await schemaChanges()).toBe("");
}, 60_000);

test("what the migrations lack is shown as SQL", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-migrations-"));
  try {
    cpSync(migrationsFolder, folder, { recursive: true });
    const newest = readdirSync(join(folder, "meta"))
      .filter((file) => file.endsWith("_snapshot.json"))
      .sort()
      .at(-1);
    const path = join(folder, "meta", String(newest));
    const snapshot = JSON.parse(readFileSync(path, "utf8"));
    delete snapshot.tables["public.session"].indexes.session_user_idx;
    writeFileSync(path, JSON.stringify(snapshot));
    expect((await schemaChanges(folder)).trim()).toBe(
      'CREATE INDEX "session_user_idx" ON "session" USING btree ("user_id");',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
