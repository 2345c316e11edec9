import type { Session } from "../pool/session.ts";

const CANCEL_GRACE_MS = 10_000;

/** How long a statement may run: then it is cancelled, and when that does not help its session is ended. */
export class StatementBound {
  readonly #limitMs: number | null;
  #since = 0;
  #isCancelled = false;

  /** `limitMs`: milliseconds, or null for no bound. */
  constructor(limitMs: number | null) {
    this.#limitMs = limitMs;
  }

  get isWatching(): boolean {
    return this.#since !== 0;
  }

  /** Starts to count when the session has something to do, else stops. */
  watch(session: Session | null): void {
    this.#since = session !== null && session.outstanding > 0 ? Date.now() : 0;
    this.#isCancelled = false;
  }

  /** A statement has ended: the next one has all its time. */
  renew(): void {
    this.#since = Date.now();
  }

  sweep(now: number, session: Session | null): void {
    if (this.#limitMs === null || session === null || this.#since === 0) return;
    if (now - this.#since >= this.#limitMs + CANCEL_GRACE_MS) session.destroy();
    else if (now - this.#since >= this.#limitMs && !this.#isCancelled) {
      this.#isCancelled = true;
      void session.cancel();
    }
  }
}
