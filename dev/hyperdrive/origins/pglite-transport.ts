import { setImmediate as nextTurn } from "node:timers/promises";
import type { PGlite } from "@electric-sql/pglite";
import { copiesIn } from "../sql/restrictions.ts";
import { CLIENT, frame, query, SERVER } from "../wire/protocol.ts";
import type { Transport, TransportEvents } from "./origin.ts";
import {
  ABANDON,
  ABANDON_SEVERAL,
  countMessages,
  endsInError,
  findMessage,
  PendingCopy,
  PLAIN_COPY_IN,
  withoutCopyIn,
} from "./pglite-copy.ts";

interface Queued {
  message: Buffer;
  copySql: string | null;
}

/** After these the origin owes an answer, or has to take what came. */
const BOUNDARIES = new Set<number>([
  CLIENT.query,
  CLIENT.sync,
  CLIENT.flush,
  CLIENT.functionCall,
  CLIENT.copyData,
  CLIENT.copyDone,
  CLIENT.copyFail,
]);
const EXTENDED = new Set<number>([CLIENT.parse, CLIENT.bind, CLIENT.describe, CLIENT.execute, CLIENT.close]);
/** The answers to one call lie in memory whole, so a long pipeline runs in pieces. */
const BATCH_MESSAGES = 256;
const QUEUE_HIGH_WATER = 1024;
const SYNC = frame(CLIENT.sync);
const SAVEPOINT = "fl_copy";

/**
 * Carries messages to the one session of a PGlite, as many whole flights in a call as are waiting. A call blocks the
 * thread while it runs: no cancel request is even read meanwhile, so nothing can cut a statement short.
 */
export class PgliteTransport implements Transport {
  readonly #pglite: PGlite;
  readonly #events: TransportEvents;
  #queue: Queued[] = [];
  /** How many of the queue, up to the last boundary, may run. */
  #ready = 0;
  #isRunning = false;
  #isClosed = false;
  #isUnsynced = false;
  /** After an error PGlite ignores everything up to the next Sync. */
  #isSkipping = false;
  #copy: PendingCopy | null = null;
  /** Ends our hold on PGlite's own lock. */
  #unlock: (() => void) | null = null;
  #paused: { promise: Promise<void>; resolve: () => void } | null = null;

  constructor(pglite: PGlite, events: TransportEvents) {
    this.#pglite = pglite;
    this.#events = events;
  }

  get congested(): boolean {
    return this.#ready > QUEUE_HIGH_WATER;
  }

  send(message: Buffer, copySql?: string): void {
    this.#queue.push({ message, copySql: copySql ?? null });
    const isOverlong = this.#queue.length - this.#ready > QUEUE_HIGH_WATER;
    if (isOverlong || BOUNDARIES.has(message[0] ?? 0)) this.#ready = this.#queue.length;
  }

  flush(): void {
    if (this.#ready > 0 && !this.#isRunning && !this.#isClosed) void this.#run();
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = null;
  }

  async cancel(): Promise<void> {}

  rest(): void {
    this.#unlock?.();
    this.#unlock = null;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.resume();
    if (!this.#isRunning) this.rest();
    this.#events.gone();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      // Whatever else arrived in this turn joins the call.
      await nextTurn();
      await this.#lock();
      while (this.#ready > 0 && !this.#isClosed) {
        const wasCongested = this.congested;
        await this.#step();
        await this.#paused?.promise;
        if (wasCongested && !this.congested) this.#events.drained();
      }
    } catch {
      // PGlite has ended: whoever waits for it hears that the session is gone.
      this.#isRunning = false;
      this.destroy();
    } finally {
      this.#isRunning = false;
      if (this.#isClosed) this.rest();
    }
  }

  async #lock(): Promise<void> {
    if (this.#unlock !== null) return;
    const held = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const lock = this.#pglite._runExclusiveTransaction(() => {
      locked.resolve();
      return held.promise;
    });
    lock.catch(locked.reject);
    await locked.promise;
    this.#unlock = held.resolve;
  }

  /** Runs the next piece of the queue. */
  async #step(): Promise<void> {
    if (this.#copy !== null) {
      await this.#continueCopy(this.#copy);
      return;
    }
    const batch = this.#queue.slice(0, Math.min(this.#ready, BATCH_MESSAGES));
    const copyAt = batch.findIndex(({ copySql }) => copySql !== null);
    const copy = batch[copyAt];
    if (copy === undefined || copy.copySql === null) {
      this.#deliver(await this.#execute(this.#take(batch.length)));
      return;
    }
    const before = batch.slice(0, copyAt);
    const synced = before.findLastIndex(({ message }) => message[0] === CLIENT.sync || message[0] === CLIENT.query) + 1;
    if (synced > 0) this.#deliver(await this.#execute(this.#take(synced)));
    else await this.#startCopy(copyAt, copy.copySql);
  }

  /** The COPY at this place of the queue is alone in its flight: learn what it answers, then wait for its data. */
  async #startCopy(copyAt: number, sql: string): Promise<void> {
    const isAlone = copiesIn(sql) === "alone";
    const opening = isAlone ? await this.#probe(sql) : null;
    const before = await this.#execute(this.#take(copyAt));
    this.#deliver(before);
    const [start] = this.#take(1);
    if (start === undefined) return;
    if (opening === null || this.#isSkipping) {
      this.#deliver(await this.#execute([start, isAlone ? ABANDON : ABANDON_SEVERAL]));
      return;
    }
    this.#copy = new PendingCopy(start);
    this.#deliver(opening);
  }

  async #continueCopy(copy: PendingCopy): Promise<void> {
    const [message] = this.#take(1);
    if (message === undefined) return;
    if (message[0] === CLIENT.copyData) {
      copy.add(message);
    } else if (message[0] === CLIENT.copyDone || message[0] === CLIENT.copyFail) {
      this.#copy = null;
      this.#deliver(withoutCopyIn(await this.#execute(copy.finish(message))));
    }
  }

  /** Runs the COPY without data and takes it back, for its CopyInResponse. Null: it fails before it asks for data. */
  async #probe(sql: string): Promise<Buffer | null> {
    // In the middle of a flight a simple query would end the transaction.
    if (this.#isUnsynced) return PLAIN_COPY_IN;
    const bytes = Buffer.from(`${sql}\0`, "latin1");
    const copy = [frame(CLIENT.query, bytes), ABANDON];
    if (!this.#pglite.isInTransaction()) return findMessage(await this.#execute(copy), SERVER.copyIn);
    const saved = await this.#execute([query(`SAVEPOINT ${SAVEPOINT}`)]);
    if (findMessage(saved, SERVER.error) !== null) return null;
    const answer = await this.#execute(copy);
    await this.#execute([query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)]);
    return findMessage(answer, SERVER.copyIn);
  }

  #take(count: number): Buffer[] {
    this.#ready -= count;
    return this.#queue.splice(0, count).map(({ message }) => message);
  }

  async #execute(messages: Buffer[]): Promise<Buffer> {
    if (messages.length === 0) return Buffer.alloc(0);
    const answer: Buffer[] = [];
    // The bytes lie in PGlite's own memory and are overwritten by the next call.
    const onRawData = (bytes: Uint8Array) => void answer.push(Buffer.from(bytes));
    const input = messages.length === 1 ? (messages[0] ?? SYNC) : Buffer.concat(messages);
    await this.#pglite.execProtocolRawStream(input, { onRawData });
    const whole = answer.length === 1 ? (answer[0] ?? input) : Buffer.concat(answer);
    // As after a client_encoding that it lacks: it stays silent for ever, and says nothing of it.
    if (countMessages(whole, SERVER.ready) < this.#owed(messages)) throw new Error("PGlite has broken down");
    this.#follow(messages, whole);
    return whole;
  }

  /** How many times it must be ready: a Query behind what no Sync has ended may be skipped. */
  #owed(messages: Buffer[]): number {
    let isUnsynced = this.#isUnsynced;
    let owed = 0;
    for (const [type = 0] of messages) {
      if (type === CLIENT.sync || (type === CLIENT.query && !isUnsynced)) owed++;
      isUnsynced = type !== CLIENT.sync && (isUnsynced || EXTENDED.has(type));
    }
    return owed;
  }

  #follow(messages: Buffer[], answer: Buffer): void {
    for (const message of messages) {
      if (message[0] === CLIENT.sync) {
        this.#isUnsynced = false;
        this.#isSkipping = false;
      } else if (EXTENDED.has(message[0] ?? 0)) {
        this.#isUnsynced = true;
      }
    }
    if (this.#isUnsynced && endsInError(answer)) this.#isSkipping = true;
  }

  #deliver(answer: Buffer): void {
    if (answer.length > 0 && !this.#isClosed) this.#events.received(answer);
  }
}
