import { setTimeout as wait } from "node:timers/promises";
import type postgres from "postgres";
import { Refusal } from "./cli.ts";

/** Any number will do, as long as every db:migrate has the same. */
const lockKey = 7_243_991_011;

/**
 * Runs `work` while no other db:migrate runs on this database; waits for another one up to `waitMs`.
 * @throws Refusal when the other one is not done by then.
 */
export async function alone<T>(sql: postgres.Sql, work: () => Promise<T>, waitMs = 60_000): Promise<T> {
  const started = Date.now();
  // Asked again and again: a statement that waits would hold up CREATE INDEX CONCURRENTLY of the other one.
  while (!(await isTaken(sql))) {
    if (Date.now() - started > waitMs) {
      throw new Refusal(
        "Another db:migrate is running on this database: nothing was changed; try again when it is done.",
      );
    }
    await wait(Math.min(500, waitMs));
  }
  try {
    return await work();
  } finally {
    await sql`select pg_advisory_unlock(${lockKey}::bigint)`.catch(() => {});
  }
}

async function isTaken(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql`select pg_try_advisory_lock(${lockKey}::bigint) as taken`;
  return row?.taken === true;
}

const holdersSql = `
  select l.pid, a.usename as role, l.mode, c.relname as relation
  from pg_locks l
  join pg_class c on c.oid = l.relation
  join pg_database d on d.oid = l.database and d.datname = current_database()
  left join pg_stat_activity a on a.pid = l.pid
  where l.granted and l.pid <> pg_backend_pid() and c.relnamespace <> 'pg_catalog'::regnamespace and c.relkind in ('r', 'p')
  order by l.pid, c.relname`;

/** Who holds locks on the tables that a statement names, as a sentence with a space before it; "" when nobody does. */
export async function describeHolders(sql: postgres.Sql, statement: string): Promise<string> {
  const rows = await sql.unsafe(holdersSql);
  const named = rows.filter(({ relation }) => new RegExp(`\\b${String(relation)}\\b`).test(statement));
  const held = named.map(({ pid, role, mode, relation }) => `process ${pid} (${role}) has ${mode} on ${relation}`);
  return held.length > 0 ? ` ${[...new Set(held)].slice(0, 5).join("; ")}.` : "";
}

/** Drops the invalid index that a cut `create index concurrently` has left behind under the name of this one. */
export async function dropInvalidIndex(sql: postgres.Sql, statement: string): Promise<void> {
  const name = statement.match(/^create (?:unique )?index concurrently if not exists ("[^"]+"|\w+)/i)?.[1];
  if (!name) return;
  const invalid = await sql`select from pg_index where indexrelid = to_regclass(${name}) and not indisvalid`;
  if (invalid.length > 0) await sql.unsafe(`drop index concurrently if exists ${name}`);
}
