import type { Session } from "../pool/session.ts";
import { type Handle, handleOf, Statement } from "../pool/statements.ts";
import { changedResult, duplicateStatement, noStatement, type WireError } from "../wire/errors.ts";
import {
  type BindMessage,
  type Bytes,
  type ParseMessage,
  readBind,
  readParse,
  readTarget,
  writeBind,
  writeParse,
  writeTarget,
} from "../wire/messages.ts";
import { CLIENT, frame, SERVER } from "../wire/protocol.ts";
import { bindBroken, describeHeld, holdNamed, holdUnnamed, sendParse, UNKNOWN } from "./holdings.ts";
import type { PreparedOptions } from "./options.ts";

const PARSE_COMPLETE = frame(SERVER.parseComplete);
const CLOSE_COMPLETE = frame(SERVER.closeComplete);
/** Fails in any state of a transaction, and runs nothing. */
const BROKEN = writeParse("", Buffer.from("!\0\0\0"));

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
  readonly #names = new Map<Bytes, Handle>();
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

  /** A simple query ends the unnamed statement, also when it is answered without a session. */
  dropUnnamed(session: Session | null): void {
    this.#names.delete("");
    if (session !== null) session.unnamed = null;
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

  /** `refused`: the error to answer instead of preparing. */
  parse(session: Session, message: ParseMessage, refused: WireError | null): void {
    const { name } = message;
    const taken = name !== "" && !this.#options.dedicated && this.#names.has(name);
    const error = taken ? duplicateStatement(name) : refused;
    if (error !== null) {
      session.unnamed = null;
      if (name === "") this.#names.delete("");
      session.send(BROKEN, { kind: "parse", replacement: error });
    } else if (name === "") {
      this.#parseUnnamed(session, message);
    } else {
      this.#parseNamed(session, message);
    }
  }

  /** False: the message must come again once the origin has answered. */
  bind(session: Session, message: Buffer): boolean {
    const bind = readBind(message);
    const handle = this.#names.get(bind.statement);
    const isAltered = this.#isAltered;
    this.hasRun = true;
    if (this.isTraceless && !this.#isProven(handle)) this.isTraceless = false;
    if (handle !== undefined) this.#portals.set(bind.portal, handle.statement);
    if (bind.statement === "") {
      if (handle !== undefined) holdUnnamed(session, handle.statement);
      session.send(message, { kind: "bind" });
    } else if (handle !== undefined) {
      return this.#bindNamed(session, bind, { handle, isAltered });
    } else if (this.#options.dedicated) {
      session.send(message, { kind: "bind" });
    } else {
      bindBroken(session, bind, noStatement(bind.statement));
    }
    return true;
  }

  describe(session: Session, message: Buffer): void {
    const { target, name } = readTarget(message);
    const handle = target === "statement" ? this.#names.get(name) : undefined;
    if (handle !== undefined && name !== "") {
      this.#describeNamed(session, handle);
    } else if (handle === undefined && target === "statement" && name !== "" && !this.#options.dedicated) {
      const unknown = writeTarget(CLIENT.describe, "statement", UNKNOWN);
      session.send(unknown, { kind: "describe", replacement: noStatement(name) });
    } else {
      if (handle !== undefined) holdUnnamed(session, handle.statement);
      session.send(message, { kind: "describe" });
    }
  }

  close(session: Session, message: Buffer): void {
    const { target, name } = readTarget(message);
    const handle = target === "statement" ? this.#names.get(name) : undefined;
    if (target === "statement") this.#names.delete(name);
    const restore = () => {
      if (handle !== undefined && !this.#names.has(name)) this.#names.set(name, handle);
    };
    const isOurs = target === "statement" && name !== "" && !this.#options.dedicated;
    // A shared statement stays on the session; closing one that never was keeps the answer in its place.
    session.send(isOurs ? writeTarget(CLIENT.close, "statement", UNKNOWN) : message, {
      kind: "close",
      failed: restore,
    });
    if (target === "statement" && name === "") session.unnamed = null;
    if (target === "statement" && this.#options.dedicated) session.statements.delete(name);
  }

  get #isAltered(): boolean {
    return this.hasRun && !this.isTraceless;
  }

  #isProven(handle: Handle | undefined): boolean {
    return handle?.statement.isShared === true && this.#options.proofs?.holds(handle.statement) === true;
  }

  #parseUnnamed(session: Session, { sql, tail }: ParseMessage): void {
    const handle = handleOf(new Statement("", sql, tail));
    const before = this.#names.get("");
    this.#names.set("", handle);
    session.unnamed = handle.statement;
    session.send(writeParse("", tail), {
      kind: "parse",
      failed: (error) => {
        if (this.#names.get("") !== handle) return;
        session.unnamed = null;
        // Skipped, it left the earlier one in place; failed, it took it away.
        if (error === null && before !== undefined) this.#names.set("", before);
        else this.#names.delete("");
      },
    });
  }

  #parseNamed(session: Session, { name, sql, tail }: ParseMessage): void {
    const statement = this.#statementFor(session, { name, sql, tail });
    const handle = handleOf(statement);
    this.#names.set(name, handle);
    sendParse(session, statement, {
      silent: false,
      failed: () => {
        if (this.#names.get(name) === handle) this.#names.delete(name);
      },
    });
  }

  #statementFor(session: Session, { name, sql, tail }: ParseMessage): Statement {
    const { table, scope, dedicated, edgePrepared } = this.#options;
    if (dedicated) return new Statement(name, sql, tail);
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

  #describeNamed(session: Session, handle: Handle): void {
    handle.told = null;
    handle.outdated = false;
    holdNamed(session, handle, { table: this.#options.table, isAltered: this.#isAltered });
    describeHeld(session, handle);
  }
}
