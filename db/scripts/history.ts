import type postgres from "postgres";
import { Refusal } from "./cli.ts";
import type { Migration } from "./migrations.ts";

/** A row of `drizzle.__drizzle_migrations`. */
export interface Applied {
  when: number;
  hash: string;
}

/** What a database has of the migrations. */
export interface History {
  applied: Applied[];
  /** Whether `db:push` changed it beside the migrations. */
  isPushed: boolean;
}

/** What the database records; nothing when it was never migrated. */
export async function readHistory(sql: postgres.Sql | postgres.TransactionSql): Promise<History> {
  const [there] = await sql`
    select to_regclass('drizzle.__drizzle_migrations') is not null as migrated,
      to_regclass('drizzle.pushed') is not null as pushed`;
  if (!there?.migrated) return { applied: [], isPushed: Boolean(there?.pushed) };
  const rows = await sql`
    select created_at::float8 as when, hash from drizzle.__drizzle_migrations order by created_at`;
  return {
    applied: rows.map(({ when, hash }) => ({ when: Number(when), hash: String(hash) })),
    isPushed: Boolean(there.pushed),
  };
}

/** The migrations that a database with this history does not have yet, in order. */
export function pendingOf(migrations: Migration[], { applied }: History): Migration[] {
  const known = new Set(applied.map(({ when }) => when));
  return migrations.filter(({ when }) => !known.has(when));
}

/** How the history contradicts the files, one line each; nothing when it is a beginning of them. */
export function contradictions(migrations: Migration[], history: History): string[] {
  const byWhen = new Map(migrations.map((migration) => [migration.when, migration]));
  const newest = Math.max(0, ...history.applied.map(({ when }) => when));
  return [
    ...history.applied.flatMap(({ when, hash }) => {
      const migration = byWhen.get(when);
      if (!migration) return [`the database has a migration of ${new Date(when).toISOString()} that is not here`];
      return migration.hash === hash ? [] : [`${migration.tag}.sql was edited after it was applied`];
    }),
    ...pendingOf(migrations, history)
      .filter(({ when }) => when < newest)
      .map(({ tag }) => `${tag}.sql is older than what the database has: generate it again`),
  ];
}

/** @throws Refusal when applying the pending migrations could not give what their author saw. */
export function refuseDiverged(migrations: Migration[], history: History): void {
  const [first] = contradictions(migrations, history);
  const pending = pendingOf(migrations, history);
  if (first && pending.length > 0) {
    throw new Refusal(`${pending.length} to apply, but ${first}. See docs/troubleshooting.md, "Migrations clash".`);
  }
}

/** Makes the table that Drizzle's own migrator would make. */
export async function ensureHistory(sql: postgres.Sql): Promise<void> {
  await sql`create schema if not exists drizzle`;
  await sql`
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`;
}

/** Records a migration as applied. */
export async function record(
  sql: postgres.Sql | postgres.TransactionSql,
  { hash, when }: Pick<Migration, "hash" | "when">,
): Promise<void> {
  await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`;
}
