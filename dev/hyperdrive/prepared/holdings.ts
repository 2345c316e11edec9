import type { Session } from "../pool/session.ts";
import type { Handle, Statement, StatementTable } from "../pool/statements.ts";
import type { WireError } from "../wire/errors.ts";
import { type BindMessage, type Bytes, writeBind, writeParse, writeTarget } from "../wire/messages.ts";
import { CLIENT, frame } from "../wire/protocol.ts";

/** A name no session has. */
export const UNKNOWN: Bytes = "fl_none";
const FLUSH = frame(CLIENT.flush);

/** Prepares a statement of ours on a session. `silent`: the client hears of it only when it fails. */
export function sendParse(
  session: Session,
  statement: Statement,
  { silent, failed }: { silent: boolean; failed?: () => void },
): void {
  const { serverName } = statement;
  session.statements.set(serverName, statement);
  session.send(writeParse(serverName, statement.tail), {
    kind: "parse",
    silent,
    done: () => {
      statement.accepted = true;
    },
    failed: () => {
      if (session.statements.get(serverName) === statement) session.statements.delete(serverName);
      failed?.();
    },
  });
}

interface Circumstances {
  table: StatementTable;
  /** In this loan something ran that may have changed how SQL is understood. */
  isAltered: boolean;
}

/**
 * Sees to it that the session holds the statement. False: the client relies on columns it was told, so wait until the
 * origin has confirmed them for this session.
 */
export function holdNamed(session: Session, handle: Handle, { table, isAltered }: Circumstances): boolean {
  const held = handle.statement;
  if (session.statements.delete(held.serverName)) {
    session.statements.set(held.serverName, held);
    return true;
  }
  // What is prepared under another search_path must not be what all the others get.
  if (isAltered && held.isShared) handle.statement = table.create(held.sql, held.tail);
  const { statement, told } = handle;
  sendParse(session, statement, { silent: true });
  if (told === null) return true;
  const capture: Buffer[] = [];
  session.send(writeTarget(CLIENT.describe, "statement", statement.serverName), {
    kind: "describe",
    silent: true,
    capture,
    done: () => {
      handle.outdated = !Buffer.concat(capture).equals(told);
      if (handle.outdated) table.drop(statement);
    },
  });
  session.send(FLUSH, null);
  return false;
}

/** Has the origin describe a statement that the session holds, for the client and for all who share it. */
export function describeHeld(session: Session, handle: Handle): void {
  const { statement } = handle;
  const capture: Buffer[] = [];
  session.send(writeTarget(CLIENT.describe, "statement", statement.serverName), {
    kind: "describe",
    capture,
    done: () => {
      const description = Buffer.concat(capture);
      if (statement.description?.equals(description) !== true) statement.description = description;
      handle.told = statement.description;
    },
  });
}

/** The same as `holdNamed` for a client's unnamed statement. */
export function holdUnnamed(session: Session, statement: Statement): void {
  if (session.unnamed === statement) return;
  session.unnamed = statement;
  session.send(writeParse("", statement.tail), {
    kind: "parse",
    silent: true,
    failed: () => {
      if (session.unnamed === statement) session.unnamed = null;
    },
  });
}

/** Binds what does not exist, so that the transaction fails; `replacement` is what the client is told. */
export function bindBroken(session: Session, bind: BindMessage, replacement: WireError): void {
  session.send(writeBind({ ...bind, statement: UNKNOWN }), { kind: "bind", replacement });
}
