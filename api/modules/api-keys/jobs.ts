import {
  and,
  apiKey,
  eq,
  inArray,
  isNull,
  lt,
  type NewUsageRecord,
  or,
  organization,
  sql,
  usageEvent,
  usageRecord,
  user,
} from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import * as z from "zod";
import type { Tx } from "../../core/database/doors.ts";
import { asService } from "../../core/database/service.ts";
import { defineJob } from "../../core/jobs.ts";

const usage = z.object({
  /** Tells a message that is delivered again from another one. */
  id: z.string(),
  keyId: z.string(),
  userId: z.string().nullable(),
  organizationId: z.string().nullable(),
  at: z.iso.datetime(),
  items: z.array(
    z.object({ metric: z.string(), quantity: z.int().positive(), dimension: z.record(z.string(), z.string()) }),
  ),
});
type Usage = z.infer<typeof usage>;

/** Sums up what was used. A second delivery changes nothing. */
export const usageJob = defineJob("api-keys.usage", usage, ({ dbDirect }, delivered) =>
  asService(dbDirect, async (tx) => {
    const events = await ofLivingOwners(tx, await newOnes(tx, delivered));
    if (events.length === 0) return;
    await Promise.all([addRecords(tx, events), noteLastUse(tx, events)]);
  }),
);

async function newOnes(tx: Tx, delivered: Usage[]): Promise<Usage[]> {
  const byId = new Map(delivered.map((event) => [event.id, event]));
  const rows = await tx
    .insert(usageEvent)
    .values([...byId.keys()].sort().map((id) => ({ id })))
    .onConflictDoNothing()
    .returning({ id: usageEvent.id });
  return rows.flatMap(({ id }) => byId.get(id) ?? []);
}

/** Without those whose owner has been deleted since: what they used is nobody's. */
async function ofLivingOwners(tx: Tx, events: Usage[]): Promise<Usage[]> {
  const [users, organizations] = await Promise.all([
    tx
      .select({ id: user.id })
      .from(user)
      .where(inArray(user.id, [...new Set(events.flatMap(({ userId }) => userId ?? []))])),
    tx
      .select({ id: organization.id })
      .from(organization)
      .where(
        and(
          withDeleted(organization),
          inArray(organization.id, [...new Set(events.flatMap(({ organizationId }) => organizationId ?? []))]),
        ),
      ),
  ]);
  const living = new Set([...users, ...organizations].map(({ id }) => id));
  return events.filter(({ userId, organizationId }) => living.has(userId ?? organizationId ?? ""));
}

async function addRecords(tx: Tx, events: Usage[]): Promise<void> {
  const sums = new Map<string, NewUsageRecord>();
  for (const { keyId, userId, organizationId, at, items } of events) {
    for (const { metric, quantity, dimension } of items) {
      const periodStart = new Date(`${at.slice(0, 10)}T00:00:00Z`);
      const place = JSON.stringify([keyId, metric, at.slice(0, 10), Object.entries(dimension).sort()]);
      const sum = (sums.get(place)?.quantity ?? 0) + quantity;
      sums.set(place, { keyId, userId, organizationId, metric, quantity: sum, periodStart, dimension });
    }
  }
  // In one order, so that two batches never wait for each other in a circle.
  const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await tx
    .insert(usageRecord)
    .values(rows)
    .onConflictDoUpdate({
      target: [usageRecord.keyId, usageRecord.metric, usageRecord.periodStart, usageRecord.dimension],
      set: { quantity: sql`${usageRecord.quantity} + excluded.quantity`, updatedAt: new Date() },
    });
}

/** At most once a minute and key. */
async function noteLastUse(tx: Tx, events: Usage[]): Promise<void> {
  const latest = new Map<string, Date>();
  for (const { keyId, at } of events.toSorted((a, b) => (a.at < b.at ? -1 : 1))) latest.set(keyId, new Date(at));
  const keys = [...latest].sort(([a], [b]) => (a < b ? -1 : 1));
  await Promise.all(
    keys.map(([id, at]) =>
      tx
        .update(apiKey)
        .set({ lastUsedAt: at, updatedAt: sql`${apiKey.updatedAt}` })
        .where(
          and(eq(apiKey.id, id), or(isNull(apiKey.lastUsedAt), lt(apiKey.lastUsedAt, new Date(at.getTime() - 60_000)))),
        ),
    ),
  );
}
