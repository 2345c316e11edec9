import type { Expectation, Session } from "../pool/session.ts";
import type { Handle, Statement, StatementTable } from "../pool/statements.ts";
import type { WireError } from "../wire/errors.ts";
import { type BindMessage, writeBind, writeParse, writeTarget } from "../wire/messages.ts";
import { type Bytes, CLIENT, frame } from "../wire/protocol.ts";

/** A name no session has. */
export const UNKNOWN: Bytes = "fl_none";
const FLUSH = frame(CLIENT.flush);
/** Fails in any state of a transaction, and runs nothing. */
const BROKEN = writeParse("", Buffer.from("!\0\0\0"));

/** Prepares a statement of ours on a session, for its client to hear. */
export function sendParse(
  session: Session,
  statement: Statement,
  { done, failed }: Required<Pick<Expectation, "done" | "failed">>,
): void {
  const { serverName } = statement;
  session.statements.set(serverName, statement);
  session.send(writeParse(serverName, statement.tail), {
    kind: "parse",
    done: () => {
      statement.accepted = true;
      done();
    },
    failed: (error) => {
      if (session.statements.get(serverName) === statement) session.statements.delete(serverName);
      failed(error);
    },
  });
}

/** The same behind the client's back: it hears of it only when it fails. */
function slipIn(session: Session, statement: Statement): void {
  const { serverName } = statement;
  const { pipeline } = session;
  const isLast = () => session.slipped.get(serverName) === pipeline && session.slipped.delete(serverName);
  session.statements.set(serverName, statement);
  session.slipped.set(serverName, pipeline);
  session.send(writeParse(serverName, statement.tail), {
    kind: "parse",
    silent: true,
    done: () => {
      statement.accepted = true;
      isLast();
    },
    failed: () => {
      if (isLast()) session.statements.delete(serverName);
    },
  });
}

/** Whether it was slipped in by an earlier pipeline, of which an error may have had it ignored. */
function isDoubtful(session: Session, serverName: Bytes): boolean {
  const pipeline = session.slipped.get(serverName);
  return pipeline !== undefined && pipeline !== session.pipeline;
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
  const known = handle.statement;
  const isHeld = session.statements.delete(known.serverName);
  if (isHeld) session.statements.set(known.serverName, known);
  if (isHeld && !isDoubtful(session, known.serverName)) return true;
  // What is prepared under another search_path must not be what all the others get.
  if (isAltered && known.isShared) handle.statement = table.create(known.sql, known.tail);
  else if (isHeld)
    session.send(writeTarget(CLIENT.close, "statement", known.serverName), { kind: "close", silent: true });
  const { statement, told } = handle;
  slipIn(session, statement);
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
export function describeHeld(session: Session, clientName: Bytes, handle: Handle): void {
  const { statement } = handle;
  const { serverName } = statement;
  const capture: Buffer[] = [];
  session.send(writeTarget(CLIENT.describe, "statement", serverName), {
    kind: "describe",
    serverName,
    clientName,
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
  if (session.unnamed === statement && !isDoubtful(session, "")) return;
  const { pipeline } = session;
  const isLast = () => session.slipped.get("") === pipeline && session.slipped.delete("");
  session.unnamed = statement;
  session.slipped.set("", pipeline);
  session.send(writeParse("", statement.tail), {
    kind: "parse",
    silent: true,
    done: isLast,
    failed: () => {
      if (isLast() && session.unnamed === statement) session.unnamed = null;
    },
  });
}

/** Prepares what cannot be, so that the transaction fails; `replacement` is what the client is told. */
export function parseBroken(
  session: Session,
  replacement: WireError,
  ending: Pick<Expectation, "done" | "failed"> = {},
): void {
  session.unnamed = null;
  session.send(BROKEN, { kind: "parse", replacement, ...ending });
}

/** Binds what does not exist, so that the transaction fails; `replacement` is what the client is told. */
export function bindBroken(session: Session, bind: BindMessage, replacement: WireError): void {
  session.send(writeBind({ ...bind, statement: UNKNOWN }), { kind: "bind", replacement });
}
