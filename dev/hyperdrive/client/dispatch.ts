import type { Session } from "../pool/session.ts";
import type { PreparedStatements } from "../prepared/prepared.ts";
import { copiesIn, refusal } from "../sql/restrictions.ts";
import { protocolViolation, type WireError } from "../wire/errors.ts";
import { readBind, readExecute, readParse, readQuery } from "../wire/messages.ts";
import { type Bytes, CLIENT, frame, query, readyForQuery, STATUS } from "../wire/protocol.ts";

/** What became of a message. `hold`: nothing may follow before its answer; `retry`: likewise, and then this message again. */
export type Outcome = "sent" | "hold" | "retry";

const READY = readyForQuery(STATUS.idle);
const PORTAL = 0x50;
const NOTHING = Buffer.alloc(0);
const FLUSH = frame(CLIENT.flush);
/** Fails in any state of a transaction, and runs nothing. */
const BROKEN = query("!");
const BROKEN_EXECUTE = frame(CLIENT.execute, "fl_none\0\0\0\0\0");

/** Translates one client's messages for whichever origin session it is pinned to. */
export class Dispatcher {
  readonly prepared: PreparedStatements;
  readonly #isRestricted: boolean;

  /** `isRestricted`: SQL that Hyperdrive does not support is refused. */
  constructor(prepared: PreparedStatements, isRestricted: boolean) {
    this.prepared = prepared;
    this.#isRestricted = isRestricted;
  }

  /** The answer to a message that needs no origin while the client has no session; null when it does need one. */
  answer(message: Buffer): Buffer | null {
    switch (message[0]) {
      case CLIENT.sync:
        return READY;
      case CLIENT.flush:
      case CLIENT.copyData:
      case CLIENT.copyDone:
      case CLIENT.copyFail:
        return NOTHING;
      case CLIENT.close:
        return this.prepared.answerClose(message);
      case CLIENT.parse:
        return this.prepared.answerParse(message);
      case CLIENT.describe:
        return this.prepared.answerDescribe(message);
      default:
        return null;
    }
  }

  /** Sends a message on, translated. Throws a `WireError` for a malformed one. */
  dispatch(session: Session, message: Buffer): Outcome {
    if (session.copyIn) return copyIn(session, message);
    if (session.skipping && message[0] !== CLIENT.sync) return "sent";
    if (mayLeaveTrace(message)) this.prepared.isTraceless = false;
    switch (message[0]) {
      case CLIENT.query:
        return this.#query(session, message);
      case CLIENT.parse:
        return this.#parse(session, message);
      case CLIENT.bind:
        return this.prepared.bind(session, message) ? "sent" : "retry";
      case CLIENT.describe:
        return this.prepared.describe(session, message) ? "sent" : "retry";
      case CLIENT.execute:
        return this.#execute(session, message);
      case CLIENT.close:
        this.prepared.close(session, message);
        return "sent";
      case CLIENT.functionCall:
        this.prepared.hasRun = true;
        session.send(message, { kind: "query" });
        return "sent";
      case CLIENT.sync:
        session.send(message, { kind: "sync" });
        return "sent";
      case CLIENT.flush:
        session.send(message, null);
        return "sent";
      default:
        // COPY data outside a COPY. Postgres ignores it, too.
        return "sent";
    }
  }

  /** The SQL that a Query or an Execute runs, null for other messages. */
  sqlOf(message: Buffer): Bytes | null {
    if (message[0] === CLIENT.query) return readQuery(message);
    if (message[0] === CLIENT.execute) return this.prepared.portal(readExecute(message))?.sql ?? "";
    return null;
  }

  /** The SQL that a message prepares, binds or runs; "" where it cannot be told. */
  sqlBehind(message: Buffer): Bytes {
    if (message[0] === CLIENT.parse) return readParse(message).sql;
    if (message[0] === CLIENT.bind) return this.prepared.find(readBind(message).statement)?.statement.sql ?? "";
    return this.sqlOf(message) ?? "";
  }

  /** Has a Query or an Execute fail at the origin, and tells `error` as the reason. */
  fail(session: Session, message: Buffer, error: WireError): void {
    this.prepared.hasRun = true;
    this.prepared.isTraceless = false;
    if (message[0] === CLIENT.query) session.send(BROKEN, { kind: "query", replacement: error });
    else session.send(BROKEN_EXECUTE, { kind: "execute", replacement: error });
  }

  #query(session: Session, message: Buffer): Outcome {
    const sql = readQuery(message);
    const refused = this.#isRestricted ? refusal(sql) : null;
    const ended = this.prepared.dropUnnamed(session);
    this.prepared.hasRun = true;
    if (refused !== null) {
      session.send(BROKEN, { kind: "query", replacement: refused, ...ended });
      return "sent";
    }
    if (copiesIn(sql) === "no") {
      session.send(message, { kind: "query", ...ended });
      return "sent";
    }
    session.send(message, { kind: "query", ...ended }, sql);
    return "hold";
  }

  #parse(session: Session, message: Buffer): Outcome {
    const parse = readParse(message);
    return this.prepared.parse(session, parse, this.#isRestricted ? refusal(parse.sql) : null) ? "sent" : "retry";
  }

  /** Behind a COPY from the client nothing may follow: the origin would take it for COPY data and end the session. */
  #execute(session: Session, message: Buffer): Outcome {
    const statement = this.prepared.portal(readExecute(message));
    this.prepared.hasRun = true;
    if (statement === undefined || statement.copiesIn === "no") {
      session.send(message, { kind: "execute" });
      return "sent";
    }
    session.send(message, { kind: "execute" }, statement.sql);
    session.send(FLUSH, null);
    return "hold";
  }
}

/** Whether a message may change its session. What Bind and Execute run, the statement's proof is for. */
function mayLeaveTrace(message: Buffer): boolean {
  switch (message[0]) {
    case CLIENT.bind:
    case CLIENT.execute:
    case CLIENT.sync:
    case CLIENT.flush:
      return false;
    case CLIENT.describe:
      return message[5] !== PORTAL;
    default:
      return true;
  }
}

function copyIn(session: Session, message: Buffer): Outcome {
  switch (message[0]) {
    case CLIENT.copyData:
      session.send(message, null);
      return "sent";
    case CLIENT.copyDone:
    case CLIENT.copyFail:
      session.copyIn = false;
      session.send(message, null);
      // A simple query may hold a second COPY.
      return session.inQuery ? "hold" : "sent";
    case CLIENT.sync:
    case CLIENT.flush:
      // Postgres ignores them here, for clients that sent them along with the Execute.
      return "sent";
    default:
      throw protocolViolation("unexpected message during COPY from stdin");
  }
}
