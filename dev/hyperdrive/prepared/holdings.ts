import type { Expectation, Session } from "../pool/session.ts";
import type { Handle, Statement, StatementTable } from "../pool/statements.ts";
import type { WireError } from "../wire/errors.ts";
import { type BindMessage, type Bytes, writeBind, writeParse, writeTarget } from "../wire/messages.ts";
import { CLIENT, frame } from "../wire/protocol.ts";

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

/**
 * Sees to it that the session holds the statement. False: the client relies on columns it was told, so wait until the
 * origin has confirmed them for this session.
 */
export function holdNamed(session: Session, handle: Handle, table: StatementTable): boolean {
  const { statement, told } = handle;
  const { serverName } = statement;
  if (session.statements.delete(serverName)) {
    session.statements.set(serverName, statement);
    if (!isDoubtful(session, serverName)) return true;
    session.send(writeTarget(CLIENT.close, "statement", serverName), { kind: "close", silent: true });
  }
  slipIn(session, statement);
  if (told === null) return true;
  const capture: Buffer[] = [];
  session.send(writeTarget(CLIENT.describe, "statement", serverName), {
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

/** The same for a client's unnamed statement. */
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
