import type { Connect, Transport, TransportEvents } from "../origins/origin.ts";
import { connectionLost, type WireError } from "../wire/errors.ts";
import { query, STATUS } from "../wire/protocol.ts";
import type { Expectation, Sink } from "./expectation.ts";
import { Expectations } from "./expectations.ts";
import { Reception } from "./reception.ts";
import { abort, evict, type Resets, reset } from "./recovery.ts";
import type { Statement } from "./statements.ts";

export type { Expectation, Sink };

/**
 * One origin session: it sends messages, knows in which order the answers must come, and routes these to its sink.
 * Answers are matched by order alone, as the protocol defines it, so whole flights go out without a wait.
 */
export class Session implements TransportEvents {
  readonly transport: Transport;
  /** Prepared statements on this session by server name, least recently used first. */
  readonly statements = new Map<string, Statement>();
  /** Of those, by server name: what was prepared behind its client's back and is not confirmed, and in which pipeline. */
  readonly slipped = new Map<string, number>();
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
  /** Something reached it beside the statements it was sent: a cancel request, or a setting that changed. */
  isDisturbed = false;
  onClose: (() => void) | null = null;
  readonly #expected: Expectations;
  readonly #reception: Reception;
  #cancelling: Promise<void> | null = null;

  /** `isUsed`: somebody had the session before us, so `recover` has to assume the worst. */
  constructor(connect: Connect, isUsed: boolean) {
    this.#expected = new Expectations(isUsed);
    this.#reception = new Reception(this, this.#expected);
    this.transport = connect(this);
  }

  /** An error made the origin ignore everything up to the next Sync. */
  get skipping(): boolean {
    return this.#expected.isSkipping;
  }

  /** What it answers now is a simple query. */
  get inQuery(): boolean {
    return this.#expected.current?.kind === "query";
  }

  /** Something was sent that only a Sync ends. */
  get isUnsynced(): boolean {
    return this.#expected.isUnsynced;
  }

  /** Idle, and nothing happened to it since `cleanSince` but the statements it was sent. */
  get isUnspoilt(): boolean {
    const isIdle = this.status === STATUS.idle && this.outstanding === 0 && !this.isUnsynced && !this.copyIn;
    return isIdle && !this.closed && !this.isDisturbed;
  }

  /** The number of the pipeline that is being sent: an error has the rest of its own ignored, up to the Sync. */
  get pipeline(): number {
    return this.#expected.syncs;
  }

  get outstanding(): number {
    return this.#expected.count;
  }

  /** Queues a message and what is expected for it; `flush` sends what is queued. `copySql`: it may ask for COPY data. */
  send(message: Buffer, expectation: Expectation | null, copySql?: string): void {
    if (this.closed) return;
    if (expectation !== null) this.#expected.add(expectation);
    this.transport.send(message, copySql);
  }

  flush(): void {
    if (!this.closed) this.transport.flush();
  }

  /** Runs SQL of the edge's own. Resolves with its error, or null; `capture` gets the messages of the answer. */
  run(sql: string, capture: Buffer[] = []): Promise<WireError | null> {
    if (this.closed) return Promise.resolve(connectionLost());
    return new Promise((resolve) => {
      const done = () => resolve(null);
      const failed = (error: WireError | null) => resolve(error ?? connectionLost());
      this.send(query(sql), { kind: "query", internal: true, capture, done, failed });
      this.flush();
    });
  }

  /** Asks the origin to cancel the running statement. No later client of this session can be hit: `recover` waits for it. */
  cancel(): Promise<void> {
    this.isDisturbed = true;
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
    abort(this);
    evict(this);
    const error = await reset(this, origin);
    this.isDisturbed = false;
    this.cleanSince = Date.now();
    this.settingsOf = null;
    this.unnamed = null;
    if (error !== null || this.status !== STATUS.idle) this.destroy();
    else this.transport.rest();
    return !this.closed;
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
    this.#reception.flush();
    const { sink } = this;
    this.sink = null;
    const error = connectionLost();
    this.#expected.lose(error);
    sink?.lost(this.#reception.hasTold ? null : error);
    this.onClose?.();
  }

  received(chunk: Buffer): void {
    this.#reception.push(chunk);
  }
}
