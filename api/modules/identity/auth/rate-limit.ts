import { lt, rateLimit, sql } from "@repo/db";
import type { Db } from "../../../core/database/doors.ts";

export interface Rule {
  /** Seconds. */
  window: number;
  max: number;
}

export interface Verdict {
  allowed: boolean;
  /** Seconds until the next attempt makes sense; null when this one was allowed. */
  retryAfter: number | null;
}

/** Counts one attempt under `key`. One statement, so that concurrent attempts cannot pass together. */
export async function consume(db: Db, key: string, { window, max }: Rule): Promise<Verdict> {
  const now = Date.now();
  const over = sql`${rateLimit.lastRequest} <= ${now - window * 1000}`;
  // One above `max` marks a refusal; refusals do not push the end of the window away.
  const [row] = await db
    .insert(rateLimit)
    .values({ key, count: 1, lastRequest: now })
    .onConflictDoUpdate({
      target: rateLimit.key,
      set: {
        count: sql`case when ${over} then 1 else least(${rateLimit.count}, ${max}) + 1 end`,
        lastRequest: sql`case when ${over} or ${rateLimit.count} < ${max} then ${now} else ${rateLimit.lastRequest} end`,
      },
    })
    .returning({ count: rateLimit.count, lastRequest: rateLimit.lastRequest });
  if (!row || row.count <= max) return { allowed: true, retryAfter: null };
  return { allowed: false, retryAfter: Math.max(1, Math.ceil((row.lastRequest + window * 1000 - now) / 1000)) };
}

/** Forgets attempts older than a day, longer than any window. */
export async function forgetAttempts(db: Db): Promise<void> {
  await db.delete(rateLimit).where(lt(rateLimit.lastRequest, Date.now() - 86_400_000));
}
