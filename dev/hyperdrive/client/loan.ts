import type { Ticket, Waiter } from "../pool/pool.ts";
import type { Session, Sink } from "../pool/session.ts";
import { WireError } from "../wire/errors.ts";
import { query } from "../wire/protocol.ts";
import { keptSettings } from "./kept-settings.ts";
import type { ClientOptions } from "./options.ts";
import { mayBeRefused } from "./settings.ts";

/** Who borrows sessions. */
export interface Borrower extends Sink {
  /** It has a session now, as its own user. */
  begun(): void;
  /** It will not get one. */
  refused(error: WireError): void;
}

/** One client's way to sessions, one after the other: waits for one, gives it the client's user and settings, hands it back. */
export class Loan implements Waiter {
  session: Session | null = null;
  readonly #borrower: Borrower;
  readonly #options: ClientOptions;
  #ticket: Ticket | null = null;
  #askedAt = 0;
  #isAssuming = false;
  #isClosed = false;
  #settingsSql: readonly string[];
  /** The origin has taken the settings once. */
  #isSettled: boolean;

  constructor(borrower: Borrower, options: ClientOptions) {
    this.#borrower = borrower;
    this.#options = options;
    this.#settingsSql = options.settingsSql;
    this.#isSettled = options.settingsSql.every((sql) => sql.startsWith("SET application_name "));
  }

  /** A session is asked for, or not yet the client's. */
  get isPending(): boolean {
    return this.#ticket !== null || this.#isAssuming;
  }

  /** Asks for a session; `begun` or `refused` follows, maybe at once. */
  acquire(): void {
    const fault = this.#options.faults?.forSession() ?? null;
    if (fault !== null) {
      this.#borrower.refused(fault);
      return;
    }
    this.#askedAt = performance.now();
    const ticket = this.#options.pool.acquire(this);
    if (this.session === null && !this.#isAssuming && !this.#isClosed) this.#ticket = ticket;
  }

  /** Gives up its place in the queue. False: it waits in none. */
  leave(): boolean {
    if (this.#ticket === null) return false;
    this.#ticket.leave();
    this.#ticket = null;
    return true;
  }

  granted(session: Session): void {
    this.#stopWaiting();
    session.sink = this.#borrower;
    const { assumeSql } = this.#options;
    const isSet = session.settingsOf === this.#borrower || (this.#isSettled && !this.#settingsSql.some(mayBeRefused));
    const first = isSet ? [] : this.#settingsSql;
    if (assumeSql !== null) void this.#assume(session, [assumeSql, ...first], !isSet);
    else if (isSet) this.#begin(session);
    else void this.#assume(session, first, true);
  }

  failed(error: WireError): void {
    this.#stopWaiting();
    this.#borrower.refused(error);
  }

  #stopWaiting(): void {
    if (this.#ticket !== null) this.#options.observer?.waited(performance.now() - this.#askedAt);
    this.#ticket = null;
  }

  /** Notes what the client has SET, for its next loan; the loan goes on meanwhile. */
  async keepSettings(): Promise<void> {
    if (this.session === null) return;
    const settings = await keptSettings(this.session);
    if (settings !== null) this.#settingsSql = settings;
  }

  /** Hands the session back. `isTraceless`: it is as it was. */
  end(isTraceless: boolean): void {
    const { session } = this;
    this.session = null;
    if (session === null) return;
    session.sink = null;
    const { pool, dedicated } = this.#options;
    if (dedicated) pool.discard(session);
    else if (isTraceless && !this.#isClosed) pool.keep(session, this);
    else pool.release(session);
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.leave();
    this.end(false);
    this.#options.pool.forget(this);
  }

  /**
   * Until the origin has confirmed the user, and the settings once, or each time where it may refuse them later, none of
   * the client's messages may reach the session.
   */
  async #assume(session: Session, statements: readonly string[], hasSettings: boolean): Promise<void> {
    this.#isAssuming = true;
    const lift = this.#options.pool.limit(session);
    let error: WireError | null = null;
    for (const sql of statements) error ??= await session.run(sql);
    lift();
    this.#isAssuming = false;
    if (error === null && !this.#isClosed) {
      if (hasSettings) session.settingsOf = this.#borrower;
      this.#isSettled = true;
      this.#begin(session);
      return;
    }
    this.#options.pool.release(session);
    if (error !== null) this.#borrower.refused(new WireError({ ...error.fields, severity: "FATAL" }));
  }

  #begin(session: Session): void {
    this.session = session;
    if (session.settingsOf !== this.#borrower) {
      session.settingsOf = this.#borrower;
      for (const sql of this.#settingsSql) session.send(query(sql), { kind: "query", internal: true });
    }
    this.#borrower.begun();
  }
}
