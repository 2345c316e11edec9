import type { Socket } from "node:net";
import { Dispatcher } from "./dispatch.ts";
import { cancelled, fatal, shuttingDown, WireError } from "./errors.ts";
import type { FrameReader } from "./frame-reader.ts";
import { keptSettings } from "./kept-settings.ts";
import type { Pool, Ticket, Waiter } from "./pool.ts";
import { PreparedStatements } from "./prepared.ts";
import { CLIENT, query, readyForQuery, STATUS } from "./protocol.ts";
import type { Session, Sink } from "./session.ts";
import type { StatementTable } from "./statements.ts";
import type { Door, StatsCounter } from "./stats.ts";

export interface ClientOptions {
  door: Door;
  applicationName: string;
  /** Clients of one scope share prepared statements. */
  scope: string;
  /** Applies the settings of the startup packet; runs at the start of each loan. */
  settingsSql: readonly string[];
  /** What the client SETs is there again in its next loan. */
  keepsSettings: boolean;
  pool: Pool;
  /** SQL that gives a session this client's user, where sessions are shared between users. */
  assumeSql: string | null;
  /** The session is this client's until it leaves. */
  dedicated: boolean;
  table: StatementTable;
  edgePrepared: boolean;
  /** Bound on a statement in milliseconds, or null. */
  statementMs: number | null;
  stats: StatsCounter;
  onEnd: () => void;
}

/** Unread input above this stops reading from the client. */
const INPUT_HIGH_WATER = 256 * 1024;
const CANCEL_GRACE_MS = 10_000;
const HARMLESS =
  /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|SHOW|COPY|FETCH|MOVE|DECLARE|CLOSE|EXPLAIN|LOCK)\b/;

/**
 * A client after its startup: takes its messages in order, borrows a session for them and gives it back when the
 * origin reports that no transaction is open.
 */
export class Client implements Sink, Waiter {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #options: ClientOptions;
  readonly #dispatcher: Dispatcher;
  #applicationName: string;
  #session: Session | null = null;
  #ticket: Ticket | null = null;
  /** A message taken from the reader that has to wait. */
  #waiting: Buffer | null = null;
  #isHolding = false;
  #isPumping = false;
  #isSkipping = false;
  #hasEnded = false;
  /** Answers of the edge's own; like Postgres, it lets them go at Sync, Flush or before the next answer. */
  #answers: Buffer[] = [];
  #hasAnswered = true;
  #originAnswered = true;
  #busySince = 0;
  #isCancelled = false;
  #isAssuming = false;
  #hasChangedSchema = false;
  #hasChangedSettings = false;
  #settingsSql: readonly string[];

  constructor(socket: Socket, reader: FrameReader, options: ClientOptions) {
    this.#socket = socket;
    this.#reader = reader;
    this.#options = options;
    this.#applicationName = options.applicationName;
    this.#settingsSql = options.settingsSql;
    const { table, edgePrepared, dedicated, door, scope } = options;
    this.#dispatcher = new Dispatcher(
      new PreparedStatements({ table, scope, edgePrepared, dedicated }),
      door !== "origin",
    );
    this.#count("opened");
    this.#count("open");
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("close", () => this.#end());
  }

  /** Begins with what the client sent ahead of its startup's end. */
  start(): void {
    this.#pump();
  }

  /** Cancels what this client runs or waits for. A statement that PGlite runs cannot be stopped: it holds the thread. */
  cancel(): void {
    if (this.#session !== null) {
      if (this.#session.outstanding > 0) void this.#session.cancel();
      return;
    }
    if (this.#ticket === null) return;
    this.#ticket.leave();
    this.#ticket = null;
    const message = this.#waiting;
    this.#waiting = null;
    this.#answers.push(cancelled().encode());
    if (message?.[0] === CLIENT.query) this.#answers.push(readyForQuery(STATUS.idle));
    else this.#isSkipping = true;
    this.#sendAnswers();
    this.#pump();
  }

  /** Ends the connection as a server does that shuts down. */
  shutDown(): void {
    this.#fatal(shuttingDown());
  }

  /** Enforces the bound on statements. */
  sweep(now: number): void {
    const { statementMs } = this.#options;
    const session = this.#session;
    if (statementMs === null || session === null || this.#busySince === 0) return;
    if (now - this.#busySince >= statementMs + CANCEL_GRACE_MS) session.destroy();
    else if (now - this.#busySince >= statementMs && !this.#isCancelled) {
      this.#isCancelled = true;
      void session.cancel();
    }
  }

  granted(session: Session): void {
    this.#ticket = null;
    session.sink = this;
    if (this.#options.assumeSql !== null) {
      void this.#assume(session, this.#options.assumeSql);
      return;
    }
    this.#begin(session);
    this.#pump();
  }

  failed(error: WireError): void {
    this.#ticket = null;
    this.#fatal(error);
  }

  deliver(bytes: Buffer[]): boolean {
    this.#originAnswered = true;
    if (this.#hasEnded) return true;
    this.#answers.push(...bytes);
    return this.#sendAnswers();
  }

  settled(): void {
    const session = this.#session;
    this.#originAnswered = true;
    // A queue that has drained is no answer yet.
    if (session === null || session.outstanding === 0 || session.copyIn) this.#isHolding = false;
    this.#watch();
    this.#pump();
  }

  free(): void {
    this.#originAnswered = true;
    this.#isHolding = false;
    if (this.#hasChangedSettings && this.#session !== null) {
      void this.#keepSettings(this.#session);
      return;
    }
    if (this.#options.dedicated) this.#watch();
    else this.#release();
    this.#pump();
  }

  completed(tag: string): void {
    this.#busySince = Date.now();
    if (this.#options.keepsSettings && /^(?:SET|RESET)\b/.test(tag)) this.#hasChangedSettings = true;
    if (HARMLESS.test(tag)) return;
    if ((tag === "DISCARD ALL" || tag === "DEALLOCATE ALL") && this.#session !== null) {
      this.#dispatcher.prepared.forget(this.#session);
    }
    this.#hasChangedSchema = true;
  }

  reported(message: Buffer): void {
    const [name, value] = message.toString("utf8", 5).split("\0");
    if (name === "application_name" && value !== undefined) this.#applicationName = value;
  }

  lost(error: WireError | null): void {
    this.#session = null;
    if (error !== null) this.#fatal(error);
    else this.#finish();
  }

  #received(chunk: Buffer): void {
    const isGoodbye = chunk.length === 5 && chunk[0] === CLIENT.terminate && this.#reader.buffered === 0;
    if (this.#hasAnswered && !isGoodbye) {
      this.#hasAnswered = false;
      this.#count("flights");
    }
    this.#reader.push(chunk);
    this.#pump();
  }

  /** Takes messages as long as nothing has to be waited for. */
  #pump(): void {
    if (this.#isPumping || this.#hasEnded) return;
    this.#isPumping = true;
    try {
      while (!this.#isBlocked()) {
        const message = this.#waiting ?? this.#reader.next();
        if (message === null) break;
        this.#waiting = null;
        if (!this.#handle(message)) this.#waiting = message;
      }
    } catch (error) {
      this.#fatal(error instanceof WireError ? error : fatal("XX000", String(error)));
    } finally {
      this.#isPumping = false;
    }
    this.#flush();
    this.#throttle();
  }

  #isBlocked(): boolean {
    return (
      this.#hasEnded ||
      this.#ticket !== null ||
      this.#isAssuming ||
      this.#isHolding ||
      this.#session?.transport.congested === true ||
      this.#socket.writableNeedDrain
    );
  }

  /** False: the message has to come again. */
  #handle(message: Buffer): boolean {
    const type = message[0];
    if (type === CLIENT.terminate) {
      this.#finish();
      return true;
    }
    if (type === CLIENT.password) throw fatal("08P01", "unexpected password message");
    if (this.#isSkipping) return this.#skip(type);
    if (this.#session === null) return this.#handleAlone(message);
    const outcome = this.#dispatcher.dispatch(this.#session, message);
    if (outcome !== "sent" && this.#session.outstanding > 0) this.#isHolding = true;
    if (outcome === "retry") return false;
    if (type === CLIENT.query || type === CLIENT.execute) this.#count("statements");
    if (this.#options.keepsSettings && message.includes("set_config")) this.#hasChangedSettings = true;
    return true;
  }

  #skip(type: number | undefined): boolean {
    if (type !== CLIENT.sync) return true;
    this.#isSkipping = false;
    this.#answers.push(readyForQuery(STATUS.idle));
    this.#sendAnswers();
    return true;
  }

  #handleAlone(message: Buffer): boolean {
    const answer = this.#dispatcher.answer(message);
    if (answer === null) {
      this.#acquire();
      return false;
    }
    if (answer.length > 0) this.#answers.push(answer);
    if (message[0] === CLIENT.sync || message[0] === CLIENT.flush) this.#sendAnswers();
    return true;
  }

  #acquire(): void {
    const ticket = this.#options.pool.acquire(this);
    if (this.#session === null && !this.#isAssuming && !this.#hasEnded) this.#ticket = ticket;
  }

  /** Until the origin has confirmed the user, none of the client's messages may reach the session. */
  async #assume(session: Session, sql: string): Promise<void> {
    this.#isAssuming = true;
    const error = await session.run(sql);
    this.#isAssuming = false;
    if (this.#hasEnded) {
      this.#options.pool.release(session);
    } else if (error === null) {
      this.#begin(session);
      this.#pump();
    } else {
      this.#options.pool.release(session);
      this.#fatal(new WireError({ ...error.fields, severity: "FATAL" }));
    }
  }

  #begin(session: Session): void {
    this.#session = session;
    this.#originAnswered = true;
    for (const sql of this.#settingsSql) session.send(query(sql), { kind: "query", internal: true });
  }

  async #keepSettings(session: Session): Promise<void> {
    this.#hasChangedSettings = false;
    this.#isHolding = true;
    const settings = await keptSettings(session);
    if (settings !== null) this.#settingsSql = settings;
  }

  #release(): void {
    const session = this.#session;
    this.#session = null;
    this.#isHolding = false;
    this.#busySince = 0;
    this.#isCancelled = false;
    this.#dispatcher.prepared.released();
    if (this.#hasChangedSchema) this.#options.table.clear();
    this.#hasChangedSchema = false;
    if (session === null) return;
    session.sink = null;
    if (this.#options.dedicated) this.#options.pool.discard(session);
    else this.#options.pool.release(session);
  }

  #flush(): void {
    const session = this.#session;
    if (session === null) return;
    session.flush();
    if (session.outstanding === 0) return;
    if (this.#busySince === 0) this.#watch();
    if (!this.#originAnswered) return;
    this.#originAnswered = false;
    this.#count("originFlights");
  }

  #watch(): void {
    this.#busySince = this.#session !== null && this.#session.outstanding > 0 ? Date.now() : 0;
    this.#isCancelled = false;
  }

  #throttle(): void {
    if (this.#isBlocked() && this.#reader.buffered > INPUT_HIGH_WATER) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #drained(): void {
    this.#session?.resume();
    this.#pump();
  }

  #sendAnswers(): boolean {
    const bytes = this.#answers;
    if (bytes.length === 0) return !this.#socket.writableNeedDrain;
    this.#answers = [];
    this.#hasAnswered = true;
    return this.#socket.write(bytes.length === 1 ? (bytes[0] ?? "") : Buffer.concat(bytes));
  }

  #count(field: "opened" | "open" | "flights" | "originFlights" | "statements"): void {
    this.#options.stats.count(this.#options.door, this.#applicationName, field);
  }

  #fatal(error: WireError): void {
    if (this.#hasEnded) return;
    this.#answers.push(error.encode());
    this.#finish();
  }

  /** Says what is left to say, and hangs up. */
  #finish(): void {
    if (this.#hasEnded) return;
    this.#sendAnswers();
    this.#socket.end();
    // A peer that never reads would keep the socket half open for ever.
    this.#socket.setTimeout(CANCEL_GRACE_MS, () => this.#socket.destroy());
    this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ticket?.leave();
    this.#ticket = null;
    this.#release();
    this.#options.stats.closed(this.#options.door, this.#applicationName);
    this.#options.onEnd();
  }
}
