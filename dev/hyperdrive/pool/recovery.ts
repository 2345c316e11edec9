import type { Origin } from "../origins/origin.ts";
import type { WireError } from "../wire/errors.ts";
import { writeTarget } from "../wire/messages.ts";
import { CLIENT, frame, int16, int32, query, STATUS } from "../wire/protocol.ts";
import type { Expectation } from "./expectation.ts";

export type Resets = Pick<Origin, "resetSql" | "discardSql">;

/** The session that is to be as new. */
export interface Used {
  readonly statements: Map<string, unknown>;
  readonly status: number;
  readonly outstanding: number;
  readonly isUnsynced: boolean;
  copyIn: boolean;
  send(message: Buffer, expectation: Expectation | null): void;
  flush(): void;
  run(sql: string, capture?: Buffer[]): Promise<WireError | null>;
}

const NOWHERE = writeTarget(CLIENT.describe, "statement", "fl_none");
/** pg_advisory_unlock_all() by its fixed oid: a function call spares Postgres half of what a reset costs. */
const UNLOCK_ALL = frame(CLIENT.functionCall, int32(2892), int16(0), int16(0), int16(0));
/** A function may have prepared statements, too, or deallocated ours. */
const findNames = (ours: number) =>
  `SELECT FROM pg_catalog.pg_prepared_statements HAVING bool_or(from_sql) OR count(*) <> ${ours}`;
const FOUND = "SELECT 1\0";
const SYNC = frame(CLIENT.sync);
const STATEMENTS_KEPT = 200;

/** Leaves whatever transaction there may be, without committing an implicit one as a bare Sync would. */
export function abort(session: Used): void {
  const mayBeOpen = session.status !== STATUS.idle || session.outstanding > 0 || session.isUnsynced;
  // A COPY may begin among what is outstanding; elsewhere Postgres ignores this.
  if (session.copyIn || session.outstanding > 0) session.send(frame(CLIENT.copyFail, "the client is gone\0"), null);
  session.copyIn = false;
  if (session.isUnsynced) {
    session.send(NOWHERE, { kind: "describe", internal: true });
    session.send(SYNC, { kind: "sync", internal: true });
  }
  if (mayBeOpen) session.send(query("ROLLBACK"), { kind: "query", internal: true });
}

/** Closes the prepared statements that have not been used for longest, down to a bound. */
export function evict(session: Used): void {
  const { statements } = session;
  if (statements.size <= STATEMENTS_KEPT) return;
  for (const name of statements.keys()) {
    if (statements.size <= STATEMENTS_KEPT) break;
    statements.delete(name);
    session.send(writeTarget(CLIENT.close, "statement", name), { kind: "close", internal: true });
  }
  session.send(SYNC, { kind: "sync", internal: true });
}

/**
 * Clears settings, roles, cursors, temporary tables, sequences' values, locks, and statements that SQL has prepared.
 * Resolves with the error, or null.
 */
export async function reset(session: Used, { resetSql, discardSql }: Resets): Promise<WireError | null> {
  // With statements to keep, all else is reset piece by piece.
  if (session.statements.size > 0 || discardSql === undefined) {
    const capture: Buffer[] = [];
    const isReset = session.run(`${resetSql}; ${findNames(session.statements.size)}`, capture);
    session.send(UNLOCK_ALL, { kind: "query", internal: true });
    session.flush();
    const error = await isReset;
    if (error !== null || !Buffer.concat(capture).includes(FOUND)) return error;
    session.statements.clear();
    return session.run("DEALLOCATE ALL");
  }
  const [last, ...first] = discardSql.toReversed();
  for (const sql of first.reverse()) session.send(query(sql), { kind: "query", internal: true });
  return session.run(last ?? resetSql);
}
