import { type Answer, AnswerCollector } from "../pool/answer.ts";
import type { Observer } from "../watch/observer.ts";
import type { CacheStatus } from "../watch/query-log.ts";
import type { Edge, Question } from "./edge.ts";

/** Why a query is not answered from the cache, or not kept in it. */
export interface Refusal {
  status: CacheStatus;
  reason: string;
}

interface Expected {
  question: Question;
  doubt: string | undefined;
  /** Letters of the messages that must follow for it to count. */
  expects: string;
  /** All of its messages came in one flight. */
  isWhole: boolean;
}

/** Something came that it did not expect. */
const SPOILT = "!";

/** A miss under way: its answer is collected as it passes. */
export class Capture {
  readonly answer: AnswerCollector;
  readonly #expected: Expected;
  readonly #startedAt: number;
  readonly #startedMs = performance.now();
  #expects: string;

  constructor(expected: Expected, edge: Edge) {
    this.answer = new AnswerCollector(edge.maxResultBytes);
    this.#expected = expected;
    this.#startedAt = edge.clock.now(expected.question.database);
    this.#expects = expected.expects;
  }

  /** All of its messages are on their way, and nothing else. */
  get isComplete(): boolean {
    return this.#expects === "";
  }

  get isSpoilt(): boolean {
    return this.#expects === SPOILT;
  }

  /** No further message of it can come. */
  get isOver(): boolean {
    return this.isComplete || this.isSpoilt;
  }

  /** Whether this message is its next. */
  expected(letter: string): boolean {
    if (!this.#expects.startsWith(letter)) return false;
    this.#expects = this.#expects.slice(1);
    return true;
  }

  synced(): void {
    if (this.#expects === "S") this.#expects = "";
  }

  spoil(): void {
    this.#expects = SPOILT;
  }

  /** Keeps the answer, which is whole, and writes down what became of the query. */
  keep(edge: Edge, observer: Observer): void {
    const { question, doubt, isWhole } = this.#expected;
    const result = this.answer.result();
    // The description may be that of the statement, which says nothing of the result's formats.
    if (result !== null && !isWhole) result.description = null;
    const isKept = result === null ? !this.answer.isOversized : edge.store(question, result, this.#startedAt);
    const refusal: Refusal = isKept
      ? { status: "miss", reason: missReason(result, edge.rules.emptyResults) }
      : { status: "oversizedresult", reason: `the answer is larger than ${edge.maxResultBytes} bytes` };
    observer.record(question.sql, {
      ...refusal,
      doubt,
      originMs: performance.now() - this.#startedMs,
      resultBytes: result === null ? this.answer.bytes : result.rows.length + result.complete.length,
      location: question.location,
    });
  }
}

function missReason(result: Answer | null, keepsEmpty: boolean): string {
  if (result === null) return "the origin answered with an error, which is not kept";
  return result.rowCount === 0 && !keepsEmpty ? "it has no row, and empty results are not kept" : "kept from now on";
}
