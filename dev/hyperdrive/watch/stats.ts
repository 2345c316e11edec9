export type Door = "cached" | "direct" | "origin";
export const DOORS = ["cached", "direct", "origin"] as const satisfies readonly Door[];

export interface DoorCounts {
  /** Connections that finished their startup. */
  opened: number;
  /** Of these, the ones still there. `reset()` leaves it alone. */
  open: number;
  /** Round trips client ↔ edge: client messages that follow an answer of the server. Startup and Terminate are none. */
  flights: number;
  /** Round trips edge ↔ origin, the edge's own resets aside. */
  originFlights: number;
  /** Query and Execute messages. */
  statements: number;
}

export type Counts = Record<Door, DoorCounts>;

export interface Stats {
  /** A copy of the counts of all connections. */
  snapshot(): Counts;
  /** The same, for the connections that carried this application_name; zeros when there were none. */
  perRequest(applicationName: string): Counts;
  /** Sets every count but `open` to zero and forgets the application names. */
  reset(): void;
}

const NAMES_KEPT = 10_000;
const FIELDS = ["opened", "open", "flights", "originFlights", "statements"] as const;

function zeros(): Counts {
  const door = (): DoorCounts => ({ opened: 0, open: 0, flights: 0, originFlights: 0, statements: 0 });
  return { cached: door(), direct: door(), origin: door() };
}

/** Counts what crosses the doors. The names are kept for the newest 10,000 application names only. */
export class StatsCounter implements Stats {
  readonly #total = zeros();
  readonly #names = new Map<string, Counts>();

  count(door: Door, applicationName: string, field: keyof DoorCounts): void {
    this.#total[door][field]++;
    if (applicationName !== "") this.#of(applicationName)[door][field]++;
  }

  closed(door: Door, applicationName: string): void {
    this.#total[door].open--;
    this.#leave(door, applicationName);
  }

  /** An open connection carries another application name from now on. */
  renamed(door: Door, before: string, after: string): void {
    this.#leave(door, before);
    if (after !== "") this.#of(after)[door].open++;
  }

  #leave(door: Door, applicationName: string): void {
    const counts = this.#names.get(applicationName)?.[door];
    if (counts !== undefined && counts.open > 0) counts.open--;
  }

  snapshot(): Counts {
    return structuredClone(this.#total);
  }

  perRequest(applicationName: string): Counts {
    return structuredClone(this.#names.get(applicationName) ?? zeros());
  }

  reset(): void {
    for (const door of DOORS) {
      for (const field of FIELDS) if (field !== "open") this.#total[door][field] = 0;
    }
    this.#names.clear();
  }

  #of(name: string): Counts {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const oldest = this.#names.keys().next().value;
    if (this.#names.size >= NAMES_KEPT && oldest !== undefined) this.#names.delete(oldest);
    const counts = zeros();
    this.#names.set(name, counts);
    return counts;
  }
}
