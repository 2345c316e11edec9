import type { Origin } from "../origins/origin.ts";
import { acquireTimeout, shuttingDown, WireError } from "../wire/errors.ts";
import { Session } from "./session.ts";

export interface Waiter {
  granted(session: Session): void;
  failed(error: WireError): void;
}

/** A place in the queue. */
export interface Ticket {
  leave(): void;
}

export interface PoolOptions {
  origin: Origin;
  user: string;
  size: number;
  waitMs: number;
  idleMs: number;
  /** How long a session may need to finish what a client has left behind. */
  recoveryMs: number;
}

const NO_TICKET: Ticket = { leave: () => {} };
/** How long a session may stay with one client before it is reset all the same. */
const KEPT_MS = 1000;

interface Queued {
  waiter: Waiter;
  timer: NodeJS.Timeout;
}

/** Lends origin sessions of one user, first come, first served; opens them as they are needed. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #sessions = new Set<Session>();
  readonly #queue = new Set<Queued>();
  /** Sessions that their last client left as they were, by client: nobody else gets one without a reset. */
  readonly #kept = new Map<Waiter, Session>();
  readonly #sweeper: NodeJS.Timeout | null;
  #keptSweeper: NodeJS.Timeout | null = null;
  #idle: { session: Session; since: number }[] = [];
  #opening = 0;
  #recovering = new Set<Promise<void>>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#sweeper = options.origin.single ? null : setInterval(() => this.#sweep(), Math.ceil(options.idleMs / 4));
    this.#sweeper?.unref();
  }

  /** Grants at once when a session is idle, or kept for this waiter; else queues: the waiter hears of it within `waitMs`. */
  acquire(waiter: Waiter): Ticket {
    const session = this.#takeKept(waiter) ?? (this.#queue.size === 0 ? this.#idle.pop()?.session : undefined);
    if (session !== undefined) {
      waiter.granted(session);
      return NO_TICKET;
    }
    const entry: Queued = {
      waiter,
      timer: setTimeout(() => this.#fail(entry, acquireTimeout()), this.#options.waitMs),
    };
    this.#queue.add(entry);
    this.#giveUpOldest();
    this.#grow();
    return { leave: () => this.#remove(entry) };
  }

  /** Takes back a session in which this client has left nothing: while nobody waits, the client may have it again as it is. */
  keep(session: Session, waiter: Waiter): void {
    if (this.#closed || this.#queue.size > 0 || !session.isUnspoilt || Date.now() - session.cleanSince > KEPT_MS) {
      this.release(session);
      return;
    }
    session.sink = null;
    this.#kept.set(waiter, session);
    this.#keptSweeper ??= setInterval(() => this.#sweepKept(), KEPT_MS / 4).unref();
  }

  /** The client will not come back. */
  forget(waiter: Waiter): void {
    const session = this.#kept.get(waiter);
    if (session === undefined) return;
    this.#kept.delete(waiter);
    this.release(session);
  }

  /** Takes a session back in whatever state it is, cleans it and lends it on. */
  release(session: Session): void {
    const recovery = this.#recover(session).finally(() => this.#recovering.delete(recovery));
    this.#recovering.add(recovery);
  }

  /** Ends a session on which the edge's own business takes longer than a statement may; returns how to call that off. */
  limit(session: Session): () => void {
    const { recoveryMs, origin } = this.#options;
    if (origin.single) return () => {};
    const timer = setTimeout(() => this.#stop(session), recoveryMs);
    return () => clearTimeout(timer);
  }

  /** Ends a session that belonged to one client alone. */
  discard(session: Session): void {
    session.sink = null;
    session.resume();
    session.end();
    const limit = setTimeout(() => this.#stop(session), this.#options.recoveryMs);
    limit.unref();
  }

  /** Fails who still waits, cleans what is being cleaned, and ends the sessions. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const waiter of this.#kept.keys()) this.forget(waiter);
    this.#sweepKept();
    for (const entry of this.#queue) this.#fail(entry, shuttingDown());
    await Promise.all(this.#recovering);
    for (const session of this.#sessions) session.end();
  }

  async #recover(session: Session): Promise<void> {
    const lift = this.limit(session);
    const isClean = await session.recover(this.#options.origin);
    lift();
    if (isClean) this.#offer(session);
  }

  #takeKept(waiter: Waiter): Session | undefined {
    const session = this.#kept.get(waiter);
    if (session === undefined) return undefined;
    this.#kept.delete(waiter);
    if (session.isUnspoilt && this.#queue.size === 0) return session;
    this.release(session);
    return undefined;
  }

  #giveUpOldest(): void {
    const oldest = this.#kept.keys().next().value;
    if (oldest !== undefined) this.forget(oldest);
  }

  #sweepKept(): void {
    const before = Date.now() - KEPT_MS;
    for (const [waiter, session] of this.#kept) if (session.cleanSince <= before) this.forget(waiter);
    if (this.#kept.size > 0 || this.#keptSweeper === null) return;
    clearInterval(this.#keptSweeper);
    this.#keptSweeper = null;
  }

  #stop(session: Session): void {
    void session.cancel().finally(() => session.destroy());
  }

  #offer(session: Session): void {
    const next = this.#queue.values().next().value;
    if (next !== undefined) {
      this.#remove(next);
      next.waiter.granted(session);
    } else if (this.#closed) {
      session.end();
    } else {
      this.#idle.push({ session, since: Date.now() });
    }
  }

  #grow(): void {
    const { size } = this.#options;
    while (!this.#closed && this.#opening < this.#queue.size && this.#sessions.size + this.#opening < size) {
      this.#opening++;
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    try {
      const { origin, user } = this.#options;
      const session = new Session(await origin.open(user), origin.single);
      this.#sessions.add(session);
      session.onClose = () => this.#lost(session);
      this.#opening--;
      if (origin.single) this.release(session);
      else this.#offer(session);
    } catch (error) {
      this.#opening--;
      const first = this.#queue.values().next().value;
      if (first !== undefined) this.#fail(first, asWireError(error));
    }
    this.#grow();
  }

  #lost(session: Session): void {
    this.#sessions.delete(session);
    this.#idle = this.#idle.filter((entry) => entry.session !== session);
    for (const [waiter, kept] of this.#kept) if (kept === session) this.#kept.delete(waiter);
    this.#grow();
  }

  #fail(entry: Queued, error: WireError): void {
    this.#remove(entry);
    entry.waiter.failed(error);
  }

  #remove(entry: Queued): void {
    clearTimeout(entry.timer);
    this.#queue.delete(entry);
  }

  #sweep(): void {
    const before = Date.now() - this.#options.idleMs;
    for (const { session, since } of this.#idle) if (since <= before) session.end();
    this.#idle = this.#idle.filter(({ since }) => since > before);
  }
}

function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new WireError({ severity: "FATAL", code: "58000", message: `Server connection attempt failed: ${message}` });
}
