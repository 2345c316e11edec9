/** A clock that can be moved forward: time for the cache alone, never for waits and limits. */
export interface Clock {
  /** Milliseconds since 1970; as one database's clients see it, when that is named. */
  now(database?: string): number;
  /** Moves it by that many milliseconds, never back: for all, or for one database's clients alone. */
  advance(ms: number, database?: string): void;
}

/** The last moment that a Date can name; far beyond, adding a day changes nothing. */
const END_OF_TIME = 8.64e15;

export function createClock(now: () => number = Date.now): Clock {
  let ahead = 0;
  const aheadFor = new Map<string, number>();
  return {
    now: (database = "") => now() + ahead + (aheadFor.get(database) ?? 0),
    advance(ms, database) {
      if (!(ms >= 0 && this.now(database) + ms <= END_OF_TIME))
        throw new RangeError(`the clock cannot move by ${ms} ms`);
      if (database === undefined) ahead += ms;
      else aheadFor.set(database, (aheadFor.get(database) ?? 0) + ms);
    },
  };
}
