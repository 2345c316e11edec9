import { hash } from "node:crypto";
import { type Answer, compact, sizeOf } from "../pool/answer.ts";
import { withoutComments } from "../sql/text.ts";
import type { Clock } from "../watch/clock.ts";
import type { Bytes } from "../wire/protocol.ts";

export interface CacheOptions {
  /** How long an answer counts as fresh; default 60,000 ms, at most an hour. */
  maxAgeMs?: number;
  /** How long after that it is served while one refresh runs; default 15,000 ms. */
  staleMs?: number;
  /** The largest answer kept; default 50 MB. */
  maxResultBytes?: number;
  /** What all answers of a location may take of memory together; the least recently used go first. Default 256 MB. */
  maxTotalBytes?: number;
}

/** What makes two queries one. Never the role nor a setting: that is how an answer reaches somebody it is not for. */
export interface KeyParts {
  user: string;
  database: string;
  sql: Bytes;
  /** Number and oids of the parameter types, as in Parse. */
  types: Buffer;
  /** Formats and values of the parameters, and the formats of the result, as in Bind. */
  bound: Buffer;
}

export interface Found<Author> {
  result: Answer;
  ageMs: number;
  isStale: boolean;
  /** Whoever's query filled the cache. */
  author: Author;
}

interface Entry<Author> {
  result: Answer;
  size: number;
  storedAt: number;
  author: Author;
  isRefreshing: boolean;
}

const LONGEST_AGE_MS = 3_600_000;
const DEFAULTS = { maxAgeMs: 60_000, staleMs: 15_000, maxResultBytes: 50_000_000, maxTotalBytes: 256_000_000 };

/** What an answer takes of memory beside its bytes. */
export const ENTRY_BYTES = 1024;

export function cacheKey({ user, database, sql, types, bound }: KeyParts): string {
  // Names are text, SQL is bytes: cut to Latin-1, two names could become one.
  const who = Buffer.from(`${user}\0${database}\0`, "utf8");
  const what = Buffer.from(`${withoutComments(sql)}\0${types.length}\0`, "latin1");
  return hash("sha256", Buffer.concat([who, what, types, bound]), "base64");
}

/** The answers that one location keeps. */
export class ResultCache<Author> {
  readonly options: Required<CacheOptions>;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<Author>>();
  #bytes = 0;

  /** @throws RangeError for a `maxAgeMs` that Hyperdrive refuses. */
  constructor(clock: Clock, options: CacheOptions = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.#clock = clock;
    const { maxAgeMs, staleMs } = this.options;
    if (!(maxAgeMs >= 0 && maxAgeMs <= LONGEST_AGE_MS)) throw new RangeError("max_age must be between 0 and 1 hour");
    if (!(staleMs >= 0)) throw new RangeError("stale_while_revalidate must not be negative");
  }

  get size(): { entries: number; bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  /** `database`: by whose clock. */
  find(key: string, database?: string): Found<Author> | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const { maxAgeMs, staleMs } = this.options;
    const ageMs = this.#clock.now(database) - entry.storedAt;
    this.#entries.delete(key);
    if (ageMs >= maxAgeMs + staleMs) {
      this.#bytes -= entry.size;
      return null;
    }
    this.#entries.set(key, entry);
    return { result: entry.result, ageMs, isStale: ageMs >= maxAgeMs, author: entry.author };
  }

  /** True for the one who is to refresh a stale answer: `store` it, or call `abandonRefresh`. */
  claimRefresh(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.isRefreshing) return false;
    entry.isRefreshing = true;
    return true;
  }

  abandonRefresh(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.isRefreshing = false;
  }

  /** Keeps an answer. `startedAt`: when the origin was asked, so that its age is never told too low. False: it is too large. */
  store(key: string, result: Answer, { author, startedAt }: { author: Author; startedAt: number }): boolean {
    const length = sizeOf(result);
    const size = length + ENTRY_BYTES;
    const before = this.#entries.get(key);
    if (before !== undefined && before.storedAt > startedAt) return true;
    this.#drop(key);
    if (length > this.options.maxResultBytes || size > this.options.maxTotalBytes) return false;
    this.#entries.set(key, { result: compact(result), size, storedAt: startedAt, author, isRefreshing: false });
    this.#bytes += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.options.maxTotalBytes) break;
      this.#drop(oldest);
    }
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.size;
  }
}
