import type { Bytes } from "../wire/protocol.ts";
import type { Clock } from "./clock.ts";
import type { CacheStatus, QueryLog, QueryRecord } from "./query-log.ts";
import type { Door } from "./stats.ts";

export interface Observation {
  status: CacheStatus;
  reason: string;
  doubt?: string | undefined;
  ageMs?: number;
  resultBytes?: number;
  originMs?: number;
  location?: number;
}

/** More than the log keeps, however many bytes a character has. */
const LONGEST_REMEMBERED = 16 * 1024;

/** Writes down one client's queries. */
export class Observer {
  /** The client's application_name, which may change. */
  request: string;
  readonly #log: QueryLog;
  readonly #clock: Clock;
  readonly #who: { door: Door; user: string };
  #waitMs = 0;
  #last = { sql: "", text: "" };

  constructor(log: QueryLog, clock: Clock, { request, ...who }: { door: Door; user: string; request: string }) {
    this.#log = log;
    this.#clock = clock;
    this.#who = who;
    this.request = request;
  }

  /** The next query has waited that long for a session. */
  waited(ms: number): void {
    this.#waitMs += ms;
    this.#log.waited(this.#who.door, ms);
  }

  transferred(direction: "bytesIn" | "bytesOut", bytes: number): void {
    this.#log.transferred(this.#who.door, direction, bytes);
  }

  record(sql: Bytes, observation: Observation): void {
    const { door, user } = this.#who;
    // What is spread comes first: V8 copies an object quickly only into an empty one.
    const record: QueryRecord = {
      ...observation,
      type: "query",
      at: this.#clock.now(),
      request: this.request,
      door,
      user,
      sql: this.#textOf(sql),
    };
    if (this.#waitMs > 0) record.waitMs = this.#waitMs;
    this.#waitMs = 0;
    this.#log.add(record);
  }

  /** Its bytes as text, of a long one the beginning; of the last short one it is remembered. */
  #textOf(sql: Bytes): string {
    if (sql.length > LONGEST_REMEMBERED)
      return Buffer.from(sql.slice(0, LONGEST_REMEMBERED), "latin1").toString("utf8");
    if (sql !== this.#last.sql) this.#last = { sql, text: Buffer.from(sql, "latin1").toString("utf8") };
    return this.#last.text;
  }
}
