import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type postgres from "postgres";
import * as schema from "../schema/index.ts";
import { confirm, runCommand } from "./cli.ts";
import { destroys } from "./destructive.ts";
import { readTarget } from "./env.ts";
import { accessChanges, readAccess } from "./grants.ts";
import { migrateDatabase, withOwner } from "./migrator.ts";
import { migrationsFolder } from "./paths.ts";
import { generatedSql, newestSnapshot, schemaSnapshot, snapshotPath } from "./schema-changes.ts";

const usage = `bun db:push [--force]

Brings the local database to what db/schema says, grants and row-level security included, without a migration: for trying
things out. Asks before it drops anything. Refused for staging and prod. The database is beside the migrations then: when
you are done, bun db:generate and bun db:reset.
  --force  does not ask`;

/**
 * SQL that brings the database at `url` from what was last pushed, or from its migrations, to the schema; grants are
 * not in it.
 */
async function pushedChanges(sql: postgres.Sql, now: object): Promise<string[]> {
  const pushed = await readPushed(sql);
  const before = pushed ?? newestSnapshot();
  if (before && isDeepStrictEqual(withoutIds(now), withoutIds(before))) return [];
  const text = generatedSql(migrationsFolder, {
    asks: true,
    prepare(folder) {
      const newest = newestSnapshot(folder);
      if (!newest || !pushed) return;
      const { id, prevId } = { id: "", prevId: "", ...newest };
      writeFileSync(join(folder, snapshotPath(folder)), JSON.stringify({ ...pushed, id, prevId }));
    },
  });
  return text.split("--> statement-breakpoint").flatMap((statement) => statement.trim() || []);
}

function withoutIds(snapshot: object): object {
  return { ...snapshot, id: "", prevId: "" };
}

async function readPushed(sql: postgres.Sql): Promise<object | undefined> {
  const [there] = await sql`select to_regclass('drizzle.pushed') is not null as pushed`;
  if (!there?.pushed) return undefined;
  const [row] = await sql`select snapshot::text from drizzle.pushed`;
  return row && JSON.parse(String(row.snapshot));
}

/** All or nothing: the statements, the grants that are missing then, and what was pushed. Returns the grants. */
async function apply(sql: postgres.Sql, statements: string[], now: object): Promise<string[]> {
  return sql.begin(async (tx) => {
    for (const statement of statements) await tx.unsafe(statement);
    const state = await readAccess((text, parameters) =>
      tx.unsafe(text, parameters as postgres.ParameterOrJSON<never>[]),
    );
    const access = accessChanges(state, schema);
    for (const statement of access) await tx.unsafe(statement);
    if (statements.length + access.length === 0) return [];
    await tx`create table if not exists drizzle.pushed (snapshot json not null)`;
    await tx`delete from drizzle.pushed`;
    await tx`insert into drizzle.pushed values (${JSON.stringify(now)}::text::json)`;
    return access;
  });
}

async function run(force: boolean): Promise<void> {
  const target = readTarget({ localOnly: "db:push" });
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    console.log(`${target.environment}: ${database.description}`);
    await withOwner(database.owner, async (sql) => {
      const isPushed = (await readPushed(sql)) !== undefined;
      const migrated = isPushed ? 0 : await migrateDatabase(database.owner);
      if (migrated > 0) console.log(`applied ${migrated} migrations first`);
      const now = await schemaSnapshot();
      const statements = await pushedChanges(sql, now);
      for (const statement of statements) console.log(statement);
      const lost = statements.filter(destroys);
      if (lost.length > 0 && !force) await confirm(`${lost.length} of them take something away. Go on?`, "--force");
      const access = await apply(sql, statements, now);
      for (const statement of access) console.log(statement);
      console.log(statements.length + access.length === 0 ? "nothing to push" : "pushed");
    });
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { force: { type: "boolean", default: false } },
    run: ({ force }) => run(force),
  });
}
