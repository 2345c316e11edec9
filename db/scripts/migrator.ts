import postgres from "postgres";
import { applyMigration, type Patience } from "./apply.ts";
import { Refusal } from "./cli.ts";
import { ensureHistory, pendingOf, readHistory, refuseDiverged } from "./history.ts";
import { alone } from "./locks.ts";
import { type Migration, readJournal, readMigrations } from "./migrations.ts";
import { migrationsFolder } from "./paths.ts";

export interface MigrateOptions extends Patience {
  /** Default `db/migrations`. */
  folder?: string;
  /** How long to wait for another migration of the same database; default 60 s. */
  waitMs?: number;
  /** Told of each file that was applied. */
  onApplied?(tag: string, seconds: number): void;
}

/**
 * Applies the pending migrations at `url`, as the schema's owner, each in a transaction of its own.
 * @returns how many were applied; 0 when the database is up to date.
 * @throws Refusal with file, statement and SQL error; the files before it stay applied.
 */
export async function migrateDatabase(url: string, options: MigrateOptions = {}): Promise<number> {
  const migrations = readMigrations(options.folder);
  return withOwner(url, async (sql) => {
    // The usual case costs one look.
    if (pendingOf(migrations, await readHistory(sql)).length === 0) return 0;
    return alone(sql, () => applyPending(sql, migrations, options), options.waitMs);
  });
}

async function applyPending(sql: postgres.Sql, migrations: Migration[], options: MigrateOptions): Promise<number> {
  await ensureHistory(sql);
  const history = await readHistory(sql);
  const pending = pendingOf(migrations, history);
  refuseDiverged(migrations, history);
  if (history.isPushed && pending.length > 0) throw new Refusal(pushedMessage);
  let applied = 0;
  for (const migration of pending) {
    const started = performance.now();
    if (!(await applyMigration(sql, migration, options))) continue;
    options.onApplied?.(migration.tag, (performance.now() - started) / 1000);
    applied++;
  }
  return applied;
}

/** Why migrations no longer fit, and the mend. */
export const pushedMessage =
  "db:push has changed this database beside the migrations, so they can't be applied to it: bun db:reset makes it anew.";

/** Names of the migrations that the database at `url` does not have yet, in order. */
export async function pendingMigrations(url: string, folder = migrationsFolder): Promise<string[]> {
  return withOwner(url, async (sql) => pendingOf(readMigrations(folder), await readHistory(sql)).map(({ tag }) => tag));
}

/** How many migrations the repository holds. */
export function migrationCount(): number {
  return readJournal().length;
}

/** Speaks with the database at `url` over one connection, which it closes. */
export async function withOwner<T>(url: string, work: (client: postgres.Sql) => Promise<T>): Promise<T> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10, max_lifetime: null });
  try {
    return await work(client);
  } finally {
    await client.end({ timeout: 5 });
  }
}
