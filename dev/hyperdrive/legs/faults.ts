import { acquireTimeout, fatal, shuttingDown, WireError } from "../wire/errors.ts";
import type { Bytes } from "../wire/protocol.ts";
import { LONGEST_MS } from "./latency.ts";

/** At the next statement that fits: each strikes `count` times. */
const STATEMENT_FAULTS = ["reset-before-commit", "reset-after-commit", "57P01", "40001", "40P01"] as const;
/** When a client next needs a session: each strikes `count` times. */
const POOL_FAULTS = ["53300", "58000"] as const;
/** They last for `seconds`. */
const LASTING_FAULTS = ["half-open", "slow", "sliced", "origin-down"] as const;
export const FAULT_KINDS = [...STATEMENT_FAULTS, ...POOL_FAULTS, ...LASTING_FAULTS] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
export type LastingFault = (typeof LASTING_FAULTS)[number];

export interface FaultSpec {
  kind: FaultKind;
  /** How often it strikes; default 1. */
  count?: number;
  /** How long it lasts; default 5. */
  seconds?: number;
  /** Only statements that hold this text. */
  match?: string;
  /** For `slow`: added to each way between edge and origin; default 250. */
  ms?: number;
}

/** What is to happen to a statement. */
export type StatementFault = { kind: "reset-before" | "reset-after" } | { kind: "fail" | "end"; error: WireError };

interface Armed {
  spec: FaultSpec;
  left: number;
}

interface Lasting {
  spec: FaultSpec;
  until: number;
  timer: NodeJS.Timeout;
}

const COMMIT = /^[\s;]*(?:commit|end)\b/i;
const LASTING = new Set<string>(LASTING_FAULTS);

/** Faults on demand. Nothing happens until one is armed. */
export class Faults {
  /** A lasting fault began or ended. */
  onChange: ((kind: LastingFault, isOn: boolean) => void) | null = null;
  #armed: Armed[] = [];
  readonly #lasting = new Map<LastingFault, Lasting>();

  /** @throws RangeError for a kind, a count, a time or a text that makes no sense. */
  arm(spec: FaultSpec): void {
    refuseNonsense(spec);
    const { kind, count = 1, seconds = 5 } = spec;
    if (isLasting(kind)) this.#last(kind, spec, seconds * 1000);
    else this.#armed.push({ spec: inBytes(spec), left: count });
  }

  /** Ends all faults. */
  clear(): void {
    this.#armed = [];
    for (const kind of this.#lasting.keys()) this.#end(kind);
  }

  /** What is armed or under way. */
  list(): { kind: FaultKind; left?: number; endsInMs?: number }[] {
    return [
      ...this.#armed.map(({ spec, left }) => ({ kind: spec.kind, left })),
      ...[...this.#lasting].map(([kind, { until }]) => ({ kind, endsInMs: Math.max(0, until - Date.now()) })),
    ];
  }

  isOn(kind: LastingFault): boolean {
    return this.#lasting.size > 0 && this.#lasting.has(kind);
  }

  /** No fault lasts at the moment. */
  get isCalm(): boolean {
    return this.#lasting.size === 0;
  }

  get slowMs(): number {
    return this.#lasting.get("slow")?.spec.ms ?? (this.isOn("slow") ? 250 : 0);
  }

  /** For a statement about to be sent to the origin. */
  forStatement(sql: Bytes): StatementFault | null {
    const kind = this.#strike(({ kind: armed, match }) => {
      if (armed === "53300" || armed === "58000") return false;
      if (armed.startsWith("reset") && match === undefined) return COMMIT.test(sql);
      return match === undefined || sql.includes(match);
    });
    switch (kind) {
      case "reset-before-commit":
        return { kind: "reset-before" };
      case "reset-after-commit":
        return { kind: "reset-after" };
      case "57P01":
        return { kind: "end", error: shuttingDown() };
      case "40001":
        return failure("40001", "could not serialize access due to concurrent update");
      case "40P01":
        return failure("40P01", "deadlock detected");
      default:
        return null;
    }
  }

  /** For a client that needs a session. */
  forSession(): WireError | null {
    const kind = this.#strike(({ kind: armed }) => armed === "53300" || armed === "58000");
    if (kind === "53300") return fatal("53300", "sorry, too many clients already");
    return kind === "58000" ? acquireTimeout() : null;
  }

  #strike(fits: (spec: FaultSpec) => boolean): FaultKind | null {
    if (this.#armed.length === 0) return null;
    const found = this.#armed.find(({ spec }) => fits(spec));
    if (found === undefined) return null;
    found.left--;
    if (found.left === 0) this.#armed = this.#armed.filter((armed) => armed !== found);
    return found.spec.kind;
  }

  #last(kind: LastingFault, spec: FaultSpec, ms: number): void {
    clearTimeout(this.#lasting.get(kind)?.timer);
    const timer = setTimeout(() => this.#end(kind), ms);
    timer.unref();
    this.#lasting.set(kind, { spec, until: Date.now() + ms, timer });
    this.onChange?.(kind, true);
  }

  #end(kind: LastingFault): void {
    clearTimeout(this.#lasting.get(kind)?.timer);
    if (this.#lasting.delete(kind)) this.onChange?.(kind, false);
  }
}

/** Its text as statements have theirs. */
function inBytes(spec: FaultSpec): FaultSpec {
  const { match } = spec;
  return match === undefined ? spec : { ...spec, match: Buffer.from(match, "utf8").toString("latin1") };
}

/** What a fault takes beside its kind. */
function keysOf(kind: FaultKind): readonly string[] {
  if (kind === "slow") return ["seconds", "ms"];
  if (isLasting(kind)) return ["seconds"];
  return kind === "53300" || kind === "58000" ? ["count"] : ["count", "match"];
}

/** A specification comes over HTTP too, and may be anything there. */
function refuseNonsense(spec: FaultSpec): void {
  const { kind, count = 1, seconds = 5, ms = 0, match = "" } = spec;
  if (!FAULT_KINDS.includes(kind)) throw new RangeError(`no such fault: ${kind}; there are ${FAULT_KINDS.join(", ")}`);
  if (!Number.isInteger(count) || count < 1) throw new RangeError("count is a whole number from 1");
  if (!isNumber(seconds) || seconds <= 0 || seconds > 3600) throw new RangeError("seconds is above 0, at most 3600");
  if (!isNumber(ms) || ms < 0 || ms > LONGEST_MS) throw new RangeError(`ms is from 0 to ${LONGEST_MS}`);
  if (typeof match !== "string") throw new RangeError("match is a text");
  const known = keysOf(kind);
  const other = Object.keys(spec).find((key) => key !== "kind" && !known.includes(key));
  // Ignored, it would have the fault strike more than it was meant to.
  if (other !== undefined)
    throw new RangeError(`"${other}" means nothing to ${kind}, which takes ${known.join(" and ")}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isLasting(kind: FaultKind): kind is LastingFault {
  return LASTING.has(kind);
}

function failure(code: string, message: string): StatementFault {
  return { kind: "fail", error: new WireError({ severity: "ERROR", code, message }) };
}
