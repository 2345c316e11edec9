import { type Answer, sameRows } from "../pool/answer.ts";
import type { ShadowOutcome } from "../watch/query-log.ts";

/** Asks the origin now, as one of the two. */
export interface Witnesses {
  asCaller(): Promise<Answer | null>;
  asAuthor(): Promise<Answer | null>;
}

/** Compares a cached answer with what the origin says now to the caller, and to whose query filled the cache. */
export async function judgeHit(cached: Answer, { asCaller, asAuthor }: Witnesses): Promise<ShadowOutcome> {
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
