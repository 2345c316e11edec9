/** Where a request waits for the database: resolving its caller, the cached door, the direct door. */
export const legs = ["auth", "db-cached", "db-direct"] as const;
export type Leg = (typeof legs)[number];

/**
 * Counts trips: waits of the worker for the database. A flight is everything sent before an answer arrives, so
 * statements that travel together are one trip; what nobody waits for (the COMMIT of a read) is none.
 */
export class Trips {
  readonly #counts = new Map<Leg, number>();
  readonly #milliseconds = new Map<Leg, number>();

  add(leg: Leg): void {
    this.#counts.set(leg, this.count(leg) + 1);
  }

  /** Adds waiting time, in milliseconds. */
  waited(leg: Leg, milliseconds: number): void {
    this.#milliseconds.set(leg, this.milliseconds(leg) + milliseconds);
  }

  count(leg: Leg): number {
    return this.#counts.get(leg) ?? 0;
  }

  milliseconds(leg: Leg): number {
    return this.#milliseconds.get(leg) ?? 0;
  }

  /** Trips on all legs. */
  get total(): number {
    return legs.reduce((sum, leg) => sum + this.count(leg), 0);
  }
}
