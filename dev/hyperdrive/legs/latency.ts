export interface LatencyOptions {
  /** Round trip between a client and the edge, in milliseconds; default 0. */
  clientEdgeMs?: number;
  /** Round trip between the edge and the origin; default 0. */
  edgeOriginMs?: number;
  /** How far each way may deviate, as a share of it from 0 to 1; default 0. */
  jitter?: number;
  /** The same seed gives the same connections the same deviations; default 1. */
  seed?: number;
}

export type Leg = "clientEdge" | "edgeOrigin";

/** Beyond a minute nothing waits for an answer; far beyond, timers no longer hold. */
export const LONGEST_MS = 60_000;

/** Says how long each message is under way. */
export class Latency {
  readonly #legs: Record<Leg, number>;
  readonly #jitter: number;
  readonly #seed: number;
  readonly #lines: Record<Leg, number> = { clientEdge: 0, edgeOrigin: 0 };
  /** Added to each way of the leg between edge and origin, while a fault makes it slow. */
  extraMs = 0;

  constructor({ clientEdgeMs = 0, edgeOriginMs = 0, jitter = 0, seed = 1 }: LatencyOptions = {}) {
    for (const value of [clientEdgeMs, edgeOriginMs]) {
      if (!(value >= 0 && value <= LONGEST_MS)) throw new RangeError(`a latency is from 0 to ${LONGEST_MS} ms`);
    }
    if (!(jitter >= 0 && jitter <= 1)) throw new RangeError("jitter is a share, from 0 to 1");
    this.#legs = { clientEdge: clientEdgeMs, edgeOrigin: edgeOriginMs };
    this.#jitter = jitter;
    this.#seed = seed;
  }

  /** Whether the leg between edge and origin takes any time. */
  get isOn(): boolean {
    return this.#legs.edgeOrigin > 0 || this.extraMs > 0;
  }

  /** Whether the leg between client and edge does. */
  get delaysClients(): boolean {
    return this.#legs.clientEdge > 0;
  }

  /**
   * One way of a new connection. Its deviations are its own: with the same seed the n-th line of a leg has the same,
   * whatever the others carry.
   */
  line(leg: Leg): DelayLine {
    const number = ++this.#lines[leg];
    const random = seededRandom(this.#seed ^ Math.imul(number, leg === "clientEdge" ? 0x9e3779b1 : 0x85ebca6b));
    return new DelayLine(() => this.#next(leg, random));
  }

  /** In milliseconds. */
  #next(leg: Leg, random: () => number): number {
    const base = this.#legs[leg] / 2 + (leg === "edgeOrigin" ? this.extraMs : 0);
    if (base === 0) return 0;
    return base * (1 + this.#jitter * (2 * random() - 1));
  }
}

/** Lets things through later, each after its own delay, never out of order; at once while nothing delays. */
export class DelayLine {
  /** How long the next thing takes, in milliseconds. */
  readonly delay: () => number;
  readonly #queue: { due: number; run: () => void }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(delay: () => number) {
    this.delay = delay;
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  push(run: () => void): void {
    const delay = this.delay();
    const last = this.#queue.at(-1);
    if (delay === 0 && last === undefined) {
      run();
      return;
    }
    this.#queue.push({ due: Math.max(performance.now() + delay, last?.due ?? 0), run });
    this.#wait();
  }

  #wait(): void {
    const next = this.#queue[0];
    if (this.#timer !== null || next === undefined) return;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, next.due - performance.now()));
  }

  #fire(): void {
    this.#timer = null;
    for (let next = this.#queue[0]; next !== undefined && next.due <= performance.now() + 0.5; next = this.#queue[0]) {
      next.run();
      this.#queue.shift();
    }
    this.#wait();
  }
}

/** Numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
