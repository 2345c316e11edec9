import { apiKey, eq, usageLimit, usageRecord } from "@repo/db";
import type { Tx } from "../../core/database/doors.ts";
import { apiKeyDetail, limitDetail } from "./queries.ts";

/** A person's own keys, without their secrets, what was used through them, and their limits. */
export async function exportApiKeys(tx: Tx, userId: string) {
  const [apiKeys, usage, usageLimits] = await Promise.all([
    tx.select(apiKeyDetail).from(apiKey).where(eq(apiKey.userId, userId)).orderBy(apiKey.id),
    tx
      .select({
        day: usageRecord.periodStart,
        keyId: usageRecord.keyId,
        metric: usageRecord.metric,
        dimension: usageRecord.dimension,
        quantity: usageRecord.quantity,
      })
      .from(usageRecord)
      .where(eq(usageRecord.userId, userId))
      .orderBy(usageRecord.periodStart, usageRecord.keyId),
    tx.select(limitDetail).from(usageLimit).where(eq(usageLimit.userId, userId)).orderBy(usageLimit.id),
  ]);
  return { apiKeys, usage, usageLimits };
}
