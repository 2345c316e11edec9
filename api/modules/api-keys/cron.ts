import { apiKey, lt, or, usageCounter, usageEvent, usageRecord } from "@repo/db";
import { type Runtime, withDirectDb } from "../../core/context.ts";
import { asService } from "../../core/database/service.ts";

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

// The queue may deliver a message again for as long as it keeps it: 14 days at most.
const eventsKeptDays = 15;
const deadKeysKeptDays = 90;
const recordsKeptDays = 400;

/** Every night: forgets counters of past periods, counted messages, dead keys and old records. */
export async function cleanUpUsage(runtime: Runtime): Promise<void> {
  const dead = daysAgo(deadKeysKeptDays);
  await withDirectDb(runtime, (dbDirect) =>
    asService(dbDirect, async (tx) => {
      await tx.delete(usageCounter).where(lt(usageCounter.endsAt, daysAgo(1)));
      await tx.delete(usageEvent).where(lt(usageEvent.createdAt, daysAgo(eventsKeptDays)));
      await tx.delete(apiKey).where(or(lt(apiKey.expiresAt, dead), lt(apiKey.revokedAt, dead)));
      await tx.delete(usageRecord).where(lt(usageRecord.periodStart, daysAgo(recordsKeptDays)));
    }),
  );
}
