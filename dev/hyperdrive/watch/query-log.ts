import type { Door } from "./stats.ts";

/** The values that Cloudflare documents for a query's `cacheStatus`. */
export type CacheStatus =
  | "hit"
  | "miss"
  | "disabled"
  | "uncacheable"
  | "multiplestatements"
  | "notaquery"
  | "oversizedquery"
  | "oversizedresult"
  | "parseerror"
  | "transaction"
  | "volatile";

/**
 * `same`: the origin answers the caller as the cache did. `stale`: the rows have changed since. `leak`: whoever filled
 * the cache gets other rows than the caller, so the caller was given an answer meant for somebody else.
 * `unknown`: the origin gave no steady answer.
 */
export type ShadowOutcome = "same" | "stale" | "leak" | "unknown";

/** One query as Hyperdrive's metrics would show it, and why. */
export interface QueryRecord {
  type: "query";
  at: number;
  /** The connection's application_name: the request, where the worker says so. */
  request: string;
  door: Door;
  user: string;
  sql: string;
  status: CacheStatus;
  reason: string;
  /** Why the real Hyperdrive might not cache it although it is cached here. */
  doubt?: string | undefined;
  location?: number;
  ageMs?: number;
  resultBytes?: number;
  /** How long it waited for a session, and how long the origin took, in milliseconds. */
  waitMs?: number;
  originMs?: number;
}

/** What the shadow found about a hit. */
export interface ShadowRecord {
  type: "shadow";
  at: number;
  request: string;
  sql: string;
  outcome: ShadowOutcome;
  ageMs: number;
  /** Who asked, and whose query filled the cache: user and startup settings. */
  caller: string;
  author: string;
}

export type LogRecord = QueryRecord | ShadowRecord;

const RECORDS_KEPT = 5000;
const FINDINGS_KEPT = 200;
const SQL_KEPT = 2000;

export interface DoorTraffic {
  bytesIn: number;
  bytesOut: number;
  /** How many clients had to wait for a session, how long together and at most, in milliseconds. */
  waits: number;
  waitMs: number;
  longestWaitMs: number;
}

/** What has happened lately, and the sums of it. */
export class QueryLog {
  readonly statuses = new Map<string, number>();
  readonly outcomes: Record<ShadowOutcome, number> = { same: 0, stale: 0, leak: 0, unknown: 0 };
  /** Hits that were stale or leaks, newest last. */
  findings: ShadowRecord[] = [];
  readonly #traffic = new Map<Door, DoorTraffic>();
  readonly #listeners = new Set<(record: LogRecord) => void>();
  #records: QueryRecord[] = [];

  add(record: LogRecord): void {
    if (record.sql.length > SQL_KEPT) record.sql = shortened(record.sql);
    if (record.type === "query") this.#addQuery(record);
    else this.#addShadow(record);
    for (const listener of this.#listeners) listener(record);
  }

  /** The newest 5,000 queries, oldest first; of one request when it is named. */
  queries(request: string | null): QueryRecord[] {
    return request === null ? this.#records.slice() : this.#records.filter((record) => record.request === request);
  }

  /** Calls back with all that follows; returns how to stop. */
  listen(listener: (record: LogRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says of each answer that was meant for somebody else, in one line. */
  tellLeaks(tell: (line: string) => void): void {
    this.listen((record) => {
      if (record.type !== "shadow" || record.outcome !== "leak") return;
      tell(`The cache gave ${record.caller} what was meant for ${record.author}: ${record.sql}`);
    });
  }

  traffic(): Partial<Record<Door, DoorTraffic>> {
    return Object.fromEntries([...this.#traffic].map(([door, traffic]) => [door, { ...traffic }]));
  }

  waited(door: Door, ms: number): void {
    const traffic = this.#at(door);
    traffic.waits++;
    traffic.waitMs += ms;
    traffic.longestWaitMs = Math.max(traffic.longestWaitMs, ms);
  }

  transferred(door: Door, direction: "bytesIn" | "bytesOut", bytes: number): void {
    this.#at(door)[direction] += bytes;
  }

  #at(door: Door): DoorTraffic {
    const known = this.#traffic.get(door);
    if (known !== undefined) return known;
    const traffic = { bytesIn: 0, bytesOut: 0, waits: 0, waitMs: 0, longestWaitMs: 0 };
    this.#traffic.set(door, traffic);
    return traffic;
  }

  reset(): void {
    this.#traffic.clear();
    this.statuses.clear();
    Object.assign(this.outcomes, { same: 0, stale: 0, leak: 0, unknown: 0 });
    this.findings = [];
    this.#records = [];
  }

  #addQuery(record: QueryRecord): void {
    this.statuses.set(record.status, (this.statuses.get(record.status) ?? 0) + 1);
    this.#records.push(record);
    if (this.#records.length >= 2 * RECORDS_KEPT) this.#records = this.#records.slice(-RECORDS_KEPT);
  }

  #addShadow(record: ShadowRecord): void {
    this.outcomes[record.outcome]++;
    if (record.outcome !== "stale" && record.outcome !== "leak") return;
    this.findings.push(record);
    if (this.findings.length > FINDINGS_KEPT) this.findings.shift();
  }
}

/** Of memory of its own: a slice would keep the whole text. */
function shortened(sql: string): string {
  return Buffer.from(`${sql.slice(0, SQL_KEPT)}…`).toString();
}
