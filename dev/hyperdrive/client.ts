import type { ClientSocket } from "./client-leg.ts";
import type { ClientOptions } from "./client-options.ts";
import { Dispatcher } from "./dispatch.ts";
import { cancelled, fatal, shuttingDown, WireError } from "./errors.ts";
import type { StatementFault } from "./faults.ts";
import type { FrameReader } from "./frame-reader.ts";
import { keptSettings } from "./kept-settings.ts";
import { Passage } from "./passage.ts";
import type { Ticket, Waiter } from "./pool.ts";
import { PreparedStatements } from "./prepared.ts";
import { CLIENT, query, readyForQuery, STATUS } from "./protocol.ts";
import type { Session, Sink } from "./session.ts";
import { StatementBound } from "./statement-bound.ts";
import { writeInTurn } from "./turn.ts";

/** Unread input above this stops reading from the client. */
const INPUT_HIGH_WATER = 256 * 1024;
const LINGER_MS = 10_000;
const HARMLESS =
  /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|SHOW|COPY|FETCH|MOVE|DECLARE|CLOSE|EXPLAIN|LOCK)\b/;

/**
 * A client after its startup: takes its messages in order, borrows a session for them and gives it back when the
 * origin reports that no transaction is open.
 */
export class Client implements Sink, Waiter {
  readonly #socket: ClientSocket;
  readonly #reader: FrameReader;
  readonly #options: ClientOptions;
  readonly #dispatcher: Dispatcher;
  readonly #passage: Passage;
  #applicationName: string;
  readonly #bound: StatementBound;
  #session: Session | null = null;
  #ticket: Ticket | null = null;
  /** A message taken from the reader that has to wait. */
  #waiting: Buffer | null = null;
  #resetsAtAnswer = false;
  #askedAt = 0;
  #isHolding = false;
  #isPumping = false;
  #isSkipping = false;
  #hasEnded = false;
  /** Answers of the edge's own; like Postgres, it lets them go at Sync, Flush or before the next answer. */
  #answers: Buffer[] = [];
  #hasAnswered = true;
  #originAnswered = true;
  #isAssuming = false;
  #hasChangedSchema = false;
  #hasChangedSettings = false;
  #settingsSql: readonly string[];

  constructor(socket: ClientSocket, reader: FrameReader, options: ClientOptions) {
    this.#socket = socket;
    this.#reader = reader;
    this.#options = options;
    this.#applicationName = options.applicationName;
    this.#settingsSql = options.settingsSql;
    this.#bound = new StatementBound(options.statementMs);
    const { door } = options;
    const prepared = new PreparedStatements(options);
    this.#dispatcher = new Dispatcher(prepared, door !== "origin");
    this.#passage = new Passage(this.#dispatcher, options);
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
    this.#bound.sweep(now, this.#session);
  }

  granted(session: Session): void {
    if (this.#ticket !== null) this.#options.observer?.waited(performance.now() - this.#askedAt);
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
    if (this.#resetsAtAnswer) this.#reset();
    if (this.#hasEnded) return true;
    this.#passage.gate?.deliver(bytes);
    this.#answers.push(...bytes);
    return this.#sendAnswers();
  }

  settled(): void {
    const session = this.#session;
    this.#originAnswered = true;
    // A queue that has drained is no answer yet.
    if (session === null || session.outstanding === 0 || session.copyIn) this.#isHolding = false;
    this.#bound.watch(session);
    this.#pump();
  }

  free(): void {
    this.#originAnswered = true;
    this.#isHolding = false;
    this.#passage.gate?.finish();
    if (this.#hasChangedSettings && this.#session !== null) {
      void this.#keepSettings(this.#session);
      return;
    }
    if (this.#options.dedicated) this.#bound.watch(this.#session);
    else this.#release();
    this.#pump();
  }

  completed(tag: string): void {
    this.#bound.renew();
    if (this.#options.keepsSettings && /^(?:SET|RESET)\b/.test(tag)) this.#hasChangedSettings = true;
    if (HARMLESS.test(tag)) return;
    if ((tag === "DISCARD ALL" || tag === "DEALLOCATE ALL") && this.#session !== null) {
      this.#dispatcher.prepared.forget(this.#session);
    }
    this.#hasChangedSchema = true;
  }

  reported(message: Buffer): void {
    const [name, value] = message.toString("utf8", 5).split("\0");
    if (name !== "application_name" || value === undefined) return;
    this.#applicationName = value;
    if (this.#options.observer !== null) this.#options.observer.request = value;
  }

  lost(error: WireError | null): void {
    this.#session = null;
    if (error !== null) this.#fatal(error);
    else this.#finish();
  }

  #received(chunk: Buffer): void {
    this.#options.observer?.transferred("bytesIn", chunk.length);
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
        const message = this.#waiting ?? this.#passage.next() ?? this.#reader.next();
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
      this.#passage.gate?.isWaiting === true ||
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
    if (this.#session === null) return this.#offer(message);
    const fault = this.#passage.pass(message, this.#session);
    if (fault !== null && this.#strike(fault, message)) return true;
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

  #offer(message: Buffer): boolean {
    const answer = this.#passage.offer(message);
    if (answer === "pass") return this.#handleAlone(message);
    if (answer === null) return true;
    this.#answers.push(answer);
    this.#sendAnswers();
    this.#count("statements");
    return true;
  }

  /** True: the message is done with. */
  #strike(fault: StatementFault, message: Buffer): boolean {
    if (fault.kind === "fail" && this.#session !== null) this.#dispatcher.fail(this.#session, message, fault.error);
    else if (fault.kind === "end") this.#fatal(fault.error);
    else if (fault.kind === "reset-before") this.#reset();
    this.#resetsAtAnswer = fault.kind === "reset-after";
    return !this.#resetsAtAnswer;
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
    const fault = this.#options.faults?.forSession() ?? null;
    if (fault !== null) {
      this.#fatal(fault);
      return;
    }
    this.#askedAt = performance.now();
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
    if (session.settingsOf === this) return;
    session.settingsOf = this;
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
    this.#bound.watch(null);
    const { isTraceless } = this.#dispatcher.prepared;
    this.#dispatcher.prepared.released();
    if (this.#hasChangedSchema) {
      this.#options.table.clear();
      this.#options.onSchemaChange();
    }
    this.#hasChangedSchema = false;
    if (session === null) return;
    session.sink = null;
    const { pool, dedicated } = this.#options;
    if (dedicated) pool.discard(session);
    else if (isTraceless && !this.#hasEnded) pool.keep(session, this);
    else pool.release(session);
  }

  #flush(): void {
    const session = this.#session;
    if (session === null) return;
    session.flush();
    if (session.outstanding === 0) return;
    if (!this.#bound.isWatching) this.#bound.watch(session);
    if (!this.#originAnswered) return;
    this.#originAnswered = false;
    this.#count("originFlights");
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
    const answer = bytes.length === 1 ? (bytes[0] ?? Buffer.alloc(0)) : Buffer.concat(bytes);
    this.#options.observer?.transferred("bytesOut", answer.length);
    return writeInTurn(this.#socket, answer);
  }

  #count(field: "opened" | "open" | "flights" | "originFlights" | "statements"): void {
    this.#options.stats.count(this.#options.door, this.#applicationName, field);
  }

  #fatal(error: WireError): void {
    if (this.#hasEnded) return;
    this.#answers.push(error.encode());
    this.#finish();
  }

  #reset(): void {
    this.#socket.resetAndDestroy();
    this.#end();
  }

  /** Says what is left to say, and hangs up. */
  #finish(): void {
    if (this.#hasEnded) return;
    this.#sendAnswers();
    this.#socket.end();
    // A peer that never reads would keep the socket half open for ever.
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
    this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#passage.gate?.abandon();
    this.#ticket?.leave();
    this.#ticket = null;
    this.#release();
    this.#options.pool.forget(this);
    this.#options.stats.closed(this.#options.door, this.#applicationName);
    this.#options.onEnd();
  }
}
