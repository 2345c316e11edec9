/** A clock that can be moved forward: time for the cache alone, never for waits and limits. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Moves it by that many milliseconds; never back. */
  advance(ms: number): void;
}

export function createClock(now: () => number = Date.now): Clock {
  let ahead = 0;
  return {
    now: () => now() + ahead,
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`the clock cannot move by ${ms} ms`);
      ahead += ms;
    },
  };
}
