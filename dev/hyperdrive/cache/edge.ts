import { type Answer, columnsOf } from "../pool/answer.ts";
import { type Identity, runErrand, simpleFlight } from "../pool/errand.ts";
import type { Clock } from "../watch/clock.ts";
import type { LogRecord, QueryLog } from "../watch/query-log.ts";
import type { Bytes } from "../wire/protocol.ts";
import { type CacheOptions, type Found, ResultCache } from "./cache.ts";
import { Cacheability, type CacheRules, PROFILES, type Profile, type Verdict } from "./cacheability.ts";
import { judgeHit } from "./shadow.ts";
import { FunctionTable, VOLATILITY_SQL } from "./volatility.ts";

export interface EdgeOptions {
  clock: Clock;
  log: QueryLog;
  cache: CacheOptions;
  profile: Profile;
  /** How many locations there are, each with a cache of its own. */
  locations: number;
  /** Every hit is compared with the origin. */
  shadow: boolean;
}

/** One query as the edge can ask it again. */
export interface Question {
  key: string;
  location: number;
  database: string;
  sql: Bytes;
  request: string;
  identity: Identity;
  /** What its client has been told of the statement and will not be told with the answer, or null. */
  told: Buffer | null;
  /** The messages to send for it; made when they are needed, which few hits do. */
  flight: () => readonly Buffer[];
}

const CATALOGUE_LIMIT = 50_000_000;

/** What all clients of the cached door share: the caches of the locations, and what decides about them. */
export class Edge {
  readonly rules: CacheRules;
  readonly clock: Clock;
  readonly log: QueryLog;
  readonly caches: readonly ResultCache<Identity>[];
  readonly #options: EdgeOptions;
  readonly #functions = new FunctionTable();
  #cacheability: Cacheability | null = null;
  #loading: Promise<void> | null = null;
  #nextLocation = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.rules = PROFILES[options.profile];
    this.clock = options.clock;
    this.log = options.log;
    this.caches = Array.from(
      { length: options.locations },
      () => new ResultCache<Identity>(options.clock, options.cache),
    );
  }

  /** The location of a new connection: the one it names, else the next in turn. */
  locate(named: string | undefined): number {
    const wanted = Number(named);
    if (named !== undefined && Number.isInteger(wanted) && wanted >= 0) return wanted % this.caches.length;
    return this.#nextLocation++ % this.caches.length;
  }

  /** Learns the origin's functions, once, before the first query is judged. Without an origin the text patterns must do. */
  prepare(identity: Identity): Promise<void> {
    this.#loading ??= this.#load(identity).catch(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** The schema may have changed: functions may be others. */
  schemaChanged(): void {
    this.#loading = null;
    this.#cacheability?.forget();
  }

  judge(sql: Bytes): Verdict {
    const verdict = this.#cacheability?.judge(sql);
    return verdict ?? { isCacheable: false, status: "uncacheable", reason: "the parser is not loaded yet" };
  }

  /** An answer of other columns than the client was told, as after ALTER TABLE, would be misread: it is none. */
  find({ key, location, database, told }: Question): Found<Identity> | null {
    const found = this.caches[location]?.find(key, database) ?? null;
    const wanted = columnsOf(told);
    if (found === null || wanted === null) return found;
    const columns = found.result.columns ?? columnsOf(found.result.description);
    return columns?.equals(wanted) === true ? found : null;
  }

  /** False: the answer is too large. */
  store({ key, location, identity, told }: Question, result: Answer, startedAt: number): boolean {
    if (result.rowCount === 0 && !this.rules.emptyResults) return true;
    const columns = result.description === null ? columnsOf(told) : null;
    return this.caches[location]?.store(key, { ...result, columns }, { author: identity, startedAt }) ?? false;
  }

  get maxResultBytes(): number {
    return this.caches[0]?.options.maxResultBytes ?? 0;
  }

  /** Behind a hit: refreshes a stale answer, if nobody does, and has the shadow look at it. */
  followUp(question: Question, found: Found<Identity>): void {
    if (found.isStale && this.caches[question.location]?.claimRefresh(question.key)) void this.#refresh(question);
    if (this.#options.shadow) void this.#shadow(question, found);
  }

  async #refresh(question: Question): Promise<void> {
    const startedAt = this.clock.now(question.database);
    const result = await runErrand(question.identity, question.flight(), this.maxResultBytes);
    if (result !== null) this.store(question, result, startedAt);
    // What has not been kept, as an empty result under `strict-docs`, may be asked for again.
    this.caches[question.location]?.abandonRefresh(question.key);
  }

  async #shadow(
    { flight, identity, sql, request }: Question,
    { result, ageMs, author }: Found<Identity>,
  ): Promise<void> {
    const ask = (whom: Identity) => () => runErrand(whom, flight(), this.maxResultBytes);
    const outcome = await judgeHit(result, { asCaller: ask(identity), asAuthor: ask(author) });
    const record: LogRecord = {
      type: "shadow",
      at: this.clock.now(),
      request,
      sql: Buffer.from(sql, "latin1").toString("utf8"),
      outcome,
      ageMs,
      caller: identity.description,
      author: author.description,
    };
    this.log.add(record);
  }

  async #load(identity: Identity): Promise<void> {
    this.#cacheability ??= await Cacheability.create(this.rules, this.#functions);
    const answer = await runErrand(identity, simpleFlight(VOLATILITY_SQL), CATALOGUE_LIMIT);
    if (answer === null) throw new Error("the origin did not list its functions");
    this.#functions.load(textRows(answer.rows));
    this.#cacheability.forget();
  }
}

/** The values of DataRow messages in text format. */
function textRows(bytes: Buffer): (string | null)[][] {
  const rows: (string | null)[][] = [];
  for (let at = 0; at + 7 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const row: (string | null)[] = [];
    let place = at + 7;
    for (let column = bytes.readInt16BE(at + 5); column > 0; column--) {
      const length = bytes.readInt32BE(place);
      place += 4;
      row.push(length === -1 ? null : bytes.toString("utf8", place, place + length));
      place += Math.max(0, length);
    }
    rows.push(row);
  }
  return rows;
}
