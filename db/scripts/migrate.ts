import { readMigrationFiles } from "drizzle-orm/migrator";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { migrationsFolder } from "./paths.ts";

/**
 * Applies the pending migrations at `url`, as the schema's owner, all in one transaction.
 * @returns how many were applied; 0 when the database is up to date.
 */
export async function migrateDatabase(url: string): Promise<number> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    const before = await appliedCount(client);
    await migrate(drizzle(client), { migrationsFolder });
    return (await appliedCount(client)) - before;
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** How many migrations the repository holds. */
export function migrationCount(): number {
  return readMigrationFiles({ migrationsFolder }).length;
}

async function appliedCount(client: postgres.Sql): Promise<number> {
  const [table] = await client`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!table?.there) return 0;
  const [row] = await client`select count(*)::int as applied from drizzle.__drizzle_migrations`;
  return row?.applied ?? 0;
}
