import { setTimeout as wait } from "node:timers/promises";
import type postgres from "postgres";
import { describeSqlError, Refusal } from "./cli.ts";
import { record } from "./history.ts";
import { describeHolders, dropInvalidIndex } from "./locks.ts";
import { type Migration, withoutComments } from "./migrations.ts";

/** How patient a migration is. */
export interface Patience {
  /** How long a statement may wait for a lock; whoever comes after it waits that long too. Default 4 s. */
  lockTimeoutMs?: number;
  /** How often it is tried in all when a lock is taken; default 5. */
  attempts?: number;
  /** Pause before the second attempt, doubled before each further one; default 1 s. */
  pauseMs?: number;
  /** How long a statement in a transaction may run, locks and all; default 60 s. One outside may take an hour. */
  statementTimeoutMs?: number;
}

const looseTimeoutMs = 3_600_000;

/** What a statement failed of. */
class StatementFailure extends Error {
  override name = "StatementFailure";
  readonly index: number;
  override readonly cause: Error;

  constructor(index: number, cause: Error) {
    super(cause.message);
    this.index = index;
    this.cause = cause;
  }
}

/**
 * Applies one migration and records it, with bounded waits for locks.
 * @returns false when somebody else has applied it meanwhile.
 * @throws Refusal with file, statement and SQL error; a migration in a transaction has then changed nothing.
 */
export async function applyMigration(sql: postgres.Sql, migration: Migration, patience: Patience): Promise<boolean> {
  const { attempts = 5, pauseMs = 1000 } = patience;
  for (let attempt = 1; ; attempt++) {
    try {
      return await (migration.isLoose ? runLoose : runWhole)(sql, migration, patience);
    } catch (error) {
      if (!(error instanceof StatementFailure)) throw error;
      if (!isLockTaken(error.cause) || attempt === attempts) throw await refusalOf(sql, migration, [error, attempt]);
      await wait(pauseMs * 2 ** (attempt - 1));
    }
  }
}

async function runWhole(sql: postgres.Sql, migration: Migration, patience: Patience): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx.unsafe(`
      set local statement_timeout = ${patience.statementTimeoutMs ?? 60_000};
      set local idle_in_transaction_session_timeout = 60000`);
    if (await isApplied(tx, migration)) return false;
    await tx.unsafe(`set local lock_timeout = ${patience.lockTimeoutMs ?? 4000}`);
    await runStatements(migration, (statement) => tx.unsafe(statement));
    await record(tx, migration);
    return true;
  });
}

/** One by one. What a cut left behind is finished: each statement bears being run twice. */
async function runLoose(sql: postgres.Sql, migration: Migration, patience: Patience): Promise<boolean> {
  await sql.unsafe(`set statement_timeout = ${looseTimeoutMs}`);
  await sql.unsafe(`set lock_timeout = ${patience.lockTimeoutMs ?? 4000}`);
  try {
    await runStatements(migration, async (statement) => {
      await dropInvalidIndex(sql, withoutComments(statement));
      await sql.unsafe(statement);
    });
  } finally {
    await sql.unsafe("reset statement_timeout");
    await sql.unsafe("reset lock_timeout");
  }
  return sql.begin(async (tx) => {
    if (await isApplied(tx, migration)) return false;
    await record(tx, migration);
    return true;
  });
}

async function runStatements({ statements }: Migration, run: (statement: string) => Promise<unknown>): Promise<void> {
  for (const [index, statement] of statements.entries()) {
    if (!withoutComments(statement)) continue;
    try {
      await run(statement);
    } catch (error) {
      throw error instanceof Error && "severity" in error ? new StatementFailure(index, error) : error;
    }
  }
}

/**
 * Looks under a lock that holds back whoever would record the same: on PGlite, where all clients share one session, an
 * advisory lock holds nobody back.
 */
async function isApplied(tx: postgres.TransactionSql, { when }: Migration): Promise<boolean> {
  await tx`lock table drizzle.__drizzle_migrations in share row exclusive mode`;
  return (await tx`select from drizzle.__drizzle_migrations where created_at = ${when}`).length > 0;
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

function isLockTaken(error: Error): boolean {
  return ["55P03", "40P01"].includes(codeOf(error));
}

async function refusalOf(
  sql: postgres.Sql,
  migration: Migration,
  [{ index, cause }, attempts]: [StatementFailure, number],
): Promise<Refusal> {
  const statement = withoutComments(migration.statements[index] ?? "");
  const place = `${migration.tag}.sql, statement ${index + 1} of ${migration.statements.length}:`;
  const shown = statement.length > 600 ? `${statement.slice(0, 600)} …` : statement;
  const state = migration.isLoose
    ? "Its earlier statements hold; the next db:migrate goes on from here."
    : "Nothing of this file was applied.";
  const reason = isLockTaken(cause)
    ? `A lock was taken, ${attempts} times in a row.${await describeHolders(sql, statement)} Nobody waits behind it now; try again when that transaction is over.`
    : `${describeSqlError(cause)} (${codeOf(cause)})`;
  return new Refusal([place, shown.replaceAll(/^/gm, "  "), reason, state].join("\n"));
}
