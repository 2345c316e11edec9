import type { WireError } from "../wire/errors.ts";
import type { Expectation } from "./expectation.ts";

const COMPACTED_FROM = 1024;

/** What the origin owes, in the order in which it must answer. */
export class Expectations {
  /** An error made the origin ignore everything up to the next Sync. */
  isSkipping = false;
  /** Something was sent that only a Sync ends. */
  isUnsynced: boolean;
  /** Counts the Syncs. */
  syncs = 0;
  #list: Expectation[] = [];
  #head = 0;

  constructor(isUnsynced: boolean) {
    this.isUnsynced = isUnsynced;
  }

  get count(): number {
    return this.#list.length - this.#head;
  }

  get current(): Expectation | undefined {
    return this.#list[this.#head];
  }

  add(expectation: Expectation): void {
    if (expectation.kind === "sync") {
      this.isUnsynced = false;
      this.isSkipping = false;
      this.syncs++;
    } else if (this.isSkipping) {
      expectation.failed?.(null);
      return;
    } else if (expectation.kind !== "query") {
      this.isUnsynced = true;
    }
    this.#list.push(expectation);
  }

  /** The current one has been met. */
  shift(): void {
    this.#head++;
    if (this.#head === this.#list.length) this.#clear();
    else if (this.#head >= COMPACTED_FROM && 2 * this.#head > this.#list.length) this.#compact();
  }

  /** After an error the origin reads on to the next Sync without answering. */
  skipToSync(): void {
    const skipped: Expectation[] = [];
    for (let next = this.current; next !== undefined && next.kind !== "sync"; next = this.current) {
      skipped.push(next);
      this.shift();
    }
    this.isSkipping = this.current === undefined && this.isUnsynced;
    for (const expectation of skipped.reverse()) expectation.failed?.(null);
  }

  /** None of them will be met. */
  lose(error: WireError): void {
    const lost = this.#list.slice(this.#head);
    this.#clear();
    for (const expectation of lost) expectation.failed?.(error);
  }

  /** In a pipeline that never pauses the list is never empty. */
  #compact(): void {
    this.#list = this.#list.slice(this.#head);
    this.#head = 0;
  }

  #clear(): void {
    // Never emptied in place: whoever is being told may add to it.
    this.#list = [];
    this.#head = 0;
  }
}
