import { startPostgres } from "@repo/dev/postgres";
import postgres from "postgres";
import { migrateDatabase } from "../../scripts/migrate.ts";
import { migratedScratch } from "../../scripts/scratch.ts";
import { overPglite, overPostgres, prepare, type Sql } from "./sql.ts";

/** A migrated database with nobody else in it, inside a transaction: PGlite, or Postgres 17. */
export async function openScratch(kind: string): Promise<{ sql: Sql; close(): Promise<void> }> {
  return kind === "postgres" ? onPostgres() : onPglite();
}

async function onPglite() {
  const pglite = await migratedScratch();
  const sql = overPglite(pglite);
  await prepare(sql);
  return { sql, close: () => pglite.close() };
}

async function onPostgres() {
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  const client = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  const sql = overPostgres(client);
  await prepare(sql);
  return {
    sql,
    async close() {
      await client.end({ timeout: 5 });
      await server.stop();
    },
  };
}
