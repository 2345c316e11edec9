import { type AnswerHandler, AnswerReader } from "./answer-reader.ts";
import { connectionLost, decodeError, type WireError } from "./errors.ts";
import { answersOnly, completes, type Expectation, type Sink } from "./expectation.ts";
import { writeTarget } from "./messages.ts";
import type { Connect, Origin, Transport, TransportEvents } from "./origins/origin.ts";
import { Outlet } from "./outlet.ts";
import { CLIENT, frame, int16, int32, query, SERVER, STATUS } from "./protocol.ts";
import type { Statement } from "./statements.ts";

export type { Expectation, Sink };

const NOWHERE = writeTarget(CLIENT.describe, "statement", "fl_none");
/** pg_advisory_unlock_all() by its fixed oid: a function call spares Postgres half of what a reset costs. */
const UNLOCK_ALL = frame(CLIENT.functionCall, int32(2892), int16(0), int16(0), int16(0));
type Resets = Pick<Origin, "resetSql" | "discardSql">;
const STATEMENTS_KEPT = 200;

/**
 * One origin session: it sends messages, knows in which order the answers must come, and routes these to its sink.
 * Answers are matched by order alone, as the protocol defines it, so whole flights go out without a wait.
 */
export class Session implements TransportEvents, AnswerHandler {
  readonly transport: Transport;
  /** Prepared statements on this session by server name, least recently used first. */
  readonly statements = new Map<string, Statement>();
  /** Whose unnamed statement it holds. */
  unnamed: Statement | null = null;
  status: number = STATUS.idle;
  /** The origin waits for COPY data. */
  copyIn = false;
  closed = false;
  /** When it was last as new, in milliseconds of `Date.now()`. */
  cleanSince = Date.now();
  sink: Sink | null = null;
  /** Whose startup settings it has. */
  settingsOf: Sink | null = null;
  onClose: (() => void) | null = null;
  #expected: Expectation[] = [];
  #head = 0;
  #skipping = false;
  #unsynced = false;
  #told = false;
  #queryFailed: WireError | null = null;
  readonly #out = new Outlet();
  readonly #reader = new AnswerReader(this);
  #bulkPasses = false;
  #cancelling: Promise<void> | null = null;
  /** SQL may have prepared statements under names of its own. */
  #mayHoldNames = false;
  /** Something reached it beside the statements it was sent: a cancel request, or a setting that changed. */
  #isDisturbed = false;

  /** `isUsed`: somebody had the session before us, so `recover` has to assume the worst. */
  constructor(connect: Connect, isUsed: boolean) {
    this.transport = connect(this);
    this.#unsynced = isUsed;
    this.#mayHoldNames = isUsed;
  }

  /** An error made the origin ignore everything up to the next Sync. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** What it answers now is a simple query. */
  get inQuery(): boolean {
    return this.#current()?.kind === "query";
  }

  /** Idle, and nothing happened to it since `cleanSince` but the statements it was sent. */
  get isUnspoilt(): boolean {
    const isIdle = this.status === STATUS.idle && this.outstanding === 0 && !this.#unsynced && !this.copyIn;
    return isIdle && !this.closed && !this.#isDisturbed && !this.#mayHoldNames;
  }

  get outstanding(): number {
    return this.#expected.length - this.#head;
  }

  /** Queues a message and what is expected for it; `flush` sends what is queued. `copySql`: it may ask for COPY data. */
  send(message: Buffer, expectation: Expectation | null, copySql?: string): void {
    if (this.closed) return;
    if (expectation !== null) this.#expect(expectation);
    this.transport.send(message, copySql);
  }

  flush(): void {
    if (!this.closed) this.transport.flush();
  }

  /** Runs SQL of the edge's own. Resolves with its error, or null. */
  run(sql: string): Promise<WireError | null> {
    if (this.closed) return Promise.resolve(connectionLost());
    return new Promise((resolve) => {
      this.send(query(sql), { kind: "query", internal: true, done: () => resolve(null), failed: resolveWith(resolve) });
      this.flush();
    });
  }

  /** Asks the origin to cancel the running statement. No later client of this session can be hit: `recover` waits for it. */
  cancel(): Promise<void> {
    this.#isDisturbed = true;
    this.#cancelling ??= this.transport.cancel().finally(() => {
      this.#cancelling = null;
    });
    return this.#cancelling;
  }

  /** The sink takes answers again. */
  resume(): void {
    if (!this.closed) this.transport.resume();
  }

  /**
   * Takes the session from its client and clears away whatever that left: an open transaction, half a COPY, settings, roles.
   * What has been sent still runs to its end, as Postgres does when a client goes away. Resolves with false when the session is not fit for another client; it is closed then.
   */
  async recover(origin: Resets): Promise<boolean> {
    this.sink = null;
    await this.#cancelling;
    if (this.closed) return false;
    this.resume();
    this.#abort();
    this.#evict();
    if (this.#mayHoldNames) this.statements.clear();
    const error = await this.#reset(origin);
    this.#mayHoldNames = false;
    this.#isDisturbed = false;
    this.cleanSince = Date.now();
    this.settingsOf = null;
    this.unnamed = null;
    if (error !== null || this.status !== STATUS.idle) this.destroy();
    else this.transport.rest();
    return !this.closed;
  }

  #reset({ resetSql, discardSql }: Resets): Promise<WireError | null> {
    // With statements to keep, all else is reset piece by piece.
    if (this.statements.size > 0 || discardSql === undefined) {
      const reset = this.run(this.#mayHoldNames ? `${resetSql}; DEALLOCATE ALL` : resetSql);
      this.send(UNLOCK_ALL, { kind: "query", internal: true });
      this.flush();
      return reset;
    }
    const [last, ...first] = discardSql.toReversed();
    for (const sql of first.reverse()) this.send(query(sql), { kind: "query", internal: true });
    return this.run(last ?? resetSql);
  }

  end(): void {
    if (!this.closed) this.transport.end();
  }

  destroy(): void {
    if (this.closed) return;
    this.transport.destroy();
    this.gone();
  }

  drained(): void {
    this.sink?.settled();
  }

  gone(): void {
    if (this.closed) return;
    this.closed = true;
    this.#flushOut();
    const { sink } = this;
    this.sink = null;
    const lost = this.#expected.slice(this.#head);
    this.#expected = [];
    this.#head = 0;
    const error = connectionLost();
    for (const expectation of lost) expectation.failed?.(error);
    sink?.lost(this.#told ? null : error);
    this.onClose?.();
  }

  received(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#flushOut();
  }

  malformed(): void {
    this.destroy();
  }

  bulk(part: Buffer, isStart: boolean): void {
    const current = this.#current();
    if (isStart) this.#bulkPasses = current?.silent !== true && current?.internal !== true;
    if (this.#bulkPasses) this.#pass(part);
    else current?.capture?.push(Buffer.from(part));
  }

  message(type: number, message: Buffer): void {
    switch (type) {
      case SERVER.error:
        this.#error(message);
        break;
      case SERVER.ready:
        this.#ready(message);
        break;
      case SERVER.notice:
      case SERVER.notification:
        this.#aside(message);
        break;
      case SERVER.parameterStatus:
        if (this.#current()?.internal !== true) {
          this.#isDisturbed = true;
          this.sink?.reported(message);
        }
        this.#aside(message);
        break;
      case SERVER.backendKey:
      case SERVER.authentication:
        break;
      default:
        this.#answer(type, message);
    }
  }

  #answer(type: number, message: Buffer): void {
    const current = this.#current();
    const completed = answersOnly(type);
    if (current === undefined || (completed !== undefined && completed !== current.kind)) {
      this.destroy();
      return;
    }
    current.capture?.push(Buffer.from(message));
    if (current.silent !== true && current.internal !== true) this.#pass(message);
    if (type === SERVER.copyIn) {
      this.copyIn = true;
      this.#settled();
    } else if (type === SERVER.commandComplete && current.internal !== true) {
      this.#completed(message.toString("latin1", 5, message.length - 1));
    }
    if (completes(current.kind, type)) this.#complete(current);
  }

  #completed(tag: string): void {
    if (tag === "PREPARE" || tag === "DO" || tag === "CALL") this.#mayHoldNames = true;
    this.sink?.completed(tag);
  }

  #complete(current: Expectation): void {
    this.#shift();
    current.done?.();
    if (this.outstanding === 0) this.#settled();
  }

  #error(message: Buffer): void {
    const current = this.#current();
    const error = decodeError(message);
    this.copyIn = false;
    if (error.fields.severity === "FATAL") {
      this.#told = this.sink !== null;
      if (this.sink !== null) this.#pass(message);
      return;
    }
    if (current?.internal !== true) this.#pass(current?.replacement?.encode() ?? message);
    if (current === undefined) return;
    if (current.kind === "query" || current.kind === "sync") {
      this.#queryFailed = error;
      return;
    }
    this.#shift();
    current.failed?.(error);
    this.#skipToSync();
    if (this.outstanding === 0) this.#settled();
  }

  /** After an error the origin reads on to the next Sync without answering. */
  #skipToSync(): void {
    const skipped: Expectation[] = [];
    for (let next = this.#current(); next !== undefined && next.kind !== "sync"; next = this.#current()) {
      skipped.push(next);
      this.#shift();
    }
    this.#skipping = this.#current() === undefined && this.#unsynced;
    for (const expectation of skipped.reverse()) expectation.failed?.(null);
  }

  #ready(message: Buffer): void {
    const current = this.#current();
    if (current === undefined || (current.kind !== "sync" && current.kind !== "query")) {
      this.destroy();
      return;
    }
    this.status = message[5] ?? STATUS.idle;
    if (current.silent !== true && current.internal !== true) this.#pass(message);
    const failed = this.#queryFailed;
    this.#queryFailed = null;
    this.#shift();
    if (failed === null) current.done?.();
    else current.failed?.(failed);
    if (this.outstanding > 0) return;
    if (this.status === STATUS.idle) this.#free();
    else this.#settled();
  }

  #aside(message: Buffer): void {
    if (this.sink !== null && this.#current()?.internal !== true) this.#pass(message);
  }

  #settled(): void {
    this.#flushOut();
    this.sink?.settled();
  }

  #free(): void {
    this.#flushOut();
    this.sink?.free();
  }

  #pass(bytes: Buffer): void {
    if (this.sink !== null) this.#out.push(bytes);
  }

  #flushOut(): void {
    const bytes = this.#out.take();
    if (bytes.length > 0 && this.sink?.deliver(bytes) === false) this.transport.pause();
  }

  #expect(expectation: Expectation): void {
    if (expectation.kind === "sync") {
      this.#unsynced = false;
      this.#skipping = false;
    } else if (this.#skipping) {
      expectation.failed?.(null);
      return;
    } else if (expectation.kind !== "query") {
      this.#unsynced = true;
    }
    this.#expected.push(expectation);
  }

  #current(): Expectation | undefined {
    return this.#expected[this.#head];
  }

  #shift(): void {
    this.#head++;
    if (this.#head < this.#expected.length) return;
    this.#expected = [];
    this.#head = 0;
  }

  /** Leaves whatever transaction there may be, without committing an implicit one as a bare Sync would. */
  #abort(): void {
    const mayBeOpen = this.status !== STATUS.idle || this.outstanding > 0 || this.#unsynced;
    // A COPY may begin among what is outstanding; elsewhere Postgres ignores this.
    if (this.copyIn || this.outstanding > 0) this.send(frame(CLIENT.copyFail, "the client is gone\0"), null);
    this.copyIn = false;
    if (this.#unsynced) {
      this.send(NOWHERE, { kind: "describe", internal: true });
      this.send(frame(CLIENT.sync), { kind: "sync", internal: true });
    }
    if (mayBeOpen) this.send(query("ROLLBACK"), { kind: "query", internal: true });
  }

  #evict(): void {
    if (this.statements.size <= STATEMENTS_KEPT) return;
    for (const name of this.statements.keys()) {
      if (this.statements.size <= STATEMENTS_KEPT) break;
      this.statements.delete(name);
      this.send(writeTarget(CLIENT.close, "statement", name), { kind: "close", internal: true });
    }
    this.send(frame(CLIENT.sync), { kind: "sync", internal: true });
  }
}

function resolveWith(resolve: (error: WireError | null) => void) {
  return (error: WireError | null) => resolve(error ?? connectionLost());
}
