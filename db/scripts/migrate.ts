import { readFileSync } from "node:fs";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { confirm, runCommand } from "./cli.ts";
import { readTarget } from "./env.ts";
import { migrationsFolder } from "./paths.ts";

const usage = `bun db:migrate[:staging|:prod] [--yes]

Applies the migrations that the database does not have yet, all of them or none. Asks first in prod.
  --yes  asks nothing`;

interface JournalEntry {
  when: number;
  tag: string;
}

/**
 * Applies the pending migrations at `url`, as the schema's owner, all in one transaction.
 * @returns how many were applied; 0 when the database is up to date.
 */
export async function migrateDatabase(url: string): Promise<number> {
  return withOwner(url, async (client) => {
    const pending = await findPending(client);
    if (pending.length > 0) await migrate(drizzle(client), { migrationsFolder });
    return pending.length;
  });
}

/** Names of the migrations that the database at `url` does not have yet, in order. */
export async function pendingMigrations(url: string): Promise<string[]> {
  return withOwner(url, findPending);
}

/** How many migrations the repository holds. */
export function migrationCount(): number {
  return journal().length;
}

function journal(): JournalEntry[] {
  return JSON.parse(readFileSync(join(migrationsFolder, "meta/_journal.json"), "utf8")).entries;
}

async function withOwner<T>(url: string, work: (client: postgres.Sql) => Promise<T>): Promise<T> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await work(client);
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** As Drizzle sees it: whatever is newer than the newest that was applied. */
async function findPending(client: postgres.Sql): Promise<string[]> {
  const [table] = await client`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  const rows = table?.there
    ? await client`select max(created_at)::float8 as newest from drizzle.__drizzle_migrations`
    : [];
  const newest = Number(rows[0]?.newest ?? 0);
  return journal().flatMap(({ when, tag }) => (when > newest ? [tag] : []));
}

async function run(yes: boolean): Promise<void> {
  const target = readTarget();
  const { openDatabase } = await import("@repo/dev/database");
  const database = await openDatabase(target);
  try {
    console.log(`${target.environment}: ${database.description}`);
    const pending = await pendingMigrations(database.owner);
    if (pending.length === 0) return console.log("up to date");
    for (const name of pending) console.log(`  ${name}`);
    if (target.environment === "prod" && !yes) await confirm(`Apply ${pending.length} to prod?`);
    console.log(`applied ${await migrateDatabase(database.owner)}`);
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  await runCommand({
    usage,
    options: { yes: { type: "boolean", default: false } },
    run: ({ yes }) => run(yes),
  });
}
