import type { Leg, Trips } from "./trips.ts";

/** Tells one connection's flights apart: a new one starts with the first statement sent after an answer. */
export class Flights {
  readonly #trips: Trips;
  #answered = true;

  constructor(trips: Trips) {
    this.#trips = trips;
  }

  /** Counts `answer`, just sent, as part of the flight under way or as the start of a new one. */
  follow<T>(answer: Promise<T>, leg: Leg): Promise<T> {
    const starts = this.#answered;
    this.#answered = false;
    if (!starts) return answer.finally(() => this.#land());
    this.#trips.add(leg);
    const sent = performance.now();
    return answer.finally(() => {
      this.#land();
      this.#trips.waited(leg, performance.now() - sent);
    });
  }

  #land(): void {
    this.#answered = true;
  }
}
