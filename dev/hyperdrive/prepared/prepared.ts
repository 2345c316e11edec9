import type { Expectation, Session } from "../pool/session.ts";
import { type Handle, handleOf, Statement } from "../pool/statements.ts";
import { changedResult, duplicateStatement, noStatement, type WireError } from "../wire/errors.ts";
import {
  type BindMessage,
  type ParseMessage,
  readBind,
  readParse,
  readTarget,
  writeBind,
  writeParse,
  writeTarget,
} from "../wire/messages.ts";
import { type Bytes, CLIENT, frame, SERVER } from "../wire/protocol.ts";
import { bindBroken, describeHeld, holdNamed, holdUnnamed, parseBroken, sendParse, UNKNOWN } from "./holdings.ts";
import { Names } from "./names.ts";
import type { PreparedOptions } from "./options.ts";

const PARSE_COMPLETE = frame(SERVER.parseComplete);
const CLOSE_COMPLETE = frame(SERVER.closeComplete);

interface Bound {
  handle: Handle;
  isAltered: boolean;
}

/**
 * One client's prepared statements and portals. Its names never reach the origin: each stands for a statement that a
 * session may hold under a name of ours, and gets by a Parse slipped in front when it does not.
 * What must fail is sent as something that fails, so that the origin's transaction fails with it.
 */
export class PreparedStatements {
  /** In this loan something ran that may have changed how SQL is understood, as a search_path does. */
  hasRun = false;
  /** In this loan nothing ran that is not proven to leave its session as it was. */
  isTraceless = true;
  readonly #options: PreparedOptions;
  readonly #names = new Names();
  readonly #portals = new Map<Bytes, Statement>();

  constructor(options: PreparedOptions) {
    this.#options = options;
    this.isTraceless = options.proofs !== null;
  }

  /** The session went back: portals have ended with the transaction. */
  released(): void {
    this.#portals.clear();
    this.hasRun = false;
    this.isTraceless = this.#options.proofs !== null;
  }

  /** SQL has deallocated every statement of the session. */
  forget(session: Session): void {
    session.statements.clear();
    session.unnamed = null;
    this.#names.clear();
  }

  /** A simple query ends the unnamed statement. Returns what to do when it is answered, or ignored. */
  dropUnnamed(session: Session): Pick<Expectation, "done" | "failed"> {
    session.unnamed = null;
    return this.#names.drop(session, "");
  }

  /** The same of one that is answered without a session. */
  forgetUnnamed(): void {
    this.#names.delete("");
  }

  /** What a portal was made from. */
  portal(name: Bytes): Statement | undefined {
    return this.#portals.get(name);
  }

  /** The statement of this name, as long as it is what the client was told. */
  find(name: Bytes): Readonly<Handle> | undefined {
    const handle = this.#names.get(name);
    return handle?.outdated === true ? undefined : handle;
  }

  /** Takes a Parse for done without the origin, which gets it when it is needed. False: it has to fail. */
  adopt({ name, sql, tail }: ParseMessage): boolean {
    if (name !== "" && this.#names.has(name)) return false;
    const { table, scope } = this.#options;
    this.#names.set(name, handleOf(name === "" ? new Statement("", sql, tail) : table.share(scope, sql, tail)));
    return true;
  }

  answerClose(message: Buffer): Buffer | null {
    if (this.#options.dedicated) return null;
    const { target, name } = readTarget(message);
    if (target === "statement") this.#names.delete(name);
    return CLOSE_COMPLETE;
  }

  answerParse(message: Buffer): Buffer | null {
    const { name, tail } = readParse(message);
    if (!this.#options.edgePrepared || this.#options.dedicated || name === "" || this.#names.has(name)) return null;
    const statement = this.#options.table.findAccepted(this.#options.scope, tail);
    if (statement === null) return null;
    this.#names.set(name, handleOf(statement));
    return PARSE_COMPLETE;
  }

  answerDescribe(message: Buffer): Buffer | null {
    const { target, name } = readTarget(message);
    const handle = target === "statement" && name !== "" ? this.#names.get(name) : undefined;
    if (handle === undefined || handle.outdated || !this.#options.edgePrepared) return null;
    handle.told = handle.statement.description;
    return handle.told;
  }

  /** `refused`: the error to answer instead of preparing. False: the message must come again once the origin has answered. */
  parse(session: Session, message: ParseMessage, refused: WireError | null): boolean {
    const { name, tail } = message;
    const { dedicated } = this.#options;
    if (name !== "" && !dedicated && this.#names.isOpen(session, name)) return false;
    if (refused !== null) {
      parseBroken(session, refused, name === "" ? this.#names.drop(session, "") : {});
    } else if (name === "") {
      this.#parseUnnamed(session, message);
    } else if (dedicated) {
      const handle = handleOf(new Statement(name, message.sql, tail));
      session.send(writeParse(name, tail), { kind: "parse", ...this.#names.define(session, name, handle) });
    } else if (this.#names.has(name)) {
      // Whatever else is wrong with it comes first.
      session.send(writeParse("", tail), { kind: "parse", silent: true });
      parseBroken(session, duplicateStatement(name));
    } else {
      const statement = this.#statementFor(session, message);
      sendParse(session, statement, this.#names.define(session, name, handleOf(statement)));
    }
    return true;
  }

  /** False: the message must come again once the origin has answered. */
  bind(session: Session, message: Buffer): boolean {
    const bind = readBind(message);
    if (this.#names.isAmbiguous(session, bind.statement)) return false;
    const handle = this.#names.get(bind.statement);
    const isAltered = this.#isAltered;
    this.hasRun = true;
    if (this.isTraceless && !this.#isProven(handle)) this.isTraceless = false;
    if (handle !== undefined) this.#portals.set(bind.portal, handle.statement);
    const { dedicated } = this.#options;
    if (dedicated || bind.statement === "") {
      if (handle !== undefined && !dedicated) holdUnnamed(session, handle.statement);
      session.send(message, { kind: "bind" });
    } else if (handle !== undefined) {
      return this.#bindNamed(session, bind, { handle, isAltered });
    } else {
      bindBroken(session, bind, noStatement(bind.statement));
    }
    return true;
  }

  /** False: the message must come again once the origin has answered. */
  describe(session: Session, message: Buffer): boolean {
    const { target, name } = readTarget(message);
    if (this.#options.dedicated || target === "portal") {
      session.send(message, { kind: "describe" });
      return true;
    }
    if (this.#names.isAmbiguous(session, name)) return false;
    const handle = this.#names.get(name);
    if (name === "") {
      if (handle !== undefined) holdUnnamed(session, handle.statement);
      session.send(message, { kind: "describe" });
    } else if (handle !== undefined) {
      this.#describeNamed(session, name, handle);
    } else {
      const unknown = writeTarget(CLIENT.describe, "statement", UNKNOWN);
      session.send(unknown, { kind: "describe", replacement: noStatement(name) });
    }
    return true;
  }

  close(session: Session, message: Buffer): void {
    const { target, name } = readTarget(message);
    if (target === "portal") {
      session.send(message, { kind: "close" });
      return;
    }
    const isOurs = name !== "" && !this.#options.dedicated;
    // A shared statement stays on the session; closing one that never was keeps the answer in its place.
    session.send(isOurs ? writeTarget(CLIENT.close, "statement", UNKNOWN) : message, {
      kind: "close",
      ...this.#names.drop(session, name),
    });
    if (name === "") session.unnamed = null;
  }

  get #isAltered(): boolean {
    return this.hasRun && !this.isTraceless;
  }

  #isProven(handle: Handle | undefined): boolean {
    return handle?.statement.isShared === true && this.#options.proofs?.holds(handle.statement) === true;
  }

  #parseUnnamed(session: Session, { sql, tail }: ParseMessage): void {
    const handle = handleOf(new Statement("", sql, tail));
    const ending = this.#names.define(session, "", handle);
    session.unnamed = handle.statement;
    session.send(writeParse("", tail), {
      kind: "parse",
      done: ending.done,
      failed: (error) => {
        ending.failed(error);
        if (session.unnamed === handle.statement) session.unnamed = null;
      },
    });
  }

  #statementFor(session: Session, { sql, tail }: ParseMessage): Statement {
    const { table, scope, edgePrepared } = this.#options;
    if (this.hasRun || !edgePrepared) return table.create(sql, tail);
    const shared = table.share(scope, sql, tail);
    return session.statements.has(shared.serverName) ? table.create(sql, tail) : shared;
  }

  #bindNamed(session: Session, bind: BindMessage, { handle, isAltered }: Bound): boolean {
    const { table } = this.#options;
    if (!handle.outdated && !holdNamed(session, handle, { table, isAltered })) return false;
    const { statement } = handle;
    if (handle.outdated) {
      bindBroken(session, bind, changedResult());
      return true;
    }
    session.send(writeBind({ ...bind, statement: statement.serverName }), {
      kind: "bind",
      serverName: statement.serverName,
      clientName: bind.statement,
      failed: (error) => {
        if (error?.fields.routine === "RevalidateCachedQuery") table.drop(statement);
      },
    });
    return true;
  }

  #describeNamed(session: Session, name: Bytes, handle: Handle): void {
    handle.told = null;
    handle.outdated = false;
    holdNamed(session, handle, { table: this.#options.table, isAltered: this.#isAltered });
    describeHeld(session, name, handle);
  }
}
