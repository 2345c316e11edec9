import { sameRows } from "./answer.ts";
import type { CachedResult } from "./cache.ts";

/**
 * `same`: the origin answers the caller as the cache did. `stale`: the rows have changed since. `leak`: whoever filled
 * the cache gets other rows than the caller, so the caller was given an answer meant for somebody else.
 * `unknown`: the origin gave no steady answer.
 */
export type ShadowOutcome = "same" | "stale" | "leak" | "unknown";

/** Asks the origin now, as one of the two. */
export interface Witnesses {
  asCaller(): Promise<CachedResult | null>;
  asAuthor(): Promise<CachedResult | null>;
}

/** Compares a cached answer with what the origin says now to the caller, and to whose query filled the cache. */
export async function judgeHit(cached: CachedResult, { asCaller, asAuthor }: Witnesses): Promise<ShadowOutcome> {
  const caller = await asCaller();
  if (caller === null) return "unknown";
  if (sameRows(cached, caller)) return "same";
  const author = await asAuthor();
  if (author === null) return "unknown";
  if (sameRows(caller, author)) return "stale";
  // A write in between looks like a difference between the two, unless the caller's answer still stands.
  const again = await asCaller();
  return again !== null && sameRows(caller, again) ? "leak" : "unknown";
}
