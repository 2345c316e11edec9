import { PGlite } from "@electric-sql/pglite";
import type { Query } from "./catalogue.ts";
import { Refusal } from "./cli.ts";
import { type Migration, readMigrations } from "./migrations.ts";
import { ownerRole, ownerSql } from "./owner.ts";

/** An empty in-memory database with the migrations applied by a non-superuser owner; close it after use. */
export async function migratedScratch(migrations: Migration[] = readMigrations()): Promise<PGlite> {
  const pglite = await PGlite.create();
  await pglite.exec(ownerSql);
  await pglite.exec(`set session authorization ${ownerRole}`);
  for (const { tag, statements, isLoose } of migrations) {
    try {
      if (!isLoose) await pglite.exec(`begin;\n${statements.join("\n;\n")}\n;commit`);
      else for (const statement of statements) await pglite.exec(statement);
    } catch (error) {
      await pglite.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Refusal(`${tag}.sql cannot be applied after the files before it: ${reason}. Mend it, then db:check.`);
    }
  }
  return pglite;
}

/** Asks a PGlite. */
export function queryOf(pglite: PGlite): Query {
  return async (sql, parameters) => (await pglite.query<Record<string, unknown>>(sql, parameters)).rows;
}
